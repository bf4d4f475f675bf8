//! Loss by both ends' counters, with a core that drops a known share of packets.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use serde_json::Value;

use lab::{
    Lab,
    exporter::{self, Exporter},
    fault::Fault,
    numbers::{End, Numbers},
    traffic::Traffic,
};

/// How long there has been traffic when the figures are read.
const TRAFFIC: Duration = Duration::from_mins(2);
/// Time allowed in addition, as the machine may be busy.
const PATIENCE: Duration = Duration::from_mins(1);

/// Loss in the core from one end to the other, and how far the figure may be off.
const TRUTH: [(End, End, f64, f64); 4] = [
    (End::AToDc, End::DcToA, 0.01, 0.003),
    (End::DcToB, End::BToDc, 0.10, 0.01),
    (End::DcToA, End::AToDc, 0.0, 0.001),
    (End::BToDc, End::DcToB, 0.0, 0.001),
];

#[test]
fn loss_of_one_direction_is_measured_and_the_others_are_without() -> Result<()> {
    let mut fault = Fault::load("healthy")?;
    fault.core_rules = vec![
        "iifname to-site-a oifname to-dc numgen random mod 1000 < 10 drop".to_owned(),
        "iifname to-dc oifname to-site-b numgen random mod 1000 < 100 drop".to_owned(),
    ];
    let lab = Lab::raise(&Numbers::article(), &fault)?;
    let mut traffic = Traffic::start(&lab, 200)?;
    let mut exporter = Exporter::start(&lab, crate::binary())?;
    let begin = Instant::now();
    // On a busy machine a single look may not give all four figures.
    while check_keeps_to_its_bounds(&lab)? < TRUTH.len() {
        ensure!(begin.elapsed() < TRAFFIC, "no look of many told the loss of all four ways");
    }
    thread::sleep(TRAFFIC.saturating_sub(begin.elapsed()));
    // All at once: figures that are right only now and then do not suffice.
    loop {
        exporter.must_run()?;
        traffic.must_run()?;
        let wrong = wrong(&lab, &exporter)?;
        if wrong.is_empty() {
            return Ok(());
        }
        ensure!(begin.elapsed() < TRAFFIC + PATIENCE, "{}\n{}", wrong.join("\n"), exporter.log());
        thread::sleep(Duration::from_secs(1));
    }
}

/// A look of ten seconds states its uncertainty, and without loss the figure is within it. Returns
/// the number of figures that it gave.
fn check_keeps_to_its_bounds(lab: &Lab) -> Result<usize> {
    let done = exporter::check(lab, crate::binary(), &["--format=json"])?;
    let report: Value = serde_json::from_slice(&done.stdout)?;
    let mut seen = 0;
    for tunnel in report["tunnels"].as_array().context("tunnels")? {
        for loss in tunnel["loss"].as_array().context("loss")? {
            let end = |key: &str| Some((loss[key]["router"].as_str()?, loss[key]["interface"].as_str()?));
            let (from, to) = end("from").zip(end("to")).context("ends")?;
            let is = |end: End, (router, interface)| lab.numbers.end(router, interface) == Some(end);
            let truth =
                TRUTH.iter().find(|truth| is(truth.0, from) && is(truth.1, to)).context("a known way")?.2;
            let number = |key: &str| loss[key].as_f64().with_context(|| format!("{key}: {loss}"));
            let (ratio, bound) = (number("ratio")?, number("bound")?);
            // Random deviation, at four times its standard deviation: 2,000 packets in 10 s.
            let chance = 4.0 * (truth * (1.0 - truth) / 2000.0).sqrt();
            ensure!((ratio - truth).abs() <= bound + chance, "{from:?} {to:?}: {truth} is true: {loss}");
            ensure!(bound < 0.05, "{loss}");
            seen += 1;
        }
    }
    Ok(seen)
}

fn wrong(lab: &Lab, exporter: &Exporter) -> Result<Vec<String>> {
    let metrics = exporter.metrics()?;
    let mut wrong = Vec::new();
    for (from, to, truth, allowed) in TRUTH {
        let name =
            |end: End| format!("{}/{}", lab.numbers.site(end.place()).router, lab.numbers.interface(end));
        let tunnel = lab.numbers.tunnel_name(from.tunnel());
        let labels = [("tunnel", tunnel.as_str()), ("from", &name(from)), ("to", &name(to))];
        let said = metrics.value("vxlan_tunnel_loss_ratio", &labels);
        if !said.is_some_and(|said| (said - truth).abs() <= allowed) {
            wrong.push(format!(
                "{} -> {}: {truth} +- {allowed} is true, said {said:?}",
                name(from),
                name(to)
            ));
        }
    }
    Ok(wrong)
}
