//! The eight TCP flows of a path, in groups that behave alike.
//!
//! VXLAN's outer UDP source port is a hash of the inner flow (RFC 7348 section 5), so ECMP in the
//! underlay spreads flows over its legs (measured on a Linux VTEP: all ICMP between two hosts is
//! one flow, SYNs of different ports are several). All flows begin as one group, because a proof
//! over all of them is the fastest. Flows leave their group when they are proven silent at a size
//! that others of it pass, when path MTU discovery arrives at another size for them, or when their
//! hole may be over. Groups with the same findings are merged again.

mod detect;
mod parts;

use std::collections::VecDeque;

use super::{
    detect::Detect,
    detector::{Detector, Hole, Rules},
    proof::Shot,
};
use crate::{
    model::{
        family::Family,
        types::{Bytes, ProbeSize},
    },
    path::{
        hole::flow_set::FlowSet,
        probe::{FLOWS, Moment},
    },
};

/// The size that path MTU discovery has arrived at, for each flow.
pub(crate) type Tops = [Bytes; FLOWS as usize];

/// All TCP flows of a path.
#[derive(Debug, Clone)]
pub(crate) struct FlowGroups {
    family: Family,
    /// Every flow is in exactly one group.
    groups: Vec<Detector>,
    /// Detectors that test whether some flows of a group differ from the rest of it.
    doubts: Vec<Detector>,
    next_id: u32,
    /// Flows that lost a sentinel of that size, while others of their group may pass it.
    suspects: Vec<(u8, Bytes)>,
    /// Flows whose sentinel goes out before its turn, at that size if one is given.
    sweep: VecDeque<(u8, Option<Bytes>)>,
    turn: u8,
    rest_until: Moment,
}

/// A forward hole, and how many flows it is on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FlowHole<'a> {
    /// The hole with the smallest edge.
    pub hole: &'a Hole,
    /// How many of the [`FLOWS`] flows have a hole.
    pub flows: usize,
}

impl FlowGroups {
    /// All flows in one group that tests `top` bytes.
    #[must_use]
    pub(crate) fn new(family: Family, top: Bytes) -> Self {
        Self {
            family,
            groups: vec![Detector::new(family, Rules::syn(family), top)],
            doubts: Vec::new(),
            next_id: 1,
            suspects: Vec::new(),
            sweep: VecDeque::new(),
            turn: 0,
            rest_until: Moment::ZERO,
        }
    }

