//! Reading routers: each has a worker that turns the output of its commands into a
//! [`RouterSnapshot`](crate::model::snapshot::RouterSnapshot).
//!
//! - `chain` which method is used, and which is tried when that one fails
//! - [`method`] the commands of each method, and the snapshot made of their output
//! - [`transport`] the connection to the router; `trust` checks that it is the right router
//! - [`script`] one exec for many commands; [`shell`] runs it before a deadline
//! - [`parse`] pure functions of text, one file per format; [`bounds`] limits how much of it is
//!   kept
//! - `worker` one scrape of one router, and its counts; `backoff` the pause after failures
//! - `legs` the underlay measured by a router's own pings, between two scrapes
//! - `survey` one reading for `init`, with the router's neighbours
//! - [`fleet`] all routers: when each is read (`slots`), on how many threads

mod backoff;
pub mod bounds;
mod chain;
pub mod fleet;
pub mod legs;
pub mod method;
mod neighbours;
pub mod parse;
pub mod script;
pub mod shell;
mod slots;
pub(crate) mod survey;
pub mod transport;
pub(crate) mod trust;
mod worker;

pub use transport::ssh::{check_credential, check_host_key};
pub use worker::Worker;
