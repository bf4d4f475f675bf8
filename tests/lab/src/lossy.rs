//! Lossy paths for a long time: the verdict must be steady, and no hole may be claimed.

use std::{fmt::Write as _, path::Path, thread};

use anyhow::{Context, Result, bail};

use super::{Lab, exporter::Exporter, fault::Fault, judge, numbers::Numbers};

const FAULTS: [&str; 2] = ["loss-10", "loss-20"];

/// Holds each lossy fault for this many minutes, all at the same time, and prints what was
/// observed.
pub fn run(binary: &Path, minutes: u64) -> Result<()> {
    let done = thread::scope(|scope| {
        FAULTS
            .map(|fault| scope.spawn(move || hold(binary, fault, minutes)))
            .map(thread::ScopedJoinHandle::join)
    });
    for (fault, done) in FAULTS.iter().zip(done) {
        match done {
            Ok(figures) => println!("{}", figures.with_context(|| format!("fault {fault}"))?),
            Err(_) => bail!("fault {fault}: the run panicked"),
        }
    }
    Ok(())
}

fn hold(binary: &Path, name: &str, minutes: u64) -> Result<String> {
    let mut fault = Fault::load(name)?;
    fault.expect.hold_seconds = Some(minutes * 60);
    let lab = Lab::raise(&Numbers::article(), &fault)?;
    let mut exporter = Exporter::start(&lab, binary)?;
    let took = judge::watch(&lab, &mut exporter, &fault.expect)?;
    let mut figures = format!(
        "{name}: judged rightly after {:.1} s, and for {minutes} min from then on",
        took.as_secs_f64()
    );
    let metrics = exporter.metrics()?;
    for target in fault.expect.paths.keys() {
        let path = lab.numbers.site(target.place()).host;
        let count = |name| metrics.value(name, &[("path", path)]).unwrap_or_default();
        let changes =
            exporter.logged(&["msg=\"verdict changed\"", &format!("path={path} "), "from=lossy"]).len();
        write!(
            figures,
            "\n  {path}: {} of {} small echoes lost, no hole claimed, {changes} changes from lossy",
            count("vxlan_path_echo_lost_total"),
            count("vxlan_path_echo_requests_total"),
        )?;
    }
    Ok(figures)
}
