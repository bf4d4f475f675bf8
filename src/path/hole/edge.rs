//! Whether proven silence has an edge. Pure, and the same for every probe method.
//!
//! Forty pairs can count without one lost control where loss grows with packet size: a starved byte
//! policer, a frame fragmented into seven pieces (simulated, and seen behind nftables' `limit rate
//! over`). Such loss has no size that passes as often as its controls while one not far above it
//! never does.

use crate::model::types::Bytes;
use crate::path::pairs::PairCount;

/// Controls that must be answered beside packets of the largest answered size, to tell a sharp edge
/// from loss that grows with size.
pub(crate) const CONTROLS: usize = 20;
/// Most pairs sent for that: under loss it takes more than twenty.
pub(crate) const PAIRS: usize = 100;
/// Counted pairs of the silent size not far above that must come first (simulated: with eight, one
/// policer in two hundred was taken for an edge).
pub(crate) const SILENT: usize = 20;

/// What the pairs at the largest answered size say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EdgeFinding {
    /// Too few controls were answered to decide.
    TooFew,
    /// Loss grows with size.
    NoEdge,
    /// Undecided until the search has found the exact edge.
    Unsure,
    /// An edge.
    Sharp,
}

/// Whether the largest answered size is near enough to the silent one that loss which grows with
/// size would hit both about alike: within a fifth.
#[must_use]
pub(crate) fn is_near(answered: Bytes, silent: Bytes) -> bool {
    answered * 5 >= silent * 4
}

/// The finding from pairs at the largest answered size. Until the edge is `exact`, more of them
/// must pass.
#[must_use]
pub(crate) fn judge(count: PairCount, exact: bool) -> EdgeFinding {
    let (large, control) = (count.answered, count.control_answered);
    if control < CONTROLS {
        EdgeFinding::TooFew
    } else if large == 0 || large * 2 < control {
        EdgeFinding::NoEdge
    } else if exact || large * 5 >= control * 4 {
        EdgeFinding::Sharp
    } else {
        EdgeFinding::Unsure
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_as_often_as_the_controls_is_an_edge_only_once_it_is_exact() {
        let of =
            |answered, control_answered| PairCount { answered, control_answered, ..PairCount::default() };
        for (large, control, exact, finding) in [
            (19, 19, true, EdgeFinding::TooFew),
            (0, 20, true, EdgeFinding::NoEdge),
            (9, 20, true, EdgeFinding::NoEdge),
            (10, 20, true, EdgeFinding::Sharp),
            (10, 20, false, EdgeFinding::Unsure),
            (15, 20, false, EdgeFinding::Unsure),
            (16, 20, false, EdgeFinding::Sharp),
        ] {
            assert_eq!(judge(of(large, control), exact), finding, "{large} of {control}, exact: {exact}");
        }
    }

    #[test]
    fn near_is_within_a_fifth() {
        assert!(is_near(1200, 1500) && !is_near(1199, 1500));
    }
}
