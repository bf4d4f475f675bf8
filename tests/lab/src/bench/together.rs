//! Everything at once: thousands of paths, 500 routers, and a scrape each second.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use super::{
    Plan,
    cost::{self, Cost},
    pair::{Pair, config},
    paths::{punctual, sum},
    routers::fill,
};
use crate::{
    fleet::{Exporter, Fleet, with_fleet},
    ssh_router::inside,
};

const ROUTERS: usize = 500;
const PORT: u16 = 14_789;

/// One number of paths.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Row {
    /// Number of paths.
    pub paths: usize,
    /// Number of routers.
    pub routers: usize,
    /// CPU and packets.
    pub cost: Cost,
    /// Share of packets sent within 5 ms of their time, if the exporter says it.
    pub punctual: Option<f64>,
    /// Echoes counted as lost, although the network loses none.
    pub lost: f64,
    /// Echoes that say nothing, because the exporter was late or stopped.
    pub void: f64,
    /// The slowest scrape in seconds.
    pub slowest: f64,
    /// Share of all cores that was in use meanwhile, by the exporter, the routers and whoever scrapes.
    #[serde(default)]
    pub busy: f64,
}

/// Measures that many paths beside 500 routers.
pub fn measure(plan: &Plan, paths: usize) -> Result<Row> {
    let mut measured = Ok(Row::default());
    with_fleet(ROUTERS, |fleet| measured = beside(plan, fleet, paths));
    let row = measured?;
    println!(
        "{paths} paths beside {ROUTERS} routers: {:.0} of {} packets/s, {:.1} % CPU, punctual {}, {} lost, {} void, slowest scrape {:.2} s, cores {:.0} % in use",
        row.cost.rate,
        paths * 2,
        row.cost.share * 100.0,
        row.punctual.map_or("-".to_owned(), |share| format!("{:.3} %", share * 100.0)),
        row.lost,
        row.void,
        row.slowest,
        row.busy * 100.0
    );
    Ok(row)
}

fn beside(plan: &Plan, fleet: &Fleet<'_>, paths: usize) -> Result<Row> {
    let pair = Pair::beside(&fleet.namespace())?;
    fill(fleet, ROUTERS);
    let file = fleet.write("config.yml", &format!("{}routers:\n{}", config(paths), fleet.routers()));
    let exporter = fleet.serve(&plan.exporter, &file, PORT, &[]);
    let began = Instant::now();
    let metrics = || exporter.ask("GET", "/metrics").1;
    while count_of(&metrics(), "vxlan_router_last_success_timestamp_seconds") < ROUTERS {
        ensure!(began.elapsed() < Duration::from_mins(2), "not all routers read: {}", exporter.log());
        thread::sleep(Duration::from_secs(2));
    }
    let before = metrics();
    let ticks = cost::machine_ticks();
    let done = AtomicBool::new(false);
    let (cost, slowest) = thread::scope(|scope| {
        let scrape = || inside(&fleet.namespace().name, || scrape_each_second(&exporter, &done));
        let scraping = scope.spawn(scrape);
        let cost = cost::watch(&pair, exporter.pid(), plan.window * 2);
        done.store(true, Ordering::Relaxed);
        (cost, scraping.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let (used, idle) = cost::machine_ticks();
    let (used, idle) = (used - ticks.0, idle - ticks.1);
    let after = metrics();
    let grown = |family| sum(&after, family) - sum(&before, family);
    Ok(Row {
        paths,
        routers: ROUTERS,
        cost: cost?,
        punctual: punctual(&before, &after),
        lost: grown("vxlan_path_echo_lost_total"),
        void: grown("vxlan_path_echo_void_total"),
        slowest,
        busy: used / (used + idle),
    })
}

/// The number of a family's series.
pub fn count_of(metrics: &str, family: &str) -> usize {
    metrics.lines().filter(|line| line.strip_prefix(family).is_some_and(|rest| rest.starts_with('{'))).count()
}

/// Reads /metrics each second; returns the longest time that took.
fn scrape_each_second(exporter: &Exporter, done: &AtomicBool) -> f64 {
    let mut slowest = 0.0_f64;
    while !done.load(Ordering::Relaxed) {
        let asked = Instant::now();
        exporter.ask("GET", "/metrics");
        slowest = slowest.max(asked.elapsed().as_secs_f64());
        thread::sleep(Duration::from_secs(1).saturating_sub(asked.elapsed()));
    }
    slowest
}
