//! A look-up in a router's routing table, as one of its vxlan devices makes it.
//!
//! `vxlan_xmit_one` (`drivers/net/vxlan/vxlan_core.c`) looks up the route from the device's `local`
//! address, for UDP to its port, through the device that the destination is tied to. For the
//! device's own remote that is the device it was created on (`dev`), for a forwarding entry the one
//! that the entry names (`via`). Where there is none, it is that of the socket: the VRF that `dev`
//! is in. Without these conditions a router with several uplinks answers with the wrong one
//! (measured, 6.18: its management port).

use std::{fmt, net::IpAddr};

use serde::{Serialize, Serializer};

use crate::model::{
    snapshot::{Link, RouterSnapshot, Vxlan},
    types::{InterfaceName, LinkKind},
};

/// Masters of masters beyond this depth are taken for a loop of names.
const MOST_MASTERS: usize = 8;

/// A route look-up. Prints as the arguments of `ip route get`. They become part of a script that a
/// router runs, so they are only numbers and device names that mean nothing to a shell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteQuery {
    from: Option<IpAddr>,
    /// The output device, or a VRF to look in: the kernel takes either as `oif`.
    out_of: Option<InterfaceName>,
    /// UDP destination port, for policy rules.
    port: Option<u16>,
    remote: IpAddr,
}

impl RouteQuery {
    /// The look-up that a vxlan device makes for one of its remotes; `None` where it cannot be
    /// written safely.
    #[must_use]
    pub(crate) fn new(of: &RouterSnapshot, link: &Link, vxlan: &Vxlan, remote: IpAddr) -> Option<Self> {
        let own = || vxlan.link.as_ref().filter(|_| vxlan.remote == Some(remote) || remote.is_multicast());
        let vrf = || vrf_of(of, vxlan.link.as_ref()?);
        let out_of = of.via(link.name.as_str(), remote).or_else(own).or_else(vrf).cloned();
        let from = vxlan.local.filter(|local| local.is_ipv4() == remote.is_ipv4());
        let plain = out_of.as_ref().is_none_or(|name| is_plain(name.as_str()));
        plain.then_some(Self { from, out_of, port: vxlan.port, remote })
    }

    /// The device or VRF that the look-up is tied to.
    #[must_use]
    pub(crate) fn out_of(&self) -> Option<&InterfaceName> {
        self.out_of.as_ref()
    }

    /// The remote that is looked up.
    #[must_use]
    pub(crate) fn remote(&self) -> IpAddr {
        self.remote
    }

    /// The arguments after the address, each with a space before it. Queries with the same
    /// arguments share one loop of the script.
    #[must_use]
    pub(crate) fn conditions(&self) -> String {
        let from = self.from.map(|from| format!(" from {from}"));
        let out_of = self.out_of.as_ref().map(|device| format!(" oif {device}"));
        let port = self.port.map(|port| format!(" ipproto udp dport {port}"));
        [from, out_of, port].into_iter().flatten().collect()
    }
}

/// The VRF of a link: the link itself, its master, or a master of that.
fn vrf_of<'a>(of: &'a RouterSnapshot, name: &'a InterfaceName) -> Option<&'a InterfaceName> {
    let mut name = name;
    for _ in 0..MOST_MASTERS {
        let link = of.link(name.as_str())?;
        if link.kind == Some(LinkKind::Vrf) {
            return Some(name);
        }
        name = link.master.as_ref()?;
    }
    None
}

/// Whether a name is a single word to any shell, and not an option.
pub(crate) fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    !name.starts_with('-') && name.bytes().all(plain)
}

impl fmt::Display for RouteQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.remote, self.conditions())
    }
}

impl Serialize for RouteQuery {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}
