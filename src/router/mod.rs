//! Reading routers: one worker each turns "run these commands" into a [`snapshot::RouterSnapshot`].
//!
//! - [`chain`] by which method, and what is tried when that one fails
//! - [`command`], [`raw`], [`text`], [`api`] one method each: how to ask, and the snapshot made of the answer
//! - [`route_query`] how a vxlan device asks for its underlay's routes
//! - [`script`] one exec for many commands; [`shell`] runs it before a deadline: [`ssh`] over SSH, [`local`] on
//!   this machine
//! - [`host_key`] whether a router is the one that is meant: [`known_hosts`], [`certificate`]
//! - [`parse`] pure functions of text, one file per format
//! - [`worker`] one scrape of one router, and what to count
//! - [`fleet`] all routers: when each is read, by how many threads

pub mod api;
pub mod backoff;
pub mod bounds;
pub mod certificate;
pub mod chain;
pub mod command;
pub mod fleet;
pub mod host_key;
pub mod index;
pub mod known_hosts;
pub mod local;
pub mod parse;
pub mod raw;
pub mod route_query;
pub mod script;
pub mod shell;
pub mod slots;
pub mod snapshot;
pub mod ssh;
pub mod text;
mod wire;
pub mod worker;

pub use ssh::{check_credential, check_host_key};
pub use worker::Worker;
