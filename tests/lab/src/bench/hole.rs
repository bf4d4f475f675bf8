//! How soon a hole on one of many paths is seen, and its end.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use super::{
    Plan,
    pair::{Pair, Process, config, first_metrics, get, target},
};

const TURNS: u32 = 4;
const BOUND: Duration = Duration::from_mins(1);

/// Medians in seconds.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Row {
    /// Number of paths, one of which gets the hole.
    pub paths: usize,
    /// Until `blackhole`.
    pub seen: f64,
    /// Until `ok` again.
    pub over: f64,
}

/// Makes and mends a hole on the last path a few times.
pub fn measure(plan: &Plan, paths: usize) -> Result<Row> {
    let pair = Pair::new()?;
    let mut process = pair.serve(&plan.exporter, &config(paths))?;
    first_metrics(&pair.near, &mut process)?;
    let path = paths - 1;
    until(&pair, &mut process, path, "ok")?;
    thread::sleep(Duration::from_secs(5));
    let (mut seen, mut over) = (Vec::new(), Vec::new());
    for turn in 0..TURNS {
        // Each turn begins at another phase of the interval.
        let phase = Duration::from_millis(u64::from(turn * 137 % 1000));
        thread::sleep(Duration::from_secs(1) + phase);
        let rule = format!("ip daddr {} ip length > 1400 drop", target(path));
        let table = format!(
            "table ip hole {{ chain drops {{ type filter hook prerouting priority -300; {rule}; }}; }}"
        );
        pair.far.run("nft", &[&table])?;
        seen.push(until(&pair, &mut process, path, "blackhole")?);
        thread::sleep(Duration::from_secs(2) + phase);
        pair.far.run("nft", &["delete table ip hole"])?;
        over.push(until(&pair, &mut process, path, "ok")?);
    }
    let row = Row { paths, seen: median(seen), over: median(over) };
    println!(
        "{paths} paths: a hole on one of them is seen after {:.2} s, its end after {:.2} s",
        row.seen, row.over
    );
    Ok(row)
}

fn until(pair: &Pair, process: &mut Process, path: usize, verdict: &str) -> Result<f64> {
    let began = Instant::now();
    let labels = [format!("path=\"p{path}\""), format!("verdict=\"{verdict}\"")];
    loop {
        process.must_run()?;
        let asked = Instant::now();
        let text = get(&pair.near, "/metrics")?;
        let mut lines =
            text.lines().filter(|line| line.starts_with("vxlan_path_verdict{") && line.ends_with(" 1"));
        if lines.any(|line| labels.iter().all(|label| line.contains(label))) {
            return Ok(began.elapsed().as_secs_f64());
        }
        ensure!(began.elapsed() < BOUND, "p{path} is not {verdict} after {BOUND:?}: {}", process.log());
        // Looking must not be what the exporter is busy with.
        thread::sleep((asked.elapsed() * 3).max(Duration::from_millis(20)));
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}
