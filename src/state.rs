//! What is known now. Workers and probers write, views read; nobody waits for the network in here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::{
    overlay::{observation::PathObservation, picture::Overlay},
    router::snapshot::RouterReading,
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
    /// One reading for each configured router, in the order of the configuration.
    pub routers: Vec<Arc<RouterReading>>,
    /// One observation for each configured path, in the order of the configuration.
    pub paths: Vec<Arc<PathObservation>>,
    /// The join of both.
    pub overlay: Arc<Overlay>,
    /// What this process can do: 1 or 0 for each value, with the reason for a 0.
    pub capabilities: Vec<CapabilityState>,
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
