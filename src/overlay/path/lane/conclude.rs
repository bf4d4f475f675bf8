//! What the burst under way has come to, and what follows.

use super::{EDGE_PAIRS, Hole, LaneProber, REST, Standing, Task};
use crate::{
    overlay::path::{
        mtu_search::Search,
        probe::Moment,
        proof::{Outcome, PROVISIONAL, Pairs},
    },
    types::{Bytes, ProbeSize},
};

impl LaneProber {
    /// Draws the conclusion of the burst under way, if it has one.
    pub(super) fn conclude(&mut self, now: Moment) {
        match self.task.take() {
            Some(Task::Prove(pairs)) => self.conclude_proof(pairs, now),
            Some(Task::Search(search, pairs)) => self.conclude_try(search, pairs, now),
            Some(Task::Confirm(pairs)) => self.conclude_confirm(pairs, now),
            Some(Task::Recheck(pairs)) => self.conclude_recheck(pairs, now),
            None => {}
        }
    }

    fn conclude_proof(&mut self, pairs: Pairs, now: Moment) {
        let size = pairs.size();
        match pairs.outcome() {
            Outcome::Pending => self.task = Some(Task::Prove(pairs)),
            Outcome::Passed if size == self.top => self.now_passing(size, now),
            Outcome::Passed => {}
            Outcome::Exhausted => self.exhaust(now),
            Outcome::Silent => {
                let proof = pairs.count();
                if size == self.top {
                    let mut hints = std::mem::take(&mut self.hints);
                    if let Standing::Hole(former) = &self.standing {
                        hints.push(former.answered);
                    }
                    self.standing = Standing::Hole(Hole {
                        size,
                        answered: self.family.small(),
                        silent: size,
                        exact: false,
                        proof,
                        sharp: proof.control_lost == 0,
                        proof_serial: pairs.serial(),
                    });
                    self.decided_at = Some(now);
                    self.search_below(0, size, &hints, now);
                } else {
                    // The edge has moved down below what was answered before.
                    self.search_below(0, size, &[], now);
                }
            }
        }
    }

    pub(super) fn search_below(&mut self, answered: Bytes, silent: Bytes, hints: &[Bytes], now: Moment) {
        let search = Search::new(self.family, answered, silent, hints);
        self.go_on_searching(search, None, now);
    }

    fn conclude_try(&mut self, mut search: Search, pairs: Pairs, now: Moment) {
        match pairs.outcome() {
            Outcome::Pending => self.task = Some(Task::Search(search, pairs)),
            Outcome::Passed => {
                search.passed(pairs.size());
                self.go_on_searching(search, None, now);
            }
            Outcome::Silent => {
                search.silent(pairs.size(), pairs.count().counted);
                self.go_on_searching(search, Some(pairs), now);
            }
            Outcome::Exhausted => self.exhaust(now),
        }
    }

    pub(super) fn go_on_searching(&mut self, search: Search, last: Option<Pairs>, now: Moment) {
        let Standing::Hole(hole) = &mut self.standing else { return };
        hole.answered = search.answered();
        hole.silent = search.edge();
        hole.exact = search.next().is_none();
        let (sharp, answered) = (hole.sharp, hole.answered);
        if let Some(attempt) = search.next() {
            let pairs = match last {
                Some(mut pairs) if pairs.size() == attempt.size => {
                    pairs.raise_need(attempt.need);
                    pairs
                }
                _ => self.pairs(attempt.size, ProbeSize::Search, attempt.need, now),
            };
            self.task = Some(Task::Search(search, pairs));
        } else if !sharp {
            let pairs = self.pairs(answered, ProbeSize::Edge, EDGE_PAIRS, now).at_most(EDGE_PAIRS);
            self.task = Some(Task::Confirm(pairs));
        }
    }

    fn conclude_confirm(&mut self, pairs: Pairs, now: Moment) {
        let count = pairs.count();
        if count.sent < EDGE_PAIRS || !pairs.all_decided() {
            self.task = Some(Task::Confirm(pairs));
        } else if count.large_answered * 2 >= count.control_answered && count.large_answered > 0 {
            if let Standing::Hole(hole) = &mut self.standing {
                hole.sharp = true;
            }
        } else {
            self.standing = Standing::Untested;
            self.size_dependent = true;
            self.rest_until = now + REST;
        }
    }

    fn conclude_recheck(&mut self, pairs: Pairs, now: Moment) {
        if pairs.two_of_three_passed() {
            self.now_passing(pairs.size(), now);
            return;
        }
        let count = pairs.count();
        if count.counted < PROVISIONAL && pairs.outcome() != Outcome::Exhausted {
            self.task = Some(Task::Recheck(pairs));
        } else if let Standing::Hole(hole) = &self.standing
            && !hole.exact
        {
            let (answered, size) = (hole.answered, hole.size);
            self.search_below(answered, size, &[], now);
        }
    }

    fn exhaust(&mut self, now: Moment) {
        self.rest_until = now + REST;
        match &self.standing {
            Standing::Hole(hole) if hole.sharp => {}
            _ => {
                self.standing = Standing::Untested;
                self.exhausted = true;
            }
        }
    }
}
