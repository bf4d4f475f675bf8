//! The soak: three routers, two hundred paths of which half lead nowhere, eight routers that fail,
//! and a script that breaks and mends things. Meanwhile there are scrapers, slow clients, reloads
//! and forged packets. Everything that the exporter reports is compared with the script.
//! `tests/kernel/soak.rs` is the short form, `make soak` the long one.

mod growth;
mod hammer;
mod held;
pub mod legs;
mod schedule;
mod watch;
mod world;

use std::{
    fmt::Write as _,
    path::Path,
    sync::atomic::Ordering,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, ensure};

use crate::{exporter::Exporter, numbers::Place};
use growth::Sample;
use hammer::Hammers;
use held::Counts;
use schedule::{Act, LIVE, PATHS, Schedule};
use watch::{Findings, Watch};
use world::World;

const LOOK: Duration = Duration::from_secs(1);
/// Windows of 300 s are full by then.
const SETTLED: Duration = Duration::from_mins(5);
/// The least number of each kind of thread and file is taken over this part of the run: long enough
/// that no single hanging router holds its thread throughout.
const STRETCH: u32 = 10;
/// The exporter counts as starved if its threads have waited for a CPU this long within
/// [`STARVED_WITHIN`]. Then it may report that it could not hear answers. It does so for a path
/// after ten echoes in a row, two a second at most, during which it was 100 ms late or more
/// (`src/probe/punctual.rs`).
const STARVED: Duration = Duration::from_secs(1);
/// The window of [`STARVED`].
const STARVED_WITHIN: Duration = Duration::from_secs(10);
const MIB: f64 = 1024.0 * 1024.0;

/// What was measured.
#[derive(Debug)]
pub struct Report {
    length: Duration,
    seed: u64,
    /// What must not have happened.
    pub findings: Findings,
    looked_at: u64,
    acts: usize,
    answered: u64,
    /// Requests that were not answered with 200.
    pub failed: u64,
    forged: u64,
    samples: Vec<Sample>,
    cpu: f64,
}

/// Runs the soak for this long.
pub fn run(binary: &Path, length: Duration, seed: u64) -> Result<Report> {
    let world = World::raise()?;
    let mut exporter = Exporter::start(&world.lab, binary)?;
    let script = Schedule::new(seed, length);
    let hammers = Hammers::start(&world, seed)?;
    let sites = Place::ALL.map(|place| world.lab.numbers.site(place).router.to_owned());
    let mut watch = Watch::new(&script, sites);
    let mut samples = Vec::new();
    let began = Instant::now();
    let mut changes = changes(&script).into_iter().peekable();
    let mut acts = 0;
    while began.elapsed() < length {
        exporter.must_run()?;
        while changes.peek().is_some_and(|(at, _)| *at <= began.elapsed()) {
            let (_, change) = changes.next().context("a change")?;
            acts += 1;
            apply(&world, &hammers, &script, change)?;
        }
        let asked = began.elapsed();
        let waited = growth::waited_lately(&samples, STARVED_WITHIN);
        match read(&world) {
            Ok(text) => watch.look(&text, (asked, began.elapsed()), waited >= STARVED),
            Err(error) => {
                watch.findings.wrong.insert(format!("{} s: {error:#}", asked.as_secs()));
            }
        }
        samples.push(Sample::take(exporter.pid(), began.elapsed())?);
        thread::sleep((asked + LOOK).saturating_sub(began.elapsed()));
    }
    let cpu = cpu(&exporter.get("/metrics")?);
    let tally = std::sync::Arc::clone(&hammers.tally);
    hammers.stop();
    let count = |of: &std::sync::atomic::AtomicU64| of.load(Ordering::Relaxed);
    let Watch { findings, looked_at, .. } = watch;
    Ok(Report {
        length,
        seed,
        findings,
        looked_at,
        acts,
        answered: count(&tally.answered),
        failed: count(&tally.failed),
        forged: count(&tally.forged),
        samples,
        cpu,
    })
}

