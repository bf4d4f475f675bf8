//! Ends of two routers that all send to each other's router: which of them are pairs.
//!
//! In order: one device with many networks and each device there that carries one of them; equal settings, unique on
//! both sides; pairs that are known already; and what is left alone on both sides. A pair that is found helps every
//! other group in which both its ends stand: an end that sends to a router in two ways (its address, a group) stands
//! in two.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
};

use super::{Ends, NAMED, Pair, Partners, Settings, only};
use crate::{
    model::{picture::TunnelEnd, types::RouterName},
    overlay::{end_view::EndView, scene::Scene},
    work,
};

/// A side of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    There,
    Back,
}

impl Side {
    pub(super) fn other(self) -> Self {
        if self == Self::There { Self::Back } else { Self::There }
    }
}

/// Ends of two routers.
#[derive(Debug)]
struct Group {
    /// Those that the two sides are on.
    routers: [RouterName; 2],
    /// The ends at both, as far as neither a shared device nor a setting has paired them.
    all: [Ends; 2],
    /// Those that are in no known pair of this group.
    left: [Ends; 2],
}

/// All groups, and in which of them each end stands.
#[derive(Debug, Default)]
pub(super) struct Groups {
    groups: Vec<Group>,
    of: HashMap<TunnelEnd, Vec<(usize, Side)>>,
}

type Senders<'s> = BTreeMap<(&'s RouterName, &'s RouterName, Option<IpAddr>), Ends>;

/// For each router the ends that send to it, by the router they are on and the group by which they do so.
fn senders<'s>(scene: &'s Scene<'_>) -> Senders<'s> {
    let mut senders = Senders::new();
    for (end, view) in &scene.ends {
        let mut put = |receiver: &'s RouterName, group| {
            if *receiver != end.router {
                senders.entry((&view.reading.router, receiver, group)).or_default().insert(end.clone());
            }
        };
        for router in work::each(view.sends.routers.keys()) {
            put(router, None);
        }
        for group in work::each(&view.sends.groups) {
            scene.receivers(*group).into_iter().for_each(|router| put(router, Some(*group)));
        }
    }
    senders
}

impl Groups {
    /// Matches the ends of all groups, and adds the pairs to `found`.
    pub(super) fn match_all<'p>(
        scene: &Scene<'_>,
        settings: &Settings,
        known: impl Iterator<Item = &'p Pair>,
        found: &mut Partners,
    ) -> Self {
        let mut matching = Self::default();
        let mut news: Vec<Pair> = Vec::new();
        let senders = senders(scene);
        for ((from, to, group), there) in work::each(&senders) {
            let Some(back) = senders.get(&(*to, *from, *group)).filter(|_| from < to) else { continue };
            let mut all = [there.clone(), back.clone()];
            let shared = shared_devices(scene, &all);
            take(&shared, &mut all);
            let alike = same_setting(settings, &all);
            take(&alike, &mut all);
            news.extend(shared.into_iter().chain(alike));
            matching.push([(*from).clone(), (*to).clone()], all);
        }
        for pair in work::each(known) {
            if !matching.across(pair).is_empty() {
                news.push(pair.clone());
            }
        }
        matching.settle(news, found);
        matching
    }

    fn push(&mut self, routers: [RouterName; 2], all: [Ends; 2]) {
        let place = self.groups.len();
        for (side, ends) in [Side::There, Side::Back].into_iter().zip(&all) {
            for end in work::each(ends) {
                self.of.entry(end.clone()).or_default().push((place, side));
            }
        }
        self.groups.push(Group { routers, left: all.clone(), all });
    }

    /// The groups in which an end stands.
    pub(super) fn of(&self, end: &TunnelEnd) -> impl Iterator<Item = (usize, Side)> {
        self.of.get(end).into_iter().flatten().copied()
    }

    /// The groups in which both ends of a pair stand, on different sides.
    fn across(&self, Pair(a, b): &Pair) -> Vec<usize> {
        let groups = |end| self.of.get(end).map_or(&[][..], Vec::as_slice);
        let (few, other) = if groups(a).len() <= groups(b).len() { (groups(a), b) } else { (groups(b), a) };
        let across = work::each(few)
            .filter(|(group, side)| self.groups[*group].all[side.other() as usize].contains(other));
        across.map(|(group, _)| *group).collect()
    }

    /// Takes pairs out of all groups across which they lie, and those that are found by that.
    fn settle(&mut self, mut news: Vec<Pair>, found: &mut Partners) {
        let mut touched: BTreeSet<usize> = (0..self.groups.len()).collect();
        loop {
            for pair in work::each(std::mem::take(&mut news)) {
                found.insert(pair.clone());
                for group in self.across(&pair) {
                    for left in &mut self.groups[group].left {
                        left.remove(&pair.0);
                        left.remove(&pair.1);
                    }
                    touched.insert(group);
                }
            }
            let Some(group) = touched.pop_first() else { return };
            work::step();
            let [there, back] = &self.groups[group].left;
            if let (Some(a), Some(b)) = (only(there.iter()), only(back.iter())) {
                news.push(Pair::new(a.clone(), b.clone()));
            }
        }
    }

    /// Whether an end is in no known pair of a group.
    pub(super) fn is_left(&self, group: usize, side: Side, end: &TunnelEnd) -> bool {
        self.groups[group].left[side as usize].contains(end)
    }

    /// Of each side of each group the first ends that are in no tunnel to the router of the other side.
    pub(super) fn free<'g>(&'g self, found: &Partners) -> Vec<[Vec<&'g TunnelEnd>; 2]> {
        let free = |ends: &'g Ends, router: &RouterName| {
            work::each(ends).filter(|end| !found.reaches(end, router)).take(NAMED).collect()
        };
        let of_group = |Group { left: [there, back], routers: [from, to], .. }: &'g Group| {
            [free(there, to), free(back, from)]
        };
        self.groups.iter().map(of_group).collect()
    }
}

