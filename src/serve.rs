//! `serve`: everything together for as long as nobody says stop.
//!
//! - `conductor`: what runs by the plan in use, and how it goes over to the next one
//! - `reload`: SIGHUP, `POST /-/reload` and a changed file (`config_watch`): one reading of the configuration after the other

mod conductor;
mod config_watch;
mod reflecting;
mod reload;

use std::{path::PathBuf, time::SystemTime};

use anyhow::Context;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{mpsc, watch},
};
use tracing::{info, warn};

use crate::{
    listen::ListenAddress,
    load::Wanted,
    open_files,
    plan::{Plan, ReflectorPlan},
    reflector::server::Reflector,
    state::State,
    web::{self, Access, Lifecycle, Pages, Printing, SelfInfo, access::Gate},
};
use conductor::Conductor;
use config_watch::ConfigWatch;
use reload::Reloader;

/// How to serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serve {
    /// The configuration; read again at each reload.
    pub wanted: Wanted,
    /// Where to answer.
    pub listen: ListenAddress,
    /// TLS and users.
    pub web_config_file: Option<PathBuf>,
    /// Whether `/-/reload` and `/-/quit` do anything.
    pub lifecycle: bool,
}

/// Reads, probes, joins and answers until SIGTERM or SIGINT, or until it is asked to quit.
pub async fn serve(serve: &Serve) -> anyhow::Result<()> {
    // Before anything that takes time: SIGHUP would end a process that does not listen for it.
    let hangup = signal(SignalKind::hangup()).context("listening for SIGHUP")?;
    let stop = stop_signal()?;
    open_files::raise();
    let config_watch = ConfigWatch::new(serve.wanted.file.clone(), serve.wanted.most_bytes).await;
    let plan = serve.wanted.load()?;
    let gate = serve.web_config_file.as_deref().map(Gate::open).transpose()?;
    let listener = web::listen(&serve.listen).await?;
    let state = State::default();
    state.put_shard(serve.wanted.shard);
    state.config_loaded(SystemTime::now());
    warn_of(&plan);
    let (routers, paths) = (plan.routers.len(), plan.paths.len());
    let (plans, next_plans) = mpsc::channel(1);
    let conductor = Conductor::start(plan, state.clone()).await?;
    let access = Access::new(conductor.web_sources(), gate);
    tokio::spawn(conductor.run(next_plans));
    let (wishes, inbox) = mpsc::channel(1);
    let (quit, mut quitting) = watch::channel(());
    let reloader = Reloader::new(serve.wanted.clone(), config_watch, state.clone(), plans);
    tokio::spawn(reloader.run(hangup, inbox, quit));
    let lifecycle = if serve.lifecycle { Lifecycle::enabled(wishes.clone()) } else { Lifecycle::default() };
    info!(address = %listener.local_addr()?, routers, paths, shard = %serve.wanted.shard, "serving");
    let stop = async {
        tokio::select! {
            () = stop => {}
            Ok(()) = quitting.changed() => info!("asked to quit"),
        }
    };
    let pages = Pages { state, self_info: SelfInfo::new(), lifecycle, printing: Printing::default() };
    web::serve(listener, pages, access, stop).await?;
    // Until here SIGHUP is listened to, whether or not anybody may wish something over HTTP.
    drop(wishes);
    info!("stopped");
    Ok(())
}

fn warn_of(plan: &Plan) {
    if plan.routers.is_empty() && plan.paths.is_empty() {
        warn!("nothing is configured: no routers and no paths; see `vxlan_exporter config example`");
    }
    open_files::warn_if_short(plan);
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
