//! Which two vxlan interfaces are one tunnel.
//!
//! The remotes decide, not the VNI: the most common mistake is a VNI that differs at one end, and
//! such a tunnel must still be seen as one. The VNI and the UDP port only tell parallel tunnels
//! between the same two routers apart. The rules in order: mutual remotes; a pair once seen; a
//! one-way remote with the same VNI and port, unique on both sides; a pair declared by hand. One
//! device may be an end of several tunnels only if it has several remotes, a multicast group, or
//! several networks.
//!
//! Pairing again with the same readings and the pairs found before gives the same result.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
};

use crate::{
    model::{picture::TunnelEnd, types::RouterName},
    overlay::scene::Scene,
    work,
};
use mutual::Groups;
use partners::Partners;

mod mutual;
mod one_way;
mod partners;

/// At most this many equally good candidates are named.
const NAMED: usize = 8;

/// Two ends in name order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EndPair(pub(super) TunnelEnd, pub(super) TunnelEnd);

impl EndPair {
    pub(super) fn new(a: TunnelEnd, b: TunnelEnd) -> Self {
        if a <= b { Self(a, b) } else { Self(b, a) }
    }

    pub(super) fn name(&self) -> String {
        format!("{}~{}", self.0, self.1)
    }
}

/// One end and one of its remotes that has no known other end, or several candidates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UnpairedEnd {
    pub(super) end: TunnelEnd,
    pub(super) remote: IpAddr,
    /// The candidates, which fit equally well; empty for a half. If there are many, only the first
    /// ones.
    pub(super) candidates: BTreeSet<TunnelEnd>,
}

/// All pairs, and the ends left over.
#[derive(Debug, Default)]
pub(super) struct Pairing {
    pub(super) pairs: BTreeSet<EndPair>,
    pub(super) singles: Vec<UnpairedEnd>,
}

type Ends = BTreeSet<TunnelEnd>;

/// Tells parallel tunnels apart: equal VNIs and UDP port have the same number.
type SettingsIds = HashMap<TunnelEnd, usize>;

struct Pairer<'s, 'a> {
    scene: &'s Scene<'a>,
    remembered: &'s BTreeSet<EndPair>,
    declared: &'s BTreeSet<EndPair>,
    settings: SettingsIds,
    found: Partners,
    groups: Groups,
    /// Candidates of an end that fit but are not unique, in addition to those of its groups.
    candidates: BTreeMap<TunnelEnd, Ends>,
}

/// Pairs the ends of `scene`.
pub(super) fn pair(
    scene: &Scene<'_>,
    declared: &BTreeSet<EndPair>,
    remembered: &BTreeSet<EndPair>,
) -> Pairing {
    let settings = settings(scene);
    let mut found = Partners::default();
    let groups = Groups::match_all(scene, &settings, remembered.iter().chain(declared), &mut found);
    let mut pairer =
        Pairer { scene, remembered, declared, settings, found, groups, candidates: BTreeMap::new() };
    pairer.shared_addresses();
    let suitors = pairer.suitors();
    pairer.keep_remembered();
    pairer.one_way(&suitors);
    pairer.by_hand();
    let singles = pairer.singles();
    Pairing { pairs: pairer.found.into_pairs(), singles }
}

/// Numbers the settings of ends. A setting is unique on one router, so two ends with the same one
/// cannot be two tunnels. An end without a known VNI has none.
fn settings(scene: &Scene<'_>) -> SettingsIds {
    let mut numbers = BTreeMap::new();
    let mut settings = SettingsIds::new();
    for (end, view) in work::each(&scene.ends).filter(|(_, view)| !view.vnis().is_empty()) {
        let next = numbers.len();
        let number = *numbers.entry((view.vxlan.port, view.vnis())).or_insert(next);
        settings.insert(end.clone(), number);
    }
    settings
}

