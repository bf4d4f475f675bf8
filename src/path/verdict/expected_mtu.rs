//! The expected MTU, from what hosts of our site can send and from the target's MSS.

use std::sync::Arc;

use crate::{
    language::say,
    model::{
        snapshot::RouterReading,
        types::{Bytes, Site},
    },
    path::settings::HostMtu,
};

/// The largest size ever tested, in bytes of IP packet; a veth may have an MTU of 65535.
const LARGEST: Bytes = 9216;

/// Expected and testable sizes, in bytes of IP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MtuBounds {
    /// Set by the configuration.
    pub configured: Option<Bytes>,
    /// The largest packet that hosts of our site can send.
    pub hosts: Bytes,
    /// The largest packet that our own interface can send.
    pub testable: Bytes,
    /// The MTU that follows from the MSS in the target's own SYN-ACK.
    pub named: Option<Bytes>,
}

impl MtuBounds {
    /// The expected MTU to the target: the configured one, else the smaller of `hosts` and `named`.
    #[must_use]
    pub(crate) fn expected(self) -> Bytes {
        self.configured.unwrap_or_else(|| self.named.map_or(self.hosts, |named| named.min(self.hosts)))
    }

    /// The largest size that can be tested: the expected MTU, limited by our own interface.
    #[must_use]
    pub(crate) fn ceiling(self) -> Bytes {
        self.expected().min(self.testable)
    }

    /// The largest packet we can receive, which our SYNs announce to the target as MSS.
    #[must_use]
    pub(crate) fn own(self) -> Bytes {
        self.hosts.min(self.testable)
    }

    /// The MTU that the target's MSS announces, if it is below our own size and none is configured.
    #[must_use]
    pub(crate) fn names_less(self) -> Option<Bytes> {
        self.named.filter(|named| self.configured.is_none() && *named < self.own())
    }

    /// The largest size requested from a reflector. A reflector's answers need no inference, so
    /// this ignores the limit of the target's MSS.
    #[must_use]
    pub(crate) fn asked_of_reflector(self) -> Bytes {
        self.names_less().map_or(self.expected(), |_| self.expected().max(self.own()))
    }
}

/// The host MTU where a route on our own host has an MTU below that of its interface, as container
/// networks set it. TCP then neither sends nor announces more, so larger packets do not concern
/// this host.
#[must_use]
pub(crate) fn route_mtu(interface: &str, mtu: Bytes, interface_mtu: Bytes) -> HostMtu {
    let mtu = mtu.min(LARGEST);
    let rule = say!("our own host's route by {interface} has mtu {mtu}", interface, mtu);
    HostMtu { testable: mtu, hosts: mtu, rule, pending: false, above: Some(interface_mtu.min(LARGEST)) }
}

/// The host MTU: our egress MTU or, if larger, the MTU of a bridge port on a router of our site.
/// Only non-vxlan ports of bridges that carry a vxlan port count.
#[must_use]
pub(crate) fn host_mtu(interface: &str, mtu: Bytes, site: &Site, routers: &[Arc<RouterReading>]) -> HostMtu {
    let ours = || routers.iter().filter(|router| router.site == *site);
    let pending = ours().any(|router| router.scrapes == 0);
    let mtu = mtu.min(LARGEST);
    let own = HostMtu {
        testable: mtu,
        hosts: mtu,
        rule: say!("our egress {interface}", interface),
        pending,
        above: None,
    };
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
            HostMtu { hosts: mtu, rule: say!("router {router}'s bridge port {port}", router, port), ..best }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_router_of_our_site_that_is_not_read_yet_may_have_more() {
        let pending = |site: &str, scrapes: u64| {
            let reading = RouterReading::new("edge".into(), site.into(), Vec::new());
            let routers = [Arc::new(RouterReading { scrapes, ..reading })];
            host_mtu("eth0", 1500, &"site-a".into(), &routers).pending
        };
        assert!(pending("site-a", 0));
        assert!(!pending("site-a", 1), "it has been tried");
        assert!(!pending("site-b", 0), "it is not of our site");
    }
}
