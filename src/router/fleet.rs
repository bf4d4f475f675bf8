//! All routers of a plan: a worker for each, a bounded number of threads for all of them.
//!
//! A worker owns its router's session and borrows a thread only while it reads. A thread that does not
//! return by its deadline is given up and its place is free again, so that routers that hang never use up the
//! places of the others.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures_util::future::join_all;
use tokio::{
    sync::{Semaphore, watch},
    time::{Instant, sleep, sleep_until},
};

use super::{Worker, backoff::Backoff, slots::Slots};
use crate::{
    model::{
        plan::{Plan, RouterPlan},
        snapshot::RouterReading,
        state::State,
        types::RouterName,
    },
    process::supervise::{Kept, Pulse, Supervisor, Task, fault},
};

/// Between the first reads of two routers: a key exchange costs some ten milliseconds of CPU.
const FIRST_READS: Duration = Duration::from_millis(50);

/// A router that is only looked at for what it may be the end of is read every so many intervals.
const SURVEY: u32 = 10;

/// A scrape bounds itself, to its timeout and a second; this much beyond is allowed for.
const SLACK: Duration = Duration::from_secs(2);

/// The routers that are read at every interval.
pub type Watched = Arc<BTreeSet<RouterName>>;

/// Reads all routers of a plan, and of the next plan.
#[derive(Debug)]
pub struct Fleet {
    rounds: Rounds,
    supervisor: Supervisor,
    watched: watch::Sender<Watched>,
    threads: usize,
    running: BTreeMap<RouterName, (RouterPlan, Kept)>,
    /// The last readings of routers that are gone: their counts go on if they come back.
    retired: BTreeMap<RouterName, Arc<RouterReading>>,
}

/// What all workers share.
#[derive(Debug, Clone)]
struct Rounds {
    state: State,
    began: Instant,
    threads: Arc<Semaphore>,
    watched: watch::Receiver<Watched>,
}

impl Fleet {
    /// Reads nothing yet.
    #[must_use]
    pub fn new(state: State) -> Self {
        let (watched, watching) = watch::channel(Watched::default());
        let rounds =
            Rounds { state, began: Instant::now(), threads: Arc::new(Semaphore::new(0)), watched: watching };
        let supervisor = Supervisor::default();
        Self { rounds, supervisor, watched, threads: 0, running: BTreeMap::new(), retired: BTreeMap::new() }
    }

    /// Has its workers looked after by that supervisor.
    #[must_use]
    pub fn supervised_by(self, supervisor: Supervisor) -> Self {
        Self { supervisor, ..self }
    }

    /// Reads the routers of `plan`. One whose entry is the same as before keeps its session and its worker, one
    /// that is gone or changed is let go.
    pub async fn follow(&mut self, plan: &Plan) {
        self.resize(plan.router_workers);
        let entries: BTreeMap<_, _> = plan.routers.iter().map(|router| (&router.name, router)).collect();
        let unchanged = |name: &RouterName, running: &RouterPlan| entries.get(name) == Some(&running);
        let gone: Vec<_> =
            self.running.extract_if(.., |name, (router, _)| !unchanged(name, router)).collect();
        let (names, workers): (Vec<_>, Vec<_>) =
            gone.into_iter().map(|(name, (_, kept))| (name, kept)).unzip();
        // Only when it has ended it puts no reading any more.
        join_all(workers.into_iter().map(Kept::stop)).await;
        for name in names {
            if let Some(reading) = self.rounds.state.take_router(&name) {
                self.retired.insert(name, reading);
            }
        }
        let mut first_read = Duration::ZERO;
        for router in &plan.routers {
            if self.running.contains_key(&router.name) {
                continue;
            }
            let mut worker = Worker::new(router);
            // Of this fleet, or of one that died.
            let former = self.retired.remove(&router.name);
            if let Some(former) = former.or_else(|| self.rounds.state.reading(&router.name)) {
                worker.go_on_from(&former);
            }
            self.rounds.state.put_router(worker.reading().clone());
            let kept = self.keep(router.clone(), worker, first_read.min(router.scrape_interval));
            self.running.insert(router.name.clone(), (router.clone(), kept));
            first_read += FIRST_READS;
        }
        self.rounds.state.order_routers(plan.routers.iter().map(|router| &router.name));
    }

    /// Keeps a router's worker running. One that died counts on from the readings of the one before; it begins after an interval,
    /// so that a router whose reading it does not survive is not read without end.
    fn keep(&self, router: RouterPlan, worker: Worker, first_read: Duration) -> Kept {
        let (rounds, name) = (self.rounds.clone(), router.name.clone());
        let mut first = Some(worker);
        self.supervisor.keep(Task::RouterWorker, name.as_str(), move |pulse| {
            let wait = if first.is_some() { first_read } else { router.scrape_interval };
            let worker = first.take().unwrap_or_else(|| {
                let mut worker = Worker::new(&router);
                if let Some(former) = rounds.state.reading(&router.name) {
                    worker.go_on_from(&former);
                }
                worker.former_died();
                rounds.state.put_router(worker.reading().clone());
                worker
            });
            rounds.clone().run(worker, wait, pulse)
        })
    }

    /// Reads these at every interval from now on, the others now and then.
    pub fn watch(&self, routers: BTreeSet<RouterName>) {
        self.watched.send_if_modified(|watched| {
            let differs = **watched != routers;
            if differs {
                *watched = routers.into();
            }
            differs
        });
    }

    fn resize(&mut self, threads: usize) {
        let fewer = self.threads.saturating_sub(threads);
        self.rounds.threads.add_permits(threads.saturating_sub(self.threads));
        self.threads = threads;
        if let Some(fewer) = u32::try_from(fewer).ok().filter(|fewer| *fewer > 0) {
            let threads = Arc::clone(&self.rounds.threads);
            tokio::spawn(async move {
                // It is never closed.
                if let Ok(places) = threads.acquire_many(fewer).await {
                    places.forget();
                }
            });
        }
    }
}

impl Rounds {
    /// Reads one router for ever: first after `wait`, then at its slots, after failures less and less often.
    async fn run(mut self, mut worker: Worker, wait: Duration, pulse: Pulse) {
        let slots = Slots::of(&worker.plan().name);
        let mut backoff = Backoff::default();
        pulse.during(sleep(wait)).await;
        loop {
            let place = pulse.during(Arc::clone(&self.threads).acquire_owned()).await;
            let Ok(place) = place else { return };
            fault::point(Task::RouterWorker).await;
            let start = self.began.elapsed();
            let most = worker.plan().scrape_timeout + SLACK;
            let mut reading = pulse.within(most, worker.scrape()).await;
            reading.interval = Some(self.interval(worker.plan()));
            drop(place);
            let failed = reading.failure.is_some();
            self.state.put_router(reading);
            if failed {
                pulse.during(sleep(backoff.failed(fastrand::f64()))).await;
            } else {
                backoff.reset();
                pulse.during(self.wait(worker.plan(), &slots, start)).await;
            }
        }
    }

    /// How often the router is read now.
    fn interval(&mut self, router: &RouterPlan) -> Duration {
        let watched = self.watched.borrow_and_update().contains(&router.name);
        router.scrape_interval * if watched { 1 } else { SURVEY }
    }

    /// Waits for the slot after a read that began at `start`; looks for another when the pace changes.
    async fn wait(&mut self, router: &RouterPlan, slots: &Slots, start: Duration) {
        loop {
            let interval = self.interval(router);
            tokio::select! {
                () = sleep_until(self.began + slots.next(start, interval)) => return,
                Ok(()) = self.watched.changed() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
