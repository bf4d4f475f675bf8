//! The vxlan interfaces in the *present* readings.
//!
//! Readings come and go, and only addresses are remembered ([`Known`]). Everything in here is of
//! the present: old counters or settings are never used as if they were new.

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

/// One vxlan interface of a router with a present reading.
#[derive(Debug, Clone)]
pub(super) struct EndView<'a> {
    pub(super) reading: &'a RouterReading,
    pub(super) snapshot: &'a RouterSnapshot,
    pub(super) link: &'a Link,
    pub(super) vxlan: &'a Vxlan,
    /// The device's own remote and the remotes on its flood list.
    pub(super) remotes: Rc<BTreeSet<IpAddr>>,
    /// Where its settings and forwarding entries send to.
    pub(super) sends: Rc<Sends<'a>>,
    /// Data of its router that all its ends share.
    pub(super) local: Rc<Local>,
}

impl<'a> EndView<'a> {
    pub(super) fn end(&self) -> TunnelEnd {
        TunnelEnd { router: self.reading.router.clone(), interface: self.link.name.clone() }
    }

    /// The port of this end's bridge with the largest MTU, other than tunnels, and that MTU in
    /// bytes.
    pub(super) fn widest_port(&self) -> Option<(&Link, Bytes)> {
        self.snapshot.widest_port(self.link.master.as_deref()?)
    }

    /// Whether the router routes into this end instead of bridging: it has no master, or a VRF.
    pub(super) fn is_routed(&self) -> bool {
        self.snapshot.is_routed(self.link)
    }

    /// Whether this end's MTU is below what a path needs; if no path tells, whether it is below the
    /// other ports of its bridge.
    pub(super) fn too_small(&self, expected: Option<Bytes>) -> bool {
        let needed = expected.or_else(|| self.widest_port().map(|(_, mtu)| mtu));
        self.link.mtu.zip(needed).is_some_and(|(mtu, needed)| mtu < needed)
    }

    /// Whether a routing daemon configures it (EVPN): it has marked entries, or it neither learns
    /// nor has a remote of its own.
    pub(super) fn is_filled(&self) -> bool {
        let Vxlan { learning, remote, more_remotes, .. } = self.vxlan;
        self.sends.extern_learn || *learning == Some(false) && remote.is_none() && more_remotes.is_empty()
    }

    /// The sentence, with numbers, that this end is too small; `None` if it is not.
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

    /// The router's VyOS version, if it runs a numbered VyOS.
    pub(super) fn vyos(&self) -> Option<Vyos> {
        Vyos::of(self.snapshot.version.as_deref()?)
    }

    /// Whether its router is not known to lack a command for the outer DF bit.
    pub(super) fn has_df_command(&self) -> bool {
        self.vyos().is_none_or(Vyos::has_df_command)
    }

    /// Whether it drops packets that it would have to send in fragments.
    pub(super) fn has_df_set(&self) -> bool {
        self.vxlan.df == Some(DfPolicy::Set)
    }

    /// The sentence that the bridge's own MTU is below this port's. Measured (6.18): frames bridged
    /// from port to port pass at the ports' MTU whatever the bridge's is; packets that the router
    /// itself sends into the bridge do not.
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

    /// Another vxlan device of this router that already carries `vni` on this end's UDP port.
    pub(super) fn taken(&self, vni: Vni) -> Option<&'a Link> {
        let carriers = self.local.carriers.get(&self.vxlan.port)?.of_vni(vni).iter();
        let mut links = carriers.filter_map(|place| self.snapshot.links.get(*place));
        links.find(|link| link.name != self.link.name)
    }

    /// The VNIs it carries: its own, or those of its filter. An `external` device without a filter
    /// accepts any, and the set is empty.
    pub(super) fn vnis(&self) -> &VniSet {
        &self.sends.vnis
    }

    /// Whether one device carries many networks (`external`).
    pub(super) fn is_shared(&self) -> bool {
        self.vxlan.vni.is_none() && (self.vxlan.external || self.vxlan.vnis.len() > 1)
    }

    /// The remotes as text for evidence.
    pub(super) fn remotes_text(&self) -> String {
        if self.remotes.is_empty() { "none".to_owned() } else { listed(self.remotes.iter(), ", ") }
    }
}

/// The first items of a list as text, with the total if not all are shown.
pub(super) fn listed<T: ToString>(items: impl ExactSizeIterator<Item = T>, between: &str) -> String {
    const MOST: usize = 8;
    let more = items.len().saturating_sub(MOST);
    let mut words = items.take(MOST).map(|item| item.to_string()).collect::<Vec<_>>();
    if more > 0 {
        words.push(format!("and {more} more"));
    }
    words.join(between)
}

/// Everything in the present readings, with the addresses known.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    pub(super) readings: BTreeMap<&'a RouterName, &'a RouterReading>,
    pub(super) ends: BTreeMap<TunnelEnd, EndView<'a>>,
    pub(super) known: &'a Known,
    /// The ends of each router, in name order.
    by_router: BTreeMap<&'a RouterName, Vec<TunnelEnd>>,
    /// The routers that have an interface in each multicast group.
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

    /// Which ends send to which router.
    pub(super) fn arrivals(&self) -> &Arrivals {
        self.arrivals.get_or_init(|| Arrivals::new(self))
    }

    /// The present snapshot of a router, if there is one.
    pub(super) fn snapshot(&self, router: &RouterName) -> Option<&'a RouterSnapshot> {
        self.readings.get(router).and_then(|reading| reading.current.as_deref())
    }

    /// `site-b not read: refused`, or that the router has not been tried. `None` if there is a
    /// present reading.
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

    /// The routers that packets to `remote` may reach: those that own the address, or have joined
    /// the group.
    pub(super) fn receivers(&self, remote: IpAddr) -> BTreeSet<&RouterName> {
        let members = self.groups.get(&remote).into_iter().flatten().copied();
        work::each(self.known.owners(remote).chain(members)).collect()
    }

    /// The remote of `end` that is an address of `router`.
    pub(super) fn remote_to(&self, end: &TunnelEnd, router: &RouterName) -> Option<IpAddr> {
        work::step();
        self.ends.get(end)?.sends.routers.get(router).copied()
    }

    /// Whether `end` sends to the router of `other`. A multicast group that both have joined counts
    /// as a remote of each.
    pub(super) fn points(&self, end: &TunnelEnd, other: &TunnelEnd) -> bool {
        self.remote_to(end, &other.router).is_some() || self.shared_group(end, other).is_some()
    }

    /// The multicast group that both ends have joined.
    pub(super) fn shared_group(&self, a: &TunnelEnd, b: &TunnelEnd) -> Option<IpAddr> {
        let (a, b) = (&self.ends.get(a)?.sends.groups, &self.ends.get(b)?.sends.groups);
        let (few, many) = if a.len() <= b.len() { (a, b) } else { (b, a) };
        work::each(few).copied().find(|group| many.contains(group))
    }

    /// The VNIs that `end` floods to `router`; if its flood list names none, the VNIs it carries.
    pub(super) fn vnis_to(&self, end: &TunnelEnd, router: &RouterName) -> &VniSet {
        let Some(view) = self.ends.get(end) else { return VniSet::EMPTY };
        let flooded = view.sends.flooded.get(router).filter(|_| view.is_shared());
        flooded.unwrap_or_else(|| view.vnis())
    }
}
