//! What is remembered of one path.

use std::time::SystemTime;

use super::{
    changes::{Change, Changes},
    minutes::Minutes,
    scale::{self, NOTHING},
};
use crate::{
    language::{Between, Said, say},
    model::{
        observation::{Judgement, PathObservation, RttHistogram},
        types::{Bytes, Direction, UnknownReason, Verdict},
    },
};

const BUCKETS: usize = RttHistogram::BOUNDS.len() + 1;
/// Loss, p50, p99, place in the list of MTUs, verdict.
const EMPTY: [u8; 5] = [NOTHING; 5];
/// A path changes its MTU rarely: this many different pairs are told apart.
const MOST_MTUS: usize = 100;

/// The last 24 hours of one path.
#[derive(Debug, Clone, Default)]
pub(crate) struct PathHistory {
    minutes: Minutes<5>,
    mtus: Vec<[Option<u16>; 2]>,
    changes: Changes,
    /// When the verdict became what it is, whatever was found out about it since.
    since: Option<SystemTime>,
    found: Option<Compared>,
    minute: u64,
    /// The worst verdict of the present minute.
    worst: Option<Verdict>,
    counted: MinuteStart,
}

/// What counts as a change.
#[derive(Debug, Clone, PartialEq)]
struct Compared {
    verdict: Verdict,
    reason: Option<UnknownReason>,
    holes: Vec<Direction>,
    mtus: [Option<Bytes>; 2],
}

/// The counters at the beginning of the present minute.
#[derive(Debug, Clone, Default)]
struct MinuteStart {
    replies: u64,
    lost: u64,
    buckets: [u64; BUCKETS],
}

impl MinuteStart {
    fn of(path: &PathObservation) -> Self {
        let echo = path.echo();
        Self { replies: echo.replies, lost: echo.lost, buckets: echo.rtt.counts }
    }
}

/// One minute of a path.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PathMinute {
    /// Since 1970.
    pub minute: u64,
    /// Share of small echoes lost, 0 to 1.
    pub loss: Option<f64>,
    /// Median round-trip time in seconds.
    pub rtt_p50: Option<f64>,
    /// 99th percentile of round-trip times in seconds.
    pub rtt_p99: Option<f64>,
    /// Path MTU to the target and from it.
    pub mtus: [Option<u16>; 2],
    /// The worst verdict.
    pub verdict: Option<Verdict>,
}

impl PathHistory {
    /// Takes what is known now; `true` if it is a change.
    pub(super) fn observe(&mut self, path: &PathObservation, minute: u64, now: SystemTime) -> bool {
        let judgement = &path.judgement;
        if self.found.is_none() {
            (self.minute, self.counted) = (minute, MinuteStart::of(path));
        } else if minute != self.minute {
            self.close(path);
            self.minute = minute;
        }
        self.worst = Some(self.worst.map_or(judgement.verdict, |worst| worst.min(judgement.verdict)));
        if self.found.as_ref().is_some_and(|found| found.is(judgement)) {
            return false;
        }
        let found = Compared::of(judgement);
        let told = |found: &Compared| (found.verdict, found.reason, found.holes.clone());
        if self.found.as_ref().map(told) != Some(told(&found)) {
            let evidence = judgement.evidence.first().cloned().unwrap_or_else(Said::nothing);
            self.changes.push(now, found.in_words(), evidence);
        }
        let is_other = |known: &Compared| (known.verdict, known.reason) != (found.verdict, found.reason);
        if self.found.as_ref().is_none_or(is_other) {
            self.since = Some(now);
        }
        self.found = Some(found);
        true
    }

    /// Appends the minute that has passed.
    fn close(&mut self, path: &PathObservation) {
        let now = MinuteStart::of(path);
        let [replies, lost] = [(now.replies, self.counted.replies), (now.lost, self.counted.lost)]
            .map(|(now, then)| now.saturating_sub(then));
        #[allow(clippy::cast_precision_loss)]
        let share = (replies + lost > 0).then(|| lost as f64 / (replies + lost) as f64);
        let mut times = now.buckets;
        for (count, then) in times.iter_mut().zip(self.counted.buckets) {
            *count = count.saturating_sub(then);
        }
        let time = |quantile| scale::of_seconds(scale::quantile(&times, &RttHistogram::BOUNDS, quantile));
        let verdict = self.worst.take().and_then(|worst| u8::try_from(worst as usize).ok());
        let mtus = self.found.as_ref().map_or([None; 2], |found| found.mtus);
        let mtus = self.place_of(mtus.map(|mtu| u16::try_from(mtu?).ok()));
        let entry = [scale::of_share(share), time(0.5), time(0.99), mtus, verdict.unwrap_or(NOTHING)];
        self.minutes.push(self.minute, entry, EMPTY);
        self.counted = now;
    }

    fn place_of(&mut self, mtus: [Option<u16>; 2]) -> u8 {
        let place = self.mtus.iter().position(|known| *known == mtus).or_else(|| {
            (self.mtus.len() < MOST_MTUS).then(|| {
                self.mtus.push(mtus);
                self.mtus.len() - 1
            })
        });
        place.and_then(|place| u8::try_from(place).ok()).unwrap_or(NOTHING)
    }

    /// The minutes that have passed, oldest first.
    pub(crate) fn minutes(&self) -> impl Iterator<Item = PathMinute> {
        self.minutes.iter().map(|(minute, [loss, p50, p99, mtus, verdict])| PathMinute {
            minute,
            loss: scale::share(loss),
            rtt_p50: scale::seconds(p50),
            rtt_p99: scale::seconds(p99),
            mtus: self.mtus.get(usize::from(mtus)).copied().unwrap_or_default(),
            verdict: Verdict::ALL.get(usize::from(verdict)).copied(),
        })
    }

    /// The last changes of the verdict, oldest first.
    pub(crate) fn changes(&self) -> impl DoubleEndedIterator<Item = &Change> {
        self.changes.iter()
    }

    pub(super) fn since(&self) -> Option<SystemTime> {
        self.since
    }

    /// Bytes that it holds.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.minutes.bytes() + self.mtus.capacity() * 8 + self.changes.bytes()
    }
}

impl Compared {
    fn of(judgement: &Judgement) -> Self {
        Self {
            verdict: judgement.verdict,
            reason: judgement.unknown_reason,
            holes: judgement.holes.clone(),
            mtus: [judgement.mtu_forward, judgement.mtu_reverse],
        }
    }

    fn is(&self, judgement: &Judgement) -> bool {
        self.verdict == judgement.verdict
            && self.reason == judgement.unknown_reason
            && self.holes == judgement.holes
            && self.mtus == [judgement.mtu_forward, judgement.mtu_reverse]
    }

    /// `blackhole forward and reverse`, `unknown (starting)`
    fn in_words(&self) -> Said {
        let holes: Vec<_> = self.holes.iter().filter(|hole| **hole != Direction::Unknown).collect();
        let what = self.verdict.said();
        match self.reason {
            Some(reason) if self.verdict == Verdict::Unknown => {
                say!("{what} ({reason})", what => what, reason => reason.said())
            }
            _ if holes.is_empty() => what,
            _ => {
                let holes = holes.into_iter().map(|hole| hole.said());
                say!("{what} {directions}", what => what, directions => Said::joined(holes, Between::And))
            }
        }
    }
}
