//! What the process may do, and how it is kept running.
//!
//! - [`supervise`] restarts tasks that ended or make no progress
//! - [`sandbox`], [`privilege`], `open_files` what is given up, and what is needed
//! - `regular_file` and `secret_files` reading files without being blocked by them
//! - `notify` what systemd is told
//! - [`allocator`] memory

pub mod allocator;
pub(crate) mod notify;
pub(crate) mod open_files;
pub mod privilege;
pub(crate) mod regular_file;
pub mod sandbox;
pub(crate) mod secret_files;
pub mod supervise;
