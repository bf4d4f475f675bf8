//! One path's prober, pure: it is asked what to send and told what came back.
//!
//! - [`probe`] the words in which packets are asked for and answers told
//! - [`proof`] how silence becomes a fact: counted pairs
//! - [`mtu_search`] the search for the exact edge
//! - [`walk`] the walk of a host that does path MTU discovery, and the memory of signals
//! - [`lane`] proof, search and withdrawal for one way of asking
//! - [`reach`] when a target is unreachable, [`small_loss`] when a path is lossy
//! - [`rtt`] how long to wait, [`budget`] how much to send, [`expected`] what hosts of our site can send
//! - [`prober`] all of these joined: the machine
//! - [`reflection`] what a reflector has measured, [`size_hunt`] which sizes to ask it for
//! - [`verdict`] what may be concluded from it, in words

pub mod budget;
pub mod expected;
pub mod lane;
pub mod mtu_search;
pub mod probe;
pub mod prober;
pub mod proof;
pub mod reach;
pub mod reflection;
pub mod rtt;
pub mod size_hunt;
pub mod small_loss;
pub mod verdict;
pub mod walk;
