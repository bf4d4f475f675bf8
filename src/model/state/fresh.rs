//! Nothing old is shown as now: whoever wrote it last may have died, and no task has to be alive for this to be seen.

use std::{sync::Arc, time::Duration};

use rustix::time::{ClockId, clock_gettime};

use crate::model::{
    observation::{Judgement, PathObservation},
    snapshot::{RouterReading, ScrapeError},
    types::{FailureReason, UnknownReason},
};
use crate::text::seconds;

/// So many intervals without news make it old.
const INTERVALS: u32 = 3;
/// Nothing is old before this: what is probed ten times a second is told five times a second.
const AT_LEAST: Duration = Duration::from_secs(3);

/// Since the machine started, the time it slept included.
pub fn now() -> Duration {
    let now = clock_gettime(ClockId::Boottime);
    Duration::new(now.tv_sec.try_into().unwrap_or(0), now.tv_nsec.try_into().unwrap_or(0))
}

/// Whether what is told every `interval` is old at that age.
pub fn is_old(age: Duration, interval: Duration) -> bool {
    age > (interval * INTERVALS).max(AT_LEAST)
}

/// What somebody has promised to tell again.
pub trait Told {
    /// Within which time; absent where nobody has.
    fn interval(&self) -> Option<Duration>;

    /// What is left of it when it is that old.
    fn aged(&self, age: Duration) -> Self;
}

impl Told for PathObservation {
    fn interval(&self) -> Option<Duration> {
        self.interval
    }

    fn aged(&self, age: Duration) -> Self {
        let words = format!(
            "not probed for {}: the exporter's own probing stands still, whatever the path does",
            seconds(age)
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
            ..self.clone()
        }
    }
}

impl Told for RouterReading {
    fn interval(&self) -> Option<Duration> {
        self.interval
    }

    fn aged(&self, age: Duration) -> Self {
        let Some(current) = &self.current else { return self.clone() };
        let words = format!(
            "not read for {}: the exporter's own task that reads it stands still, whatever the router does",
            seconds(age)
        );
        let failure = Some(ScrapeError::new(FailureReason::Timeout, words));
        Self { previous: Some(Arc::clone(current)), current: None, failure, ..self.clone() }
    }
}

/// The last that was told, and when.
#[derive(Debug, Clone)]
pub struct Stamped<T> {
    at: Duration,
    is_old: bool,
    /// What is left of it now.
    pub value: Arc<T>,
}

impl<T: Told> Stamped<T> {
    /// Told now.
    pub fn new(value: T) -> Self {
        Self { at: now(), is_old: false, value: Arc::new(value) }
    }

    /// Takes away what is too old at that time, once.
    pub fn age(&mut self, now: Duration) {
        let age = now.saturating_sub(self.at);
        if !self.is_old && self.value.interval().is_some_and(|interval| is_old(age, interval)) {
            self.is_old = true;
            self.value = Arc::new(self.value.aged(age));
        }
    }
}
