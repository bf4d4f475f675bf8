//! Plays the pure path prober against networks that exist only as numbers: those described in
//! `scenarios/*.yml`, and ten thousand generated from seeds.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::sim::{
    promises::{SCENARIOS_NOT_YET, Which, describe, run},
    questions::Questions,
    scenario::Scenario,
};

fn scenarios() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/simulation/scenarios");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn every_scenario_reads_as_its_file_says() {
    let files = scenarios();
    assert!(files.len() >= 10, "{files:?}");
    let only = env::var("SCENARIO").ok();
    let mut failed = Vec::new();
    for file in files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        if only.as_ref().is_some_and(|only| *only != name) {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let scenario: Scenario =
            serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        for seed in 0..scenario.runs {
            if let Err(wrong) = scenario.run(seed) {
                println!("{name} seed {seed}: {wrong}");
                if !SCENARIOS_NOT_YET.contains(&name.as_str()) {
                    failed.push(format!("{name} seed {seed}"));
                }
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn ten_thousand_random_networks_are_told_truly() {
    let (tally, all) = run(&Which { seed: 0, networks: 10_000, only: None, threads: 2 });
    println!("{}\n{}", tally.outcomes(), tally.delays());
    let news: Vec<_> = all.iter().filter(|broken| !broken.is_known()).collect();
    for broken in news.iter().take(5) {
        println!("{broken:?}\n{}", describe(broken.seed));
    }
    assert!(news.is_empty(), "replay: cargo run --release --example simulate -- --trace SEED\n{news:#?}");
}

#[test]
fn an_exact_mtu_takes_few_questions() {
    let Questions { usual, median, worst } = Questions::count();
    assert!(usual <= 9 && worst <= 16, "{usual} for a usual MTU, {median} for half of all, {worst} at worst");
}

#[test]
fn a_network_plays_the_same_again() {
    for seed in [3, 4, 5] {
        assert_eq!(describe(seed), describe(seed));
    }
}
