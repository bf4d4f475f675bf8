//! Reading routers: one worker each turns "run these commands" into a
//! [`RouterSnapshot`](crate::model::snapshot::RouterSnapshot).
//!
//! - `chain` by which method, and what is tried when that one fails
//! - [`method`] how to ask, and the snapshot made of the answer
//! - [`transport`] how the question gets there; `trust` whether that is the router that is meant
//! - [`script`] one exec for many commands; [`shell`] runs it before a deadline
//! - [`parse`] pure functions of text, one file per format; [`bounds`] how much of it is understood
//! - `worker` one scrape of one router, and what to count; `backoff` how long it is left alone
//! - [`fleet`] all routers: when each is read (`slots`), by how many threads

pub(crate) mod backoff;
pub mod bounds;
pub(crate) mod chain;
pub mod fleet;
pub mod method;
pub mod parse;
pub mod script;
pub mod shell;
pub(crate) mod slots;
pub mod transport;
pub(crate) mod trust;
pub(crate) mod worker;

pub use transport::ssh::{check_credential, check_host_key};
pub use worker::Worker;
