//! The vxlan interfaces that are read *now*, and who owns which address.
//!
//! Readings come and go; addresses are remembered, because a router that cannot be read now still
//! owns its VTEP address. Everything else in here is of the present only: old counters or settings
//! are never used as if they were fresh.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::Arc,
};

use crate::{
    overlay::picture::TunnelEnd,
    router::snapshot::{FdbEntry, Link, RouterReading, RouterSnapshot, Vxlan},
    types::{Bytes, DfPolicy, Mac, RouterName, Site, Vni},
};

/// The addresses last seen on each router, and its site.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    addresses: BTreeMap<RouterName, BTreeSet<IpAddr>>,
    sites: BTreeMap<RouterName, Site>,
}

impl Known {
    pub(super) fn put_site(&mut self, router: &RouterName, site: &Site) {
        self.sites.insert(router.clone(), site.clone());
    }

    /// Forgets routers that are not among these.
    pub(super) fn keep(&mut self, routers: &BTreeSet<&RouterName>) {
        self.addresses.retain(|router, _| routers.contains(router));
        self.sites.retain(|router, _| routers.contains(router));
    }

    /// Takes a reading's addresses in place of the former ones; an unread router keeps them, and so does one
    /// read by a method that may not tell them all.
    pub(super) fn learn(&mut self, reading: &RouterReading) {
        self.put_site(&reading.router, &reading.site);
        let addresses = self.addresses.entry(reading.router.clone()).or_default();
        if let Some(snapshot) = &reading.current {
            let links = snapshot.links.iter().flat_map(|link| link.addresses.iter().copied());
            let locals = snapshot.vxlans().filter_map(|(_, vxlan)| vxlan.local);
            let told = links.chain(locals).filter(|address| !everywhere(*address));
            if snapshot.tells_all() {
                addresses.clear();
            }
            addresses.extend(told);
        }
        addresses.extend(&reading.extra_addresses);
    }

    pub(super) fn owns(&self, router: &RouterName, address: IpAddr) -> bool {
        self.addresses.get(router).is_some_and(|addresses| addresses.contains(&address))
    }

    /// Whether any address of this router is known at which another could reach it.
    pub(super) fn tells_addresses(&self, router: &RouterName) -> bool {
        let reachable = |address: &IpAddr| !matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local());
        self.addresses.get(router).is_some_and(|addresses| addresses.iter().any(reachable))
    }

    pub(super) fn owners(&self, address: IpAddr) -> impl Iterator<Item = &RouterName> {
        self.addresses.iter().filter(move |(_, set)| set.contains(&address)).map(|(router, _)| router)
    }

    pub(super) fn site(&self, router: &RouterName) -> Option<&Site> {
        self.sites.get(router)
    }
}

/// An address that every machine has names nobody.
fn everywhere(address: IpAddr) -> bool {
    address.is_loopback() || address.is_unspecified()
}

/// One vxlan interface of a router that is read now.
#[derive(Debug, Clone)]
pub(super) struct EndView<'a> {
    pub(super) reading: &'a RouterReading,
    pub(super) snapshot: &'a RouterSnapshot,
    pub(super) link: &'a Link,
    pub(super) vxlan: &'a Vxlan,
    /// The device's own remote and those of its flood list.
    pub(super) remotes: BTreeSet<IpAddr>,
}

