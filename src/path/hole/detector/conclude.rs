//! What follows from the outcome of a burst.

use std::time::Duration;

use super::{Aim, Detector, Hole, Proof, Standing, Task};
use crate::{
    model::types::{Bytes, ProbeSize},
    path::{
        hole::{
            detect::Detect,
            edge::{self, EdgeFinding},
            flow_set::FlowSet,
            mtu_search::Search,
            proof::{Outcome, PROVISIONAL, SizePairs},
        },
        limits::REST,
        probe::Moment,
    },
};

/// Single packets that a proof needs in addition where other paths receive Packet Too Big, and the
/// time between them.
const SINGLES: usize = 5;
const SINGLE_SPACING: Duration = Duration::from_secs(2);
/// Counted pairs that separate a flow that never passes a size from one that does. Loss of 20 %
/// each way puts one on the wrong side with probability 0.36^5 = 0.6 %; it is separated later.
const TEAR: usize = 5;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tear {
    No,
    Perhaps,
    Yes(FlowSet),
}

impl Detector {
    /// Acts on the outcome of the burst under way, if it has one.
    pub(super) fn conclude(&mut self, now: Moment) {
        let Some(Task { aim, pairs }) = self.task.take() else { return };
        match aim {
            Aim::Prove => self.conclude_proof(pairs, now),
            Aim::Assure(proof) => self.conclude_assurance(proof, pairs, now),
            Aim::Search(search) => self.conclude_try(search, pairs, now),
            Aim::Confirm(search) => self.conclude_confirm(search, pairs, now),
            Aim::Recheck => self.conclude_recheck(pairs, now),
        }
    }

    fn conclude_proof(&mut self, pairs: SizePairs, now: Moment) {
        let size = pairs.size();
        let count = pairs.count();
        match pairs.outcome() {
            Outcome::Pending if self.rules.may_be_unanswered && pairs.is_unusable() => {
                self.unusable = true;
                self.exhaust(&pairs, now);
            }
            Outcome::Pending => self.work_on(Aim::Prove, pairs),
            Outcome::Passed if size == self.top => self.now_passing(size, now),
            Outcome::Passed => {}
            Outcome::Exhausted => self.exhaust(&pairs, now),
            Outcome::Silent => {
                let proof = Proof { serial: pairs.serial(), size, count };
                if size != self.top && self.is_silent() {
                    // The edge has moved below a size that was answered before.
                    self.search_below(0, size, &[], now);
                } else if self.is_silent() || now >= self.cautious_until {
                    self.declare(proof, now);
                } else {
                    let singles = self.pairs(size, ProbeSize::Full, SINGLES, now);
                    let singles = singles.spaced(SINGLE_SPACING).at_most(4 * SINGLES);
                    self.work_on(Aim::Assure(proof), singles);
                }
            }
        }
    }

    /// Where other paths receive Packet Too Big, silence must outlast the rate limit of a router
    /// that sends them.
    fn conclude_assurance(&mut self, proof: Proof, singles: SizePairs, now: Moment) {
        match singles.outcome() {
            Outcome::Pending => self.work_on(Aim::Assure(proof), singles),
            Outcome::Passed => self.now_passing(singles.size(), now),
            Outcome::Silent => self.declare(proof, now),
            Outcome::Exhausted => self.exhaust(&singles, now),
        }
    }

    fn declare(&mut self, proof: Proof, now: Moment) {
        let hints = match &self.standing {
            Standing::Hole(former) => vec![former.answered],
            _ => Vec::new(),
        };
        self.standing = Standing::Hole(Hole {
            size: proof.size,
            answered: self.rules.smallest,
            silent: proof.size,
            exact: false,
            proof: proof.count,
            sharp: false,
            confirmed_at: 0,
            last_edge: None,
            in_pieces: false,
            proof_serial: proof.serial,
        });
        self.decided_at = Some(now);
        if !self.held {
            self.search_below(0, proof.size, &hints, now);
        }
    }

    pub(super) fn search_below(&mut self, answered: Bytes, silent: Bytes, hints: &[Bytes], now: Moment) {
        let hints = [hints, self.hints.as_slice()].concat();
        let search = Search::new(self.family, answered.max(self.rules.smallest), silent, &hints);
        self.go_on_searching(search, None, now);
    }

    fn conclude_try(&mut self, mut search: Search, pairs: SizePairs, now: Moment) {
        match pairs.outcome() {
            Outcome::Pending => self.work_on(Aim::Search(search), pairs),
            Outcome::Passed => {
                search.passed(pairs.size());
                self.go_on_searching(search, None, now);
            }
            Outcome::Silent => {
                search.silent(pairs.size(), pairs.count().counted);
                self.go_on_searching(search, Some(pairs), now);
            }
            Outcome::Exhausted => self.exhaust(&pairs, now),
        }
    }

