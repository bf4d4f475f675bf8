//! Plain loss, as opposed to black holes.
//!
//! - [`reach`]: when a target is unreachable, and when it is back
//! - [`echo_loss`]: when a path is lossy; [`icmp_rate`]: whether ICMP is rate-limited
//! - [`probe_timeout`]: how long to wait for an answer
//! - [`own_host`]: packets that our own host could not send

pub mod echo_loss;
pub mod icmp_rate;
pub mod own_host;
pub mod probe_timeout;
pub mod reach;
