//! The interface of all TCP flows to the prober of their path.

use fastrand::Rng;

use super::FlowGroups;
use crate::{
    model::types::Bytes,
    path::{
        hole::{
            detect::{Detect, Urgency},
            flow_set::FlowSet,
            proof::Shot,
        },
        pairs::Fate,
        probe::Moment,
    },
};

impl Detect for FlowGroups {
    /// The smallest of any flow.
    fn top(&self) -> Bytes {
        self.groups.iter().map(Detect::top).min().unwrap_or(0)
    }

    /// The smallest of any flow.
    fn passing(&self) -> Option<Bytes> {
        self.groups.iter().filter_map(Detect::passing).min().filter(|_| !self.is_silent())
    }

    fn is_silent(&self) -> bool {
        self.groups.iter().any(Detect::is_silent)
    }

    fn wants(&self, urgency: Urgency) -> bool {
        self.all().any(|group| group.wants(urgency))
    }

    fn next_at(&self) -> Option<Moment> {
        self.all().filter_map(Detect::next_at).min()
    }

    fn shots(
        &mut self,
        urgency: Urgency,
        now: Moment,
        is_free: &dyn Fn(u8) -> bool,
        rng: &mut Rng,
    ) -> Vec<Shot> {
        self.all_mut()
            .map(|group| group.shots(urgency, now, is_free, rng))
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
        if let Some(group) = self.asker(shot) {
            let hardly = group.hardly_asked();
            let was_silent = group.is_silent();
            group.resolve(shot, fate, now);
            if is_doubt && group.is_silent() && !was_silent {
                group.leave(hardly);
            }
        } else if answered && !is_doubt {
            self.large_passed(shot.flow, shot.size, now);
        }
        self.follow(now);
    }

    fn signalled(&mut self, shot: Shot, mtu: Bytes, on_walk: bool, now: Moment) {
        if let Some(group) = self.asker(shot) {
            group.signalled(shot, mtu, on_walk, now);
        }
        self.follow(now);
    }

    fn refused(&mut self, flow: u8, size: Bytes, mtu: Bytes, now: Moment) {
        let Some(place) = self.place_of(flow).filter(|place| self.groups[*place].edge() >= Some(size)) else {
            return;
        };
        self.part(place, FlowSet::of(flow));
        self.groups.retain(|group| !group.flows().is_empty());
        if let Some(part) = self.groups.last_mut() {
            part.refused(flow, size, mtu, now);
        }
    }

    fn sentinel_lost(&mut self, flow: u8, size: Bytes, now: Moment) {
        let Some(place) = self.place_of(flow) else { return };
        let group = &mut self.groups[place];
        if size > group.top() {
            // Not counted: a Packet Too Big is remembered for this size, and those are
            // rate-limited.
            return;
        }
        if group.flows().len() > 1 && !self.suspects.contains(&(flow, size)) {
            self.suspects.push((flow, size));
        }
        group.sentinel_lost(flow, size, now);
        self.follow(now);
    }

    fn large_passed(&mut self, flow: u8, size: Bytes, now: Moment) {
        self.suspects.retain(|(suspect, _)| *suspect != flow);
        self.answers_doubt(flow, size);
        let Some(place) = self.place_of(flow) else { return };
        let group = &mut self.groups[place];
        let hole_size = group.hole_size();
        let moved = group.is_over(size) && hole_size > Some(size);
        if moved {
            group.move_edge(size, now);
            // The hole may be over altogether: test that before the search arrives there.
            self.sweep.push_front((flow, hole_size));
            // The edge may have moved on all flows.
            let others =
                self.groups.iter().filter(|group| group.is_silent() && !group.flows().contains(flow));
            let edges = others.flat_map(|group| group.flows().iter().map(|flow| (flow, group.silent_from())));
            self.sweep.extend(edges.collect::<Vec<_>>());
        } else if group.is_over(size) {
            // The hole may have ended on all flows.
            self.recheck(now);
        } else {
            group.large_passed(flow, size, now);
        }
        self.follow(now);
    }

    fn stop(&mut self) {
        self.suspects.clear();
        self.doubts.clear();
        for group in &mut self.groups {
            group.stop();
        }
    }

    fn resume(&mut self, now: Moment) {
        for group in &mut self.groups {
            group.resume(now);
        }
    }
}
