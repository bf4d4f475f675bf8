//! What may be concluded of a path from its probes.
//!
//! A hole is claimed for a direction only by a way of asking that tests that direction: forward by
//! padded SYN, reverse by the fragmented echo request. A silent DF echo alone proves a hole of unknown
//! direction, unless what vanishes may be nothing but a filter of large ICMP.

mod evidence;
pub mod expected_mtu;
pub mod target_mtu;

use std::time::Duration;

use super::{
    hole::{asking::Asking, flows::FlowHole, lane::Hole},
    probe::{FLOWS, Moment},
    prober::{PathProber, beyond::Beyond},
};
use crate::model::{
    family::Family,
    observation::Judgement,
    types::{Bytes, Direction, TcpState, UnknownReason, Verdict},
};

/// Below this a silent edge of ICMP may as well be a filter of large ICMP (> 1024 is a common screen).
const FILTER: Bytes = 1200;

/// How long a verdict outlives the first doubt.
const DOUBT: Duration = Duration::from_secs(10);

/// Signals are asked for every two seconds, or with each sentinel: of so many at least one is heard, at 20 % loss each
/// way (0.36^15 < 3e-7).
const SIGNALS_ASKED: u32 = 15;

/// A target that answers TCP and has answered no echo for so long answers none.
const NO_ICMP: Duration = Duration::from_secs(10);

/// Whether a port answers, or is silent, is known after that, if ever.
const TCP_DECIDED: Duration = Duration::from_secs(30);

/// The last verdict that rested on no pending finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    verdict: Verdict,
    reason: Option<UnknownReason>,
    at: Moment,
}

impl Default for Known {
    fn default() -> Self {
        Self { verdict: Verdict::Unknown, reason: Some(UnknownReason::Starting), at: Moment::ZERO }
    }
}

/// The path MTU of each direction as last confirmed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Confirmed {
    /// To the target.
    pub forward: Option<Bytes>,
    /// From the target, only where exact.
    pub reverse: Option<Bytes>,
}

/// What the lanes together say of holes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Finding {
    /// No silence is proven.
    None,
    /// Silence is proven; whose it is will be known in a moment.
    Pending,
    /// Only large ICMP vanishes.
    Filtered,
    /// A hole, with its directions.
    Hole(Vec<Direction>),
}

impl PathProber {
    /// The verdict now, with evidence.
    #[must_use]
    pub fn judgement(&self) -> Judgement {
        let expected = self.expected().bytes;
        let finding = self.finding();
        let (verdict, unknown_reason) = self.verdict(&finding, expected);
        let down = verdict == Verdict::Unreachable || self.local.trouble().is_some();
        let holes = match finding {
            Finding::Hole(directions) if !down => directions,
            _ => Vec::new(),
        };
        let expected_reverse = self.expected_reverse().bytes;
        let cap = |mtu: Option<Bytes>, most: Bytes| mtu.map(|mtu| mtu.min(most)).filter(|_| !down);
        // What our own interface lets out is no property of the path.
        let all_we_can = self.hosts.testable < expected;
        let (at_least, forward): (Option<Bytes>, Option<Bytes>) = match cap(self.confirmed.forward, expected)
        {
            Some(mtu) if all_we_can && mtu >= self.hosts.testable => (Some(mtu), None),
            mtu => (None, mtu),
        };
        let kept = self.kept_to_by_target().filter(|_| verdict == Verdict::Reduced);
        let reverse = cap(self.reflected_reverse().or(self.confirmed.reverse).or(kept), expected_reverse);
        Judgement {
            verdict,
            unknown_reason,
            mtu_forward: forward,
            mtu_reverse: reverse,
            forward_at_least: at_least,
            forward_expected: (expected < expected_reverse).then_some(expected),
            reverse_at_least: cap(self.came_back_whole(), expected_reverse).filter(|_| reverse.is_none()),
            tcp: self.tcp_state(),
            settled: self.is_settled(),
            evidence: self.evidence(verdict, unknown_reason, &holes),
            holes,
        }
    }

