//! The probe engine, and its replacement if it dies.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use tracing::error;

use crate::{
    model::{plan::PathPlan, state::State},
    probe::{EchoMethod, Engine, engine::EngineHandle},
    process::supervise::{Kept, Supervisor, Task},
};

/// Keeps an engine running.
#[derive(Debug)]
pub struct Probing {
    shared: Arc<Mutex<Shared>>,
    _engine: Kept,
}

#[derive(Debug)]
struct Shared {
    paths: Vec<PathPlan>,
    budget_pps: u32,
    handle: EngineHandle,
}

impl Probing {
    /// Starts to probe these paths.
    pub fn start(
        paths: Vec<PathPlan>,
        budget_pps: u32,
        state: State,
        supervisor: &Supervisor,
    ) -> anyhow::Result<Self> {
        let engine = Engine::new(paths.clone(), budget_pps, state.clone(), EchoMethod::Batched)
            .context("starting to probe")?;
        let shared = Arc::new(Mutex::new(Shared { paths, budget_pps, handle: engine.handle() }));
        let again = Arc::clone(&shared);
        let mut first = Some(engine);
        let kept = supervisor.keep(Task::Probes, "", move |pulse| {
            let (first, again, state) = (first.take(), Arc::clone(&again), state.clone());
            async move {
                match first.map_or_else(|| anew(&again, state), Ok) {
                    Ok(engine) => engine.with_pulse(pulse).run().await,
                    Err(error) => error!(error = format!("{error:#}"), "cannot probe again"),
                }
            }
        });
        Ok(Self { shared, _engine: kept })
    }

    /// Probes these paths from now on; on an error the former ones.
    pub async fn follow(&self, paths: Vec<PathPlan>, budget_pps: u32) -> anyhow::Result<()> {
        let handle = lock(&self.shared).handle.clone();
        handle.follow(paths.clone(), budget_pps).await?;
        let mut shared = lock(&self.shared);
        (shared.paths, shared.budget_pps) = (paths, budget_pps);
        Ok(())
    }
}

/// An engine that continues where a dead one stopped.
fn anew(shared: &Mutex<Shared>, state: State) -> anyhow::Result<Engine> {
    let mut shared = lock(shared);
    let engine = Engine::new(shared.paths.clone(), shared.budget_pps, state, EchoMethod::Batched)?;
    shared.handle = engine.handle();
    Ok(engine)
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
