//! What runs, by the plan in use: router workers, the probe engine, the reflector, and the join of what they say.

use std::time::{Duration, Instant};

use anyhow::Context;
use pnet::ipnetwork::IpNetwork;
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::{mpsc, oneshot, watch},
    task::block_in_place,
    time::sleep_until,
};

use super::reflecting::Reflecting;
use crate::{
    overlay::{share, tunnel::Assessor},
    plan::Plan,
    probe::{Engine, engine::Helm},
    router::fleet::Fleet,
    state::State,
};

/// The picture is joined anew at most this often.
const JOIN: Duration = Duration::from_millis(100);
/// Joining a large picture takes at most one part in so many of a CPU.
const JOIN_SHARE: u32 = 10;

/// A plan to go over to, and where to say that it runs.
pub type NextPlan = (Plan, oneshot::Sender<anyhow::Result<()>>);

/// Keeps everything in step with one plan.
pub struct Conductor {
    plan: Plan,
    state: State,
    fleet: Fleet,
    helm: Helm,
    assessor: Assessor,
    reflecting: Reflecting,
    web_sources: watch::Sender<Vec<IpNetwork>>,
}

impl Conductor {
    /// Starts everything.
    pub async fn start(plan: Plan, state: State) -> anyhow::Result<Self> {
        let web_sources = watch::Sender::new(plan.web_sources.clone());
        let mut fleet = Fleet::new(state.clone());
        fleet.follow(&plan).await;
        let engine = Engine::new(plan.paths.clone(), plan.probe_budget_pps, state.clone());
        let engine = engine.context("starting to probe")?;
        let helm = engine.helm();
        tokio::spawn(engine.run());
        let mut reflecting = Reflecting::new(state.clone());
        reflecting.follow(plan.reflector.as_ref()).await;
        let assessor = Assessor::new(&plan);
        let mut conductor = Self { plan, state, fleet, helm, assessor, reflecting, web_sources };
        conductor.join();
        Ok(conductor)
    }

    /// Who may ask for metrics and pages, by the plan in use.
    #[must_use]
    pub fn web_sources(&self) -> watch::Receiver<Vec<IpNetwork>> {
        self.web_sources.subscribe()
    }

    /// Joins whenever something has changed, and goes over to each plan that comes.
    pub async fn run(mut self, mut plans: mpsc::Receiver<NextPlan>) {
        let mut next_join = tokio::time::Instant::now();
        loop {
            let state = self.state.clone();
            let changed = async {
                sleep_until(next_join).await;
                state.changed().await;
            };
            tokio::select! {
                () = changed => next_join = self.join(),
                next = plans.recv() => {
                    let Some((plan, done)) = next else { return };
                    // Nobody waits for it only while the process ends.
                    let _ = done.send(self.follow(plan).await);
                }
            }
        }
    }

    /// Goes over to another plan; on an error everything stays as it was.
    async fn follow(&mut self, plan: Plan) -> anyhow::Result<()> {
        self.helm.follow(plan.paths.clone(), plan.probe_budget_pps).await?;
        self.fleet.follow(&plan).await;
        self.reflecting.follow(plan.reflector.as_ref()).await;
        self.assessor.follow(&plan);
        self.web_sources.send_replace(plan.web_sources.clone());
        self.plan = plan;
        // Whoever asked for it sees the new picture in his next scrape.
        self.join();
        Ok(())
    }

    /// Joins readings and observations into the picture; returns the earliest time of the next.
    fn join(&mut self) -> tokio::time::Instant {
        let began = Instant::now();
        let present = self.state.present();
        let overlay = off_the_async_threads(|| self.assessor.assess(&present.routers, &present.paths));
        self.fleet.watch(share::watched(&self.plan, &overlay));
        self.state.put_overlay(overlay);
        tokio::time::Instant::now() + JOIN.max(began.elapsed() * (JOIN_SHARE - 1))
    }
}

/// Does what takes a while: this thread hands its other tasks to another one meanwhile. A runtime of one thread has none.
fn off_the_async_threads<T>(work: impl FnOnce() -> T) -> T {
    let several = Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread;
    if several { block_in_place(work) } else { work() }
}
