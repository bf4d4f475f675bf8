//! One scrape of one router, and its counts.
//!
//! One worker per router. Blocking calls run on a thread of their own, so that neither a dead
//! router nor a hanging resolver can hold up the process, its exit, or another router. At most one
//! thread per router ever hangs: until it returns, no other is started.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::Arc,
    thread,
    time::{Duration, Instant, SystemTime},
};

use tokio::{
    sync::oneshot::{self, error::TryRecvError},
    time::timeout,
};

use super::{
    bounds,
    chain::Chain,
    legs::LATE,
    shell::{no_thread, timed_out},
};
use crate::{
    model::{
        leg::{LegAsk, LegReading},
        plan::RouterPlan,
        snapshot::{RouterReading, RouterSnapshot, ScrapeError},
        types::{Dropped, FailureReason, InterfaceName, dropped},
    },
    recency::Recency,
    text::{Sentence, Text},
};

/// A thread that has not returned this long after the deadline is abandoned.
const GRACE: Duration = Duration::from_secs(1);

/// What a thread returns: the session, and what it has done.
type Worked = (Chain, Done);

/// What was done on a thread.
#[derive(Debug)]
enum Done {
    /// The snapshot, and what was left out with the first reason.
    Scrape(Box<Result<RouterSnapshot, ScrapeError>>, (Dropped, Option<Sentence>)),
    /// All legs that are asked for.
    Legs(BTreeMap<IpAddr, LegReading>),
}

fn no_result() -> ScrapeError {
    let message = "reading stopped without a result; this is a bug, please report it with the log";
    ScrapeError::new(FailureReason::Parse, message)
}

/// Reads one router.
#[derive(Debug)]
pub struct Worker {
    plan: RouterPlan,
    /// Absent while a scrape runs, and after one that did not return.
    reader: Option<Chain>,
    /// An abandoned thread that has not returned.
    hung: Option<oneshot::Receiver<Worked>>,
    reading: RouterReading,
    last: Option<Arc<RouterSnapshot>>,
    devices: Devices,
    /// The state that was last logged.
    logged_up: Option<bool>,
}

impl Worker {
    /// A worker that has not read anything yet.
    #[must_use]
    pub fn new(plan: &RouterPlan) -> Self {
        let mut reading = RouterReading::new(plan.name.clone(), plan.site.clone(), plan.addresses.clone());
        reading.failures = FailureReason::ALL.iter().map(|reason| (*reason, 0)).collect();
        Self {
            plan: plan.clone(),
            reader: None,
            hung: None,
            reading,
            last: None,
            devices: Devices::default(),
            logged_up: None,
        }
    }

    /// Turns the log off, for a caller that reports each reading itself: a failure is reported
    /// once.
    #[must_use]
    pub(crate) fn without_log(self) -> Self {
        Self { logged_up: Some(false), ..self }
    }

    /// The plan of its router.
    #[must_use]
    pub(crate) fn plan(&self) -> &RouterPlan {
        &self.plan
    }

    /// Continues the counts of a former worker of this router.
    pub(crate) fn go_on_from(&mut self, former: &RouterReading) {
        self.reading.failures.clone_from(&former.failures);
        self.reading.recreations.clone_from(&former.recreations);
        self.reading.dropped.clone_from(&former.dropped);
    }

    /// Called if the former worker of this router died: nothing is known until this one has read
    /// it.
    pub(crate) fn former_died(&mut self) {
        self.failed(ScrapeError::new(
            FailureReason::Parse,
            "the task that reads it has died; this is a bug, please report it with the log",
        ));
        self.reading.scrapes += 1;
    }

    /// What is known of the router at present.
    #[must_use]
    pub fn reading(&self) -> &RouterReading {
        &self.reading
    }

    /// One scrape, finished by the router's `scrape_timeout` (one second later if its thread
    /// hangs).
    pub async fn scrape(&mut self) -> RouterReading {
        let start = Instant::now();
        let outcome = self.read(start + self.plan.scrape_timeout).await;
        self.reading.duration = start.elapsed();
        self.reading.scrapes += 1;
        match outcome {
            Ok(snapshot) => self.succeeded(Arc::new(snapshot)),
            Err(error) => self.failed(error),
        }
        self.reading.clone()
    }

    /// Measures a leg of the underlay by pings of the router, if one is due and there is time until
    /// `until`. Returns the reading with it; `None` if nothing was measured.
    pub(crate) async fn measure_leg(&mut self, asks: &[LegAsk], until: Instant) -> Option<RouterReading> {
        // Without a present reading there is no session either.
        self.reading.current.as_ref()?;
        if self.hung.is_some() {
            return None;
        }
        let asks = asks.to_vec();
        let measured =
            self.on_thread(until + LATE, move |reader| Done::Legs(reader.measure_leg(&asks, until))).await;
        let Ok(Done::Legs(legs)) = measured else { return None };
        let is_news = legs != self.reading.legs;
        self.reading.legs = legs;
        is_news.then(|| self.reading.clone())
    }

