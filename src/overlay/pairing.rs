//! Which two vxlan interfaces are one tunnel.
//!
//! The remotes decide, not the VNI: the commonest slip is a VNI that differs at one end, and a tunnel
//! with that slip must still be seen as one tunnel. The VNI and the UDP port only tell parallel
//! tunnels between the same two routers apart. In order: mutual remotes; a pair once seen; a one-way
//! remote with the same VNI and port, unique on both sides; a pair declared by hand. One device may be
//! an end of several tunnels only if it has several remotes, a group of them, or several networks.
//!
//! Every rule gives the same answer when it is asked again with the same readings and with the pairs
//! of its former answer remembered.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use crate::{
    overlay::{ends::Scene, picture::TunnelEnd},
    types::{RouterName, Vni},
};

/// Two ends in name order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pair(pub(super) TunnelEnd, pub(super) TunnelEnd);

impl Pair {
    pub(super) fn new(a: TunnelEnd, b: TunnelEnd) -> Self {
        if a <= b { Self(a, b) } else { Self(b, a) }
    }

    pub(super) fn name(&self) -> String {
        format!("{}~{}", self.0, self.1)
    }

    /// The other end, if `end` is one of the two.
    pub(super) fn other(&self, end: &TunnelEnd) -> Option<&TunnelEnd> {
        if *end == self.0 {
            Some(&self.1)
        } else if *end == self.1 {
            Some(&self.0)
        } else {
            None
        }
    }
}

/// One end and one of its remotes, of which no other end is known, or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Single {
    pub(super) end: TunnelEnd,
    pub(super) remote: IpAddr,
    /// The ends that fit equally well; empty for a half.
    pub(super) candidates: BTreeSet<TunnelEnd>,
}

/// All pairs, and what is left over.
#[derive(Debug, Default)]
pub(super) struct Pairing {
    pub(super) pairs: BTreeSet<Pair>,
    pub(super) singles: Vec<Single>,
}

type Ends = BTreeSet<TunnelEnd>;

/// An end, its remote, and an end there that would fit.
struct Suitor {
    end: TunnelEnd,
    remote: IpAddr,
    to: TunnelEnd,
}

struct Pairer<'s, 'a> {
    scene: &'s Scene<'a>,
    remembered: &'s BTreeSet<Pair>,
    declared: &'s [Pair],
    pairs: BTreeSet<Pair>,
    /// Ends that fit an end, though not uniquely.
    candidates: BTreeMap<TunnelEnd, Ends>,
}

/// Pairs the ends of `scene`.
pub(super) fn pair(scene: &Scene<'_>, declared: &[Pair], remembered: &BTreeSet<Pair>) -> Pairing {
    let mut pairer =
        Pairer { scene, remembered, declared, pairs: BTreeSet::new(), candidates: BTreeMap::new() };
    pairer.mutual();
    pairer.shared_addresses();
    let suitors = pairer.suitors();
    pairer.keep_remembered();
    pairer.one_way(&suitors);
    pairer.by_hand();
    let singles = pairer.singles();
    Pairing { pairs: pairer.pairs, singles }
}

impl Pairer<'_, '_> {
    /// For each router the ends that send to it, by the router they are on and the group by which they do so.
    fn senders(&self) -> BTreeMap<(&RouterName, &RouterName, Option<IpAddr>), Ends> {
        let mut senders: BTreeMap<_, Ends> = BTreeMap::new();
        for (end, view) in &self.scene.ends {
            for remote in &view.remotes {
                let group = remote.is_multicast().then_some(*remote);
                for receiver in self.scene.receivers(*remote) {
                    if *receiver != end.router {
                        senders.entry((&end.router, receiver, group)).or_default().insert(end.clone());
                    }
                }
            }
        }
        senders
    }

    fn mutual(&mut self) {
        let mut groups = Vec::new();
        let senders = self.senders();
        for ((from, to, group), there) in &senders {
            if let Some(back) = senders.get(&(*to, *from, *group)).filter(|_| from < to) {
                groups.push((there.clone(), back.clone()));
            }
        }
        // An end that sends to a router in two ways (its address, a group) stands in two groups: what one of them tells
        // helps the other.
        loop {
            let known = self.pairs.len();
            self.candidates.clear();
            for (there, back) in &groups {
                self.match_group(there.clone(), back.clone());
            }
            if self.pairs.len() == known {
                return;
            }
        }
    }

