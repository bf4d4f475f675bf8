//! The simulation as a command: `simulate --networks 1000000` plays random networks and prints the
//! results; `--trace SEED` plays one and prints everything that was reported. Its tests are what
//! `make test` plays.

#![allow(
    clippy::too_many_lines,
    reason = "a test tells a story or tables its cases: cutting it makes it no easier to read"
)]

#[cfg(test)]
mod played;
mod sim;

use std::process::ExitCode;

use clap::Parser;

use sim::{
    play::play,
    promises::{Which, describe, run},
    questions::Questions,
    random::{CLASSES, LATER, case_of},
};

/// Plays the path prober against random networks.
#[derive(Debug, Parser)]
#[command(name = "simulate")]
struct Arguments {
    /// Number of networks.
    #[arg(long, default_value_t = 10_000)]
    networks: u64,
    /// The first network's seed; the others follow.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Play only networks of this class.
    #[arg(long)]
    only: Option<String>,
    /// Play this network and print everything that was reported.
    #[arg(long)]
    trace: Option<u64>,
    /// Include the evidence.
    #[arg(long)]
    evidence: bool,
    /// Networks played at the same time.
    #[arg(long, default_value_t = 2)]
    threads: u64,
    /// Broken promises printed per kind and class.
    #[arg(long, default_value_t = 3)]
    failures: usize,
    /// Print how many sizes are asked about to find the exact MTU below a hole: the most for usual
    /// MTUs, the median and the most of all MTUs.
    #[arg(long)]
    questions: bool,
    /// Print only the tables, in the format of docs/probing.md.
    #[arg(long)]
    markdown: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.questions {
        let Questions { usual, median, worst } = Questions::count();
        println!("{usual} {median} {worst}");
        return ExitCode::SUCCESS;
    }
    if let Some(seed) = arguments.trace {
        print!("{}", describe(seed));
        if arguments.evidence {
            evidence(seed);
        }
        return ExitCode::SUCCESS;
    }
    if let Some(only) = &arguments.only
        && !CLASSES.iter().chain(LATER).any(|class| class.name == only)
    {
        eprintln!("no class {only}; there are:");
        for class in CLASSES.iter().chain(LATER) {
            eprintln!("  {:16} {}", class.name, class.about);
        }
        return ExitCode::from(2);
    }
    let (seed, networks, threads) = (arguments.seed, arguments.networks, arguments.threads.max(1));
    let (tally, all) = run(&Which { seed, networks, only: arguments.only, threads });
    println!("{}\n{}", tally.outcomes(), tally.delays());
    if !arguments.markdown {
        let mut printed = 0;
        for (number, broken) in all.iter().enumerate() {
            let same =
                number > 0 && (broken.class, broken.wrong) == (all[number - 1].class, all[number - 1].wrong);
            printed = if same { printed + 1 } else { 0 };
            if printed < arguments.failures {
                let known = if broken.is_known() { " (known)" } else { "" };
                println!("{} {:?}{known}: seed {} {}", broken.class, broken.wrong, broken.seed, broken.what);
            }
        }
    }
    let news = all.iter().filter(|broken| !broken.is_known()).count();
    eprintln!("{} broken promises, {news} of them not known", all.len());
    if news == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn evidence(seed: u64) {
    let mut last = Vec::new();
    play(&case_of(seed).1, |look| {
        if look.judgement.evidence != last {
            last.clone_from(&look.judgement.evidence);
            println!("{:10.3} s  {} {last:#?}", look.now.as_secs_f64(), look.judgement.verdict);
        }
    });
}
