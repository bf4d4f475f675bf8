//! What the exporter costs by number of paths, beside the floor and other tools.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::{
    Plan, Report, capture,
    cost::{self, Cost},
    pair::{Pair, Process, config, first_metrics, get},
    rivals, scrape,
};

/// Paths at which round-trip times and the scrape are measured.
const LARGE: usize = 4000;
/// How long paths may take to be `ok`.
const BOUND: Duration = Duration::from_secs(25);

/// One number of paths.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Row {
    /// Number of paths.
    pub paths: usize,
    /// The exporter: one small and one full-size echo a second and path.
    pub ours: Cost,
    /// The bare loop with the same packets.
    pub floor: Cost,
    /// fping with one small echo a second and path.
    pub fping: Option<Cost>,
    /// `smokeping_prober` with the same.
    pub smokeping: Option<Cost>,
    /// `blackbox_exporter`, asked once a second for each path.
    pub blackbox: Option<Cost>,
    /// Paths with verdict `ok` after the window.
    pub ok: usize,
    /// Seconds until every path had a verdict, if all had one in time.
    pub first: Option<f64>,
    /// Echoes counted as lost in the window.
    pub lost: f64,
    /// Share of packets sent within 5 ms of their time, if the exporter says it.
    pub punctual: Option<f64>,
    /// Resident bytes.
    pub memory: u64,
    /// Series of /metrics.
    pub series: usize,
    /// Seconds of a scrape.
    pub scrape: f64,
}

/// Measures that many paths.
pub fn measure(plan: &Plan, paths: usize, report: &mut Report) -> Result<()> {
    let mut row = Row { paths, ..Row::default() };
    let pair = Pair::new()?;
    ours(plan, &pair, &mut row, report)?;
    let mut command = pair.near.command(&plan.this.display().to_string());
    command.args(["floor", "--paths", &paths.to_string()]);
    let process = pair.start("floor", command)?;
    row.floor = settled(&pair, process, plan)?;
    rivals::measure(plan, &pair, &mut row)?;
    println!("{}", line(&row));
    report.paths.push(row);
    Ok(())
}

/// Watches a tool once it has been running for two seconds.
pub fn settled(pair: &Pair, mut process: Process, plan: &Plan) -> Result<Cost> {
    thread::sleep(Duration::from_secs(2));
    process.must_run()?;
    cost::watch(pair, process.pid(), plan.window / 2)
}

fn ours(plan: &Plan, pair: &Pair, row: &mut Row, report: &mut Report) -> Result<()> {
    let began = Instant::now();
    let mut process = pair.serve(&plan.exporter, &config(row.paths))?;
    let mut text = first_metrics(&pair.near, &mut process)?;
    while began.elapsed() < BOUND {
        if known(&text) == row.paths {
            row.first = Some(began.elapsed().as_secs_f64());
            break;
        }
        thread::sleep(Duration::from_millis(500));
        text = get(&pair.near, "/metrics")?;
    }
    // Proofs and searches of the start end, and the counters of the first seconds are left behind.
    thread::sleep(Duration::from_secs(8).saturating_sub(began.elapsed()) + Duration::from_secs(3));
    let before = get(&pair.near, "/metrics")?;
    row.ours = cost::watch(pair, process.pid(), plan.window)?;
    let asked = Instant::now();
    let after = get(&pair.near, "/metrics")?;
    row.scrape = asked.elapsed().as_secs_f64();
    row.ok = verdicts(&after, |verdict| verdict == "ok");
    row.lost = sum(&after, "vxlan_path_echo_lost_total") - sum(&before, "vxlan_path_echo_lost_total");
    row.punctual = punctual(&before, &after);
    row.memory = cost::memory(process.pid())?;
    row.series = after.lines().filter(|line| !line.starts_with('#')).count();
    if row.paths == LARGE {
        report.scrape = Some(scrape::measure(&pair.near, process.pid(), row.ours.share)?);
        report.rtt = Some(capture::measure(&pair.near, row.paths, plan.window)?);
    }
    process.must_run()
}

/// Paths that have a verdict.
fn known(metrics: &str) -> usize {
    verdicts(metrics, |verdict| verdict != "unknown")
}

fn verdicts(metrics: &str, wanted: impl Fn(&str) -> bool) -> usize {
    let ones = metrics.lines().filter(|line| line.starts_with("vxlan_path_verdict{") && line.ends_with(" 1"));
    let verdicts = ones.filter_map(|line| line.split_once("verdict=\"")?.1.split('"').next());
    verdicts.filter(|verdict| wanted(verdict)).count()
}

/// The sum of a family's series.
pub fn sum(metrics: &str, family: &str) -> f64 {
    let of_family = |line: &&str| line.strip_prefix(family).is_some_and(|rest| rest.starts_with(['{', ' ']));
    let values =
        metrics.lines().filter(of_family).filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok());
    values.sum()
}

/// Share of packets that left within 5 ms of their time, between two scrapes.
pub fn punctual(before: &str, after: &str) -> Option<f64> {
    let soon = |text: &str| {
        let buckets = text.lines().filter(|line| line.starts_with("vxlan_exporter_late_seconds_bucket{"));
        let buckets = buckets.filter(|line| line.contains("le=\"0.005\""));
        buckets.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum::<f64>()
    };
    let all = |text: &str| sum(text, "vxlan_exporter_late_seconds_count");
    let packets = all(after) - all(before);
    (packets > 0.0).then(|| (soon(after) - soon(before)) / packets)
}

fn line(row: &Row) -> String {
    let micros = |cost: &Option<Cost>| cost.map_or("-".to_owned(), |cost| format!("{:.0}", cost.micros));
    format!(
        "{} paths: {:.1} us a packet ({:.0} packets/s, {:.1} % CPU), floor {:.1}, fping {}, smokeping {}, blackbox {}; \
         {} ok, first verdicts {}, {} lost, punctual {}, {:.1} MB, {} series, scrape {:.3} s",
        row.paths,
        row.ours.micros,
        row.ours.rate,
        row.ours.share * 100.0,
        row.floor.micros,
        micros(&row.fping),
        micros(&row.smokeping),
        micros(&row.blackbox),
        row.ok,
        row.first.map_or("not in time".to_owned(), |time| format!("{time:.1} s")),
        row.lost,
        row.punctual.map_or("-".to_owned(), |share| format!("{:.3} %", share * 100.0)),
        cost::megabytes(row.memory),
        row.series,
        row.scrape,
    )
}
