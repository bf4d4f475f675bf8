//! `scale`: what the exporter needs for many routers. A single real OpenSSH server plays all of
//! them, in a network namespace of its own. Prints memory, threads and CPU, and fails if a router
//! is not read every interval.

#![allow(
    clippy::too_many_lines,
    reason = "a test tells a story or tables its cases: cutting it makes it no easier to read"
)]

use std::{
    collections::BTreeMap,
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use clap::Parser;
use lab::{
    beside_us,
    fleet::{self, Exporter, by_label, with_fleet},
};

/// Reads many routers and reports what that costs
#[derive(Debug, Clone, Copy, Parser)]
struct Arguments {
    /// Number of routers
    #[arg(long, default_value_t = 500)]
    routers: usize,
    /// Seconds between two reads of a router
    #[arg(long, default_value_t = 30)]
    interval: u32,
    /// Intervals to watch once all routers have been read
    #[arg(long, default_value_t = 4)]
    intervals: u32,
    /// Routers read at the same time
    #[arg(long, default_value_t = 32)]
    router_workers: usize,
}

/// Tolerance in seconds: a read may have to wait for a thread, and metrics are checked once a
/// second.
const LATE: f64 = 3.0;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let failed = AtomicBool::new(false);
    with_fleet(arguments.routers, |fleet| {
        let text = format!(
            "router_workers: {}\nscrape_interval: {}s\nrouters:\n{}",
            arguments.router_workers,
            arguments.interval,
            fleet.routers()
        );
        let config = fleet.write("config.yml", &text);
        let began = Instant::now();
        let exporter = fleet.serve(&beside_us(), &config, 14789, &[]);
        let late = watch(&exporter, arguments, began);
        for (router, gap) in &late {
            println!("LATE: {router}: {gap:.1} s between two reads");
        }
        println!("logins: {}", fleet.logins());
        failed.store(!late.is_empty() || fleet.logins() != arguments.routers, Ordering::Relaxed);
    });
    if failed.load(Ordering::Relaxed) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Prints what the exporter needs; returns the routers that were read too rarely, with the longest
/// time between two reads.
fn watch(exporter: &Exporter, arguments: Arguments, began: Instant) -> BTreeMap<String, f64> {
    let reads =
        |metrics: &fleet::Metrics| by_label(metrics, "vxlan_router_last_success_timestamp_seconds", "router");
    let mut metrics = exporter.metrics();
    while reads(&metrics).len() < arguments.routers {
        assert!(began.elapsed() < Duration::from_mins(10), "not all read: {}", exporter.log());
        thread::sleep(Duration::from_millis(200));
        metrics = exporter.metrics();
    }
    println!(
        "{} routers read for the first time within {:.1} s, CPU {:.1} s (key exchanges)",
        arguments.routers,
        began.elapsed().as_secs_f64(),
        metrics["process_cpu_seconds_total"]
    );
    let (cpu, since) = (metrics["process_cpu_seconds_total"], Instant::now());
    let mut known = reads(&metrics);
    let mut gaps: BTreeMap<String, f64> = BTreeMap::new();
    let mut most: BTreeMap<&str, f64> = BTreeMap::new();
    while since.elapsed() < Duration::from_secs(u64::from(arguments.interval * arguments.intervals)) {
        thread::sleep(Duration::from_secs(1));
        let asked = Instant::now();
        metrics = exporter.metrics();
        let mut note = |what, value: f64| {
            let known = most.entry(what).or_default();
            *known = known.max(value);
        };
        note("time of a scrape of /metrics, seconds", asked.elapsed().as_secs_f64());
        note("resident memory, MB", metrics["process_resident_memory_bytes"] / 1e6);
        note("threads", metrics["process_threads"]);
        note("open files", metrics["process_open_fds"]);
        #[allow(clippy::cast_precision_loss)]
        note("series", metrics.len() as f64);
        for (router, time) in reads(&metrics) {
            let before = known.insert(router.clone(), time).unwrap_or(time);
            let gap = gaps.entry(router).or_default();
            *gap = gap.max(time - before);
        }
    }
    let share = (metrics["process_cpu_seconds_total"] - cpu) / since.elapsed().as_secs_f64();
    println!("CPU: {:.1} % of one core, /metrics read each second", share * 100.0);
    for (what, value) in most {
        println!("most {what}: {value:.2}");
    }
    let failures: f64 = by_label(&metrics, "vxlan_router_scrape_failures_total", "reason").values().sum();
    println!("tunnels up: {}", by_label(&metrics, "vxlan_tunnel_up", "tunnel").values().sum::<f64>());
    println!("failed reads: {failures}");
    let longest = gaps.values().copied().fold(0.0, f64::max);
    println!("longest time between two reads of a router: {longest:.1} s");
    let bound = f64::from(arguments.interval) + LATE;
    gaps.retain(|_, gap| *gap > bound || *gap == 0.0);
    gaps
}
