//! The command line, in the Prometheus exporters' habit: `--config.file`, `--web.listen-address`,
//! `--log.level`; no command means `serve`. Usage errors exit 2 (clap's own code, and DESIGN's).

mod init_args;
mod serve_args;

use std::{ffi::OsString, path::PathBuf, str::FromStr};

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use pnet::ipnetwork::IpNetwork;

pub use crate::logging::{LogFormat, LogLevel};
use crate::{
    command::{load::ConfigSource, parse::Format, probe::ProbeRequest, serve::Serve},
    language::Language,
    listen::ListenAddress,
    look::{ECHOES, target::ProbeTarget},
    model::{family::Family, types::Bytes},
    process::sandbox::Sandbox,
    web::mount::Mount,
};
pub use init_args::InitArgs;
pub use serve_args::ServeArgs;

/// Finds MTU black holes in VXLAN overlays and says how to fix them
#[derive(Debug, Clone, PartialEq, Eq, Parser)]
#[command(
    name = "vxlan_exporter",
    disable_version_flag = true,
    after_help = "Each of these flags has an environment variable, VXLAN_EXPORTER_LOG_LEVEL for --log.level. The flag wins."
)]
pub struct Cli {
    /// Flags of `serve` where no command is given
    #[command(flatten)]
    pub serve: ServeArgs,

    /// Flags that every command takes
    #[command(flatten)]
    pub common: CommonArgs,

    /// What to do
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Flags that every command takes.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct CommonArgs {
    /// Configuration file
    #[arg(
        long = "config.file",
        env = "VXLAN_EXPORTER_CONFIG_FILE",
        hide_env = true,
        global = true,
        display_order = 900,
        value_name = "FILE",
        default_value = "config.yml"
    )]
    pub config_file: PathBuf,

    /// Largest configuration file that is accepted, e.g. 64KiB or 4MiB
    #[arg(
        long = "config.max-size",
        env = "VXLAN_EXPORTER_CONFIG_MAX_SIZE",
        hide_env = true,
        global = true,
        display_order = 900,
        value_name = "SIZE",
        default_value = "1MiB"
    )]
    pub config_max_size: FileSize,

    /// Log messages of this level and above [default: info; check, config and init: warn; probe: error]
    #[arg(
        long = "log.level",
        env = "VXLAN_EXPORTER_LOG_LEVEL",
        hide_env = true,
        global = true,
        display_order = 901,
        value_name = "LEVEL",
        hide_default_value = true
    )]
    pub log_level: Option<LogLevel>,

    /// Give up privileges that this program does not need: capabilities, system calls, writing
    /// files
    #[arg(
        long,
        env = "VXLAN_EXPORTER_SANDBOX",
        hide_env = true,
        global = true,
        display_order = 903,
        value_name = "WHEN",
        default_value = "auto"
    )]
    pub sandbox: Sandbox,

    /// Format of log messages on stderr
    #[arg(
        long = "log.format",
        env = "VXLAN_EXPORTER_LOG_FORMAT",
        hide_env = true,
        global = true,
        display_order = 902,
        value_name = "FORMAT",
        default_value = "logfmt"
    )]
    pub log_format: LogFormat,

    /// Print version, revision and platform
    #[arg(short = 'V', long, global = true, display_order = 904)]
    pub version: bool,
}

/// Bytes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileSize(pub u64);

