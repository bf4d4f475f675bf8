//! What is peculiar to TCP.
//!
//! - [`life`] whether TCP passes where ping does
//! - [`payload`] whether it carries anything where SYNs are answered
//! - [`pinned`] whether a box on the way remembers our flows as dead
//! - [`recent`] when silence is over
//! - [`origin`] whether the target itself answers, or a box in its stead

pub mod life;
pub mod origin;
pub mod payload;
pub mod pinned;
pub mod recent;
