use std::time::Duration;

use super::*;
use crate::{
    model::{
        observation::EchoStats,
        snapshot::{RouterSnapshot, index::Index},
        types::{FailureReason, UnknownReason, Verdict},
    },
    overlay::fixture::{TestRouter, path, verdict},
};

const INTERVAL: Duration = Duration::from_secs(5);

fn observed(interval: Option<Duration>) -> PathObservation {
    PathObservation { interval, ..PathObservation::clone(&path("rancher", "dc", verdict(Verdict::Ok))) }
}

fn after(state: &State, intervals: u32) -> Present {
    state.present_at(stale::now() + INTERVAL * intervals)
}

/// Regression: a path was still `ok` 68 s after its target had vanished, because its prober had
/// died.
#[test]
fn a_path_whose_prober_stands_still_is_unknown() {
    let state = State::default();
    state.put_path(observed(Some(INTERVAL)));
    assert_eq!(after(&state, 2).paths[0].judgement.verdict, Verdict::Ok);
    let present = after(&state, 4);
    let judgement = &present.paths[0].judgement;
    assert_eq!((judgement.verdict, judgement.unknown_reason), (Verdict::Unknown, Some(UnknownReason::Stale)));
    assert_eq!((judgement.mtu_forward, present.paths[0].testable_mtu), (None, None));
    assert_eq!(judgement.evidence.len(), 1);
    assert!(Arc::ptr_eq(&present.paths[0], &after(&state, 5).paths[0]), "made once");
    state.put_path(observed(Some(INTERVAL)));
    assert_eq!(state.present().paths[0].judgement.verdict, Verdict::Ok);
}

/// Regression: a router was still `up` after its worker had died.
#[test]
fn a_router_that_is_read_no_more_is_not_up() {
    let state = State::default();
    let mut reading = RouterReading::clone(&crate::overlay::fixture::lab()[0].read());
    reading.interval = Some(INTERVAL);
    let former = Arc::clone(reading.current.as_ref().expect("it is up"));
    state.put_router(reading);
    assert!(after(&state, 2).routers[0].current.is_some());
    let present = after(&state, 4);
    let reading = &present.routers[0];
    assert!(reading.current.is_none() && Arc::ptr_eq(reading.previous.as_ref().expect("the last"), &former));
    let failure = reading.failure.as_ref().expect("a reason");
    assert_eq!(failure.reason, FailureReason::Timeout);
    assert_eq!(reading.failures.get(&FailureReason::Timeout), None, "nothing was tried");
}

#[test]
fn a_picture_that_is_joined_no_more_is_none() {
    let state = State::default();
    let overlay = || Overlay {
        tunnels: vec![],
        paths: vec![crate::model::picture::PathPicture {
            path: "rancher".into(),
            hops: vec![],
            cause: vec![],
            fix: vec![],
        }],
        ..Overlay::default()
    };
    state.put_overlay(overlay());
    assert_eq!(after(&state, 1000).overlay.paths.len(), 1, "nobody has promised");
    state.join_again_within(INTERVAL);
    state.put_overlay(overlay());
    assert_eq!(after(&state, 2).overlay.paths.len(), 1);
    assert_eq!(after(&state, 4).overlay.paths.len(), 0);
}

#[test]
fn what_nobody_promised_to_tell_again_stays() {
    let state = State::default();
    state.put_path(observed(None));
    assert_eq!(after(&state, 1000).paths[0].judgement.verdict, Verdict::Ok);
}

#[test]
fn ten_probes_a_second_are_not_old_after_a_second() {
    let state = State::default();
    state.put_path(observed(Some(Duration::from_millis(100))));
    let later =
        |seconds| state.present_at(stale::now() + Duration::from_secs(seconds)).paths[0].judgement.verdict;
    assert_eq!((later(2), later(4)), (Verdict::Ok, Verdict::Unknown));
}

#[tokio::test]
async fn a_counter_wakes_nobody_and_a_verdict_does() {
    let state = State::default();
    let is_changed = async || tokio::time::timeout(Duration::from_millis(1), state.changed()).await.is_ok();
    state.put_path(observed(None));
    assert!(is_changed().await);
    let mut counted = observed(None);
    counted.counters = EchoStats { requests: 1, ..EchoStats::default() }.into();
    counted.judgement.evidence.push("1 of 101 echoes lost".into());
    state.put_path(counted.clone());
    assert!(!is_changed().await);
    assert_eq!(state.present().paths[0].judgement.evidence, counted.judgement.evidence);
    counted.judgement.verdict = Verdict::Lossy;
    state.put_path(counted);
    assert!(is_changed().await);
}

#[test]
fn paths_are_found_by_name_in_whatever_order_they_stand() {
    let state = State::default();
    let named = |name: &str| PathObservation { path: name.into(), ..observed(None) };
    let all = ["a", "b", "c"];
    for name in all {
        state.put_path(named(name));
    }
    let order: Vec<PathName> = ["c", "b"].into_iter().map(PathName::from).collect();
    state.keep_paths(order.iter());
    for name in ["b", "c", "d"] {
        state.put_path(PathObservation { tcp_port: Some(7), ..named(name) });
    }
    let paths = state.present().paths;
    let known: Vec<_> = paths.iter().map(|path| (path.path.as_str(), path.tcp_port)).collect();
    assert_eq!(known, [("c", Some(7)), ("b", Some(7)), ("d", Some(7))]);
}

#[tokio::test]
async fn a_router_whose_counters_alone_have_changed_makes_no_haste() {
    let state = State::default();
    let soon = Duration::from_millis(1);
    let told = async || {
        let changed = tokio::time::timeout(soon, state.changed()).await.is_ok();
        (changed, tokio::time::timeout(soon, state.counted()).await.is_ok())
    };
    let router = TestRouter::new("dc", "dc", "10.10.10.254").vxlan("vxlan01", 1, "10.10.20.254");
    let mut reading =
        RouterReading::clone(&router.learned("vxlan01", "52:54:00:00:00:09", "10.10.20.254").read());
    state.put_router(reading.clone());
    assert_eq!(told().await, (true, false));
    let mut change = |change: fn(&mut RouterSnapshot)| {
        let snapshot = Arc::make_mut(reading.current.as_mut().expect("read"));
        snapshot.index = Index::default();
        change(snapshot);
        reading.scrapes += 1;
        state.put_router(reading.clone());
    };
    change(|snapshot| snapshot.links[0].counters.rx_bytes = Some(7));
    assert_eq!(told().await, (false, true));
    change(|snapshot| snapshot.links[0].mtu = Some(1400));
    assert_eq!(told().await, (true, false));
    change(|snapshot| snapshot.fdb.clear());
    assert_eq!(told().await, (true, false));
    reading.current = None;
    state.put_router(reading.clone());
    assert_eq!(told().await, (true, false));
}
