//! Whether this process ran when it meant to.
//!
//! A process that is stopped, starved or suspended does not receive answers as they come, so the
//! silence of packets in flight proves nothing. The clock is `CLOCK_BOOTTIME`, which goes on while
//! the machine is suspended.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// A delay above this is too late: half of the shortest timeout of a probe.
const LATE: Duration = Duration::from_millis(100);

/// Measures the time between two calls of [`Punctual::look`].
#[derive(Debug)]
pub(crate) struct Punctual {
    seen: Duration,
    /// How long it has intended to sleep since the last look.
    sleeps: Duration,
}

impl Punctual {
    /// Starts now.
    #[must_use]
    pub(crate) fn new() -> Self {
        Self { seen: boot_time(), sleeps: Duration::ZERO }
    }

    /// Announces a sleep of at most this length.
    pub(crate) fn sleep(&mut self, at_most: Duration) {
        self.sleeps = at_most;
    }

    /// Called when it runs: by how much it is late, if that is too much.
    pub(crate) fn look(&mut self) -> Option<Duration> {
        self.look_at(boot_time())
    }

    fn look_at(&mut self, now: Duration) -> Option<Duration> {
        let late = now.saturating_sub(self.seen).saturating_sub(self.sleeps);
        (self.seen, self.sleeps) = (now, Duration::ZERO);
        (late > LATE).then_some(late)
    }
}

impl Default for Punctual {
    fn default() -> Self {
        Self::new()
    }
}

fn boot_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::Boottime)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn only_what_was_not_meant_is_late() {
        let mut punctual = Punctual { seen: MS * 1000, sleeps: Duration::ZERO };
        punctual.sleep(MS * 200);
        assert_eq!(punctual.look_at(MS * 1250), None, "200 ms were meant, and 50 are nothing");
        assert_eq!(punctual.look_at(MS * 1300), None);
        assert_eq!(punctual.look_at(MS * 6300), Some(MS * 5000), "it was stopped while it worked");
        punctual.sleep(MS * 200);
        assert_eq!(punctual.look_at(MS * 11500), Some(MS * 5000), "and while it slept");
    }
}
