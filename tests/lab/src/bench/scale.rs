//! The generated part of docs/scale.md: what follows from the figures for 100, 10,000 and 1,000,000
//! paths.

use std::fmt::Write as _;

use super::{
    Report,
    cost::{float, megabytes},
    paths, rules,
};

/// Paths of one exporter, the most that is measured.
const EACH: usize = 10_000;
/// Series of one Prometheus. Larger ones exist; beyond this, one is usually divided.
const MOST_SERIES: f64 = 5e6;
/// Seconds between two scrapes and two evaluations.
const INTERVAL: f64 = 30.0;
/// Bytes of IP packet a second and path, each way: a small echo and a full-size packet.
const BYTES: f64 = 1500.0 + 44.0;

/// The table; a sentence if too little was measured.
pub fn table(report: &Report) -> String {
    let measured = report.paths.iter().find(|row| row.paths == EACH).zip(report.rules.as_ref());
    let Some((row, rules)) = measured else {
        return "Not measured yet: `make bench` measures 10,000 paths and the rules.\n".to_owned();
    };
    let mut text = format!(
        "Measured with {EACH} paths: {:.0} % of one core, {:.0} MB, {:.1} series a path. Prometheus: {:.1} kB a series, {:.2} s to scrape, {:.2} s to \
         evaluate all rules of `alerts/` once.\n\n",
        row.ours.share * 100.0,
        megabytes(row.memory),
        float(row.series) / float(row.paths),
        megabytes(rules.memory) * 1e3 / rules.series,
        rules.scrape,
        rules.evaluation()
    );
    text.push_str("| | 100 paths | 10,000 paths | 1,000,000 paths |\n|---|--:|--:|--:|\n");
    for (what, of) in rows() {
        let _ = write!(text, "| {what} ");
        for paths in [100, 10_000, 1_000_000] {
            let _ = write!(text, "| {} ", of(paths, row, rules));
        }
        text.push_str("|\n");
    }
    text
}

type Cell = fn(usize, &paths::Row, &rules::Row) -> String;

fn rows() -> Vec<(&'static str, Cell)> {
    vec![
        ("exporters (shards) of 10,000 paths", |paths, _, _| exporters(paths).to_string()),
        ("CPU of all exporters, cores", |paths, row, _| {
            format!("{:.2}", row.ours.share * float(paths) / float(row.paths))
        }),
        ("memory of all exporters", |paths, row, _| {
            // The program itself, and what a path adds.
            let base = 12.0;
            let each = (megabytes(row.memory) - base) / float(row.paths);
            size(float(exporters(paths)) * base + each * float(paths))
        }),
        ("series", |paths, row, _| count(series(paths, row))),
        ("samples a second, scraped each 30 s", |paths, row, _| count(series(paths, row) / INTERVAL)),
        ("memory of Prometheus", |paths, row, rules| {
            let total = series(paths, row) * rules.series / rules.samples;
            size(megabytes(rules.memory) * total / rules.series)
        }),
        ("servers of Prometheus with 5 million series each", |paths, row, _| {
            format!("{:.0}", (series(paths, row) / MOST_SERIES).ceil())
        }),
        ("evaluation of all rules once, of 30 s", |paths, _, rules| {
            format!("{:.2} s", rules.evaluation() * float(paths) / float(rules.paths))
        }),
        ("probes each way", |paths, _, _| {
            let bits = BYTES * 8.0 * float(paths);
            if bits < 1e9 { format!("{:.1} Mbit/s", bits / 1e6) } else { format!("{:.1} Gbit/s", bits / 1e9) }
        }),
    ]
}

fn exporters(paths: usize) -> usize {
    paths.div_ceil(EACH)
}

fn series(paths: usize, row: &paths::Row) -> f64 {
    float(row.series) * float(paths) / float(row.paths)
}

fn count(number: f64) -> String {
    match number {
        ..1e4 => format!("{number:.0}"),
        ..1e6 => format!("{:.0} k", number / 1e3),
        _ => format!("{:.1} M", number / 1e6),
    }
}

fn size(megabytes: f64) -> String {
    if megabytes < 1000.0 { format!("{megabytes:.0} MB") } else { format!("{:.1} GB", megabytes / 1e3) }
}
