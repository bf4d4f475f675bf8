//! The TCP lane of a path: eight flows, judged together first, each alone where they differ.
//!
//! VXLAN's outer source port is a hash of the inner flow, so equal-cost underlay legs split flows
//! (measured on a Linux VTEP: ICMP between two hosts is one flow, SYNs of different ports are several).
//! A hole on all legs is proven fastest by all flows together; a hole on one leg only shows when one
//! flow stays silent while another answers, and must then be proven on that flow alone.

use std::collections::VecDeque;

use fastrand::Rng;

use super::{
    above::Above,
    asking::{Asking, Urgency},
    lane::{Hole, LaneProber},
    probe::{FLOWS, Family, Lane, Moment},
    proof::{Fate, Shot},
};
use crate::types::{Bytes, ProbeSize};

/// All TCP flows of a path.
#[derive(Debug, Clone)]
pub struct FlowLanes {
    /// All flows together.
    joint: LaneProber,
    /// Each flow alone; only its holes and what leads to them matter.
    each: Vec<LaneProber>,
    /// Flows whose sentinel of that size was lost while others may answer.
    suspects: Vec<(u8, Bytes)>,
    /// Flows to look at before their turn: another one was found to have a hole, or was signalled at that
    /// size.
    sweep: VecDeque<(u8, Option<Bytes>)>,
    above: Above,
    turn: u8,
}

/// A forward hole, on how many of the flows.
#[derive(Debug, Clone, Copy)]
pub struct FlowHole<'a> {
    /// That of the smallest edge.
    pub hole: &'a Hole,
    /// Flows that have one, of [`FLOWS`].
    pub flows: usize,
}

impl FlowLanes {
    /// Flows that are to test `top` bytes.
    #[must_use]
    pub fn new(family: Family, top: Bytes) -> Self {
        let lane = |flow| LaneProber::new(family, Lane::Syn, top).on_flow(flow);
        Self {
            joint: LaneProber::new(family, Lane::Syn, top),
            each: (0..FLOWS).map(lane).collect(),
            suspects: Vec::new(),
            sweep: VecDeque::new(),
            above: Above::default(),
            turn: 0,
        }
    }

    /// The hole, if one may be claimed on any flow.
    #[must_use]
    pub fn hole(&self) -> Option<FlowHole<'_>> {
        if let Some(hole) = self.joint.hole() {
            return Some(FlowHole { hole, flows: usize::from(FLOWS) });
        }
        let holes = || self.each.iter().filter_map(LaneProber::hole);
        let hole = holes().min_by_key(|hole| hole.answered)?;
        Some(FlowHole { hole, flows: holes().count() })
    }

    /// When all flows together were last found to pass or to be silent.
    #[must_use]
    pub fn decided_at(&self) -> Option<Moment> {
        self.joint.decided_at()
    }

    /// The last burst over all flows ended after 200 pairs without a decision.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.joint.is_exhausted()
    }

    /// In the last burst over all flows no control was answered.
    #[must_use]
    pub fn is_unusable(&self) -> bool {
        self.joint.is_unusable()
    }

    /// The last proof found loss that grows with size, but no edge.
    #[must_use]
    pub fn is_size_dependent(&self) -> bool {
        self.lanes().any(LaneProber::is_size_dependent)
    }

    /// Nothing is under way on all flows together, and nothing forbids to begin.
    #[must_use]
    pub fn is_idle(&self, now: Moment) -> bool {
        self.joint.is_idle(now)
    }

    /// A burst is under way.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.lanes().any(LaneProber::is_busy)
    }

    /// Sizes another lane has found, to be tried first.
    pub fn hint(&mut self, hints: Vec<Bytes>) {
        self.joint.hint(hints);
    }

    /// Signals are heard on other paths: until then a first proof takes longer.
    pub fn be_cautious(&mut self, until: Moment) {
        for lane in self.lanes_mut() {
            lane.be_cautious(until);
        }
    }

    /// Begins a proof at the top over all flows, unless something is under way or rests.
    pub fn prove(&mut self, now: Moment) {
        self.joint.prove(now);
    }

    /// Begins to see on every flow with a hole whether it is over.
    pub fn recheck(&mut self, now: Moment) {
        self.part(now);
        for lane in &mut self.each {
            lane.recheck_hole(now);
        }
    }

    /// Discovery now stands at `top`.
    pub fn stand_at(&mut self, top: Bytes, now: Moment) {
        if top == self.top() {
            return;
        }
        self.suspects.clear();
        self.sweep.clear();
        let whole = self.above.whole();
        for lane in self.lanes_mut() {
            lane.stand_at(top, now);
        }
        if whole == Some(top) && !self.is_silent() {
            self.joint.large_passed(0, top, now);
        }
        self.above.look_at(None);
    }

    /// Looks at every flow at a size above the top for which a signal is remembered.
    pub fn look_above(&mut self, size: Option<Bytes>) {
        self.above.look_at(size);
        if size.is_some() {
            self.sweep = (0..FLOWS).map(|flow| (flow, size)).collect();
        }
    }

    /// A size of the walk was signalled on that flow.
    pub fn heard_above(&mut self, flow: u8) {
        self.above.signalled(flow);
    }

    /// What the next sentinel tests, and on which flow; `None` if no flow is free.
    pub fn sentinel(&mut self, is_free: impl Fn(u8) -> bool) -> Option<(u8, Bytes, ProbeSize)> {
        let swept = self.sweep.iter().position(|(flow, _)| is_free(*flow));
        let flow = if let Some((flow, above)) = swept.and_then(|place| self.sweep.remove(place)) {
            if let Some(size) = above {
                return Some((flow, size, ProbeSize::Full));
            }
            flow
        } else {
            let flow = (1..=FLOWS).map(|step| (self.turn + step) % FLOWS).find(|flow| is_free(*flow))?;
            self.turn = flow;
            flow
        };
        let alone = &mut self.each[usize::from(flow)];
        let (size, purpose) = if alone.is_silent() { alone.sentinel() } else { self.joint.sentinel() };
        Some((flow, size, purpose))
    }

    /// A flow waits to be looked at before its turn.
    #[must_use]
    pub fn wants_sentinel(&self) -> bool {
        !self.sweep.is_empty()
    }

    fn lanes(&self) -> impl Iterator<Item = &LaneProber> {
        std::iter::once(&self.joint).chain(&self.each)
    }

    fn lanes_mut(&mut self) -> impl Iterator<Item = &mut LaneProber> {
        std::iter::once(&mut self.joint).chain(&mut self.each)
    }

    fn lane_of(&mut self, shot: Shot) -> &mut LaneProber {
        match shot.only {
            Some(flow) => &mut self.each[usize::from(flow)],
            None => &mut self.joint,
        }
    }

    /// A hole of all flows becomes a hole of each: one of them has answered, or was found to have another
    /// edge.
    fn part(&mut self, now: Moment) {
        if let Some(hole) = self.joint.take_hole() {
            for lane in &mut self.each {
                lane.inherit(hole.clone(), now);
            }
        }
    }

    /// Follows what a burst has come to.
    fn follow(&mut self, holes_before: usize, now: Moment) {
        let holes = self.holes();
        if holes > holes_before {
            let others = |flow: &u8| !self.each[usize::from(*flow)].is_silent();
            self.sweep = (0..FLOWS).filter(others).map(|flow| (flow, None)).collect();
            self.part(now);
        } else if self.joint.is_silent() && holes > 0 {
            for lane in &mut self.each {
                lane.clear();
            }
        }
        if !self.joint.is_busy() {
            self.tell_apart(now);
        }
        if holes == 0 && holes_before > 0 && !self.joint.is_silent() {
            let top = self.top();
            self.joint.large_passed(0, top, now);
        }
    }

    /// What all flows together answer, and a flow alone did not, must be proven on that flow.
    fn tell_apart(&mut self, now: Moment) {
        let passes = self.joint.edge().or(self.joint.passing());
        for (flow, size) in std::mem::take(&mut self.suspects) {
            if passes == Some(size) {
                self.each[usize::from(flow)].doubt(size, now);
            }
        }
    }

    fn holes(&self) -> usize {
        self.each.iter().filter(|lane| lane.is_silent()).count()
    }
}