/// One scrape, by a patient client.
fn read(world: &World) -> Result<String> {
    let asking = world::inside(world.lab.vantage(), || hammer::get("/metrics"))?;
    let answer = asking.join().map_err(|_| anyhow!("the client panicked"))??;
    let (head, body) = answer.split_once("\r\n\r\n").context("no answer")?;
    ensure!(head.starts_with("HTTP/1.0 200"), "{head}");
    Ok(body.to_owned())
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Begin(usize),
    End(usize),
    Act(Act),
}

fn changes(script: &Schedule) -> Vec<(Duration, Change)> {
    let faults = script.faults.iter().enumerate();
    let faults = faults.flat_map(|(n, fault)| [(fault.begin, Change::Begin(n)), (fault.end, Change::End(n))]);
    let mut changes: Vec<_> =
        faults.chain(script.acts.iter().map(|(at, act)| (*at, Change::Act(*act)))).collect();
    changes.sort_by_key(|(at, _)| *at);
    changes
}

fn apply(world: &World, hammers: &Hammers, script: &Schedule, change: Change) -> Result<()> {
    let (fault, on) = match change {
        Change::Act(Act::Flood(on)) => {
            hammers.tally.flood.store(on, Ordering::Relaxed);
            return Ok(());
        }
        Change::Act(act) => return world.act(act),
        Change::Begin(fault) => (fault, true),
        Change::End(fault) => (fault, false),
    };
    script.faults[fault].wrong.iter().try_for_each(|(wrong, paths)| world.set(*wrong, paths, on))
}

fn cpu(text: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix("process_cpu_seconds_total "));
    line.and_then(|value| value.parse().ok()).unwrap_or_default()
}

impl Report {
    fn first(&self) -> Vec<&Sample> {
        let from = SETTLED.min(self.length / 3);
        growth::between(&self.samples, from, from + self.stretch())
    }

    fn stretch(&self) -> Duration {
        (self.length / STRETCH).max(Duration::from_secs(40))
    }

    fn last(&self) -> Vec<&Sample> {
        growth::between(&self.samples, self.length.saturating_sub(self.stretch()), self.length)
    }

