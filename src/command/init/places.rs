//! What the readings of the routers say together, pure: VTEPs that no known router has, and the
//! hosts behind each site.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use crate::{
    model::types::{InterfaceName, Mac},
    router::{
        parse::neigh::{Neighbour, is_unicast},
        survey::Survey,
    },
};

/// Most VTEPs without a known router that are spoken of: each is a question.
pub(super) const MOST_FAR_ENDS: usize = 32;

/// A router that was read.
#[derive(Debug)]
pub(super) struct ReadRouter {
    /// Its name, and that of its site.
    pub name: String,
    /// VTEP addresses that it does not show, beyond a NAT.
    pub addresses: Vec<IpAddr>,
    pub survey: Survey,
}

/// A VTEP, and an interface that sends to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FarEnd {
    pub router: String,
    pub interface: InterfaceName,
    pub remote: IpAddr,
}

impl ReadRouter {
    /// Whether it has that address.
    pub(super) fn has(&self, address: IpAddr) -> bool {
        let mut own = self.survey.snapshot.links.iter().flat_map(|link| &link.addresses);
        self.addresses.contains(&address) || own.any(|own| *own == address)
    }

    /// Each VTEP that it sends to, with the interface.
    pub(super) fn remotes(&self) -> BTreeMap<IpAddr, InterfaceName> {
        let snapshot = &self.survey.snapshot;
        let set = snapshot.vxlans().flat_map(|(link, vxlan)| {
            let remotes = vxlan.remote.iter().chain(&vxlan.more_remotes);
            remotes.map(|remote| (*remote, link.name.clone())).collect::<Vec<_>>()
        });
        let learned = snapshot.fdb.iter().filter_map(|entry| Some((entry.dst?, entry.interface.clone())));
        set.chain(learned).filter(|(remote, _)| !remote.is_multicast() && !remote.is_unspecified()).collect()
    }
}

/// The name of the router that has an address.
fn owner(routers: &[ReadRouter], address: IpAddr) -> Option<&str> {
    routers.iter().find(|router| router.has(address)).map(|router| router.name.as_str())
}

/// VTEPs that these routers send to and none of them has, each once.
pub(super) fn far_ends(routers: &[ReadRouter]) -> Vec<FarEnd> {
    let mut seen = BTreeSet::new();
    let all = routers.iter().flat_map(|router| router.remotes().into_iter().map(move |far| (router, far)));
    let unknown = all.filter(|(_, (remote, _))| owner(routers, *remote).is_none());
    let far = unknown
        .filter(|(_, (remote, _))| seen.insert(*remote))
        .map(|(router, (remote, interface))| FarEnd { router: router.name.clone(), interface, remote });
    far.take(MOST_FAR_ENDS).collect()
}

/// Addresses of hosts by site, other than this machine's: a router's name, or the VTEP's address
/// where no router is known. A site without a host is in it too.
///
/// A frame of a host behind a third site may come through the second, so where several routers
/// place a host differently, the VTEP counts whose own router does not send it on.
pub(super) fn hosts_by_site(
    routers: &[ReadRouter],
    own_site: &str,
    own_neighbours: &[Neighbour],
) -> BTreeMap<String, Vec<IpAddr>> {
    let mut sites: BTreeMap<String, Vec<IpAddr>> = BTreeMap::new();
    let named = routers.iter().map(|router| router.name.clone());
    let unnamed = far_ends(routers).into_iter().map(|far| far.remote.to_string());
    for site in named.chain(unnamed).filter(|site| site != own_site) {
        sites.entry(site).or_default();
    }
    let addresses = addresses(routers, own_neighbours);
    for (mac, readers) in behind_vteps(routers) {
        let Some(address) = addresses.get(&mac) else { continue };
        let Some(site) = site_of(routers, &readers) else { continue };
        if let Some(hosts) = sites.get_mut(&site) {
            hosts.push(*address);
        }
    }
    for hosts in sites.values_mut() {
        hosts.sort_unstable();
        hosts.dedup();
    }
    sites
}

/// For each MAC behind a VTEP, the routers that say so and the VTEPs.
fn behind_vteps(routers: &[ReadRouter]) -> BTreeMap<Mac, Vec<(&str, IpAddr)>> {
    let mut macs: BTreeMap<Mac, Vec<(&str, IpAddr)>> = BTreeMap::new();
    for router in routers {
        for entry in router.survey.snapshot.fdb.iter().filter(|entry| is_unicast(entry.mac)) {
            if let Some(remote) = entry.dst {
                macs.entry(entry.mac).or_default().push((&router.name, remote));
            }
        }
    }
    macs
}

fn site_of(routers: &[ReadRouter], readers: &[(&str, IpAddr)]) -> Option<String> {
    let sends_on = |name: &str| readers.iter().any(|(reader, _)| *reader == name);
    let owned = readers.iter().filter_map(|(_, remote)| owner(routers, *remote)).find(|name| !sends_on(name));
    let unowned = || readers.iter().find(|(_, remote)| owner(routers, *remote).is_none());
    owned.map(str::to_owned).or_else(|| unowned().map(|(_, remote)| remote.to_string()))
}

/// One address of each MAC, IPv4 before IPv6, but none of a router.
fn addresses(routers: &[ReadRouter], own: &[Neighbour]) -> BTreeMap<Mac, IpAddr> {
    let mut addresses: BTreeMap<Mac, IpAddr> = BTreeMap::new();
    for neighbour in routers.iter().flat_map(|router| &router.survey.neighbours).chain(own) {
        if owner(routers, neighbour.address).is_some() {
            continue;
        }
        let kept = addresses.entry(neighbour.mac).or_insert(neighbour.address);
        // IPv4 addresses sort before those of IPv6.
        *kept = neighbour.address.min(*kept);
    }
    addresses
}

/// As many hosts as may be asked, of each site in turn.
pub(super) fn few(sites: &BTreeMap<String, Vec<IpAddr>>, most: usize) -> Vec<(String, IpAddr)> {
    let longest = sites.values().map(Vec::len).max().unwrap_or(0);
    let turns = (0..longest.min(most)).flat_map(|turn| {
        sites.iter().filter_map(move |(site, hosts)| Some((site.clone(), *hosts.get(turn)?)))
    });
    let mut few: Vec<_> = turns.take(most).collect();
    few.sort();
    few
}

#[cfg(test)]
mod tests;
