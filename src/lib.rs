//! `vxlan_exporter` finds MTU black holes in VXLAN overlays and says how to mend them.
//!
//! Data flows one way: configuration → plan → router readings and path observations → state →
//! the joined overlay → views. What decides ([`overlay`]) never touches a socket or a clock; what
//! acts ([`router`], [`probe`], [`web`]) decides nothing.

// The print macros panic if nobody reads the output; `terminal::say` and `logging::say` do not.
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]
#![cfg_attr(
    test,
    allow(
        clippy::too_many_lines,
        reason = "a test tells a story or tables its cases: cutting it makes it no easier to read"
    )
)]

pub mod catalogue;
pub mod command;
pub mod config;
pub(crate) mod history;
#[cfg(test)]
mod hostile;
pub mod language;
pub(crate) mod listen;
pub mod logging;
pub(crate) mod look;
pub mod model;
pub(crate) mod on_demand;
pub mod overlay;
pub mod path;
pub mod probe;
pub mod process;
mod recency;
pub mod reflector;
pub mod report;
pub mod router;
pub mod terminal;
pub(crate) mod text;
pub(crate) mod vendor;
pub mod web;
mod weighted;
mod work;

/// What `--version` prints, in the form of Prometheus and its exporters.
#[must_use]
pub fn version_text() -> String {
    format!(
        "vxlan_exporter, version {} (branch: {BRANCH}, revision: {REVISION})\n  rust version:     {RUST_VERSION}\n  \
         platform:         {}/{}\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH
    )
}

/// The branch that this binary was built from, if the build said so.
pub const BRANCH: &str = match option_env!("VXLAN_EXPORTER_BRANCH") {
    Some(branch) if !branch.is_empty() => branch,
    _ => "unknown",
};

/// The compiler that built this binary, if the build said so.
pub const RUST_VERSION: &str = match option_env!("VXLAN_EXPORTER_RUSTC") {
    Some(version) if !version.is_empty() => version,
    _ => "unknown",
};

/// The commit that this binary was built from, if the build said so (`scripts/build-release.sh`).
pub const REVISION: &str = match option_env!("VXLAN_EXPORTER_REVISION") {
    Some(revision) if !revision.is_empty() => revision,
    _ => "unknown",
};
