//! Whether something on the way, or the target itself, answers only so many ICMP packets a second.
//!
//! Then answers per second do not rise with probes per second: a burst goes unanswered although nothing
//! is broken, and silence must last longer before it means anything.

use std::collections::VecDeque;

use super::probe::Moment;

const SECONDS: usize = 120;
/// A second with a burst in it, and one without.
const BUSY: u32 = 10;
const QUIET: u32 = 3;
/// So many of each are needed to compare.
const ENOUGH: u32 = 3;

#[derive(Debug, Clone, Copy)]
struct Second {
    number: u64,
    sent: u32,
    answered: u32,
}

/// ICMP packets sent and answered in each of the last seconds.
#[derive(Debug, Clone, Default)]
pub struct IcmpRate {
    seconds: VecDeque<Second>,
}

impl IcmpRate {
    /// An echo request was sent.
    pub fn sent(&mut self, now: Moment) {
        self.second(now).sent += 1;
    }

    /// One was answered.
    pub fn answered(&mut self, now: Moment) {
        self.second(now).answered += 1;
    }

    /// Whether bursts brought no more answers than quiet seconds did.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        let per_second = |wanted: fn(&Second) -> bool| {
            let (mut count, mut answered) = (0, 0);
            for second in self.seconds.iter().filter(|second| wanted(second)) {
                count += 1;
                answered += second.answered;
            }
            (count >= ENOUGH).then(|| f64::from(answered) / f64::from(count))
        };
        // A burst without any answer is an outage.
        let busy = per_second(|second| second.sent >= BUSY && second.answered > 0);
        let quiet = per_second(|second| (1..=QUIET).contains(&second.sent));
        // A second with three times the packets, and not twice the answers; something is answered at all.
        matches!((busy, quiet), (Some(busy), Some(quiet)) if quiet > 0.0 && busy < 2.0 * quiet)
    }

    fn second(&mut self, now: Moment) -> &mut Second {
        let number = now.as_secs();
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

    #[test]
    fn a_limit_shows_when_bursts_bring_no_more_answers() {
        assert!(rate(|_| 1).is_limited());
        assert!(!rate(|sent| sent).is_limited(), "all are answered");
        assert!(!rate(|sent| sent / 2).is_limited(), "half are lost, at any rate");
        assert!(!rate(|_| 0).is_limited(), "nothing answers at all");
        assert!(!rate(|sent| if sent > 2 { 0 } else { sent }).is_limited(), "bursts in outages");
    }
}
