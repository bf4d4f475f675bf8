//! Measures how soon a new hole and its end are noticed. A test runs it too, but only checks that
//! they are noticed: times on a busy machine prove nothing.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use super::{
    Lab,
    exporter::Exporter,
    fault::Fault,
    judge,
    numbers::{End, Numbers, Place},
};

const LOOK: Duration = Duration::from_millis(20);
const BOUND: Duration = Duration::from_mins(1);

/// Makes and mends a hole `times` times, and prints how long each change took to appear on
/// /metrics.
pub fn run(binary: &Path, times: u32) -> Result<()> {
    let lab = Lab::raise(&Numbers::article(), &Fault::load("healthy")?)?;
    let mut exporter = Exporter::start(&lab, binary)?;
    let path = lab.numbers.site(Place::Dc).host;
    until(&mut exporter, path, "ok")?;
    let (mut holes, mut ends) = (Vec::new(), Vec::new());
    for turn in 0..times {
        // Each turn starts at another phase of the probe interval.
        let phase = Duration::from_millis(u64::from(turn * 137 % 1000));
        thread::sleep(Duration::from_secs(2) + phase);
        lab.set_vxlan_mtu(End::AToDc, 1450)?;
        holes.push(until(&mut exporter, path, "blackhole")?);
        thread::sleep(Duration::from_secs(6) + phase);
        lab.set_vxlan_mtu(End::AToDc, 1500)?;
        ends.push(until(&mut exporter, path, "ok")?);
    }
    for (what, mut took) in [("a new hole", holes), ("its end", ends)] {
        took.sort();
        let seconds = |place: usize| took.get(place).map_or(0.0, Duration::as_secs_f64);
        println!(
            "{what} noticed after {:.1} s (median of {}), {:.1} s at least, {:.1} s at most",
            seconds(took.len() / 2),
            took.len(),
            seconds(0),
            seconds(took.len().saturating_sub(1))
        );
    }
    Ok(())
}

fn until(exporter: &mut Exporter, path: &str, verdict: &str) -> Result<Duration> {
    let begin = Instant::now();
    while judge::verdict(&exporter.metrics()?, path) != verdict {
        exporter.must_run()?;
        ensure!(begin.elapsed() < BOUND, "{path} is not {verdict} after 60 s\n{}", exporter.log());
        thread::sleep(LOOK);
    }
    Ok(begin.elapsed())
}
