//! The walk of a host that does path MTU discovery, and the memory of the signals it heard.
//!
//! A host sends the expected size; on a valid "fragmentation needed, mtu m" it sends exactly m; and
//! again. Only sizes on that walk decide a verdict: a signal for a size beside it (1452 on a bridge
//! whose edge is 1454) vouches for nothing.
//!
//! Signals are rate-limited by nature (Linux: `icmp_ratelimit`), so silence after a signal proves
//! nothing: a signal is remembered for 10 minutes. Simulated: without this memory a router that
//! signals once a second makes a healthy `reduced` path read `blackhole` 47 % of the time.

use std::{collections::BTreeMap, time::Duration};

use crate::{model::types::Bytes, path::probe::Moment};

/// How long a signal is remembered.
pub(crate) const REMEMBERED: Duration = Duration::from_mins(10);

/// So many singles in a row without an answer, each with its control answered, end the memory early.
const FORGOTTEN_AFTER: u32 = 60;

/// The signals heard for sizes of the walk, of one protocol: ICMP and TCP may take different underlay
/// legs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Walk {
    heard: BTreeMap<Bytes, Heard>,
}

#[derive(Debug, Clone, Copy)]
struct Heard {
    mtu: Bytes,
    at: Moment,
    unanswered: u32,
}

impl Walk {
    /// Where a walk that starts at `start` stands: the first size no signal is remembered for.
    #[must_use]
    pub(crate) fn stands_at(&self, start: Bytes) -> Bytes {
        self.steps(start).last().unwrap_or(start)
    }

    /// What the signal for that size claims, bytes.
    #[must_use]
    pub(crate) fn claim(&self, size: Bytes) -> Option<Bytes> {
        self.heard.get(&size).map(|heard| heard.mtu)
    }

    /// The smallest size above `top` for which a signal is remembered.
    #[must_use]
    pub(crate) fn signalled_above(&self, top: Bytes) -> Option<Bytes> {
        self.heard.keys().copied().find(|size| *size > top)
    }

    /// No signal is remembered.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.heard.is_empty()
    }

    /// Whether a signal for that size is remembered.
    #[must_use]
    pub(crate) fn remembers(&self, size: Bytes) -> bool {
        self.heard.contains_key(&size)
    }

    /// Takes in a valid signal `mtu` for a packet of `size` bytes, a size of the walk.
    pub(crate) fn hear(&mut self, size: Bytes, mtu: Bytes, now: Moment) {
        if mtu < size {
            self.heard.insert(size, Heard { mtu, at: now, unanswered: 0 });
        }
    }

    /// The size is signalled to another flow: what stayed unanswered here does not count.
    pub(crate) fn heard_elsewhere(&mut self, size: Bytes) {
        if let Some(heard) = self.heard.get_mut(&size) {
            heard.unanswered = 0;
        }
    }

    /// A single packet above where the walk stands stayed unanswered while its control was answered.
    /// Its silence counts for nothing, but sixty in a row end the memory.
    pub(crate) fn single_unanswered(&mut self, size: Bytes) {
        if let Some(heard) = self.heard.get_mut(&size) {
            heard.unanswered += 1;
            if heard.unanswered >= FORGOTTEN_AFTER {
                self.heard.remove(&size);
            }
        }
    }

    /// Forgets the signal for that size if none has come since `since`.
    pub(crate) fn forget_unrenewed(&mut self, size: Bytes, since: Moment) {
        self.heard.retain(|signalled, heard| *signalled != size || heard.at >= since);
    }

    /// A packet of `size` bytes went through: no signal for this or a smaller size holds any more.
    pub(crate) fn passed(&mut self, size: Bytes) {
        self.heard.retain(|signalled, _| *signalled > size);
    }

    /// Forgets what is older than ten minutes.
    pub(crate) fn expire(&mut self, now: Moment) {
        self.heard.retain(|_, heard| now.saturating_sub(heard.at) < REMEMBERED);
    }

    /// All sizes of the walk from `start` on, the last one being where it stands.
    fn steps(&self, start: Bytes) -> impl Iterator<Item = Bytes> + '_ {
        // Each step is smaller than the last (`hear` takes no other), so this ends.
        std::iter::successors(Some(start), |size| self.heard.get(size).map(|heard| heard.mtu))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Moment = Duration::ZERO;

    #[test]
    fn the_walk_follows_signals_from_size_to_size() {
        let mut walk = Walk::default();
        assert_eq!(walk.stands_at(9000), 9000);
        walk.hear(9000, 1500, T0);
        walk.hear(1500, 1450, T0);
        assert_eq!(walk.stands_at(9000), 1450);
    }

    #[test]
    fn a_signal_is_remembered_for_ten_minutes_and_renewed() {
        let mut walk = Walk::default();
        walk.hear(1500, 1450, T0);
        walk.expire(Duration::from_secs(599));
        assert_eq!(walk.stands_at(1500), 1450);
        walk.hear(1500, 1450, Duration::from_secs(599));
        walk.expire(Duration::from_secs(1000));
        assert_eq!(walk.stands_at(1500), 1450);
        walk.expire(Duration::from_secs(1199));
        assert_eq!(walk.stands_at(1500), 1500);
    }

    #[test]
    fn sixty_unanswered_singles_in_a_row_end_the_memory_early() {
        let mut walk = Walk::default();
        walk.hear(1500, 1450, T0);
        for _ in 0..59 {
            walk.single_unanswered(1500);
        }
        walk.hear(1500, 1450, T0);
        for _ in 0..59 {
            walk.single_unanswered(1500);
        }
        assert_eq!(walk.stands_at(1500), 1450);
        walk.single_unanswered(1500);
        assert_eq!(walk.stands_at(1500), 1500);
    }

    #[test]
    fn a_size_that_passes_ends_the_signals_for_it_and_below() {
        let mut walk = Walk::default();
        walk.hear(9000, 1500, T0);
        walk.hear(1500, 1450, T0);
        walk.passed(1500);
        assert_eq!(walk.stands_at(9000), 1500);
    }
}
