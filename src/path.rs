//! One path, pure: it is asked what to send and told what came back. No clock, no socket, no task.
//!
//! - [`probe`] the words in which packets are asked for and answers told; [`refusal`] why one was not sent; [`limits`] times and sizes that stand once
//! - [`settings`] what a prober is told when it begins
//! - [`prober`] the machine that joins all below; [`budget`] how much it may send
//! - [`hole`] how silence at one size is proven and its edge is found
//! - [`too_big`] Packet Too Big signals, and where path MTU discovery stands
//! - [`loss`] what is only loss: reachability, echoes, rationed answers, our own host
//! - [`tcp`] what is peculiar to TCP
//! - [`reflection`] what a reflector has measured, and which sizes to ask it for
//! - [`verdict`] what may be concluded, from which expected MTU, and the evidence in words

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
