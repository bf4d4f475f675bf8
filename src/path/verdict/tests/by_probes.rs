//! Verdicts and evidence by the outcome of probes.

use super::*;
use crate::{
    model::types::ProbeSize,
    path::{
        probe::{Answer, Probe, ProbeMethod, Reply},
        prober::fixture::{Host, asking_all, echoing, without_tcp},
        reflection::{Measured, OneWay, Reflection, Sizes},
        settings::HostMtu,
    },
};

const PASSED: Option<Answer> =
    Some(Answer::Passed(Reply { mss: None, ttl: None, reset: None, largest_fragment: None }));

fn is_above(probe: Probe, size: Bytes) -> bool {
    probe.purpose != ProbeSize::Control && probe.size > size
}

/// Larger packets are lost: above `forward` to the target, above `reverse` from it.
fn holes(forward: Bytes, reverse: Bytes) -> impl Fn(Probe) -> Option<Answer> {
    move |probe| {
        let passes = match probe.method {
            ProbeMethod::Echo => forward.min(reverse),
            ProbeMethod::Syn => forward,
            // The request's fragments are small on the forward path.
            ProbeMethod::Fragments => reverse,
        };
        PASSED.filter(|_| !is_above(probe, passes))
    }
}

/// SYNs above `mtu` get Packet Too Big; everything else passes.
fn signals_syns(mtu: Bytes, by_target: bool) -> impl Fn(Probe) -> Option<Answer> {
    move |probe| {
        let signalled = probe.method == ProbeMethod::Syn && is_above(probe, mtu);
        if signalled { Some(Answer::TooBig { mtu, by_target }) } else { PASSED }
    }
}

fn after(mut host: Host, seconds: u32, answers: impl Fn(Probe) -> Option<Answer>) -> Judgement {
    host.play(seconds, answers);
    host.prober.judgement()
}

fn said(of: &Judgement) -> (Verdict, Option<UnknownReason>) {
    (of.verdict, of.unknown_reason)
}

#[test]
fn what_a_target_says_of_its_tcp_alone_is_its_own_limit() {
    const REDUCED: (Verdict, Option<UnknownReason>) = (Verdict::Reduced, None);
    let play = |answers: &dyn Fn(Probe) -> Option<Answer>| said(&after(asking_all(1).into(), 30, answers));
    assert_eq!(play(&signals_syns(1400, true)), (Verdict::Unknown, Some(UnknownReason::PeerLimit)));
    assert_eq!(play(&signals_syns(1400, false)), REDUCED, "a router says so");
    let echoes_too = |probe: Probe| {
        if is_above(probe, 1400) { Some(Answer::TooBig { mtu: 1400, by_target: true }) } else { PASSED }
    };
    assert_eq!(play(&echoes_too), REDUCED, "a bridge on the way signs with the target's address");
    let but_one = signals_syns(1400, true);
    assert_eq!(
        play(&|probe| if probe.flow == 7 { PASSED } else { but_one(probe) }),
        REDUCED,
        "not of every flow"
    );
}

#[test]
fn a_reflector_behind_a_smaller_interface_is_its_own_limit() {
    for (far, reason) in [(1499, Some(UnknownReason::PeerLimit)), (1500, None)] {
        let mut host = Host::from(asking_all(1));
        let told = Measured { far_mtu: Some(far), ..Measured::default() };
        host.prober.reflected(Reflection::Measured(told), host.now);
        assert_eq!(after(host, 20, holes(1500, 1500)).unknown_reason, reason, "{far}");
    }
}

#[test]
fn where_no_echo_is_answered_only_a_reflector_tells_of_the_way_back() {
    let syns = |probe: Probe| PASSED.filter(|_| probe.method == ProbeMethod::Syn);
    let to_1400 = signals_syns(1400, false);
    let syns_to_1400 = |probe: Probe| if probe.method == ProbeMethod::Syn { to_1400(probe) } else { None };
    let play = |reflector: bool, answers: &dyn Fn(Probe) -> Option<Answer>| {
        let mut host = Host::from(asking_all(1));
        host.icmp = false;
        if reflector {
            let whole = || OneWay { sizes: Sizes::Passed { size: 1500 }, ..OneWay::default() };
            let told = Measured { far_mtu: Some(1500), forward: whole(), reverse: whole() };
            host.prober.reflected(Reflection::Measured(told), host.now);
        }
        after(host, 30, answers)
    };
    assert_eq!(said(&play(true, &syns)), (Verdict::Ok, None));
    assert_eq!(said(&play(true, &syns_to_1400)), (Verdict::Reduced, None));
    let alone = play(false, &syns);
    assert_eq!(said(&alone), (Verdict::Unknown, Some(UnknownReason::ReverseUnmeasured)));
    assert_eq!(alone.mtu_forward, Some(1500));
}

