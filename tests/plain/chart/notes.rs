//! The text that is printed after an installation.

use std::fs;

use anyhow::{Context as _, Result, ensure};

use super::helm::{IMAGE, chart, helm, project};

fn notes(values: &str) -> Result<String> {
    let chart = chart();
    let chart = chart.to_str().context("UTF-8")?;
    let arguments = [
        "install",
        "vxlan-exporter",
        chart,
        "--namespace",
        "monitoring",
        "--dry-run=client",
        "--values",
        "-",
    ];
    let output = helm(&arguments, values)?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout)?;
    let (_, notes) = said.split_once("\nNOTES:\n").context("no notes")?;
    Ok(notes.to_owned())
}

#[test]
fn the_notes_say_the_next_command_and_every_limit() -> Result<()> {
    insta::assert_snapshot!("notes_of_the_least_values", notes(IMAGE)?);
    for name in
        ["pod", "nodeport", "daemonset", "shards", "reflector", "none", "rancher-2.7", "newest", "everything"]
    {
        let values =
            fs::read_to_string(project("helm/vxlan-exporter/ci").join(format!("{name}-values.yaml")))?;
        insta::assert_snapshot!(format!("notes_of_{name}"), notes(&values)?);
    }
    Ok(())
}
