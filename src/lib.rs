//! `vxlan_exporter` finds MTU black holes in VXLAN overlays and says how to mend them.
//!
//! Data flows one way: configuration → plan → router readings and path observations → state →
//! the joined overlay → views. What decides ([`overlay`]) never touches a socket or a clock; what
//! acts ([`router`], [`probe`], [`web`]) decides nothing.

// They panic where nobody listens any more: `terminal::say` and `logging::say` do not.
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

pub mod allocator;
pub mod catalogue;
pub mod check;
pub mod cli;
pub mod config;
pub mod fingerprint;
#[cfg(test)]
mod hostile;
pub mod listen;
pub mod load;
pub mod logging;
pub mod look;
pub mod open_files;
pub mod overlay;
pub mod parse_command;
pub mod plan;
pub mod privilege;
pub mod probe;
pub mod probe_command;
mod recency;
pub mod reflector;
pub mod regular_file;
pub mod report;
pub mod router;
pub mod sandbox;
pub mod secret_files;
pub mod serve;
pub mod shard;
pub mod state;
pub mod supervise;
pub mod terminal;
pub mod text;
pub mod trust;
pub mod types;
pub mod vnis;
pub mod web;
mod work;
