//! The reports as snapshots, so that a review shows their text.

mod dashboard;
pub(crate) mod japanese;

use std::sync::Arc;

use super::{Paint, exit_code, json, text};
use crate::{
    model::{
        observation::{EchoStats, Judgement, PathObservation},
        snapshot::RouterReading,
        state::Present,
        types::{DfPolicy, Direction, UnknownReason, Verdict, Vni},
    },
    overlay::{
        fixture::{TestRouter, hole, lab, path, plan, read, verdict},
        tunnel::Assessor,
    },
};

fn present(routers: Vec<Arc<RouterReading>>, paths: Vec<Arc<PathObservation>>) -> Present {
    let overlay = Arc::new(Assessor::new(&plan(&[])).assess(&routers, &paths));
    Present { routers, paths, overlay, ..Present::default() }
}

fn answered(path: &Arc<PathObservation>, lost: u64) -> Arc<PathObservation> {
    let mut path = PathObservation::clone(path);
    let mut echo = EchoStats { replies: 20 - lost, lost, ..EchoStats::default() };
    for _ in 0..echo.replies {
        echo.rtt.observe(std::time::Duration::from_millis(2));
    }
    path.counters = echo.into();
    Arc::new(path)
}

fn rancher(judgement: Judgement) -> Arc<PathObservation> {
    answered(&path("rancher", "dc", judgement), 0)
}

pub(crate) fn healthy() -> Present {
    present(read(&lab()), vec![rancher(verdict(Verdict::Ok)), path("node-b", "site-b", verdict(Verdict::Ok))])
}

pub(crate) fn article() -> Present {
    let [dc, a, b] = lab();
    let small = |router: TestRouter| router.mtu("vxlan01", 1450).mtu("eth0", 1500);
    let evidence = vec![
        "40 pairs at 1500 bytes: small answered, large silent, both ways".into(),
        "forward: a SYN of 1454 bytes is answered, 1455 is not".into(),
    ];
    let judged = Judgement { evidence, ..hole(&[Direction::Forward, Direction::Reverse], 1450) };
    present(
        read(&[small(dc), small(a), b]),
        vec![rancher(judged), path("node-b", "site-b", hole(&[Direction::Forward], 1450))],
    )
}

pub(crate) fn slip() -> Present {
    let [dc, a, b] = lab();
    let b = b.edit_vxlan("vxlan02", |v| v.vni = Some(Vni(1)));
    let routers = [dc.counted("vxlan02", 60, 0, 0), a, b.counted("vxlan02", 60, 0, 0)];
    let dead = answered(&path("node-b", "site-b", verdict(Verdict::Unreachable)), 20);
    present(read(&routers), vec![rancher(verdict(Verdict::Ok)), dead])
}

pub(crate) fn unread() -> Present {
    let [dc, a, b] = lab();
    let unknown = Judgement { unknown_reason: Some(UnknownReason::Starting), ..verdict(Verdict::Unknown) };
    present(
        vec![dc.read(), a.read(), b.unread()],
        vec![rancher(verdict(Verdict::Ok)), path("node-b", "site-b", unknown)],
    )
}

#[test]
fn healthy_text() {
    insta::assert_snapshot!(text(&healthy(), 110, Paint::Plain));
}

#[test]
fn article_text() {
    insta::assert_snapshot!(text(&article(), 110, Paint::Plain));
}

#[test]
fn vni_slip_text() {
    insta::assert_snapshot!(text(&slip(), 110, Paint::Plain));
}

#[test]
fn unread_router_text() {
    insta::assert_snapshot!(text(&unread(), 110, Paint::Plain));
}

/// Every vxlan MTU is 1450, and both paths from site A are black holes.
fn in_two_holes() -> (Vec<TestRouter>, Vec<Arc<PathObservation>>) {
    let [dc, a, b] = lab();
    let small = |router: TestRouter, name: &str| router.mtu(name, 1450);
    let holed = |name: &str, site: &str, lost: u32| {
        let evidence = vec![
            format!(
                "DF echo: 1500 bytes vanish without a signal (40 pairs, {lost} controls lost); 1454 answered, 1455 not"
            )
            .into(),
            "expected MTU 1500 bytes (our egress eth0)".into(),
        ];
        path(name, site, Judgement { evidence, ..hole(&[Direction::Forward, Direction::Reverse], 1454) })
    };
    let routers = vec![small(small(dc, "vxlan01"), "vxlan02"), small(a, "vxlan01"), small(b, "vxlan02")];
    (routers, vec![holed("rancher", "dc", 0), holed("node-b", "site-b", 2)])
}

