//! The simulation as a command: `simulate --networks 1000000` plays random networks and prints what came
//! of them; `--trace SEED` plays one and prints all that was said.

#[path = "mod.rs"]
mod sim;

use std::{process::ExitCode, thread};

use clap::Parser;

use sim::{
    judge::{judge, promised},
    play::play,
    random::{CLASSES, case_of, class_of},
    tally::Tally,
    truth::Truth,
};

/// Plays the path prober against random networks.
#[derive(Debug, Parser)]
#[command(name = "simulate")]
struct Arguments {
    /// How many networks.
    #[arg(long, default_value_t = 10_000)]
    networks: u64,
    /// The first network's seed; the others follow.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Only networks of this class.
    #[arg(long)]
    only: Option<String>,
    /// Play this one network and print all that was said.
    #[arg(long)]
    trace: Option<u64>,
    /// With the evidence.
    #[arg(long)]
    evidence: bool,
    /// Networks played at a time.
    #[arg(long, default_value_t = 2)]
    threads: u64,
    /// Failures printed of each kind in each class.
    #[arg(long, default_value_t = 3)]
    failures: usize,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(seed) = arguments.trace {
        trace(seed, arguments.evidence);
        return ExitCode::SUCCESS;
    }
    if let Some(only) = &arguments.only
        && !CLASSES.iter().any(|class| class.name == only)
    {
        let names: Vec<&str> = CLASSES.iter().map(|class| class.name).collect();
        eprintln!("no class {only}; there are: {}", names.join(" "));
        return ExitCode::from(2);
    }
    let parts: Vec<(Tally, Vec<Failure>)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..arguments.threads)
            .map(|worker| {
                let arguments = &arguments;
                scope.spawn(move || part(arguments, worker))
            })
            .collect();
        workers.into_iter().filter_map(|worker| worker.join().ok()).collect()
    });
    let complete = parts.len() as u64 == arguments.threads;
    let mut tally = Tally::default();
    let mut failures = Vec::new();
    for (counted, failed) in parts {
        tally.merge(counted);
        failures.extend(failed);
    }
    failures.sort();
    println!("{}\n{}", tally.outcomes(), tally.delays());
    let mut printed = 0;
    let mut last = (String::new(), String::new());
    for Failure { class, wrong, seed, what } in &failures {
        let key = (class.to_string(), wrong.clone());
        printed = if key == last { printed + 1 } else { 0 };
        last = key;
        if printed < arguments.failures {
            println!("{class} {wrong}: seed {seed} {what}");
        }
    }
    println!("{} broken promises", failures.len());
    if failures.is_empty() && complete { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Failure {
    class: &'static str,
    wrong: String,
    seed: u64,
    what: String,
}

fn part(arguments: &Arguments, worker: u64) -> (Tally, Vec<Failure>) {
    let mut tally = Tally::default();
    let mut failures = Vec::new();
    for seed in (arguments.seed + worker..arguments.seed + arguments.networks)
        .step_by(usize::try_from(arguments.threads).unwrap_or(1))
    {
        if arguments.only.as_ref().is_some_and(|only| class_of(seed).name != only) {
            continue;
        }
        let (class, case) = case_of(seed);
        let outcome = judge(&case);
        tally.add(class.name, &outcome);
        let promised = promised(&case);
        for (wrong, what) in &outcome.wrongs {
            if promised.contains(wrong) {
                failures.push(Failure {
                    class: class.name,
                    wrong: format!("{wrong:?}"),
                    seed,
                    what: what.clone(),
                });
            }
        }
    }
    (tally, failures)
}

fn trace(seed: u64, evidence: bool) {
    let (class, case) = case_of(seed);
    println!("seed {seed}, class {}: {:#?}", class.name, case.prober);
    for (from, network) in &case.phases {
        println!("from {from:.3} s: {network:?}\n  {:?}", Truth::of(network, &case.prober));
    }
    let outcome = judge(&case);
    for (at, said) in &outcome.history {
        println!("{:10.3} s  {said}", at.as_secs_f64());
    }
    for (wrong, what) in &outcome.wrongs {
        println!("{wrong:?} {what}");
    }
    println!(
        "{} changes in {:?} still, unknown {:?}, {:?} {:?}",
        outcome.changes, outcome.still, outcome.unknown, outcome.found, outcome.cleared
    );
    if evidence {
        let mut last = Vec::new();
        play(&case, |look| {
            if look.judgement.evidence != last {
                last.clone_from(&look.judgement.evidence);
                println!("{:10.3} s  {} {last:#?}", look.now.as_secs_f64(), look.judgement.verdict);
            }
        });
    }
}
