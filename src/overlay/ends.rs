//! The vxlan interfaces that are read *now*.
//!
//! Readings come and go, and only addresses are remembered ([`Known`]). Everything in here is of the present: old
//! counters or settings are never used as if they were fresh.

use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
    rc::Rc,
    sync::Arc,
};

pub(super) use crate::overlay::known::Known;
use crate::{
    model::{
        picture::TunnelEnd,
        snapshot::{Link, RouterReading, RouterSnapshot, Vxlan},
        types::{Bytes, DfPolicy, RouterName, Vni},
        vnis::VniSet,
    },
    overlay::{arrivals::Arrivals, local::Local, routed, sends::Sends},
    vendor::Vyos,
    work,
};

/// One vxlan interface of a router that is read now.
#[derive(Debug, Clone)]
pub(super) struct EndView<'a> {
    pub(super) reading: &'a RouterReading,
    pub(super) snapshot: &'a RouterSnapshot,
    pub(super) link: &'a Link,
    pub(super) vxlan: &'a Vxlan,
    /// The device's own remote and those of its flood list.
    pub(super) remotes: Rc<BTreeSet<IpAddr>>,
    /// What its forwarding entries say, sorted.
    pub(super) sends: Rc<Sends<'a>>,
    /// What its router says beside.
    pub(super) local: Rc<Local>,
}

impl<'a> EndView<'a> {
    pub(super) fn end(&self) -> TunnelEnd {
        TunnelEnd { router: self.reading.router.clone(), interface: self.link.name.clone() }
    }

    /// The largest MTU among the ports of this end's bridge that are no tunnels, and that port.
    pub(super) fn widest_port(&self) -> Option<(&Link, Bytes)> {
        self.snapshot.widest_port(self.link.master.as_deref()?)
    }

    /// Whether the router routes into this end and bridges nothing: it stands alone or in a VRF.
    pub(super) fn is_routed(&self) -> bool {
        self.snapshot.is_routed(self.link)
    }

    /// Whether this end's MTU is below what a path needs, or below its bridge's other ports where no
    /// path tells what it needs.
    pub(super) fn too_small(&self, expected: Option<Bytes>) -> bool {
        let needed = expected.or_else(|| self.widest_port().map(|(_, mtu)| mtu));
        self.link.mtu.zip(needed).is_some_and(|(mtu, needed)| mtu < needed)
    }

    /// Whether a routing daemon fills it (EVPN): it has marked entries, or there is neither learning nor a remote of its own.
    pub(super) fn is_filled(&self) -> bool {
        let Vxlan { learning, remote, more_remotes, .. } = self.vxlan;
        self.sends.extern_learn || *learning == Some(false) && remote.is_none() && more_remotes.is_empty()
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
            (_, Some(expected)) if self.is_routed() => routed::small(&end, mtu, expected),
            (_, Some(expected)) => format!("{end} mtu {mtu} < the expected MTU {expected}"),
            _ => return None,
        })
    }

    /// Where the router runs a numbered VyOS, which.
    pub(super) fn vyos(&self) -> Option<Vyos> {
        Vyos::of(self.snapshot.version.as_deref()?)
    }

    /// Whether its router is not known to lack a command for the outer DF bit.
    pub(super) fn has_df_command(&self) -> bool {
        self.vyos().is_none_or(Vyos::has_df_command)
    }

    /// Whether it drops what it would have to send in fragments.
    pub(super) fn has_df_set(&self) -> bool {
        self.vxlan.df == Some(DfPolicy::Set)
    }

    /// That the bridge's own MTU is below this port's. Measured (6.18): what is bridged from port to port passes at the
    /// ports' MTU whatever the bridge's is; what the router itself sends into the bridge does not.
    pub(super) fn bridge_text(&self) -> Option<String> {
        let bridge = self.snapshot.link(self.snapshot.bridge_of(self.link)?.as_str())?;
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
    pub(super) fn taken(&self, vni: Vni) -> Option<&'a Link> {
        let carriers = self.local.carriers.get(&self.vxlan.port)?.of_vni(vni).iter();
        let mut links = carriers.filter_map(|place| self.snapshot.links.get(*place));
        links.find(|link| link.name != self.link.name)
    }

    /// The network identifiers it carries: its own, or those of its filter. An `external` device without a filter
    /// takes any and tells none.
    pub(super) fn vnis(&self) -> &VniSet {
        &self.sends.vnis
    }

    /// Whether one device carries many networks (`external`).
    pub(super) fn is_shared(&self) -> bool {
        self.vxlan.vni.is_none() && (self.vxlan.external || self.vxlan.vnis.len() > 1)
    }

    /// The remotes in words, for evidence.
    pub(super) fn remotes_text(&self) -> String {
        if self.remotes.is_empty() { "none".to_owned() } else { listed(self.remotes.iter(), ", ") }
    }
}

