//! Flows that turn out to differ part; those that are alike again unite.

use super::FlowLanes;
use crate::{
    model::types::Bytes,
    path::{
        hole::{flow_set::FlowSet, lane::LaneProber, method::ProbeMethod},
        limits::REST,
        probe::Moment,
    },
};

impl FlowLanes {
    /// Some flows of a lane become one of their own.
    pub(super) fn part(&mut self, place: usize, flows: FlowSet) {
        let id = self.name();
        let part = self.lanes[place].part(flows, id);
        self.lanes.push(part);
    }

    /// Each of these flows becomes a lane of its own.
    pub(super) fn single_out(&mut self, flows: FlowSet) {
        for flow in flows.iter() {
            if let Some(place) = self.place_of(flow)
                && self.lanes[place].flows().len() > 1
            {
                self.part(place, FlowSet::of(flow));
            }
        }
    }

    /// Lanes that know the same become one.
    pub(super) fn unite(&mut self) {
        let mut place = 0;
        while place < self.lanes.len() {
            let like = |(other, lane): (usize, &LaneProber)| {
                (other != place && self.lanes[place].is_like(lane)).then_some(other)
            };
            if let Some(other) = self.lanes.iter().enumerate().find_map(like) {
                let flows = self.lanes[other].flows();
                self.lanes[place].take_in(flows);
                self.lanes.remove(other);
                place = 0;
            } else {
                place += 1;
            }
        }
    }

    /// Follows what a burst has come to.
    pub(super) fn follow(&mut self, now: Moment) {
        self.end_doubts(now);
        self.tear(now);
        for place in 0..self.lanes.len() {
            self.tell_apart(place, now);
            if let Some(edge) = self.lanes[place].take_edge().filter(|_| self.lanes[place].flows().len() > 1)
            {
                // Flows with a smaller edge do not pass it.
                let flows = self.lanes[place].flows();
                self.sweep.extend(flows.iter().map(|flow| (flow, Some(edge))));
            }
        }
        self.unite();
    }

    /// Flows that are proven to differ leave their lane.
    pub(super) fn end_doubts(&mut self, now: Moment) {
        let (silent, others) = std::mem::take(&mut self.doubts)
            .into_iter()
            .filter(|doubt| !doubt.flows().is_empty())
            .partition::<Vec<_>, _>(LaneProber::is_silent);
        self.doubts = others;
        self.doubts.retain(|doubt| {
            if !doubt.is_busy() {
                self.rest_until = now + REST;
            }
            doubt.is_busy()
        });
        for mut doubt in silent {
            for lane in &mut self.lanes {
                if !lane.flows().within(doubt.flows()).is_empty() {
                    lane.leave(doubt.flows());
                    doubt.silent_at(lane.hole_size().unwrap_or(0));
                }
            }
            self.lanes.retain(|lane| !lane.flows().is_empty());
            self.lanes.push(doubt);
            self.look_around();
        }
    }

    /// Flows that a search has found to have a smaller edge than the others of their lane.
    pub(super) fn tear(&mut self, now: Moment) {
        for place in 0..self.lanes.len() {
            let Some(flows) = self.lanes[place].take_torn() else { continue };
            let size = self.lanes[place].asks_for();
            self.lanes[place].take_in(flows);
            self.part(place, flows);
            if let (Some(size), Some(part)) = (size, self.lanes.last_mut()) {
                part.search_again(size, now);
            }
        }
    }

    /// What others of a lane answer, and some flows did not, must be proven on those flows.
    pub(super) fn tell_apart(&mut self, place: usize, now: Moment) {
        let lane = &self.lanes[place];
        if lane.is_busy() {
            return;
        }
        let (flows, top) = (lane.flows(), lane.top());
        let passes = lane.edge().or(lane.passing());
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
            self.doubts.push(LaneProber::doubting(suspects, id, self.family, top, size, now));
        }
    }

    /// A doubt that asks with this shot: a flow that answers is out of it.
    pub(super) fn answers_doubt(&mut self, flow: u8, size: Bytes) {
        for doubt in
            self.doubts.iter_mut().filter(|doubt| doubt.asks_for().is_some_and(|asked| size >= asked))
        {
            doubt.leave(FlowSet::of(flow));
        }
    }
}
