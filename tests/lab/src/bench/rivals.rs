//! Other tools that send echoes, from Debian's packages: fping,
//! `smokeping_prober`, `blackbox_exporter`.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::Result;

use super::{
    Plan, blackbox,
    cost::{Cost, float},
    pair::{Pair, target},
    paths::{Row, settled},
};

const FPING: &str = "/usr/bin/fping";
const SMOKEPING: &str = "/usr/bin/prometheus-smokeping-prober";
/// The program of Debian's package.
pub const BLACKBOX: &str = "/usr/bin/prometheus-blackbox-exporter";
/// More paths than this are too many for the exporters beside us: they need seconds of CPU a
/// second.
const MANY: usize = 1000;

/// Notes which of them this machine lacks.
pub fn look(left_out: &mut Vec<String>) {
    for (program, package) in [
        (FPING, "fping"),
        (SMOKEPING, "prometheus-smokeping-prober"),
        (BLACKBOX, "prometheus-blackbox-exporter"),
    ] {
        if !Path::new(program).exists() {
            left_out.push(format!("{package}: not installed"));
        }
    }
}

/// Measures those that are there, one after another.
pub fn measure(plan: &Plan, pair: &Pair, row: &mut Row) -> Result<()> {
    if Path::new(FPING).exists() {
        row.fping = Some(fping(plan, pair, row.paths)?);
    }
    if row.paths > MANY || row.paths < 100 {
        return Ok(());
    }
    if Path::new(SMOKEPING).exists() {
        row.smokeping = Some(smokeping(plan, pair, row.paths)?);
    }
    if Path::new(BLACKBOX).exists() {
        row.blackbox = Some(blackbox::measure(plan, pair, row.paths)?);
    }
    Ok(())
}

fn fping(plan: &Plan, pair: &Pair, paths: usize) -> Result<Cost> {
    let file = pair.file("targets");
    let targets = (0..paths).fold(String::new(), |mut text, path| {
        let _ = writeln!(text, "{}", target(path));
        text
    });
    fs::write(&file, targets)?;
    let between = 1000.0 / float(paths);
    let mut command = pair.near.command(FPING);
    command.args(["-q", "-l", "-p", "1000", "-i", &format!("{between:.3}"), "-f"]).arg(&file);
    settled(pair, pair.start("fping", command)?, plan)
}

fn smokeping(plan: &Plan, pair: &Pair, paths: usize) -> Result<Cost> {
    let file = pair.file("smokeping.yml");
    let mut text = "targets:\n- interval: 1s\n  network: ip\n  protocol: icmp\n  hosts:\n".to_owned();
    for path in 0..paths {
        let _ = writeln!(text, "  - {}", target(path));
    }
    fs::write(&file, text)?;
    let mut command = pair.near.command(SMOKEPING);
    command.arg(format!("--config.file={}", file.display())).arg("--web.listen-address=127.0.0.1:9374");
    settled(pair, pair.start("smokeping", command)?, plan)
}
