//! What the process may do, and how it stays alive.
//!
//! - [`supervise`] that what should run does run
//! - [`sandbox`], [`privilege`], `open_files` what is given up, and what is needed
//! - `regular_file` and `secret_files` reading files that nobody can make it wait for
//! - [`allocator`] memory

pub mod allocator;
pub(crate) mod open_files;
pub mod privilege;
pub(crate) mod regular_file;
pub mod sandbox;
pub(crate) mod secret_files;
pub mod supervise;
