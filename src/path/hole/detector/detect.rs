//! The interface of one detector to the prober of its path.

use fastrand::Rng;

use super::{Aim, Detector, Standing, Task};
use crate::{
    model::types::{Bytes, ProbeSize},
    path::{
        hole::{
            detect::{Detect, Urgency},
            proof::{Shot, SizePairs},
        },
        pairs::Fate,
        probe::Moment,
    },
};

impl Detector {
    fn urgency(&self) -> Option<Urgency> {
        // Without a sharp edge, silence is not yet a hole.
        let known = self.hole().is_some();
        match self.aim() {
            None => None,
            Some(Aim::Recheck) => Some(Urgency::Withdrawal),
            Some(_) if known => Some(Urgency::Search),
            Some(_) => Some(Urgency::FirstProof),
        }
    }
}

impl Detect for Detector {
    fn top(&self) -> Bytes {
        self.top
    }

    fn passing(&self) -> Option<Bytes> {
        match self.standing {
            Standing::Passing { size } => Some(size),
            _ => None,
        }
    }

    fn resume(&mut self, now: Moment) {
        if let Standing::Hole(hole) = &self.standing
            && !hole.exact
            && !self.held
            && self.is_idle(now)
        {
            let (answered, silent) = (hole.answered, hole.silent);
            self.search_below(answered, silent, &[], now);
        }
    }

    fn is_silent(&self) -> bool {
        matches!(self.standing, Standing::Hole(_))
    }

    fn wants(&self, urgency: Urgency) -> bool {
        self.urgency() == Some(urgency)
    }

    fn next_at(&self) -> Option<Moment> {
        self.burst().map(SizePairs::next_at)
    }

    fn shots(
        &mut self,
        urgency: Urgency,
        now: Moment,
        is_free: &dyn Fn(u8) -> bool,
        rng: &mut Rng,
    ) -> Vec<Shot> {
        if self.urgency() != Some(urgency) {
            return Vec::new();
        }
        self.due_shots(now, is_free, rng)
    }

    fn resolve(&mut self, shot: Shot, fate: Fate, now: Moment) {
        let current = self.task.as_mut().filter(|task| task.pairs.serial() == shot.serial);
        if let Some(task) = current {
            task.pairs.resolve(shot.pair, shot.large, fate);
            self.conclude(now);
        } else if shot.large && fate == Fate::Answered {
            let breaks_proof =
                matches!(&self.standing, Standing::Hole(hole) if hole.proof_serial == shot.serial);
            if breaks_proof {
                // The proof counted a packet that was only late.
                self.clear();
                self.prove(now);
            } else {
                self.large_passed(shot.flow, shot.size, now);
            }
        }
    }

    fn signalled(&mut self, shot: Shot, mtu: Bytes, on_walk: bool, now: Moment) {
        if self.burst().is_none_or(|pairs| pairs.serial() != shot.serial) {
            return;
        }
        let Some(Task { aim, pairs }) = self.task.take() else { return };
        match aim {
            Aim::Search(mut search) => {
                search.signalled(shot.size, mtu);
                self.go_on_searching(search, None, now);
            }
            Aim::Prove if self.is_silent() && !on_walk => self.search_below(0, shot.size, &[mtu], now),
            // A Packet Too Big is an answer, so this size is not silent.
            Aim::Prove | Aim::Assure(_) if !self.is_silent() => {}
            Aim::Recheck => {}
            aim => self.work_on(aim, pairs),
        }
    }

    fn refused(&mut self, _flow: u8, size: Bytes, mtu: Bytes, now: Moment) {
        if self.edge().is_some_and(|edge| size <= edge) && self.is_idle(now) {
            self.search_below(0, size, &[mtu], now);
        }
    }

    fn large_passed(&mut self, _flow: u8, size: Bytes, now: Moment) {
        if size >= self.top {
            self.count_whole(true);
        }
        match &mut self.standing {
            Standing::Untested if size >= self.top => self.now_passing(self.top, now),
            Standing::Untested => {}
            Standing::Passing { size: known } => {
                let known = *known;
                if size > known && size > self.top {
                    self.recheck(size, now);
                } else if size == self.top {
                    self.now_passing(size, now);
                }
            }
            Standing::Hole(hole) => {
                if let Some(Task { aim: Aim::Search(search), .. }) = &mut self.task
                    && size < hole.size
                {
                    search.passed(size);
                    hole.answered = search.answered();
                    hole.silent = search.edge();
                } else if size >= hole.silent {
                    if size < hole.size {
                        hole.answered = size;
                        hole.silent = hole.size;
                        hole.exact = false;
                    }
                    self.recheck_hole(now);
                }
            }
        }
    }

    fn stop(&mut self) {
        self.task = None;
    }

    fn sentinel_lost(&mut self, _flow: u8, size: Bytes, now: Moment) {
        if size >= self.top {
            self.count_whole(false);
        }
        match &self.standing {
            Standing::Untested | Standing::Passing { .. } if size == self.top => self.prove(now),
            Standing::Hole(hole) if hole.exact && size == hole.answered && size < hole.size => {
                self.prove_at(size, ProbeSize::Edge, now);
            }
            _ => {}
        }
    }
}
