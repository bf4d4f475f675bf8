//! The verdict by table, each row changing one fact, without a prober; and by the outcome of
//! probes, in `by_probes`.

mod by_probes;
mod findings;
mod path_mtus;
mod settled;
mod way_back;

use std::time::Duration;

use super::*;
use crate::{
    language::lines,
    model::{
        family::Family,
        observation::ExpectedMtu,
        types::{Direction, TcpState},
    },
    path::{
        loss::echo_loss::LossCount,
        probe::FLOWS,
        refusal::Trouble,
        settings::{IcmpProbes, TcpProbes},
        verdict::{
            expected_mtu::MtuBounds,
            facts::{HoleFacts, MethodFacts, ReachFacts, ReflectedFacts, TcpFacts},
            target_mtu::TargetMtu,
        },
    },
};

const NOW: Moment = Duration::from_secs(100);

fn passing(size: Bytes) -> MethodFacts {
    MethodFacts {
        top: size,
        passing: Some(size),
        edge: Some(size),
        decided_at: Some(NOW),
        ..MethodFacts::default()
    }
}

/// Proven silence at `top`, with an edge at `answered`.
fn silent(top: Bytes, answered: Bytes) -> MethodFacts {
    let hole = HoleFacts { size: top, answered, silent: answered + 1, exact: true, ..HoleFacts::default() };
    MethodFacts { top, hole: Some(hole), silent: true, decided_at: Some(NOW), ..MethodFacts::default() }
}

/// A healthy path of 1500 bytes, with every privilege.
fn healthy() -> Facts {
    Facts {
        now: NOW,
        began: Moment::ZERO,
        family: Family::V4,
        sentinel_interval: Duration::from_secs(1),
        icmp: IcmpProbes::Fragments,
        tcp_probes: TcpProbes::Sized,
        sizes: MtuBounds { configured: None, hosts: 1500, testable: 1500, named: Some(1500) },
        awaits_routers: false,
        trouble: None,
        deaf_to_full: false,
        reach: ReachFacts { icmp_ever: true, tcp_ever: true, ..ReachFacts::default() },
        tcp: TcpFacts { state: Some(TcpState::Answers), ..TcpFacts::default() },
        lossy: false,
        rationed: false,
        foreign: false,
        mtu_from_target: None,
        signalled_at: None,
        largest_fragment: None,
        target: TargetMtu::default(),
        echo: passing(1500),
        syn: passing(1500),
        fragments: MethodFacts { top: 1500, ..MethodFacts::default() },
        syn_tops: [1500; FLOWS as usize],
        hole_flows: 0,
        doubt_since: None,
        reverse_ended_at: None,
        reflected: ReflectedFacts::default(),
    }
}

fn words() -> Words {
    let expected = ExpectedMtu { bytes: 1500, rule: "our egress eth0".into() };
    Words {
        unreachable: None,
        tcp: Vec::new(),
        pinned: None,
        reflector: Vec::new(),
        loss: LossCount { sent: 300, lost: 0 },
        limited: false,
        origin: None,
        syn_unusable: false,
        expected: expected.clone(),
        expected_reverse: expected,
        above: None,
    }
}

fn judged(facts: &Facts) -> Judgement {
    let mut memory = Memory::default();
    memory.note(facts);
    judge(facts, &memory, |_| words())
}

