//! What decides. Nothing in here touches a socket, a clock or a task: observations in, picture out.
//!
//! Probing, for one path:
//! - [`probe_plan`] the words in which packets are asked for and answers told
//! - [`proof`] how silence becomes a fact: counted pairs
//! - [`path_mtu`] the search for the exact edge
//! - [`walk`] the walk of a host that does path MTU discovery, and the memory of signals
//! - [`lane`] proof, search and withdrawal for one way of asking
//! - [`expected`] what hosts of our site can send
//! - [`reach`] when a target is unreachable, [`small_loss`] when a path is lossy, [`rtt`] how long to wait
//! - [`path`] all of these for one path: the machine that is asked what to send and told what came back
//! - [`verdict`] what may be concluded from it, in words
//!
//! Joining:
//! - [`observation`] what the probes say of a path, [`crate::router::snapshot`] what a router says
//! - [`tunnel`] the tunnels: `pairing` which vxlan interfaces belong together, `mismatch` on what they
//!   disagree, `liveness` whether they are up
//! - `route` which tunnels a path crosses, `cause` which router setting explains its trouble, `fix`
//!   the commands that mend it
//! - [`picture`] the joined result that every view shows

mod cause;
mod ends;
pub mod expected;
mod fix;
pub mod lane;
mod liveness;
mod mismatch;
pub mod observation;
mod pairing;
pub mod path;
pub mod path_mtu;
pub mod picture;
pub mod probe_plan;
pub mod proof;
pub mod reach;
mod route;
pub mod rtt;
pub mod small_loss;
pub mod tunnel;
pub mod verdict;
pub mod walk;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;
