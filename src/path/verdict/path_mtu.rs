//! The path MTU of each direction, where it is certain.

use super::{
    facts::{Facts, HoleFacts},
    holes::{FILTER, Finding},
};
use crate::model::types::Bytes;

/// The last confirmed path MTU of each direction, kept while a search is under way; in bytes of IP
/// packet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Confirmed {
    /// To the target.
    pub forward: Option<Bytes>,
    /// From the target, only if exact.
    pub reverse: Option<Bytes>,
}

impl Confirmed {
    /// The path MTUs confirmed by the current facts.
    #[must_use]
    pub(crate) fn next(self, facts: &Facts, finding: &Finding) -> Self {
        let reverse = match facts.fragments.hole {
            Some(hole) if hole.exact => facts.reverse_hole().and_then(|hole| facts.exact(&hole)),
            Some(_) => self.reverse,
            None => None,
        };
        Self { forward: self.next_forward(facts, finding), reverse }
    }

    fn next_forward(self, facts: &Facts, finding: &Finding) -> Option<Bytes> {
        if let Some(flows) = facts.forward_hole() {
            let edge = facts.exact(&flows).or(self.forward);
            // ICMP's flow may use the underlay leg with the smallest edge.
            let icmp = facts.edge_of_icmp().filter(|icmp| edge > Some(*icmp));
            icmp.or(edge)
        } else if let Some(hole) = facts.echo.hole {
            facts.forward_passes(hole.size).or_else(|| self.edge_of_echoes(&hole, facts, finding))
        } else if let Some(size) = facts.echo.passing {
            match facts.reduced_flows() {
                Some(reduced) => Some(reduced.min(size)),
                None if facts.is_lower_on_flows() => self.forward,
                None => Some(size),
            }
        } else {
            let by_syn = facts.syn.passing.filter(|_| !facts.icmp_usable() && facts.syn_usable());
            by_syn.or(self.forward)
        }
    }

    /// The forward path MTU that follows from the edge of silent echoes.
    fn edge_of_echoes(self, hole: &HoleFacts, facts: &Facts, finding: &Finding) -> Option<Bytes> {
        if facts.explains(hole) {
            // The edge belongs to the reverse path. Only TCP measures the forward path; without TCP
            // it is unknown.
            return facts.reduced_flows().or(self.forward.filter(|_| facts.syn_usable()));
        }
        // The limit of a filter of large ICMP is not a path MTU. The same goes for an edge that may
        // yet prove to be such a limit.
        let in_doubt = *finding == Finding::Pending && hole.exact && hole.answered < FILTER;
        if hole.in_pieces || in_doubt || *finding == Finding::Filtered {
            return None;
        }
        facts.exact(hole).or(self.forward)
    }
}

impl Facts {
    fn exact(&self, hole: &HoleFacts) -> Option<Bytes> {
        (hole.exact && hole.answered > self.family.small()).then_some(hole.answered)
    }

    /// Whether this reverse hole alone explains the silence of echoes.
    fn explains(&self, hole: &HoleFacts) -> bool {
        self.reverse_hole().is_some_and(|reverse| reverse.answered <= hole.answered)
    }

    /// A size that passes forward, if echoes above it are silent only because of the reverse path;
    /// larger sizes may pass too.
    pub(super) fn passes_at_least(&self) -> Option<Bytes> {
        let hole = self.echo.hole.filter(|hole| self.explains(hole))?;
        self.exact(&hole)
    }

    /// The largest size that passes forward on ICMP's flow, if the reverse path is known to carry
    /// more.
    fn edge_of_icmp(&self) -> Option<Bytes> {
        let hole = self.echo.hole.filter(|hole| hole.exact && !hole.in_pieces)?;
        (hole.answered >= FILTER && self.reverse_passes(hole.size)).then_some(hole.answered)
    }

    /// Signals have lowered discovery on TCP flows below the expected MTU, though it may not have
    /// ended.
    pub(super) fn is_lower_on_flows(&self) -> bool {
        self.syn_usable() && self.syn.top < self.sizes.ceiling()
    }

    /// The size at which discovery on TCP flows has ended, if signals lowered it below the expected
    /// MTU.
    pub(super) fn reduced_flows(&self) -> Option<Bytes> {
        let size = self.syn.passing.filter(|_| self.syn_usable())?;
        (size == self.syn.top && size < self.sizes.ceiling()).then_some(size)
    }

    /// The largest size known to have come back unfragmented.
    pub(super) fn came_back_whole(&self) -> Option<Bytes> {
        let whole = |size: Bytes| {
            let pieces = [self.largest_fragment, self.target.largest_piece_of(size)];
            pieces.into_iter().flatten().fold(size, Bytes::min)
        };
        let fragments = self.fragments.passing.filter(|size| self.reverse_passes(*size));
        let edge = self.echo.edge.filter(|edge| *edge > self.family.small());
        fragments.max(self.echo.passing).max(edge).map(whole).max(self.whole_beyond())
    }
}
