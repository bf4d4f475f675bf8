//! How long to wait for an answer: the adaptive probe timeout.

use std::{collections::VecDeque, time::Duration};

use crate::path::probe::Moment;

/// Answers later than this are ignored.
pub(crate) const GIVE_UP: Duration = Duration::from_secs(5);

const WINDOW: usize = 300;
const BEFORE_FIRST_ANSWER: Duration = Duration::from_secs(1);
const SHORTEST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(2);

/// The round-trip times of the last 300 answers, including late ones.
///
/// Simulation: without late answers, every step from 20 to 300 ms causes a permanent false
/// `unreachable`.
#[derive(Debug, Clone, Default)]
pub(crate) struct RttWindow {
    /// In nanoseconds, up to four seconds: there is one such window for each path.
    newest: VecDeque<u32>,
    /// How many of them are too long for the shortest timeout.
    slow: usize,
    timeout: Option<Duration>,
    first_answer: Option<Moment>,
    warm: bool,
}

impl RttWindow {
    /// Adds a round trip that ends now.
    ///
    /// Probes sent before the first answer also waited for neighbour resolution (measured: up to a
    /// second, which as the p99 of few samples made every loss take two seconds to detect). They
    /// count only until a later probe is answered.
    pub(crate) fn observe(&mut self, rtt: Duration, now: Moment) {
        let first = *self.first_answer.get_or_insert(now);
        if !self.warm && now.saturating_sub(rtt) >= first {
            self.warm = true;
            self.newest.clear();
            self.slow = 0;
        }
        let rtt = u32::try_from(rtt.as_nanos()).unwrap_or(u32::MAX);
        if self.newest.len() == WINDOW {
            self.slow -= usize::from(self.newest.pop_front().is_some_and(is_slow));
        } else if self.newest.len() == self.newest.capacity() {
            self.newest.reserve_exact(WINDOW / 4);
        }
        self.newest.push_back(rtt);
        self.slow += usize::from(is_slow(rtt));
        let p99 = if self.slow > 0 { self.p99() } else { Duration::ZERO };
        self.timeout = Some((p99 * 4).clamp(SHORTEST, LONGEST));
    }

    /// When an unanswered probe counts as lost: max(200 ms, 4 × p99), at most 2 s; 1 s before the
    /// first answer.
    #[must_use]
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout.unwrap_or(BEFORE_FIRST_ANSWER)
    }

    fn p99(&self) -> Duration {
        let mut sorted: Vec<u32> = self.newest.iter().copied().collect();
        let rank = (sorted.len() * 99).div_ceil(100).saturating_sub(1);
        if sorted.is_empty() {
            return Duration::ZERO;
        }
        Duration::from_nanos((*sorted.select_nth_unstable(rank).1).into())
    }
}

/// Whether a p99 of that length makes the timeout longer than the shortest.
fn is_slow(nanos: u32) -> bool {
    u128::from(nanos) > SHORTEST.as_nanos() / 4
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Observes answers one after another; each probe is sent when the previous answer arrives.
    fn observe(window: &mut RttWindow, rtts: impl IntoIterator<Item = Duration>) {
        let mut now = Duration::from_secs(100);
        for rtt in rtts {
            now += rtt;
            window.observe(rtt, now);
        }
    }

    #[test]
    fn the_timeout_follows_the_slow_answers_within_its_bounds() {
        let mut window = RttWindow::default();
        assert_eq!(window.timeout(), BEFORE_FIRST_ANSWER);
        observe(&mut window, [MS]);
        assert_eq!(window.timeout(), SHORTEST);
        observe(&mut window, [MS * 300; 300]);
        assert_eq!(window.timeout(), Duration::from_millis(1200));
        observe(&mut window, [MS * 900; 300]);
        assert_eq!(window.timeout(), LONGEST);
    }

    #[test]
    fn one_slow_answer_in_three_hundred_does_not_set_the_timeout() {
        let mut window = RttWindow::default();
        observe(&mut window, [MS * 20; 299]);
        observe(&mut window, [Duration::from_secs(4)]);
        assert_eq!(window.timeout(), SHORTEST);
    }

    #[test]
    fn what_waited_for_the_neighbour_s_address_counts_no_longer_than_it_must() {
        let mut window = RttWindow::default();
        for sent in [0, 300, 900] {
            window.observe(MS * (1000 - sent), MS * 1000);
        }
        assert_eq!(window.timeout(), LONGEST);
        window.observe(MS, MS * 1002);
        assert_eq!(window.timeout(), SHORTEST);
    }
}