/// Two paths in one hole: equal problems share a headline, and the second does not repeat what the
/// first has shown.
#[test]
fn two_paths_in_one_hole_text() {
    let (routers, paths) = in_two_holes();
    insta::assert_snapshot!(text(&present(read(&routers), paths), 110, Paint::Plain));
}

#[test]
fn many_names_are_cut() {
    assert_eq!(super::listed(&["a"]), "a");
    assert_eq!(super::listed(&["a", "b", "c"]), "a, b and c");
    assert_eq!(super::listed(&["a", "b", "c", "d", "e", "f", "g"]), "a, b, c, d, e and 2 more");
}

#[test]
fn narrow_text() {
    let text = text(&article(), 72, Paint::Plain);
    let wide = text.lines().filter(|line| line.chars().count() > 72);
    assert_eq!(wide.collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn color_only_paints() {
    let painted = text(&article(), 110, Paint::Colored);
    assert!(painted.starts_with("\x1b[1;31mPROBLEM\x1b[0m: "), "{painted}");
    let plain =
        ["\x1b[1;31m", "\x1b[1;33m", "\x1b[0m"].iter().fold(painted, |text, code| text.replace(code, ""));
    assert_eq!(plain, text(&article(), 110, Paint::Plain));
}

#[test]
fn article_json() {
    insta::assert_json_snapshot!(json(&article()));
}

#[test]
fn exit_codes() {
    let of =
        |judgement: Judgement| exit_code(&present(read(&lab()), vec![path("rancher", "dc", judgement)])).0;
    for (verdict_, code) in [
        (Verdict::Ok, 0),
        (Verdict::Reduced, 0),
        (Verdict::Unknown, 2),
        (Verdict::Lossy, 1),
        (Verdict::Blackhole, 1),
        (Verdict::Unreachable, 1),
    ] {
        assert_eq!(of(verdict(verdict_)), code, "{verdict_}");
    }
    let [dc, a, b] = lab();
    let df = b.clone().edit_vxlan("vxlan02", |v| v.df = Some(DfPolicy::Set));
    assert_eq!(exit_code(&present(read(&[dc.clone(), a.clone(), df]), vec![])).0, 1, "mismatch");
    // Only one router of a pair is read, as with `local: {}`: it is mentioned, but is not a
    // problem.
    let (code, reason) = exit_code(&present(read(std::slice::from_ref(&a)), vec![]));
    assert_eq!(code, 2, "{reason}");
    assert_eq!(
        reason,
        "tunnel site-a/vxlan01~10.10.0.254: half, the other end is on a router that is not read"
    );
    let alone = text(&present(read(std::slice::from_ref(&a)), vec![]), 200, Paint::Plain);
    assert!(alone.starts_with("UNKNOWN: ") && alone.contains("add that router, or this address"), "{alone}");
    // A half that follows from an unread router proves nothing; one whose owner is read does.
    let (code, reason) = exit_code(&present(vec![dc.read(), a.read(), b.unread()], vec![]));
    assert_eq!(code, 2, "{reason}");
    assert!(reason.starts_with("router site-b: not read: refused"), "{reason}");
    let empty = vec![dc.read(), a.without("vxlan01").read(), b.unread()];
    assert_eq!(exit_code(&present(empty, vec![])).0, 1);
    let told = |present: &Present| (exit_code(present).0, exit_code(present).1.to_string());
    assert_eq!(told(&Present::default()), (2, "nothing configured: no routers and no paths".into()));
    let [dc, a, b] = lab();
    let without = [dc.without("vxlan01").without("vxlan02"), a.without("vxlan01"), b.without("vxlan02")];
    let nothing = "nothing to judge: 3 routers read, no vxlan tunnel found, and no path configured";
    assert_eq!(told(&present(read(&without), vec![])), (2, nothing.into()));
    assert_eq!(told(&healthy()), (0, "3 routers read, 2 tunnels without a fault, 2 paths ok".into()));
}
