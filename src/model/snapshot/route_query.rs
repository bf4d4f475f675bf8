//! A look-up in a router's own routes, as one of its vxlan devices makes it.
//!
//! `vxlan_xmit_one` (`drivers/net/vxlan/vxlan_core.c`) asks from the device's `local`, for UDP to its port, and out of the
//! device that the destination is tied to: for its own remote the one it was made with (`dev`), for a forwarding entry
//! the one the entry names (`via`). Where there is none, out of the socket's: the VRF that `dev` stands in. Without
//! these a router with several ways out tells of another one (measured, 6.18: of its management port).

use std::{fmt, net::IpAddr};

use serde::{Serialize, Serializer};

use crate::model::{
    snapshot::{Link, RouterSnapshot, Vxlan},
    types::{InterfaceName, LinkKind},
};

/// Masters of masters beyond this are no configuration but a loop of names.
const MOST_MASTERS: usize = 8;

/// What is asked; it prints as the words after `ip route get`. They go into a script that a router runs, so nothing is
/// in it but numbers and a device whose name means nothing to a shell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteQuery {
    from: Option<IpAddr>,
    /// The device to leave by, or a VRF to look in: for the kernel one and the same.
    out_of: Option<InterfaceName>,
    /// UDP destination port, for policy rules.
    port: Option<u16>,
    remote: IpAddr,
}

impl RouteQuery {
    /// The question of a vxlan device about one of its remotes; none where it cannot be put safely.
    #[must_use]
    pub fn new(of: &RouterSnapshot, link: &Link, vxlan: &Vxlan, remote: IpAddr) -> Option<Self> {
        let own = || vxlan.link.as_ref().filter(|_| vxlan.remote == Some(remote) || remote.is_multicast());
        let vrf = || vrf_of(of, vxlan.link.as_ref()?);
        let out_of = of.via(link.name.as_str(), remote).or_else(own).or_else(vrf).cloned();
        let from = vxlan.local.filter(|local| local.is_ipv4() == remote.is_ipv4());
        let plain = out_of.as_ref().is_none_or(|name| is_plain(name.as_str()));
        plain.then_some(Self { from, out_of, port: vxlan.port, remote })
    }

    /// The address that is asked about.
    #[must_use]
    pub fn remote(&self) -> IpAddr {
        self.remote
    }

    /// The words behind the address, each with a space before it. Those with the same ones are asked in one loop.
    #[must_use]
    pub fn conditions(&self) -> String {
        let from = self.from.map(|from| format!(" from {from}"));
        let out_of = self.out_of.as_ref().map(|device| format!(" oif {device}"));
        let port = self.port.map(|port| format!(" ipproto udp dport {port}"));
        [from, out_of, port].into_iter().flatten().collect()
    }
}

/// The VRF that a link stands in, itself or its master's; or that it is.
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

/// Whether a name is one word to any shell, and no option.
fn is_plain(name: &str) -> bool {
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
