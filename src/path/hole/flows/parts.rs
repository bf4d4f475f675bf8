//! How groups of flows are split and merged.

use super::FlowGroups;
use crate::{
    model::types::Bytes,
    path::{
        hole::{detect::Detect, detector::Detector, flow_set::FlowSet},
        limits::REST,
        probe::Moment,
    },
};

impl FlowGroups {
    /// Splits some flows off a group.
    pub(super) fn part(&mut self, place: usize, flows: FlowSet) {
        let id = self.name();
        let part = self.groups[place].part(flows, id);
        self.groups.push(part);
    }

    /// Makes each of these flows a group of its own.
    pub(super) fn single_out(&mut self, flows: FlowSet) {
        for flow in flows.iter() {
            if let Some(place) = self.place_of(flow)
                && self.groups[place].flows().len() > 1
            {
                self.part(place, FlowSet::of(flow));
            }
        }
    }

    /// Merges groups with the same findings.
    pub(super) fn unite(&mut self) {
        let mut place = 0;
        while place < self.groups.len() {
            let like = |(other, group): (usize, &Detector)| {
                (other != place && self.groups[place].is_like(group)).then_some(other)
            };
            if let Some(other) = self.groups.iter().enumerate().find_map(like) {
                let flows = self.groups[other].flows();
                self.groups[place].take_in(flows);
                self.groups.remove(other);
                place = 0;
            } else {
                place += 1;
            }
        }
    }

    /// Splits and merges after a change in any group.
    pub(super) fn follow(&mut self, now: Moment) {
        self.end_doubts(now);
        self.tear(now);
        for place in 0..self.groups.len() {
            self.tell_apart(place, now);
            if let Some(edge) =
                self.groups[place].take_edge().filter(|_| self.groups[place].flows().len() > 1)
            {
                // A flow with a smaller edge does not pass this size.
                let flows = self.groups[place].flows();
                self.sweep.extend(flows.iter().map(|flow| (flow, Some(edge))));
            }
        }
        self.unite();
    }

    /// Splits off flows that are proven to differ from their group.
    pub(super) fn end_doubts(&mut self, now: Moment) {
        let (silent, others) = std::mem::take(&mut self.doubts)
            .into_iter()
            .filter(|doubt| !doubt.flows().is_empty())
            .partition::<Vec<_>, _>(Detector::is_silent);
        self.doubts = others;
        self.doubts.retain(|doubt| {
            if !doubt.is_busy() {
                self.rest_until = now + REST;
            }
            doubt.is_busy()
        });
        for mut doubt in silent {
            for group in &mut self.groups {
                if !group.flows().within(doubt.flows()).is_empty() {
                    group.leave(doubt.flows());
                    doubt.silent_at(group.hole_size().unwrap_or(0));
                }
            }
            self.groups.retain(|group| !group.flows().is_empty());
            self.groups.push(doubt);
            self.look_around();
        }
    }

    /// Splits off flows that a search has found to have a smaller edge than the others of their
    /// group.
    pub(super) fn tear(&mut self, now: Moment) {
        for place in 0..self.groups.len() {
            let Some(flows) = self.groups[place].take_torn() else { continue };
            let size = self.groups[place].asks_for();
            self.groups[place].take_in(flows);
            self.part(place, flows);
            if let (Some(size), Some(part)) = (size, self.groups.last_mut()) {
                part.search_again(size, now);
            }
        }
    }

    /// Begins a proof on flows that lost a size which others of their group pass.
    pub(super) fn tell_apart(&mut self, place: usize, now: Moment) {
        let group = &self.groups[place];
        if group.is_busy() {
            return;
        }
        let (flows, top) = (group.flows(), group.top());
        let passes = group.edge().or(group.passing());
        let here = |(flow, _): &(u8, Bytes)| flows.contains(*flow);
        let suspects: FlowSet = self
            .suspects
            .iter()
            .filter(|suspect| here(suspect) && Some(suspect.1) == passes)
            .map(|(flow, _)| *flow)
            .collect();
        self.suspects.retain(|suspect| !here(suspect));
        let Some(size) = passes.filter(|_| !suspects.is_empty() && now >= self.rest_until) else { return };
        let under_way = self
            .doubts
            .iter_mut()
            .find(|doubt| doubt.asks_for() == Some(size) && doubt.flows().without(flows).is_empty());
        if let Some(doubt) = under_way {
            doubt.take_in(suspects);
        } else {
            let id = self.name();
            self.doubts.push(Detector::doubting(suspects, id, self.family, top, size, now));
        }
    }

    /// A flow that answers such a size is no longer suspected.
    pub(super) fn answers_doubt(&mut self, flow: u8, size: Bytes) {
        for doubt in
            self.doubts.iter_mut().filter(|doubt| doubt.asks_for().is_some_and(|asked| size >= asked))
        {
            doubt.leave(FlowSet::of(flow));
        }
    }
}
