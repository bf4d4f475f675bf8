//! `check`: looks once, as long as that takes, and hands over what it saw.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::Context;

use crate::{
    overlay::tunnel::Assessor,
    plan::Plan,
    probe::Engine,
    router::{Worker, snapshot::RouterReading},
    state::{Present, State},
};

/// Ten small echoes a second on each path, so that ten seconds tell loss.
const ECHO_EVERY: Duration = Duration::from_millis(100);
const LOOK: Duration = Duration::from_secs(10);
/// A search under way gets so much more, no further.
const AT_MOST: u32 = 4;

/// Reads every router twice and probes every path for about ten seconds; tells on stderr what happens.
///
/// Where ten small echoes a second on each path do not fit into the probe budget, it sends fewer and
/// looks as much longer.
pub async fn look(mut plan: Plan) -> anyhow::Result<Present> {
    let began = Instant::now();
    let (every, look) = pace(plan.paths.len(), plan.probe_budget_pps);
    for path in &mut plan.paths {
        path.probe_interval = every;
        path.sentinel_interval = path.sentinel_interval.min(Duration::from_secs(1));
    }
    eprintln!("{}", opening(&plan, every, look));
    let state = State::default();
    let mut workers: Vec<Worker> = plan.routers.iter().map(Worker::new).collect();
    for worker in &workers {
        state.put_router(worker.reading().clone());
    }
    let engine = Engine::new(plan.paths.clone(), plan.probe_budget_pps, state.clone());
    let engine = tokio::spawn(engine.context("starting to probe")?.run());
    let mut assessor = Assessor::new(&plan);
    read_all(&mut workers, &state, true).await;
    if !plan.paths.is_empty() {
        watch(&state, &mut assessor, began, look).await;
    }
    // A second reading shows which counters move.
    read_all(&mut workers, &state, false).await;
    engine.abort();
    let mut present = state.present();
    present.overlay = assessor.assess(&present.routers, &present.paths).into();
    Ok(present)
}

/// Time between two small echoes of a path, and how long to look.
fn pace(paths: usize, budget_pps: u32) -> (Duration, Duration) {
    let paths = u32::try_from(paths).unwrap_or(u32::MAX);
    let every = ECHO_EVERY.max(Duration::from_secs(1) * paths / budget_pps.max(1));
    let slower = every.as_secs_f64() / ECHO_EVERY.as_secs_f64();
    (every, LOOK.mul_f64(slower))
}

fn opening(plan: &Plan, every: Duration, look: Duration) -> String {
    let slower = if every > ECHO_EVERY {
        format!(
            "; {} paths share {} packets a second, so this takes longer than 10 s",
            plan.paths.len(),
            plan.probe_budget_pps
        )
    } else {
        String::new()
    };
    format!(
        "reading {} routers and probing {} paths for about {} s, {:.1} small echoes a second each{slower}",
        plan.routers.len(),
        plan.paths.len(),
        look.as_secs(),
        1.0 / every.as_secs_f64(),
    )
}

/// One scrape of every router at once; those that failed are not asked again.
async fn read_all(workers: &mut Vec<Worker>, state: &State, aloud: bool) {
    let mut readings = tokio::task::JoinSet::new();
    for mut worker in workers.drain(..) {
        if worker.reading().failure.is_some() {
            continue;
        }
        readings.spawn(async move {
            let reading = worker.scrape().await;
            (worker, reading)
        });
    }
    while let Some(joined) = readings.join_next().await {
        let Ok((worker, reading)) = joined else { continue };
        if aloud {
            eprintln!("{}", read_in_words(&reading));
        }
        state.put_router(reading);
        workers.push(worker);
    }
}

fn read_in_words(reading: &RouterReading) -> String {
    match (&reading.failure, &reading.current) {
        (Some(error), _) => format!("router {}: {error}", reading.router),
        (None, Some(snapshot)) => {
            let interfaces = snapshot.vxlans().count();
            format!(
                "router {}: {interfaces} vxlan interfaces, read in {:.1} s",
                reading.router,
                reading.duration.as_secs_f64()
            )
        }
        (None, None) => format!("router {}: not read", reading.router),
    }
}

/// Waits until every path is decided, telling each change of a verdict.
async fn watch(state: &State, assessor: &mut Assessor, began: Instant, look: Duration) {
    let mut told = BTreeMap::new();
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let present = state.present();
        state.put_overlay(assessor.assess(&present.routers, &present.paths));
        for path in &present.paths {
            let verdict = path.judgement.verdict;
            if told.insert(path.path.clone(), verdict) != Some(verdict) {
                eprintln!("{:5.1} s  path {}: {verdict}", began.elapsed().as_secs_f64(), path.path);
            }
        }
        let settled = present.paths.iter().all(|path| path.judgement.settled);
        if (began.elapsed() >= look && settled) || began.elapsed() >= look * AT_MOST {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_paths_are_looked_at_longer_within_the_budget() {
        assert_eq!(pace(2, 200), (ECHO_EVERY, LOOK));
        assert_eq!(pace(20, 200), (ECHO_EVERY, LOOK));
        assert_eq!(pace(100, 200), (Duration::from_millis(500), Duration::from_secs(50)));
    }
}
