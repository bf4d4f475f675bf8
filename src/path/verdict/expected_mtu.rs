//! The expected MTU: what hosts of our site can send, and what follows from it with the MSS of the target.

use std::sync::Arc;

use crate::{
    model::{
        snapshot::RouterReading,
        types::{Bytes, Site},
    },
    path::settings::HostMtu,
};

/// The largest size that is ever tested; a veth may have an MTU of 65535.
const LARGEST: Bytes = 9216;

/// Which sizes are expected and which can be tested, bytes of IP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// Expected by the configuration.
    pub configured: Option<Bytes>,
    /// What hosts of our site can send.
    pub hosts: Bytes,
    /// What our own interface lets out.
    pub testable: Bytes,
    /// What the MSS of the target's own SYN-ACK names.
    pub named: Option<Bytes>,
}

impl Sizes {
    /// Expected to the target: configured, else the smaller of what hosts of our site have and what the target names.
    #[must_use]
    pub(crate) fn expected(self) -> Bytes {
        self.configured.unwrap_or_else(|| self.named.map_or(self.hosts, |named| named.min(self.hosts)))
    }

    /// The largest size that can be tested: the expected MTU, or what our own interface lets out.
    #[must_use]
    pub(crate) fn ceiling(self) -> Bytes {
        self.expected().min(self.testable)
    }

    /// What we take ourselves: what our SYNs name to the target.
    #[must_use]
    pub(crate) fn own(self) -> Bytes {
        self.hosts.min(self.testable)
    }

    /// What the target's MSS names, where that is less than our own size.
    #[must_use]
    pub(crate) fn names_less(self) -> Option<Bytes> {
        self.named.filter(|named| self.configured.is_none() && *named < self.own())
    }

    /// The largest size that a reflector is asked for: its answers need no inference, whatever the MSS names.
    #[must_use]
    pub(crate) fn asked_of_reflector(self) -> Bytes {
        self.names_less().map_or(self.expected(), |_| self.expected().max(self.own()))
    }
}

/// Where a route of our own host has an MTU below that of the interface, as container networks set it, TCP sends no more
/// and names no more: larger packets are none of this host's.
#[must_use]
pub(crate) fn route_mtu(interface: &str, mtu: Bytes, interface_mtu: Bytes) -> HostMtu {
    let mtu = mtu.min(LARGEST);
    let rule = format!("our own host's route by {interface} has mtu {mtu}");
    HostMtu { testable: mtu, hosts: mtu, rule, pending: false, above: Some(interface_mtu.min(LARGEST)) }
}

/// The larger of our egress MTU and, where a router of our site is read, the MTU of the non-vxlan
/// ports of its bridges that carry a vxlan port.
#[must_use]
pub(crate) fn host_mtu(interface: &str, mtu: Bytes, site: &Site, routers: &[Arc<RouterReading>]) -> HostMtu {
    let ours = || routers.iter().filter(|router| router.site == *site);
    let pending = ours().any(|router| router.scrapes == 0);
    let mtu = mtu.min(LARGEST);
    let own =
        HostMtu { testable: mtu, hosts: mtu, rule: format!("our egress {interface}"), pending, above: None };
    ours()
        .filter_map(|router| Some((router, router.current.as_ref()?)))
        .flat_map(|(router, snapshot)| {
            let bridges = snapshot.vxlan_links().filter_map(|link| link.master.as_deref());
            bridges
                .flat_map(|bridge| snapshot.members(bridge))
                .filter(|link| link.vxlan.is_none())
                .filter_map(|link| Some((router.router.clone(), link.name.clone(), link.mtu?)))
                .collect::<Vec<_>>()
        })
        .fold(own, |best, (router, port, mtu)| {
            let mtu = mtu.min(LARGEST);
            if mtu <= best.hosts {
                return best;
            }
            HostMtu { hosts: mtu, rule: format!("router {router}'s bridge port {port}"), ..best }
        })
}
