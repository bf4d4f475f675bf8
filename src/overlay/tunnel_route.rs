//! Which tunnels a path crosses: the shortest walk over tunnels from our site to the target's.
//!
//! Routers of one site are assumed to share its LAN. On one router two tunnels connect only if they
//! are in the same bridge, which tells parallel overlays between the same sites apart. If the
//! shortest walk is not unique, no tunnel is named.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::{
        picture::{Hop, TunnelEnd},
        types::Site,
    },
    overlay::{pairing::EndPair, scene::Scene},
    work,
};

/// Most unfinished walks: more would be no result that a person could use.
const MAX_WALKS: usize = 4096;
/// Most tunnels examined for one further step of all walks.
const MAX_LOOKS: usize = 1 << 16;
/// Most walks that are listed.
const MAX_LISTED: usize = 64;

/// How a path crosses the overlay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TunnelRoute {
    /// Source and target are one site.
    Local,
    /// No tunnels connect the sites, as far as is known.
    None,
    /// The ends crossed, from source to target: near and far end of each tunnel in turn.
    Unique(Vec<Hop>),
    /// Several shortest walks, each as tunnel names; empty if there are too many to list.
    Several(Vec<Vec<String>>),
}

impl TunnelRoute {
    /// The hops of a unique walk; empty otherwise.
    pub(super) fn hops(&self) -> &[Hop] {
        if let Self::Unique(hops) = self { hops } else { &[] }
    }
}

/// A tunnel, crossed from `near` to `far`.
#[derive(Debug, Clone, Copy)]
struct Crossing<'p> {
    pair: &'p EndPair,
    near: &'p TunnelEnd,
    far: &'p TunnelEnd,
}

/// All tunnels between sites.
pub(super) struct Map<'p, 's, 'a> {
    scene: &'s Scene<'a>,
    leaving: BTreeMap<&'s Site, Vec<(Crossing<'p>, &'s Site)>>,
}

impl<'p, 's, 'a> Map<'p, 's, 'a> {
    pub(super) fn new(scene: &'s Scene<'a>, pairs: &'p BTreeSet<EndPair>) -> Self {
        let mut leaving: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for pair in pairs {
            for (near, far) in [(&pair.0, &pair.1), (&pair.1, &pair.0)] {
                let sites = (scene.known.site(&near.router), scene.known.site(&far.router));
                if let (Some(from), Some(to)) = sites
                    && from != to
                {
                    leaving.entry(from).or_default().push((Crossing { pair, near, far }, to));
                }
            }
        }
        Self { scene, leaving }
    }

    /// The shortest walk from one site to another.
    pub(super) fn walk(&self, from: &Site, to: &Site) -> TunnelRoute {
        if from == to {
            return TunnelRoute::Local;
        }
        // Each step with the index of the step before it; `edge` holds the steps at the current
        // distance.
        let mut steps: Vec<(Option<usize>, Crossing<'p>)> = Vec::new();
        let mut edge: Vec<(Option<usize>, &Site)> = vec![(None, from)];
        let mut seen = BTreeSet::from([from]);
        while !edge.is_empty() && steps.len() <= MAX_WALKS {
            let mut next = Vec::new();
            let mut looked = 0;
            let mut onward: BTreeMap<&Site, Vec<&(Crossing<'p>, &Site)>> = BTreeMap::new();
            for (before, site) in edge {
                let onward = onward.entry(site).or_insert_with(|| {
                    let leaving = work::each(self.leaving.get(site).into_iter().flatten());
                    leaving.filter(|(_, site)| !seen.contains(site)).collect()
                });
                for (crossing, site) in work::each(onward.iter()) {
                    looked += 1;
                    if looked > MAX_LOOKS {
                        return TunnelRoute::Several(Vec::new());
                    }
                    if before.is_none_or(|step| self.joined(steps[step].1.far, crossing.near)) {
                        steps.push((before, *crossing));
                        next.push((Some(steps.len() - 1), *site));
                    }
                }
            }
            let arrived: Vec<_> = next.iter().filter(|(_, site)| *site == to).collect();
            match arrived[..] {
                [] => {}
                [(last, _)] => return TunnelRoute::Unique(hops(&trace(&steps, *last))),
                _ => {
                    let names = |last| trace(&steps, last).iter().map(|step| step.pair.name()).collect();
                    if arrived.len() > MAX_LISTED {
                        return TunnelRoute::Several(Vec::new());
                    }
                    return TunnelRoute::Several(arrived.into_iter().map(|(last, _)| names(*last)).collect());
                }
            }
            seen.extend(next.iter().map(|(_, site)| *site));
            edge = next;
        }
        if steps.len() > MAX_WALKS { TunnelRoute::Several(Vec::new()) } else { TunnelRoute::None }
    }

    /// Whether two tunnels connect on a router. A bridge sends no frame back to the port it came
    /// from, so the tunnels of one device with several remotes do not connect to each other.
    fn joined(&self, entered: &TunnelEnd, left: &TunnelEnd) -> bool {
        if entered == left {
            return false;
        }
        let bridge = |end| self.scene.ends.get(end).and_then(|view| view.link.master.as_deref());
        match (bridge(entered), bridge(left)) {
            (Some(one), Some(other)) if entered.router == left.router => one == other,
            _ => true,
        }
    }

    /// The number of tunnels between `from` and each site that can be reached.
    pub(super) fn distances(&self, from: &Site) -> BTreeMap<Site, usize> {
        let mut distances = BTreeMap::from([(from.clone(), 0)]);
        let mut edge = vec![from];
        let mut far = 0;
        while !edge.is_empty() {
            far += 1;
            let mut next = Vec::new();
            for (_, site) in edge.into_iter().filter_map(|site| self.leaving.get(site)).flatten() {
                if !distances.contains_key(*site) {
                    distances.insert((*site).clone(), far);
                    next.push(*site);
                }
            }
            edge = next;
        }
        distances
    }
}

fn trace<'p>(steps: &[(Option<usize>, Crossing<'p>)], mut last: Option<usize>) -> Vec<Crossing<'p>> {
    let mut walk = Vec::new();
    while let Some(step) = last {
        walk.push(steps[step].1);
        last = steps[step].0;
    }
    walk.reverse();
    walk
}

fn hops(walk: &[Crossing<'_>]) -> Vec<Hop> {
    let hop =
        |crossing: &Crossing<'_>, end: &TunnelEnd| Hop { tunnel: crossing.pair.name(), end: end.clone() };
    walk.iter().flat_map(|crossing| [hop(crossing, crossing.near), hop(crossing, crossing.far)]).collect()
}
