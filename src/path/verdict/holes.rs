//! Which silence is a black hole, and its direction.
//!
//! A hole in one direction is reported only from a probe method that tests that direction: padded
//! SYNs forward, fragmented echo requests reverse. Silent DF echoes alone prove a hole of unknown
//! direction, unless a filter of large ICMP could explain the silence.

use std::time::Duration;

use super::facts::{Facts, HoleFacts, MethodFacts};
use crate::{
    model::{
        family::Family,
        types::{Bytes, Direction},
    },
    path::probe::Moment,
};

/// Below this size, an edge of silent ICMP may be a filter of large ICMP (> 1024 bytes is a common
/// rule).
pub(super) const FILTER: Bytes = 1200;

/// A probe that provokes a signal is sent every two seconds, or with each sentinel. Of this many,
/// at least one signal arrives even at 20 % loss each way (0.36^15 < 3e-7).
const SIGNALS_ASKED: u32 = 15;

/// The combined result of the probe methods about black holes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Finding {
    /// No silence is proven.
    None,
    /// Silence is proven; its direction is still being tested.
    Pending,
    /// Only large ICMP is lost.
    Filtered,
    /// A hole, in these directions.
    Hole(Vec<Direction>),
}

impl Facts {
    /// The combined result of the probe methods about black holes.
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

    /// What silent DF echoes mean while no direction is proven.
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
            // The same size came back unfragmented, so the DF request is what is lost.
            Finding::Hole(vec![Direction::Forward])
        } else if beyond_filter {
            Finding::Hole(vec![Direction::Unknown])
        } else if self.syn.silent && !self.foreign {
            // The TCP flows are silent too; the search for their edge is still running.
            Finding::Pending
        } else if only_filter {
            Finding::Filtered
        } else {
            Finding::Pending
        }
    }

    /// The hole proven by padded SYNs, unless a middlebox answers them.
    pub(super) fn forward_hole(&self) -> Option<HoleFacts> {
        self.syn.hole.filter(|_| !self.foreign)
    }

    /// The hole proven by fragmented echo requests, unless Packet Too Big may cover it for packets
    /// with DF.
    pub(super) fn reverse_hole(&self) -> Option<HoleFacts> {
        self.silent_replies().filter(|hole| !self.may_be_signalled(hole))
    }

    /// Whether large replies are lost at a size for which packets with DF may get Packet Too Big.
    pub(super) fn reverse_in_doubt(&self) -> bool {
        let kept = self.kept_to_by_target();
        let known = |hole: &HoleFacts| kept.is_some_and(|kept| !hole.exact || hole.answered == kept);
        self.silent_replies().is_some_and(|hole| self.may_be_signalled(&hole) && !known(&hole))
    }

    /// Lost large replies, if neither a filter of large ICMP, nor lost forward fragments of the
    /// request, nor fragmentation by the target can explain them.
    fn silent_replies(&self) -> Option<HoleFacts> {
        let believed = |hole: &HoleFacts| {
            hole.answered >= FILTER && self.pieces_pass() == Some(true) && !self.may_be_cut_by_target(hole)
        };
        self.fragments.hole.filter(believed)
    }

    /// Whether the loss of replies at this edge may be signalled to packets with DF.
    ///
    /// IPv4 replies carry no DF. A router in front of a too small IPv6 underlay drops packets
    /// without DF silently and signals those with DF (measured on Linux 6.18). So an MTU that is
    /// signalled on the forward path may be signalled on the reverse path too. With a bridge, the
    /// silent edge lies four bytes above the signalled MTU. If signals on the forward path have
    /// stopped, they suggest nothing about the reverse path.
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

    pub(in crate::path) fn pieces_pass(&self) -> Option<bool> {
        pieces_pass(self.family, [&self.syn, &self.echo])
    }

    /// Whether the silence of echoes was seen after the last hole of fragmented requests ended. If
    /// it was seen before, both may have been the same hole.
    pub(in crate::path) fn echo_is_fresh(&self) -> bool {
        self.reverse_ended_at.is_none_or(|ended| self.echo.decided_at > Some(ended))
    }

    /// The largest size a padded SYN has passed since echoes have been in doubt, if at least
    /// `size`.
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

    /// Even the minimum MTU of IPv6 (1280 bytes) does not pass.
    pub(super) fn is_below_least(&self, hole: &HoleFacts) -> bool {
        self.family == Family::V6 && hole.exact && hole.answered < self.family.least_mtu()
    }
}

/// Whether the fragments of a large echo request pass forward; none while unknown. (Simulation:
/// behind a forward edge of 447 bytes the fragments are lost while those of the small control pass,
/// which looked like a reverse hole.)
pub(in crate::path) fn pieces_pass(family: Family, forward: [&MethodFacts; 2]) -> Option<bool> {
    let piece = family.fragment();
    let holes = || forward.iter().filter_map(|method| method.hole);
    let passing = forward.iter().filter_map(|method| method.passing);
    if holes().map(|hole| hole.answered).chain(passing).any(|size| size >= piece) {
        return Some(true);
    }
    holes().any(|hole| hole.exact).then_some(false)
}
