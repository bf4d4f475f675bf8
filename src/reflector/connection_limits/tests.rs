//! Which peers get a seat when all are taken.

use super::*;

const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 100, 10));
const NOW: Moment = Duration::ZERO;

fn host(number: u16) -> IpAddr {
    let [high, low] = number.to_be_bytes();
    IpAddr::from([10, 0, high, low])
}

/// Opens connections until none is left without taking one from others; returns their number.
fn hog(limits: &mut ConnectionLimits, peer: IpAddr) -> usize {
    (0..40).filter(|_| limits.open(peer, NOW).is_some_and(|opened| opened.evicts.is_none())).count()
}

fn held(limits: &ConnectionLimits, peer: IpAddr) -> usize {
    limits.seats.values().filter(|seat| seat.peer == peer).count()
}

#[test]
fn sixteen_addresses_lock_nobody_out() {
    let mut limits = ConnectionLimits::new(false);
    let hogs: usize = (0..16).map(|number| hog(&mut limits, host(number))).sum();
    assert_eq!(hogs, CONNECTIONS);
    let opened: Vec<NewSeat> = (0..CONNECTIONS_PER_PEER).filter_map(|_| limits.open(PEER, NOW)).collect();
    // As many as each of the others keeps.
    assert!(opened.len() >= 14, "{}", opened.len());
    assert!(opened.iter().all(|opened| opened.evicts.is_some()));
    assert_eq!(limits.seats.len(), CONNECTIONS);
    // The others cannot take them back.
    for number in (0..16).cycle().take(200) {
        limits.open(host(number), NOW);
    }
    assert!(held(&limits, PEER) >= 14, "{}", held(&limits, PEER));
}

#[test]
fn with_a_secret_strangers_have_few_seats_and_the_proven_their_own() {
    let mut limits = ConnectionLimits::new(true);
    let proven: Vec<SeatId> = (0..CONNECTIONS_PER_PEER)
        .map(|_| {
            let opened = limits.open(PEER, NOW).expect("a seat");
            assert_eq!(limits.prove(opened.id, NOW), Ok(None));
            opened.id
        })
        .collect();
    let strangers = (0..4000).filter(|number| limits.open(host(*number), NOW).is_some()).count();
    assert_eq!(strangers, STRANGERS);
    assert!(proven.iter().all(|id| limits.seats.contains_key(id)), "nobody who has proven it is evicted");
    // A peer that proved the secret before takes precedence over those that never did.
    limits.close(proven[0]);
    let again = limits.open(PEER, NOW).expect("a seat");
    assert!(again.evicts.is_some_and(|id| !proven.contains(&id)));
    assert_eq!(limits.prove(again.id, NOW), Ok(None));
    assert_eq!(held(&limits, PEER), CONNECTIONS_PER_PEER);
    // After an hour it has no precedence.
    limits.close(again.id);
    limits.open(host(4000), NOW);
    assert_eq!(limits.open(PEER, KNOWN), None);
}

#[test]
fn a_stranger_who_has_none_takes_one_of_who_has_most() {
    let mut limits = ConnectionLimits::new(true);
    for number in 0..8 {
        assert_eq!(hog(&mut limits, host(number)), STRANGERS_PER_PEER);
    }
    assert!(limits.open(PEER, NOW).is_some_and(|opened| opened.evicts.is_some()));
}

/// A peer that guesses secrets behind the same address uses up nothing of the allowance for those
/// who know it.
#[test]
fn strangers_use_up_only_what_is_for_strangers() {
    let mut limits = ConnectionLimits::new(true);
    let ours = limits.open(PEER, NOW).expect("a seat").id;
    assert_eq!(limits.prove(ours, NOW), Ok(None));
    let stranger = limits.open(PEER, NOW).expect("a seat").id;
    while limits.take(stranger, &[100], NOW).is_ok() {}
    assert_eq!(limits.take(ours, &[1500, 100], NOW), Ok(()));
}

#[test]
fn what_was_evicted_sends_nothing_and_is_closed_twice_without_harm() {
    let mut limits = ConnectionLimits::new(false);
    for number in 0..16 {
        hog(&mut limits, host(number));
    }
    let evicted = limits.open(PEER, NOW).and_then(|opened| opened.evicts).expect("an eviction");
    assert!(limits.take(evicted, &[100], NOW).is_err());
    limits.close(evicted);
    assert_eq!(limits.seats.len(), CONNECTIONS);
}

#[test]
fn connections_are_bounded_per_peer_and_in_total() {
    let mut limits = ConnectionLimits::new(false);
    assert_eq!(hog(&mut limits, PEER), CONNECTIONS_PER_PEER);
    let others = (0..255).flat_map(|number| std::iter::repeat_n(host(number), 3));
    let opened = others.filter(|address| limits.open(*address, NOW).is_some()).count();
    assert!(opened >= CONNECTIONS - CONNECTIONS_PER_PEER);
    assert_eq!(limits.seats.len(), CONNECTIONS);
}

/// With thousands of addresses, holders of seats are not forgotten and no more peers are
/// remembered than allowed.
#[test]
fn peers_are_bounded() {
    let mut limits = ConnectionLimits::new(false);
    let mine = limits.open(PEER, NOW).expect("a seat").id;
    while limits.take(mine, &[100], NOW).is_ok() {}
    for number in 0..20_000 {
        if let Some(opened) = limits.open(host(number), Duration::from_millis(number.into())) {
            limits.close(opened.id);
        }
        assert!(limits.peers.len() <= PEERS);
    }
    assert!(limits.take(mine, &[100; 20], Duration::from_millis(900)).is_err(), "its account is kept");
}

#[test]
fn a_64_of_ipv6_is_one_peer() {
    let mut limits = ConnectionLimits::new(false);
    let host = |host: u16| IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 1, 0, 0, 0, host));
    let opened = (0..40).filter(|number| limits.open(host(*number), NOW).is_some()).count();
    assert_eq!(opened, CONNECTIONS_PER_PEER);
}
