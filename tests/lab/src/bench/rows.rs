//! The table: what is wanted, and what was reached.

use std::fmt::Write as _;

use super::{
    Report,
    cost::{float, megabytes},
    paths::Row,
};

/// A line of the table.
struct Line {
    what: String,
    reach: &'static str,
    reached: String,
    /// Whether it is as wanted; `None` if it was not measured.
    good: Option<bool>,
}

/// The table in Markdown.
pub fn table(report: &Report) -> String {
    let mut text = "| what | wanted | reached | |\n|---|---|---|---|\n".to_owned();
    for line in lines(report) {
        let mark = line.good.map_or("not measured", |good| if good { "yes" } else { "**no**" });
        let _ = writeln!(text, "| {} | {} | {} | {mark} |", line.what, line.reach, line.reached);
    }
    text
}

/// How many rows were measured, and how many of them are as wanted.
pub fn score(report: &Report) -> (usize, usize) {
    let marks: Vec<bool> = lines(report).into_iter().filter_map(|line| line.good).collect();
    (marks.len(), marks.iter().filter(|good| **good).count())
}

fn lines(report: &Report) -> Vec<Line> {
    let mut lines = cpu(report);
    lines.extend(punctual(report));
    lines.push(rtt(report));
    lines.push(first_verdict(report));
    lines.push(memory(report));
    lines.push(scrape(report));
    lines.extend(routers(report));
    lines.push(questions(report));
    lines.push(holes(report));
    lines.extend(sizes(report));
    lines
}

fn at(report: &Report, paths: usize) -> Option<&Row> {
    report.paths.iter().find(|row| row.paths == paths)
}

fn line(what: &str, reach: &'static str, measured: Option<(String, bool)>) -> Line {
    let (reached, good) = measured.map_or((String::new(), None), |(reached, good)| (reached, Some(good)));
    Line { what: what.to_owned(), reach, reached, good }
}

fn cpu(report: &Report) -> Vec<Line> {
    let mut lines = Vec::new();
    for (paths, reach, most) in
        [(100, "<= 3x the floor", 3.0), (1000, "<= 2x", 2.0), (4000, "<= 2x", 2.0), (10_000, "<= 2x", 2.0)]
    {
        let measured = at(report, paths).map(|row| {
            let ratio = row.ours.micros / row.floor.micros;
            let all = row.ours.rate / float(paths * 2);
            (
                format!(
                    "{ratio:.1}x: {:.1} us, the floor {:.1}; {:.1} % of the packets due",
                    row.ours.micros,
                    row.floor.micros,
                    all * 100.0
                ),
                ratio <= most && all > 0.99,
            )
        });
        lines.push(line(&format!("CPU a packet at {paths} paths"), reach, measured));
    }
    let few: Option<Vec<f64>> =
        [1000, 4000, 10_000].iter().map(|paths| at(report, *paths).map(|row| row.ours.micros)).collect();
    let flat = few.map(|micros| {
        let (least, most) = micros
            .iter()
            .fold((f64::MAX, 0.0_f64), |(least, most), value| (least.min(*value), most.max(*value)));
        let steepest = micros.windows(2).map(|pair| pair[1] / pair[0]).fold(0.0, f64::max);
        (format!("{least:.1} to {most:.1} us; the steepest step up x{steepest:.2}"), steepest <= 1.2)
    });
    lines.push(line("CPU a packet from 1,000 to 10,000 paths", "flat within 20 %: it does not rise", flat));
    lines
}

fn punctual(report: &Report) -> Vec<Line> {
    let rows = |paths: usize| report.together.iter().find(|row| row.paths == paths);
    let mut lines = Vec::new();
    for (paths, what) in [(4000, "8,000 packets/s"), (10_000, "20,000 packets/s")] {
        let measured = rows(paths).map(|row| {
            let share = row.punctual.map_or("unknown".to_owned(), |share| format!("{:.2} %", share * 100.0));
            (
                format!(
                    "{share}; {} lost, {} void, {:.0} packets/s sent, slowest scrape {:.2} s; all cores {:.0} % in use, of \
                     one core {:.0} % by the exporter",
                    row.lost,
                    row.void,
                    row.cost.rate,
                    row.slowest,
                    row.busy * 100.0,
                    row.cost.share * 100.0
                ),
                row.lost < 0.5 && row.punctual.is_some_and(|share| share >= 0.999),
            )
        });
        let what = format!("{what} within 5 ms of their time, /metrics each second, 500 routers");
        lines.push(line(&what, "99.9 %; 0 lost of our own making", measured));
    }
    lines
}

fn rtt(report: &Report) -> Line {
    let measured = report.rtt.map(|row| {
        let micros = |seconds: f64| seconds * 1e6;
        (
            format!(
                "median {:.1} us, p99 {:.1} us over {} paths; the kernel's median round trip is {:.0} us",
                micros(row.median),
                micros(row.p99),
                row.paths,
                micros(row.kernel)
            ),
            row.median < 5e-6 && row.p99 < 50e-6,
        )
    });
    line(
        "mean RTT of a path against kernel timestamps, 4,000 paths",
        "median error < 5 us, p99 < 50 us",
        measured,
    )
}

