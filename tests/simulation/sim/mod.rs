//! Networks that exist only as numbers, and the real path prober playing against them.
//!
//! - [`network`] what a network is like, as data: read from a scenario, or made up from a seed
//! - [`random`] networks made up from a seed, by class
//! - [`loss`] and [`bucket`] what drops packets by chance and by rate, [`way`] one direction, [`world`] both;
//!   [`neighbour`] what keeps packets from leaving a host at all, [`byte`] a connection of the kernel's own
//! - [`own`] troubles of the prober's own host and process
//! - [`reflected`] the machine of a reflector, in both directions
//! - [`play`] the loop: what the prober sends, what the network makes of it, when
//! - [`truth`] what a host that does path MTU discovery would meet: all the judge knows
//! - [`judge`] holds what the prober said against the truth, [`tally`] counts over many networks
//! - [`promises`] which promises must be kept, and how many networks at once are held to them
//! - [`scenario`] networks as files, with what must be said of them
//!
//! Nothing here sleeps or asks a clock: time is a number, and a seed makes the same network again.

// The tests and the command each use their part.
#![allow(dead_code)]

pub mod bucket;
pub mod byte;
pub mod judge;
pub mod loss;
pub mod nat;
pub mod neighbour;
pub mod network;
pub mod own;
pub mod play;
pub mod promises;
pub mod random;
pub mod reflected;
pub mod scenario;
pub mod shapes;
pub mod tally;
pub mod truth;
pub mod way;
pub mod world;
