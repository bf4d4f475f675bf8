//! Path MTU discovery of one flow (its walk), and its memory of signals.
//!
//! A host sends the expected size; after a valid "fragmentation needed, mtu m" it sends exactly m,
//! and so on. Only sizes on that walk decide a verdict. A signal for any other size (1452 on a
//! bridge whose edge is 1454) says nothing about the walk.
//!
//! Signals are rate-limited by design (Linux: `icmp_ratelimit`), so silence after a signal proves
//! nothing, and a signal is remembered for 10 minutes. Simulation: without this memory, a router
//! that sends one signal a second makes a healthy `reduced` path read `blackhole` 47 % of the time.

use std::{collections::BTreeMap, time::Duration};

use crate::{model::types::Bytes, path::probe::Moment};

/// How long a signal is remembered.
pub(crate) const REMEMBERED: Duration = Duration::from_mins(10);

/// After this many consecutive unanswered single packets, each with an answered control, the signal
/// is forgotten early.
const FORGOTTEN_AFTER: u32 = 60;

/// The signals remembered for sizes on the walk of one flow. Flows have separate walks because they
/// may use different underlay legs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Walk {
    heard: BTreeMap<Bytes, Signal>,
}

#[derive(Debug, Clone, Copy)]
struct Signal {
    mtu: Bytes,
    at: Moment,
    unanswered: u32,
}

impl Walk {
    /// The size that path MTU discovery from `start` has arrived at: the first one without a
    /// remembered signal.
    #[must_use]
    pub(crate) fn path_mtu(&self, start: Bytes) -> Bytes {
        self.steps(start).last().unwrap_or(start)
    }

    /// The MTU in the signal remembered for `size`.
    #[must_use]
    pub(crate) fn claim(&self, size: Bytes) -> Option<Bytes> {
        self.heard.get(&size).map(|heard| heard.mtu)
    }

    /// The smallest size above `top` for which a signal is remembered.
    #[must_use]
    pub(crate) fn signalled_above(&self, top: Bytes) -> Option<Bytes> {
        self.heard.keys().copied().find(|size| *size > top)
    }

    /// The smallest size for which a signal is remembered, and the MTU in it.
    #[must_use]
    pub(crate) fn smallest(&self) -> Option<(Bytes, Bytes)> {
        self.heard.first_key_value().map(|(size, heard)| (*size, heard.mtu))
    }

    /// Whether no signal is remembered.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.heard.is_empty()
    }

    /// Whether a signal for `size` is remembered.
    #[must_use]
    pub(crate) fn remembers(&self, size: Bytes) -> bool {
        self.heard.contains_key(&size)
    }

    /// Records a valid signal `mtu` for a packet of `size` bytes; `size` is on the walk.
    pub(crate) fn hear(&mut self, size: Bytes, mtu: Bytes, now: Moment) {
        if mtu < size {
            self.heard.insert(size, Signal { mtu, at: now, unanswered: 0 });
        }
    }

    /// Another flow received a signal for `size`: earlier unanswered packets on this flow no longer
    /// count.
    pub(crate) fn heard_elsewhere(&mut self, size: Bytes) {
        if let Some(heard) = self.heard.get_mut(&size) {
            heard.unanswered = 0;
        }
    }

    /// A single packet larger than the walk's current size was lost while its control was answered.
    /// One such loss proves nothing, but sixty in a row end the memory of the signal.
    pub(crate) fn single_unanswered(&mut self, size: Bytes) {
        if let Some(heard) = self.heard.get_mut(&size) {
            heard.unanswered += 1;
            if heard.unanswered >= FORGOTTEN_AFTER {
                self.heard.remove(&size);
            }
        }
    }

    /// Forgets the signal for `size` unless one has arrived since `since`.
    pub(crate) fn forget_unrenewed(&mut self, size: Bytes, since: Moment) {
        self.heard.retain(|signalled, heard| *signalled != size || heard.at >= since);
    }

    /// A packet of `size` bytes passed: signals for this and smaller sizes no longer hold.
    pub(crate) fn passed(&mut self, size: Bytes) {
        self.heard.retain(|signalled, _| *signalled > size);
    }

    /// Forgets signals older than ten minutes.
    pub(crate) fn expire(&mut self, now: Moment) {
        self.heard.retain(|_, heard| now.saturating_sub(heard.at) < REMEMBERED);
    }

    /// All sizes of the walk from `start`; the last is the size that discovery has arrived at.
    fn steps(&self, start: Bytes) -> impl Iterator<Item = Bytes> + '_ {
        // Each step is smaller than the last (`hear` accepts no other), so this ends.
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
        assert_eq!(walk.path_mtu(9000), 9000);
        walk.hear(9000, 1500, T0);
        walk.hear(1500, 1450, T0);
        assert_eq!(walk.path_mtu(9000), 1450);
    }

    #[test]
    fn a_signal_is_remembered_for_ten_minutes_and_renewed() {
        let mut walk = Walk::default();
        walk.hear(1500, 1450, T0);
        walk.expire(Duration::from_secs(599));
        assert_eq!(walk.path_mtu(1500), 1450);
        walk.hear(1500, 1450, Duration::from_secs(599));
        walk.expire(Duration::from_secs(1000));
        assert_eq!(walk.path_mtu(1500), 1450);
        walk.expire(Duration::from_secs(1199));
        assert_eq!(walk.path_mtu(1500), 1500);
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
        assert_eq!(walk.path_mtu(1500), 1450);
        walk.single_unanswered(1500);
        assert_eq!(walk.path_mtu(1500), 1500);
    }

    #[test]
    fn a_size_that_passes_ends_the_signals_for_it_and_below() {
        let mut walk = Walk::default();
        walk.hear(9000, 1500, T0);
        walk.hear(1500, 1450, T0);
        walk.passed(1500);
        assert_eq!(walk.path_mtu(9000), 1500);
    }
}