    pub(super) fn go_on_searching(&mut self, search: Search, last: Option<SizePairs>, now: Moment) {
        let Standing::Hole(hole) = &mut self.standing else { return };
        hole.answered = search.answered();
        hole.silent = search.edge();
        hole.exact = search.next().is_none();
        if hole.exact {
            hole.last_edge = Some(hole.answered);
        }
        let (sharp, answered) = (hole.sharp, hole.answered);
        let near = edge::is_near(answered, hole.silent) && answered > hole.confirmed_at;
        let next = search.next();
        if !sharp && near && next.is_some() && search.closed_by() < edge::SILENT {
            let pairs = self.pairs(search.edge(), ProbeSize::Search, edge::SILENT, now);
            self.work_on(Aim::Search(search), pairs);
        } else if !sharp && near && next.is_some() {
            hole.confirmed_at = answered;
            self.confirm_at(answered, Some(search), now);
        } else if let Some(attempt) = next {
            let pairs = match last {
                Some(mut pairs) if pairs.size() == attempt.size => {
                    pairs.set_need(attempt.need);
                    pairs
                }
                _ => self.pairs(attempt.size, ProbeSize::Search, attempt.need, now),
            };
            self.work_on(Aim::Search(search), pairs);
        } else if !sharp {
            self.confirm_at(answered, None, now);
        }
    }

    /// Tests whether silence has an edge: `size`, the largest answered, must pass as often as its
    /// controls.
    fn confirm_at(&mut self, size: Bytes, search: Option<Search>, now: Moment) {
        let pairs = self.pairs(size, ProbeSize::Edge, edge::CONTROLS, now).at_most(edge::PAIRS);
        self.work_on(Aim::Confirm(search), pairs);
    }

    fn conclude_confirm(&mut self, search: Option<Search>, mut pairs: SizePairs, now: Moment) {
        let count = pairs.count();
        let torn = self.tear(&pairs);
        let enough = count.control_answered >= edge::CONTROLS && torn != Tear::Perhaps;
        let enough = enough || count.sent >= edge::PAIRS;
        pairs.set_need(match torn {
            _ if enough => 0,
            Tear::Perhaps => edge::PAIRS,
            Tear::No | Tear::Yes(_) => edge::CONTROLS,
        });
        if !enough || !pairs.all_decided() {
            self.work_on(Aim::Confirm(search), pairs);
            return;
        }
        if let Tear::Yes(silent) = torn {
            // They have another edge. Test that of the remaining flows again.
            self.torn = Some(silent);
            self.leave(silent);
            self.confirm_at(pairs.size(), search, now);
            return;
        }
        let Standing::Hole(hole) = &mut self.standing else { return };
        match (edge::judge(count, search.is_none()), search) {
            (EdgeFinding::TooFew, _) => self.exhaust(&pairs, now),
            (EdgeFinding::NoEdge, _) => self.size_dependent(now),
            (finding, Some(search)) => {
                hole.sharp = finding == EdgeFinding::Sharp;
                self.go_on_searching(search, None, now);
            }
            (_, None) => hole.sharp = true,
        }
    }

    /// Whether some flows never pass a size that others pass as often as their controls.
    /// (Simulated: were all flows given one edge, two of eight that pass 1399 would make the 1297
    /// of the others look like loss that grows with size.)
    fn tear(&self, pairs: &SizePairs) -> Tear {
        let count = pairs.count();
        let of = |flow| pairs.count_of(flow);
        let silent: FlowSet = self.flows.iter().filter(|flow| of(*flow).answered == 0).collect();
        let passing = self.flows.without(silent);
        let control: usize = passing.iter().map(|flow| of(flow).control_answered).sum();
        let even = count.answered * 2 >= count.control_answered;
        if even || silent.is_empty() || passing.is_empty() || count.answered * 2 < control {
            Tear::No
        } else if silent.iter().all(|flow| of(flow).counted >= TEAR) {
            Tear::Yes(silent)
        } else {
            Tear::Perhaps
        }
    }

    fn size_dependent(&mut self, now: Moment) {
        self.standing = Standing::Untested;
        self.decided_at = None;
        self.whole_in_a_row = Some(0);
        self.rest_until = now + REST;
    }

    fn conclude_recheck(&mut self, pairs: SizePairs, now: Moment) {
        if pairs.two_of_three_passed() {
            self.now_passing(pairs.size(), now);
            return;
        }
        let count = pairs.count();
        if count.counted < PROVISIONAL && pairs.outcome() != Outcome::Exhausted {
            self.work_on(Aim::Recheck, pairs);
        } else if let Standing::Hole(hole) = &self.standing {
            let (exact, answered, size) = (hole.exact, hole.answered, hole.size);
            self.decided_at = Some(now);
            if !exact {
                self.search_below(answered, size, &[], now);
            }
        }
    }

    fn exhaust(&mut self, pairs: &SizePairs, now: Moment) {
        self.rest_until = now + REST;
        match &self.standing {
            Standing::Hole(hole) if hole.sharp => {}
            _ => {
                self.standing = Standing::Untested;
                self.decided_at = None;
                self.exhausted = Some((pairs.size(), pairs.count()));
            }
        }
    }
}
