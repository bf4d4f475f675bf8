//! The pairs found so far, by their ends.

use std::collections::{BTreeMap, BTreeSet};

use super::{EndPair, Ends};
use crate::{
    model::{picture::TunnelEnd, types::RouterName},
    work,
};

/// The partners of each end, by their router.
#[derive(Debug, Default)]
pub(super) struct Partners(BTreeMap<TunnelEnd, BTreeMap<RouterName, Ends>>);

impl Partners {
    /// Adds a pair; false if it was there already.
    pub(super) fn insert(&mut self, EndPair(a, b): EndPair) -> bool {
        work::step();
        let mut put = |end: &TunnelEnd, other: &TunnelEnd| {
            let at = self.0.entry(end.clone()).or_default().entry(other.router.clone()).or_default();
            at.insert(other.clone())
        };
        put(&a, &b);
        put(&b, &a)
    }

    pub(super) fn remove(&mut self, EndPair(a, b): &EndPair) {
        work::step();
        for (end, other) in [(a, b), (b, a)] {
            let Some(partners) = self.0.get_mut(end) else { continue };
            if let Some(at) = partners.get_mut(&other.router) {
                at.remove(other);
            }
            partners.retain(|_, at| !at.is_empty());
            if partners.is_empty() {
                self.0.remove(end);
            }
        }
    }

    pub(super) fn contains(&self, EndPair(a, b): &EndPair) -> bool {
        self.0.get(a).and_then(|partners| partners.get(&b.router)).is_some_and(|at| at.contains(b))
    }

    /// The partners of an end.
    pub(super) fn of(&self, end: &TunnelEnd) -> impl Iterator<Item = &TunnelEnd> {
        self.0.get(end).into_iter().flat_map(BTreeMap::values).flatten()
    }

    /// The partners at one router.
    pub(super) fn at(&self, end: &TunnelEnd, router: &RouterName) -> impl Iterator<Item = &TunnelEnd> {
        self.0.get(end).and_then(|partners| partners.get(router)).into_iter().flatten()
    }

    pub(super) fn has_any(&self, end: &TunnelEnd) -> bool {
        self.0.contains_key(end)
    }

    /// Whether `end` is already in a tunnel to a router.
    pub(super) fn reaches(&self, end: &TunnelEnd, router: &RouterName) -> bool {
        work::step();
        self.0.get(end).is_some_and(|partners| partners.contains_key(router))
    }

    /// Whether one of two ends is already in a tunnel to the router of the other.
    pub(super) fn join(&self, a: &TunnelEnd, b: &TunnelEnd) -> bool {
        self.reaches(a, &b.router) || self.reaches(b, &a.router)
    }

    /// The ends that are in any tunnel.
    pub(super) fn ends(&self) -> impl Iterator<Item = &TunnelEnd> {
        self.0.keys()
    }

    pub(super) fn into_pairs(self) -> BTreeSet<EndPair> {
        let all = self.0.into_iter().flat_map(|(end, partners)| {
            let others = partners.into_values().flatten().filter(|other| end <= *other).collect::<Vec<_>>();
            others.into_iter().map(move |other| EndPair(end.clone(), other))
        });
        all.collect()
    }
}
