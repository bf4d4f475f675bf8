//! Packets: one task sends what the pure probers ask for and passes the answers to them.
//!
//! It decides nothing. `engine` polls the probers and drives the loop, [`wire`] is the interface
//! to the sockets at either level of privilege, [`packet`] builds and parses packets, [`flights`]
//! matches answers to the packets in flight.

mod capability;
mod connect;
mod echo;
pub mod egress;
pub(crate) mod engine;
pub mod flights;
mod last_heard;
mod level;
mod link_news;
mod neighbours;
pub mod packet;
mod peers;
mod punctual;
mod random;
pub mod raw;
pub(crate) mod refusal;
mod route_news;
pub mod socket;
pub mod target;
mod track;
pub mod unprivileged;
mod verdict_log;
pub mod wire;

pub(crate) use connect::syn;
pub(crate) use echo::{EchoMethod, Echoes};
pub(crate) use engine::Engine;
pub(crate) use last_heard::SocketGroup;
