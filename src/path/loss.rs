//! What is only loss.
//!
//! - [`reach`] when a target is unreachable, and when it is back
//! - [`echo_loss`] when a path is lossy; [`icmp_rate`] whether answers are rationed
//! - [`probe_timeout`] how long to wait for an answer
//! - [`own_host`] what our own host refuses to send

pub mod echo_loss;
pub mod icmp_rate;
pub mod own_host;
pub mod probe_timeout;
pub mod reach;
