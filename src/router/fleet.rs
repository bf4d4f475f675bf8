//! All routers of a plan: one worker each, and a bounded number of threads for all of them.
//!
//! A worker owns its router's session and takes a thread only while it reads. A thread that does
//! not return by its deadline is abandoned and its place is freed, so that hanging routers never
//! use up the places of the others.

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

use super::{Worker, backoff::Backoff, legs, slots::Slots};
use crate::{
    model::{
        leg::LegAsk,
        plan::{Plan, RouterPlan},
        snapshot::RouterReading,
        state::State,
        types::RouterName,
    },
    process::supervise::{Kept, Pulse, Supervisor, Task, fault},
};

/// Time between the first reads of two routers: a key exchange costs some ten milliseconds of CPU.
const FIRST_READS: Duration = Duration::from_millis(30);

/// A router that is read only because tunnels may end on it is read once in this many intervals.
const SURVEY: u32 = 10;

/// A scrape ends by itself one second after its timeout at the latest. This much more is allowed.
const SLACK: Duration = Duration::from_secs(2);

/// Between the end of measuring a leg and the next scrape, at least.
const BEFORE_SCRAPE: Duration = Duration::from_millis(300);

/// The routers that are read at every interval.
pub(crate) type WatchedRouters = Arc<BTreeSet<RouterName>>;

/// The legs of the underlay that each router is to measure.
pub(crate) type AskedLegs = Arc<BTreeMap<RouterName, Vec<LegAsk>>>;

/// Reads all routers of a plan, and follows changes of the plan.
#[derive(Debug)]
pub struct Fleet {
    rounds: Rounds,
    supervisor: Supervisor,
    watched: watch::Sender<WatchedRouters>,
    asked: watch::Sender<AskedLegs>,
    threads: usize,
    running: BTreeMap<RouterName, (RouterPlan, Kept)>,
    /// The last readings of routers that were removed, so that their counts continue if they
    /// return.
    retired: BTreeMap<RouterName, Arc<RouterReading>>,
}

/// What all workers share.
#[derive(Debug, Clone)]
struct Rounds {
    state: State,
    began: Instant,
    threads: Arc<Semaphore>,
    watched: watch::Receiver<WatchedRouters>,
    asked: watch::Receiver<AskedLegs>,
}

impl Fleet {
    /// A fleet without routers.
    #[must_use]
    pub fn new(state: State) -> Self {
        let (watched, watching) = watch::channel(WatchedRouters::default());
        let (asked, asking) = watch::channel(AskedLegs::default());
        let threads = Arc::new(Semaphore::new(0));
        let rounds = Rounds { state, began: Instant::now(), threads, watched: watching, asked: asking };
        let supervisor = Supervisor::default();
        Self {
            rounds,
            supervisor,
            watched,
            asked,
            threads: 0,
            running: BTreeMap::new(),
            retired: BTreeMap::new(),
        }
    }

    /// Has `supervisor` restart its workers.
    #[must_use]
    pub(crate) fn supervised_by(self, supervisor: Supervisor) -> Self {
        Self { supervisor, ..self }
    }

    /// Reads the routers of `plan` from now on. A router whose entry is unchanged keeps its session
    /// and its worker; the workers of removed and changed entries are stopped.
    pub async fn follow(&mut self, plan: &Plan) {
        self.resize(plan.router_workers);
        let entries: BTreeMap<_, _> = plan.routers.iter().map(|router| (&router.name, router)).collect();
        let unchanged = |name: &RouterName, running: &RouterPlan| entries.get(name) == Some(&running);
        let gone: Vec<_> =
            self.running.extract_if(.., |name, (router, _)| !unchanged(name, router)).collect();
        let (names, workers): (Vec<_>, Vec<_>) =
            gone.into_iter().map(|(name, (_, kept))| (name, kept)).unzip();
        // Only after the worker has ended can no further reading of it arrive.
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
            // A reading of this fleet, or of a former fleet that died.
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

    /// Keeps a router's worker running. A worker that replaces a dead one continues its counts. It
    /// starts after one interval: if reading this router is what kills the worker, it must not be
    /// read in a tight loop.
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

    /// Reads these routers at every interval from now on, the others less often.
    pub(crate) fn watch(&self, routers: BTreeSet<RouterName>) {
        self.watched.send_if_modified(|watched| {
            let differs = **watched != routers;
            if differs {
                *watched = routers.into();
            }
            differs
        });
    }

    /// Has routers measure these legs from now on, between their scrapes.
    pub(crate) fn ask(&self, legs: &BTreeMap<RouterName, Vec<LegAsk>>) {
        self.asked.send_if_modified(|asked| {
            let differs = **asked != *legs;
            if differs {
                *asked = Arc::new(legs.clone());
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
                // Fails only if the semaphore is closed, which it never is.
                if let Ok(places) = threads.acquire_many(fewer).await {
                    places.forget();
                }
            });
        }
    }
}

impl Rounds {
    /// Reads one router forever: first after `wait`, then in its slots, less and less often after
    /// failures.
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
            let interval = self.interval(worker.plan());
            reading.interval = Some(interval);
            let failed = reading.failure.is_some();
            self.state.put_router(reading);
            drop(place);
            if !failed {
                let next = self.began + slots.next(start, interval);
                self.measure_leg(&mut worker, next, interval, &pulse).await;
            }
            if failed {
                pulse.during(sleep(backoff.failed(fastrand::f64()))).await;
            } else {
                backoff.reset();
                pulse.during(self.wait(worker.plan(), &slots, start)).await;
            }
        }
    }

    /// Measures a leg, if one is asked for, in the time until the next scrape. Not while other
    /// routers wait for a thread: their scrapes would be late.
    async fn measure_leg(&self, worker: &mut Worker, next: Instant, interval: Duration, pulse: &Pulse) {
        let asked = Arc::clone(&self.asked.borrow());
        let none = Vec::new();
        let asks = asked.get(&worker.plan().name).unwrap_or(&none);
        if asks.is_empty() && worker.reading().legs.is_empty() {
            return;
        }
        let Ok(_place) = Arc::clone(&self.threads).try_acquire_owned() else { return };
        let left = next.saturating_duration_since(Instant::now()).saturating_sub(BEFORE_SCRAPE);
        let until = std::time::Instant::now() + left.min(legs::TURN);
        let measured =
            pulse.within(left.min(legs::TURN) + legs::LATE + SLACK, worker.measure_leg(asks, until)).await;
        if let Some(mut reading) = measured {
            reading.interval = Some(interval);
            self.state.put_router(reading);
        }
    }

    /// How often the router is read at present.
    fn interval(&mut self, router: &RouterPlan) -> Duration {
        let watched = self.watched.borrow_and_update().contains(&router.name);
        router.scrape_interval * if watched { 1 } else { SURVEY }
    }

    /// Waits for the next slot after a read that began at `start`; recomputes it when the pace
    /// changes.
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