impl Asking for FlowLanes {
    fn top(&self) -> Bytes {
        self.joint.top()
    }

    fn passing(&self) -> Option<Bytes> {
        self.above.whole().or(self.joint.passing()).filter(|_| !self.is_silent())
    }

    fn is_silent(&self) -> bool {
        self.lanes().any(Asking::is_silent)
    }

    fn wants(&self, urgency: Urgency) -> bool {
        self.lanes().any(|lane| lane.wants(urgency))
    }

    fn next_at(&self) -> Option<Moment> {
        self.lanes().filter_map(Asking::next_at).min()
    }

    fn shots(
        &mut self,
        urgency: Urgency,
        now: Moment,
        is_free: &dyn Fn(u8) -> bool,
        rng: &mut Rng,
    ) -> Vec<Shot> {
        self.lanes_mut()
            .map(|lane| lane.shots(urgency, now, is_free, rng))
            .find(|shots| !shots.is_empty())
            .unwrap_or_default()
    }

    fn resolve(&mut self, shot: Shot, fate: Fate, now: Moment) {
        let holes = self.holes();
        if shot.large && fate == Fate::Answered {
            self.suspects.retain(|(flow, _)| *flow != shot.flow);
        }
        self.lane_of(shot).resolve(shot, fate, now);
        self.follow(holes, now);
    }

    fn signalled(&mut self, shot: Shot, mtu: Bytes, on_walk: bool, now: Moment) {
        self.lane_of(shot).signalled(shot, mtu, on_walk, now);
    }

    fn sentinel_lost(&mut self, flow: u8, size: Bytes, now: Moment) {
        let alone = &mut self.each[usize::from(flow)];
        if alone.is_silent() {
            alone.sentinel_lost(flow, size, now);
            return;
        }
        if size > self.joint.top() {
            // Its silence counts for nothing: another flow was signalled there, and signals are rare.
            return;
        }
        let suspect = (flow, size);
        if !self.suspects.contains(&suspect) {
            self.suspects.push(suspect);
        }
        self.joint.sentinel_lost(flow, size, now);
    }

    fn large_passed(&mut self, flow: u8, size: Bytes, now: Moment) {
        let holes = self.holes();
        self.suspects.retain(|(suspect, _)| *suspect != flow);
        self.above.answered(flow, size);
        if self.joint.is_over(size) {
            if size < self.top() {
                self.joint.move_edge(size, now);
            } else {
                self.recheck(now);
            }
            return;
        }
        let alone = &mut self.each[usize::from(flow)];
        let over = alone.is_over(size);
        alone.large_passed(flow, size, now);
        if over {
            // What ended on one flow may have ended on all.
            self.recheck(now);
        } else if self.holes() == 0 && size <= self.top() {
            // Above the top it is about this flow alone: another one was signalled "too big" there.
            self.joint.large_passed(flow, size, now);
        }
        self.follow(holes, now);
    }

    fn stop(&mut self) {
        self.suspects.clear();
        for lane in self.lanes_mut() {
            lane.stop();
        }
    }

    fn resume(&mut self, now: Moment) {
        for lane in self.lanes_mut() {
            lane.resume(now);
        }
    }
}