    async fn read(&mut self, deadline: Instant) -> Result<RouterSnapshot, ScrapeError> {
        if let Some(mut hung) = self.hung.take() {
            // A session that returns so late is not used again.
            if hung.try_recv().is_err_and(|error| error == TryRecvError::Empty) {
                self.hung = Some(hung);
                return Err(timed_out("waiting for a thread that does not return from an earlier scrape"));
            }
        }
        let limits = self.plan.limits;
        let scrape = move |reader: &mut Chain| {
            let (outcome, left_out) = bounds::within(limits, deadline, || reader.scrape(deadline));
            Done::Scrape(Box::new(outcome), (left_out, bounds::why()))
        };
        match self.on_thread(deadline, scrape).await? {
            Done::Scrape(outcome, left_out) => {
                if outcome.is_ok() {
                    self.leave_out(left_out);
                }
                *outcome
            }
            Done::Legs(_) => Err(no_result()),
        }
    }

    /// Has the reader work on a thread of its own. One that does not return after `deadline` is
    /// abandoned.
    async fn on_thread(
        &mut self,
        deadline: Instant,
        work: impl FnOnce(&mut Chain) -> Done + Send + 'static,
    ) -> Result<Done, ScrapeError> {
        let mut reader = self.reader.take().unwrap_or_else(|| Chain::new(&self.plan));
        let (tell, mut told) = oneshot::channel();
        thread::Builder::new()
            .name(format!("read {}", self.plan.name))
            .spawn(move || {
                let done = work(&mut reader);
                // If the router was removed from the configuration, nobody receives this.
                let _ = tell.send((reader, done));
            })
            .map_err(|error| no_thread(&error))?;
        match timeout(deadline.saturating_duration_since(Instant::now()) + GRACE, &mut told).await {
            Ok(Ok((reader, done))) => {
                self.reader = Some(reader);
                Ok(done)
            }
            Ok(Err(_)) => Err(no_result()),
            Err(_) => {
                self.hung = Some(told);
                Err(timed_out("waiting for a thread that does not return"))
            }
        }
    }

    /// Counts what the last scrape left out; logs it when its kinds change.
    fn leave_out(&mut self, (left_out, why): (Dropped, Option<Sentence>)) {
        for (kind, number) in &left_out {
            *self.reading.dropped.entry(*kind).or_default() += number;
        }
        let router = &self.plan.name;
        if !left_out.keys().eq(self.reading.left_out.keys()) {
            if left_out.is_empty() {
                tracing::info!(%router, "the router's whole output is understood again");
            } else {
                let (words, remedy) = (dropped::said(&left_out), dropped::remedy(&left_out, why.as_ref()));
                tracing::warn!(%router, "the router's output is understood only in part, left out: \
                                         {words}; {remedy}");
            }
        }
        (self.reading.left_out, self.reading.left_out_why) = (left_out, why);
    }

    fn succeeded(&mut self, snapshot: Arc<RouterSnapshot>) {
        self.devices.see(&snapshot, &mut self.reading.recreations);
        self.reading.previous = self.last.replace(Arc::clone(&snapshot));
        self.reading.current = Some(snapshot);
        self.reading.failure = None;
        self.reading.last_success = Some(SystemTime::now());
        if self.logged_up != Some(true) {
            tracing::info!(router = %self.plan.name, "router read");
            self.logged_up = Some(true);
        }
    }

    fn failed(&mut self, error: ScrapeError) {
        *self.reading.failures.entry(error.reason).or_default() += 1;
        self.reading.current = None;
        // Not measured anew while the router is away, so no longer shown.
        self.reading.legs.clear();
        self.reading.previous.clone_from(&self.last);
        // Logged once per change: a router that stays down must not fill the log.
        if self.logged_up == Some(false) {
            tracing::debug!(router = %self.plan.name, reason = %error.reason, "{}", error.message);
        } else {
            tracing::warn!(router = %self.plan.name, reason = %error.reason, "router not read: {}", error.message);
            self.logged_up = Some(false);
        }
        self.reading.failure = Some(error);
    }
}

/// The kernel's index of each vxlan device since the router started. VyOS re-creates a device whose
/// VNI, remote or port changes, and its counters restart.
#[derive(Debug, Default)]
struct Devices {
    names: Recency<InterfaceName>,
    boot_id: Option<Text>,
    indexes: BTreeMap<InterfaceName, u32>,
}

impl Devices {
    /// Counts the devices whose index has changed, per device.
    fn see(&mut self, snapshot: &RouterSnapshot, recreations: &mut BTreeMap<InterfaceName, u64>) {
        // Not every method shows the boot id.
        if snapshot.boot_id.is_some() && self.boot_id != snapshot.boot_id {
            self.boot_id.clone_from(&snapshot.boot_id);
            self.indexes.clear();
        }
        for link in snapshot.vxlan_links() {
            let count = recreations.entry(link.name.clone()).or_default();
            if let Some(index) = link.ifindex {
                let before = self.indexes.insert(link.name.clone(), index);
                *count += u64::from(before.is_some_and(|before| before != index));
            }
        }
        for name in self.names.see(snapshot.vxlan_links().map(|link| &link.name), recreations.keys()) {
            recreations.remove(&name);
            self.indexes.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests;
