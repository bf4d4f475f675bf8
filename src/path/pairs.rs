//! Pairs: how random loss is told apart from something that never passes.
//!
//! A pair is one packet in question and one control that differs from it in one property only (its
//! size, its protocol, its flow), sent within milliseconds of each other in random order. It counts
//! when the packet in question is lost and the control is answered. Loss that hits both alike makes
//! either half equally likely to be the lost one. So the chance of `n` counted pairs without a
//! single answer is at most 2^-n.
//!
//! A result may change: an answer after the probe timeout takes back the loss.

use std::time::Duration;

use super::probe::Moment;
use crate::language::{Said, say};

/// The result of one packet of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Not sent yet (only on a TCP flow, where one packet at a time is in flight).
    Unsent,
    /// In flight.
    Waiting,
    /// Answered.
    Answered,
    /// Unanswered after the probe timeout.
    Lost,
    /// It never left our host, so it says nothing about the path.
    Void,
}

/// Which packet of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Half {
    /// The one in question.
    Asked,
    /// The control it is compared with.
    Control,
}

/// A pair. `about` is what distinguishes it from the other pairs of its burst.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair<A> {
    /// For example a flow or a port.
    pub about: A,
    /// The result of the packet in question.
    pub asked: Fate,
    /// The result of the control.
    pub control: Fate,
}

impl<A> Pair<A> {
    /// Whether the result of either half is still open.
    #[must_use]
    pub(crate) fn is_open(&self) -> bool {
        [self.asked, self.control].iter().any(|fate| matches!(fate, Fate::Unsent | Fate::Waiting))
    }

    /// One half.
    pub(crate) fn half_mut(&mut self, half: Half) -> &mut Fate {
        match half {
            Half::Asked => &mut self.asked,
            Half::Control => &mut self.control,
        }
    }
}

/// The counts of a burst, for decisions and for evidence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PairCount {
    /// Pairs sent.
    pub sent: usize,
    /// Pairs whose packet in question was lost and whose control was answered.
    pub counted: usize,
    /// Packets in question that were answered.
    pub answered: usize,
    /// Packets in question that were lost.
    pub lost: usize,
    /// Controls answered.
    pub control_answered: usize,
    /// Controls lost.
    pub control_lost: usize,
}

impl PairCount {
    /// Adds a pair.
    pub(crate) fn add<A>(&mut self, pair: &Pair<A>) {
        self.sent += 1;
        self.counted += usize::from(pair.asked == Fate::Lost && pair.control == Fate::Answered);
        self.answered += usize::from(pair.asked == Fate::Answered);
        self.lost += usize::from(pair.asked == Fate::Lost);
        self.control_answered += usize::from(pair.control == Fate::Answered);
        self.control_lost += usize::from(pair.control == Fate::Lost);
    }

    /// "2 controls lost".
    #[must_use]
    pub(crate) fn lost_in_words(&self) -> Said {
        match self.control_lost {
            1 => say!("1 control lost"),
            number => say!("{number} controls lost", number),
        }
    }
}

/// The pace of a burst.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BurstPace {
    /// Time between two pairs.
    pub spacing: Duration,
    /// After this many pairs the burst ends without a decision.
    pub at_most: usize,
}

/// A burst of pairs, sent at a fixed pace. It never has more open pairs than could still be needed.
#[derive(Debug, Clone)]
pub(crate) struct Burst<A> {
    serial: u32,
    pace: BurstPace,
    began: Moment,
    next_at: Moment,
    pairs: Vec<Pair<A>>,
}

impl<A: Copy> Burst<A> {
    /// A burst whose first pair is due at `now`. Its packets carry `serial`, so that late answers
    /// to an earlier burst are not counted in this one.
    #[must_use]
    pub(crate) fn new(serial: u32, pace: BurstPace, now: Moment) -> Self {
        Self { serial, pace, began: now, next_at: now, pairs: Vec::new() }
    }

    /// The burst's serial number.
    #[must_use]
    pub(crate) fn serial(&self) -> u32 {
        self.serial
    }

    /// When its first pair was due.
    #[must_use]
    pub(crate) fn began(&self) -> Moment {
        self.began
    }

    /// When the next pair may be sent.
    #[must_use]
    pub(crate) fn next_at(&self) -> Moment {
        self.next_at
    }

    /// Sends the first pair no earlier than after `spacing`, and the others at that interval.
    pub(crate) fn space_by(&mut self, spacing: Duration) {
        self.pace.spacing = spacing;
        self.next_at += spacing;
    }

    /// Limits the burst to `pairs` pairs, after which it ends without a decision.
    pub(crate) fn end_after(&mut self, pairs: usize) {
        self.pace.at_most = pairs;
    }

    /// All pairs, in the order of sending.
    #[must_use]
    pub(crate) fn pairs(&self) -> &[Pair<A>] {
        &self.pairs
    }