    /// Notes the path MTUs that are certain now.
    pub(super) fn confirm(&mut self, finding: &Finding) {
        let small = self.settings.family.small();
        let exact = |hole: &Hole| (hole.exact && hole.answered > small).then_some(hole.answered);
        let filtered = *finding == Finding::Filtered;
        // Where it may turn out to be a filter's, the edge of echoes is no path MTU yet.
        let in_doubt = |hole: &Hole| *finding == Finding::Pending && hole.exact && hole.answered < FILTER;
        let forward = if let Some(flows) = self.forward_hole() {
            let edge = exact(flows.hole).or(self.confirmed.forward);
            // ICMP's flow may take the leg of the smallest edge.
            let icmp = self.edge_of_icmp().filter(|icmp| edge > Some(*icmp));
            icmp.or(edge)
        } else if let Some(hole) = self.echo.hole() {
            let edge = if hole.in_pieces { None } else { exact(hole).or(self.confirmed.forward) };
            let by_reverse = self.reverse_hole().is_some_and(|reverse| reverse.answered <= hole.answered);
            let edge = if by_reverse && self.syn_usable() {
                // It tells of the way back; TCP alone tells of the way there.
                self.reduced_flows().or(self.confirmed.forward)
            } else {
                // The limit of a filter of large ICMP is no path MTU.
                edge.filter(|_| !filtered && !in_doubt(hole))
            };
            self.forward_passes(hole.size).or(edge)
        } else if let Some(size) = self.echo.passing() {
            match self.reduced_flows() {
                Some(reduced) => Some(reduced.min(size)),
                None if self.is_lower_on_flows() => self.confirmed.forward,
                None => Some(size),
            }
        } else if let Some(size) = self.syn.passing().filter(|_| !self.icmp_usable() && self.syn_usable()) {
            Some(size)
        } else {
            self.confirmed.forward
        };
        self.confirmed.forward = forward;
        self.confirmed.reverse = match self.fragments.hole() {
            Some(hole) if hole.exact => self.reverse_hole().and_then(exact),
            Some(_) => self.confirmed.reverse,
            None => None,
        };
    }

    /// A hole that fragmented echo requests have proven, if it can be believed.
    pub(super) fn reverse_hole(&self) -> Option<&Hole> {
        self.silent_replies().filter(|hole| !self.may_be_signalled(hole))
    }

    /// Whether large replies vanish at a size that may be signalled where packets carry DF.
    pub(super) fn reverse_in_doubt(&self) -> bool {
        let kept = self.kept_to_by_target();
        let known = |hole: &Hole| kept.is_some_and(|kept| !hole.exact || hole.answered == kept);
        self.silent_replies().is_some_and(|hole| self.may_be_signalled(hole) && !known(hole))
    }

    /// Replies that vanish: above what may be a filter of large ICMP, and where the pieces of a large request
    /// are known to pass forward.
    fn silent_replies(&self) -> Option<&Hole> {
        let believed = |hole: &&Hole| {
            hole.answered >= FILTER && self.pieces_pass() == Some(true) && !self.may_be_cut_by_target(hole)
        };
        self.fragments.hole().filter(believed)
    }

    /// IPv4 replies carry no DF. Over an IPv6 underlay that is too small a router drops those without a word
    /// and signals those with DF (measured, 6.18), so the MTU that is signalled on the way there may be
    /// signalled on the way back too. A bridge's silent edge lies four bytes higher. Where nothing is signalled any more the
    /// way there gives no such hope.
    fn may_be_signalled(&self, hole: &Hole) -> bool {
        let every = self.settings.sentinel_interval.max(Duration::from_secs(2));
        let window = every * SIGNALS_ASKED;
        let lately = |at| self.now.saturating_sub(at) < window;
        let beyond = self.target.signalled_since(self.now.saturating_sub(window));
        if self.settings.family == Family::V4 && beyond.is_some_and(|mtu| !hole.exact || hole.answered == mtu)
        {
            return true;
        }
        if !self.signalled_at.is_some_and(lately) {
            return false;
        }
        let mut lowered = [self.echo.top(), self.syn.top()].into_iter().filter(|top| *top < self.ceiling());
        self.settings.family == Family::V4
            && lowered.any(|signalled| !hole.exact || hole.answered == signalled)
    }

