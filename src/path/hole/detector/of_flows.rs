//! A detector for a group of TCP flows: how flows are split off, and when two groups can be merged.

use super::{Aim, Detector, Rules, Standing};
use crate::{
    model::{
        family::Family,
        types::{Bytes, ProbeSize},
    },
    path::{
        hole::{
            flow_set::FlowSet,
            proof::{PROOF, SizePairs},
        },
        probe::Moment,
    },
};

/// Counted pairs that a flow needs within a proof over several flows. Loss of 20 % each way reaches
/// five with 0.26^5 = 0.1 %.
const SHARE: usize = 5;

impl Detector {
    /// A detector with that `id` that begins to prove `size` silent on these flows, while other
    /// flows pass it.
    #[must_use]
    pub(crate) fn doubting(
        flows: FlowSet,
        id: u32,
        family: Family,
        top: Bytes,
        size: Bytes,
        now: Moment,
    ) -> Self {
        let mut detector = Self { flows, id, ..Self::new(family, Rules::syn(family), top) };
        let purpose = if size == top { ProbeSize::Full } else { ProbeSize::Edge };
        let pairs = detector.pairs(size, purpose, PROOF, now);
        detector.work_on(Aim::Prove, pairs);
        detector
    }

    /// The flows it probes.
    #[must_use]
    pub(crate) fn flows(&self) -> FlowSet {
        self.flows
    }

    /// Its id.
    #[must_use]
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// The size of the burst under way.
    #[must_use]
    pub(crate) fn asks_for(&self) -> Option<Bytes> {
        self.burst().map(SizePairs::size)
    }

    /// How many more pairs must count in the burst under way; one outside a burst.
    #[must_use]
    pub(crate) fn pairs_wanted(&self) -> usize {
        self.burst().map_or(1, SizePairs::still_needed).max(1)
    }

    /// Stops probing these flows.
    pub(crate) fn leave(&mut self, flows: FlowSet) {
        self.flows = self.flows.without(flows);
        if let Some(task) = &mut self.task {
            task.pairs.leave_out(flows);
        }
    }

    /// Probes these flows too.
    pub(crate) fn take_in(&mut self, flows: FlowSet) {
        self.flows = self.flows.with(flows);
        if let Some(task) = &mut self.task {
            task.pairs.take_in(flows);
        }
    }

    /// Splits off some flows into a detector with that `id` and the same standing.
    #[must_use]
    pub(crate) fn part(&mut self, flows: FlowSet, id: u32) -> Self {
        let mut part = Self { flows, id, task: None, torn: None, ..self.clone() };
        self.leave(flows);
        if let Standing::Hole(hole) = &mut part.standing
            && !hole.sharp
        {
            // An edge that is not sharp is searched anew.
            (hole.exact, hole.confirmed_at) = (false, 0);
        }
        part
    }

    /// Flows with too few counted pairs in the burst under way for its outcome to hold for them.
    #[must_use]
    pub(crate) fn hardly_asked(&self) -> FlowSet {
        let Some(pairs) = self.burst() else { return FlowSet::default() };
        self.flows.iter().filter(|flow| pairs.count_of(*flow).counted < SHARE).collect()
    }

    /// The hole was first seen at that size, if that is larger.
    pub(crate) fn silent_at(&mut self, size: Bytes) {
        if let Standing::Hole(hole) = &mut self.standing {
            hole.size = hole.size.max(size);
        }
    }

    /// The size that was proven silent.
    #[must_use]
    pub(crate) fn hole_size(&self) -> Option<Bytes> {
        match &self.standing {
            Standing::Hole(hole) => Some(hole.size),
            _ => None,
        }
    }

    /// Flows that the search has just found to have a smaller edge than the others.
    pub(crate) fn take_torn(&mut self) -> Option<FlowSet> {
        self.torn.take()
    }

    /// Searches anew below a size that its flows do not pass.
    pub(crate) fn search_again(&mut self, silent: Bytes, now: Moment) {
        if matches!(self.standing, Standing::Hole(_)) {
            self.search_below(0, silent, &[], now);
        }
    }

    /// Its edge, if its flows have not yet been compared at that size.
    pub(crate) fn take_edge(&mut self) -> Option<Bytes> {
        let edge = self.edge().filter(|_| self.hole().is_some() && self.task.is_none());
        let fresh = edge.filter(|edge| self.compared_at != Some(*edge));
        if edge.is_some() {
            self.compared_at = edge;
        }
        fresh
    }

    /// Whether the two can be merged: they have found the same, or the other has found nothing.
    #[must_use]
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let settled = |one: &Self| one.task.is_none() && one.whole_in_a_row.is_none();
        let same = match (&self.standing, &other.standing) {
            (Standing::Passing { size }, Standing::Passing { size: too }) => size == too,
            (Standing::Passing { .. } | Standing::Untested, Standing::Untested) => true,
            (Standing::Hole(hole), Standing::Hole(too)) => {
                let known = |hole: &super::Hole| (hole.size, hole.answered, hole.exact && hole.sharp);
                known(hole) == known(too) && hole.exact && hole.sharp
            }
            _ => false,
        };
        self.top == other.top && same && settled(self) && settled(other)
    }
}
