//! Many probers and one budget.

use std::time::Duration;

use super::{
    super::fixture::{asking_all, echoing},
    *,
};
use crate::{
    model::types::Verdict,
    path::{
        hole::detect::Urgency,
        probe::{Answer, ByteFate, Reply},
    },
};

const STEP: Duration = Duration::from_millis(10);
const DEAD: usize = 120;
const HOLES: usize = 8;

const SECOND: Duration = Duration::from_secs(1);

/// Paths that share one budget, and the network they probe.
struct World {
    paths: Vec<PathProber>,
    budget: Budget,
    /// How many paths, the first ones, have a target that answers.
    alive: usize,
    tick: u32,
    passes: Bytes,
}

impl World {
    fn new(paths: Vec<PathProber>, alive: usize) -> Self {
        Self { paths, budget: Budget::new(200), alive, tick: 100, passes: 1500 }
    }

    /// Plays 10 ms. Paths whose target answers lose packets larger than `passes` in the forward
    /// direction, but no fragments.
    fn turn(&mut self) {
        let now = STEP * self.tick;
        self.tick += 1;
        self.budget.fill(now);
        for prober in &mut self.paths {
            prober.reported_until(now);
        }
        let mut out = Vec::new();
        for urgency in [None].into_iter().chain(Urgency::ALL.map(Some)) {
            for turn in 0..self.paths.len() {
                let number = (turn + usize::try_from(self.tick).expect("minutes")) % self.paths.len();
                let prober = &mut self.paths[number];
                match urgency {
                    None => prober.regular(now, &mut out),
                    Some(urgency) => prober.burst(urgency, now, &mut self.budget, &mut out),
                }
                for send in out.drain(..).filter(|_| number < self.alive) {
                    match send {
                        Send::Echo { seq } => prober.echo_reply(seq, STEP / 10, now),
                        Send::Byte { id, .. } => prober.byte_told(id, ByteFate::Passed, now),
                        Send::Renew => {}
                        Send::Probe(probe) => {
                            let passes = probe.purpose == ProbeSize::Control
                                || probe.size <= self.passes
                                || probe.method == ProbeMethod::Fragments;
                            if passes {
                                prober.answer(probe.id, Answer::Passed(Reply::default()), now);
                            }
                        }
                    }
                }
            }
        }
    }

    fn are(&self, verdict: Verdict) -> bool {
        self.paths[..self.alive].iter().all(|path| path.judgement().verdict == verdict)
    }

    fn settle(&mut self) {
        (0..60 * 100).for_each(|_| self.turn());
        assert!(self.are(Verdict::Ok), "{:?}", self.paths[0].judgement());
        assert!(self.paths[self.alive..].iter().all(|dead| dead.judgement().verdict == Verdict::Unreachable));
    }
}

#[test]
fn a_hole_is_proven_beside_many_dead_targets() {
    let mut world = World::new((0..=DEAD).map(|path| echoing(SECOND, path as u64)).collect(), 1);
    world.settle();
    world.passes = 1400;
    (0..15 * 100).for_each(|_| world.turn());
    assert!(world.are(Verdict::Blackhole), "{:?}", world.paths[0].judgement().evidence);
}

#[test]
fn eight_holes_at_once_are_told_before_all_is_known_of_each() {
    let mut world = World::new((0..HOLES + 100).map(|path| asking_all(path as u64)).collect(), HOLES);
    world.settle();
    world.passes = 1400;
    let told = (1..60 * 100).find(|_| {
        world.turn();
        world.are(Verdict::Blackhole)
    });
    let turns = told.expect("all of them are told");
    // A second until the last sentinel, and 178 packets each: 2 x (40 that prove the hole, 8 and 20
    // beside the edge, one that passes and 20 at the edge).
    assert!(turns < 1000, "{turns} turns of 10 ms");
}
