//! The alert rules that Prometheus loads.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail, ensure};
use serde_yaml::Value;

use crate::lab::namespace::run;

/// A `for` of a minute is this many seconds here. Larger than what the exporter needs to prove a black hole: then one that waits
/// longer than another still does.
const MINUTE: u64 = 5;

/// Writes the rules into a directory, with shorter `for`s and nothing else changed. `leave_out`: alerts that a pod's
/// chart does not have.
pub fn write(directory: &Path, leave_out: &[&str]) -> Result<()> {
    fs::create_dir_all(directory)?;
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("alerts"))? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "yml") {
            continue;
        }
        let mut file: Value = serde_yaml::from_str(&fs::read_to_string(&path)?)?;
        for group in file["groups"].as_sequence_mut().context("groups")? {
            let rules = group["rules"].as_sequence_mut().context("rules")?;
            rules.retain(|rule| {
                rule.get("alert").and_then(Value::as_str).is_none_or(|alert| !leave_out.contains(&alert))
            });
            for rule in rules {
                if rule["alert"] == "VxlanExporterAbsent" {
                    rule["labels"]["namespace"] = "cattle-monitoring-system".into();
                }
                if let Some(wait) = rule.get_mut("for") {
                    *wait = shorter(wait.as_str().context("for")?)?.into();
                }
            }
        }
        let target = directory.join(path.file_name().context("a file name")?);
        fs::write(&target, serde_yaml::to_string(&file)?)?;
        let target = target.to_str().context("a path of UTF-8")?;
        run("promtool", &["check", "rules", target])?;
    }
    ensure!(fs::read_dir(directory)?.count() > 0, "no rules");
    Ok(())
}

fn shorter(wait: &str) -> Result<String> {
    let minutes = match wait.split_at(wait.len() - 1) {
        (minutes, "m") => minutes.parse::<u64>()?,
        (hours, "h") => hours.parse::<u64>()? * 60,
        _ => bail!("`for: {wait}` is not of minutes or hours"),
    };
    Ok(format!("{}s", minutes * MINUTE))
}
