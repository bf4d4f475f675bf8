//! The devices that carry a router's tunnels.

use std::collections::BTreeSet;

use super::{Link, RouterSnapshot};
use crate::{model::types::LinkKind, work};

/// A VLAN on a VLAN on a bond is three; more is taken for a loop of names.
const MOST_PARENTS: usize = 8;

impl RouterSnapshot {
    /// The devices by which packets to remote VTEPs leave, each once, in name order: those of the
    /// routes, the links that these are on, and their VRFs.
    #[must_use]
    pub(crate) fn underlay_links(&self) -> Vec<&Link> {
        let mut names = BTreeSet::new();
        for route in work::each(self.routes.values()) {
            let mut next = Some(&route.dev);
            for _ in 0..MOST_PARENTS {
                let Some(link) = next.and_then(|name| self.link(name.as_str())) else { break };
                if !names.insert(&link.name) {
                    break;
                }
                let master = link.master.as_ref().and_then(|master| self.link(master.as_str()));
                names.extend(master.filter(|master| master.kind == Some(LinkKind::Vrf)).map(|vrf| &vrf.name));
                next = link.parent.as_ref();
            }
        }
        names.into_iter().filter_map(|name| self.link(name.as_str())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::overlay::fixture::{A, B, DC, TestRouter};

    fn names(router: &TestRouter) -> Vec<String> {
        let reading = router.read();
        let snapshot = reading.current.as_ref().unwrap();
        snapshot.underlay_links().iter().map(|link| link.name.to_string()).collect()
    }

    #[test]
    fn a_device_that_carries_many_routes_is_there_once_and_no_other_device_is() {
        let router = TestRouter::new("dc", "dc", DC).vxlan("vxlan01", 1, A).vxlan("vxlan02", 2, B);
        assert_eq!(names(&router), ["eth0"]);
    }

    #[test]
    fn a_tunnel_is_there_by_its_own_name_and_a_vlan_with_its_parent_and_vrf() {
        let mut router = TestRouter::new("dc", "dc", DC).vxlan("vxlan01", 1, A);
        let mut add = |name: &str, kind, parent: Option<&str>, master: Option<&str>| {
            let mut link = router.now.links[0].clone();
            (link.name, link.kind) = (name.into(), Some(kind));
            (link.parent, link.master) = (parent.map(Into::into), master.map(Into::into));
            router.now.links.push(link);
        };
        add("wg0", LinkKind::Wireguard, None, None);
        add("blue", LinkKind::Vrf, None, None);
        add("eth0.5", LinkKind::Vlan, Some("eth0"), Some("blue"));
        add("loop", LinkKind::Vlan, Some("loop"), None);
        let mut over = |device: &str| {
            router.routes.values_mut().for_each(|route| route.dev = device.into());
            names(&router)
        };
        assert_eq!(over("wg0"), ["wg0"]);
        assert_eq!(over("eth0.5"), ["blue", "eth0", "eth0.5"]);
        assert_eq!(over("loop"), ["loop"]);
        assert_eq!(over("gone"), [""; 0]);
    }
}
