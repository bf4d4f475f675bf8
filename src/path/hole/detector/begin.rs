//! What a detector begins: sentinels, proofs, rechecks.

use fastrand::Rng;

use super::{Aim, Detector, Standing, Task};
use crate::{
    model::types::{Bytes, ProbeSize},
    path::{
        hole::proof::{PROOF, PROVISIONAL, Shot, SizePairs},
        probe::Moment,
    },
};

impl Detector {
    /// Size and purpose of the next sentinel: the top, or around a known edge in turn the largest
    /// size answered, one byte above it, and the top.
    pub(crate) fn sentinel(&mut self) -> (Bytes, ProbeSize) {
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

    /// Begins a proof at the top, unless a burst is under way or resting.
    pub(crate) fn prove(&mut self, now: Moment) {
        self.prove_at(self.top, ProbeSize::Full, now);
    }

    /// Begins a recheck: `size` passes now if two of three packets are answered.
    pub(crate) fn recheck(&mut self, size: Bytes, now: Moment) {
        if !matches!(self.aim(), Some(Aim::Recheck)) {
            let pairs = self.pairs(size, ProbeSize::Full, PROVISIONAL, now);
            self.work_on(Aim::Recheck, pairs);
        }
    }

    pub(super) fn prove_at(&mut self, size: Bytes, purpose: ProbeSize, now: Moment) {
        if self.is_idle(now) {
            let pairs = self.pairs(size, purpose, PROOF, now);
            self.work_on(Aim::Prove, pairs);
        }
    }

    pub(super) fn pairs(&mut self, size: Bytes, purpose: ProbeSize, need: usize, now: Moment) -> SizePairs {
        self.serial += 1;
        SizePairs::new(self.serial, self.rules.halves, size, purpose, need, now).on_flows(self.flows, self.id)
    }

    /// Both halves of the next pair, whatever its urgency, for a probe method that sends them
    /// together.
    pub(crate) fn next_pair(&mut self, now: Moment, rng: &mut Rng) -> Vec<Shot> {
        self.due_shots(now, &|_| true, rng)
    }

    pub(super) fn due_shots(
        &mut self,
        now: Moment,
        is_free: &dyn Fn(u8) -> bool,
        rng: &mut Rng,
    ) -> Vec<Shot> {
        self.task.as_mut().map(|task| task.pairs.shots(now, is_free, rng)).unwrap_or_default()
    }

    pub(super) fn work_on(&mut self, aim: Aim, pairs: SizePairs) {
        self.task = Some(Task { aim, pairs });
    }

    pub(super) fn aim(&self) -> Option<&Aim> {
        self.task.as_ref().map(|task| &task.aim)
    }

    pub(super) fn burst(&self) -> Option<&SizePairs> {
        self.task.as_ref().map(|task| &task.pairs)
    }
}
