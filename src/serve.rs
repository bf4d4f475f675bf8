//! `serve`: everything together for as long as nobody says stop.

use std::time::{Duration, SystemTime};

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};

use crate::{
    cli::ListenAddress,
    overlay::tunnel::Assessor,
    plan::{Plan, ReflectorPlan},
    probe::Engine,
    reflector::server::Reflector,
    router::Worker,
    state::{CapabilityState, State},
    types::Capability,
    web::{self, SelfInfo},
};

/// The picture is joined anew at most this often.
const JOIN: Duration = Duration::from_millis(100);

/// Reads, probes, joins and answers until SIGTERM or SIGINT.
pub async fn serve(plan: Plan, listen: &ListenAddress) -> anyhow::Result<()> {
    let stop = stop_signal()?;
    let listener = web::listen(listen).await?;
    if plan.routers.is_empty() && plan.paths.is_empty() {
        warn!("nothing is configured: no routers and no paths; see `vxlan_exporter config example`");
    }
    let state = State::default();
    start(&plan, &state)?;
    if let Some(reflector) = &plan.reflector {
        start_reflector(reflector, &state).await;
    }
    info!(address = %listener.local_addr()?, routers = plan.routers.len(), paths = plan.paths.len(), "serving");
    web::serve(listener, state, SelfInfo::new(SystemTime::now()), stop).await?;
    info!("stopped");
    Ok(())
}

/// Starts a worker for each router, the probe engine and the join.
fn start(plan: &Plan, state: &State) -> anyhow::Result<()> {
    for router in &plan.routers {
        let worker = Worker::new(router);
        state.put_router(worker.reading().clone());
        tokio::spawn(worker.run(state.clone()));
    }
    let engine = Engine::new(plan.paths.clone(), plan.probe_budget_pps, state.clone());
    tokio::spawn(engine.context("starting to probe")?.run());
    tokio::spawn(join(Assessor::new(plan), state.clone()));
    Ok(())
}

/// One that cannot listen does not stop the rest: the capability says why.
async fn start_reflector(plan: &ReflectorPlan, state: &State) {
    let missing = match Reflector::open(plan).await {
        Ok(reflector) => {
            tokio::spawn(reflector.run());
            None
        }
        Err(error) => {
            warn!("{error:#}");
            Some(format!("{error:#}"))
        }
    };
    state.put_capability(CapabilityState { capability: Capability::Reflector, missing });
}

/// `reflect`: a reflector and nothing else, until SIGTERM or SIGINT.
pub async fn reflect(plan: &ReflectorPlan) -> anyhow::Result<()> {
    let stop = stop_signal()?;
    let reflector = Reflector::open(plan).await?;
    tokio::select! {
        () = reflector.run() => {}
        () = stop => info!("stopped"),
    }
    Ok(())
}

/// Joins readings and observations into the picture whenever one has changed.
async fn join(mut assessor: Assessor, state: State) {
    loop {
        state.changed().await;
        let present = state.present();
        state.put_overlay(assessor.assess(&present.routers, &present.paths));
        tokio::time::sleep(JOIN).await;
    }
}

/// Completes at SIGTERM or SIGINT.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