#[test]
fn a_verdict_stands_until_a_hole_is_told() {
    for (passes, prober) in
        [(1300, echoing(Duration::from_secs(1), 1)), (1454, asking_all(1)), (1454, without_tcp(1))]
    {
        let mut host = Host::from(prober);
        host.play(20, holes(1500, 1500));
        assert_eq!(said(&host.prober.judgement()), (Verdict::Ok, None));
        let told = (0..60 * 100).any(|_| {
            host.step(holes(passes, passes));
            let of = host.prober.judgement();
            assert!(matches!(of.verdict, Verdict::Ok | Verdict::Blackhole), "{of:#?}");
            of.verdict == Verdict::Blackhole
        });
        assert!(told, "{passes}");
    }
}

#[test]
fn below_1200_silent_echoes_may_be_filtered() {
    for (passes, expected) in [
        (1199, (Verdict::Unknown, Some(UnknownReason::LargeIcmpFiltered))),
        (1200, (Verdict::Blackhole, None)),
    ] {
        let there = after(echoing(Duration::from_secs(1), 1).into(), 60, holes(passes, 1500));
        assert_eq!(said(&there), expected, "{passes} there");
        let back = after(asking_all(1).into(), 60, holes(1500, passes));
        assert_eq!(said(&back), expected, "{passes} back");
        assert_eq!(back.mtu_forward, Some(1500), "TCP passes");
    }
}

#[test]
fn the_limit_of_a_filter_is_no_path_mtu() {
    let mut host = Host::from(asking_all(1));
    let filter = |probe: Probe| {
        let passes = if probe.method == ProbeMethod::Syn { 1454 } else { 1024 };
        PASSED.filter(|_| !is_above(probe, passes))
    };
    for _ in 0..60 * 100 {
        host.step(filter);
        assert_ne!(host.prober.judgement().mtu_forward, Some(1024));
    }
    let of = host.prober.judgement();
    assert_eq!((of.holes, of.mtu_forward), (vec![Direction::Forward], Some(1454)));
}

#[test]
fn the_way_back_is_judged_where_the_pieces_of_a_request_pass() {
    let piece = Family::V4.fragment();
    for (forward, directions) in
        [(piece - 1, vec![Direction::Forward]), (piece, vec![Direction::Forward, Direction::Reverse])]
    {
        assert_eq!(after(asking_all(1).into(), 60, holes(forward, 1454)).holes, directions, "{forward}");
    }
}

#[test]
fn each_way_has_its_own_edge() {
    for (forward, reverse) in [(1454, 1300), (1300, 1454), (1400, 1400)] {
        let of = after(asking_all(1).into(), 60, holes(forward, reverse));
        assert_eq!((of.mtu_forward, of.mtu_reverse), (Some(forward), Some(reverse)), "{of:#?}");
        assert_eq!(of.holes, [Direction::Forward, Direction::Reverse]);
    }
}

#[test]
fn the_smaller_edge_of_two_legs_is_told_if_no_filter_explains_it() {
    for (icmp, forward) in [(1199, 1454), (1200, 1200), (1454, 1454)] {
        let legs = |probe: Probe| {
            let passes = [icmp, 1454, 1500][probe.method as usize];
            PASSED.filter(|_| !is_above(probe, passes))
        };
        assert_eq!(after(asking_all(1).into(), 60, legs).mtu_forward, Some(forward), "{icmp}");
    }
}

#[test]
fn where_nothing_but_small_packets_passes_no_path_mtu_is_told() {
    let small = Family::V4.small();
    for (passes, mtu) in [(small, None), (small + 1, Some(small + 1))] {
        assert_eq!(after(asking_all(1).into(), 60, holes(passes, 1500)).mtu_forward, mtu, "{passes}");
    }
}

#[test]
fn of_a_whole_path_both_ways_are_told() {
    let of = after(asking_all(1).into(), 20, holes(1500, 1500));
    assert_eq!((of.mtu_forward, of.forward_at_least, of.forward_expected), (Some(1500), None, None));
    assert_eq!((of.mtu_reverse, of.reverse_at_least, of.settled), (None, Some(1500), true));
}

#[test]
fn what_our_own_interface_lets_out_is_no_path_mtu() {
    for (passes, mtu, at_least) in [(1500, None, Some(1450)), (1400, Some(1400), None)] {
        let mut host = Host::from(asking_all(1));
        let rule = "test".into();
        let hosts = HostMtu { testable: 1450, hosts: 1500, rule, pending: false, above: None };
        host.prober.set_hosts(hosts, host.now);
        let of = after(host, 60, holes(passes, 1500));
        assert_eq!((of.mtu_forward, of.forward_at_least), (mtu, at_least), "{passes}");
    }
}

#[test]
fn only_ipv6_is_said_to_need_1280() {
    let of = after(asking_all(1).into(), 60, holes(1250, 1250));
    assert_eq!(of.verdict, Verdict::Blackhole);
    assert!(!of.evidence.iter().any(|sentence| sentence.contains("1280")), "{:#?}", of.evidence);
}
