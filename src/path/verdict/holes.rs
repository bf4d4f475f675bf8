//! Which silence is a hole, and of which direction.
//!
//! A hole is claimed for a direction only by a probe method that tests that direction: forward by padded SYN, reverse by
//! the fragmented echo request. A silent DF echo alone proves a hole of unknown direction, unless what vanishes may be
//! nothing but a filter of large ICMP.

use std::time::Duration;

use super::facts::{Facts, HoleFacts, MethodFacts};
use crate::{
    model::{
        family::Family,
        types::{Bytes, Direction},
    },
    path::probe::Moment,
};

/// Below this a silent edge of ICMP may as well be a filter of large ICMP (> 1024 is a common screen).
pub(super) const FILTER: Bytes = 1200;

/// Signals are asked for every two seconds, or with each sentinel: of so many at least one is heard, at 20 % loss each
/// way (0.36^15 < 3e-7).
const SIGNALS_ASKED: u32 = 15;

/// What the probe methods together say of holes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Finding {
    /// No silence is proven.
    None,
    /// Silence is proven; its direction will be known in a moment.
    Pending,
    /// Only large ICMP vanishes.
    Filtered,
    /// A hole, with its directions.
    Hole(Vec<Direction>),
}

impl Facts {
    /// What the probe methods together say of holes.
    #[must_use]
    pub(crate) fn finding(&self) -> Finding {
        let mut directions = Vec::new();
        let [forward, reverse] = self.reflected.holes;
        if self.forward_hole().is_some() || forward {
            directions.push(Direction::Forward);
        }
        if self.reverse_hole().is_some() || reverse {
            directions.push(Direction::Reverse);
        }
        if !directions.is_empty() {
            return Finding::Hole(directions);
        }
        match self.echo.hole {
            Some(hole) => self.silent_echoes(&hole),
            None if self.echo.silent || self.is_beyond_pending() => Finding::Pending,
            None => Finding::None,
        }
    }

    /// What silent DF echoes say where no direction is proven.
    fn silent_echoes(&self, echo: &HoleFacts) -> Finding {
        let beyond_filter = echo.answered >= FILTER;
        let only_filter = echo.exact && !beyond_filter;
        let forward_passes = self.forward_passes(echo.size).is_some();
        let reverse_passes = self.reverse_passes(echo.size);
        let reverse_filtered = self.fragments.hole.is_some_and(|hole| hole.exact);
        let reverse_open = self.can_fragment() && !self.fragments.exhausted;
        if forward_passes && (reverse_passes || reverse_filtered) {
            Finding::Filtered
        } else if forward_passes && reverse_open && !beyond_filter {
            Finding::Pending
        } else if reverse_passes && !self.syn_usable() && beyond_filter && self.echo_is_fresh() {
            // The same size came back in one piece; so it is the DF request that vanishes.
            Finding::Hole(vec![Direction::Forward])
        } else if beyond_filter {
            Finding::Hole(vec![Direction::Unknown])
        } else if self.syn.silent && !self.foreign {
            // The TCP flows have fallen silent too; their edge is being searched.
            Finding::Pending
        } else if only_filter {
            Finding::Filtered
        } else {
            Finding::Pending
        }
    }

    /// A hole that padded SYNs have proven, if they can be believed.
    pub(super) fn forward_hole(&self) -> Option<HoleFacts> {
        self.syn.hole.filter(|_| !self.foreign)
    }

    /// A hole that fragmented echo requests have proven, if it can be believed.
    pub(super) fn reverse_hole(&self) -> Option<HoleFacts> {
        self.silent_replies().filter(|hole| !self.may_be_signalled(hole))
    }

    /// Whether large replies vanish at a size that may be signalled where packets carry DF.
    pub(super) fn reverse_in_doubt(&self) -> bool {
        let kept = self.kept_to_by_target();
        let known = |hole: &HoleFacts| kept.is_some_and(|kept| !hole.exact || hole.answered == kept);
        self.silent_replies().is_some_and(|hole| self.may_be_signalled(&hole) && !known(&hole))
    }

    /// Replies that vanish: above what may be a filter of large ICMP, and where the pieces of a large request
    /// are known to pass forward.
    fn silent_replies(&self) -> Option<HoleFacts> {
        let believed = |hole: &HoleFacts| {
            hole.answered >= FILTER && self.pieces_pass() == Some(true) && !self.may_be_cut_by_target(hole)
        };
        self.fragments.hole.filter(believed)
    }

    /// IPv4 replies carry no DF. Over an IPv6 underlay that is too small a router drops those without a word
    /// and signals those with DF (measured, 6.18), so the MTU that is signalled on the way there may be
    /// signalled on the way back too. A bridge's silent edge lies four bytes higher. Where nothing is signalled any more the
    /// way there gives no such hope.
    fn may_be_signalled(&self, hole: &HoleFacts) -> bool {
        if self.family != Family::V4 {
            return false;
        }
        let at = |signalled: Bytes| !hole.exact || hole.answered == signalled;
        let window = self.sentinel_interval.max(Duration::from_secs(2)) * SIGNALS_ASKED;
        if self.target.signalled_since(self.now.saturating_sub(window)).is_some_and(at) {
            return true;
        }
        let lately = |heard: Moment| self.now.saturating_sub(heard) < window;
        let mut lowered = [self.echo.top, self.syn.top].into_iter().filter(|top| *top < self.sizes.ceiling());
        self.signalled_at.is_some_and(lately) && lowered.any(at)
    }

    pub(super) fn pieces_pass(&self) -> Option<bool> {
        pieces_pass(self.family, [&self.syn, &self.echo])
    }

    /// Whether the silence of echoes was seen after the last hole of fragmented requests ended: both may have
    /// been one.
    pub(in crate::path) fn echo_is_fresh(&self) -> bool {
        self.reverse_ended_at.is_none_or(|ended| self.echo.decided_at > Some(ended))
    }

    /// The size that a padded SYN has passed since echoes are in doubt, if at least `size`.
    pub(super) fn forward_passes(&self, size: Bytes) -> Option<Bytes> {
        let passing = self.syn.passing.filter(|_| !self.foreign);
        self.since_doubt(passing, self.syn.decided_at, size)
    }

    pub(super) fn reverse_passes(&self, size: Bytes) -> bool {
        self.since_doubt(self.fragments.passing, self.fragments.decided_at, size).is_some()
    }

    fn since_doubt(&self, passing: Option<Bytes>, decided_at: Option<Moment>, size: Bytes) -> Option<Bytes> {
        passing.filter(|passing| decided_at >= self.doubt_since && *passing >= size)
    }

    /// Nothing of the size that every IPv6 link must carry passes.
    pub(super) fn is_below_least(&self, hole: &HoleFacts) -> bool {
        self.family == Family::V6 && hole.exact && hole.answered < self.family.least_mtu()
    }
}

/// Whether the pieces of a large echo request pass forward, as far as known. (Simulated: behind a
/// forward edge of 447 bytes they die, while those of the small control pass: a false reverse hole.)
pub(in crate::path) fn pieces_pass(family: Family, forward: [&MethodFacts; 2]) -> Option<bool> {
    let piece = family.fragment();
    let holes = || forward.iter().filter_map(|method| method.hole);
    let passing = forward.iter().filter_map(|method| method.passing);
    if holes().map(|hole| hole.answered).chain(passing).any(|size| size >= piece) {
        return Some(true);
    }
    holes().any(|hole| hole.exact).then_some(false)
}
