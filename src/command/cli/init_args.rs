//! Flags of `init`.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::command::init::{
    InitRequest,
    ask::{NamedRouter, site},
};

/// Flags of `init`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct InitArgs {
    /// A router to read, e.g. dc=monitor@10.10.0.254; repeat it for each. Without one, you are asked
    #[arg(long = "router", value_name = "NAME=USER@HOST[:PORT]")]
    pub routers: Vec<NamedRouter>,

    /// The site of this machine, e.g. site-a; a router's NAME is the name of its site
    #[arg(long, value_name = "NAME", value_parser = site)]
    pub site: Option<String>,

    /// Private key to log in with [default: one beside the file to write, else the SSH agent,
    /// else a key in ~/.ssh]
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,

    /// File to write [default: that of --config.file]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Replace the file if it is there
    #[arg(long)]
    pub force: bool,

    /// Print the configuration and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

impl InitArgs {
    /// What to do.
    #[must_use]
    pub fn request(self, config_file: &Path, terminal: bool) -> InitRequest {
        InitRequest {
            routers: self.routers,
            site: self.site,
            key: self.key,
            output: self.output.unwrap_or_else(|| config_file.to_owned()),
            force: self.force,
            dry_run: self.dry_run,
            terminal,
        }
    }
}