    /// Pairs ends of two routers that all send to each other's router.
    fn match_group(&mut self, mut there: Ends, mut back: Ends) {
        self.shared_devices(&mut there, &mut back);
        let same_setting = there
            .iter()
            .filter_map(|a| {
                let fits = |b: &&TunnelEnd| self.setting(a).is_some() && self.setting(a) == self.setting(b);
                let b = only(back.iter().filter(fits))?;
                only(there.iter().filter(|other| self.setting(other) == self.setting(b)))?;
                Some(Pair::new(a.clone(), b.clone()))
            })
            .collect::<Vec<_>>();
        self.take(same_setting, &mut there, &mut back);
        let known = self.remembered.iter().chain(self.declared).chain(&self.pairs);
        self.take(known.cloned().collect(), &mut there, &mut back);
        if let (Some(a), Some(b)) = (only(there.iter()), only(back.iter())) {
            self.pairs.insert(Pair::new(a.clone(), b.clone()));
            return;
        }
        for (side, other) in [(&there, &back), (&back, &there)] {
            for end in side {
                self.candidates.entry(end.clone()).or_default().extend(other.iter().cloned());
            }
        }
    }

    /// Takes those pairs that lie across, and their ends out of both sides.
    fn take(&mut self, mut pairs: Vec<Pair>, there: &mut Ends, back: &mut Ends) {
        pairs.retain(|Pair(a, b)| {
            (there.contains(a) && back.contains(b)) || (there.contains(b) && back.contains(a))
        });
        for pair in pairs {
            for side in [&mut *there, &mut *back] {
                side.remove(&pair.0);
                side.remove(&pair.1);
            }
            self.pairs.insert(pair);
        }
    }

    /// One device that carries many networks is an end of several tunnels: to each device at the other router that
    /// carries one of them.
    fn shared_devices(&mut self, there: &mut Ends, back: &mut Ends) {
        let carries = |many: &TunnelEnd, one: &TunnelEnd| {
            let (Some(many), Some(single)) = (self.scene.ends.get(many), self.scene.ends.get(one)) else {
                return false;
            };
            let vni = single.vxlan.vni.filter(|_| many.is_shared());
            vni.is_some_and(|vni| many.vnis().contains(&vni)) && many.vxlan.port == single.vxlan.port
        };
        let mut found = Vec::new();
        for (manies, ones) in [(&*there, &*back), (&*back, &*there)] {
            for many in manies {
                found.extend(
                    ones.iter()
                        .filter(|one| carries(many, one))
                        .map(|one| Pair::new(many.clone(), one.clone())),
                );
            }
        }
        self.take(found, there, back);
    }

    /// VNIs and UDP port: unique on one router, so equal settings cannot be two tunnels.
    fn setting(&self, end: &TunnelEnd) -> Option<(BTreeSet<Vni>, Option<u16>)> {
        let view = self.scene.ends.get(end)?;
        let vnis = view.vnis();
        (!vnis.is_empty()).then_some((vnis, view.vxlan.port))
    }

    /// One remote address that two routers own (a virtual address) names neither of them.
    fn shared_addresses(&mut self) {
        let mut doubtful = BTreeSet::new();
        for (end, view) in &self.scene.ends {
            for remote in &view.remotes {
                let fits = |other: &TunnelEnd| self.scene.known.owns(&other.router, *remote);
                let partners: Vec<_> = self.partners(end).filter(|other| fits(other)).collect();
                if partners.len() > 1 && partners.iter().any(|other| other.router != partners[0].router) {
                    doubtful.extend(partners.into_iter().map(|other| Pair::new(end.clone(), other.clone())));
                }
            }
        }
        doubtful.retain(|pair| !self.remembered.contains(pair) && !self.declared.contains(pair));
        for pair in doubtful {
            self.pairs.remove(&pair);
            self.candidates.entry(pair.0.clone()).or_default().insert(pair.1.clone());
            self.candidates.entry(pair.1).or_default().insert(pair.0);
        }
    }

    fn partners(&self, end: &TunnelEnd) -> impl Iterator<Item = &TunnelEnd> {
        self.pairs.iter().filter_map(|pair| pair.other(end))
    }

    /// Whether `end` is already in a tunnel to a router.
    fn reaches(&self, end: &TunnelEnd, router: &RouterName) -> bool {
        self.partners(end).any(|other| other.router == *router)
    }

