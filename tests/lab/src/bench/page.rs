//! Writes the generated part of docs/performance.md, between two markers, and the plots beside it.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::{Context, Result};

use super::{
    Report,
    cost::{Cost, float, megabytes},
    plot::Plot,
    rows, scale,
};

const BEGIN: &str = "<!-- begin: written by `make bench` -->";
const END: &str = "<!-- end: written by `make bench` -->";

/// Replaces what stands between the markers of that page.
pub fn write(page: &Path, report: &Report) -> Result<()> {
    put(page, &generated(report))?;
    put(&page.with_file_name("scale.md"), &scale::table(report))?;
    let pictures = page.parent().context("the page has a directory")?.join("pictures");
    for (name, plot) in
        [("performance-paths.svg", paths_plot(report)), ("performance-routers.svg", routers_plot(report))]
    {
        if let Some(svg) = plot.svg() {
            fs::write(pictures.join(name), svg)?;
        }
    }
    Ok(())
}

/// Puts a text between the markers of a page.
fn put(page: &Path, part: &str) -> Result<()> {
    let text = fs::read_to_string(page).with_context(|| format!("reading {}", page.display()))?;
    let (before, rest) = text.split_once(BEGIN).context("the page has no beginning of the generated part")?;
    let (_, after) = rest.split_once(END).context("the page has no end of the generated part")?;
    fs::write(page, format!("{before}{BEGIN}\n\n{part}\n{END}{after}"))?;
    Ok(())
}

fn generated(report: &Report) -> String {
    let (measured, good) = rows::score(report);
    let mut text = format!(
        "{}; {}. {good} of {measured} rows are as wanted.\n\n{}\n",
        report.version,
        report.machine,
        rows::table(report)
    );
    text.push_str(&by_paths(report));
    text.push_str(&by_routers(report));
    if !report.functions.is_empty() {
        text.push_str("\n| function | median |\n|---|--:|\n");
        for row in &report.functions {
            let _ = writeln!(text, "| {} | {} |", row.name, time(row.nanos));
        }
    }
    if !report.left_out.is_empty() {
        let _ = writeln!(text, "\nLeft out: {}.", report.left_out.join("; "));
    }
    text
}

fn by_paths(report: &Report) -> String {
    let mut text = "CPU of the whole process in microseconds a packet that reached the targets:\n\n\
         | paths | bare loop | ours | fping | smokeping_prober | blackbox_exporter | our CPU | packets/s | `ok` | lost | memory | series a path | scrape |\n\
         |--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n"
        .to_owned();
    for row in &report.paths {
        let other = |cost: Option<Cost>| cost.map_or(String::new(), |cost| format!("{:.0}", cost.micros));
        let _ = writeln!(
            text,
            "| {} | {:.1} | {:.1} | {} | {} | {} | {:.1} % | {:.0} | {} | {:.0} | {:.1} MB | {:.0} | {:.0} ms |",
            row.paths,
            row.floor.micros,
            row.ours.micros,
            other(row.fping),
            other(row.smokeping),
            other(row.blackbox),
            row.ours.share * 100.0,
            row.ours.rate,
            row.ok,
            row.lost,
            megabytes(row.memory),
            float(row.series) / float(row.paths),
            row.scrape * 1e3
        );
    }
    text
}

fn by_routers(report: &Report) -> String {
    if report.routers.is_empty() {
        return String::new();
    }
    let mut text =
        "\n| routers | each | all read after | CPU a read | bare `ssh2` | memory | bare `ssh2` |\n\
                    |--:|--:|--:|--:|--:|--:|--:|\n"
            .to_owned();
    for row in &report.routers {
        let _ = writeln!(
            text,
            "| {} | {} s | {:.1} s | {:.2} ms | {:.2} ms | {:.1} MB | {:.1} MB |",
            row.routers,
            row.interval,
            row.first,
            row.ours * 1e3,
            row.bare * 1e3,
            megabytes(row.memory),
            megabytes(row.bare_memory)
        );
    }
    text
}

fn paths_plot(report: &Report) -> Plot {
    let cost = |of: &dyn Fn(&super::paths::Row) -> Option<f64>| -> Vec<(f64, f64)> {
        report.paths.iter().filter_map(|row| Some((float(row.paths), of(row)?))).collect()
    };
    Plot {
        title: "CPU of a packet in microseconds, memory of a path in kB",
        below: "paths",
        lines: vec![
            ("ours".to_owned(), cost(&|row| Some(row.ours.micros))),
            ("bare loop".to_owned(), cost(&|row| Some(row.floor.micros))),
            ("fping".to_owned(), cost(&|row| row.fping.map(|cost| cost.micros))),
            ("smokeping_prober".to_owned(), cost(&|row| row.smokeping.map(|cost| cost.micros))),
            ("blackbox_exporter".to_owned(), cost(&|row| row.blackbox.map(|cost| cost.micros))),
            (
                "memory, kB a path".to_owned(),
                cost(&|row| Some(megabytes(row.memory) * 1e3 / float(row.paths))),
            ),
        ],
    }
}

fn routers_plot(report: &Report) -> Plot {
    let points = |of: &dyn Fn(&super::routers::Row) -> f64| -> Vec<(f64, f64)> {
        report.routers.iter().map(|row| (float(row.routers), of(row))).collect()
    };
    Plot {
        title: "CPU of a read in milliseconds, memory of a router in MB",
        below: "routers",
        lines: vec![
            ("ours, CPU".to_owned(), points(&|row| row.ours * 1e3)),
            ("bare ssh2, CPU".to_owned(), points(&|row| row.bare * 1e3)),
            ("ours, memory".to_owned(), points(&|row| megabytes(row.memory) / float(row.routers))),
            ("bare ssh2, memory".to_owned(), points(&|row| megabytes(row.bare_memory) / float(row.routers))),
        ],
    }
}

fn time(nanos: f64) -> String {
    match nanos {
        ..1e3 => format!("{nanos:.0} ns"),
        ..1e6 => format!("{:.1} us", nanos / 1e3),
        _ => format!("{:.1} ms", nanos / 1e6),
    }
}
