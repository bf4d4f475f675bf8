use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use super::*;

const TURN: Duration = Duration::from_millis(250);

/// Lets this much time pass on the watchdog's clock; returns why the process would end.
fn pass(supervisor: &Supervisor, time: Duration) -> Option<String> {
    let turns = time.as_millis() / TURN.as_millis();
    (0..turns).fold(None, |_, _| supervisor.look(TURN))
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_mins(1);
    while !holds() {
        assert!(Instant::now() < end, "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[test]
fn who_is_silent_is_seen_within_ten_seconds_and_heard_again() {
    let supervisor = Supervisor::default();
    let probes = supervisor.watch(Task::Probes, "");
    let router = supervisor.watch(Task::RouterWorker, "dc");
    router.pulse().promise(Duration::from_secs(30));
    assert_eq!(supervisor.trouble(), None);
    assert_eq!(pass(&supervisor, Duration::from_secs(10)), None);
    assert_eq!(supervisor.trouble().as_deref(), Some("probes has made no progress for 9 s"));
    probes.pulse().beat();
    assert_eq!(supervisor.trouble(), None);
    drop(probes);
    let why = pass(&supervisor, Duration::from_mins(1));
    assert_eq!(why.as_deref(), Some("router_worker dc makes no progress and cannot be started again"));
    drop(router);
    assert_eq!(supervisor.trouble(), None);
}

/// SIGSTOP, or a machine that slept: the watchdog's next turn is late, and so is everybody else's.
#[test]
fn who_was_stopped_with_all_others_is_not_silent() {
    let supervisor = Supervisor::default();
    let _probes = supervisor.watch(Task::Probes, "");
    assert_eq!(supervisor.look(Duration::from_hours(10)), None);
    assert_eq!(supervisor.trouble(), None);
}

#[tokio::test]
async fn what_ends_or_panics_or_waits_for_ever_is_started_again() {
    let supervisor = Supervisor::default();
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let kept = supervisor.keep(Task::Conductor, "", move |pulse| {
        let run = counted.fetch_add(1, Ordering::Relaxed);
        async move {
            match run {
                0 => {}
                1 => panic!("a fault of a test"),
                2 => pending().await,
                _ => pulse.during(pending()).await,
            }
        }
    });
    until("it waits", || runs.load(Ordering::Relaxed) == 3).await;
    assert_eq!(supervisor.restarts(Task::Conductor), 2);
    pass(&supervisor, AGAIN + 2 * TURN + Duration::from_secs(1));
    until("it was started again", || runs.load(Ordering::Relaxed) == 4).await;
    until("it is well", || supervisor.trouble().is_none()).await;
    assert_eq!((supervisor.restarts(Task::Conductor), supervisor.restarts(Task::Probes)), (3, 0));
    kept.stop().await;
    assert!(supervisor.entries().is_empty());
}

#[tokio::test]
async fn what_is_let_go_ends_with_its_owner() {
    let supervisor = Supervisor::default();
    let alive = Arc::new(());
    let inside = Arc::clone(&alive);
    let kept = supervisor.keep(Task::Web, "", move |pulse| {
        let inside = Arc::clone(&inside);
        async move {
            pulse.during(pending::<()>()).await;
            drop(inside);
        }
    });
    tokio::task::yield_now().await;
    drop(kept);
    until("it has ended", || Arc::strong_count(&alive) == 1).await;
    assert!(supervisor.entries().is_empty());
}

/// A task is reported while it is missing.
#[tokio::test]
async fn what_is_missing_is_a_trouble() {
    let supervisor = Supervisor::default();
    let watched = supervisor.watch(Task::Reloader, "");
    watched.entry.missing.store(true, Ordering::Relaxed);
    assert_eq!(supervisor.trouble().as_deref(), Some("reloader has ended and is about to be started again"));
}
