//! `serve`: runs everything until it is told to stop.
//!
//! - `conductor`: what runs under the plan in use, and how it switches to the next one
//! - `probing`: the probe engine, and its replacement if it dies
//! - `reload`: SIGHUP, `POST /-/reload` and a changed file (`config_watch`), one reading of the
//!   configuration at a time

mod conductor;
mod config_watch;
mod probing;
mod reflecting;
mod reload;

use std::{collections::BTreeSet, net::SocketAddr, path::PathBuf, time::SystemTime};

use anyhow::{Context, bail};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::{mpsc, watch},
};
use tracing::{info, warn};

use crate::{
    REVISION,
    command::load::ConfigSource,
    listen::ListenAddress,
    model::{
        plan::{Plan, ReflectorPlan},
        state::State,
    },
    on_demand::OnDemand,
    process::{
        notify, open_files,
        supervise::{Supervisor, Task, door, fault},
    },
    reflector::server::ReflectorServer,
    web::{self, Access, Lifecycle, Pages, SelfInfo, Wanted, access::Gate, mount::Mount},
};
use conductor::Conducting;
use config_watch::ConfigWatch;
use reload::Reloader;

/// The settings of `serve`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serve {
    /// The configuration; read again at each reload.
    pub wanted: ConfigSource,
    /// The addresses to listen on.
    pub listen: Vec<ListenAddress>,
    /// Where the pages are.
    pub mount: Mount,
    /// The file with TLS and users.
    pub web_config_file: Option<PathBuf>,
    /// Whether `/-/reload` and `/-/quit` have an effect.
    pub lifecycle: bool,
}

/// Reads, probes, joins and answers until SIGTERM, SIGINT or a request to quit.
pub async fn serve(serve: &Serve) -> anyhow::Result<()> {
    // Before anything that takes time: until a process handles SIGHUP, the signal would end it.
    let hangup = signal(SignalKind::hangup()).context("listening for SIGHUP")?;
    let stop = stop_signal()?;
    open_files::raise();
    let config_watch = ConfigWatch::new(serve.wanted.file.clone(), serve.wanted.most_bytes).await;
    let plan = serve.wanted.load()?;
    let gate = serve.web_config_file.as_deref().map(Gate::open).transpose()?;
    let listeners = web::listen(&serve.listen).await?;
    let supervisor = Supervisor::start().context("starting the watchdog")?;
    let state = State::default();
    state.put_shard(serve.wanted.shard);
    state.config_loaded(SystemTime::now());
    warn_of(&plan);
    let (routers, paths) = (plan.routers.len(), plan.paths.len());
    let (plans, next_plans) = mpsc::channel(1);
    let conducting = Conducting::new(plan, state.clone(), supervisor.clone(), next_plans);
    let access = Access::new(conducting.web_sources(), gate);
    let wanted = Wanted::new(conducting.probe_now());
    let (on_demand, shown) = (OnDemand::new(conducting.on_demand()), conducting.shown());
    let conductor = conducting.keep().await?;
    let (wishes, inbox) = mpsc::channel(1);
    let (quit, quitting) = watch::channel(());
    let reloader = Reloader::new(serve.wanted.clone(), config_watch, state.clone(), plans);
    let reloader = reload::keep(&supervisor, reloader, hangup, inbox, quit);
    let lifecycle = if serve.lifecycle { Lifecycle::enabled(wishes.clone()) } else { Lifecycle::default() };
    let addresses = listeners.iter().map(TcpListener::local_addr).collect::<Result<Vec<_>, _>>()?;
    for port in addresses.iter().map(SocketAddr::port).collect::<BTreeSet<_>>() {
        door::open(supervisor.clone(), port);
    }
    let address = addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let version = env!("CARGO_PKG_VERSION");
    info!(version, revision = REVISION, address, routers, paths, shard = %serve.wanted.shard, "serving");
    let stop = either(stop, quitting);
    let self_info = SelfInfo::new(supervisor.clone());
    let (mount, config) = (serve.mount.clone(), Some(shown));
    let pages = Pages { state, self_info, lifecycle, on_demand, mount, config, wanted, ..Pages::default() };
    let watchdog = notify::keep_alive(supervisor.clone());
    notify::ready();
    let serving = web::serve(listeners, pages, access, stop);
    tokio::select! {
        served = answer(&supervisor, serving) => served?,
        never = watchdog => match never {},
    }
    notify::stopping();
    // The order matters: the conductor would treat the end of the sender of plans as a failure.
    drop((conductor, reloader, wishes));
    info!("stopped");
    Ok(())
}

/// Completes at a signal to stop or a request to quit.
async fn either(stop: impl Future<Output = ()>, mut quitting: watch::Receiver<()>) {
    tokio::select! {
        () = stop => {}
        Ok(()) = quitting.changed() => info!("asked to quit"),
    }
}

/// Answers over HTTP. If this fails the process ends, as no second listener on that address is
/// possible.
async fn answer(
    supervisor: &Supervisor,
    serving: impl Future<Output = anyhow::Result<()>> + Send + 'static,
) -> anyhow::Result<()> {
    let watched = supervisor.watch(Task::Web, "");
    let pulse = watched.pulse();
    let serving = tokio::spawn(async move {
        pulse
            .during(async {
                tokio::select! {
                    served = serving => served,
                    () = fault::points(Task::Web) => Ok(()),
                }
            })
            .await
    });
    serving.await.context("the web listener has died")?
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
    let supervisor = Supervisor::start().context("starting the watchdog")?;
    let reflector = ReflectorServer::open(plan).await?;
    let watched = supervisor.watch(Task::Reflector, "");
    let pulse = watched.pulse();
    let reflecting = tokio::spawn(async move { pulse.during(reflector.run()).await });
    tokio::select! {
        ended = reflecting => {
            ended.context("the reflector has died")?;
            bail!("the reflector has ended");
        }
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
