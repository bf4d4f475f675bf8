//! `soak`: the long form, which prints a table. Fails if there are findings.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::Parser;

/// Most MiB per minute by which memory may grow once it has settled.
const SLOPE: f64 = 0.1;

/// Runs the exporter for a long time while everything goes wrong at once
#[derive(Debug, Clone, Parser)]
struct Arguments {
    /// Duration in minutes
    #[arg(long, default_value_t = 30)]
    minutes: u64,
    /// Seed of the script
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only the underlay's probes, with `underlay_probes: always` and faults of the underlay
    #[arg(long)]
    legs: bool,
    /// The exporter; by default the one beside this command
    #[arg(long, value_name = "FILE")]
    exporter: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let binary = arguments.exporter.unwrap_or_else(lab::beside_us);
    if arguments.legs {
        return legs(&binary, Duration::from_secs(arguments.minutes * 60));
    }
    match lab::soak::run(&binary, Duration::from_secs(arguments.minutes * 60), arguments.seed) {
        Ok(report) => {
            print!("{}", report.table());
            let grows = report.slope().is_some_and(|slope| slope >= SLOPE);
            if report.is_clean() && !grows { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            lab::runs::halt_if_stopping();
            eprintln!("soak: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn legs(binary: &Path, length: Duration) -> ExitCode {
    match lab::soak::legs::run(binary, length) {
        Ok(report) => {
            print!("{}", report.table());
            let clean = report.findings.is_empty() && report.slope() < SLOPE;
            if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            lab::runs::halt_if_stopping();
            eprintln!("soak: {error:#}");
            ExitCode::FAILURE
        }
    }
}
