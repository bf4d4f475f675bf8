//! What may be concluded of a path: a function of `Facts`, and of what was known a moment ago.
//!
//! - [`facts`] all that it rests on; [`expected_mtu`] and [`target_mtu`] what is expected
//! - [`holes`] which silence is a hole and of which direction, [`way_back`] what the target's MSS
//!   leaves open
//! - `decide` the verdict, [`path_mtu`] the sizes, [`evidence`] the words

mod decide;
pub mod evidence;
pub mod expected_mtu;
pub mod facts;
pub mod holes;
pub mod path_mtu;
pub mod target_mtu;
#[cfg(test)]
mod tests;
pub mod way_back;

use decide::decide;
use evidence::Words;
use facts::Facts;
use holes::Finding;
use path_mtu::Confirmed;

use super::probe::Moment;
use crate::model::{
    observation::Judgement,
    types::{Bytes, UnknownReason, Verdict},
};

/// The last verdict that did not depend on a pending finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    verdict: Verdict,
    reason: Option<UnknownReason>,
    at: Moment,
}

/// The last certain results: confirmed path MTUs and the last certain verdict.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    confirmed: Confirmed,
    known: Known,
}

impl Default for Memory {
    fn default() -> Self {
        let known =
            Known { verdict: Verdict::Unknown, reason: Some(UnknownReason::Starting), at: Moment::ZERO };
        Self { confirmed: Confirmed::default(), known }
    }
}

impl Memory {
    /// Records what is certain now: path MTUs, and a verdict that does not depend on a pending
    /// finding.
    pub(crate) fn note(&mut self, facts: &Facts) {
        let finding = facts.finding();
        self.confirmed = self.confirmed.next(facts, &finding);
        if facts.trouble.is_none() && !facts.deaf_to_full && finding != Finding::Pending {
            let (verdict, reason) = decide(facts, &finding, &self.known);
            self.known = Known { verdict, reason, at: facts.now };
        }
    }
}

/// The verdict with its evidence. `words` returns, for a given verdict, what the other parts of the
/// prober add to the evidence.
pub(crate) fn judge(facts: &Facts, memory: &Memory, words: impl FnOnce(Verdict) -> Words) -> Judgement {
    let found = findings(facts, memory);
    let Judgement { verdict, unknown_reason, .. } = found;
    let evidence = facts.evidence((verdict, unknown_reason), &found.holes, words(verdict));
    Judgement { evidence, ..found }
}

/// Whether what was found of sizes holds now: the target answers, and our own host sends and hears.
pub(crate) fn tells_sizes(facts: &Facts, verdict: Verdict) -> bool {
    let late = facts.deaf_to_full && verdict == Verdict::Unknown;
    verdict != Verdict::Unreachable && facts.trouble.is_none() && !late
}

/// The verdict, without evidence.
pub(crate) fn findings(facts: &Facts, memory: &Memory) -> Judgement {
    let finding = facts.finding();
    let (verdict, unknown_reason) = decide(facts, &finding, &memory.known);
    let down = !tells_sizes(facts, verdict);
    let holes = match finding {
        Finding::Hole(directions) if !down => directions,
        _ => Vec::new(),
    };
    let (expected, expected_reverse) = (facts.sizes.expected(), facts.expected_reverse());
    let cap = |mtu: Option<Bytes>, most: Bytes| mtu.map(|mtu| mtu.min(most)).filter(|_| !down);
    // A limit of our own interface is not a property of the path.
    let testable = facts.sizes.testable;
    let all_we_can = |mtu: Bytes| testable < expected && mtu >= testable;
    let forward = cap(memory.confirmed.forward, expected);
    let at_least = forward.filter(|mtu| all_we_can(*mtu));
    let no_more_known = cap(facts.passes_at_least(), expected).filter(|_| forward.is_none());
    let kept = facts.kept_to_by_target().filter(|_| verdict == Verdict::Reduced);
    let reverse = cap(facts.reflected.reverse.or(memory.confirmed.reverse).or(kept), expected_reverse);
    Judgement {
        verdict,
        unknown_reason,
        mtu_forward: forward.filter(|mtu| !all_we_can(*mtu)),
        mtu_reverse: reverse,
        forward_at_least: at_least.or(no_more_known),
        forward_expected: (expected < expected_reverse).then_some(expected),
        reverse_at_least: cap(facts.came_back_whole(), expected_reverse).filter(|_| reverse.is_none()),
        tcp: facts.tcp.state,
        settled: facts.is_settled(),
        evidence: Vec::new(),
        holes,
    }
}
