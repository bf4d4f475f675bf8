//! What a lane begins: a sentinel, a proof, a look whether a hole is over.

use super::{LaneProber, Standing, Task};
use crate::{
    model::types::{Bytes, ProbeSize},
    path::{
        hole::proof::{PROOF, PROVISIONAL, Pairs},
        probe::Moment,
    },
};

impl LaneProber {
    /// The size the next sentinel tests: the top, and around a known edge in turn the largest
    /// answered, one above it, and the top.
    pub fn sentinel(&mut self) -> (Bytes, ProbeSize) {
        self.turn += 1;
        match &self.standing {
            Standing::Hole(hole) if hole.exact => match self.turn % 3 {
                0 => (hole.answered, ProbeSize::Edge),
                1 if hole.silent < hole.size => (hole.silent, ProbeSize::Edge),
                _ => (hole.size, ProbeSize::Full),
            },
            Standing::Hole(hole) => (hole.size, ProbeSize::Full),
            _ => (self.top, ProbeSize::Full),
        }
    }

    /// Begins a proof at the top, unless something is under way or rests.
    pub fn prove(&mut self, now: Moment) {
        self.prove_at(self.top, ProbeSize::Full, now);
    }

    /// Begins to see whether `size` passes now: two answers of three.
    pub fn recheck(&mut self, size: Bytes, now: Moment) {
        if !matches!(self.task, Some(Task::Recheck(_))) {
            let pairs = self.pairs(size, ProbeSize::Full, PROVISIONAL, now);
            self.task = Some(Task::Recheck(pairs));
        }
    }

    pub(super) fn prove_at(&mut self, size: Bytes, purpose: ProbeSize, now: Moment) {
        if self.is_idle(now) {
            let pairs = self.pairs(size, purpose, PROOF, now);
            self.task = Some(Task::Prove(pairs));
        }
    }

    pub(super) fn pairs(&mut self, size: Bytes, purpose: ProbeSize, need: usize, now: Moment) -> Pairs {
        self.serial += 1;
        Pairs::new(self.serial, self.lane, size, purpose, need, now).on_flows(self.flows, self.id)
    }

    pub(super) fn burst(&self) -> Option<&Pairs> {
        match &self.task {
            Some(
                Task::Prove(pairs)
                | Task::Assure(_, pairs)
                | Task::Search(_, pairs)
                | Task::Confirm(_, pairs)
                | Task::Recheck(pairs),
            ) => Some(pairs),
            None => None,
        }
    }

    pub(super) fn burst_mut(&mut self) -> Option<&mut Pairs> {
        match &mut self.task {
            Some(
                Task::Prove(pairs)
                | Task::Assure(_, pairs)
                | Task::Search(_, pairs)
                | Task::Confirm(_, pairs)
                | Task::Recheck(pairs),
            ) => Some(pairs),
            None => None,
        }
    }
}