impl Pairer<'_, '_> {
    /// Removes pairs whose remote address two routers own (a virtual address): it identifies
    /// neither of them.
    fn shared_addresses(&mut self) {
        let mut doubtful = BTreeSet::new();
        for (end, view) in &self.scene.ends {
            let mut several = BTreeSet::new();
            for remote in work::each(view.remotes.iter()) {
                let owners = self.scene.known.owners(*remote).filter(|owner| self.found.reaches(end, owner));
                let owners: Vec<_> = owners.collect();
                if owners.len() > 1 {
                    several.extend(owners);
                }
            }
            let partners = several.into_iter().flat_map(|router| self.found.at(end, router));
            doubtful.extend(work::each(partners).map(|other| EndPair::new(end.clone(), other.clone())));
        }
        doubtful.retain(|pair| !self.remembered.contains(pair) && !self.declared.contains(pair));
        for pair in work::each(doubtful) {
            self.found.remove(&pair);
            self.candidates.entry(pair.0.clone()).or_default().insert(pair.1.clone());
            self.candidates.entry(pair.1).or_default().insert(pair.0);
        }
    }

    /// Keeps a pair that was once seen, unless one of its ends clearly belongs to another tunnel
    /// now.
    fn keep_remembered(&mut self) {
        let mutual: Ends = self.found.ends().cloned().collect();
        for pair in work::each(self.remembered) {
            let EndPair(a, b) = pair;
            if self.found.contains(pair) || self.found.join(a, b) {
                continue;
            }
            let points = self.scene.points(a, b) || self.scene.points(b, a);
            if points || !(mutual.contains(a) || mutual.contains(b)) {
                self.found.insert(pair.clone());
            }
        }
    }

    /// Whether `end` is already in a tunnel and cannot be an end of a second one.
    fn is_taken(&self, end: &TunnelEnd) -> bool {
        self.sends_once(end) && self.found.has_any(end)
    }

    /// Whether `end` can be an end of one tunnel only. An end that EVPN configures has a tunnel to
    /// every VTEP.
    fn sends_once(&self, end: &TunnelEnd) -> bool {
        let view = self.scene.ends.get(end);
        view.is_some_and(|view| view.remotes.len() <= 1 && !view.is_shared() && !view.is_filled())
    }

    fn by_hand(&mut self) {
        for pair in self.declared {
            if !self.found.join(&pair.0, &pair.1) {
                self.found.insert(pair.clone());
            }
        }
    }

    /// Every remote that no tunnel covers. If the end of a tunnel does not send to its partner, its
    /// wrong remote is a mismatch of that tunnel and not a tunnel of its own.
    fn singles(&self) -> Vec<UnpairedEnd> {
        let mut singles = Vec::new();
        let free = self.groups.free(&self.found);
        for (end, view) in &self.scene.ends {
            if work::each(self.found.of(end)).any(|partner| !self.scene.points(end, partner)) {
                continue;
            }
            let mut fitting: Option<BTreeMap<&RouterName, Ends>> = None;
            for remote in work::each(view.remotes.iter()) {
                let receivers = self.scene.receivers(*remote);
                if receivers.iter().any(|router| self.found.reaches(end, router)) {
                    continue;
                }
                let fitting = fitting.get_or_insert_with(|| self.fitting(end, &free));
                let candidates = receivers.iter().filter_map(|router| fitting.get(router)).flatten();
                let candidates = candidates.take(NAMED).cloned().collect();
                singles.push(UnpairedEnd { end: end.clone(), remote: *remote, candidates });
            }
        }
        singles
    }

    /// For each router, the first ends that could be the other end of `end` and have not been
    /// paired with its router meanwhile.
    fn fitting<'p>(
        &'p self,
        end: &TunnelEnd,
        free: &'p [[Vec<&'p TunnelEnd>; 2]],
    ) -> BTreeMap<&'p RouterName, Ends> {
        let mut fitting: BTreeMap<&RouterName, Ends> = BTreeMap::new();
        let mut put = |other: &'p TunnelEnd| {
            let known = fitting.entry(&other.router).or_default();
            if known.len() < NAMED {
                known.insert(other.clone());
            }
        };
        let groups = self.groups.of(end).filter(|(group, side)| self.groups.is_left(*group, *side, end));
        for (group, side) in work::each(groups) {
            free[group][side.other() as usize].iter().copied().for_each(&mut put);
        }
        let others = self.candidates.get(end).into_iter().flatten();
        work::each(others).filter(|other| !self.found.reaches(other, &end.router)).for_each(put);
        fitting
    }
}

/// The only item, if there is exactly one.
fn only<T>(mut items: impl Iterator<Item = T>) -> Option<T> {
    let first = items.next()?;
    items.next().is_none().then_some(first)
}
