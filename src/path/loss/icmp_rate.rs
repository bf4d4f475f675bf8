//! Whether the target, or a device on the path, rate-limits ICMP.
//!
//! If so, answers per second do not rise with probes per second. A burst then goes unanswered
//! although nothing is broken, and silence must last longer before it counts.
//!
//! Paths to one address share its rate limit, so they are counted together.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::path::probe::Moment;

const SECONDS: usize = 120;
/// Echo requests per path in a second with a burst, at least; and in a quiet second, at most.
const BUSY: u32 = 10;
const QUIET: u32 = 3;
/// How many seconds of each kind a comparison needs.
const ENOUGH: u32 = 3;
/// How many seconds are needed to tell whether the number of answers is even.
const STEADY_LEAST: usize = 15;
const STEADY_MOST: usize = 60;
/// The variance of answers, relative to that of random loss, below which they count as even.
/// (Random loss falls below it once in 30,000 times over fifteen seconds.)
const EVEN: f64 = 0.15;
/// The same once they were even. Answers that wait for the next request drift over the border of a
/// second, and every few seconds one has none: at 1.2 s between answers the variance is 0.19 of
/// that of random loss. (Random loss over a minute stays below a half once in 300 times.)
const STILL_EVEN: f64 = 0.5;

#[derive(Debug, Clone, Copy)]
struct Second {
    number: u32,
    sent: u32,
    answered: u32,
}

/// The ICMP rate of one address, shared by all paths that lead to it.
#[derive(Debug, Clone, Default)]
pub struct SharedRate(Arc<Mutex<IcmpRate>>);

impl SharedRate {
    /// An echo request was sent.
    pub(crate) fn sent(&self, now: Moment) {
        self.lock().sent(now);
    }

    /// An echo request was answered.
    pub(crate) fn answered(&self, now: Moment) {
        self.lock().answered(now);
    }

    /// Whether ICMP is rate-limited.
    #[must_use]
    pub(crate) fn is_limited(&self) -> bool {
        self.lock().is_limited()
    }

    /// Whether requests constantly exceed a rate limit, so that the loss of a single echo means
    /// nothing.
    #[must_use]
    pub(crate) fn is_rationed(&self) -> bool {
        self.lock().is_rationed()
    }

    /// How many paths share this count.
    #[must_use]
    pub(crate) fn paths(&self) -> u32 {
        u32::try_from(Arc::strong_count(&self.0)).unwrap_or(u32::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, IcmpRate> {
        let mut rate = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rate.paths = self.paths();
        rate
    }
}

/// Echo requests sent and answered in each of the last seconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct IcmpRate {
    paths: u32,
    seconds: VecDeque<Second>,
    /// Answers were even when last looked at: in that second, for so many paths.
    even: bool,
    looked_at: Option<(u32, u32)>,
}

/// The sum over several seconds.
#[derive(Debug, Clone, Copy)]
struct Sum {
    seconds: u32,
    answered: u32,
}

impl Sum {
    fn answered_a_second(self) -> f64 {
        f64::from(self.answered) / f64::from(self.seconds.max(1))
    }
}

impl IcmpRate {
    /// An echo request was sent.
    pub(crate) fn sent(&mut self, now: Moment) {
        self.second(now).sent += 1;
    }

    /// An echo request was answered.
    pub(crate) fn answered(&mut self, now: Moment) {
        self.second(now).answered += 1;
    }

    /// Whether bursts brought no more answers than quiet seconds did.
    #[must_use]
    pub(crate) fn is_limited(&self) -> bool {
        // A burst without any answer is an outage.
        let busy = self.sum(|second| self.is_busy(second) && second.answered > 0);
        let quiet = self.sum(|second| self.is_quiet(second));
        // A busy second has three times the packets, so without a limit more than twice the
        // answers.
        busy.seconds >= ENOUGH && quiet.seconds >= ENOUGH && {
            let (busy, quiet) = (busy.answered_a_second(), quiet.answered_a_second());
            quiet > 0.0 && busy < 2.0 * quiet
        }
    }

    /// Whether several paths together constantly exceed a rate limit: the number of answers is the
    /// same in every second. Random loss is less even: if each of `n` packets is lost independently
    /// with probability `1 - p`, the variance of the answers is `n p (1 - p)`, and more if loss
    /// comes in bursts.
    #[must_use]
    pub(crate) fn is_rationed(&mut self) -> bool {
        // Only complete seconds count, so within one nothing changes.
        let looked_at = self.seconds.back().map(|last| (last.number, self.paths));
        if looked_at.is_none() || looked_at != self.looked_at {
            self.looked_at = looked_at;
            self.even = self.is_even(if self.even { STILL_EVEN } else { EVEN });
        }
        self.even
    }

    /// Whether the variance of the answers is at most `most` of that of random loss.
    fn is_even(&self, most: f64) -> bool {
        if self.paths < 2 {
            return false;
        }
        // The last second is not complete.
        let seconds = || self.seconds.iter().rev().skip(1).take(STEADY_MOST).filter(|second| second.sent > 0);
        let counted = seconds().count();
        if counted < STEADY_LEAST {
            return false;
        }
        let count = f64::from(u32::try_from(counted).unwrap_or(u32::MAX));
        let sent = seconds().map(|second| f64::from(second.sent)).sum::<f64>() / count;
        let mean = seconds().map(|second| f64::from(second.answered)).sum::<f64>() / count;
        let varies = seconds().map(|second| (f64::from(second.answered) - mean).powi(2)).sum::<f64>() / count;
        mean > 0.0 && sent > 1.3 * mean && varies <= most * mean * (1.0 - mean / sent)
    }

