//! The exporter's own lateness is never loss: it is stopped, starved, or has far too many paths.
//! `make test-overload` runs these; they take minutes, or the whole machine.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use nix::sys::signal::Signal;

use lab::metrics::Metrics;

use super::world::{Exporter, World};
use crate::support::turn;

/// A network with so many targets, all of which answer.
fn world_of(paths: u16) -> Result<(World, Vec<IpAddr>)> {
    let world = World::raise()?;
    world.there.ip("route add local 10.9.0.0/16 dev lo")?;
    world.way.ip("route add 10.9.0.0/16 via 10.99.2.2")?;
    let address =
        |path: u16| IpAddr::from([10, 9, (path / 250).to_be_bytes()[1], (path % 250 + 1).to_be_bytes()[1]]);
    Ok((world, (0..paths).map(address).collect()))
}

/// Its metrics, however long that takes.
fn metrics(world: &World) -> Result<Metrics> {
    let url = "http://127.0.0.1:14789/metrics";
    let output = world
        .here
        .output("curl", &["-sS", "--retry", "9", "--retry-connrefused", "--max-time", "120", url])?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(Metrics::parse(&String::from_utf8_lossy(&output.stdout)))
}

fn total(metrics: &Metrics, name: &str) -> f64 {
    metrics.all(name, &[]).map(|series| series.value).sum()
}

fn is_overloaded(metrics: &Metrics) -> bool {
    metrics.value("vxlan_exporter_overloaded", &[]) == Some(1.0)
}

/// How many paths have each verdict.
fn verdicts(metrics: &Metrics) -> BTreeMap<String, usize> {
    let mut count = BTreeMap::new();
    for verdict in metrics.set("vxlan_path_verdict", &[], "verdict") {
        *count.entry(verdict).or_default() += 1;
    }
    count
}

/// No echo is lost, and nothing is claimed about the network but that it is sound.
fn nothing_false(metrics: &Metrics, exporter: &Exporter) -> Result<()> {
    let said = verdicts(metrics);
    ensure!(
        said.keys().all(|verdict| verdict == "ok" || verdict == "unknown"),
        "{said:?}\n{}",
        exporter.log()
    );
    let [requests, replies, lost, void] = ["requests", "replies", "lost", "void"]
        .map(|what| total(metrics, &format!("vxlan_path_echo_{what}_total")));
    eprintln!("{requests} echoes: {replies} answered, {void} void, {lost} lost; {said:?}");
    ensure!(lost == 0.0, "{lost} of {requests} echoes lost, {void} void\n{}", exporter.log());
    Ok(())
}

fn wait_until(world: &World, what: &str, patience: u64, right: impl Fn(&Metrics) -> bool) -> Result<Metrics> {
    let began = Instant::now();
    loop {
        let seen = metrics(world)?;
        if right(&seen) {
            return Ok(seen);
        }
        ensure!(began.elapsed() < Duration::from_secs(patience), "{what}: {:?}", verdicts(&seen));
        thread::sleep(Duration::from_secs(1));
    }
}

#[test]
#[ignore = "takes two minutes: make test-overload"]
fn stopped_for_a_minute() -> Result<()> {
    const PATHS: u16 = 500;
    let (world, paths) = world_of(PATHS)?;
    let exporter = world.serve_paths(&paths, None, &[])?;
    let all_ok = |seen: &Metrics| verdicts(seen).get("ok") == Some(&usize::from(PATHS));
    wait_until(&world, "all ok", 60, all_ok)?;
    for seconds in [5, 60] {
        exporter.signal(Signal::SIGSTOP)?;
        thread::sleep(Duration::from_secs(seconds));
        exporter.signal(Signal::SIGCONT)?;
        for _ in 0..8 {
            thread::sleep(Duration::from_secs(1));
            nothing_false(&metrics(&world)?, &exporter)?;
        }
        ensure!(is_overloaded(&metrics(&world)?), "it does not say so after {seconds} s");
    }
    let seen = wait_until(&world, "all ok again", 60, all_ok)?;
    let late = |le| seen.value("vxlan_exporter_late_seconds_bucket", &[("le", le)]);
    ensure!(late("+Inf") > late("1"), "nothing left more than a second late");
    Ok(())
}

/// Loops that keep both cores busy; they end with the test.
struct Loops(Vec<Child>);

impl Loops {
    fn start() -> Result<Self> {
        let busy = || Command::new("sh").args(["-c", "while :; do :; done"]).spawn();
        Ok(Self((0..8).map(|_| busy()).collect::<Result<_, _>>().context("a loop")?))
    }
}

impl Drop for Loops {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
#[ignore = "takes the whole machine: make test-overload"]
fn a_saturated_machine() -> Result<()> {
    const PATHS: u16 = 500;
    let _turn = turn();
    let (world, paths) = world_of(PATHS)?;
    let exporter = world.serve_paths(&paths, None, &[])?;
    let all_ok = |seen: &Metrics| verdicts(seen).get("ok") == Some(&usize::from(PATHS));
    wait_until(&world, "all ok", 60, all_ok)?;
    let loops = Loops::start()?;
    for _ in 0..20 {
        thread::sleep(Duration::from_secs(1));
        nothing_false(&metrics(&world)?, &exporter)?;
    }
    drop(loops);
    let seen = wait_until(&world, "all ok again", 60, all_ok)?;
    nothing_false(&seen, &exporter)?;
    let starved = exporter.log().contains("stopped or starved");
    ensure!(!starved || is_overloaded(&seen), "it was starved, and does not say so");
    Ok(())
}

#[test]
#[ignore = "takes the whole machine: make test-overload"]
fn twenty_thousand_paths_on_one_core() -> Result<()> {
    let _turn = turn();
    let (world, paths) = world_of(20_000)?;
    let exporter = world.serve_paths(&paths, None, &["taskset", "-c", "0"])?;
    let seen = wait_until(&world, "overloaded", 120, is_overloaded)?;
    nothing_false(&seen, &exporter)?;
    thread::sleep(Duration::from_secs(30));
    nothing_false(&metrics(&world)?, &exporter)?;
    ensure!(exporter.log().contains("cannot keep up with its paths"), "{}", exporter.log());
    Ok(())
}