    /// Whether the pieces of a large echo request pass forward, as far as known. (Simulated: behind a
    /// forward edge of 447 bytes they die, while those of the small control pass: a false reverse hole.)
    pub(super) fn pieces_pass(&self) -> Option<bool> {
        let piece = self.settings.family.fragment();
        let flows = self.syn.hole().map(|flows| flows.hole);
        let echo = self.echo.hole();
        let answered = [flows, echo].into_iter().flatten().map(|hole| hole.answered);
        let passing = [self.syn.passing(), self.echo.passing()].into_iter().flatten();
        if answered.chain(passing).any(|size| size >= piece) {
            return Some(true);
        }
        [flows, echo].into_iter().flatten().any(|hole| hole.exact).then_some(false)
    }

    /// The largest size that passes forward on ICMP's flow, where the way back is known to carry more.
    fn edge_of_icmp(&self) -> Option<Bytes> {
        let hole = self.echo.hole().filter(|hole| hole.exact && !hole.in_pieces)?;
        (hole.answered >= FILTER && self.reverse_passes(hole.size)).then_some(hole.answered)
    }

    /// Signals send discovery below the expected MTU on TCP flows, wherever it will end.
    fn is_lower_on_flows(&self) -> bool {
        self.syn_usable() && self.syn.top() < self.ceiling()
    }

    /// The size at which discovery ends on TCP flows, where signals end it below the expected MTU.
    pub(super) fn reduced_flows(&self) -> Option<Bytes> {
        let size = self.syn.passing().filter(|_| self.syn_usable())?;
        (size == self.syn.top() && size < self.ceiling()).then_some(size)
    }

    /// All TCP flows are told the same smaller MTU by the target's own address, while echoes that the target answers
    /// itself pass above it: what is too small lies behind that address (a pod behind a `NodePort`). The address
    /// alone says nothing: a Linux bridge on the way signs with the target's own, and then echoes are told the same.
    fn stands_at_targets_word(&self) -> bool {
        self.told_by_target.is_some_and(|mtu| {
            self.syn_usable()
                && (0..FLOWS).all(|flow| self.syn.top_of(flow) == mtu)
                && self.echo.passing().is_some_and(|passing| passing > mtu)
        })
    }

    fn verdict(&self, finding: &Finding, expected: Bytes) -> (Verdict, Option<UnknownReason>) {
        let unknown = |reason| (Verdict::Unknown, Some(reason));
        if let Some(trouble) = self.local.trouble() {
            return unknown(trouble.reason());
        }
        if self.reach.is_down() {
            return (Verdict::Unreachable, None);
        }
        if matches!(finding, Finding::Hole(_)) || self.tcp_state().is_some_and(TcpState::is_dead) {
            return (Verdict::Blackhole, None);
        }
        if (self.loss.is_lossy() && !self.icmp_rate.is_rationed()) || self.is_size_dependent() {
            return (Verdict::Lossy, None);
        }
        match finding {
            Finding::Filtered => return unknown(UnknownReason::LargeIcmpFiltered),
            Finding::Pending => return self.before_doubt(),
            Finding::None | Finding::Hole(_) => {}
        }
        if (self.tcp.is_open() && self.icmp_usable()) || self.awaits_byte() {
            let exhausted = self.tcp.is_exhausted() || self.payload.is_exhausted();
            let late = exhausted || self.now >= self.began + TCP_DECIDED;
            return unknown(if late { UnknownReason::NoProof } else { UnknownReason::Starting });
        }
        if self.awaits_routers() {
            return unknown(UnknownReason::Starting);
        }
        if self.hosts.testable < expected {
            return unknown(UnknownReason::LocalLimit);
        }
        if !self.can_size_echo() {
            return unknown(UnknownReason::NoProof);
        }
        if self.far_mtu().is_some_and(|mtu| mtu < expected) || self.stands_at_targets_word() {
            return unknown(UnknownReason::PeerLimit);
        }
        if let Some(size) = self.echo.passing() {
            let lower = size < expected || self.is_lower_on_flows();
            let beyond = self.beyond();
            let cut = (!lower && self.is_cut_on_the_way_back(size))
                || matches!(beyond, Beyond::Cut | Beyond::Unmeasured);
            if (cut || self.reverse_in_doubt()) && self.reflected_reverse().is_none() {
                return unknown(UnknownReason::ReverseUnmeasured);
            }
            let whole = !lower && self.in_one_piece(expected);
            return (if whole { Verdict::Ok } else { Verdict::Reduced }, None);
        }
        if self.icmp_usable() && self.is_lower_on_flows() && self.syn.passing().is_some() {
            // ICMP's walk has just been moved.
            return (Verdict::Reduced, None);
        }
        if !self.icmp_usable() && self.syn_usable() && self.syn.passing().is_some() {
            let reverse = self.reflected_reverse().is_some();
            let whole = reverse && self.syn.passing() >= Some(expected);
            return match (reverse, whole) {
                (true, true) => (Verdict::Ok, None),
                (true, false) => (Verdict::Reduced, None),
                (false, _) => unknown(UnknownReason::ReverseUnmeasured),
            };
        }
        if self.echo.is_exhausted() || self.syn.is_exhausted() || self.has_no_sizes() {
            return unknown(UnknownReason::NoProof);
        }
        unknown(UnknownReason::Starting)
    }

