//! One path's prober, pure: it is asked what to send and told what came back.
//!
//! - [`probe`] the words in which packets are asked for and answers told
//! - [`proof`] how silence becomes a fact: counted pairs
//! - [`mtu_search`] the search for the exact edge
//! - [`walk`] the walk of a host that does path MTU discovery, and the memory of signals; [`walks`] those
//!   of ICMP and TCP together
//! - [`asking`] what the prober wants of a way of asking; [`lane`] proof, search and withdrawal for one,
//!   [`flows`] for the TCP flows, together as far as they are alike ([`flow_set`]), [`contest`] which of
//!   them are silent where others are signalled
//! - [`reach`] when a target is unreachable, [`icmp_rate`] whether its answers are limited, [`small_loss`]
//!   when a path is lossy, [`tcp_life`] whether TCP passes where ping does
//! - [`pinned`] whether a box on the way remembers our flows as dead
//! - [`rtt`] how long to wait, [`budget`] how much to send, [`expected`] what hosts of our site can send,
//!   [`target_mtu`] what the target takes
//! - [`prober`] all of these joined: the machine
//! - [`reflection`] what a reflector has measured, [`size_hunt`] which sizes to ask it for
//! - [`edge`] whether proven silence has an edge, asked either way
//! - [`local`] what our own host refuses to send
//! - [`origin`] whether the target itself answers
//! - [`verdict`] what may be concluded from it, `evidence` why, in words and numbers

pub mod asking;
pub mod budget;
pub mod contest;
pub mod edge;
mod evidence;
pub mod expected;
pub mod flow_set;
pub mod flows;
pub mod icmp_rate;
pub mod lane;
pub mod local;
pub mod mtu_search;
pub mod origin;
pub mod pinned;
pub mod probe;
pub mod prober;
pub mod proof;
pub mod reach;
pub mod reflection;
pub mod rtt;
pub mod size_hunt;
pub mod small_loss;
pub mod target_mtu;
pub mod tcp_life;
pub mod verdict;
pub mod walk;
pub mod walks;
