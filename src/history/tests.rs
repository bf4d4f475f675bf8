use std::{
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use super::{scale::NOTHING, *};
use crate::{
    model::{
        observation::{EchoStats, Judgement, PathObservation},
        types::{Direction, Verdict},
    },
    overlay::fixture::{hole, path, verdict},
};

fn at(second: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_040 + second)
}

fn present(paths: Vec<PathObservation>) -> Present {
    Present { paths: paths.into_iter().map(Arc::new).collect(), ..Present::default() }
}

fn observed(judgement: Judgement, seconds: u64) -> PathObservation {
    let mut path = PathObservation::clone(&path("rancher", "dc", judgement));
    let lost = seconds / 10;
    let mut echo = EchoStats { lost, replies: seconds - lost, ..EchoStats::default() };
    for second in 0..echo.replies {
        echo.rtt.observe(Duration::from_millis(if second % 50 == 0 { 40 } else { 2 }));
    }
    path.counters = echo.into();
    path
}

#[test]
fn a_minute_tells_loss_times_and_the_worst_verdict() {
    let history = History::default();
    let sick = hole(&[Direction::Forward], 1450);
    for second in 0..=180 {
        let judgement = if (70..80).contains(&second) { sick.clone() } else { verdict(Verdict::Ok) };
        let news = history.observe(&present(vec![observed(judgement, second)]), at(second));
        let changed = matches!(second, 0 | 70 | 80);
        assert_eq!(news == News::Changed, changed, "{second}");
    }
    let name = "rancher".into();
    let known = history.path(&name).expect("known");
    let minutes: Vec<_> = known.minutes().collect();
    assert_eq!(minutes.len(), 3);
    let verdicts: Vec<_> = minutes.iter().map(|minute| minute.verdict).collect();
    assert_eq!(verdicts, [Some(Verdict::Ok), Some(Verdict::Blackhole), Some(Verdict::Ok)]);
    for minute in &minutes {
        assert!(minute.loss.is_some_and(|loss| (0.09..0.12).contains(&loss)), "{minute:?}");
        assert!(minute.rtt_p50.is_some_and(|rtt| (0.001..0.0026).contains(&rtt)), "{minute:?}");
        assert!(minute.rtt_p99.is_some_and(|rtt| (0.025..0.051).contains(&rtt)), "{minute:?}");
    }
    let changes: Vec<_> = known.changes().map(|change| change.what.to_string()).collect();
    assert_eq!(changes, ["ok", "blackhole forward", "ok"]);
    assert_eq!(history.path_since(&name), Some(at(80)));
    assert_eq!(history.since(), Some(at(0)));
    assert_eq!(history.outcome_since(), Some(at(80)), "all is well since then");
}

/// Two days of a path that changes its verdict and its MTU each minute.
#[test]
fn it_is_bounded() {
    let mut known = PathHistory::default();
    for minute in 0..2 * 24 * 60 {
        let mtu = 1000 + u32::try_from(minute % 500).expect("small");
        let mut judgement =
            if minute % 2 == 0 { hole(&[Direction::Forward], mtu) } else { verdict(Verdict::Ok) };
        judgement.evidence = vec!["🌐 a very long sentence ".repeat(100).into()];
        known.observe(&observed(judgement, minute), minute, at(60 * minute));
    }
    assert_eq!(known.minutes().count(), minutes::MINUTES);
    assert_eq!(known.changes().count(), 24);
    assert!(known.bytes() <= 32 << 10, "{}", known.bytes());

    let mut calm = PathHistory::default();
    for minute in 0..2 * 24 * 60 {
        calm.observe(&observed(verdict(Verdict::Ok), minute), minute, at(60 * minute));
    }
    assert!(calm.bytes() <= 8 << 10, "{}", calm.bytes());
    let mut young = PathHistory::default();
    young.observe(&observed(verdict(Verdict::Ok), 0), 0, at(0));
    assert!(young.bytes() <= 1 << 10, "{}", young.bytes());
}

#[test]
fn a_pause_is_a_gap_and_a_clock_set_back_begins_anew() {
    let mut known = PathHistory::default();
    for minute in [1000, 1001, 1005, 1006] {
        known.observe(&observed(verdict(Verdict::Ok), minute), minute, at(0));
    }
    let minutes: Vec<_> = known.minutes().map(|minute| (minute.minute, minute.verdict.is_some())).collect();
    assert_eq!(
        minutes,
        [(1000, true), (1001, true), (1002, false), (1003, false), (1004, false), (1005, true)]
    );
    for minute in [10, 11, 12] {
        known.observe(&observed(verdict(Verdict::Ok), minute), minute, at(0));
    }
    let minutes: Vec<_> = known.minutes().map(|minute| minute.minute).collect();
    assert_eq!(minutes, [10, 11]);
}

#[test]
fn what_is_configured_no_more_is_forgotten() {
    let history = History::default();
    let two = present(vec![
        observed(verdict(Verdict::Ok), 0),
        PathObservation::clone(&path("other", "dc", verdict(Verdict::Ok))),
    ]);
    history.observe(&two, at(0));
    assert_eq!(history.observe(&present(vec![observed(verdict(Verdict::Ok), 1)]), at(1)), News::Changed);
    assert!(history.path(&"other".into()).is_none());
    assert!(history.path(&"rancher".into()).is_some());
}

#[test]
fn bytes_keep_what_a_picture_needs() {
    for seconds in [0.000_02, 0.001, 0.3, 5.0] {
        let kept = scale::seconds(scale::of_seconds(Some(seconds))).expect("kept");
        assert!((kept / seconds - 1.0).abs() < 0.04, "{seconds} {kept}");
    }
    assert_eq!(scale::share(scale::of_share(Some(0.0))), Some(0.0));
    assert_eq!(scale::share(scale::of_share(Some(0.0001))), Some(0.005));
    assert_eq!(scale::share(scale::of_share(Some(1.0))), Some(1.0));
    assert_eq!((scale::share(NOTHING), scale::seconds(NOTHING)), (None, None));
    assert_eq!(scale::quantile(&[0, 0], &[1.0], 0.5), None);
}
