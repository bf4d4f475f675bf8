//! What this process gives up before it reads anything from outside, so that a vulnerability gains
//! an attacker little.
//!
//! - `capabilities` all except `CAP_NET_RAW`, permanently; no core dump, no debugger of the same
//!   user
//! - `landlock` no writing, creating, renaming or removing of files; only the system's own programs
//!   may run
//! - `seccomp` only the system calls that this program and the shell of a `local: {}` router need
//!
//! Reading files is left to their modes: a reload may name any file, and one that could not be read
//! then would do more harm than this would prevent. Each layer applies to a thread and those it
//! starts, so [`enter`] comes before the first of them. What the kernel lacks is left out and
//! reported.

mod capabilities;
mod landlock;
mod seccomp;

use std::sync::OnceLock;

use rustix::thread::set_no_new_privs;
use tracing::{info, warn};

use crate::model::types::SandboxLayer;

/// Whether a process gives up anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Sandbox {
    /// All that the kernel lets it give up.
    #[default]
    Auto,
    /// Nothing: for strace and debuggers.
    Off,
}

/// Each layer, and why it is not in force.
type Layers = Vec<(SandboxLayer, Option<String>)>;

static ENTERED: OnceLock<Layers> = OnceLock::new();

/// Gives up what a process that listens on `ports` does not need. Must be called before there are
/// other threads.
pub fn enter(sandbox: Sandbox, ports: &[u16]) {
    use SandboxLayer::{Capabilities, Landlock, NoNewPrivs, Seccomp};
    let layers = match sandbox {
        Sandbox::Off => SandboxLayer::ALL
            .iter()
            .map(|layer| (*layer, Some("switched off by --sandbox=off".to_owned())))
            .collect(),
        // The order matters: later layers forbid the calls that enter earlier ones.
        Sandbox::Auto => vec![
            (Capabilities, capabilities::drop_all_but_net_raw(ports).err().map(|error| error.to_string())),
            (NoNewPrivs, set_no_new_privs(true).err().map(|error| error.to_string())),
            (Landlock, landlock::forbid_writing().err()),
            (Seccomp, seccomp::forbid_calls().err()),
        ],
    };
    // It is entered once; entering again could only restrict more.
    let _ = ENTERED.set(layers);
}

fn layers() -> &'static [(SandboxLayer, Option<String>)] {
    ENTERED.get().map_or(&[], Vec::as_slice)
}

/// Whether a layer is in force in this process; none is before [`enter`].
#[must_use]
pub fn is_in_force(layer: SandboxLayer) -> bool {
    layers().iter().any(|(entered, missing)| *entered == layer && missing.is_none())
}

/// Logs which layers are in force and which are not.
pub fn tell() {
    let there = layers().iter().filter(|(_, missing)| missing.is_none()).map(|(layer, _)| layer.as_str());
    let there = there.collect::<Vec<_>>().join(",");
    let missing = layers()
        .iter()
        .filter_map(|(layer, missing)| Some(format!("{}: {}", layer.as_str(), missing.as_ref()?)));
    let missing = missing.collect::<Vec<_>>().join("; ");
    if missing.is_empty() {
        info!(layers = there, "sandbox in force");
    } else {
        warn!(layers = there, missing, "sandbox not whole");
    }
}

#[cfg(test)]
mod tests;
