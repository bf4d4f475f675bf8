//! `check`: looks once, for as long as that takes, and returns what it found.

use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use tokio::sync::Semaphore;

use crate::{
    language::{Said, say},
    logging,
    look::{ECHOES, LookPlan},
    model::{
        leg::LegAsk,
        plan::Plan,
        snapshot::RouterReading,
        state::{Present, State},
        types::{RouterName, UnknownReason, Verdict},
        words::{number, seconds},
    },
    overlay::tunnel::Assessor,
    probe::{EchoMethod, Engine},
    router::Worker,
};

/// How long routers may ping each other.
const UNDERLAY: Duration = Duration::from_secs(40);

/// Reads every router three times and probes every path for about ten seconds; reports progress on
/// stderr.
///
/// If ten small echoes a second on each path exceed the probe budget, it sends fewer and looks
/// correspondingly longer.
pub async fn look(mut plan: Plan) -> anyhow::Result<Present> {
    let began = Instant::now();
    let look = LookPlan::new(plan.paths.len(), ECHOES, plan.probe_budget_pps)
        .with_reflectors(plan.paths.iter().any(|path| path.reflector.is_some()));
    for path in &mut plan.paths {
        look.pace(path);
    }
    logging::say(&format!("{}\n", opening(&plan, &look).localized()));
    let state = State::default();
    let threads = Arc::new(Semaphore::new(plan.router_workers));
    let mut workers: Vec<Worker> =
        plan.routers.iter().map(|router| Worker::new(router).without_log()).collect();
    for worker in &workers {
        state.put_router(worker.reading().clone());
    }
    let engine = Engine::new(plan.paths.clone(), plan.probe_budget_pps, state.clone(), EchoMethod::Batched);
    let engine = tokio::spawn(engine.context("starting to probe")?.run());
    let mut assessor = Assessor::new(&plan).asking_now();
    read_all(&mut workers, &threads, &state, true).await;
    // The logins were bursts on the tunnels: what tunnels lose is counted from when all are over.
    read_all(&mut workers, &threads, &state, false).await;
    // Further readings show which counters rise. A few packets that fall between two readings are
    // no sign of death; the same finding twice is.
    let half = async {
        if workers.is_empty() {
            return;
        }
        tokio::time::sleep(look.about / 2).await;
        read_all(&mut workers, &threads, &state, false).await;
    };
    if plan.paths.is_empty() {
        half.await;
        let present = state.present();
        assessor.assess(&present.routers, &present.paths);
    } else {
        tokio::join!(half, watch(&state, &mut assessor, began, &look));
    }
    read_all(&mut workers, &threads, &state, false).await;
    let present = state.present();
    let overlay = assessor.assess(&present.routers, &present.paths);
    measure_legs(&mut workers, &threads, &state, &overlay.asks).await;
    engine.abort();
    let mut present = state.present();
    present.overlay = assessor.assess(&present.routers, &present.paths).into();
    Ok(present)
}

fn opening(plan: &Plan, look: &LookPlan) -> Said {
    let routers = number::routers(plan.routers.len());
    match plan.paths.len() {
        0 => say!("reading {routers}: about {time}", routers => routers, time => seconds(look.about)),
        1 => say!("reading {routers} and probing 1 path: {look}", routers => routers, look => look.said()),
        paths if look.is_slowed() => say!(
            "reading {routers} and probing {paths} paths: {look} each; {all} share {packets} a second, so this \
             takes longer than 10 s",
            routers => routers,
            paths,
            look => look.said(),
            all => number::paths(paths),
            packets => number::packets(plan.probe_budget_pps)
        ),
        paths => say!(
            "reading {routers} and probing {paths} paths: {look} each",
            routers => routers,
            paths,
            look => look.said()
        ),
    }
}