fn first_verdict(report: &Report) -> Line {
    let measured = at(report, 4000).map(|row| {
        let words = row.first.map_or("not within 25 s".to_owned(), |time| format!("{time:.1} s"));
        (format!("{words}; {} `ok` at the end", row.ok), row.first.is_some_and(|time| time <= 10.0))
    });
    line("first verdict of 4,000 paths", "all within 10 s", measured)
}

fn memory(report: &Report) -> Line {
    let few = at(report, 10);
    let each = |paths: usize| {
        let (few, many) = (few?, at(report, paths)?);
        Some((megabytes(many.memory) - megabytes(few.memory)) * 1e3 / float(paths - few.paths))
    };
    let measured = each(1000).zip(each(10_000)).zip(few).map(|((thousand, ten), few)| {
        let base = megabytes(few.memory);
        (
            format!("{thousand:.1} kB at 1,000, {ten:.1} kB at 10,000; process with 10 paths {base:.1} MB"),
            thousand <= 20.0 && ten <= 20.0 && base <= 12.2,
        )
    });
    line("memory a path", "<= 20 kB; process <= 12 MB + that", measured)
}

fn scrape(report: &Report) -> Line {
    let measured = report.scrape.map(|row| {
        let ratio = row.cpu / row.encoder;
        (
            format!(
                "{:.0} ms over HTTP; {:.0} ms of CPU, {ratio:.2}x the encoder's {:.0} ms, which sends nothing; {:.1} MB, {:.0} series a path",
                row.ours * 1e3,
                row.cpu * 1e3,
                row.encoder * 1e3,
                float(row.bytes) / 1e6,
                float(row.series) / 4000.0
            ),
            ratio <= 0.35 && row.ours <= 0.1,
        )
    });
    line("/metrics at 4,000 paths", "<= 0.35x the `prometheus` crate's TextEncoder; <= 100 ms", measured)
}

fn routers(report: &Report) -> Vec<Line> {
    let at = |routers: usize| report.routers.iter().find(|row| row.routers == routers);
    let memory = at(500).map(|row| {
        let (ours, bare) = (megabytes(row.memory), megabytes(row.bare_memory));
        (format!("{ours:.1} MB; bare sessions {bare:.1} MB"), ours <= bare * 1.3 + 20.0)
    });
    let cpu = at(500).map(|row| {
        let ratio = row.ours / row.bare;
        (format!("{ratio:.2}x: {:.2} ms a read, bare {:.2} ms", row.ours * 1e3, row.bare * 1e3), ratio <= 1.3)
    });
    let first = at(100).map(|row| (format!("{:.1} s", row.first), row.first <= 5.0));
    vec![
        line(
            "500 routers x 4 vxlan x 200 fdb entries, each 30 s: CPU",
            "<= 1.3x `ssh2` running the same command and discarding its output",
            cpu,
        ),
        line("the same: memory", "<= bare sessions x 1.3 + 20 MB", memory),
        line("first full picture of 100 routers", "<= 5 s", first),
    ]
}

fn questions(report: &Report) -> Line {
    let measured = report.questions.map(|row| {
        (
            format!(
                "at most {} for the usual MTUs of tunnels; of any MTU from 576 on half take at most {}, the worst {}",
                row.usual, row.median, row.worst
            ),
            row.usual <= 9 && row.worst <= 16,
        )
    });
    line(
        "sizes asked about to find the exact MTU after a hole, no loss (simulated)",
        "<= 9 typical, <= 16 at worst, beyond proof",
        measured,
    )
}

fn holes(report: &Report) -> Line {
    let rows: Vec<String> = report
        .holes
        .iter()
        .map(|row| format!("{:.1} s, {:.1} s at {}", row.seen, row.over, row.paths))
        .collect();
    // The interval is 1 s, the timeout on this network 0.2 s.
    let good = report.holes.iter().all(|row| row.seen <= 1.7 && row.over <= 1.7);
    let measured = (!rows.is_empty()).then(|| (rows.join("; "), good));
    line(
        "a hole seen, its end seen: medians by number of paths",
        "<= 1.5 intervals + timeout (1.7 s)",
        measured,
    )
}

fn sizes(report: &Report) -> Vec<Line> {
    let row = |what, reach, bytes: Option<u64>, most: f64| {
        let measured = bytes.map(megabytes).map(|size| (format!("{size:.1} MB"), size < most));
        line(what, reach, measured)
    };
    vec![
        row("binary, stripped", "< 12 MB", report.binary, 12.0),
        row("image, packed", "< 8 MB", report.image, 8.0),
    ]
}
