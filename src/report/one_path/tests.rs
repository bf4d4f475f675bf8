//! The reports as snapshots, so that a review shows their text.

use std::{sync::Arc, time::Duration};

use unicode_width::UnicodeWidthStr as _;

use super::{exit_code, json, setcap, text};
use crate::{
    language::{
        speaking,
        tests::{JAPANESE, english_in},
    },
    model::{
        observation::{EchoStats, Judgement, PathObservation},
        state::{CapabilityState, Present},
        types::{Capability, Direction, TcpState, UnknownReason, Verdict},
    },
    overlay::fixture::{hole, path, tcp_dead, verdict},
    report::Paint,
};

fn present(judgement: Judgement, change: impl FnOnce(&mut PathObservation)) -> Present {
    let mut seen = PathObservation::clone(&path("192.168.100.102:443", "there", judgement));
    let mut echo = EchoStats { requests: 100, replies: 99, ..EchoStats::default() };
    for micros in [180, 220, 950] {
        for _ in 0..33 {
            echo.rtt.observe(Duration::from_micros(micros));
        }
    }
    seen.counters = echo.into();
    change(&mut seen);
    let raw = CapabilityState { capability: Capability::NetRaw, missing: None };
    Present { paths: vec![Arc::new(seen)], capabilities: vec![raw], ..Present::default() }
}

fn article() -> Present {
    let evidence =
        ["DF echo: 1500 bytes vanish without a signal", "expected MTU 1500 bytes (our egress eth0)"];
    let judgement = hole(&[Direction::Forward, Direction::Reverse], 1454);
    present(Judgement { evidence: evidence.map(Into::into).to_vec(), ..judgement }, |_| {})
}

fn unprivileged(mut present: Present) -> Present {
    present.capabilities[0].missing = Some("raw sockets: Operation not permitted (CAP_NET_RAW)".to_owned());
    present
}

fn unknown(reason: UnknownReason) -> Judgement {
    Judgement { unknown_reason: Some(reason), ..verdict(Verdict::Unknown) }
}

fn said(present: &Present) -> String {
    text(present, 100, Paint::Plain).replace(&setcap(), "setcap cap_net_raw+p /path/of/vxlan_exporter")
}

#[test]
fn healthy_text() {
    insta::assert_snapshot!(said(&present(verdict(Verdict::Ok), |_| {})));
}

#[test]
fn hole_in_both_directions_text() {
    insta::assert_snapshot!(said(&article()));
}

#[test]
fn without_a_port_text() {
    let judgement = hole(&[Direction::Unknown], 1454);
    insta::assert_snapshot!(said(&present(judgement, |path| path.tcp_port = None)));
}

#[test]
fn without_privilege_text() {
    insta::assert_snapshot!(said(&unprivileged(present(unknown(UnknownReason::NoProof), |_| {}))));
}

#[test]
fn name_that_is_lossy_and_cut_short_text() {
    let judgement = Judgement { settled: false, ..verdict(Verdict::Lossy) };
    insta::assert_snapshot!(said(&present(judgement, |path| {
        path.target = "rancher.example".to_owned();
        path.counters = EchoStats { requests: 180, lost: 25, ..path.echo() }.into();
    })));
}

#[test]
fn unreachable_text() {
    insta::assert_snapshot!(said(&present(verdict(Verdict::Unreachable), |path| {
        path.counters = EchoStats { requests: 100, lost: 52, ..EchoStats::default() }.into();
    })));
}

#[test]
fn one_sentence_for_each_verdict() {
    let judgements = [
        hole(&[Direction::Forward], 1454),
        Judgement { mtu_forward: Some(1500), ..hole(&[Direction::Reverse], 1454) },
        hole(&[Direction::Reverse], 1454),
        Judgement { mtu_forward: None, ..hole(&[Direction::Forward], 1454) },
        Judgement { mtu_forward: Some(1450), ..verdict(Verdict::Reduced) },
    ];
    let filtered = Judgement { tcp: Some(TcpState::Filtered), ..verdict(Verdict::Ok) };
    let both = Judgement { tcp: Some(TcpState::Dead), ..hole(&[Direction::Reverse], 1454) };
    let tcp = |tcp| Judgement { tcp: Some(tcp), ..tcp_dead() };
    let sick = Judgement { tcp: Some(TcpState::PayloadFiltered), ..verdict(Verdict::Ok) };
    let judgements = judgements.into_iter().chain([tcp_dead(), both, filtered]);
    let judgements = judgements.chain([tcp(TcpState::PayloadDead), tcp(TcpState::KernelDead), sick]);
    let reasons = UnknownReason::ALL.iter().map(|reason| unknown(*reason));
    let sentences = judgements.chain(reasons).map(|judgement| {
        let present = present(judgement, |_| {});
        said(&present).lines().take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
    });
    insta::assert_snapshot!(sentences.collect::<Vec<_>>().join("\n"));
}

#[test]
fn hole_json() {
    let mut report = json(&unprivileged(article()));
    report["not_seen"][0]["command"] = "setcap".into();
    insta::assert_json_snapshot!(report);
}

#[test]
fn narrow_text_keeps_its_width() {
    let text = said(&present(unknown(UnknownReason::LocalLimit), |path| path.tcp_port = None));
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

#[test]
fn in_japanese() {
    let japanese = |present: &Present| speaking(JAPANESE, || said(present));
    insta::assert_snapshot!(japanese(&article()));
    for reason in UnknownReason::ALL {
        let text = japanese(&unprivileged(present(unknown(*reason), |path| path.tcp_port = None)));
        assert_eq!(english_in(&text), None, "{text}");
    }
    for verdict_ in Verdict::ALL {
        let text = japanese(&present(verdict(*verdict_), |_| {}));
        assert_eq!(english_in(&text), None, "{text}");
        assert!(text.lines().all(|line| line.width() <= 100), "{text}");
    }
}

#[test]
fn exit_codes() {
    for (verdict_, code) in [
        (Verdict::Ok, 0),
        (Verdict::Reduced, 0),
        (Verdict::Unknown, 2),
        (Verdict::Lossy, 1),
        (Verdict::Blackhole, 1),
        (Verdict::Unreachable, 1),
    ] {
        assert_eq!(exit_code(&present(verdict(verdict_), |_| {})).0, code, "{verdict_}");
    }
    let told = |present: &Present| (exit_code(present).0, exit_code(present).1.to_string());
    assert_eq!(
        told(&article()),
        (1, "blackhole forward and reverse, path MTU 1454 of 1500 expected".to_owned())
    );
    assert_eq!(told(&present(tcp_dead(), |_| {})), (1, "blackhole (tcp_dead)".to_owned()));
    assert_eq!(exit_code(&Present::default()).0, 2);
}
