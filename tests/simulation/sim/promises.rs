//! Plays many networks at once, and checks the promises that they must keep.

use std::{fmt::Write, thread};

use super::{
    judge::{Outcome, Wrong, judge, promised},
    play::Case,
    random::{Class, case_of, class_of},
    tally::Tally,
    truth::Truth,
};

/// Promises that the engine does not keep yet, by class. This list should shrink.
pub const NOT_YET: &[(&str, &[Wrong])] = &[];

/// Scenario files that do not give the stated result yet. This list should shrink.
pub const SCENARIOS_NOT_YET: &[&str] = &[];

/// Which networks to play.
#[derive(Debug, Clone)]
pub struct Which {
    /// The first seed.
    pub seed: u64,
    /// How many seeds.
    pub networks: u64,
    /// Only this class.
    pub only: Option<String>,
    /// How many at the same time.
    pub threads: u64,
}

/// A promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Broken {
    /// The network's class.
    pub class: &'static str,
    /// What it was.
    pub wrong: Wrong,
    /// The seed of the network.
    pub seed: u64,
    /// When it happened, and what was reported.
    pub what: String,
}

impl Broken {
    /// Whether it is listed as not kept yet.
    pub fn is_known(&self) -> bool {
        NOT_YET.iter().any(|(class, wrongs)| *class == self.class && wrongs.contains(&self.wrong))
    }
}

/// Plays all networks.
///
/// # Panics
/// If playing a network panics.
pub fn run(which: &Which) -> (Tally, Vec<Broken>) {
    let parts: Vec<(Tally, Vec<Broken>)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..which.threads).map(|turn| scope.spawn(move || part(which, turn))).collect();
        workers.into_iter().map(|worker| worker.join().expect("a network was played")).collect()
    });
    let (mut tally, mut all) = (Tally::default(), Vec::new());
    for (counted, broken) in parts {
        tally.merge(counted);
        all.extend(broken);
    }
    all.sort();
    (tally, all)
}

fn part(which: &Which, turn: u64) -> (Tally, Vec<Broken>) {
    let (mut tally, mut all) = (Tally::default(), Vec::new());
    for number in (turn..which.networks).step_by(usize::try_from(which.threads).unwrap_or(1)) {
        let seed = which.seed + number;
        if which.only.as_ref().is_some_and(|only| class_of(seed).name != only) {
            continue;
        }
        let (class, case) = case_of(seed);
        let outcome = judge(&case);
        tally.add(class.name, &outcome);
        all.extend(broken(class, &case, &outcome));
    }
    (tally, all)
}

fn broken<'a>(
    class: &'static Class,
    case: &'a Case,
    outcome: &'a Outcome,
) -> impl Iterator<Item = Broken> + 'a {
    let promised = promised(case);
    let wrongs = outcome.wrongs.iter().filter(move |(wrong, _)| promised.contains(wrong));
    wrongs.map(|(wrong, what)| Broken {
        class: class.name,
        wrong: *wrong,
        seed: case.seed,
        what: what.clone(),
    })
}

/// One network, the truth about it, and everything that was reported.
pub fn describe(seed: u64) -> String {
    let (class, case) = case_of(seed);
    let outcome = judge(&case);
    let mut text = format!("seed {seed}, {}: {}\n{:?}\n", class.name, class.about, case.prober);
    for (from, network) in &case.phases {
        let _ = writeln!(text, "from {from:.3} s: {network:?}\n  {:?}", Truth::of(network, &case.prober));
    }
    for (at, said) in &outcome.history {
        let _ = writeln!(text, "{:10.3} s  {said}", at.as_secs_f64());
    }
    for (wrong, what) in &outcome.wrongs {
        let _ = writeln!(text, "{wrong:?} {what}");
    }
    let _ = writeln!(
        text,
        "{} changes in {:?}, longest unknown {:?}, found {:?}, cleared {:?}",
        outcome.changes, outcome.still, outcome.unknown, outcome.found, outcome.cleared
    );
    text
}
