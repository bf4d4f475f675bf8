//! Data of a router that all its ends share, indexed once.

use std::collections::{BTreeMap, HashSet};

use crate::{
    language::{Said, say},
    model::{
        snapshot::{Link, RouterSnapshot},
        types::{Mac, OperState},
        vnis::VniSet,
    },
    overlay::carriers::Carriers,
    text::listed,
    work,
};

/// What all ends of one router share.
#[derive(Debug)]
pub(super) struct RouterIndex {
    /// Positions of the vxlan devices among the links, by UDP port and VNI.
    pub(super) carriers: BTreeMap<Option<u16>, Carriers<usize>>,
    /// The MAC addresses of its own links.
    pub(super) macs: HashSet<Mac>,
    /// `; down there: …`: its own links that have an address but are down, which may be why a route
    /// is missing.
    pub(super) down: Said,
}

impl RouterIndex {
    pub(super) fn new(snapshot: &RouterSnapshot) -> Self {
        let mut devices: BTreeMap<Option<u16>, Vec<(usize, VniSet)>> = BTreeMap::new();
        for (place, link) in work::each(snapshot.links.iter().enumerate()) {
            if let Some(vxlan) = &link.vxlan {
                let own = vxlan.vni.map(|vni| (vni.0, vni.0));
                let vnis = VniSet::of_ranges(own.into_iter().chain(vxlan.vnis.ranges()));
                devices.entry(vxlan.port).or_default().push((place, vnis));
            }
        }
        let of =
            |devices: Vec<(usize, VniSet)>| Carriers::of(devices.iter().map(|(place, vnis)| (*place, vnis)));
        let down: Vec<_> =
            snapshot.links.iter().filter(|link| is_down(snapshot, link)).map(|link| &link.name).collect();
        Self {
            carriers: devices.into_iter().map(|(port, devices)| (port, of(devices))).collect(),
            macs: snapshot.links.iter().filter_map(|link| link.mac).collect(),
            down: if down.is_empty() {
                Said::nothing()
            } else {
                say!("; down there: {links}", links => listed(down.into_iter()))
            },
        }
    }
}

fn is_down(snapshot: &RouterSnapshot, link: &Link) -> bool {
    let down = link.admin_up == Some(false) || link.oper_state == Some(OperState::Down);
    down && link.vxlan.is_none() && snapshot.bridge_of(link).is_none() && !link.addresses.is_empty()
}
