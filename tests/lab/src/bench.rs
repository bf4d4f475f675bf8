//! `make bench`: what the exporter costs, beside the least that the same packets can cost and beside
//! other tools, in one run on this machine. The page docs/performance.md is written from its report.
//!
//! Two network namespaces are joined by a veth, and every target answers. All tools are measured
//! from outside in the same way: CPU by the clock of their process, packets by the far namespace's
//! kernel. So the ratios are worth more than the figures.

pub mod blackbox;
pub mod capture;
pub mod cost;
pub mod floor;
pub mod functions;
pub mod hole;
pub mod page;
pub mod pair;
pub mod paths;
pub mod plot;
pub mod questions;
pub mod rivals;
pub mod routers;
pub mod rows;
pub mod rules;
pub mod scale;
pub mod scrape;
pub mod sessions;
pub mod together;

use std::{path::PathBuf, time::Duration};

use anyhow::Result;
use serde::{Deserialize, Serialize};

/// What to measure.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The exporter.
    pub exporter: PathBuf,
    /// This program, to run the floor and the bare sessions as processes of their own.
    pub this: PathBuf,
    /// Numbers of paths.
    pub paths: Vec<usize>,
    /// Numbers of routers.
    pub routers: Vec<usize>,
    /// Numbers of paths beside 500 routers and a scrape each second.
    pub together: Vec<usize>,
    /// Numbers of paths that a Prometheus scrapes.
    pub rules: Vec<usize>,
    /// Numbers of paths beside a hole.
    pub holes: Vec<usize>,
    /// How long each is watched.
    pub window: Duration,
}

/// Everything that was measured.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Report {
    /// CPU, kernel and load of the machine.
    pub machine: String,
    /// The exporter's version and commit.
    pub version: String,
    /// Bytes of the stripped binary.
    pub binary: Option<u64>,
    /// Bytes of the packed image, if it was built.
    pub image: Option<u64>,
    /// By number of paths.
    pub paths: Vec<paths::Row>,
    /// Paths beside 500 routers.
    pub together: Vec<together::Row>,
    /// By number of routers.
    pub routers: Vec<routers::Row>,
    /// What Prometheus needs.
    pub rules: Option<rules::Row>,
    /// Time until a hole is seen.
    pub holes: Vec<hole::Row>,
    /// Sizes asked about to find an exact MTU.
    #[serde(default)]
    pub questions: Option<questions::Row>,
    /// Time of one scrape beside the `prometheus` crate.
    pub scrape: Option<scrape::Row>,
    /// Round-trip times beside the kernel's.
    pub rtt: Option<capture::Row>,
    /// What criterion measured.
    pub functions: Vec<functions::Row>,
    /// What was not measured, and why.
    pub left_out: Vec<String>,
}

/// Measures everything that the plan names.
pub fn run(plan: &Plan) -> Result<Report> {
    let mut report =
        Report { machine: cost::machine(), version: cost::version(&plan.exporter), ..Report::default() };
    rivals::look(&mut report.left_out);
    for count in &plan.paths {
        paths::measure(plan, *count, &mut report)?;
    }
    for count in &plan.routers {
        report.routers.push(routers::measure(plan, *count)?);
    }
    for count in &plan.together {
        report.together.push(together::measure(plan, *count)?);
    }
    for count in &plan.rules {
        report.rules = rules::measure(plan, *count)?;
    }
    for count in &plan.holes {
        report.holes.push(hole::measure(plan, *count)?);
    }
    Ok(report)
}

impl Report {
    /// Keeps of an earlier run what this one did not measure.
    #[must_use]
    pub fn over(mut self, before: Self) -> Self {
        keep(&mut self.paths, before.paths, |row| row.paths);
        keep(&mut self.together, before.together, |row| row.paths);
        keep(&mut self.routers, before.routers, |row| row.routers);
        keep(&mut self.holes, before.holes, |row| row.paths);
        self.rules = self.rules.or(before.rules);
        self.questions = self.questions.or(before.questions);
        self.scrape = self.scrape.or(before.scrape);
        self.rtt = self.rtt.or(before.rtt);
        self.binary = self.binary.or(before.binary);
        self.image = self.image.or(before.image);
        if self.functions.is_empty() {
            self.functions = before.functions;
        }
        self
    }
}

/// Adds the rows whose number was not measured again.
fn keep<T>(rows: &mut Vec<T>, before: Vec<T>, number: impl Fn(&T) -> usize) {
    let measured: Vec<usize> = rows.iter().map(&number).collect();
    rows.extend(before.into_iter().filter(|row| !measured.contains(&number(row))));
    rows.sort_by_key(number);
}