impl EndView<'_> {
    pub(super) fn end(&self) -> TunnelEnd {
        TunnelEnd { router: self.reading.router.clone(), interface: self.link.name.clone() }
    }

    /// The largest MTU among the ports of this end's bridge that are no tunnels, and that port.
    pub(super) fn widest_port(&self) -> Option<(&Link, Bytes)> {
        let bridge = self.link.master.as_deref()?;
        self.snapshot
            .members(bridge)
            .filter(|member| !member.is_vxlan())
            .filter_map(|member| member.mtu.map(|mtu| (member, mtu)))
            .max_by_key(|(_, mtu)| *mtu)
    }

    /// Whether this end's MTU is below what a path needs, or below its bridge's other ports where no
    /// path tells what it needs.
    pub(super) fn too_small(&self, expected: Option<Bytes>) -> bool {
        let needed = expected.or_else(|| self.widest_port().map(|(_, mtu)| mtu));
        self.link.mtu.zip(needed).is_some_and(|(mtu, needed)| mtu < needed)
    }

    /// That this end is too small, in numbers.
    pub(super) fn too_small_text(&self, expected: Option<Bytes>) -> Option<String> {
        let mtu = self.link.mtu.filter(|_| self.too_small(expected))?;
        let end = self.end();
        Some(match (self.widest_port(), expected) {
            (Some((port, wide)), _) if wide > mtu => format!(
                "{end} mtu {mtu} < its bridge port {} mtu {wide}: the bridge drops larger frames silently",
                port.name
            ),
            (_, Some(expected)) => format!("{end} mtu {mtu} < the expected MTU {expected}"),
            _ => return None,
        })
    }

    /// Major and minor version, where the router runs a numbered VyOS; its rolling releases count as 1.5 or later.
    pub(super) fn vyos(&self) -> Option<(u32, u32)> {
        let version = self.snapshot.version.as_deref()?.strip_prefix("VyOS ")?;
        let mut numbers = version.split(['.', '-']).map(|number| number.parse().ok());
        Some((numbers.next()??, numbers.next().flatten().unwrap_or(0)))
    }

    /// Whether it is known to run a VyOS older than 1.4.
    pub(super) fn is_before_1_4(&self) -> bool {
        self.vyos().is_some_and(|version| version < (1, 4))
    }

    /// Whether it drops what it would have to send in fragments.
    pub(super) fn has_df_set(&self) -> bool {
        self.vxlan.df == Some(DfPolicy::Set)
    }

    /// That the bridge's own MTU is below this port's. Measured (6.18): what is bridged from port to port passes at the
    /// ports' MTU whatever the bridge's is; what the router itself sends into the bridge does not.
    pub(super) fn bridge_text(&self) -> Option<String> {
        let bridge = self.snapshot.link(self.link.master.as_deref()?)?;
        let (mtu, clamp) = self.link.mtu.zip(bridge.mtu)?;
        (clamp < mtu).then(|| {
            format!(
                "{}'s {} mtu {clamp} < its port {} mtu {mtu}: this limits what the router itself sends into the bridge, \
                 not what it bridges",
                self.reading.router, bridge.name, self.link.name
            )
        })
    }

    /// The other vxlan device of this router that already carries `vni` on this end's UDP port.
    pub(super) fn taken(&self, vni: Vni) -> Option<&Link> {
        let taken = |link: &Link, vxlan: &Vxlan| {
            let carries = vxlan.vni == Some(vni) || vxlan.vnis.contains(&vni);
            link.name != self.link.name && carries && vxlan.port == self.vxlan.port
        };
        self.snapshot.vxlans().find(|(link, vxlan)| taken(link, vxlan)).map(|(link, _)| link)
    }

    /// The network identifiers it carries: its own, or those of its filter. An `external` device without a filter
    /// takes any and tells none.
    pub(super) fn vnis(&self) -> BTreeSet<Vni> {
        self.vxlan.vni.into_iter().chain(self.vxlan.vnis.iter().copied()).collect()
    }

    /// Whether one device carries many networks (`external`).
    pub(super) fn is_shared(&self) -> bool {
        self.vxlan.vni.is_none() && (self.vxlan.external || self.vxlan.vnis.len() > 1)
    }

    /// Its forwarding entries; of one network those that name it or none.
    pub(super) fn entries(&self, vni: Option<Vni>) -> impl Iterator<Item = &FdbEntry> {
        let own = self.snapshot.fdb.iter().filter(|entry| entry.interface == self.link.name);
        own.filter(move |entry| vni.zip(entry.vni).is_none_or(|(asked, named)| asked == named))
    }

    /// The device's own remotes and those of its flood list, of one network or of all.
    pub(super) fn remotes_of(&self, vni: Option<Vni>) -> BTreeSet<IpAddr> {
        let own = self.vxlan.remote.iter().chain(&self.vxlan.more_remotes).copied();
        let flood = self.entries(vni).filter(|entry| entry.mac == Mac::FLOOD).filter_map(|entry| entry.dst);
        own.chain(flood).filter(|remote| !remote.is_unspecified()).collect()
    }

    /// The remotes in words, for evidence.
    pub(super) fn remotes_text(&self) -> String {
        if self.remotes.is_empty() {
            return "none".to_owned();
        }
        self.remotes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}