/// Scrapes every router once, as many at the same time as there are threads; routers that failed
/// are not tried again.
async fn read_all(workers: &mut Vec<Worker>, threads: &Arc<Semaphore>, state: &State, aloud: bool) {
    let mut readings = tokio::task::JoinSet::new();
    for mut worker in workers.drain(..) {
        if worker.reading().failure.is_some() {
            continue;
        }
        let threads = Arc::clone(threads);
        readings.spawn(async move {
            // Never closed. If it were, the reading would only lack the limit.
            let _place = threads.acquire_owned().await;
            let reading = worker.scrape().await;
            (worker, reading)
        });
    }
    while let Some(joined) = readings.join_next().await {
        let Ok((worker, reading)) = joined else { continue };
        if aloud {
            logging::say(&format!("{}\n", read_in_words(&reading).localized()));
        }
        state.put_router(reading);
        workers.push(worker);
    }
}

/// Has the routers ping each other, all at the same time and each one leg at a time, until nothing more
/// is to be learned or the time is up. Where no path is in trouble that is one turn of each leg.
async fn measure_legs(
    workers: &mut Vec<Worker>,
    threads: &Arc<Semaphore>,
    state: &State,
    asks: &BTreeMap<RouterName, Vec<LegAsk>>,
) {
    if asks.is_empty() {
        return;
    }
    let until = Instant::now() + UNDERLAY;
    let told = say!("the routers ping each other: at most {time}", time => seconds(UNDERLAY));
    logging::say(&format!("{}\n", told.localized()));
    let mut measuring = tokio::task::JoinSet::new();
    for mut worker in workers.drain(..) {
        let (threads, state) = (Arc::clone(threads), state.clone());
        let asks = asks.get(&worker.plan().name).cloned().unwrap_or_default();
        measuring.spawn(async move {
            // See `read_all`.
            let _place = threads.acquire_owned().await;
            while Instant::now() < until
                && let Some(reading) = worker.measure_leg(&asks, until).await
            {
                state.put_router(reading);
            }
            worker
        });
    }
    while let Some(joined) = measuring.join_next().await {
        workers.extend(joined);
    }
}

fn read_in_words(reading: &RouterReading) -> Said {
    let router = &reading.router;
    match (&reading.failure, &reading.current) {
        (Some(error), _) => say!(
            "router {name}: {reason}: {message}",
            name = router,
            reason => error.reason.said(),
            message = error.message
        ),
        (None, Some(snapshot)) => say!(
            "router {name}: {interfaces}, read in {time} s",
            name = router,
            interfaces => number::vxlan_interfaces(snapshot.vxlan_links().count()),
            time = format_args!("{:.1}", reading.duration.as_secs_f64())
        ),
        (None, None) => say!("router {name}: not read", name = router),
    }
}

/// Waits until every path is decided; reports each change of a verdict.
async fn watch(state: &State, assessor: &mut Assessor, began: Instant, look: &LookPlan) {
    let mut told = BTreeMap::new();
    look.watch(state, began, |present, since| {
        state.put_overlay(assessor.assess(&present.routers, &present.paths));
        for path in &present.paths {
            let state = (path.judgement.verdict, path.judgement.unknown_reason);
            let former = told.insert(path.path.clone(), state);
            // It is no news that nothing is known at first.
            if former != Some(state) && state != (Verdict::Unknown, Some(UnknownReason::Starting)) {
                let mut what = state.0.said();
                if let Some(reason) = state.1 {
                    what = say!("{what} ({reason})", what => what, reason => reason.said());
                }
                if let Some(why) = path.stays_at_home(since) {
                    what = say!("{what}: {why}", what => what, why => why);
                }
                let told = say!("path {name}: {what}", name = path.path, what => what);
                logging::say(&format!("{:5.1} s  {}\n", since.as_secs_f64(), told.localized()));
            }
        }
        let in_vain = present.paths.iter().all(|path| path.stays_at_home(since).is_some());
        if since >= look.about || in_vain { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .await;
}
