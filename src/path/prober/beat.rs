//! When what is sent regularly is due next.

use std::time::Duration;

use crate::path::probe::Moment;

/// The next due time after `last`: keeps the beat, but never sends a burst to catch up. What missed
/// beats keeps its place between two beats, so that many paths that were held up together stay
/// spread.
pub(super) fn next_turn(last: Moment, every: Duration, now: Moment) -> Moment {
    let next = last + every;
    if next > now || every.is_zero() {
        return next.max(now);
    }
    let missed = now.saturating_sub(next).as_nanos() % every.as_nanos();
    let wait = every.saturating_sub(Duration::from_nanos(u64::try_from(missed).unwrap_or_default()));
    now + if wait < every / 2 { wait + every } else { wait }
}
