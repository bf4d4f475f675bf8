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

use super::probe::{Lane, Moment};
use crate::types::Bytes;

/// How long a signal is remembered.
pub const REMEMBERED: Duration = Duration::from_mins(10);

/// So many singles in a row without an answer, each with its control answered, end the memory early.
const FORGOTTEN_AFTER: u32 = 60;

/// On which lane and flow something was heard or answered.
pub type By = (Lane, u8);

/// The signals heard for sizes of the walk.
///
/// A signal vouches for all lanes, since signals are rare; but where underlay legs differ, a lane that
/// is answered above a size signalled on another leg goes on above it, until it is in doubt itself.
#[derive(Debug, Clone, Default)]
pub struct Walk {
    heard: BTreeMap<Bytes, Heard>,
    above: BTreeMap<Lane, Bytes>,
}

#[derive(Debug, Clone, Copy)]
struct Heard {
    mtu: Bytes,
    at: Moment,
    by: By,
    unanswered: u32,
}

impl Walk {
    /// Where the walk of a lane that starts at `start` stands: the first size no signal is remembered
    /// for.
    #[must_use]
    pub fn stands_at(&self, start: Bytes, lane: Lane) -> Bytes {
        self.steps(start, lane).last().unwrap_or(start)
    }

    /// Takes in a valid signal `mtu` for a packet of `size` bytes. False if `size` is not on the walk.
    pub fn hear(&mut self, start: Bytes, by: By, size: Bytes, mtu: Bytes, now: Moment) -> bool {
        if self.above.get(&by.0).is_some_and(|above| *above >= size) {
            self.above.remove(&by.0);
        }
        let on_walk = self.steps(start, by.0).any(|step| step == size);
        if on_walk && mtu < size {
            self.heard.insert(size, Heard { mtu, at: now, by, unanswered: 0 });
        }
        on_walk
    }

    /// A single packet above where the walk stands stayed unanswered while its control was answered.
    /// Its silence counts for nothing, but sixty in a row end the memory.
    pub fn single_unanswered(&mut self, size: Bytes) {
        if let Some(heard) = self.heard.get_mut(&size) {
            heard.unanswered += 1;
            if heard.unanswered >= FORGOTTEN_AFTER {
                self.heard.remove(&size);
            }
        }
    }

    /// Packets of `size` bytes go through: no signal heard here for this or a smaller size holds any
    /// more.
    pub fn passed(&mut self, by: By, size: Bytes) {
        self.heard.retain(|signalled, heard| *signalled > size || heard.by != by);
        if by.0 != Lane::Syn && self.heard.keys().any(|signalled| *signalled <= size) {
            self.above.insert(by.0, size);
        }
    }

    /// A packet of `size` bytes was lost on a lane that went on above a signal. True if it no longer does.
    pub fn doubt(&mut self, lane: Lane, size: Bytes) -> bool {
        let goes_on = self.above.get(&lane).is_some_and(|above| size <= *above);
        let signalled = self.heard.contains_key(&size);
        goes_on && signalled && self.above.remove(&lane).is_some()
    }

    /// A TCP flow on which a size of the walk was signalled last, and that size.
    #[must_use]
    pub fn signalled_flow(&self) -> Option<(u8, Bytes)> {
        let on_tcp =
            |(size, heard): (&Bytes, &Heard)| (heard.by.0 == Lane::Syn).then_some((heard.by.1, *size));
        self.heard.iter().filter_map(on_tcp).next_back()
    }

    /// Forgets what is older than ten minutes.
    pub fn expire(&mut self, now: Moment) {
        self.heard.retain(|_, heard| now.saturating_sub(heard.at) < REMEMBERED);
    }

