//! What runs under the plan in use: router workers, the probe engine, the reflector, and the join
//! of their results.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use pnet::ipnetwork::IpNetwork;
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::{Mutex as AsyncMutex, mpsc, oneshot, watch},
    task::block_in_place,
    time::{sleep, sleep_until},
};
use tracing::error;

use super::{probing::Probing, reflecting::Reflecting};
use crate::{
    model::{
        on_demand::OnDemandPlan,
        plan::{Plan, ProbeNow},
        state::State,
    },
    overlay::{share, tunnel::Assessor},
    process::supervise::{Kept, Pulse, Supervisor, Task, fault},
    router::fleet::Fleet,
};

/// Shortest time between two joins.
const JOIN: Duration = Duration::from_millis(100);
/// Joining a large picture takes at most one part in this many of a CPU when something new is known
/// of paths or routers.
const JOIN_SHARE: u32 = 10;
/// The same when a router was read and only its counters have changed: with hundreds of routers one
/// is read every few milliseconds.
const COUNTERS_SHARE: u32 = 100;
/// They are never held back longer than this.
const COUNTERS_AT_LEAST: Duration = Duration::from_secs(5);

/// Longest time between two joins, even without changes: data becomes too old by the mere lack of
/// updates.
const JOIN_ANEW: Duration = Duration::from_secs(10);
/// How often it reports progress.
const TURN: Duration = Duration::from_secs(1);
/// Longest time that switching to another plan may take: workers in the middle of a read are let
/// go.
const FOLLOW: Duration = Duration::from_mins(1);

/// The next plan, and a channel to report that it runs.
pub type NextPlan = (Plan, oneshot::Sender<anyhow::Result<()>>);

/// State that outlives a conductor. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Conducting {
    /// The plan in use.
    plan: Arc<Mutex<Plan>>,
    state: State,
    supervisor: Supervisor,
    web_sources: Arc<watch::Sender<Vec<IpNetwork>>>,
    probe_now: Arc<watch::Sender<ProbeNow>>,
    on_demand: Arc<watch::Sender<OnDemandPlan>>,
    /// The configuration in use as text.
    shown: Arc<watch::Sender<Arc<str>>>,
    plans: Arc<AsyncMutex<mpsc::Receiver<NextPlan>>>,
}

impl Conducting {
    /// Starts with this plan; `plans` brings later ones.
    #[must_use]
    pub fn new(plan: Plan, state: State, supervisor: Supervisor, plans: mpsc::Receiver<NextPlan>) -> Self {
        let web_sources = Arc::new(watch::Sender::new(plan.web_sources.clone()));
        let probe_now = Arc::new(watch::Sender::new(plan.probe_now));
        let on_demand = Arc::new(watch::Sender::new(plan.on_demand.clone()));
        let shown = Arc::new(watch::Sender::new(Arc::clone(&plan.shown)));
        let (plan, plans) = (Arc::new(Mutex::new(plan)), Arc::new(AsyncMutex::new(plans)));
        Self { plan, state, supervisor, web_sources, probe_now, on_demand, shown, plans }
    }

    /// The networks that may read metrics and pages, according to the plan in use.
    #[must_use]
    pub fn web_sources(&self) -> watch::Receiver<Vec<IpNetwork>> {
        self.web_sources.subscribe()
    }

    /// Whose requests may have a path probed at once, according to the plan in use.
    #[must_use]
    pub fn probe_now(&self) -> watch::Receiver<ProbeNow> {
        self.probe_now.subscribe()
    }

    /// What `/probe` may be asked, according to the plan in use.
    #[must_use]
    pub fn on_demand(&self) -> watch::Receiver<OnDemandPlan> {
        self.on_demand.subscribe()
    }

    /// The configuration in use as text, without secrets.
    #[must_use]
    pub fn shown(&self) -> watch::Receiver<Arc<str>> {
        self.shown.subscribe()
    }

    /// Starts everything and keeps it running: if a conductor dies, everything it ran ends with it
    /// and is started again.
    pub async fn keep(self) -> anyhow::Result<Kept> {
        let mut first = Some(Conductor::start(&self).await?);
        let supervisor = self.supervisor.clone();
        Ok(supervisor.keep(Task::Conductor, "", move |pulse| {
            let (first, shared) = (first.take(), self.clone());
            async move {
                let conductor = match first {
                    Some(conductor) => Ok(conductor),
                    None => pulse.within(FOLLOW, Conductor::start(&shared)).await,
                };
                match conductor {
                    Ok(conductor) => conductor.run(&mut *shared.plans.lock().await, &pulse).await,
                    Err(error) => error!(error = format!("{error:#}"), "cannot start again"),
                }
            }
        }))
    }

