//! One path, pure: the caller asks it what to send and reports what came back. No clock, no socket,
//! no task.
//!
//! - [`probe`]: the types for probes to send and their answers; [`refusal`]: why a packet was not
//!   sent; [`limits`]: shared times and sizes
//! - [`settings`]: what a prober needs at its start
//! - [`prober`]: the state machine that connects everything below; [`budget`]: how much it may send
//! - [`hole`]: how a black hole at one size is proven and its edge is found
//! - [`too_big`]: Packet Too Big signals, and the state of path MTU discovery
//! - [`loss`]: reachability, echo loss, rate-limited ICMP, failures to send on our own host
//! - [`tcp`]: what is specific to TCP
//! - [`reflection`]: what a reflector has measured, and which sizes to request from it
//! - [`verdict`]: the verdict, the expected MTU, and the evidence

pub mod budget;
pub mod hole;
pub mod limits;
pub mod loss;
pub mod pairs;
pub mod probe;
pub mod prober;
pub mod reflection;
pub mod refusal;
pub mod settings;
pub mod tcp;
pub mod too_big;
pub mod verdict;
