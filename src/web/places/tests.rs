use std::{net::Ipv4Addr, time::Duration};

use super::*;
use tokio::time::timeout;

fn places(most: usize) -> Places {
    Places::with(most, Arc::default())
}

fn peer(number: u32) -> ClientAddress {
    ClientAddress::V4(Ipv4Addr::from_bits(0x0a00_0000 + number))
}

fn is_ended(place: &Place) -> bool {
    !place.inner.table().taken.contains_key(&place.id)
}

#[test]
fn places_follow_the_limit_of_open_files() {
    for (open_files, most) in [(0, 4), (64, 16), (1024, 256), (u64::MAX, 256)] {
        assert_eq!(Places::new(open_files, Arc::default()).inner.most, most, "{open_files}");
    }
}

#[test]
fn a_peer_beyond_its_share_takes_from_itself() {
    let places = places(16);
    let own: Vec<_> = (0..4).map(|_| places.take(peer(1)).expect("free")).collect();
    own[0].works();
    let fifth = places.take(peer(1)).expect("in place of its idlest");
    assert_eq!(own.iter().map(is_ended).collect::<Vec<_>>(), [false, true, false, false]);
    for place in [&own[2], &own[3], &fifth] {
        place.works();
    }
    assert!(places.take(peer(1)).is_none(), "all of its own are at work");
    assert!(places.take(peer(2)).is_some(), "others have theirs");
}

#[test]
fn of_the_peer_with_the_most_the_oldest_that_stands_still_gives_way() {
    let places = places(8);
    let few: Vec<_> = (0..6).map(|number| places.take(peer(number)).expect("free")).collect();
    let most: Vec<_> = (0..2).map(|_| places.take(peer(9)).expect("free")).collect();
    most[0].works();
    let newcomer = places.take(peer(10)).expect("a place");
    assert!(is_ended(&most[1]) && !is_ended(&most[0]) && !few.iter().any(is_ended));
    // Now each has one connection; the oldest idle one is ended, not a busy one.
    few[0].works();
    let next = places.take(peer(11)).expect("a place");
    assert!(!is_ended(&few[0]) && is_ended(&few[1]) && !is_ended(&newcomer));
    // A peer that has a connection already does not end one of another peer.
    let second = places.take(peer(11)).expect("its own");
    assert!(is_ended(&next) && !is_ended(&second));
}

#[test]
fn where_all_are_at_work_who_has_none_is_let_in_and_who_has_one_is_not() {
    let places = places(4);
    let all: Vec<_> = (0..4).map(|number| places.take(peer(number)).expect("free")).collect();
    for place in &all {
        place.works();
    }
    assert!(places.take(peer(0)).is_none());
    assert!(!all.iter().any(is_ended));
    let newcomer = places.take(peer(9)).expect("a place");
    assert_eq!(all.iter().map(is_ended).collect::<Vec<_>>(), [true, false, false, false]);
    drop((all, newcomer));
    assert!(places.inner.table().taken.is_empty(), "a place that is dropped is free");
}

#[test]
fn a_known_peer_is_ended_for_nobody_and_comes_in_always() {
    let places = places(8);
    let known = places.take(peer(1)).expect("free");
    known.greet();
    let machine = places.take(ClientAddress::V4(Ipv4Addr::LOCALHOST)).expect("free");
    let crowd: Vec<_> = (100..10_000).filter_map(|number| places.take(peer(number))).collect();
    assert!(!is_ended(&known) && !is_ended(&machine));
    assert_eq!(crowd.iter().filter(|place| !is_ended(place)).count(), 6);
    let again = places.take(peer(1)).expect("a second one");
    assert!(!is_ended(&again) && !is_ended(&known));
    drop((known, again));
    assert!(places.take(peer(1)).is_some(), "it comes back");
}

#[test]
fn who_was_in_the_way_comes_back_only_for_his_like_until_he_is_answered() {
    let places = places(4);
    let idle: Vec<_> = (0..4).map(|number| places.take(peer(number)).expect("free")).collect();
    let fifth = places.take(peer(5)).expect("in place of the first");
    assert!(is_ended(&idle[0]));
    assert!(places.take(peer(0)).is_none(), "the others have done nothing");
    let sixth = places.take(peer(6)).expect("in place of the second");
    drop(sixth);
    let back = places.take(peer(0)).expect("there is a free one");
    let seventh = places.take(peer(7)).expect("a place");
    assert!(is_ended(&back) && !is_ended(&fifth), "though it is the youngest");
    drop(seventh);
    let back = places.take(peer(0)).expect("there is a free one");
    assert!(back.sends(&Bytes::from_static(b"answer")));
    back.flushed();
    let _eighth = places.take(peer(8)).expect("a place");
    assert!(!is_ended(&back), "it has shown that it reads");
}