    /// All sizes of the walk from `start` on, the last one being where it stands.
    fn steps(&self, start: Bytes, lane: Lane) -> impl Iterator<Item = Bytes> + '_ {
        let above = self.above.get(&lane).copied().unwrap_or(0);
        // Each step is smaller than the last (`hear` takes no other), so this ends.
        std::iter::successors(Some(start), move |size| {
            self.heard.get(size).filter(|_| *size > above).map(|heard| heard.mtu)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Moment = Duration::ZERO;
    const ECHO: By = (Lane::Echo, 0);
    const TCP: By = (Lane::Syn, 3);

    #[test]
    fn the_walk_follows_signals_from_size_to_size() {
        let mut walk = Walk::default();
        assert_eq!(walk.stands_at(9000, Lane::Echo), 9000);
        assert!(walk.hear(9000, ECHO, 9000, 1500, T0));
        assert!(walk.hear(9000, ECHO, 1500, 1450, T0));
        assert_eq!(walk.stands_at(9000, Lane::Echo), 1450);
    }

    #[test]
    fn a_signal_beside_the_walk_vouches_for_nothing() {
        let mut walk = Walk::default();
        assert!(!walk.hear(1500, ECHO, 1452, 1450, T0));
        assert_eq!(walk.stands_at(1500, Lane::Echo), 1500);
    }

    #[test]
    fn a_signal_is_remembered_for_ten_minutes_and_renewed() {
        let mut walk = Walk::default();
        walk.hear(1500, ECHO, 1500, 1450, T0);
        walk.expire(Duration::from_secs(599));
        assert_eq!(walk.stands_at(1500, Lane::Echo), 1450);
        walk.hear(1500, ECHO, 1500, 1450, Duration::from_secs(599));
        walk.expire(Duration::from_secs(1000));
        assert_eq!(walk.stands_at(1500, Lane::Echo), 1450);
        walk.expire(Duration::from_secs(1199));
        assert_eq!(walk.stands_at(1500, Lane::Echo), 1500);
    }

    #[test]
    fn sixty_unanswered_singles_in_a_row_end_the_memory_early() {
        let mut walk = Walk::default();
        walk.hear(1500, ECHO, 1500, 1450, T0);
        for _ in 0..59 {
            walk.single_unanswered(1500);
        }
        walk.hear(1500, ECHO, 1500, 1450, T0);
        for _ in 0..59 {
            walk.single_unanswered(1500);
        }
        assert_eq!(walk.stands_at(1500, Lane::Echo), 1450);
        walk.single_unanswered(1500);
        assert_eq!(walk.stands_at(1500, Lane::Echo), 1500);
    }

    #[test]
    fn a_size_that_passes_ends_the_signals_for_it_and_below() {
        let mut walk = Walk::default();
        walk.hear(9000, ECHO, 9000, 1500, T0);
        walk.hear(9000, ECHO, 1500, 1450, T0);
        walk.passed(ECHO, 1500);
        assert_eq!(walk.stands_at(9000, Lane::Echo), 1500);
    }

    #[test]
    fn where_legs_differ_each_lane_stands_where_its_own_packets_pass() {
        let mut walk = Walk::default();
        walk.hear(1500, TCP, 1500, 1450, T0);
        assert_eq!(walk.signalled_flow(), Some((3, 1500)));
        assert_eq!(walk.stands_at(1500, Lane::Echo), 1450, "a signal vouches for all lanes");
        walk.passed(ECHO, 1500);
        assert_eq!((walk.stands_at(1500, Lane::Echo), walk.stands_at(1500, Lane::Syn)), (1500, 1450));
        assert!(walk.doubt(Lane::Echo, 1500));
        assert_eq!(walk.stands_at(1500, Lane::Echo), 1450, "once in doubt, the signal vouches again");
        walk.passed((Lane::Syn, 4), 1500);
        assert_eq!(walk.stands_at(1500, Lane::Syn), 1450, "another flow proves nothing for this one");
        walk.passed(TCP, 1500);
        assert_eq!(walk.stands_at(1500, Lane::Syn), 1500);
    }
}
