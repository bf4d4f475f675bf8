//! What Prometheus needs for many paths: samples, memory, and the evaluation of the rules in
//! alerts/.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::{
    Plan, cost,
    pair::{Pair, config, first_metrics, get_at},
};
use crate::metrics::Metrics;

const PROMETHEUS: &str = "/usr/bin/prometheus";
const PORT: u16 = 9090;
/// Scrapes and evaluations are twice as frequent as in production, to have a history soon.
const INTERVAL: u64 = 15;
/// Time that Prometheus runs.
const WATCHED: Duration = Duration::from_secs(80);

/// What was measured.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Row {
    /// Number of paths.
    pub paths: usize,
    /// Samples of a scrape.
    pub samples: f64,
    /// Seconds that Prometheus needs to scrape and store them.
    pub scrape: f64,
    /// Seconds of the last evaluation, by group.
    pub groups: BTreeMap<String, f64>,
    /// Series that Prometheus holds, with those of the rules.
    pub series: f64,
    /// Resident bytes of Prometheus.
    pub memory: u64,
    /// Share of one core that Prometheus uses.
    pub share: f64,
}

impl Row {
    /// Seconds of one evaluation of all groups.
    pub fn evaluation(&self) -> f64 {
        self.groups.values().sum()
    }
}

/// Lets Debian's Prometheus scrape an exporter with that many paths and evaluate the rules; nothing
/// if it is not installed.
pub fn measure(plan: &Plan, paths: usize) -> Result<Option<Row>> {
    if !Path::new(PROMETHEUS).exists() {
        return Ok(None);
    }
    let pair = Pair::new()?;
    let mut exporter = pair.serve(&plan.exporter, &config(paths))?;
    first_metrics(&pair.near, &mut exporter)?;
    // All paths have their verdict before the first scrape.
    thread::sleep(Duration::from_secs(15));
    let file = pair.file("prometheus.yml");
    fs::write(&file, settings())?;
    let mut command = pair.near.command(PROMETHEUS);
    command
        .arg(format!("--config.file={}", file.display()))
        .arg(format!("--storage.tsdb.path={}", pair.file("prometheus").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{PORT}"))
        .arg("--log.level=error");
    let mut prometheus = pair.start("prometheus", command)?;
    let (began, used) = (Instant::now(), cost::cpu(prometheus.pid())?);
    thread::sleep(WATCHED);
    prometheus.must_run()?;
    exporter.must_run()?;
    let share =
        cost::cpu(prometheus.pid())?.saturating_sub(used).as_secs_f64() / began.elapsed().as_secs_f64();
    let own = Metrics::parse(&get_at(&pair.near, PORT, "/metrics")?);
    let groups = own.all("prometheus_rule_group_last_duration_seconds", &[]).map(|series| {
        let name = series.labels.get("rule_group").map_or("", String::as_str);
        (name.rsplit(';').next().unwrap_or_default().to_owned(), series.value)
    });
    let row = Row {
        paths,
        samples: query(&pair, "scrape_samples_scraped")?,
        scrape: query(&pair, "scrape_duration_seconds")?,
        groups: groups.collect(),
        series: own.value("prometheus_tsdb_head_series", &[]).context("no number of series")?,
        memory: cost::memory(prometheus.pid())?,
        share,
    };
    println!(
        "Prometheus with {paths} paths: {} samples in {:.2} s, rules {:.2} s, {:.0} MB, {:.1} % CPU",
        row.samples,
        row.scrape,
        row.evaluation(),
        cost::megabytes(row.memory),
        share * 100.0
    );
    Ok(Some(row))
}

fn settings() -> String {
    let interval = format!("{INTERVAL}s");
    serde_json::json!({
        "global": { "scrape_interval": interval, "evaluation_interval": interval },
        "rule_files": [crate::project("alerts/*.yml")],
        "scrape_configs": [{
            "job_name": "vxlan-exporter",
            "static_configs": [{ "targets": ["127.0.0.1:14789"] }],
        }],
    })
    .to_string()
}

/// The value of a query with one result.
fn query(pair: &Pair, query: &str) -> Result<f64> {
    let answer = get_at(&pair.near, PORT, &format!("/api/v1/query?query={query}"))?;
    let answer: serde_json::Value = serde_json::from_str(&answer)?;
    let value = answer["data"]["result"][0]["value"][1].as_str().with_context(|| format!("no {query}"))?;
    Ok(value.parse()?)
}
