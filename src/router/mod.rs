//! Reading routers: one worker each turns "run these commands" into a [`snapshot::RouterSnapshot`].
//!
//! - [`shell`] runs a script on a router before a deadline: [`ssh`] over SSH, [`local`] on this machine
//! - [`host_key`] whether a router is the one that is meant: [`known_hosts`], [`certificate`]
//! - [`command`] writes that one script and cuts its output into a snapshot
//! - [`parse`] pure functions of text, one file per format
//! - [`worker`] one scrape of one router, and what to count
//! - [`fleet`] all routers: when each is read, by how many threads

pub mod backoff;
pub mod certificate;
pub mod command;
pub mod fleet;
pub mod host_key;
pub mod known_hosts;
pub mod local;
pub mod parse;
pub mod shell;
pub mod slots;
pub mod snapshot;
pub mod ssh;
mod wire;
pub mod worker;

pub use ssh::{check_credential, check_host_key};
pub use worker::Worker;
