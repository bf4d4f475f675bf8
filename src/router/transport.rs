//! How a router is reached: [`ssh`], `https` for VyOS's API, or `local` on this machine.

pub(super) mod https;
pub(crate) mod local;
pub mod ssh;
