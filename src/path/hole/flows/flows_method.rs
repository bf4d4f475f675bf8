//! All TCP flows as the prober of their path sees them.

use fastrand::Rng;

use super::FlowLanes;
use crate::{
    model::types::Bytes,
    path::{
        hole::{
            flow_set::FlowSet,
            method::{ProbeMethod, Urgency},
            proof::{Fate, Shot},
        },
        probe::Moment,
    },
};

impl ProbeMethod for FlowLanes {
    /// The smallest of any flow.
    fn top(&self) -> Bytes {
        self.lanes.iter().map(ProbeMethod::top).min().unwrap_or(0)
    }

    /// The smallest of any flow.
    fn passing(&self) -> Option<Bytes> {
        self.lanes.iter().filter_map(ProbeMethod::passing).min().filter(|_| !self.is_silent())
    }

    fn is_silent(&self) -> bool {
        self.lanes.iter().any(ProbeMethod::is_silent)
    }

    fn wants(&self, urgency: Urgency) -> bool {
        self.all().any(|lane| lane.wants(urgency))
    }

    fn next_at(&self) -> Option<Moment> {
        self.all().filter_map(ProbeMethod::next_at).min()
    }

    fn shots(
        &mut self,
        urgency: Urgency,
        now: Moment,
        is_free: &dyn Fn(u8) -> bool,
        rng: &mut Rng,
    ) -> Vec<Shot> {
        self.all_mut()
            .map(|lane| lane.shots(urgency, now, is_free, rng))
            .find(|shots| !shots.is_empty())
            .unwrap_or_default()
    }

    fn resolve(&mut self, shot: Shot, fate: Fate, now: Moment) {
        let answered = shot.large && fate == Fate::Answered;
        if answered {
            self.suspects.retain(|(flow, _)| *flow != shot.flow);
            self.answers_doubt(shot.flow, shot.size);
        }
        let is_doubt = self.doubts.iter().any(|doubt| doubt.id() == shot.asker);
        if let Some(lane) = self.asker(shot) {
            let hardly = lane.hardly_asked();
            let was_silent = lane.is_silent();
            lane.resolve(shot, fate, now);
            if is_doubt && lane.is_silent() && !was_silent {
                lane.leave(hardly);
            }
        } else if answered && !is_doubt {
            self.large_passed(shot.flow, shot.size, now);
        }
        self.follow(now);
    }

    fn signalled(&mut self, shot: Shot, mtu: Bytes, on_walk: bool, now: Moment) {
        if let Some(lane) = self.asker(shot) {
            lane.signalled(shot, mtu, on_walk, now);
        }
        self.follow(now);
    }

    fn refused(&mut self, flow: u8, size: Bytes, mtu: Bytes, now: Moment) {
        let Some(place) = self.place_of(flow).filter(|place| self.lanes[*place].edge() >= Some(size)) else {
            return;
        };
        self.part(place, FlowSet::of(flow));
        self.lanes.retain(|lane| !lane.flows().is_empty());
        if let Some(part) = self.lanes.last_mut() {
            part.refused(flow, size, mtu, now);
        }
    }

    fn sentinel_lost(&mut self, flow: u8, size: Bytes, now: Moment) {
        let Some(place) = self.place_of(flow) else { return };
        let lane = &mut self.lanes[place];
        if size > lane.top() {
            // Its silence counts for nothing: a signal is remembered there, and signals are rare.
            return;
        }
        if lane.flows().len() > 1 && !self.suspects.contains(&(flow, size)) {
            self.suspects.push((flow, size));
        }
        lane.sentinel_lost(flow, size, now);
        self.follow(now);
    }

    fn large_passed(&mut self, flow: u8, size: Bytes, now: Moment) {
        self.suspects.retain(|(suspect, _)| *suspect != flow);
        self.answers_doubt(flow, size);
        let Some(place) = self.place_of(flow) else { return };
        let lane = &mut self.lanes[place];
        let hole_size = lane.hole_size();
        let moved = lane.is_over(size) && hole_size > Some(size);
        if moved {
            lane.move_edge(size, now);
            // It may as well be over: that is asked before the search has found its way up there.
            self.sweep.push_front((flow, hole_size));
            // What moved on one flow may have moved on all.
            let others = self.lanes.iter().filter(|lane| lane.is_silent() && !lane.flows().contains(flow));
            let edges = others.flat_map(|lane| lane.flows().iter().map(|flow| (flow, lane.silent_from())));
            self.sweep.extend(edges.collect::<Vec<_>>());
        } else if lane.is_over(size) {
            // What ended on one flow may have ended on all.
            self.recheck(now);
        } else {
            lane.large_passed(flow, size, now);
        }
        self.follow(now);
    }

    fn stop(&mut self) {
        self.suspects.clear();
        self.doubts.clear();
        for lane in &mut self.lanes {
            lane.stop();
        }
    }

    fn resume(&mut self, now: Moment) {
        for lane in &mut self.lanes {
            lane.resume(now);
        }
    }
}
