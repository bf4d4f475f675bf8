//! Plays cases of the simulation against the mutant that is switched on, and ends at the first with
//! a wrong result.
//!
//! `notice SCENARIOS list RUNS NETWORKS` lists them, with at most this many runs of each scenario.
//! `notice SCENARIOS record CASE...` prints for each case its name, its milliseconds and the
//! mutants met. `notice SCENARIOS play CASE...` prints each name as it begins, so the last one is
//! the case that noticed.

mod sim;

use std::{env, fs, path::Path, process::ExitCode, time::Instant};

use sim::{
    promises::{SCENARIOS_NOT_YET, Which, run},
    scenario::Scenario,
};
use vxlan_exporter::mutant::take_met;

/// What is wrong, if anything is. A case is `scenario/seed` or `network/seed`.
fn play(scenarios: &Path, case: &str) -> Option<String> {
    let (name, seed) = case.split_once('/').expect("a name and a seed");
    let seed: u64 = seed.parse().expect("a seed");
    if name == "network" {
        let (_, all) = run(&Which { seed, networks: 1, only: None, threads: 1 });
        return all.into_iter().find(|broken| !broken.is_known()).map(|broken| format!("{broken:?}"));
    }
    scenario(scenarios, name).run(seed).err()
}

fn scenario(scenarios: &Path, name: &str) -> Scenario {
    let text = fs::read_to_string(scenarios.join(name).with_extension("yml")).expect("a scenario");
    serde_yaml::from_str(&text).expect("a scenario")
}

fn list(scenarios: &Path, runs: u64, networks: u64) -> Vec<String> {
    let files = fs::read_dir(scenarios).expect("scenarios").map(|file| file.expect("a file").path());
    let mut names: Vec<_> = files.map(|file| file.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    names.sort();
    names.retain(|name| !SCENARIOS_NOT_YET.contains(&name.as_str()));
    let runs = names.iter().flat_map(|name| {
        (0..scenario(scenarios, name).runs.min(runs)).map(move |seed| format!("{name}/{seed}"))
    });
    runs.chain((0..networks).map(|seed| format!("network/{seed}"))).collect()
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [scenarios, what, cases @ ..] = arguments.as_slice() else { return ExitCode::from(2) };
    let scenarios = Path::new(scenarios);
    if what == "list" {
        let [runs, networks] = [0, 1].map(|at| cases[at].parse().expect("a number"));
        println!("{}", list(scenarios, runs, networks).join("\n"));
        return ExitCode::SUCCESS;
    }
    for case in cases {
        if what == "play" {
            println!("{case}");
        }
        let began = Instant::now();
        if let Some(wrong) = play(scenarios, case) {
            eprintln!("{case}: {wrong}");
            return ExitCode::FAILURE;
        }
        if what == "record" {
            let met: Vec<String> = take_met().iter().map(ToString::to_string).collect();
            println!("{case} {} {}", began.elapsed().as_millis(), met.join(","));
        }
    }
    ExitCode::SUCCESS
}