/// All that is read now, with the addresses known.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    pub(super) readings: BTreeMap<&'a RouterName, &'a RouterReading>,
    pub(super) ends: BTreeMap<TunnelEnd, EndView<'a>>,
    pub(super) known: &'a Known,
}

impl<'a> Scene<'a> {
    pub(super) fn new(routers: &'a [Arc<RouterReading>], known: &'a Known) -> Self {
        let mut readings = BTreeMap::new();
        let mut ends = BTreeMap::new();
        for reading in routers {
            readings.insert(&reading.router, &**reading);
            let Some(snapshot) = &reading.current else { continue };
            for (link, vxlan) in snapshot.vxlans() {
                let view = EndView { reading, snapshot, link, vxlan, remotes: BTreeSet::new() };
                ends.insert(view.end(), EndView { remotes: view.remotes_of(None), ..view });
            }
        }
        Self { readings, ends, known }
    }

    /// The snapshot of a router, if it is read now.
    pub(super) fn snapshot(&self, router: &RouterName) -> Option<&'a RouterSnapshot> {
        self.readings.get(router).and_then(|reading| reading.current.as_deref())
    }

    /// `site-b not read: refused: …`, or that it has not been tried.
    pub(super) fn not_read(&self, router: &RouterName) -> Option<String> {
        let Some(reading) = self.readings.get(router) else {
            return Some(format!("{router} not read: it is not among the routers"));
        };
        match (&reading.current, &reading.failure) {
            (Some(_), _) => None,
            (None, Some(failure)) => Some(format!("{router} not read: {failure}")),
            (None, None) => Some(format!("{router} not read: no scrape has ended yet")),
        }
    }

    /// Whether what is sent to `remote` may arrive at `router`: it owns the address, or has joined the group.
    pub(super) fn leads_to(&self, remote: IpAddr, router: &RouterName) -> bool {
        self.known.owns(router, remote) || self.members(remote).any(|member| member == router)
    }

    /// The routers at which what is sent to `remote` may arrive.
    pub(super) fn receivers(&self, remote: IpAddr) -> BTreeSet<&RouterName> {
        self.known.owners(remote).chain(self.members(remote)).collect()
    }

    /// The routers with an interface in a multicast group.
    fn members(&self, group: IpAddr) -> impl Iterator<Item = &RouterName> {
        let joined = move |view: &&EndView<'_>| group.is_multicast() && view.remotes.contains(&group);
        self.ends.values().filter(joined).map(|view| &view.reading.router)
    }

    /// The remote of `end` that is an address of `router`.
    pub(super) fn remote_to(&self, end: &TunnelEnd, router: &RouterName) -> Option<IpAddr> {
        let view = self.ends.get(end)?;
        view.remotes.iter().copied().find(|remote| self.known.owns(router, *remote))
    }

    /// Whether `end` sends to the router of `other`. A multicast group that both have joined is a
    /// remote of each.
    pub(super) fn points(&self, end: &TunnelEnd, other: &TunnelEnd) -> bool {
        self.remote_to(end, &other.router).is_some() || self.shared_group(end, other).is_some()
    }

    /// The multicast group that both ends have joined.
    pub(super) fn shared_group(&self, a: &TunnelEnd, b: &TunnelEnd) -> Option<IpAddr> {
        let (a, b) = (self.ends.get(a)?, self.ends.get(b)?);
        a.remotes.iter().copied().find(|remote| remote.is_multicast() && b.remotes.contains(remote))
    }

    /// The VNIs that `end` floods to `router`; where its flood list names none, those it carries.
    pub(super) fn vnis_to(&self, end: &TunnelEnd, router: &RouterName) -> BTreeSet<Vni> {
        let Some(view) = self.ends.get(end) else { return BTreeSet::new() };
        if !view.is_shared() {
            return view.vnis();
        }
        let to_router = |entry: &&FdbEntry| {
            entry.mac == Mac::FLOOD && entry.dst.is_some_and(|dst| self.known.owns(router, dst))
        };
        let flooded: BTreeSet<_> =
            view.entries(None).filter(to_router).filter_map(|entry| entry.vni).collect();
        if flooded.is_empty() { view.vnis() } else { flooded }
    }
}
