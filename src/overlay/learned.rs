//! What the readings of each router add up to, each reading counted once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Weak},
};

use crate::model::{
    snapshot::{RouterReading, RouterSnapshot},
    types::RouterName,
};

/// A `T` for each router.
#[derive(Debug, Default)]
pub(super) struct Learned<T>(BTreeMap<RouterName, LearnedFrom<T>>);

#[derive(Debug, Default)]
struct LearnedFrom<T> {
    /// The reading learned last.
    last: Weak<RouterSnapshot>,
    sum: T,
}

impl<T: Default> Learned<T> {
    /// Forgets routers that are not among these.
    pub(super) fn keep(&mut self, routers: &BTreeSet<&RouterName>) {
        self.0.retain(|router, _| routers.contains(router));
    }

    /// What a reading has to be added to; `None` if it was added before, or has nothing.
    pub(super) fn next<'r>(&mut self, reading: &'r RouterReading) -> Option<(&'r RouterSnapshot, &mut T)> {
        let snapshot = reading.current.as_ref()?;
        let router = self.0.entry(reading.router.clone()).or_default();
        if router.last.as_ptr() == Arc::as_ptr(snapshot) {
            return None;
        }
        router.last = Arc::downgrade(snapshot);
        Some((snapshot, &mut router.sum))
    }

    pub(super) fn get(&self, router: &RouterName) -> Option<&T> {
        self.0.get(router).map(|router| &router.sum)
    }
}
