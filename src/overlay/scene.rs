//! All vxlan interfaces in the *present* readings, and which sends to which. Of earlier readings
//! only addresses are remembered ([`AddressBook`]).

use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
    rc::Rc,
    sync::Arc,
};

use crate::{
    language::{Said, say},
    model::{
        picture::TunnelEnd,
        snapshot::{RouterReading, RouterSnapshot},
        types::RouterName,
        vnis::VniSet,
    },
    overlay::{
        address_book::AddressBook, arrivals::Arrivals, end_view::EndView, router_index::RouterIndex,
        sends::Sends,
    },
    work,
};

/// Everything in the present readings, with the addresses known.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    pub(super) readings: BTreeMap<&'a RouterName, &'a RouterReading>,
    pub(super) ends: BTreeMap<TunnelEnd, EndView<'a>>,
    pub(super) known: &'a AddressBook,
    /// The ends of each router, in name order.
    by_router: BTreeMap<&'a RouterName, Vec<TunnelEnd>>,
    /// The routers that have an interface in each multicast group.
    groups: HashMap<IpAddr, BTreeSet<&'a RouterName>>,
    arrivals: OnceCell<Arrivals>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(routers: &'a [Arc<RouterReading>], known: &'a AddressBook) -> Self {
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
            let local = Rc::new(RouterIndex::new(snapshot));
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
        self.arrivals.get_or_init(|| Arrivals::new(&self.ends, self.known))
    }

    /// The present snapshot of a router, if there is one.
    pub(super) fn snapshot(&self, router: &RouterName) -> Option<&'a RouterSnapshot> {
        self.readings.get(router).and_then(|reading| reading.current.as_deref())
    }

    /// `site-b not read: refused`, or that the router has not been tried. `None` if there is a
    /// present reading.
    pub(super) fn not_read(&self, router: &RouterName) -> Option<Said> {
        let Some(reading) = self.readings.get(router) else {
            return Some(say!("{router} not read: it is not among the routers", router));
        };
        match (&reading.current, &reading.failure) {
            (Some(_), _) => None,
            (None, Some(failure)) => {
                Some(say!("{router} not read: {reason}", router, reason => failure.reason.said()))
            }
            (None, None) => Some(say!("{router} not read: no scrape has ended yet", router)),
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