    /// While it is not yet known whose silence a silence is, what was known before stands a little longer.
    fn before_doubt(&self) -> (Verdict, Option<UnknownReason>) {
        let lately = self.now.saturating_sub(self.known.at) < DOUBT;
        match self.known.verdict {
            Verdict::Blackhole | Verdict::Unreachable => (Verdict::Unknown, Some(UnknownReason::NoProof)),
            verdict if lately => (verdict, self.known.reason),
            _ => (Verdict::Unknown, Some(UnknownReason::NoProof)),
        }
    }

    /// Notes a verdict that rests on no pending finding.
    pub(super) fn note_verdict(&mut self, finding: &Finding) {
        if *finding != Finding::Pending {
            let (verdict, reason) = self.verdict(finding, self.expected().bytes);
            self.known = Known { verdict, reason, at: self.now };
        }
    }

    pub(super) fn finding(&self) -> Finding {
        let mut directions = Vec::new();
        if self.forward_hole().is_some() {
            directions.push(Direction::Forward);
        }
        let [forward, reverse] = self.reflected_holes();
        if forward && directions.is_empty() {
            directions.push(Direction::Forward);
        }
        if self.reverse_hole().is_some() || reverse {
            directions.push(Direction::Reverse);
        }
        let Some(echo) = self.echo.hole() else {
            return match directions.is_empty() {
                false => Finding::Hole(directions),
                true if self.echo.is_silent() || self.is_beyond_pending() => Finding::Pending,
                true => Finding::None,
            };
        };
        if !directions.is_empty() {
            return Finding::Hole(directions);
        }
        let beyond_filter = echo.answered >= FILTER;
        let only_filter = echo.exact && !beyond_filter;
        let forward_passes = self.forward_passes(echo.size).is_some();
        let reverse_passes = self.reverse_passes(echo.size);
        let reverse_filtered = self.fragments.hole().is_some_and(|hole| hole.exact);
        let reverse_open = self.can_fragment() && !self.fragments.is_exhausted();
        if forward_passes && (reverse_passes || reverse_filtered) {
            Finding::Filtered
        } else if forward_passes && reverse_open && !beyond_filter {
            Finding::Pending
        } else if reverse_passes && !self.syn_usable() && beyond_filter && self.echo_is_fresh() {
            // The same size came back in one piece; so it is the DF request that vanishes.
            Finding::Hole(vec![Direction::Forward])
        } else if beyond_filter {
            Finding::Hole(vec![Direction::Unknown])
        } else if self.syn.is_silent() && !self.origin.is_foreign() {
            // The TCP flows have fallen silent too; their edge is being searched.
            Finding::Pending
        } else if only_filter {
            Finding::Filtered
        } else {
            Finding::Pending
        }
    }

