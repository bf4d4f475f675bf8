//! Plain facts that every room shares, and the state made of them. No rule, no socket, no task.
//!
//! - [`types`] the nouns; [`family`] the two families of IP; `vnis`, [`fingerprint`]
//! - [`plan`] the configuration with its defaults; [`shard`] which part of it this process owns
//! - `on_demand`: what `/probe` may be asked
//! - [`snapshot`] one reading of a router; [`observation`] the probe results of a path; [`picture`]
//!   both joined
//! - [`state`] what is known now
//! - `words` the values of labels as words for a reader

pub mod family;
pub mod fingerprint;
pub mod leg;
pub mod observation;
pub mod on_demand;
pub mod picture;
pub mod plan;
pub mod shard;
pub mod snapshot;
pub mod state;
pub mod types;
pub(crate) mod vnis;
pub(crate) mod words;
