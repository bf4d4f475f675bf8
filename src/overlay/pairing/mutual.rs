//! Pairs ends of two routers that all send to each other's router.
//!
//! The rules in order: a device with many networks, paired with each device at the other router
//! that carries one of them; equal settings that are unique on both sides; pairs that are known
//! already; two ends that are the only ones left on their sides. A pair that is found also narrows
//! every other group that both its ends are in: an end that sends to a router in two ways (its
//! address, a multicast group) is in two groups.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
};

use super::{EndPair, Ends, NAMED, Partners, SettingsIds, only};
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

/// Ends of two routers that send to each other's router, by address or by one multicast group.
#[derive(Debug)]
struct Group {
    /// The routers of the two sides.
    routers: [RouterName; 2],
    /// The ends on both sides that are paired neither as a shared device nor by their settings.
    all: [Ends; 2],
    /// The ends that are not in any known pair of this group.
    left: [Ends; 2],
}

/// All groups, and the groups that each end is in.
#[derive(Debug, Default)]
pub(super) struct Groups {
    groups: Vec<Group>,
    of: HashMap<TunnelEnd, Vec<(usize, Side)>>,
}

type Senders<'s> = BTreeMap<(&'s RouterName, &'s RouterName, Option<IpAddr>), Ends>;

/// The ends that send to each router, by the router they are on and the multicast group they use.
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
    /// Pairs the ends of all groups, and adds the pairs to `found`.
    pub(super) fn match_all<'p>(
        scene: &Scene<'_>,
        settings: &SettingsIds,
        known: impl Iterator<Item = &'p EndPair>,
        found: &mut Partners,
    ) -> Self {
        let mut matching = Self::default();
        let mut news: Vec<EndPair> = Vec::new();
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

    /// The groups that an end is in.
    pub(super) fn of(&self, end: &TunnelEnd) -> impl Iterator<Item = (usize, Side)> {
        self.of.get(end).into_iter().flatten().copied()
    }

    /// The groups that have the two ends of a pair on opposite sides.
    fn across(&self, EndPair(a, b): &EndPair) -> Vec<usize> {
        let groups = |end| self.of.get(end).map_or(&[][..], Vec::as_slice);
        let (few, other) = if groups(a).len() <= groups(b).len() { (groups(a), b) } else { (groups(b), a) };
        let across = work::each(few)
            .filter(|(group, side)| self.groups[*group].all[side.other() as usize].contains(other));
        across.map(|(group, _)| *group).collect()
    }

    /// Removes the ends of new pairs from all groups that have them on opposite sides, and repeats
    /// this for pairs that are found thereby.
    fn settle(&mut self, mut news: Vec<EndPair>, found: &mut Partners) {
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
                news.push(EndPair::new(a.clone(), b.clone()));
            }
        }
    }

    /// Whether an end is not in any known pair of a group.
    pub(super) fn is_left(&self, group: usize, side: Side, end: &TunnelEnd) -> bool {
        self.groups[group].left[side as usize].contains(end)
    }

    /// For each group and side, the first ends that have no tunnel to the router of the other side.
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
fn take(pairs: &[EndPair], ends: &mut [Ends; 2]) {
    for pair in work::each(pairs) {
        for side in &mut *ends {
            side.remove(&pair.0);
            side.remove(&pair.1);
        }
    }
}

/// Pairs of a device that carries many networks with each device at the other router that carries
/// one of them. Each VNI is on one device of a router and UDP port; if it appears to be on two,
/// neither is paired.
fn shared_devices(scene: &Scene<'_>, [there, back]: &[Ends; 2]) -> Vec<EndPair> {
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
                found.push(EndPair::new(many, one.clone()));
            }
        }
    }
    found
}

/// Pairs ends with equal settings that no other end on their side has.
fn same_setting(settings: &SettingsIds, [there, back]: &[Ends; 2]) -> Vec<EndPair> {
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
        Some(EndPair::new(a?.clone(), (*back.get(&setting)?)?.clone()))
    };
    unique(there).into_iter().filter_map(pair).collect()
}