impl FromStr for FileSize {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |number: &str, unit: u64| number.parse::<u64>().ok()?.checked_mul(unit);
        let bytes = match (text.strip_suffix("KiB"), text.strip_suffix("MiB")) {
            (Some(kib), _) => number(kib, 1 << 10),
            (_, Some(mib)) => number(mib, 1 << 20),
            _ => None,
        };
        match bytes {
            Some(bytes) if (1 << 10..=64 << 20).contains(&bytes) => Ok(Self(bytes)),
            _ => Err("write a whole number and KiB or MiB, from 1KiB to 64MiB"),
        }
    }
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Monitor routers and paths and export metrics (the default)
    Serve(ServeArgs),

    /// Write a configuration: read routers, find hosts behind them, propose a path to each site
    ///
    /// Logs in to each router (after you type yes to its host key) and changes nothing there, lists
    /// what it sends, writes, then checks once. Exit code: that of `check`; 2 if nothing was written.
    Init(InitArgs),

    /// Measure once, then print what is wrong and how to fix it
    ///
    /// Exit code 0: every path ok or reduced, every router read, no tunnel in trouble. 1: something
    /// is wrong. 2: something could not be measured or read, or nothing is configured.
    Check(ReportArgs),

    /// Test the path to one host, without a configuration
    ///
    /// Prints the path MTU in each direction, loss, round-trip time, and whether HTTPS will hang.
    /// Exit code 0: ok or reduced. 1: unreachable, blackhole or lossy. 2: no verdict was
    /// possible.
    Probe(ProbeArgs),

    /// Run at the far end of another exporter's path, so that it can measure each direction
    ///
    /// Sends no more bytes than it receives, and at most 20 packets a second and 200 kB a minute per
    /// peer. Needs no privilege and no configuration file. An exporter has the same built in:
    /// `reflector: {listen: ":14790"}`.
    Reflect(ReflectArgs),

    /// Ask the exporter on this machine whether all its parts run, for a liveness probe
    ///
    /// Gives the answer of `/-/healthy`, but works whatever TLS, users and networks the exporter
    /// requires. Exit code 0, or 1 with the reason.
    Healthy {
        /// The port of the exporter's --web.listen-address
        #[arg(long, value_name = "PORT", default_value_t = ListenAddress::default().port)]
        port: u16,
    },

    /// Check a configuration file, trust a router's host key, print an example or a schema
    Config {
        /// What to do
        #[command(subcommand)]
        command: ConfigCommand,
    },

    /// Print a completion script, e.g. `vxlan_exporter completion bash`
    Completion {
        /// The shell
        shell: clap_complete::Shell,
    },

    /// Print the manual page
    #[command(hide = true)]
    Manpage,

    /// Parse a router's captured output and print the result as JSON
    ///
    /// Exit code 0, or 1 with the reason on stderr.
    #[command(hide = true)]
    Parse {
        /// Format of the output
        format: Format,
        /// The file, or `-` for standard input
        file: PathBuf,
    },
}

/// Flags of `probe`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct ProbeArgs {
    /// Address or name. A TCP port, open or closed, lets it tell the directions apart. IPv6 with a
    /// port: `[ADDRESS]:PORT`
    #[arg(value_name = "HOST[:PORT]")]
    pub target: ProbeTarget,

    /// The MTU the path should have, in bytes of IP packet [default: the smaller of our interface's
    /// and the target's]
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(68..=9216))]
    pub expected_mtu: Option<Bytes>,

    /// Send at least this many small echoes, ten a second
    #[arg(short, long, value_name = "N", default_value_t = ECHOES, value_parser = clap::value_parser!(u32).range(1..=36_000))]
    pub count: u32,

    /// How it reports
    #[command(flatten)]
    pub report: ReportArgs,

    /// Use IPv4
    #[arg(short = '4', conflicts_with = "ipv6")]
    pub ipv4: bool,

    /// Use IPv6
    #[arg(short = '6')]
    pub ipv6: bool,
}

impl ProbeArgs {
    /// What to probe.
    #[must_use]
    pub fn request(&self) -> ProbeRequest {
        let family = match (self.ipv4, self.ipv6) {
            (true, _) => Some(Family::V4),
            (false, true) => Some(Family::V6),
            (false, false) => None,
        };
        ProbeRequest {
            target: self.target.clone(),
            family,
            expected_mtu: self.expected_mtu,
            count: self.count,
        }
    }
}

/// Flags of `reflect`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct ReflectArgs {
    /// Address to listen on; without a host, all addresses of this machine
    #[arg(long, value_name = "HOST:PORT", default_value = ":14790")]
    pub listen: ListenAddress,

    /// Only these networks may use it, separated by commas [default: everyone]
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    pub allowed_sources: Vec<IpNetwork>,

    /// File with the secret that peers must have, at least 16 characters
    #[arg(long, value_name = "FILE")]
    pub secret_file: Option<PathBuf>,
}

