//! What is known now. Workers and probers write, views read; nothing in here waits for the network.
//! What is too old is removed before any reader sees it (`stale`).

pub(crate) mod stale;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime},
};

use tokio::sync::Notify;

use stale::Stamped;

use crate::model::{
    observation::{PathCounters, PathObservation, RttHistogram, SizeProbes},
    picture::{Overlay, PathPicture, Tunnel},
    shard::Shard,
    snapshot::RouterReading,
    types::{Capability, PathName, RouterName},
};

/// Evidence of this age still counts as that of now.
pub(crate) const WORDS: Duration = Duration::from_secs(1);
/// Longest wait for evidence.
const PATIENCE: Duration = Duration::from_secs(1);

/// The shared state. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct State {
    inner: Arc<StateCell>,
}

#[derive(Debug, Default)]
struct StateCell {
    known: Mutex<Latest>,
    changed: Notify,
    counted: Notify,
    /// How often evidence was asked for.
    asked: AtomicU64,
    /// Paths that somebody wants probed now.
    wanted: Mutex<Vec<PathName>>,
}

#[derive(Debug, Default)]
struct Latest {
    /// Everything except routers and paths.
    rest: Present,
    routers: Vec<Stamped<RouterReading>>,
    paths: Vec<Stamped<PathObservation>>,
    /// The place of each path in `paths`.
    places: HashMap<PathName, usize>,
    /// When router and path data were last joined.
    joined_at: Duration,
    /// How often they are joined; absent where no further join is scheduled.
    join_interval: Option<Duration>,
}

impl Latest {
    /// The readings of all routers, without what is too old at `now`.
    fn routers_at(&mut self, now: Duration) -> Vec<Arc<RouterReading>> {
        self.routers.iter_mut().for_each(|router| router.age(now));
        self.routers.iter().map(|router| Arc::clone(router.shown())).collect()
    }
}

/// One consistent copy of everything that is known.
#[derive(Debug, Clone, Default)]
pub struct Present {
    /// The shard of this process.
    pub shard: Shard,
    /// The configuration in use.
    pub config: ConfigState,
    /// One reading for each configured router, in the order of the configuration, including routers
    /// of other shards.
    pub routers: Vec<Arc<RouterReading>>,
    /// One observation for each configured path, in the order of the configuration.
    pub paths: Vec<Arc<PathObservation>>,
    /// Size probes of all paths since the process started.
    pub size_probes: Arc<SizeProbes>,
    /// Router and path data, joined.
    pub overlay: Arc<Overlay>,
    /// The capabilities of this process, each with the reason where it is missing.
    pub capabilities: Vec<CapabilityState>,
    /// Whether this process keeps up with its paths.
    pub load: ProbeLoad,
}

/// Whether this process keeps up with its paths.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProbeLoad {
    /// How long after they were due regular echoes left.
    pub late: RttHistogram,
    /// Answers that found a receive buffer full.
    pub dropped: u64,
    /// Whether it sends less than it should, or may have lost answers within the last minute.
    pub overloaded: bool,
}

impl Present {
    /// The routers this process exports.
    pub(crate) fn own_routers(&self) -> impl Iterator<Item = &RouterReading> {
        self.routers.iter().map(AsRef::as_ref).filter(|reading| self.shard.owns(reading.router.as_str()))
    }

    /// Why a capability is missing; `None` where it is there, or not known.
    #[must_use]
    pub(crate) fn missing(&self, wanted: Capability) -> Option<&str> {
        self.capabilities.iter().find(|known| known.capability == wanted)?.missing.as_deref()
    }

    /// Each path with what router data adds to it; without that before the first join.
    pub(crate) fn paths_with_pictures(
        &self,
    ) -> impl Iterator<Item = (&PathObservation, Option<&PathPicture>)> {
        let pictures: HashMap<_, _> =
            self.overlay.paths.iter().map(|picture| (&picture.path, picture)).collect();
        self.paths.iter().map(move |path| (path.as_ref(), pictures.get(&path.path).copied()))
    }

    /// The tunnels this process exports.
    pub(crate) fn own_tunnels(&self) -> impl Iterator<Item = &Tunnel> {
        self.overlay.tunnels.iter().filter(|tunnel| self.shard.owns(&tunnel.name))
    }
}

