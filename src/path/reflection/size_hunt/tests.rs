//! Hunts played over directions with an edge, loss, and a policer.

use fastrand::Rng;
use proptest::prelude::*;

use super::*;

/// Plays `pairs` pairs over a direction whose largest size is `edge` and that loses packets.
fn play(hunt: &mut SizeHunt, rng: &mut Rng, edge: Bytes, loss: f64, pairs: usize) {
    for _ in 0..pairs {
        let size = hunt.next().size;
        let arrives = |rng: &mut Rng| rng.f64() >= loss;
        let large = if size <= edge && arrives(rng) { Large::Passed } else { Large::Lost };
        hunt.told(size, Pair { large, control: arrives(rng) });
    }
}

fn answered(hunt: &SizeHunt) -> Option<Bytes> {
    match hunt.sizes() {
        Sizes::Silent { answered, exact: true, .. } => Some(answered),
        _ => None,
    }
}

#[test]
fn thirty_nine_pairs_prove_nothing_forty_do_and_a_sharp_edge_makes_it_a_hole() {
    let mut rng = Rng::with_seed(1);
    let mut hunt = SizeHunt::new(Family::V4, 1500);
    play(&mut hunt, &mut rng, 1454, 0.0, 39);
    assert_eq!((hunt.sizes(), hunt.next().size), (Sizes::Starting, 1500));
    play(&mut hunt, &mut rng, 1454, 0.0, 1);
    assert_eq!((hunt.sizes(), hunt.next().size), (Sizes::Starting, 1420));
    play(&mut hunt, &mut rng, 1454, 0.0, edge::CONTROLS);
    assert_eq!(hunt.sizes(), Sizes::Starting);
    play(&mut hunt, &mut rng, 1454, 0.0, 1);
    assert!(matches!(hunt.sizes(), Sizes::Silent { size: 1500, answered: 1420, exact: false, .. }));
}

#[test]
fn pairs_that_lose_the_control_too_end_unusable() {
    let mut hunt = SizeHunt::new(Family::V4, 1500);
    play(&mut hunt, &mut Rng::with_seed(1), 1454, 1.0, 200);
    assert!(matches!(hunt.sizes(), Sizes::NotUsable { .. }), "{:?}", hunt.sizes());
    assert_eq!(hunt.next().wait, PAUSE);
}

#[test]
fn a_hole_is_withdrawn_at_two_arrivals_of_three_and_a_moved_edge_is_found() {
    let mut rng = Rng::with_seed(3);
    let mut hunt = SizeHunt::new(Family::V4, 1500);
    play(&mut hunt, &mut rng, 1454, 0.0, 120);
    assert_eq!(answered(&hunt), Some(1454));
    play(&mut hunt, &mut rng, 1400, 0.0, 120);
    assert_eq!(answered(&hunt), Some(1400));
    play(&mut hunt, &mut rng, 1430, 0.0, 120);
    assert_eq!(answered(&hunt), Some(1430));
    play(&mut hunt, &mut rng, 1500, 0.0, 4);
    assert_eq!(hunt.sizes(), Sizes::Passed { size: 1500 });
}

#[test]
fn segments_that_come_late_prove_no_hole() {
    let mut rng = Rng::with_seed(3);
    let mut hunt = SizeHunt::new(Family::V4, 1500);
    play(&mut hunt, &mut rng, 1454, 0.0, 39);
    hunt.late(1500);
    assert_eq!(hunt.sizes(), Sizes::Passed { size: 1500 });
    play(&mut hunt, &mut rng, 1454, 0.0, 65);
    assert!(matches!(hunt.sizes(), Sizes::Silent { .. }));
    hunt.late(1500);
    assert_eq!(hunt.sizes(), Sizes::Passed { size: 1500 });
}

#[test]
fn loss_that_grows_with_size_has_no_edge() {
    let mut rng = Rng::with_seed(5);
    let mut hunt = SizeHunt::new(Family::V4, 1500);
    for _ in 0..4000 {
        let size = hunt.next().size;
        // A byte policer far over its rate: hardly a large one passes, small ones often.
        let large = if rng.f64() < 0.03 { Large::Passed } else { Large::Lost };
        hunt.told(size, Pair { large, control: rng.f64() < 0.6 });
        assert!(!matches!(hunt.sizes(), Sizes::Silent { .. }), "{:?}", hunt.sizes());
    }
}

/// A byte policer far over its rate yields forty pairs without one lost control: small packets fit, hardly a large one does.
#[test]
fn a_byte_policer_that_keeps_every_control_is_no_hole() {
    for seed in 0..200 {
        let mut rng = Rng::with_seed(seed);
        let mut hunt = SizeHunt::new(Family::V4, 1500);
        for _ in 0..2000 {
            let size = hunt.next().size;
            let fits = 100.0 / f64::from(size.max(100));
            let large = if rng.f64() < 0.4 * fits * fits { Large::Passed } else { Large::Lost };
            hunt.told(size, Pair { large, control: true });
            assert!(!matches!(hunt.sizes(), Sizes::Silent { .. }), "seed {seed}: {:?}", hunt.sizes());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_edge_is_found_to_the_byte_and_none_is_invented(
        edge in 200..1600_u32, loss in 0.0..0.2_f64, seed in any::<u64>()
    ) {
        let mut rng = Rng::with_seed(seed);
        let mut hunt = SizeHunt::new(Family::V4, 1500);
        for _ in 0..3000 {
            play(&mut hunt, &mut rng, edge, loss, 1);
            if edge >= 1500 {
                let invented = matches!(hunt.sizes(), Sizes::Silent { .. });
                prop_assert!(!invented);
            }
        }
        if edge < 1500 {
            prop_assert_eq!(answered(&hunt), Some(edge));
        }
    }
}