    /// The hole, if one may be claimed on any flow.
    #[must_use]
    pub(crate) fn hole(&self) -> Option<FlowHole<'_>> {
        let holes = || self.groups.iter().filter_map(|group| Some((group.hole()?, group.flows().len())));
        let (hole, _) = holes().min_by_key(|(hole, _)| hole.answered)?;
        Some(FlowHole { hole, flows: holes().map(|(_, flows)| flows).sum() })
    }

    /// The groups of flows that behave alike.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &Detector> {
        self.groups.iter()
    }

    /// When the last flow was found to pass or to be silent; none while one is undecided.
    #[must_use]
    pub(crate) fn decided_at(&self) -> Option<Moment> {
        self.groups.iter().map(Detector::decided_at).min().flatten()
    }

    /// The last burst ended after 200 pairs without a decision, on every flow.
    #[must_use]
    pub(crate) fn is_exhausted(&self) -> bool {
        self.groups.iter().all(Detector::is_exhausted)
    }

    /// The last burst had no answered control, on any flow.
    #[must_use]
    pub(crate) fn is_unusable(&self) -> bool {
        self.groups.iter().all(Detector::is_unusable)
    }

    /// The last proof found loss that grows with size, but no edge.
    #[must_use]
    pub(crate) fn is_size_dependent(&self) -> bool {
        self.groups.iter().any(Detector::is_size_dependent)
    }

    /// Whether no burst is under way and none is resting.
    #[must_use]
    pub(crate) fn is_idle(&self, now: Moment) -> bool {
        self.groups.iter().all(|group| group.is_idle(now))
    }

    /// A burst is under way.
    #[must_use]
    pub(crate) fn is_busy(&self) -> bool {
        self.all().any(Detector::is_busy)
    }

    /// The size that path MTU discovery has arrived at for that flow.
    #[must_use]
    pub(crate) fn top_of(&self, flow: u8) -> Bytes {
        self.group_of(flow).map_or(0, Detect::top)
    }

    /// The size that is known to pass on that flow's group.
    #[must_use]
    pub(crate) fn passing_on(&self, flow: u8) -> Option<Bytes> {
        self.group_of(flow).and_then(Detect::passing)
    }

    /// Flows on which silence is proven.
    #[must_use]
    pub(crate) fn silent(&self) -> FlowSet {
        let silent = self.groups.iter().filter(|group| group.is_silent());
        silent.fold(FlowSet::default(), |flows, group| flows.with(group.flows()))
    }

    /// Sizes that another probe method has found, to be tried first.
    pub(crate) fn hint(&mut self, hints: &[Bytes]) {
        for group in self.all_mut() {
            group.hint(hints.to_vec());
        }
    }

    /// Packet Too Big is received on other paths: until `until`, a first proof takes longer.
    pub(crate) fn be_cautious(&mut self, until: Moment) {
        for group in self.all_mut() {
            group.be_cautious(until);
        }
    }

    /// The target has answered some probe method.
    pub(crate) fn heard(&mut self) {
        for group in self.all_mut() {
            group.heard();
        }
    }

    /// Begins a proof at the top on all flows, unless a burst is under way or resting.
    pub(crate) fn prove(&mut self, now: Moment) {
        for group in &mut self.groups {
            group.prove(now);
        }
    }

    /// Sends sentinels on all flows not known to be silent before their turn.
    pub(crate) fn look_around(&mut self) {
        let others = FlowSet::ALL.without(self.silent());
        self.sweep = others.iter().map(|flow| (flow, None)).collect();
    }

    /// These flows have moved to new ports: discards what was under way and sends their sentinels
    /// before their turn.
    pub(crate) fn look_at(&mut self, flows: FlowSet) {
        for group in
            self.groups.iter_mut().filter(|group| group.flows().iter().any(|flow| flows.contains(flow)))
        {
            group.stop_for_new_flow();
        }
        for flow in flows.iter().map(|flow| (flow, None)) {
            if !self.sweep.contains(&flow) {
                self.sweep.push_back(flow);
            }
        }
    }

    /// Sends sentinels above the size that discovery has arrived at, each of the size given for the
    /// flow.
    pub(crate) fn look_above(&mut self, sizes: impl Iterator<Item = (u8, Bytes)>) {
        for (flow, size) in sizes.map(|(flow, size)| (flow, Some(size))) {
            if !self.sweep.contains(&(flow, size)) {
                self.sweep.push_back((flow, size));
            }
        }
    }

    /// Rechecks every flow with a hole.
    pub(crate) fn recheck(&mut self, now: Moment) {
        let silent = self.silent();
        self.single_out(silent);
        for group in self.groups.iter_mut().filter(|group| group.is_silent()) {
            group.recheck_hole(now);
        }
    }

    /// Path MTU discovery has arrived at these sizes.
    pub(crate) fn stand_at(&mut self, tops: &Tops, now: Moment) {
        let top = |flow: u8| tops[usize::from(flow)];
        if (0..FLOWS).all(|flow| self.top_of(flow) == top(flow)) {
            return;
        }
        let moved = |flow: u8, group: &Detector| group.flows().contains(flow) && group.top() != top(flow);
        self.suspects.retain(|(flow, _)| !self.groups.iter().any(|group| moved(*flow, group)));
        self.sweep.retain(|(flow, _)| !self.groups.iter().any(|group| moved(*flow, group)));
        self.doubts.retain(|group| !(0..FLOWS).any(|flow| moved(flow, group)));
        for place in 0..self.groups.len() {
            loop {
                let flows = self.groups[place].flows();
                let Some(first) = flows.iter().next() else { break };
                let others: FlowSet = flows.iter().filter(|flow| top(*flow) != top(first)).collect();
                let Some(other) = others.iter().next() else { break };
                let away = others.iter().filter(|flow| top(*flow) == top(other)).collect();
                self.part(place, away);
            }
        }
        for group in &mut self.groups {
            let flows = group.flows();
            let Some(flow) = flows.iter().next() else { continue };
            group.stand_at(top(flow), now);
            let unknown = group.passing().is_none() && !group.is_silent();
            if unknown && !self.sweep.iter().any(|(flow, _)| flows.contains(*flow)) {
                // Test the new size at once.
                self.sweep.push_back((flow, None));
            }
        }
        self.unite();
    }

    /// Flow, size and purpose of the next sentinel; `None` if no flow is free.
    pub(crate) fn sentinel(&mut self, is_free: impl Fn(u8) -> bool) -> Option<(u8, Bytes, ProbeSize)> {
        let swept = self.sweep.iter().position(|(flow, _)| is_free(*flow));
        let flow = if let Some((flow, size)) = swept.and_then(|place| self.sweep.remove(place)) {
            if let Some(size) = size {
                let purpose = if size < self.top_of(flow) { ProbeSize::Edge } else { ProbeSize::Full };
                return Some((flow, size, purpose));
            }
            flow
        } else {
            let flow = (1..=FLOWS).map(|step| (self.turn + step) % FLOWS).find(|flow| is_free(*flow))?;
            self.turn = flow;
            flow
        };
        let place = self.place_of(flow)?;
        let (size, purpose) = self.groups[place].sentinel();
        Some((flow, size, purpose))
    }

    /// Whether a sentinel is to go out before its turn.
    #[must_use]
    pub(crate) fn wants_sentinel(&self) -> bool {
        !self.sweep.is_empty()
    }

    fn all(&self) -> impl Iterator<Item = &Detector> {
        self.groups.iter().chain(&self.doubts)
    }

    fn all_mut(&mut self) -> impl Iterator<Item = &mut Detector> {
        self.groups.iter_mut().chain(&mut self.doubts)
    }

    fn place_of(&self, flow: u8) -> Option<usize> {
        self.groups.iter().position(|group| group.flows().contains(flow))
    }

    fn group_of(&self, flow: u8) -> Option<&Detector> {
        self.place_of(flow).map(|place| &self.groups[place])
    }

    /// The detector that sent a shot, if the flow still belongs to it.
    fn asker(&mut self, shot: Shot) -> Option<&mut Detector> {
        self.all_mut().find(|group| group.id() == shot.asker && group.flows().contains(shot.flow))
    }

    fn name(&mut self) -> u32 {
        self.next_id += 1;
        self.next_id - 1
    }
}
