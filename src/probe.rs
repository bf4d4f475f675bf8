//! Packets: one task sends what the pure probers ask for and tells them what came back.
//!
//! It decides nothing. [`engine`] asks the probers and turns the wheel, [`wire`] is the door to the sockets
//! of either level of privilege, [`packet`] knows what bytes mean, [`flights`] whose answer they are.

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
