//! How long a router is left alone after failures.
//!
//! OpenSSH 9.8 and later locks out an address that connects without logging in, and VyOS's
//! `dynamic-protection` does the same. So a router that refuses us is tried less and less often.
//! The jitter keeps many routers that failed together (a dead uplink) from being tried together.

use std::time::Duration;

/// The first wait, which is also the shortest.
pub(crate) const FIRST: Duration = Duration::from_secs(1);
/// The longest wait.
pub(crate) const LONGEST: Duration = Duration::from_mins(5);

/// A wait that doubles with each failure in a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Called after a success: the next failure starts again at [`FIRST`].
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// Called after a failure; returns the wait. `jitter` in 0..1 spreads it over 75 % to 125 %.
    pub(crate) fn failed(&mut self, jitter: f64) -> Duration {
        let doubled = FIRST.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX));
        self.failures = self.failures.saturating_add(1);
        doubled.min(LONGEST).mul_f64(0.75 + jitter.clamp(0.0, 1.0) / 2.0).clamp(FIRST, LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(jitter: f64, count: usize) -> Vec<f64> {
        let mut backoff = Backoff::default();
        (0..count).map(|_| backoff.failed(jitter).as_secs_f64()).collect()
    }

    #[test]
    fn doubles_up_to_five_minutes() {
        assert_eq!(seconds(0.5, 11), [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 300.0, 300.0]);
    }

    #[test]
    fn jitter_stays_within_the_bounds_for_ever() {
        for jitter in [0.0, 0.3, 1.0] {
            assert!(seconds(jitter, 100).iter().all(|wait| (1.0..=300.0).contains(wait)));
        }
        assert_eq!(seconds(0.0, 3), [1.0, 1.5, 3.0]);
        assert_eq!(seconds(1.0, 3), [1.25, 2.5, 5.0]);
    }

    #[test]
    fn a_success_starts_over() {
        let mut backoff = Backoff::default();
        for _ in 0..5 {
            backoff.failed(0.5);
        }
        backoff.reset();
        assert_eq!(backoff.failed(0.5), FIRST);
    }
}