/// Which configuration is in use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigState {
    /// When it was read.
    pub loaded_at: Option<SystemTime>,
    /// Why a later configuration could not be used.
    pub reload_error: Option<String>,
}

/// Whether this process has a capability, and if not why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapabilityState {
    /// The capability.
    pub capability: Capability,
    /// Why it is missing; `None` means it is there.
    pub missing: Option<String>,
}

impl State {
    /// A copy of what is known, without what is too old.
    #[must_use]
    pub fn present(&self) -> Present {
        self.present_at(stale::now())
    }

    fn present_at(&self, now: Duration) -> Present {
        let mut known = self.lock();
        let routers = known.routers_at(now);
        known.paths.iter_mut().for_each(|path| path.age(now));
        let age = now.saturating_sub(known.joined_at);
        if known.join_interval.is_some_and(|interval| stale::is_old(age, interval)) {
            known.rest.overlay = Arc::default();
        }
        Present {
            routers,
            paths: known.paths.iter().map(|path| Arc::clone(path.shown())).collect(),
            ..known.rest.clone()
        }
    }

    /// The readings of [`Present::routers`] alone, whose number does not depend on that of paths.
    #[must_use]
    pub(crate) fn routers(&self) -> Vec<Arc<RouterReading>> {
        self.lock().routers_at(stale::now())
    }

    /// The last reading of a router, however old.
    #[must_use]
    pub(crate) fn reading(&self, router: &RouterName) -> Option<Arc<RouterReading>> {
        let known = self.lock();
        known.routers.iter().map(Stamped::shown).find(|known| known.router == *router).map(Arc::clone)
    }

    /// Replaces the reading of a router.
    pub fn put_router(&self, reading: RouterReading) {
        let mut known = self.lock();
        let reading = Stamped::new(Arc::new(reading));
        let mut only_counters = false;
        match known.routers.iter_mut().find(|known| known.shown().router == reading.shown().router) {
            Some(known) => {
                only_counters = known.shown().joins_like(reading.shown());
                *known = reading;
            }
            None => known.routers.push(reading),
        }
        drop(known);
        if only_counters { &self.inner.counted } else { &self.inner.changed }.notify_one();
    }

    /// Removes a router that is no longer read.
    #[must_use]
    pub(crate) fn take_router(&self, router: &RouterName) -> Option<Arc<RouterReading>> {
        let mut known = self.lock();
        let place = known.routers.iter().position(|known| known.shown().router == *router)?;
        let reading = known.routers.remove(place);
        drop(known);
        self.inner.changed.notify_one();
        Some(Arc::clone(reading.shown()))
    }

