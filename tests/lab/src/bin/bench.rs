//! `bench`: what the exporter costs, beside the least that it can cost and beside other tools.
//! Writes docs/performance.md. See `lab::bench`.

use std::{fs, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use lab::bench::{self, Plan, floor, page, sessions};

/// Measures the exporter
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Measure everything and write the page
    All(Box<All>),
    /// The bare loop; runs until it is ended
    Floor {
        /// Number of targets
        #[arg(long)]
        paths: usize,
    },
    /// Bare ssh2 sessions
    Sessions {
        /// Number of routers
        #[arg(long)]
        routers: usize,
        /// Seconds in which each is read once
        #[arg(long)]
        interval: u64,
        /// File with the command to run
        #[arg(long)]
        script: PathBuf,
        /// Private key
        #[arg(long)]
        key: PathBuf,
    },
}

#[derive(Debug, Args)]
struct All {
    /// The exporter; by default the one beside this command
    #[arg(long, value_name = "FILE")]
    exporter: Option<PathBuf>,
    /// Numbers of paths; none with an empty text, as in the other lists
    #[arg(long, default_value = "10,100,1000,4000,10000")]
    paths: String,
    /// Numbers of routers
    #[arg(long, default_value = "1,10,100,500,1000")]
    routers: String,
    /// Numbers of paths beside 500 routers and a scrape each second
    #[arg(long, default_value = "4000,10000")]
    together: String,
    /// Number of paths that a Prometheus scrapes, with the rules
    #[arg(long, default_value = "10000")]
    rules: String,
    /// Numbers of paths beside a hole
    #[arg(long, default_value = "1,100,1000")]
    holes: String,
    /// Seconds for which each is watched
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// The packed image, if it was built
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    /// The stripped binary
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// The page to write; the table of scale.md beside it is written too
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
    /// What `simulate --questions` has printed
    #[arg(long, value_name = "FILE")]
    questions: Option<PathBuf>,
    /// What criterion has measured
    #[arg(long, value_name = "DIRECTORY", default_value = "target/criterion")]
    criterion: PathBuf,
    /// Where the figures are kept; those that are not measured now stay
    #[arg(long, value_name = "FILE", default_value = "target/bench.json")]
    figures: PathBuf,
}

fn main() -> ExitCode {
    match run(Arguments::parse().what) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            lab::runs::halt_if_stopping();
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(what: What) -> Result<()> {
    match what {
        What::Floor { paths } => floor::run(paths),
        What::Sessions { routers, interval, script, key } => {
            sessions::run(routers, Duration::from_secs(interval), &script, &key)
        }
        What::All(all) => measure(*all),
    }
}

fn measure(all: All) -> Result<()> {
    let plan = Plan {
        exporter: all.exporter.unwrap_or_else(lab::beside_us),
        this: std::env::current_exe()?,
        paths: numbers(&all.paths)?,
        routers: numbers(&all.routers)?,
        together: numbers(&all.together)?,
        rules: numbers(&all.rules)?,
        holes: numbers(&all.holes)?,
        window: Duration::from_secs(all.seconds),
    };
    let size = |file: PathBuf| fs::metadata(file).map(|file| file.len()).ok();
    let mut report = bench::run(&plan)?;
    report.binary = all.binary.and_then(size);
    report.image = all.image.and_then(size);
    report.questions = all.questions.map(|file| bench::questions::read(&file)).transpose()?;
    report.functions = bench::functions::read(&all.criterion);
    let before = fs::read_to_string(&all.figures).ok().and_then(|text| serde_json::from_str(&text).ok());
    let report = report.over(before.unwrap_or_default());
    fs::write(&all.figures, serde_json::to_string_pretty(&report)?)
        .with_context(|| format!("writing {}", all.figures.display()))?;
    println!("{}", bench::rows::table(&report));
    all.page.map_or(Ok(()), |page| page::write(&page, &report))
}

fn numbers(text: &str) -> Result<Vec<usize>> {
    let words = text.split(',').filter(|word| !word.is_empty());
    words.map(|word| word.parse().with_context(|| format!("{word} is not a number"))).collect()
}
