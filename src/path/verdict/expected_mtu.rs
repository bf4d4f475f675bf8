//! What hosts of our site can send: half of the expected MTU.

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

/// Where a route of our own host has an MTU below that of the interface, as container networks set it, TCP sends no more
/// and names no more: larger packets are none of this host's.
#[must_use]
pub fn route_mtu(interface: &str, mtu: Bytes, interface_mtu: Bytes) -> HostMtu {
    let mtu = mtu.min(LARGEST);
    let rule = format!("our own host's route by {interface} has mtu {mtu}");
    HostMtu { testable: mtu, hosts: mtu, rule, pending: false, above: Some(interface_mtu.min(LARGEST)) }
}

/// The larger of our egress MTU and, where a router of our site is read, the MTU of the non-vxlan
/// ports of its bridges that carry a vxlan port.
#[must_use]
pub fn host_mtu(interface: &str, mtu: Bytes, site: &Site, routers: &[Arc<RouterReading>]) -> HostMtu {
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
