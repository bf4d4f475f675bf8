//! How long to wait for an answer: the adaptive probe timeout.

use std::{collections::VecDeque, time::Duration};

/// An answer later than this is no answer any more.
pub const GIVE_UP: Duration = Duration::from_secs(5);

const WINDOW: usize = 300;
const BEFORE_FIRST_ANSWER: Duration = Duration::from_secs(1);
const SHORTEST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(2);

/// The round-trip times of the last 300 answers, late ones included.
///
/// Simulated: leaving late answers out turns every step from 20 to 300 ms into a permanent false
/// `unreachable`.
#[derive(Debug, Clone, Default)]
pub struct RttWindow {
    newest: VecDeque<Duration>,
    timeout: Option<Duration>,
}

impl RttWindow {
    /// Takes in one round trip.
    pub fn observe(&mut self, rtt: Duration) {
        if self.newest.len() == WINDOW {
            self.newest.pop_front();
        }
        self.newest.push_back(rtt);
        self.timeout = Some((self.p99() * 4).clamp(SHORTEST, LONGEST));
    }

    /// After how long an unanswered probe counts as lost:
    /// max(200 ms, 4 × p99), at most 2 s, 1 s before the first answer.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout.unwrap_or(BEFORE_FIRST_ANSWER)
    }

    fn p99(&self) -> Duration {
        let mut sorted: Vec<Duration> = self.newest.iter().copied().collect();
        let rank = (sorted.len() * 99).div_ceil(100).saturating_sub(1);
        if sorted.is_empty() {
            return Duration::ZERO;
        }
        *sorted.select_nth_unstable(rank).1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timeout_follows_the_slow_answers_within_its_bounds() {
        let mut window = RttWindow::default();
        assert_eq!(window.timeout(), BEFORE_FIRST_ANSWER);
        window.observe(Duration::from_millis(1));
        assert_eq!(window.timeout(), SHORTEST);
        for _ in 0..300 {
            window.observe(Duration::from_millis(300));
        }
        assert_eq!(window.timeout(), Duration::from_millis(1200));
        for _ in 0..300 {
            window.observe(Duration::from_millis(900));
        }
        assert_eq!(window.timeout(), LONGEST);
    }

    #[test]
    fn one_slow_answer_in_three_hundred_does_not_set_the_timeout() {
        let mut window = RttWindow::default();
        for _ in 0..299 {
            window.observe(Duration::from_millis(20));
        }
        window.observe(Duration::from_secs(4));
        assert_eq!(window.timeout(), SHORTEST);
    }
}
