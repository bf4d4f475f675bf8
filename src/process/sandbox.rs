//! What this process gives up before it reads anything from outside, so that a fault in it is worth little to whoever finds one.
//!
//! - `capabilities` all but `CAP_NET_RAW`, for good; no core dump, no debugger of the same user
//! - `landlock` nothing is written, made, renamed or removed; only the system's own programs are run
//! - `seccomp` the system calls that this program and the shell of a `local: {}` router make, and no others
//!
//! Files are read wherever their modes allow it: a reload may name any, and what it then could not read would cost a night
//! more than it is worth. Each layer is of a thread and those that it starts, so [`enter`] comes before the first. What the
//! kernel does not have is left out and told.

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

/// Gives up what a process that listens on `ports` has no use for. For before there is another thread.
pub fn enter(sandbox: Sandbox, ports: &[u16]) {
    use SandboxLayer::{Capabilities, Landlock, NoNewPrivs, Seccomp};
    let layers = match sandbox {
        Sandbox::Off => SandboxLayer::ALL
            .iter()
            .map(|layer| (*layer, Some("switched off by --sandbox=off".to_owned())))
            .collect(),
        // In this order: what a layer is entered by is refused after those below it.
        Sandbox::Auto => vec![
            (Capabilities, capabilities::drop_all_but_net_raw(ports).err().map(|error| error.to_string())),
            (NoNewPrivs, set_no_new_privs(true).err().map(|error| error.to_string())),
            (Landlock, landlock::forbid_writing().err()),
            (Seccomp, seccomp::forbid_calls().err()),
        ],
    };
    // It is entered once; a second time could only take less.
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

/// Says what is in force and what is not.
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