type Change = fn(&mut Facts);
type Row = (&'static str, Verdict, Option<UnknownReason>, Change);

const UNKNOWN: Verdict = Verdict::Unknown;

/// Each row makes the change that its name gives to a healthy path.
const TABLE: &[Row] = &[
    ("nothing", Verdict::Ok, None, |_| {}),
    ("interface down", UNKNOWN, Some(UnknownReason::LocalDown), |f| f.trouble = Some(Trouble::NoCarrier)),
    ("own firewall", UNKNOWN, Some(UnknownReason::LocalSend), |f| f.trouble = Some(Trouble::Refused(1))),
    ("full-size packets unheard", UNKNOWN, Some(UnknownReason::LocalSend), |f| f.deaf_to_full = true),
    ("a hole that was proven before", Verdict::Blackhole, None, |f| {
        (f.syn, f.deaf_to_full) = (silent(1500, 1454), true);
    }),
    ("no answer", Verdict::Unreachable, None, |f| f.reach.down = true),
    ("TCP dead", Verdict::Blackhole, None, |f| f.tcp.state = Some(TcpState::Dead)),
    ("payload dead", Verdict::Blackhole, None, |f| f.tcp.state = Some(TcpState::PayloadDead)),
    ("our kernel's TCP dead", Verdict::Blackhole, None, |f| f.tcp.state = Some(TcpState::KernelDead)),
    ("echoes lost", Verdict::Lossy, None, |f| f.lossy = true),
    ("echoes lost, but rationed", Verdict::Ok, None, |f| (f.lossy, f.rationed) = (true, true)),
    ("loss by size", Verdict::Lossy, None, |f| f.syn.size_dependent = true),
    ("hole forward", Verdict::Blackhole, None, |f| f.syn = silent(1500, 1454)),
    ("hole forward, by a box in between", Verdict::Ok, None, |f| {
        f.syn = silent(1500, 1454);
        f.foreign = true;
    }),
    ("hole reverse", Verdict::Blackhole, None, |f| f.fragments = silent(1500, 1454)),
    ("hole reverse below a filter of ICMP", Verdict::Ok, None, |f| f.fragments = silent(1500, 1000)),
    ("hole reverse where pieces die forward", UNKNOWN, Some(UnknownReason::Starting), |f| {
        (f.echo, f.syn) = (MethodFacts::default(), MethodFacts::default());
        f.fragments = silent(1500, 1454);
    }),
    ("reflector sees a hole", Verdict::Blackhole, None, |f| f.reflected.holes = [false, true]),
    ("only echoes silent", Verdict::Blackhole, None, |f| {
        f.echo = silent(1500, 1454);
        f.syn = MethodFacts::default();
    }),
    ("only large ICMP silent", UNKNOWN, Some(UnknownReason::LargeIcmpFiltered), |f| {
        f.echo = silent(1500, 1000);
        f.fragments = passing(1500);
    }),
    ("silence, not known whose", UNKNOWN, Some(UnknownReason::NoProof), |f| f.echo = silent(1500, 1000)),
    ("no answer to SYNs yet", UNKNOWN, Some(UnknownReason::Starting), |f| {
        f.tcp.open = true;
        f.began = NOW;
    }),
    ("no answer to SYNs for long", UNKNOWN, Some(UnknownReason::NoProof), |f| f.tcp.open = true),
    ("no answer to SYNs for half a minute", UNKNOWN, Some(UnknownReason::NoProof), |f| {
        f.tcp.open = true;
        f.began = NOW.saturating_sub(Duration::from_secs(30));
    }),
    ("no answer to a burst of SYNs", UNKNOWN, Some(UnknownReason::NoProof), |f| {
        (f.tcp.open, f.tcp.exhausted) = (true, true);
        f.began = NOW;
    }),
    ("payload: a burst decided nothing", UNKNOWN, Some(UnknownReason::NoProof), |f| {
        (f.tcp.awaits_byte, f.tcp.bytes_exhausted) = (true, true);
        f.began = NOW;
    }),
    ("payload not known yet", UNKNOWN, Some(UnknownReason::Starting), |f| {
        f.tcp.awaits_byte = true;
        f.began = NOW;
    }),
    ("routers not read yet", UNKNOWN, Some(UnknownReason::Starting), |f| f.awaits_routers = true),
    ("interface too small", UNKNOWN, Some(UnknownReason::LocalLimit), |f| f.sizes.testable = 1400),
    ("no socket for sizes", UNKNOWN, Some(UnknownReason::NoProof), |f| f.icmp = IcmpProbes::None),
    ("far end too small", UNKNOWN, Some(UnknownReason::PeerLimit), |f| f.reflected.far_mtu = Some(1400)),
    ("target's word for all flows", UNKNOWN, Some(UnknownReason::PeerLimit), |f| {
        f.mtu_from_target = Some(1400);
        f.syn_tops = [1400; FLOWS as usize];
    }),
    ("target's word for some flows", Verdict::Ok, None, |f| {
        f.mtu_from_target = Some(1400);
        f.syn_tops[0] = 1400;
    }),
    ("signalled", Verdict::Reduced, None, |f| (f.echo, f.syn) = (passing(1450), passing(1450))),
    ("signalled on TCP flows only", Verdict::Reduced, None, |f| f.syn = passing(1450)),
    ("replies cut", UNKNOWN, Some(UnknownReason::ReverseUnmeasured), |f| f.largest_fragment = Some(1396)),
    ("replies in pieces, the largest of full size", Verdict::Ok, None, |f| f.largest_fragment = Some(1500)),
    ("replies cut, IPv6", Verdict::Reduced, None, |f| {
        f.family = Family::V6;
        f.largest_fragment = Some(1396);
    }),
    ("replies cut, a reflector", Verdict::Reduced, None, |f| {
        f.largest_fragment = Some(1396);
        f.reflected.reverse = Some(1500);
    }),
    ("replies vanish where more is signalled", UNKNOWN, Some(UnknownReason::ReverseUnmeasured), |f| {
        (f.echo, f.syn) = (passing(1450), passing(1450));
        f.fragments = silent(1500, 1450);
        f.signalled_at = Some(NOW);
    }),
    ("replies vanish where more was signalled long ago", Verdict::Blackhole, None, |f| {
        (f.echo, f.syn) = (passing(1450), passing(1450));
        f.fragments = silent(1500, 1450);
        f.signalled_at = NOW.checked_sub(Duration::from_secs(31));
    }),
    ("no ICMP", UNKNOWN, Some(UnknownReason::ReverseUnmeasured), |f| {
        f.echo = MethodFacts::default();
        f.reach.icmp_ever = false;
    }),
    ("no ICMP, a reflector", Verdict::Ok, None, |f| {
        f.echo = MethodFacts::default();
        f.reach.icmp_ever = false;
        f.reflected.reverse = Some(1500);
    }),
    ("no ICMP, and only ICMP has sizes", UNKNOWN, Some(UnknownReason::NoProof), |f| {
        f.echo = MethodFacts::default();
        f.reach.icmp_ever = false;
        f.tcp_probes = TcpProbes::Small;
    }),
    ("no ICMP for just ten seconds, and only ICMP has sizes", UNKNOWN, Some(UnknownReason::NoProof), |f| {
        (f.echo, f.syn) = (MethodFacts::default(), MethodFacts::default());
        f.reach.icmp_ever = false;
        f.tcp_probes = TcpProbes::Small;
        f.began = NOW.saturating_sub(Duration::from_secs(10));
    }),
    ("no size known yet, and only ICMP has sizes", UNKNOWN, Some(UnknownReason::Starting), |f| {
        (f.echo, f.syn) = (MethodFacts::default(), MethodFacts::default());
        f.tcp_probes = TcpProbes::Small;
    }),
    ("no ICMP, no size of SYNs known yet", UNKNOWN, Some(UnknownReason::Starting), |f| {
        (f.echo, f.syn) = (MethodFacts::default(), MethodFacts::default());
        f.reach.icmp_ever = false;
    }),
    ("a burst of echoes decided nothing", UNKNOWN, Some(UnknownReason::NoProof), |f| {
        (f.echo, f.syn) = (MethodFacts { exhausted: true, ..passing(1500) }, MethodFacts::default());
        f.echo.passing = None;
    }),
    ("a burst of SYNs of large size decided nothing", UNKNOWN, Some(UnknownReason::NoProof), |f| {
        (f.echo, f.syn) = (MethodFacts::default(), MethodFacts { exhausted: true, ..MethodFacts::default() });
    }),
    ("MSS clamped, way back not looked at", UNKNOWN, Some(UnknownReason::NoProof), |f| {
        f.sizes.named = Some(1400);
    }),
    ("expected smaller", Verdict::Ok, None, |f| {
        f.sizes.configured = Some(1400);
        (f.echo, f.syn) = (passing(1400), passing(1400));
    }),
];

#[test]
fn each_fact_alone() {
    for (name, verdict, reason, change) in TABLE {
        let mut facts = healthy();
        change(&mut facts);
        let said = judged(&facts);
        assert_eq!((said.verdict, said.unknown_reason), (*verdict, *reason), "{name}: {said:?}");
        assert_eq!(said.holes.is_empty(), !matches!(facts.finding(), Finding::Hole(_)), "{name}");
    }
}

#[test]
fn directions_follow_the_method_that_proved_them() {
    let mut facts = healthy();
    (facts.syn, facts.fragments) = (silent(1500, 1454), silent(1500, 1460));
    let said = judged(&facts);
    assert_eq!(said.holes, [Direction::Forward, Direction::Reverse]);
    assert_eq!((said.mtu_forward, said.mtu_reverse), (Some(1454), Some(1460)));
}

#[test]
fn a_verdict_outlives_the_first_doubt_for_ten_seconds_and_no_more() {
    let mut memory = Memory::default();
    let mut facts = healthy();
    memory.note(&facts);
    facts.echo = silent(1500, 1000);
    for (after, verdict) in [(9, Verdict::Ok), (10, Verdict::Unknown)] {
        facts.now = NOW + Duration::from_secs(after);
        memory.note(&facts);
        assert_eq!(judge(&facts, &memory, |_| words()).verdict, verdict, "{after} s");
    }
}

#[test]
fn a_hole_is_never_kept_through_a_doubt() {
    let mut memory = Memory::default();
    let mut facts = healthy();
    facts.syn = silent(1500, 1454);
    memory.note(&facts);
    facts.syn = passing(1500);
    facts.echo = silent(1500, 1000);
    let said = judge(&facts, &memory, |_| words());
    assert_eq!((said.verdict, said.unknown_reason), (Verdict::Unknown, Some(UnknownReason::NoProof)));
}

#[test]
fn what_our_own_interface_lets_out_is_no_property_of_the_path() {
    let mut facts = healthy();
    facts.sizes.testable = 1400;
    (facts.echo, facts.syn) = (passing(1400), passing(1400));
    let said = judged(&facts);
    assert_eq!((said.mtu_forward, said.forward_at_least), (None, Some(1400)));
}

#[test]
fn evidence_begins_with_what_was_seen_and_ends_with_what_is_expected() {
    let mut facts = healthy();
    facts.syn = silent(1500, 1454);
    facts.hole_flows = 3;
    insta::assert_snapshot!(lines(&judged(&facts).evidence), @"
    forward, padded TCP SYN: 1500 bytes vanish without a signal (0 pairs on 3 of 8 TCP flows lost the large packet and kept the small one, 0 controls lost); 1454 answered, 1455 not
    the other flows meet no hole: one of several underlay legs has it
    DF echoes of 1500 bytes come back whole: ICMP is one flow, on one leg
    expected MTU 1500 bytes (our egress eth0)
    ");
}
