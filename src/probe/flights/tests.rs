//! Foreign and forged packets match nothing.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::*;
use crate::probe::packet::Arrival;

const V4: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));
const V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2));
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 66));

/// In flight to `to`, each of 1500 bytes: one echo (sequence 5, path 3), one in fragments (6), one
/// SYN (sequence 1000, path 4) and one connection (token 9, path 5).
fn in_flight(to: IpAddr) -> Flights {
    let mut flights = Flights::new();
    let flight = |path, id, method| Flight {
        path,
        errand: Errand::Probe(ProbeId(id)),
        method,
        to,
        identifier: 77,
        size: 1500,
        at: Duration::from_secs(1),
        due: Duration::from_secs(1),
        left: None,
    };
    flights.echoes.insert((to, 5), flight(3, 30, ProbeMethod::Echo));
    flights.echoes.insert((to, 6), flight(3, 31, ProbeMethod::Fragments));
    let syn = SynFlight { flight: flight(4, 40, ProbeMethod::Syn), sequence: 1000 };
    flights.syns.insert((to, 443, 50000), vec![syn]);
    flights.connects.insert(9, flight(5, 50, ProbeMethod::Syn));
    flights
}

/// The path and probe that `incoming` answers.
fn claim(flights: &mut Flights, incoming: &Incoming) -> Option<(usize, ProbeId, Answer)> {
    match flights.claim(incoming, Instant::now())? {
        (path, Claim::Probe(id, answer)) => Some((path, id, answer)),
        (_, claim @ Claim::Echo(..)) => panic!("{claim:?}"),
    }
}

fn arrival(from: IpAddr) -> Arrival {
    Arrival { from, ttl: Some(61), largest_fragment: Some(1396) }
}

fn seen() -> Reply {
    Reply { ttl: Some(61), largest_fragment: Some(1396), ..Reply::default() }
}

fn reply(flights: &Flights, from: IpAddr) -> Incoming {
    let cookie = Some(flights.cookie);
    Incoming::EchoReply { arrival: arrival(from), identifier: 77, sequence: 5, size: 1500, cookie }
}

fn segment(from: IpAddr, acknowledgement: u32, reset: bool) -> Incoming {
    let mss = (!reset).then_some(1400);
    Incoming::Tcp { arrival: arrival(from), from_port: 443, to_port: 50000, acknowledgement, mss, reset }
}

fn signal(mtu: Bytes, to: IpAddr, identifier: u16, sequence: u16) -> Incoming {
    Incoming::TooBig { mtu, from: None, quoted: Quoted::Echo { to, identifier, sequence } }
}

#[test]
fn an_echo_reply_answers_its_request_once() {
    for to in [V4, V6] {
        let mut flights = in_flight(to);
        let reply = reply(&flights, to);
        assert_eq!(claim(&mut flights, &reply), Some((3, ProbeId(30), Answer::Passed(seen()))));
        assert_eq!(claim(&mut flights, &reply), None, "a duplicate");
    }
}

#[test]
fn foreign_and_forged_echo_replies_change_nothing() {
    let mut flights = in_flight(V4);
    let mut wrong_cookie = flights.cookie;
    wrong_cookie[0] ^= 1;
    let genuine = reply(&flights, V4);
    let Incoming::EchoReply { arrival, identifier, sequence, size, cookie } = genuine else { unreachable!() };
    let stranger = Arrival { from: STRANGER, ..arrival };
    for forged in [
        Incoming::EchoReply { arrival: stranger, identifier, sequence, size, cookie },
        Incoming::EchoReply { arrival, identifier: 78, sequence, size, cookie },
        Incoming::EchoReply { arrival, identifier, sequence: 7, size, cookie },
        Incoming::EchoReply { arrival, identifier, sequence, size: 1499, cookie },
        Incoming::EchoReply { arrival, identifier, sequence, size, cookie: Some(wrong_cookie) },
        Incoming::EchoReply { arrival, identifier, sequence, size, cookie: None },
    ] {
        assert_eq!(claim(&mut flights, &forged), None, "{forged:?}");
    }
    assert!(claim(&mut flights, &genuine).is_some(), "the genuine one still counts");
}

