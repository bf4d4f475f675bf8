//! Packets: one task sends what the pure probers ask for and passes the answers to them.
//!
//! It decides nothing. [`engine`] polls the probers and drives the loop, [`wire`] is the interface
//! to the sockets at either level of privilege, [`packet`] builds and parses packets, [`flights`]
//! matches answers to the packets in flight.

pub mod capability;
pub mod connect;
pub mod echo;
pub mod egress;
pub mod engine;
pub mod flights;
pub mod heard;
pub mod level;
pub mod links;
pub mod neighbours;
pub mod packet;
pub mod peers;
pub mod punctual;
pub mod random;
pub mod raw;
pub mod refusal;
pub mod socket;
pub mod target;
pub mod track;
pub mod unprivileged;
pub mod verdict_log;
pub mod wire;

pub use engine::Engine;
