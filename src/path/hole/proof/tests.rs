//! Bursts, pair by pair.

use super::*;

const T0: Moment = Duration::ZERO;

fn burst(halves: Halves, need: usize) -> (SizePairs, Rng) {
    (SizePairs::new(1, halves, 1500, ProbeSize::Full, need, T0), Rng::with_seed(7))
}

/// Plays `pairs` pairs whose halves meet the fates `(large, control)`.
fn play(burst: &mut SizePairs, rng: &mut Rng, pairs: usize, large: Fate, control: Fate) {
    for _ in 0..pairs {
        let shots = burst.shots(burst.next_at(), |_| true, rng);
        assert_eq!(shots.len(), 2);
        for shot in shots {
            burst.resolve(shot.pair, shot.large, if shot.large { large } else { control });
        }
    }
}

#[test]
fn thirty_nine_counted_pairs_prove_nothing_and_forty_do() {
    let (mut pairs, mut rng) = burst(Halves::Together, PROOF);
    play(&mut pairs, &mut rng, 39, Fate::Lost, Fate::Answered);
    assert_eq!(pairs.outcome(), Outcome::Pending);
    play(&mut pairs, &mut rng, 1, Fate::Lost, Fate::Answered);
    assert_eq!(pairs.outcome(), Outcome::Silent);
}

#[test]
fn a_pair_whose_control_is_lost_too_does_not_count() {
    let (mut pairs, mut rng) = burst(Halves::Together, PROOF);
    play(&mut pairs, &mut rng, 150, Fate::Lost, Fate::Lost);
    play(&mut pairs, &mut rng, 39, Fate::Lost, Fate::Answered);
    assert_eq!(pairs.outcome(), Outcome::Pending);
    play(&mut pairs, &mut rng, 11, Fate::Lost, Fate::Lost);
    assert_eq!(pairs.outcome(), Outcome::Exhausted);
}

#[test]
fn one_large_answer_ends_the_burst() {
    let (mut pairs, mut rng) = burst(Halves::Together, PROOF);
    play(&mut pairs, &mut rng, 39, Fate::Lost, Fate::Answered);
    play(&mut pairs, &mut rng, 1, Fate::Answered, Fate::Answered);
    assert_eq!(pairs.outcome(), Outcome::Passed);
}

#[test]
fn a_late_answer_takes_back_the_proof() {
    let (mut pairs, mut rng) = burst(Halves::Together, PROOF);
    play(&mut pairs, &mut rng, 40, Fate::Lost, Fate::Answered);
    assert_eq!(pairs.outcome(), Outcome::Silent);
    pairs.resolve(17, true, Fate::Answered);
    assert_eq!(pairs.outcome(), Outcome::Passed);
}

#[test]
fn no_more_pairs_are_open_than_could_still_be_needed() {
    let (mut pairs, mut rng) = burst(Halves::Together, PROOF);
    let mut sent = 0;
    for step in 0..100 {
        sent += pairs.shots(PACE.spacing * step, |_| true, &mut rng).len();
    }
    assert_eq!(sent, 80);
}

#[test]
fn that_no_control_is_answered_says_something_once_the_target_has_answered_otherwise() {
    let (mut pairs, mut rng) = burst(Halves::Together, PROOF);
    play(&mut pairs, &mut rng, UNUSABLE, Fate::Lost, Fate::Lost);
    assert!(!pairs.is_unusable(), "as well an outage");
    pairs.heard();
    assert!(pairs.is_unusable());
    pairs.resolve(0, false, Fate::Answered);
    assert!(!pairs.is_unusable());
}

#[test]
fn no_burst_has_more_pairs_than_its_limit() {
    let (pairs, mut rng) = burst(Halves::Together, PROOF);
    let mut pairs = pairs.at_most(3);
    play(&mut pairs, &mut rng, 3, Fate::Lost, Fate::Lost);
    assert!(pairs.shots(pairs.next_at(), |_| true, &mut rng).is_empty());
    assert_eq!((pairs.size(), pairs.outcome(), pairs.all_decided()), (1500, Outcome::Exhausted, true));
    pairs.resolve(2, true, Fate::Waiting);
    assert_eq!((pairs.outcome(), pairs.all_decided()), (Outcome::Pending, false));
}

