//! Which sizes pass in one direction, by pairs of segments between a reflector and the exporter.
//!
//! The detector is that of every other probe method ([`crate::path::hole::detector`]). A reflector
//! differs in that pairs go out one after the other, both halves are decided together, and the wait
//! before the next depends on the finding so far.

#[cfg(test)]
mod tests;

use std::time::Duration;

use fastrand::Rng;

use crate::{
    language::say,
    model::{family::Family, types::Bytes},
    path::{
        hole::{
            detect::Detect,
            detector::{Detector, Rules, Standing},
            proof::{Halves, Shot},
        },
        pairs::Fate,
        probe::Moment,
        reflection::{Large, SegmentPair, Sizes},
    },
};

/// The time between two pairs on a healthy path, and where there is a hole, whose end should be
/// seen soon.
const WATCH: Duration = Duration::from_secs(5);
const WATCH_HOLE: Duration = Duration::from_secs(1);
/// The smallest size tested, bytes of IP packet. The control is nearly as large.
const SMALLEST: Bytes = 128;

const RULES: Rules = Rules { halves: Halves::Together, smallest: SMALLEST, may_be_unanswered: false };

/// The hunt in one direction.
#[derive(Debug, Clone)]
pub struct SizeHunt {
    detector: Detector,
    rng: Rng,
    /// The size of the next pair outside a burst.
    watched: Bytes,
    asked_at: Option<Moment>,
}

impl SizeHunt {
    /// A hunt that begins at `top` bytes of IP packet.
    #[must_use]
    pub fn new(family: Family, top: Bytes) -> Self {
        Self { detector: Detector::new(family, RULES, top), rng: Rng::new(), watched: top, asked_at: None }
    }

    /// Tests `top` from now on.
    pub(crate) fn stand_at(&mut self, top: Bytes, now: Moment) {
        if top != self.detector.top() {
            self.detector.stand_at(top, now);
            self.watched = self.detector.sentinel().0;
        }
    }

    /// The size of the next pair, bytes of IP packet.
    #[must_use]
    pub fn size(&self) -> Bytes {
        self.detector.asks_for().unwrap_or(self.watched)
    }

    /// Sizes to try first in a search, bytes of IP packet.
    pub(crate) fn hint(&mut self, hints: Vec<Bytes>) {
        self.detector.hint(hints);
    }

    /// How many pairs of [`SizeHunt::size`] bytes may be needed before another size is.
    #[must_use]
    pub(crate) fn pairs_wanted(&self) -> u32 {
        u32::try_from(self.detector.pairs_wanted()).unwrap_or(u32::MAX)
    }

    /// When the last pair was decided.
    #[must_use]
    pub fn asked_at(&self) -> Option<Moment> {
        self.asked_at
    }

    /// When the next pair is due.
    #[must_use]
    pub fn due_at(&self) -> Moment {
        let Some(asked_at) = self.asked_at else { return Moment::ZERO };
        if let Some(at) = self.detector.next_at() {
            return at;
        }
        match self.detector.standing() {
            _ if self.detector.is_size_dependent() => asked_at + WATCH_HOLE,
            Standing::Hole(_) => asked_at + WATCH_HOLE,
            Standing::Passing { .. } => asked_at + WATCH,
            Standing::Untested => self.detector.rests_until().max(asked_at),
        }
    }

    /// Records the fate of a pair of [`SizeHunt::size`] bytes. Returns its large segment, for
    /// [`SizeHunt::late`].
    pub fn resolve(&mut self, pair: SegmentPair, now: Moment) -> Shot {
        self.asked_at = Some(now);
        let outside = Shot::outside(self.size());
        let large = match pair.large {
            Large::Passed => Fate::Answered,
            Large::Lost => Fate::Lost,
            // The sender's bound has changed; `stand_at` will be called.
            Large::Signalled { .. } | Large::Void => return outside,
        };
        let control = if pair.control { Fate::Answered } else { Fate::Lost };
        let shot = if self.detector.is_busy() {
            self.resolve_burst(large, control, now).unwrap_or(outside)
        } else {
            self.resolve_sentinel(outside, large, now);
            outside
        };
        self.detector.resume(now);
        if !self.detector.is_busy() {
            self.watched = self.detector.sentinel().0;
        }
        shot
    }

    /// A large segment that was recorded as lost has arrived late, so no hole dropped it.
    pub fn late(&mut self, shot: Shot, now: Moment) {
        self.detector.resolve(shot, Fate::Answered, now);
    }

    fn resolve_burst(&mut self, large: Fate, control: Fate, now: Moment) -> Option<Shot> {
        let now = self.detector.next_at().map_or(now, |at| at.max(now));
        let shots = self.detector.next_pair(now, &mut self.rng);
        // The control first, because the large one may end the burst.
        for shot in shots.iter().filter(|shot| !shot.large) {
            self.detector.resolve(*shot, control, now);
        }
        let of_large = shots.into_iter().find(|shot| shot.large)?;
        self.detector.resolve(of_large, large, now);
        Some(of_large)
    }

    fn resolve_sentinel(&mut self, shot: Shot, large: Fate, now: Moment) {
        if large == Fate::Answered {
            self.detector.large_passed(shot.flow, shot.size, now);
        } else {
            self.detector.sentinel_lost(shot.flow, shot.size, now);
        }
    }

    /// The finding.
    #[must_use]
    pub fn sizes(&self) -> Sizes {
        if let Some(hole) = self.detector.hole() {
            let answered = if hole.answered > SMALLEST { hole.answered } else { 0 };
            let exact = hole.exact && answered > 0;
            return Sizes::Silent { size: hole.size, answered, exact, proof: hole.proof };
        }
        if self.detector.is_size_dependent() {
            return Sizes::SizeDependent;
        }
        if let Some((size, count)) = self.detector.exhausted() {
            let why = say!(
                "{pairs} pairs at {size} bytes without a decision: {lost}",
                pairs = count.sent,
                size,
                lost => count.lost_in_words()
            );
            return Sizes::NotUsable { why };
        }
        self.detector.passing().map_or(Sizes::Starting, |size| Sizes::Passed { size })
    }
}