    fn plan(&self) -> Plan {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put_plan(&self, plan: Plan) {
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = plan;
    }
}

/// Keeps everything in accordance with one plan.
struct Conductor {
    shared: Conducting,
    plan: Plan,
    state: State,
    fleet: Fleet,
    probing: Probing,
    assessor: Assessor,
    reflecting: Reflecting,
}

impl Conductor {
    /// Starts everything.
    async fn start(shared: &Conducting) -> anyhow::Result<Self> {
        let (plan, state, supervisor) = (shared.plan(), shared.state.clone(), shared.supervisor.clone());
        let mut fleet = Fleet::new(state.clone()).supervised_by(supervisor.clone());
        fleet.follow(&plan).await;
        let probing = Probing::start(plan.paths.clone(), plan.probe_budget_pps, state.clone(), &supervisor)?;
        let mut reflecting = Reflecting::new(state.clone(), supervisor);
        reflecting.follow(plan.reflector.as_ref()).await;
        let assessor = Assessor::new(&plan);
        let shared = shared.clone();
        let mut conductor = Self { shared, plan, state, fleet, probing, assessor, reflecting };
        conductor.join();
        Ok(conductor)
    }

    /// Joins whenever something has changed, and switches to each new plan.
    async fn run(mut self, plans: &mut mpsc::Receiver<NextPlan>, pulse: &Pulse) {
        let mut next = Next::now();
        loop {
            pulse.promise(TURN * 2);
            fault::point(Task::Conductor).await;
            let state = self.state.clone();
            let changed = async {
                sleep_until(next.soon).await;
                let counted = async {
                    sleep_until(next.counters).await;
                    state.counted().await;
                };
                tokio::select! {
                    () = state.changed() => {}
                    () = counted => {}
                    () = sleep_until(next.anew) => {}
                }
            };
            tokio::select! {
                () = changed => {
                    next = self.join();
                }
                plan = plans.recv() => {
                    let Some((plan, done)) = plan else { return };
                    // The receiver is gone only while the process ends.
                    let _ = done.send(pulse.within(FOLLOW, self.follow(plan)).await);
                }
                () = sleep(TURN) => {}
            }
        }
    }

    /// Switches to another plan; on an error everything stays as it was.
    async fn follow(&mut self, plan: Plan) -> anyhow::Result<()> {
        self.probing.follow(plan.paths.clone(), plan.probe_budget_pps).await?;
        self.fleet.follow(&plan).await;
        self.reflecting.follow(plan.reflector.as_ref()).await;
        self.assessor.follow(&plan);
        self.shared.web_sources.send_replace(plan.web_sources.clone());
        self.shared.probe_now.send_replace(plan.probe_now);
        self.shared.on_demand.send_replace(plan.on_demand.clone());
        self.shared.shown.send_replace(Arc::clone(&plan.shown));
        self.shared.put_plan(plan.clone());
        self.plan = plan;
        // So that the next scrape already shows the new picture.
        self.join();
        Ok(())
    }

    /// Joins readings and observations into the picture; returns the times of the next join.
    fn join(&mut self) -> Next {
        let began = Instant::now();
        let present = self.state.present();
        let overlay = off_the_async_threads(|| self.assessor.assess(&present.routers, &present.paths));
        self.fleet.watch(share::watched(&self.plan, &overlay));
        self.fleet.ask(&overlay.asks);
        self.state.put_overlay(overlay);
        let next = Next::after(began.elapsed());
        self.state.join_again_within(next.anew.saturating_duration_since(tokio::time::Instant::now()));
        next
    }
}

/// When readings and observations are joined next.
#[derive(Debug, Clone, Copy)]
struct Next {
    /// From this time on if more than counters has changed.
    soon: tokio::time::Instant,
    /// From this time on if only counters of a router have.
    counters: tokio::time::Instant,
    /// At this time whatever has changed.
    anew: tokio::time::Instant,
}

impl Next {
    fn now() -> Self {
        let now = tokio::time::Instant::now();
        Self { soon: now, counters: now, anew: now + JOIN_ANEW }
    }

    /// After a join that took so long.
    fn after(took: Duration) -> Self {
        let now = tokio::time::Instant::now();
        let soon = now + JOIN.max(took * (JOIN_SHARE - 1));
        let counters = soon.max(now + (took * (COUNTERS_SHARE - 1)).min(COUNTERS_AT_LEAST));
        Self { soon, counters, anew: soon + JOIN_ANEW }
    }
}

/// Runs slow work. In a runtime with several threads, this thread hands its other tasks to another
/// one meanwhile.
fn off_the_async_threads<T>(work: impl FnOnce() -> T) -> T {
    let several = Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread;
    if several { block_in_place(work) } else { work() }
}
