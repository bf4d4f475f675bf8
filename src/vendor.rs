//! What is specific to the routers of one vendor: one type and one file (with its folder) each. At
//! present there is one, [`Vyos`].
//!
//! The type knows the vendor's command syntax, what its versions can do, and what to run on its
//! routers. What all Linux routers have in common is in `router`; output formats are in
//! `router/parse`.

pub(crate) mod vyos;

use std::net::IpAddr;

pub(crate) use vyos::Vyos;

use crate::model::types::{Bytes, DfPolicy, Vni};

/// A change of a vxlan interface that mends a tunnel, independent of the vendor's syntax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repair {
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
    /// Removes a remote.
    DeleteRemote(IpAddr),
    /// Adds a remote.
    Remote(IpAddr),
}
