//! The alert rules: Prometheus accepts them, they do what they say, and every name in them exists.

mod comparison;
mod manual;
mod mutants;
mod precedence;
mod promtool;
pub mod rules;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};

use crate::support::{names, promql, source};
use promtool::Bench;

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Longest line of a rule file, in columns.
const LONGEST_LINE: usize = 160;

#[test]
fn files_are_what_their_source_makes() -> Result<()> {
    source::makes(&rules::directory(), "yml", &["recording.yml"])
}

#[test]
fn lines_can_be_read() -> Result<()> {
    for name in rules::yaml_files(&rules::directory())? {
        let text = fs::read_to_string(rules::directory().join(&name))?;
        for (line, number) in text.lines().zip(1..) {
            let columns = line.chars().count();
            ensure!(columns <= LONGEST_LINE, "alerts/{name}:{number} has {columns} columns");
        }
    }
    Ok(())
}

#[test]
fn prometheus_takes_the_rules() -> Result<()> {
    for file in rules::load()? {
        promtool::check(&rules::directory().join(&file.name))?;
    }
    Ok(())
}

#[test]
fn the_rules_do_what_they_say() -> Result<()> {
    let bench = Bench::new(&rules::load()?)?;
    for test in &bench.tests {
        let (passes, said) = bench.test(test)?;
        ensure!(passes, "{test}: {said}");
    }
    Ok(())
}

#[test]
#[ignore = "minutes of one core: `make mutants-rules`"]
fn every_mutant_of_the_rules_is_noticed() -> Result<()> {
    mutants::kill_all()
}

#[test]
fn every_alert_is_complete() -> Result<()> {
    let files = rules::load()?;
    let mut alerts = BTreeSet::new();
    for rule in files.iter().flat_map(rules::RuleFile::alerts) {
        let name = rule.name();
        alerts.insert(name.to_owned());
        let severity = rule.labels.get("severity").map(String::as_str);
        // `info` would be silenced by Rancher's InfoInhibitor.
        ensure!(matches!(severity, Some("critical" | "warning")), "{name}: severity {severity:?}");
        let keys: Vec<_> = rule.annotations.keys().map(String::as_str).collect();
        ensure!(
            keys == ["dashboard_url", "description", "runbook_url", "summary"],
            "{name}: annotations {keys:?}"
        );
        let runbook = &rule.annotations["runbook_url"];
        ensure!(*runbook == format!("docs/runbooks/{name}.md"), "{name}: {runbook}");
        ensure!(!rule.annotations["summary"].contains("$value"), "{name}: the summary changes by itself");
    }
    let runbooks: BTreeSet<_> = fs::read_dir(project("docs/runbooks"))?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().trim_end_matches(".md").to_owned()))
        .collect::<Result<_>>()?;
    ensure!(alerts == runbooks, "alerts {alerts:#?}\nrunbooks {runbooks:#?}");
    Ok(())
}

#[test]
fn the_words_of_every_alert_are_tested() -> Result<()> {
    let text = fs::read_to_string(rules::directory().join("tests/annotations.yml"))?;
    let tested: BTreeSet<_> =
        text.lines().filter_map(|line| line.trim().strip_prefix("- alertname: ")).collect();
    let files = rules::load()?;
    let alerts: BTreeSet<_> = files.iter().flat_map(rules::RuleFile::alerts).map(rules::Rule::name).collect();
    ensure!(tested == alerts, "tested {tested:?}, alerts {alerts:?}");
    Ok(())
}

#[test]
fn alerts_are_linked_to_the_page_that_shows_them() -> Result<()> {
    let mut variables = BTreeMap::new();
    for entry in fs::read_dir(project("dashboards"))?.collect::<Result<Vec<_>, _>>()? {
        if entry.path().extension().is_some_and(|extension| extension == "json") {
            let page: serde_json::Value = serde_json::from_slice(&fs::read(entry.path())?)?;
            let uid = page["uid"].as_str().context("no uid")?.to_owned();
            variables.insert(uid, page["templating"]["list"].clone());
        }
    }
    let has = |uid: &str, variable: &str| {
        let known = variables.get(uid).and_then(serde_json::Value::as_array);
        known.is_some_and(|known| known.iter().any(|it| it["name"] == variable))
    };
    let files = rules::load()?;
    let recorded = promql::recorded(&files)?;
    for file in &files {
        for rule in file.alerts() {
            let name = rule.name();
            let labels = promql::check(&rule.expr, &recorded)?.unwrap_or_default();
            let (uid, label) = match file.name.as_str() {
                "exporter.yml" => ("vxlan-exporter-health", None),
                _ if labels.contains("path") => ("vxlan-overlay", Some("path")),
                _ if labels.contains("router") => ("vxlan-router", Some("router")),
                _ => ("vxlan-overlay", None),
            };
            let link = match label {
                Some(label) => format!("d/{uid}?var-{label}={{{{ $labels.{label} | urlquery }}}}"),
                None => format!("d/{uid}"),
            };
            ensure!(rule.annotations["dashboard_url"] == link, "{name}: its page is {link}");
            ensure!(has(uid, label.unwrap_or("instance")), "{name}: {uid} has no variable {label:?}");
        }
    }
    Ok(())
}