#[test]
fn a_size_is_asked_on_until_as_many_pairs_count_as_are_needed_now() {
    let (mut pairs, mut rng) = burst(Halves::Together, PROVISIONAL);
    play(&mut pairs, &mut rng, PROVISIONAL, Fate::Lost, Fate::Answered);
    assert_eq!(pairs.outcome(), Outcome::Silent);
    pairs.set_need(PROOF);
    assert_eq!(pairs.outcome(), Outcome::Pending);
    play(&mut pairs, &mut rng, PROOF - PROVISIONAL, Fate::Lost, Fate::Answered);
    assert_eq!(pairs.outcome(), Outcome::Silent);
}

#[test]
fn each_flow_is_asked_in_turn_if_it_is_free_and_has_no_pair_under_way() {
    let (mut pairs, mut rng) = burst(Halves::InTurn, PROOF);
    let mut ask = |pairs: &mut SizePairs, free: &dyn Fn(u8) -> bool| {
        let shots = pairs.shots(pairs.next_at(), free, &mut rng);
        shots.first().map(|shot| shot.flow)
    };
    assert_eq!(ask(&mut pairs, &|_| true), Some(0));
    // The next in turn is not free: the one behind it.
    assert_eq!(ask(&mut pairs, &|flow| flow > 1), Some(2));
    // Those that are free have a pair under way, of which one half is answered: its second half.
    pairs.resolve(0, true, Fate::Answered);
    pairs.resolve(0, false, Fate::Waiting);
    assert_eq!(ask(&mut pairs, &|flow| flow == 0 || flow == 2), None);
    assert_eq!(pairs.count_of(2).sent, 1);
    assert_eq!(pairs.count_of(1).sent, 0);
}

#[test]
fn after_the_last_flow_comes_the_first() {
    let (mut pairs, mut rng) = burst(Halves::InTurn, PROOF);
    for pair in 0..2 * usize::from(FLOWS) {
        let shots = pairs.shots(pairs.next_at(), |_| true, &mut rng);
        assert_eq!(usize::from(shots[0].flow), pair % usize::from(FLOWS));
        pairs.resolve(pair, true, Fate::Lost);
        pairs.resolve(pair, false, Fate::Lost);
    }
}

#[test]
fn what_became_of_a_flow_that_left_does_not_count() {
    let (pairs, mut rng) = burst(Halves::InTurn, PROOF);
    let mut pairs = pairs.on_flows(FlowSet::of(3).with(FlowSet::of(5)), 9);
    for flow in [3, 5] {
        let shots = pairs.shots(pairs.next_at(), |free| free == flow, &mut rng);
        assert_eq!((shots[0].flow, shots[0].asker), (flow, 9));
        pairs.resolve(shots[0].pair, true, Fate::Lost);
        pairs.resolve(shots[0].pair, false, Fate::Answered);
    }
    assert_eq!((pairs.count().counted, pairs.count_of(3).counted), (2, 1));
    pairs.leave_out(FlowSet::of(3));
    assert_eq!((pairs.count().counted, pairs.count_of(3).counted), (1, 0));
    let asked = |pairs: &mut SizePairs, flow: u8, rng: &mut Rng| {
        !pairs.shots(pairs.next_at(), |free| free == flow, rng).is_empty()
    };
    assert!(!asked(&mut pairs, 3, &mut rng));
    pairs.take_in(FlowSet::of(3));
    assert!(asked(&mut pairs, 3, &mut rng));
}

#[test]
fn in_a_tcp_flow_the_second_half_waits_for_the_first() {
    let (mut pairs, mut rng) = burst(Halves::InTurn, PROOF);
    let first = pairs.shots(T0, |_| true, &mut rng);
    assert_eq!(first.len(), 1);
    let next = pairs.shots(PACE.spacing, |flow| flow != first[0].flow, &mut rng);
    assert_ne!(next[0].flow, first[0].flow);
    pairs.resolve(first[0].pair, first[0].large, Fate::Answered);
    let second = pairs.shots(PACE.spacing, |_| true, &mut rng);
    assert_eq!((second[0].pair, second[0].large), (first[0].pair, !first[0].large));
}

#[test]
fn two_of_three_withdraw_and_one_of_two_does_not() {
    let (mut pairs, mut rng) = burst(Halves::Together, PROVISIONAL);
    play(&mut pairs, &mut rng, 1, Fate::Answered, Fate::Answered);
    assert!(!pairs.two_of_three_passed());
    play(&mut pairs, &mut rng, 1, Fate::Lost, Fate::Answered);
    assert!(!pairs.two_of_three_passed());
    play(&mut pairs, &mut rng, 1, Fate::Answered, Fate::Answered);
    assert!(pairs.two_of_three_passed());
}