#[test]
fn a_segment_answers_a_syn_if_it_acknowledges_it() {
    // A SYN-ACK acknowledges the SYN alone; the RST of a closed port also its payload of 1456 bytes
    // over IPv4, 1436 over IPv6.
    for (to, payload) in [(V4, 1456), (V6, 1436)] {
        for (acknowledgement, reset) in [(1001, false), (1001, true), (1001 + payload, true)] {
            let mss = (!reset).then_some(1400);
            let passed = Answer::Passed(Reply { mss, reset: Some(reset), ..seen() });
            let claimed = claim(&mut in_flight(to), &segment(to, acknowledgement, reset));
            assert_eq!(claimed, Some((4, ProbeId(40), passed)));
        }
        for forged in [1000, 1002, 0, 1001 + payload - 1] {
            assert_eq!(claim(&mut in_flight(to), &segment(to, forged, true)), None, "{forged}");
        }
    }
    assert_eq!(claim(&mut in_flight(V4), &segment(STRANGER, 1001, false)), None);
}

#[test]
fn a_connection_is_answered_once() {
    let mut flights = in_flight(V4);
    let passed = Answer::Passed(Reply { reset: Some(true), ..Reply::default() });
    let connected = |token| Incoming::Connected { token, reset: true };
    assert_eq!(claim(&mut flights, &connected(8)), None);
    assert_eq!(claim(&mut flights, &connected(9)), Some((5, ProbeId(50), passed)));
    assert_eq!(claim(&mut flights, &connected(9)), None);
}

#[test]
fn a_signal_must_quote_a_packet_in_flight_and_claim_less_than_was_sent() {
    let too_big = |mtu| Some((3, ProbeId(30), Answer::TooBig { mtu, by_target: false }));
    let mut flights = in_flight(V4);
    assert_eq!(claim(&mut flights, &signal(1450, V4, 77, 5)), too_big(1450));
    assert_eq!(claim(&mut flights, &signal(68, V4, 77, 5)), too_big(68));
    for (forged, why) in [
        (signal(1450, STRANGER, 77, 5), "another target"),
        (signal(1450, V4, 78, 5), "another identifier"),
        (signal(1450, V4, 77, 9), "not in flight"),
        (signal(1500, V4, 77, 5), "not smaller"),
        (signal(9000, V4, 77, 5), "larger"),
        (signal(67, V4, 77, 5), "below what IPv4 allows"),
        (signal(0, V4, 77, 5), "no MTU"),
        (signal(1450, V4, 77, 6), "a probe in fragments"),
    ] {
        assert_eq!(claim(&mut flights, &forged), None, "{why}");
    }
    let quoted = |sequence| Quoted::Tcp { to: V4, to_port: 443, from_port: 50000, sequence };
    let of_syn = |from, sequence| Incoming::TooBig { mtu: 1450, from, quoted: quoted(sequence) };
    for (from, by_target) in [(None, false), (Some(STRANGER), false), (Some(V4), true)] {
        let answer = Some((4, ProbeId(40), Answer::TooBig { mtu: 1450, by_target }));
        assert_eq!(claim(&mut flights, &of_syn(from, 1000)), answer);
    }
    assert_eq!(claim(&mut flights, &of_syn(None, 1001)), None);
}

#[test]
fn over_ipv6_no_signal_claims_less_than_1280() {
    let mut flights = in_flight(V6);
    let answer = Some((3, ProbeId(30), Answer::TooBig { mtu: 1280, by_target: false }));
    assert_eq!(claim(&mut flights, &signal(1280, V6, 77, 5)), answer);
    assert_eq!(claim(&mut flights, &signal(1279, V6, 77, 5)), None);
    assert_eq!(claim(&mut flights, &signal(0x1_0000 + 1450, V6, 77, 5)), None);
}

#[test]
fn what_is_older_than_five_seconds_is_forgotten() {
    let mut flights = in_flight(V4);
    flights.forget_old(Duration::from_secs(7));
    assert!(flights.echoes.is_empty() && flights.syns.is_empty() && flights.connects.is_empty());
}