/// Takes the ends of pairs out of both sides.
fn take(pairs: &[Pair], ends: &mut [Ends; 2]) {
    for pair in work::each(pairs) {
        for side in &mut *ends {
            side.remove(&pair.0);
            side.remove(&pair.1);
        }
    }
}

/// One device that carries many networks is an end of several tunnels: to each device at the other router that
/// carries one of them. On one router a VNI is on one device of a UDP port; where it seems to be on two, it is on neither.
fn shared_devices(scene: &Scene<'_>, [there, back]: &[Ends; 2]) -> Vec<Pair> {
    let mut found = Vec::new();
    for (manies, ones) in [(there, back), (back, there)] {
        let Some(local) = manies.first().and_then(|end| scene.ends.get(end)) else { continue };
        for one in work::each(ones) {
            let Some(single) = scene.ends.get(one) else { continue };
            let Some((vni, carriers)) = single.vxlan.vni.zip(local.local.carriers.get(&single.vxlan.port))
            else {
                continue;
            };
            let Some(place) = only(carriers.of_vni(vni).iter()) else { continue };
            let Some(link) = local.snapshot.links.get(*place) else { continue };
            let many = TunnelEnd { router: local.reading.router.clone(), interface: link.name.clone() };
            if manies.contains(&many) && scene.ends.get(&many).is_some_and(EndView::is_shared) {
                found.push(Pair::new(many, one.clone()));
            }
        }
    }
    found
}

/// Ends with equal settings that nobody else on their side has.
fn same_setting(settings: &Settings, [there, back]: &[Ends; 2]) -> Vec<Pair> {
    let unique = |ends| {
        let mut by_setting: BTreeMap<usize, Option<&TunnelEnd>> = BTreeMap::new();
        for end in work::each::<&Ends>(ends) {
            if let Some(setting) = settings.get(end) {
                by_setting.entry(*setting).and_modify(|known| *known = None).or_insert(Some(end));
            }
        }
        by_setting
    };
    let back = unique(back);
    let pair = |(setting, a): (usize, Option<&TunnelEnd>)| {
        Some(Pair::new(a?.clone(), (*back.get(&setting)?)?.clone()))
    };
    unique(there).into_iter().filter_map(pair).collect()
}
