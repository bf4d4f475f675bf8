//! How a question reaches a router: [`ssh`], `https` for VyOS's API, or [`local`] on this machine.

pub(super) mod https;
pub mod local;
pub mod ssh;
