//! Networks that exist only as numbers, and the real path prober playing against them.
//!
//! - [`network`] a network as data: read from a scenario, or generated from a seed
//! - [`random`] networks generated from a seed, by class
//! - [`loss`] and [`bucket`] what drops packets by chance and by rate, [`way`] one direction,
//!   [`world`] both; [`neighbour`] what keeps packets from leaving a host, [`byte`] a connection
//!   made by the kernel
//! - [`own`] faults of the prober's own host and process
//! - [`reflected`] the size search of a reflector, in both directions
//! - [`legs`] a leg of the underlay, as routers measure it by pings
//! - [`play`] the loop: what the prober sends, and what the network does with it, when
//! - [`truth`] what a host that does path MTU discovery would experience: all that the judge knows
//! - [`judge`] compares what the prober reported with the truth, [`tally`] counts over many
//!   networks
//! - [`promises`] which promises must be kept, checked for many networks at once
//! - [`questions`] how many sizes are asked about to find an exact MTU
//! - [`scenario`] networks as files, with what must be reported for them
//!
//! Nothing here sleeps or reads a clock: time is a number, and a seed always gives the same
//! network.

// The tests and the command each use only a part.
#![allow(dead_code)]

pub mod bucket;
pub mod byte;
pub mod judge;
pub mod legs;
pub mod loss;
pub mod nat;
pub mod neighbour;
pub mod network;
pub mod own;
pub mod play;
pub mod promises;
pub mod questions;
pub mod random;
pub mod reflected;
pub mod scenario;
pub mod shapes;
pub mod tally;
pub mod truth;
pub mod way;
pub mod world;
