//! Reading routers: one worker each turns "run these commands" into a [`snapshot::RouterSnapshot`].
//!
//! - [`shell`] runs a script on a router before a deadline: [`ssh`] over SSH, [`local`] on this machine
//! - [`command`] writes that one script and cuts its output into a snapshot
//! - [`parse`] pure functions of text, one file per format
//! - [`worker`] when to scrape, what to count, when to back off

pub mod backoff;
pub mod command;
pub mod known_hosts;
pub mod local;
pub mod parse;
pub mod shell;
pub mod snapshot;
pub mod ssh;
pub mod worker;

pub use ssh::check_files;
pub use worker::Worker;