    /// Puts the routers into the order of the configuration.
    pub(crate) fn order_routers<'a>(&self, order: impl Iterator<Item = &'a RouterName>) {
        let places: BTreeMap<_, _> = order.zip(0_usize..).collect();
        self.lock().routers.sort_by_key(|known| places.get(&known.shown().router).copied());
    }

    /// Keeps only these paths, in that order.
    pub(crate) fn keep_paths<'a>(&self, order: impl Iterator<Item = &'a PathName>) {
        let places: BTreeMap<_, _> = order.zip(0_usize..).collect();
        let mut known = self.lock();
        known.paths.retain(|known| places.contains_key(&known.shown().path));
        known.paths.sort_by_key(|known| places.get(&known.shown().path).copied());
        known.places = known.paths.iter().map(|known| known.shown().path.clone()).zip(0..).collect();
        drop(known);
        self.inner.changed.notify_one();
    }

    /// Replaces the observation of a path. If only counters have changed, nobody who waits for a
    /// change is woken.
    pub(crate) fn put_path(&self, observation: impl Into<Arc<PathObservation>>) {
        let observation = observation.into();
        let mut known = self.lock();
        let place = known.places.get(&observation.path).copied();
        if let Some(place) = place {
            let former = std::mem::replace(&mut known.paths[place], Stamped::new(observation));
            if former.shown().joins_like(known.paths[place].shown()) {
                return;
            }
        } else {
            let place = known.paths.len();
            known.places.insert(observation.path.clone(), place);
            known.paths.push(Stamped::new(observation));
        }
        drop(known);
        self.inner.changed.notify_one();
    }

    /// Asks for evidence as of now: it becomes words only for somebody who reads them, at most once
    /// a second. Without asking, it is as of the last change.
    pub(crate) fn ask_for_words(&self) {
        self.inner.asked.fetch_add(1, Relaxed);
    }

    /// How often evidence was asked for.
    #[must_use]
    pub(crate) fn asked(&self) -> u64 {
        self.inner.asked.load(Relaxed)
    }

    /// Asks for evidence and waits until it is there: no older than a second. A prober that does
    /// not run keeps nobody waiting.
    pub(crate) async fn in_words(&self) {
        let asked_at = stale::now();
        self.ask_for_words();
        let is_told = || {
            let known = self.lock();
            let promised = known.paths.iter().filter(|path| path.shown().interval.is_some());
            promised.into_iter().all(|path| path.at + WORDS >= asked_at)
        };
        while !is_told() && stale::now().saturating_sub(asked_at) < PATIENCE {
            tokio::time::sleep(PATIENCE / 50).await;
        }
    }

    /// Wants a path probed at once: the prober takes it up within a moment, and counts in the path's
    /// counters what comes of it.
    pub(crate) fn want(&self, path: &PathObservation, at: SystemTime) {
        path.counters.ask(at);
        self.wanted().push(path.path.clone());
    }

    /// The paths that somebody wants probed now, once each.
    pub(crate) fn take_wanted(&self) -> Vec<PathName> {
        std::mem::take(&mut *self.wanted())
    }

    fn wanted(&self) -> MutexGuard<'_, Vec<PathName>> {
        self.inner.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counters for a path that is new to this process.
    #[must_use]
    pub(crate) fn new_counters(&self) -> Arc<PathCounters> {
        let size_probes = Arc::clone(&self.lock().rest.size_probes);
        Arc::new(PathCounters::new(size_probes, SystemTime::now()))
    }

    /// Sets some capabilities; others keep their state.
    pub(crate) fn put_capabilities(&self, capabilities: Vec<CapabilityState>) {
        for capability in capabilities {
            self.put_capability(capability);
        }
    }

    /// Sets one capability.
    pub(crate) fn put_capability(&self, capability: CapabilityState) {
        let mut known = self.lock();
        let capabilities = &mut known.rest.capabilities;
        match capabilities.iter_mut().find(|known| known.capability == capability.capability) {
            Some(known) => *known = capability,
            None => capabilities.push(capability),
        }
    }

    /// Sets how well this process keeps up with its paths.
    pub(crate) fn put_load(&self, load: ProbeLoad) {
        self.lock().rest.load = load;
    }

    /// Sets the shard of this process.
    pub(crate) fn put_shard(&self, shard: Shard) {
        self.lock().rest.shard = shard;
    }

    /// Records that a configuration was read and is in use.
    pub(crate) fn config_loaded(&self, at: SystemTime) {
        self.lock().rest.config = ConfigState { loaded_at: Some(at), reload_error: None };
    }

    /// Records that a configuration could not be used; the former one stays.
    pub(crate) fn config_refused(&self, error: String) {
        self.lock().rest.config.reload_error = Some(error);
    }

    /// Sets the joined picture.
    pub(crate) fn put_overlay(&self, overlay: Overlay) {
        let mut known = self.lock();
        known.rest.overlay = Arc::new(overlay);
        known.joined_at = stale::now();
    }

    /// Announces the next join: the picture is removed as too old when joins stop.
    pub(crate) fn join_again_within(&self, interval: Duration) {
        let mut known = self.lock();
        known.join_interval = Some(interval);
        known.joined_at = stale::now();
    }

    /// Waits until more than the counters of a router or a path has changed since the last call.
    pub(crate) async fn changed(&self) {
        self.inner.changed.notified().await;
    }

    /// Waits until a router was read of which only counters have changed since the last call.
    pub(crate) async fn counted(&self) {
        self.inner.counted.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, Latest> {
        // A panicking writer cannot leave half a change behind: each change is a single assignment.
        self.inner.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
