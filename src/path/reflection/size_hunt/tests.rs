//! Hunts played over directions with an edge, loss, and a policer.

use fastrand::Rng;
use proptest::prelude::*;

use super::*;
use crate::path::{hole::edge, limits::REST};

struct Play {
    hunt: SizeHunt,
    rng: Rng,
    now: Moment,
}

impl Play {
    fn new(seed: u64) -> Self {
        Self { hunt: SizeHunt::new(Family::V4, 1500), rng: Rng::with_seed(seed), now: Moment::ZERO }
    }

    /// One pair, when it is due.
    fn pair(&mut self, large: Large, control: bool) -> Shot {
        self.now = self.hunt.due_at().max(self.now);
        self.hunt.resolve(SegmentPair { large, control }, self.now)
    }

    /// Pairs over a direction whose largest size is `edge` and that loses packets.
    fn pairs(&mut self, edge: Bytes, loss: f64, pairs: usize) -> Option<Shot> {
        let mut last = None;
        for _ in 0..pairs {
            let arrives = |rng: &mut Rng| rng.f64() >= loss;
            let fits = self.hunt.size() <= edge && arrives(&mut self.rng);
            let control = arrives(&mut self.rng);
            last = Some(self.pair(if fits { Large::Passed } else { Large::Lost }, control));
        }
        last
    }

    fn answered(&self) -> Option<Bytes> {
        match self.hunt.sizes() {
            Sizes::Silent { answered, exact: true, .. } => Some(answered),
            _ => None,
        }
    }

    fn is_hole(&self) -> bool {
        matches!(self.hunt.sizes(), Sizes::Silent { .. })
    }
}

#[test]
fn thirty_nine_pairs_prove_nothing_forty_do_and_a_sharp_edge_makes_it_a_hole() {
    let mut play = Play::new(1);
    // The one that raises the doubt, and those of the proof.
    play.pairs(1454, 0.0, 1 + 39);
    assert_eq!((play.hunt.sizes(), play.hunt.size()), (Sizes::Starting, 1500));
    play.pairs(1454, 0.0, 1);
    assert_eq!((play.hunt.sizes(), play.hunt.size()), (Sizes::Starting, 1420));
    play.pairs(1454, 0.0, edge::CONTROLS);
    assert_eq!(play.hunt.sizes(), Sizes::Starting);
    play.pairs(1454, 0.0, 1);
    assert!(matches!(play.hunt.sizes(), Sizes::Silent { size: 1500, answered: 1420, exact: false, .. }));
}

#[test]
fn pairs_that_lose_the_control_too_end_unusable() {
    let mut play = Play::new(1);
    play.pairs(1454, 1.0, 1 + 200);
    let sizes = play.hunt.sizes();
    assert!(
        matches!(&sizes, Sizes::NotUsable { why }
            if why == "200 pairs at 1500 bytes without a decision: 200 controls lost"),
        "{sizes:?}"
    );
    assert_eq!(play.hunt.due_at(), play.now + REST);
}

#[test]
fn a_hole_is_withdrawn_at_two_arrivals_of_three_and_a_moved_edge_is_found() {
    let mut play = Play::new(3);
    for edge in [1454, 1400, 1430] {
        play.pairs(edge, 0.0, 200);
        assert_eq!(play.answered(), Some(edge));
    }
    play.pairs(1500, 0.0, 6);
    assert_eq!(play.hunt.sizes(), Sizes::Passed { size: 1500 });
}

#[test]
fn segments_that_come_late_prove_no_hole() {
    let mut play = Play::new(3);
    let late = play.pairs(1454, 0.0, 1 + 39).unwrap();
    play.hunt.late(late, play.now);
    assert_eq!(play.hunt.sizes(), Sizes::Passed { size: 1500 });
    let proof = play.pairs(1454, 0.0, 20).unwrap();
    play.pairs(1454, 0.0, 60);
    assert!(play.is_hole());
    play.hunt.late(proof, play.now);
    assert!(!play.is_hole(), "its proof rested on a segment that was only late");
}

#[test]
fn loss_that_grows_with_size_has_no_edge() {
    let mut play = Play::new(5);
    for _ in 0..4000 {
        // A byte policer far over its rate: hardly a large one passes, small ones often.
        let large = if play.rng.f64() < 0.03 { Large::Passed } else { Large::Lost };
        let control = play.rng.f64() < 0.6;
        play.pair(large, control);
        assert!(!play.is_hole(), "{:?}", play.hunt.sizes());
    }
}

/// A byte policer far over its rate yields forty pairs without one lost control: small packets fit,
/// hardly a large one does.
#[test]
fn a_byte_policer_that_keeps_every_control_is_no_hole() {
    for seed in 0..200 {
        let mut play = Play::new(seed);
        for _ in 0..2000 {
            let fits = 100.0 / f64::from(play.hunt.size().max(100));
            let large = if play.rng.f64() < 0.4 * fits * fits { Large::Passed } else { Large::Lost };
            play.pair(large, true);
            assert!(!play.is_hole(), "seed {seed}: {:?}", play.hunt.sizes());
        }
    }
}

#[test]
fn another_top_is_asked_at_once_and_a_smaller_one_is_not_known_to_pass() {
    let mut play = Play::new(7);
    play.pairs(1500, 0.0, 1);
    assert_eq!(play.hunt.sizes(), Sizes::Passed { size: 1500 });
    play.hunt.stand_at(1450, play.now);
    assert_eq!((play.hunt.sizes(), play.hunt.size()), (Sizes::Starting, 1450));
    assert!(play.hunt.due_at() <= play.now);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_edge_is_found_to_the_byte_and_none_is_invented(
        edge in 200..1600_u32, loss in 0.0..0.2_f64, seed in any::<u64>()
    ) {
        let mut play = Play::new(seed);
        for _ in 0..3000 {
            play.pairs(edge, loss, 1);
            if edge >= 1500 {
                prop_assert!(!play.is_hole());
            }
        }
        if edge < 1500 {
            prop_assert_eq!(play.answered(), Some(edge));
        }
    }
}
