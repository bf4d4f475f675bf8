//! What is known now. Workers and probers write, views read; nobody waits for the network in here.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use tokio::sync::Notify;

use crate::{
    overlay::{
        observation::PathObservation,
        picture::{Overlay, Tunnel},
    },
    router::snapshot::RouterReading,
    shard::Shard,
    types::{PathName, RouterName},
};

/// The shared present. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct State {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    present: Mutex<Present>,
    changed: Notify,
}

/// One consistent copy of all that is known.
#[derive(Debug, Clone, Default)]
pub struct Present {
    /// Which share of all names this process exports.
    pub shard: Shard,
    /// The configuration in use.
    pub config: ConfigState,
    /// One reading for each configured router, in the order of the configuration; those of other shards too.
    pub routers: Vec<Arc<RouterReading>>,
    /// One observation for each configured path, in the order of the configuration.
    pub paths: Vec<Arc<PathObservation>>,
    /// The join of both.
    pub overlay: Arc<Overlay>,
    /// What this process can do: 1 or 0 for each value, with the reason for a 0.
    pub capabilities: Vec<CapabilityState>,
}

impl Present {
    /// The routers this process exports.
    pub fn own_routers(&self) -> impl Iterator<Item = &RouterReading> {
        self.routers.iter().map(AsRef::as_ref).filter(|reading| self.shard.owns(reading.router.as_str()))
    }

    /// The tunnels this process exports.
    pub fn own_tunnels(&self) -> impl Iterator<Item = &Tunnel> {
        self.overlay.tunnels.iter().filter(|tunnel| self.shard.owns(&tunnel.name))
    }
}

/// Which configuration is in use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigState {
    /// When it was read.
    pub loaded_at: Option<SystemTime>,
    /// Why a later one could not be used.
    pub reload_error: Option<String>,
}

/// Whether this process can do something, and if not why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapabilityState {
    /// What.
    pub capability: crate::types::Capability,
    /// Why not; `None` means it can.
    pub missing: Option<String>,
}

impl State {
    /// A copy of the present.
    #[must_use]
    pub fn present(&self) -> Present {
        self.lock().clone()
    }

    /// Puts a router's reading in place of the former one of that name.
    pub fn put_router(&self, reading: RouterReading) {
        let mut present = self.lock();
        let reading = Arc::new(reading);
        match present.routers.iter_mut().find(|known| known.router == reading.router) {
            Some(known) => *known = reading,
            None => present.routers.push(reading),
        }
        drop(present);
        self.inner.changed.notify_one();
    }

    /// Takes out a router that is read no more.
    #[must_use]
    pub fn take_router(&self, router: &RouterName) -> Option<Arc<RouterReading>> {
        let mut present = self.lock();
        let place = present.routers.iter().position(|known| known.router == *router)?;
        let reading = present.routers.remove(place);
        drop(present);
        self.inner.changed.notify_one();
        Some(reading)
    }

    /// Puts the routers into the order of the configuration.
    pub fn order_routers<'a>(&self, order: impl Iterator<Item = &'a RouterName>) {
        let places: BTreeMap<_, _> = order.zip(0_usize..).collect();
        self.lock().routers.sort_by_key(|known| places.get(&known.router).copied());
    }

    /// Keeps only these paths, in that order.
    pub fn keep_paths<'a>(&self, order: impl Iterator<Item = &'a PathName>) {
        let places: BTreeMap<_, _> = order.zip(0_usize..).collect();
        let mut present = self.lock();
        present.paths.retain(|known| places.contains_key(&known.path));
        present.paths.sort_by_key(|known| places.get(&known.path).copied());
        drop(present);
        self.inner.changed.notify_one();
    }

    /// Puts a path's observation in place of the former one of that name.
    pub fn put_path(&self, observation: PathObservation) {
        let mut present = self.lock();
        let observation = Arc::new(observation);
        match present.paths.iter_mut().find(|known| known.path == observation.path) {
            Some(known) => *known = observation,
            None => present.paths.push(observation),
        }
        drop(present);
        self.inner.changed.notify_one();
    }

    /// Sets what this process can do.
    pub fn put_capabilities(&self, capabilities: Vec<CapabilityState>) {
        self.lock().capabilities = capabilities;
    }

    /// Sets one thing this process can or cannot do.
    pub fn put_capability(&self, capability: CapabilityState) {
        let mut present = self.lock();
        match present.capabilities.iter_mut().find(|known| known.capability == capability.capability) {
            Some(known) => *known = capability,
            None => present.capabilities.push(capability),
        }
    }

    /// Sets which share of all names this process exports.
    pub fn put_shard(&self, shard: Shard) {
        self.lock().shard = shard;
    }

    /// A configuration was read and is in use.
    pub fn config_loaded(&self, at: SystemTime) {
        self.lock().config = ConfigState { loaded_at: Some(at), reload_error: None };
    }

    /// A configuration could not be used: the one before stays.
    pub fn config_refused(&self, error: String) {
        self.lock().config.reload_error = Some(error);
    }

    /// Sets the joined picture.
    pub fn put_overlay(&self, overlay: Overlay) {
        self.lock().overlay = Arc::new(overlay);
    }

    /// Waits until a router or path has changed since the last call.
    pub async fn changed(&self) {
        self.inner.changed.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, Present> {
        // A writer cannot leave half a change: each one is a single assignment.
        self.inner.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