    /// All pairs, mutable.
    pub(crate) fn pairs_mut(&mut self) -> &mut [Pair<A>] {
        &mut self.pairs
    }

    /// Whether more pairs may be sent.
    #[must_use]
    pub(crate) fn has_room(&self) -> bool {
        self.pairs.len() < self.pace.at_most
    }

    /// Whether a pair is due, if `wanted` more must count.
    #[must_use]
    pub(crate) fn is_due(&self, now: Moment, wanted: usize) -> bool {
        let open = self.pairs.iter().filter(|pair| pair.is_open()).count();
        now >= self.next_at && open < wanted && self.has_room()
    }

    /// Adds a pair and returns its index. The pace is kept, but a burst never sends faster to catch
    /// up.
    pub(crate) fn begin(&mut self, about: A, asked: Fate, control: Fate, now: Moment) -> usize {
        self.next_at = (self.next_at + self.pace.spacing).max(now);
        self.pairs.push(Pair { about, asked, control });
        self.pairs.len() - 1
    }

    /// Records the result of half of a pair; ignored if there is no such pair.
    pub(crate) fn resolve(&mut self, pair: usize, half: Half, fate: Fate) {
        if let Some(pair) = self.pairs.get_mut(pair) {
            *pair.half_mut(half) = fate;
        }
    }

    /// The counts of all pairs.
    #[must_use]
    pub(crate) fn count(&self) -> PairCount {
        self.count_of(|_| true)
    }

    /// The counts of the pairs that `of` selects.
    #[must_use]
    pub(crate) fn count_of(&self, of: impl Fn(A) -> bool) -> PairCount {
        let mut count = PairCount::default();
        self.pairs.iter().filter(|pair| of(pair.about)).for_each(|pair| count.add(pair));
        count
    }

    /// Whether every pair has a result.
    #[must_use]
    pub(crate) fn all_decided(&self) -> bool {
        !self.pairs.iter().any(Pair::is_open)
    }

    /// Whether it has ended without a decision.
    #[must_use]
    pub(crate) fn is_exhausted(&self) -> bool {
        !self.has_room() && self.all_decided()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: BurstPace = BurstPace { spacing: Duration::from_millis(20), at_most: 3 };

    #[test]
    fn a_pair_counts_where_only_the_packet_in_question_was_lost() {
        let mut burst = Burst::new(1, BurstPace { at_most: 9, ..PACE }, Moment::ZERO);
        let fates = [Fate::Unsent, Fate::Waiting, Fate::Answered, Fate::Lost, Fate::Void];
        for asked in fates {
            for control in fates {
                burst.begin((), asked, control, Moment::ZERO);
            }
        }
        let count =
            PairCount { sent: 25, counted: 1, answered: 5, lost: 5, control_answered: 5, control_lost: 5 };
        assert_eq!(burst.count(), count);
        assert!(!burst.all_decided() && !burst.has_room());
    }

    #[test]
    fn the_beat_is_kept_and_never_caught_up_with() {
        let mut burst = Burst::new(1, PACE, Moment::ZERO);
        burst.begin((), Fate::Lost, Fate::Lost, Duration::from_millis(5));
        assert_eq!(burst.next_at(), Duration::from_millis(20));
        burst.begin((), Fate::Lost, Fate::Lost, Duration::from_millis(900));
        assert_eq!(burst.next_at(), Duration::from_millis(900));
    }

    #[test]
    fn where_pairs_are_spaced_the_first_waits_too() {
        let mut burst = Burst::new(1, PACE, Moment::ZERO);
        burst.space_by(Duration::from_secs(1));
        assert_eq!(burst.next_at(), Duration::from_secs(1));
        burst.begin((), Fate::Lost, Fate::Lost, burst.next_at());
        assert_eq!(burst.next_at(), Duration::from_secs(2));
    }

    #[test]
    fn no_more_are_open_than_are_wanted_nor_begun_than_allowed() {
        let mut burst = Burst::new(1, PACE, Moment::ZERO);
        burst.begin((), Fate::Waiting, Fate::Answered, Moment::ZERO);
        let now = burst.next_at();
        assert!(!burst.is_due(now, 1) && burst.is_due(now, 2) && !burst.is_due(Moment::ZERO, 2));
        for _ in 1..PACE.at_most {
            burst.begin((), Fate::Lost, Fate::Lost, now);
        }
        assert!(!burst.is_due(burst.next_at(), 2) && !burst.is_exhausted(), "one is open");
        burst.resolve(0, Half::Asked, Fate::Lost);
        assert!(burst.is_exhausted());
        burst.resolve(7, Half::Asked, Fate::Answered);
        assert_eq!(burst.count().answered, 0, "there is no such pair");
    }
}
