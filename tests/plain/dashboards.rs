//! The dashboards: they are what their source makes, every name in them exists, and the usual
//! mistakes of dashboards are not in them.

mod layout;
mod lint;
mod mistakes;
mod queries;

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};

use crate::{alerts::rules, support::source};
use lab::dashboards::{self, text};

/// The value for one scrape in 30 s.
const RATE_INTERVAL: &str = "2m";

#[test]
fn files_are_what_their_source_makes() -> Result<()> {
    source::makes(&dashboards::directory(), "json", &[])
}

#[test]
fn dashboard_linter_has_nothing_to_say() -> Result<()> {
    let exclusions = lint::Exclusions::load()?;
    let mut all = Vec::new();
    for dashboard in dashboards::load()? {
        let findings = lint::findings(&dashboard);
        for finding in &findings {
            ensure!(exclusions.excuse(&dashboard, finding), "{}: {finding:#?}", dashboard.name);
        }
        all.push((dashboard, findings));
    }
    let idle = exclusions.idle(&all);
    ensure!(idle.is_empty(), "dashboards/.lint excuses what nobody does: {idle:#?}");
    Ok(())
}

#[test]
fn they_are_built_for_every_grafana_and_everybody() -> Result<()> {
    let dashboards = dashboards::load()?;
    for dashboard in &dashboards {
        let findings = layout::findings(dashboard);
        ensure!(findings.is_empty(), "{findings:#?}");
    }
    let uids: BTreeSet<_> = dashboards.iter().map(|it| text(&it.json, "uid")).collect();
    ensure!(uids == BTreeSet::from(["vxlan-overlay", "vxlan-router", "vxlan-exporter-health"]), "{uids:?}");
    Ok(())
}

#[test]
fn every_query_says_something_and_every_name_exists() -> Result<()> {
    let checker = queries::Checker::new()?;
    for dashboard in dashboards::load()? {
        let findings = checker.findings(&dashboard);
        ensure!(findings.is_empty(), "{}: {findings:#?}", dashboard.name);
    }
    Ok(())
}

#[test]
fn queries_that_may_be_empty_exist_and_have_a_reason() -> Result<()> {
    let queries = dashboards::queries(RATE_INTERVAL)?;
    let list = dashboards::legitimately_empty()?;
    for empty in &list {
        ensure!(!empty.reason.is_empty(), "{empty:?}");
        let there = queries.iter().filter(|query| query.may_be_empty(std::slice::from_ref(empty))).count();
        ensure!(there == 1, "{there} queries are {empty:?}");
    }
    // `$1` is a group of label_replace.
    let variables: Vec<_> =
        queries.iter().filter(|query| query.expr.replace("$1", "").contains('$')).collect();
    ensure!(variables.is_empty(), "variables without a value: {variables:#?}");
    ensure!(queries.iter().any(|query| query.instant && query.raw != query.expr), "no variable was replaced");
    Ok(())
}

/// The table of alerts says what each means.
#[test]
fn every_alert_has_a_meaning() -> Result<()> {
    let files = rules::load()?;
    let alerts: BTreeSet<_> =
        files.iter().flat_map(rules::RuleFile::alerts).map(|rule| rule.name().to_owned()).collect();
    let overlay =
        dashboards::load()?.into_iter().find(|it| it.name == "vxlan-overlay").context("no overlay")?;
    let table =
        overlay.panels().find(|panel| text(panel, "title") == "Alerts firing").context("no such panel")?;
    let overrides = table["fieldConfig"]["overrides"].as_array().context("overrides")?;
    let meaning =
        overrides.iter().find(|it| it["matcher"]["options"] == "what it means").context("no meanings")?;
    let options = meaning["properties"][0]["value"][0]["options"].as_object().context("no mapping")?;
    let known: BTreeSet<_> = options.keys().cloned().collect();
    ensure!(known == alerts, "{:?}", known.symmetric_difference(&alerts));
    Ok(())
}

#[test]
fn every_mistake_is_noticed() -> Result<()> {
    mistakes::all_are_noticed()
}
