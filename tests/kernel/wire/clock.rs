//! Steps of the wall clock, for the exporter alone: by a library preloaded into it, as the
//! machine's clock is shared.

use std::{
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};

use lab::metrics::Metrics;

use super::world::{CLOSED, Ip, World};

/// `clock.c` steps every ten seconds.
const STEPS: Duration = Duration::from_secs(35);
const LOOK: Duration = Duration::from_millis(500);

fn count(metrics: &Metrics, name: &str) -> f64 {
    metrics.all(name, &[]).map(|series| series.value).sum()
}

#[test]
fn steps_of_the_clock_change_no_verdict_and_no_count() -> Result<()> {
    let files = tempfile::tempdir()?;
    let library = files.path().join("clock.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kernel/wire/clock.c");
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).status()?;
    ensure!(compiled.success(), "cc: {compiled}");
    let world = World::raise()?;
    let preload = format!("LD_PRELOAD={}", library.display());
    let exporter = world.serve(Ip::V4, Some(CLOSED), &["env", &preload])?;
    let ok = |metrics: &Metrics| metrics.set("vxlan_path_verdict", &[], "verdict") == ["ok"];
    let before = exporter.wait_for("ok", ok)?;
    let (mut walls, mut last) = (Vec::new(), before.clone());
    let began = Instant::now();
    while began.elapsed() < STEPS {
        thread::sleep(LOOK);
        let now = exporter.metrics()?;
        ensure!(ok(&now), "{}", exporter.log());
        for counter in ["vxlan_path_echo_requests_total", "vxlan_path_echo_replies_total"] {
            ensure!(count(&now, counter) >= count(&last, counter), "{counter} goes back");
        }
        walls.push(now.value("vxlan_path_last_probe_timestamp_seconds", &[]).context("a time")?);
        last = now;
    }
    ensure!(walls.windows(2).any(|two| two[1] < two[0]), "the clock has not gone back: {walls:?}");
    let grown = |counter| count(&last, counter) - count(&before, counter);
    ensure!(grown("vxlan_path_echo_replies_total") > 10.0, "it goes on probing");
    for counter in ["vxlan_path_echo_lost_total", "vxlan_exporter_task_restarts_total"] {
        ensure!(grown(counter) < 0.5, "{counter}: {}", exporter.log());
    }
    ensure!(count(&last, "vxlan_path_rtt_seconds_sum") < 60.0, "a step counted as a round trip");
    Ok(())
}
