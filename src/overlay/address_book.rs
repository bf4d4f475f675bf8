//! Which router owns which address. Remembered, because a router that cannot be read at present
//! still owns its VTEP address.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
    sync::{Arc, Weak},
};

use crate::{
    model::{
        snapshot::{RouterReading, RouterSnapshot},
        types::{RouterName, Site},
    },
    work,
};

/// Most addresses kept of a router whose readings do not list all of them; those seen last stay.
const MOST_ADDRESSES: usize = 4096;

/// The addresses last seen on each router, and its site.
#[derive(Debug, Clone, Default)]
pub(super) struct AddressBook {
    routers: BTreeMap<RouterName, Addresses>,
    owners: HashMap<IpAddr, BTreeSet<RouterName>>,
    sites: BTreeMap<RouterName, Site>,
}

#[derive(Debug, Clone, Default)]
struct Addresses {
    /// Each address with the number of the reading that last contained it.
    seen: BTreeMap<IpAddr, u64>,
    readings: u64,
    /// The reading learned last, so that each is learned once.
    last: Weak<RouterSnapshot>,
    extra: Vec<IpAddr>,
    /// Whether another router could reach it at one of these addresses.
    reachable: bool,
}

impl AddressBook {
    pub(super) fn put_site(&mut self, router: &RouterName, site: &Site) {
        self.sites.insert(router.clone(), site.clone());
    }

    /// Forgets routers that are not among these.
    pub(super) fn keep(&mut self, routers: &BTreeSet<&RouterName>) {
        let gone: Vec<_> = self.routers.keys().filter(|router| !routers.contains(router)).cloned().collect();
        for router in gone {
            let addresses = self.routers.remove(&router).unwrap_or_default();
            self.disown(&router, addresses.seen.keys());
        }
        self.sites.retain(|router, _| routers.contains(router));
    }

    /// Replaces the addresses of a router by those of a reading. A router that was not read keeps
    /// its addresses; for a method that may not list all addresses, new ones are added to the old.
    pub(super) fn learn(&mut self, reading: &RouterReading) {
        if self.sites.get(&reading.router) != Some(&reading.site) {
            self.put_site(&reading.router, &reading.site);
        }
        let mut known = self.routers.remove(&reading.router).unwrap_or_default();
        let news = reading.current.as_ref().filter(|current| known.last.as_ptr() != Arc::as_ptr(current));
        if news.is_some() || known.extra != reading.extra_addresses {
            let former: Vec<_> = known.seen.keys().copied().collect();
            known.learn(reading, news);
            self.disown(&reading.router, former.iter().filter(|address| !known.seen.contains_key(address)));
            for address in work::each(known.seen.keys()) {
                self.owners.entry(*address).or_default().insert(reading.router.clone());
            }
        }
        self.routers.insert(reading.router.clone(), known);
    }

    fn disown<'a>(&mut self, router: &RouterName, addresses: impl Iterator<Item = &'a IpAddr>) {
        for address in work::each(addresses) {
            if let Some(owners) = self.owners.get_mut(address) {
                owners.remove(router);
                if owners.is_empty() {
                    self.owners.remove(address);
                }
            }
        }
    }

    pub(super) fn owns(&self, router: &RouterName, address: IpAddr) -> bool {
        work::step();
        self.owners.get(&address).is_some_and(|owners| owners.contains(router))
    }

    /// Whether any address of this router is known that other routers could reach.
    pub(super) fn tells_addresses(&self, router: &RouterName) -> bool {
        self.routers.get(router).is_some_and(|known| known.reachable)
    }

    pub(super) fn owners(&self, address: IpAddr) -> impl Iterator<Item = &RouterName> {
        work::each(self.owners.get(&address).into_iter().flatten())
    }

    pub(super) fn site(&self, router: &RouterName) -> Option<&Site> {
        self.sites.get(router)
    }
}

impl Addresses {
    fn learn(&mut self, reading: &RouterReading, news: Option<&Arc<RouterSnapshot>>) {
        self.readings += 1;
        if let Some(snapshot) = news {
            self.last = Arc::downgrade(snapshot);
            if snapshot.tells_all() {
                self.seen.clear();
            }
            let links = snapshot.links.iter().flat_map(|link| link.addresses.iter().copied());
            let locals = snapshot.vxlans().filter_map(|(_, vxlan)| vxlan.local);
            let told = links.chain(locals).filter(|address| !everywhere(*address));
            self.seen.extend(work::each(told).map(|address| (address, self.readings)));
        }
        self.seen.extend(reading.extra_addresses.iter().map(|address| (*address, u64::MAX)));
        self.extra.clone_from(&reading.extra_addresses);
        if self.seen.len() > MOST_ADDRESSES {
            // All addresses of one reading stay even if they exceed the limit, as all of them are
            // present.
            let mut ages: Vec<_> = self.seen.values().copied().collect();
            ages.sort_unstable();
            let oldest = ages[ages.len() - MOST_ADDRESSES].min(self.readings);
            self.seen.retain(|_, reading| *reading >= oldest);
        }
        let on_a_link = |address: &IpAddr| matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local());
        self.reachable = self.seen.keys().any(|address| !on_a_link(address));
    }
}

/// Whether every machine has this address, so that it identifies none.
fn everywhere(address: IpAddr) -> bool {
    address.is_loopback() || address.is_unspecified()
}
