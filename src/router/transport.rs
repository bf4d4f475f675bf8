//! How a question reaches a router: [`ssh`], `https` for VyOS's API, or `local` on this machine.

pub(super) mod https;
pub(crate) mod local;
pub mod ssh;