    fn is_busy(&self, second: &Second) -> bool {
        second.sent >= BUSY * self.paths.max(1)
    }

    fn is_quiet(&self, second: &Second) -> bool {
        (1..=QUIET * self.paths.max(1)).contains(&second.sent)
    }

    fn sum(&self, wanted: impl Fn(&Second) -> bool) -> Sum {
        let mut sum = Sum { seconds: 0, answered: 0 };
        for second in self.seconds.iter().filter(|second| wanted(second)) {
            sum.seconds += 1;
            sum.answered += second.answered;
        }
        sum
    }

    fn second(&mut self, now: Moment) -> &mut Second {
        let number = u32::try_from(now.as_secs()).unwrap_or(u32::MAX);
        if self.seconds.back().is_none_or(|last| last.number != number) {
            if self.seconds.len() == SECONDS {
                self.seconds.pop_front();
            }
            self.seconds.push_back(Second { number, sent: 0, answered: 0 });
        }
        let last = self.seconds.len() - 1;
        &mut self.seconds[last]
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn rate(answers: impl Fn(u32) -> u32) -> IcmpRate {
        let mut rate = IcmpRate::default();
        for second in 0..30 {
            let sent = if second % 5 == 0 { 60 } else { 2 };
            let now = Duration::from_secs(second);
            (0..sent).for_each(|_| rate.sent(now));
            (0..answers(sent)).for_each(|_| rate.answered(now));
        }
        rate
    }

    /// Plays three paths to one address for a minute; `answers(rng, sent)` gives the answers of
    /// each second.
    fn together(answers: impl Fn(&mut fastrand::Rng, u32) -> u32) -> bool {
        let (alone, mut rng) = (SharedRate::default(), fastrand::Rng::with_seed(7));
        let all = [alone.clone(), alone.clone(), alone];
        assert_eq!(all[0].paths(), 3);
        for second in 0..60 {
            let sent = if second % 9 == 0 { 60 } else { 7 };
            let now = Duration::from_secs(second);
            (0..sent).for_each(|turn| all[turn as usize % 3].sent(now));
            (0..answers(&mut rng, sent)).for_each(|turn| all[turn as usize % 3].answered(now));
        }
        all[0].is_rationed()
    }

    #[test]
    fn several_paths_see_together_that_answers_are_rationed() {
        assert!(together(|_, _| 1), "one a second");
        assert!(together(|_, _| 5), "five a second");
        assert!(!together(|_, sent| sent), "all");
        for loss in [0.1, 0.3, 0.5, 0.8] {
            let by_chance = |rng: &mut fastrand::Rng, sent| {
                u32::try_from((0..sent).filter(|_| rng.f64() >= loss).count()).unwrap()
            };
            assert!(!together(by_chance), "{loss} of all is lost by chance");
            let in_bursts = |rng: &mut fastrand::Rng, sent| if rng.f64() < loss { 0 } else { sent };
            assert!(!together(in_bursts), "{loss} of all seconds are lost");
        }
    }

    /// A limit of one a second whose answers wait for the next request come every 1.2 s, so one
    /// second in six has none: a path read `lossy` for as long as that was taken for uneven.
    #[test]
    fn a_limit_stays_known_while_its_answers_drift_and_ends_when_they_come_by_chance() {
        let first = SharedRate::default();
        let shared = [first.clone(), first.clone(), first];
        let mut rng = fastrand::Rng::with_seed(7);
        let second = |number: u64, answers: u32| {
            let now = Duration::from_secs(number);
            (0..7).for_each(|turn| shared[turn % 3].sent(now));
            (0..answers).for_each(|_| shared[0].answered(now));
            shared[0].is_rationed()
        };
        let even: Vec<bool> = (0..60).map(|number| second(number, 1)).collect();
        assert_eq!(even[59..], [true]);
        let drift = (60..240).filter(|number| !second(*number, u32::from(number % 6 != 0)));
        assert_eq!(drift.count(), 0, "seconds in which it was forgotten");
        let mut by_chance = || u32::try_from((0..7).filter(|_| rng.bool()).count()).unwrap();
        let uneven: Vec<bool> = (240..360).map(|number| second(number, by_chance())).collect();
        assert_eq!(uneven[119..], [false]);
    }

    #[test]
    fn a_limit_shows_when_bursts_bring_no_more_answers() {
        assert!(rate(|_| 1).is_limited());
        assert!(!rate(|sent| sent).is_limited(), "all are answered");
        assert!(!rate(|sent| sent / 2).is_limited(), "half are lost, at any rate");
        assert!(!rate(|_| 0).is_limited(), "nothing answers at all");
        assert!(!rate(|sent| if sent > 2 { 0 } else { sent }).is_limited(), "bursts in outages");
    }
}