#[test]
fn runbooks_say_what_one_needs_at_night() -> Result<()> {
    for entry in fs::read_dir(project("docs/runbooks"))? {
        let path = entry?.path();
        let text = fs::read_to_string(&path)?;
        let titles: Vec<_> = text.lines().filter(|line| line.starts_with("## ")).collect();
        let wanted = ["## What it means", "## See it yourself", "## Mend it", "## Is it mended?"];
        ensure!(titles == wanted, "{}: {titles:?}", path.display());
    }
    Ok(())
}

#[test]
fn every_name_is_in_the_catalogue() -> Result<()> {
    let files = rules::load()?;
    let recorded: BTreeSet<_> =
        files.iter().flat_map(rules::RuleFile::rules).filter_map(|rule| rule.record.as_deref()).collect();
    for rule in files.iter().flat_map(rules::RuleFile::rules) {
        let name = rule.name();
        names::expression(&rule.expr, &recorded).with_context(|| format!("{name}: {}", rule.expr))?;
        for text in rule.annotations.values() {
            names::text(text).with_context(|| format!("{name}: {text}"))?;
        }
    }
    let mut documents = vec![project("README.md"), project("README.ja.md"), project("CHANGELOG.md")];
    for directory in ["docs", "docs/runbooks", "alerts", "alerts/tests"] {
        let entries =
            fs::read_dir(project(directory))?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
        documents.extend(entries.into_iter().filter(|path| path.is_file()));
    }
    for path in documents {
        names::text(&fs::read_to_string(&path)?).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// pint's checks of queries, and `alerts/template`: the result of an expression must have every
/// label that an annotation uses.
#[test]
fn labels_are_there_where_they_are_named() -> Result<()> {
    let files = rules::load()?;
    let recorded = promql::recorded(&files)?;
    for rule in files.iter().flat_map(rules::RuleFile::rules) {
        let name = rule.name();
        let labels =
            promql::check(&rule.expr, &recorded).with_context(|| name.to_owned())?.unwrap_or_default();
        for text in rule.annotations.values() {
            for label in text.split("$labels.").skip(1).map(word) {
                let known = labels.contains(label) || ["namespace", "cluster"].contains(&label);
                ensure!(known, "{name}: $labels.{label}, but the expression leaves {labels:?}");
            }
        }
        let fixed = rule.labels.values().all(|value| !value.contains("{{"));
        ensure!(fixed, "{name}: a label that changes makes a new alert each time");
        if rule.alert.is_some() {
            ensure!(
                comparison::can_be_silent(&rule.expr, &files)?,
                "{name} fires as long as its series are there"
            );
            ensure!(rule.wait.is_none() || rule.wait_seconds()? > 0, "{name}: `for` without effect");
        }
    }
    Ok(())
}

#[test]
fn an_alert_that_compares_nothing_is_noticed() -> Result<()> {
    let files = rules::load()?;
    for expr in
        ["vxlan_path_blackhole", "vxlan_path_blackhole == bool 1", "sum(tunnel_end:vxlan_tunnel:info)"]
    {
        ensure!(!comparison::can_be_silent(expr, &files)?, "{expr}");
    }
    Ok(())
}

/// The name at the start of a text.
fn word(text: &str) -> &str {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap_or_default()
}

#[test]
fn recorded_series_are_used_in_order() -> Result<()> {
    // Prometheus evaluates the rules of one group in order, but groups at any time. So a rule may
    // use what its own group recorded before it, and of other groups only what may be one
    // evaluation old. A rule may keep what it recorded itself.
    for file in rules::load()? {
        for group in &file.groups {
            let here: Vec<_> = group.rules.iter().filter_map(|rule| rule.record.as_deref()).collect();
            let mut before = BTreeSet::new();
            for rule in &group.rules {
                for record in &here {
                    let used = rule.expr.contains(record) && rule.record.as_deref() != Some(record);
                    ensure!(
                        !used || before.contains(record),
                        "{} uses {record} before it is made",
                        rule.name()
                    );
                }
                before.extend(rule.record.as_deref());
            }
        }
    }
    Ok(())
}

#[test]
fn manual_is_current() -> Result<()> {
    let path = project("docs/alerts.md");
    let page = manual::page(&rules::load()?)?;
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &page)?;
    }
    ensure!(
        fs::read_to_string(&path)? == page,
        "docs/alerts.md differs from alerts/: run `UPDATE_DOCS=1 cargo test --test plain alerts`"
    );
    Ok(())
}