    /// A pair once seen stays, unless one of its ends has plainly gone to another tunnel.
    fn keep_remembered(&mut self) {
        let mutual: Ends = self.pairs.iter().flat_map(|pair| [pair.0.clone(), pair.1.clone()]).collect();
        for pair in self.remembered {
            let Pair(a, b) = pair;
            if self.pairs.contains(pair) || self.reaches(a, &b.router) || self.reaches(b, &a.router) {
                continue;
            }
            let points = self.scene.points(a, b) || self.scene.points(b, a);
            if points || !(mutual.contains(a) || mutual.contains(b)) {
                self.pairs.insert(pair.clone());
            }
        }
    }

    /// Whether `end` is in a tunnel and sends nowhere else: it is no end of a second one.
    fn is_taken(&self, end: &TunnelEnd) -> bool {
        self.sends_once(end) && self.partners(end).next().is_some()
    }

    /// Whether `end` can be an end of one tunnel only.
    fn sends_once(&self, end: &TunnelEnd) -> bool {
        self.scene.ends.get(end).is_some_and(|view| view.remotes.len() <= 1 && !view.is_shared())
    }

    /// Ends that send to a router whose ends do not send back, with each end there that has their VNI
    /// and port and is free. Taken before any pair is remembered, so that remembering one changes no other.
    fn suitors(&self) -> Vec<Suitor> {
        let mut suitors = Vec::new();
        for (end, view) in &self.scene.ends {
            for remote in &view.remotes {
                for owner in self.scene.known.owners(*remote) {
                    if *owner == end.router || self.reaches(end, owner) || self.is_taken(end) {
                        continue;
                    }
                    let fits = |other: &TunnelEnd| {
                        self.setting(end).is_some()
                            && self.setting(end) == self.setting(other)
                            && !self.scene.points(other, end)
                            && !self.is_taken(other)
                    };
                    let others = self.scene.ends.keys().filter(|other| other.router == *owner);
                    suitors.extend(others.filter(|other| fits(other)).map(|other| Suitor {
                        end: end.clone(),
                        remote: *remote,
                        to: other.clone(),
                    }));
                }
            }
        }
        suitors
    }

    fn one_way(&mut self, suitors: &[Suitor]) {
        for suitor in suitors {
            let Suitor { end, remote, to } = suitor;
            let rival = |other: &Suitor| {
                (other.end == *end && other.remote == *remote && other.to != *to)
                    || (other.to == *to && other.end != *end)
                    || (other.end == *to && other.to != *end && self.sends_once(to))
                    || (other.to == *end && other.end != *to && self.sends_once(end))
            };
            if suitors.iter().any(rival) {
                self.candidates.entry(end.clone()).or_default().insert(to.clone());
            } else if !self.reaches(end, &to.router) && !self.reaches(to, &end.router) {
                self.pairs.insert(Pair::new(end.clone(), to.clone()));
            }
        }
    }

    fn by_hand(&mut self) {
        for pair in self.declared {
            if !self.reaches(&pair.0, &pair.1.router) && !self.reaches(&pair.1, &pair.0.router) {
                self.pairs.insert(pair.clone());
            }
        }
    }

    /// Every remote that no tunnel covers. Where a tunnel's own end does not send to its partner, the
    /// stray remote is that tunnel's mismatch and no tunnel of its own.
    fn singles(&self) -> Vec<Single> {
        let mut singles = Vec::new();
        for (end, view) in &self.scene.ends {
            let partners: Vec<_> = self.partners(end).collect();
            if partners.iter().any(|partner| !self.scene.points(end, partner)) {
                continue;
            }
            for remote in &view.remotes {
                let leads_to = |other: &&TunnelEnd| self.scene.leads_to(*remote, &other.router);
                if partners.iter().any(leads_to) {
                    continue;
                }
                let candidates = self.candidates.get(end).into_iter().flatten();
                // What has found its other end since is no candidate any more.
                let free = |other: &&TunnelEnd| !self.reaches(other, &end.router);
                let candidates = candidates.filter(leads_to).filter(free).cloned().collect();
                singles.push(Single { end: end.clone(), remote: *remote, candidates });
            }
        }
        singles
    }
}

/// The only item, if there is exactly one.
fn only<T>(mut items: impl Iterator<Item = T>) -> Option<T> {
    let first = items.next()?;
    items.next().is_none().then_some(first)
}
