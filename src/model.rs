//! Plain facts that everyone shares, and the present made of them. No rule, no socket, no task.
//!
//! - [`types`] the nouns; [`family`] the two families of IP; `vnis`, [`fingerprint`]
//! - [`plan`] what the configuration wants; [`shard`] which part of it is ours
//! - [`snapshot`] what one reading of a router says; [`observation`] what probes say of a path; [`picture`] both joined
//! - [`state`] what is known now

pub mod family;
pub mod fingerprint;
pub mod observation;
pub mod picture;
pub mod plan;
pub mod shard;
pub mod snapshot;
pub mod state;
pub mod types;
pub(crate) mod vnis;
