//! What is peculiar to the routers of one vendor: a type each, a file (with its folder) each. There is one, [`Vyos`].
//!
//! Whoever needs to know what a vendor calls something, which of its versions can do it, or what to run on it, asks the
//! type. What all Linux routers have in common is asked in `router`; what their answers look like is known in
//! `router/parse`.

pub(crate) mod vyos;

use std::net::IpAddr;

pub use vyos::Vyos;

use crate::model::types::{Bytes, DfPolicy, Vni};

/// What can be changed of a vxlan interface to mend a tunnel, whatever a vendor calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Brings the interface up.
    Enable,
    /// Sets the policy of the outer DF bit.
    Df(DfPolicy),
    /// Sets the interface MTU.
    Mtu(Bytes),
    /// Sets the network identifier.
    Vni(Vni),
    /// Sets the UDP port.
    Port(u16),
    /// Takes a remote away.
    DeleteRemote(IpAddr),
    /// Sets a remote.
    Remote(IpAddr),
}
