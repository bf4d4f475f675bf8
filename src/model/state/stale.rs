//! Old data is never shown as current. Its writer may have died, so age is checked when the data is
//! read; no task has to be alive for that.

use std::{sync::Arc, time::Duration};

use rustix::time::{ClockId, clock_gettime};

use crate::{
    language::say,
    model::{
        observation::{Judgement, PathObservation},
        snapshot::{RouterReading, ScrapeError},
        types::{FailureReason, UnknownReason},
        words::seconds,
    },
};

/// Data is old after this many intervals without an update.
const INTERVALS: u32 = 3;
/// Data is never old before this: a path that is probed ten times a second is updated five times a
/// second.
const AT_LEAST: Duration = Duration::from_secs(3);

/// Time since the machine started, including the time it was suspended.
pub(crate) fn now() -> Duration {
    let now = clock_gettime(ClockId::Boottime);
    Duration::new(now.tv_sec.try_into().unwrap_or(0), now.tv_nsec.try_into().unwrap_or(0))
}

/// Whether data that is updated every `interval` is old at this age.
pub(crate) fn is_old(age: Duration, interval: Duration) -> bool {
    age > (interval * INTERVALS).max(AT_LEAST)
}

/// Data with a promised next update.
pub(crate) trait Ageing {
    /// Time within which the next update is promised; absent where none is.
    fn interval(&self) -> Option<Duration>;

    /// When its writer last said that nothing has changed, as time since the machine started.
    fn confirmed_at(&self) -> Duration {
        Duration::ZERO
    }

    /// What may still be shown of it at this age, once it is old.
    fn aged(&self, age: Duration) -> Self;
}

impl Ageing for PathObservation {
    fn interval(&self) -> Option<Duration> {
        self.interval
    }

    fn confirmed_at(&self) -> Duration {
        self.counters.ran_at()
    }

    fn aged(&self, age: Duration) -> Self {
        let words = say!(
            "not probed for {time}: the exporter itself has stopped probing, which says nothing about the path",
            time => seconds(age)
        );
        let judgement = Judgement {
            unknown_reason: Some(UnknownReason::Stale),
            evidence: vec![words],
            settled: true,
            ..Judgement::default()
        };
        let (awaits_reflector, reflector) = (false, None);
        Self {
            judgement,
            awaits_reflector,
            reflector,
            expected_mtu: None,
            testable_mtu: None,
            sizes: Box::default(),
            ..self.clone()
        }
    }
}

impl Ageing for RouterReading {
    fn interval(&self) -> Option<Duration> {
        self.interval
    }

    fn aged(&self, age: Duration) -> Self {
        let Some(current) = &self.current else { return self.clone() };
        let words = format!(
            "not read for {}: the exporter's own reading task has stopped, which says nothing about the \
             router",
            seconds(age)
        );
        let failure = Some(ScrapeError::new(FailureReason::Timeout, words));
        Self { previous: Some(Arc::clone(current)), current: None, failure, ..self.clone() }
    }
}

/// The last update, and when it came.
#[derive(Debug, Clone)]
pub(crate) struct Stamped<T> {
    /// When it came, as time since the machine started.
    pub at: Duration,
    value: Arc<T>,
    /// What may be shown of it while it is too old.
    aged: Option<Arc<T>>,
}

impl<T: Ageing> Stamped<T> {
    /// Stamps a value with the current time.
    pub(crate) fn new(value: Arc<T>) -> Self {
        Self { at: now(), value, aged: None }
    }

    /// Decides what may be shown at `now`.
    pub(crate) fn age(&mut self, now: Duration) {
        let age = now.saturating_sub(self.at.max(self.value.confirmed_at()));
        if !self.value.interval().is_some_and(|interval| is_old(age, interval)) {
            self.aged = None;
        } else if self.aged.is_none() {
            self.aged = Some(Arc::new(self.value.aged(age)));
        }
    }

    /// What may be shown.
    pub(crate) fn shown(&self) -> &Arc<T> {
        self.aged.as_ref().unwrap_or(&self.value)
    }
}
