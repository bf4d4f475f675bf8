//! What may be concluded of a path from its probes, with the numbers that carry it.
//!
//! A hole is claimed for a direction only by a way of asking that tests that direction: forward by
//! padded SYN, reverse by the fragmented echo request. A silent DF echo alone proves a hole of unknown
//! direction, unless what vanishes may be nothing but a filter of large ICMP.

use super::{
    super::observation::Judgement,
    lane::{Hole, LaneProber},
    probe::FLOWS,
    prober::PathProber,
};
use crate::types::{Bytes, Direction, UnknownReason, Verdict};

/// Below this a silent edge of ICMP may as well be a filter of large ICMP (> 1024 is a common screen).
const FILTER: Bytes = 1200;

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
enum Finding {
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
        let down = verdict == Verdict::Unreachable;
        let holes = match finding {
            Finding::Hole(directions) if !down => directions,
            _ => Vec::new(),
        };
        let cap = |mtu: Option<Bytes>| mtu.map(|mtu| mtu.min(expected)).filter(|_| !down);
        Judgement {
            verdict,
            unknown_reason,
            mtu_forward: cap(self.confirmed.forward),
            mtu_reverse: cap(self.reflected_reverse().or(self.confirmed.reverse)),
            settled: self.is_settled(),
            evidence: self.evidence(verdict, unknown_reason, &holes),
            holes,
        }
    }

    /// Notes the path MTUs that are certain now.
    pub(super) fn confirm(&mut self) {
        let small = self.settings.family.small();
        let exact = |hole: &&Hole| hole.exact && hole.answered > small;
        let echo_hole = self.echo.hole();
        if let Some(hole) = self.syn.hole() {
            if exact(&hole) {
                self.confirmed.forward = Some(hole.answered);
            }
        } else if let Some(hole) = echo_hole {
            if let Some(size) = self.forward_passes(hole.size) {
                self.confirmed.forward = Some(size);
            } else if exact(&hole) {
                self.confirmed.forward = Some(hole.answered);
            }
        } else if let Some(size) = self.echo.passing() {
            self.confirmed.forward = Some(size);
        } else if let Some(size) = self.syn.passing().filter(|_| !self.icmp_usable()) {
            self.confirmed.forward = Some(size);
        }
        self.confirmed.reverse = match self.fragments.hole() {
            Some(hole) if exact(&hole) && hole.answered >= FILTER => Some(hole.answered),
            Some(_) => self.confirmed.reverse,
            None => None,
        };
    }

    fn verdict(&self, finding: &Finding, expected: Bytes) -> (Verdict, Option<UnknownReason>) {
        let unknown = |reason| (Verdict::Unknown, Some(reason));
        if self.reach.is_down() {
            return (Verdict::Unreachable, None);
        }
        if matches!(finding, Finding::Hole(_)) {
            return (Verdict::Blackhole, None);
        }
        if self.loss.is_lossy() || self.echo.is_size_dependent() || self.syn.is_size_dependent() {
            return (Verdict::Lossy, None);
        }
        match finding {
            Finding::Filtered => return unknown(UnknownReason::LargeIcmpFiltered),
            Finding::Pending => return unknown(UnknownReason::NoProof),
            Finding::None | Finding::Hole(_) => {}
        }
        if self.hosts.testable < expected {
            return unknown(UnknownReason::LocalLimit);
        }
        if !self.can_size_echo() {
            return unknown(UnknownReason::NoProof);
        }
        if let Some(size) = self.echo.passing() {
            return if size >= expected { (Verdict::Ok, None) } else { (Verdict::Reduced, None) };
        }
        if !self.icmp_usable() && self.syn.passing().is_some() {
            return unknown(UnknownReason::ReverseUnmeasured);
        }
        if self.echo.is_exhausted() || self.syn.is_exhausted() {
            return unknown(UnknownReason::NoProof);
        }
        unknown(UnknownReason::Starting)
    }

    fn finding(&self) -> Finding {
        let mut directions = Vec::new();
        if self.syn.hole().is_some() {
            directions.push(Direction::Forward);
        }
        if self.fragments.hole().is_some_and(|hole| hole.answered >= FILTER) {
            directions.push(Direction::Reverse);
        }
        let Some(echo) = self.echo.hole() else {
            return match directions.is_empty() {
                false => Finding::Hole(directions),
                true if self.echo.is_silent() => Finding::Pending,
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
        } else if forward_passes && reverse_open {
            Finding::Pending
        } else if reverse_passes && !self.syn_usable() && beyond_filter {
            // The same size came back in one piece; so it is the DF request that vanishes.
            Finding::Hole(vec![Direction::Forward])
        } else if beyond_filter {
            Finding::Hole(vec![Direction::Unknown])
        } else if only_filter {
            Finding::Filtered
        } else {
            Finding::Pending
        }
    }

    /// The size that a padded SYN has passed since the echo lane is in doubt, if at least `size`.
    fn forward_passes(&self, size: Bytes) -> Option<Bytes> {
        self.passes_since_doubt(&self.syn, size)
    }

    fn reverse_passes(&self, size: Bytes) -> bool {
        self.passes_since_doubt(&self.fragments, size).is_some()
    }

    fn passes_since_doubt(&self, lane: &LaneProber, size: Bytes) -> Option<Bytes> {
        let fresh = lane.decided_at() >= self.doubt_since;
        lane.passing().filter(|passing| fresh && *passing >= size)
    }

    fn syn_usable(&self) -> bool {
        self.can_size_syn() && self.reach.tcp_ever() && !self.syn.is_exhausted()
    }

    fn is_settled(&self) -> bool {
        let lanes = [&self.echo, &self.syn, &self.fragments];
        let decided = self.echo.decided_at().is_some() || self.reach.is_down() || !self.can_size_echo();
        decided && !self.reach.is_suspicious() && !lanes.iter().any(|lane| lane.is_busy())
    }

    fn evidence(&self, verdict: Verdict, reason: Option<UnknownReason>, holes: &[Direction]) -> Vec<String> {
        let expected = self.expected();
        let mut said = Vec::new();
        if let Some(sentence) = self.reach.evidence(self.now) {
            said.push(sentence);
            said.extend(self.reflected_evidence());
            return said;
        }
        match verdict {
            Verdict::Blackhole => {
                if let Some(hole) = self.echo.hole() {
                    said.push(format!("DF echo: {}", self.hole_in_words(hole, "")));
                }
                if let Some(hole) = self.syn.hole() {
                    let flows = format!(" over {FLOWS} TCP flows");
                    said.push(format!("forward, padded TCP SYN: {}", self.hole_in_words(hole, &flows)));
                } else if let Some(size) = self.echo.hole().and_then(|hole| self.forward_passes(hole.size)) {
                    said.push(format!("forward, padded TCP SYN: {size} bytes are answered"));
                }
                if let Some(hole) = self.fragments.hole().filter(|_| holes.contains(&Direction::Reverse)) {
                    said.push(format!(
                        "reverse, echo request in fragments: {}",
                        self.hole_in_words(hole, "")
                    ));
                } else if self.echo.hole().is_some_and(|hole| self.reverse_passes(hole.size)) {
                    let size = self.fragments.top();
                    said.push(format!(
                        "reverse, echo request in fragments: replies of {size} bytes come back whole"
                    ));
                }
                if holes.contains(&Direction::Unknown) {
                    said.push("the direction is not proven (yet)".to_owned());
                }
            }
            Verdict::Reduced => {
                let size = self.echo.passing().unwrap_or(self.echo.top());
                said.push(format!(
                    "{} bytes are answered \"fragmentation needed\" by a bridge or router on the way; \
                     {size} bytes are answered",
                    expected.bytes
                ));
            }
            Verdict::Ok => said.push(format!("DF echoes of {} bytes come back whole", expected.bytes)),
            Verdict::Lossy if self.echo.is_size_dependent() || self.syn.is_size_dependent() => {
                said.push("size-dependent loss, no edge".to_owned());
            }
            Verdict::Unknown => said.extend(reason.map(|reason| self.why_unknown(reason))),
            Verdict::Lossy | Verdict::Unreachable => {}
        }
        said.extend(self.reflected_evidence());
        let loss = self.loss.count();
        if loss.lost > 0 {
            said.push(format!(
                "small echoes: {} of {} lost ({:.1} %) in the last 5 min",
                loss.lost,
                loss.sent,
                loss.percent()
            ));
        }
        said.push(format!("expected MTU {} bytes ({})", expected.bytes, expected.rule));
        said
    }

    fn why_unknown(&self, reason: UnknownReason) -> String {
        match reason {
            UnknownReason::LocalLimit => format!(
                "can test only up to {} bytes, what our own interface lets out: run in the host's network",
                self.hosts.testable
            ),
            UnknownReason::LargeIcmpFiltered => {
                let edge = self.echo.hole().map_or(self.settings.family.small(), |hole| hole.answered);
                format!("ICMP above {edge} bytes is dropped: a filter of large ICMP hides the path MTU")
            }
            UnknownReason::ReverseUnmeasured => {
                "padded TCP SYNs pass forward; ICMP is not answered, so reverse cannot be measured".to_owned()
            }
            UnknownReason::NoProof if !self.can_size_echo() => {
                "without CAP_NET_RAW only small echoes are sent: sizes are not tested".to_owned()
            }
            UnknownReason::NoProof => "full-size probes are silent, but not enough is proven".to_owned(),
            UnknownReason::Starting => "too early to tell".to_owned(),
            UnknownReason::Dns => "the target's name cannot be resolved".to_owned(),
            UnknownReason::PeerLimit => "the far end cannot take the expected size".to_owned(),
        }
    }

    fn hole_in_words(&self, hole: &Hole, over: &str) -> String {
        let proof = hole.proof;
        let edge = if hole.answered <= self.settings.family.small() {
            "the edge is being searched".to_owned()
        } else if hole.exact {
            format!("{} answered, {} not", hole.answered, hole.silent)
        } else {
            format!("{} answered, exact edge being searched", hole.answered)
        };
        format!(
            "{} bytes vanish without a signal ({} pairs{over} lost the large packet and kept the small one, \
             {} controls lost); {edge}",
            hole.size, proof.counted, proof.control_lost
        )
    }
}