#[tokio::test]
async fn who_is_ended_hears_of_it_also_when_it_did_not_listen() {
    let places = places(4);
    let first = places.take(peer(1)).expect("free");
    let _second = places.take(peer(1)).expect("in its place");
    timeout(Duration::from_secs(30), first.ended()).await.expect("heard");
}

#[test]
fn large_answers_that_are_not_taken_are_bounded_by_their_bytes() {
    let places = places(64);
    let large = |_| Bytes::from(vec![0; UNREAD_BYTES / 4]);
    let readers: Vec<_> = (0..12).map(|number| places.take(peer(number)).expect("free")).collect();
    for (place, answer) in readers.iter().zip((0..12).map(large)) {
        assert!(place.sends(&answer));
    }
    let left: Vec<_> = readers.iter().map(|place| !is_ended(place)).collect();
    assert_eq!(left.iter().filter(|left| **left).count(), UNREAD_ANSWERS, "the slowest went first: {left:?}");
    assert!(left[8..].iter().all(|left| *left));
    // The same answer to many readers counts once.
    let shared = large(0);
    let many: Vec<_> = (100..120).map(|number| places.take(peer(number)).expect("free")).collect();
    assert!(many.iter().all(|place| place.sends(&shared)));
    assert!(!many.iter().any(is_ended));
    readers[11].flushed();
    assert!(matches!(readers[11].now(), Some((Stage::Waiting, _))));
}

#[tokio::test]
async fn an_answer_that_nobody_takes_ends_its_connection() {
    let places = places(4);
    let slow = places.take(peer(1)).expect("free");
    assert!(slow.sends(&Bytes::from_static(b"much")));
    timeout(READ_TIMEOUT * 10, slow.ended()).await.expect("ended");
}

mod property {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Come(u32),
        Work(usize),
        Send(usize),
        Flush(usize),
        Greet(usize),
        Go(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0_u32..12).prop_map(Step::Come),
            1 => any::<usize>().prop_map(Step::Work),
            1 => any::<usize>().prop_map(Step::Send),
            1 => any::<usize>().prop_map(Step::Flush),
            1 => any::<usize>().prop_map(Step::Greet),
            1 => any::<usize>().prop_map(Step::Go),
        ]
    }

    proptest! {
        /// There are never more connections than places, no peer has more than its share, and a
        /// peer without a connection is turned away only if nobody has more than one that is idle.
        #[test]
        fn whatever_comes(steps in prop::collection::vec(step(), 0..300)) {
            let places = places(16);
            let mut held: Vec<Place> = Vec::new();
            for step in steps {
                let count = held.len().max(1);
                match step {
                    Step::Come(number) => {
                        let place = places.take(peer(number));
                        let counts = places.inner.table().counts.clone();
                        let mine = counts.get(&peer(number)).copied().unwrap_or(0);
                        let was_here = places.inner.table().is_in_the_way(peer(number), Instant::now());
                        prop_assert!(mine > 0 || was_here || counts.values().all(|theirs| *theirs <= KEPT));
                        held.extend(place);
                    }
                    Step::Work(index) => if let Some(place) = held.get(index % count) { place.works() },
                    Step::Send(index) => if let Some(place) = held.get(index % count) {
                        prop_assert!(place.sends(&Bytes::from_static(b"answer")));
                    },
                    Step::Flush(index) => if let Some(place) = held.get(index % count) { place.flushed() },
                    Step::Greet(index) => if let Some(place) = held.get(index % count) { place.greet() },
                    Step::Go(index) => if !held.is_empty() { drop(held.swap_remove(index % count)) },
                }
                held.retain(|place| !is_ended(place));
                let table = places.inner.table();
                prop_assert!(table.taken.len() <= 16 && table.taken.len() == held.len());
                prop_assert!(table.counts.values().all(|theirs| *theirs <= 4));
            }
        }
    }
}
