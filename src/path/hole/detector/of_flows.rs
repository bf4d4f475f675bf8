//! A detector that is about some TCP flows of a path: how it parts with flows that turn out to differ, and how
//! two that are alike become one.

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

/// A flow's part in a proof over several: chance alone reaches so many with 0.26^5 = 0.1 %.
const SHARE: usize = 5;

impl Detector {
    /// A detector named `id` that asks whether `size`, which other flows pass, is silent on these.
    #[must_use]
    pub fn doubting(flows: FlowSet, id: u32, family: Family, top: Bytes, size: Bytes, now: Moment) -> Self {
        let mut detector = Self { flows, id, ..Self::new(family, Rules::syn(family), top) };
        let purpose = if size == top { ProbeSize::Full } else { ProbeSize::Edge };
        let pairs = detector.pairs(size, purpose, PROOF, now);
        detector.work_on(Aim::Prove, pairs);
        detector
    }

    /// The flows it is about.
    #[must_use]
    pub fn flows(&self) -> FlowSet {
        self.flows
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The size of the burst under way.
    #[must_use]
    pub fn asks_for(&self) -> Option<Bytes> {
        self.burst().map(SizePairs::size)
    }

    /// It is no more about these flows.
    pub fn leave(&mut self, flows: FlowSet) {
        self.flows = self.flows.without(flows);
        if let Some(task) = &mut self.task {
            task.pairs.leave_out(flows);
        }
    }

    /// It is about these flows too.
    pub fn take_in(&mut self, flows: FlowSet) {
        self.flows = self.flows.with(flows);
        if let Some(task) = &mut self.task {
            task.pairs.take_in(flows);
        }
    }

    /// A detector named `id` for some of its flows, with the same standing.
    #[must_use]
    pub fn part(&mut self, flows: FlowSet, id: u32) -> Self {
        let mut part = Self { flows, id, task: None, torn: None, ..self.clone() };
        self.leave(flows);
        if let Standing::Hole(hole) = &mut part.standing
            && !hole.sharp
        {
            // Its search begins again.
            (hole.exact, hole.confirmed_at) = (false, 0);
        }
        part
    }

    /// Flows whose share in the burst under way is too small to say of each of them what is said of all.
    #[must_use]
    pub fn hardly_asked(&self) -> FlowSet {
        let Some(pairs) = self.burst() else { return FlowSet::default() };
        self.flows.iter().filter(|flow| pairs.count_of(*flow).counted < SHARE).collect()
    }

    /// Its silence began at that size of the walk.
    pub fn silent_at(&mut self, size: Bytes) {
        if let Standing::Hole(hole) = &mut self.standing {
            hole.size = hole.size.max(size);
        }
    }

    /// The size of the walk at which its hole is.
    #[must_use]
    pub fn hole_size(&self) -> Option<Bytes> {
        match &self.standing {
            Standing::Hole(hole) => Some(hole.size),
            _ => None,
        }
    }

    /// Flows whose edge is smaller than that of the others, if the search has just found so.
    pub fn take_torn(&mut self) -> Option<FlowSet> {
        self.torn.take()
    }

    /// Begins the search anew below a size that these flows were found not to pass.
    pub fn search_again(&mut self, silent: Bytes, now: Moment) {
        if matches!(self.standing, Standing::Hole(_)) {
            self.search_below(0, silent, &[], now);
        }
    }

    /// Its edge, if its flows have not been compared there yet.
    pub fn take_edge(&mut self) -> Option<Bytes> {
        let edge = self.edge().filter(|_| self.hole().is_some() && self.task.is_none());
        let fresh = edge.filter(|edge| self.compared_at != Some(*edge));
        if edge.is_some() {
            self.compared_at = edge;
        }
        fresh
    }

    /// Whether the two can be merged: they know the same, or the other knows nothing.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
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