/// The first of these, and how many there are where that is not all.
pub(super) fn listed<T: ToString>(items: impl ExactSizeIterator<Item = T>, between: &str) -> String {
    const MOST: usize = 8;
    let more = items.len().saturating_sub(MOST);
    let mut words = items.take(MOST).map(|item| item.to_string()).collect::<Vec<_>>();
    if more > 0 {
        words.push(format!("and {more} more"));
    }
    words.join(between)
}

/// All that is read now, with the addresses known.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    pub(super) readings: BTreeMap<&'a RouterName, &'a RouterReading>,
    pub(super) ends: BTreeMap<TunnelEnd, EndView<'a>>,
    pub(super) known: &'a Known,
    /// The ends of each router, in order.
    by_router: BTreeMap<&'a RouterName, Vec<TunnelEnd>>,
    /// The routers with an interface in each multicast group.
    groups: HashMap<IpAddr, BTreeSet<&'a RouterName>>,
    arrivals: OnceCell<Arrivals>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(routers: &'a [Arc<RouterReading>], known: &'a Known) -> Self {
        let mut scene = Self {
            readings: BTreeMap::new(),
            ends: BTreeMap::new(),
            known,
            by_router: BTreeMap::new(),
            groups: HashMap::new(),
            arrivals: OnceCell::new(),
        };
        for reading in routers {
            scene.readings.insert(&reading.router, &**reading);
            let Some(snapshot) = &reading.current else { continue };
            let local = Rc::new(Local::new(snapshot));
            for (link, vxlan) in work::each(snapshot.vxlans()) {
                let sends = Rc::new(Sends::new(known, snapshot, link, vxlan));
                for group in &sends.groups {
                    scene.groups.entry(*group).or_default().insert(&reading.router);
                }
                let remotes = Rc::clone(&sends.remotes);
                let view =
                    EndView { reading, snapshot, link, vxlan, remotes, sends, local: Rc::clone(&local) };
                scene.ends.insert(view.end(), view);
            }
        }
        for (end, view) in &scene.ends {
            scene.by_router.entry(&view.reading.router).or_default().push(end.clone());
        }
        scene
    }

    /// The ends of a router.
    pub(super) fn ends_of(&self, router: &RouterName) -> &[TunnelEnd] {
        self.by_router.get(router).map_or(&[], Vec::as_slice)
    }

    /// Who sends to whom.
    pub(super) fn arrivals(&self) -> &Arrivals {
        self.arrivals.get_or_init(|| Arrivals::new(self))
    }

    /// The snapshot of a router, if it is read now.
    pub(super) fn snapshot(&self, router: &RouterName) -> Option<&'a RouterSnapshot> {
        self.readings.get(router).and_then(|reading| reading.current.as_deref())
    }

    /// `site-b not read: refused`, or that it has not been tried. What was tried stands with the router.
    pub(super) fn not_read(&self, router: &RouterName) -> Option<String> {
        let Some(reading) = self.readings.get(router) else {
            return Some(format!("{router} not read: it is not among the routers"));
        };
        match (&reading.current, &reading.failure) {
            (Some(_), _) => None,
            (None, Some(failure)) => Some(format!("{router} not read: {}", failure.reason)),
            (None, None) => Some(format!("{router} not read: no scrape has ended yet")),
        }
    }

    /// The routers at which what is sent to `remote` may arrive: those that own the address, or have joined the group.
    pub(super) fn receivers(&self, remote: IpAddr) -> BTreeSet<&RouterName> {
        let members = self.groups.get(&remote).into_iter().flatten().copied();
        work::each(self.known.owners(remote).chain(members)).collect()
    }

    /// The remote of `end` that is an address of `router`.
    pub(super) fn remote_to(&self, end: &TunnelEnd, router: &RouterName) -> Option<IpAddr> {
        work::step();
        self.ends.get(end)?.sends.routers.get(router).copied()
    }

    /// Whether `end` sends to the router of `other`. A multicast group that both have joined is a
    /// remote of each.
    pub(super) fn points(&self, end: &TunnelEnd, other: &TunnelEnd) -> bool {
        self.remote_to(end, &other.router).is_some() || self.shared_group(end, other).is_some()
    }

    /// The multicast group that both ends have joined.
    pub(super) fn shared_group(&self, a: &TunnelEnd, b: &TunnelEnd) -> Option<IpAddr> {
        let (a, b) = (&self.ends.get(a)?.sends.groups, &self.ends.get(b)?.sends.groups);
        let (few, many) = if a.len() <= b.len() { (a, b) } else { (b, a) };
        work::each(few).copied().find(|group| many.contains(group))
    }

    /// The VNIs that `end` floods to `router`; where its flood list names none, those it carries.
    pub(super) fn vnis_to(&self, end: &TunnelEnd, router: &RouterName) -> &VniSet {
        let Some(view) = self.ends.get(end) else { return VniSet::EMPTY };
        let flooded = view.sends.flooded.get(router).filter(|_| view.is_shared());
        flooded.unwrap_or_else(|| view.vnis())
    }
}