    /// Whether the echo lane's hole was seen after the last hole of the fragment lane ended: both may have
    /// been one.
    pub(super) fn echo_is_fresh(&self) -> bool {
        self.reverse_ended_at.is_none_or(|ended| self.echo.decided_at() > Some(ended))
    }

    /// A router on the way cuts IPv4 replies, which carry no DF. What it does with packets that do, it may
    /// signal or not (measured: with `bridge-nf-call-iptables=1` it does not).
    fn is_cut_on_the_way_back(&self, size: Bytes) -> bool {
        self.settings.family == Family::V4 && !self.in_one_piece(size) && self.reflected_reverse().is_none()
    }

    pub(super) fn is_size_dependent(&self) -> bool {
        self.echo.is_size_dependent() || self.syn.is_size_dependent()
    }

    /// The largest size known to come back in one piece.
    fn came_back_whole(&self) -> Option<Bytes> {
        let whole = |size: Bytes| {
            let pieces = [self.largest_fragment, self.target.largest_piece_of(size)];
            pieces.into_iter().flatten().fold(size, Bytes::min)
        };
        let fragments = self.fragments.passing().filter(|size| self.reverse_passes(*size));
        let beyond = self.whole_beyond();
        let edge = self.echo.edge().filter(|edge| *edge > self.settings.family.small());
        fragments.max(self.echo.passing()).max(edge).map(whole).max(beyond)
    }

    /// Nothing of the size that every IPv6 link must carry passes.
    pub(super) fn is_below_least(&self, hole: &Hole) -> bool {
        let family = self.settings.family;
        family == Family::V6 && hole.exact && hole.answered < family.least_mtu()
    }

    /// A hole that padded SYNs have proven, if they can be believed.
    pub(super) fn forward_hole(&self) -> Option<FlowHole<'_>> {
        self.syn.hole().filter(|_| !self.origin.is_foreign())
    }

    /// The size that a padded SYN has passed since the echo lane is in doubt, if at least `size`.
    pub(super) fn forward_passes(&self, size: Bytes) -> Option<Bytes> {
        let passing = self.syn.passing().filter(|_| !self.origin.is_foreign());
        self.since_doubt(passing, self.syn.decided_at(), size)
    }

    pub(super) fn reverse_passes(&self, size: Bytes) -> bool {
        self.since_doubt(self.fragments.passing(), self.fragments.decided_at(), size).is_some()
    }

    fn since_doubt(&self, passing: Option<Bytes>, decided_at: Option<Moment>, size: Bytes) -> Option<Bytes> {
        passing.filter(|passing| decided_at >= self.doubt_since && *passing >= size)
    }

    /// Whether padded SYNs tell about the way to the target.
    pub(super) fn syn_usable(&self) -> bool {
        let asked = self.can_size_syn() && self.reach.tcp_ever() && !self.tcp.is_silent();
        asked && !self.syn.is_exhausted() && !self.origin.is_foreign()
    }

    /// Only ICMP has sizes here, and the target answers none.
    pub(super) fn has_no_sizes(&self) -> bool {
        let only_icmp = self.can_size_echo() && !self.can_size_syn();
        only_icmp && !self.reach.icmp_ever() && self.reach.tcp_ever() && self.now >= self.began + NO_ICMP
    }

    fn is_settled(&self) -> bool {
        let busy = self.echo.is_busy() || self.syn.is_busy() || self.fragments.is_busy();
        let decided = self.echo.decided_at().is_some()
            || self.reach.is_down()
            || self.local.trouble().is_some()
            || (!self.can_size_echo() && (self.reach.icmp_ever() || self.reach.tcp_ever()))
            || self.has_no_sizes();
        let tcp_decided = !(self.tcp.is_open() && self.icmp_usable()) || self.tcp.is_exhausted();
        let byte_decided = !self.awaits_byte() || self.payload.is_exhausted();
        let decided = decided && tcp_decided && byte_decided && !self.is_beyond_pending();
        let asking = self.tcp.is_asking() || self.payload.is_asking();
        decided && !self.reach.is_suspicious() && !asking && !busy
    }
}

#[cfg(test)]
mod tests;
