//! When each router is read: every router has a fixed place within the interval, derived from its
//! name. This spreads the reads over the interval, and adding a router moves no other.

use std::time::Duration;

use crate::model::{shard, types::RouterName};

/// A router's place in every interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Slots {
    /// Position within the interval, in 0..1.
    place: f64,
}

impl Slots {
    /// The place of that router.
    #[must_use]
    pub(crate) fn of(router: &RouterName) -> Self {
        // The first 32 of the 64 bits are enough: they resolve a microsecond in an hour.
        let high = u32::try_from(shard::hash(router.as_str()) >> 32).unwrap_or_default();
        Self { place: f64::from(high) / (f64::from(u32::MAX) + 1.0) }
    }

    /// When to read again after a read that began at `start`: in the next slot. If that is less
    /// than half an interval away, the read takes place once halfway to the slot after it. Both
    /// times have the same origin for all routers.
    #[must_use]
    pub(crate) fn next(self, start: Duration, interval: Duration) -> Duration {
        let intervals = start.as_secs_f64() / interval.as_secs_f64();
        let slot = interval.mul_f64((intervals - self.place).floor().max(-1.0) + 1.0 + self.place);
        let away = slot.saturating_sub(start);
        if away >= interval / 2 { slot } else { start + (away + interval) / 2 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(30);

    fn about(one: Duration, other: Duration) -> bool {
        one.abs_diff(other) < Duration::from_millis(1)
    }

    #[test]
    fn a_read_in_its_slot_is_followed_by_one_an_interval_later() {
        for name in ["dc", "site-a", "r1", "r499"] {
            let slots = Slots::of(&name.into());
            let mut start = INTERVAL.mul_f64(slots.place);
            for _ in 0..1000 {
                // Reads may have to wait for a thread.
                let late = start + Duration::from_secs(5);
                let next = slots.next(late, INTERVAL);
                assert!(about(next, start + INTERVAL), "{name}: {start:?} {next:?}");
                start = next;
            }
        }
    }

    #[test]
    fn between_two_reads_pass_half_an_interval_to_a_whole_one_whenever_the_first_was() {
        let slots = Slots::of(&"dc".into());
        let millisecond = Duration::from_millis(1);
        for milliseconds in (0..90_000).step_by(77) {
            let mut start = Duration::from_millis(milliseconds);
            for _ in 0..3 {
                let next = slots.next(start, INTERVAL);
                let wait = next.saturating_sub(start);
                assert!(wait + millisecond >= INTERVAL / 2 && wait <= INTERVAL + millisecond, "{wait:?}");
                start = next + millisecond;
            }
            assert!(
                about(start, slots.next(start, INTERVAL).saturating_sub(INTERVAL) + millisecond),
                "in its slot"
            );
        }
    }

    #[test]
    fn many_routers_are_spread_over_the_interval() {
        let mut seconds = [0; 30];
        for number in 0..3000 {
            let place = Slots::of(&format!("router-{number}").as_str().into()).place;
            seconds[usize::try_from(INTERVAL.mul_f64(place).as_secs()).unwrap()] += 1;
        }
        // 100 each, within five standard deviations.
        assert!(seconds.iter().all(|count| (50..=150).contains(count)), "{seconds:?}");
    }
}