    /// For each kind of thread and of open file: what was held when everything had settled, and
    /// what is held at the end.
    fn held(&self) -> [(&'static str, Counts, Counts); 2] {
        let least =
            |of: fn(&Sample) -> &Counts| (growth::least(&self.first(), of), growth::least(&self.last(), of));
        let (threads, files) = (least(|sample| &sample.threads), least(|sample| &sample.files));
        [("thread", threads.0, threads.1), ("open file", files.0, files.1)]
    }

    /// Those of which more is held than may be, as text.
    pub fn kept(&self) -> Vec<String> {
        self.more(|name, had, has| has > held::may_be(name, had))
    }

    fn more(&self, only: impl Fn(&str, usize, usize) -> bool) -> Vec<String> {
        let held = self.held();
        let more = held.iter().flat_map(|(what, first, last)| {
            held::more(first, last).map(move |(name, had, has)| (what, name, had, has))
        });
        more.filter(|(_, name, had, has)| only(name, *had, *has))
            .map(|(what, name, had, has)| {
                format!("{what} \"{name}\": {had}, then {has}, {} may be", held::may_be(name, had))
            })
            .collect()
    }

    /// Growth of memory in MiB per minute; `None` if it ran for less than ten minutes.
    pub fn slope(&self) -> Option<f64> {
        let settled = growth::between(&self.samples, SETTLED, self.length);
        (self.length >= SETTLED * 2).then(|| growth::slope(&settled) * 60.0 / MIB)
    }

    /// The most memory it ever held, in MiB.
    pub fn most_memory(&self) -> f64 {
        self.samples.iter().map(|sample| sample.memory).fold(0.0, f64::max) / MIB
    }

    fn waited(&self) -> Duration {
        self.samples.last().map_or(Duration::ZERO, |sample| sample.waited)
    }

    /// Memory in MiB, as the mean of each minute.
    fn by_the_minute(&self) -> String {
        let minutes = 0..self.length.as_secs() / 60;
        let mean = |minute: u64| {
            let from = Duration::from_secs(minute * 60);
            let samples = growth::between(&self.samples, from, from + Duration::from_mins(1));
            let count = f64::from(u32::try_from(samples.len()).unwrap_or(u32::MAX)).max(1.0);
            format!("{:.1}", samples.iter().map(|sample| sample.memory).sum::<f64>() / count / MIB)
        };
        minutes.map(mean).collect::<Vec<_>>().join(" ")
    }

    /// The table and the findings as text.
    pub fn table(&self) -> String {
        let Findings { wrong, missed, lost, decreases, kinds, lost_at, starved } = &self.findings;
        let [threads, files] = self.held().map(|(_, first, last)| {
            [&first, &last].map(|counts| counts.values().sum::<usize>().to_string()).join(", ")
        });
        let memory = |samples: &[&Sample]| {
            samples.iter().map(|sample| sample.memory).fold(f64::INFINITY, f64::min) / MIB
        };
        let slope = self.slope().map_or("not measured".to_owned(), |slope| format!("{slope:+.3} MiB/min"));
        let rows = [
            ("length, seed", format!("{} s, {}", self.length.as_secs(), self.seed)),
            ("paths, of these live", format!("{PATHS}, {LIVE}")),
            ("changes by the script", self.acts.to_string()),
            ("verdicts looked at", self.looked_at.to_string()),
            ("false verdicts", wrong.len().to_string()),
            ("missed", missed.len().to_string()),
            ("not told for want of CPU", starved.to_string()),
            ("echoes lost by us", format!("{:.0}", lost.values().fold(0.0, |sum, lost| sum + lost))),
            ("counters that went back", decreases.len().to_string()),
            ("requests answered, not", format!("{}, {}", self.answered, self.failed)),
            ("forged packets", self.forged.to_string()),
            ("threads settled, end", threads),
            ("open files settled, end", files),
            (
                "memory settled, end, most",
                format!(
                    "{:.1}, {:.1}, {:.1} MiB",
                    memory(&self.first()),
                    memory(&self.last()),
                    self.most_memory()
                ),
            ),
            ("memory by the minute", self.by_the_minute()),
            ("waited for a CPU", format!("{:.0} s, its threads together", self.waited().as_secs_f64())),
            ("memory slope after 5 min", slope),
            ("CPU", format!("{:.1} % of one core", self.cpu * 100.0 / self.length.as_secs_f64())),
        ];
        let mut table = String::new();
        for (what, value) in rows {
            let _ = writeln!(table, "{what:<28}{value}");
        }
        for (kind, times) in kinds {
            let _ = writeln!(table, "FALSE, BY KIND: {kind}: {times}");
        }
        for (at, count) in lost_at {
            let _ = writeln!(table, "LOST AT: {at} s: {count}");
        }
        for line in self.more(|_, _, _| true) {
            let _ = writeln!(table, "MORE AT THE END: {line}");
        }
        for (what, lines) in [("FALSE", wrong), ("MISSED", missed), ("WENT BACK", decreases)] {
            for line in lines.iter().take(20) {
                let _ = writeln!(table, "{what}: {line}");
            }
        }
        for (path, count) in lost.iter().take(20) {
            let _ = writeln!(table, "LOST: {path}: {count}");
        }
        table
    }

    /// Whether there are no findings.
    pub fn is_clean(&self) -> bool {
        let Findings { wrong, missed, lost, decreases, .. } = &self.findings;
        wrong.is_empty()
            && missed.is_empty()
            && lost.is_empty()
            && decreases.is_empty()
            && self.failed == 0
            && self.kept().is_empty()
    }
}