/// What to do with the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum ConfigCommand {
    /// Check the configuration file; exit code 0 if it is valid, else 2
    Check,
    /// Show a router's host key, and trust it after you type yes
    ///
    /// Writes it to the router's `known_hosts_file`. Connects once and does not log in. Compare the
    /// fingerprint with what the router's console shows: `ssh-keygen -lf
    /// /etc/ssh/ssh_host_ed25519_key.pub`. Exit code 0: the key is now trusted. 2: it is not.
    Trust(TrustArgs),
    /// Print a commented example configuration
    Example,
    /// Print the JSON schema of the configuration, for editors
    Schema,
}

/// Flags of `config trust`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct TrustArgs {
    /// The router's name in the configuration
    #[arg(value_name = "ROUTER")]
    pub router: String,

    /// The expected fingerprint, as the router's console shows it; required without a terminal
    #[arg(long, value_name = "SHA256:…")]
    pub fingerprint: Option<String>,

    /// Do not ask for confirmation
    #[arg(long, requires = "fingerprint")]
    pub yes: bool,
}

/// Flags of the commands that report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub struct ReportArgs {
    /// Text for a person, or JSON for a script
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: ReportFormat,

    /// Language of the text
    #[arg(
        long = "lang",
        value_name = "LANGUAGE",
        help = "Language of the text [default: that of LC_ALL, LC_MESSAGES or LANG, else en]"
    )]
    pub language: Option<Language>,
}

/// How `check` and `probe` report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For a person.
    #[value(alias = "text")]
    Table,
    /// For a machine.
    Json,
}

impl Cli {
    /// The command line of this process; an error is one of usage.
    pub fn of_process() -> Result<Self, clap::Error> {
        Self::read(std::env::args_os())
    }

    fn read(line: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Result<Self, clap::Error> {
        Self::from_arg_matches(&Self::definition().try_get_matches_from(line)?)
    }

    /// The definition of the command line. The variables are read once, for the flags before the
    /// command: read for those after it too, they would win over a flag before it.
    #[must_use]
    pub fn definition() -> clap::Command {
        Self::command().mut_subcommand("serve", |serve| serve.mut_args(|flag| flag.env(None::<&'static str>)))
    }

    /// The command, `serve` where none was given.
    #[must_use]
    pub fn chosen(&self) -> Command {
        self.command.clone().unwrap_or_else(|| Command::Serve(self.serve.clone()))
    }

    /// How `serve` runs: a flag after the command wins over the one before it.
    #[must_use]
    pub fn serve_options(&self) -> Serve {
        let before = self.serve.clone();
        let after = match &self.command {
            Some(Command::Serve(serve)) => serve.clone(),
            _ => ServeArgs::default(),
        };
        let listen = after.listen(before.listen_addresses);
        Serve {
            wanted: ConfigSource {
                file: self.common.config_file.clone(),
                most_bytes: self.common.config_max_size.0,
                source: after.source.or(before.source),
                shard: after.shard.or(before.shard).unwrap_or_default(),
            },
            listen,
            mount: Mount::new(
                after.telemetry_path.or(before.telemetry_path),
                after.route_prefix.or(before.route_prefix),
                after.external_url.or(before.external_url).as_ref(),
            ),
            web_config_file: after.web_config_file.or(before.web_config_file),
            lifecycle: after.enable_lifecycle || before.enable_lifecycle,
        }
    }

    /// The level of log messages; one-shot commands print their own words.
    #[must_use]
    pub fn log_level(&self) -> LogLevel {
        let default = match self.chosen() {
            Command::Serve(_) | Command::Reflect(_) => LogLevel::Info,
            Command::Check(_)
            | Command::Init(_)
            | Command::Healthy { .. }
            | Command::Config { .. }
            | Command::Completion { .. }
            | Command::Manpage
            | Command::Parse { .. } => LogLevel::Warn,
            // What the engine warns of, its report says.
            Command::Probe(_) => LogLevel::Error,
        };
        self.common.log_level.unwrap_or(default)
    }
}

#[cfg(test)]
mod tests;
