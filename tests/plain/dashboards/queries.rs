//! The queries of a dashboard, checked against the catalogue, the rules, and the effect of `PromQL`
//! on labels.

use std::collections::BTreeSet;

use anyhow::Result;
use promql_parser::{parser, util::walk_expr};
use serde_json::Value;

use super::{
    RATE_INTERVAL,
    lint::{Seen, narrowed},
};
use crate::{
    alerts::rules,
    support::{
        names,
        promql::{self, Labels, Recorded},
    },
};
use lab::dashboards::{Dashboard, targets, text};

/// Series that no exporter exports: they have the labels of their rules instead of those of a
/// scrape.
const ALERTS: [&str; 2] = ["ALERTS", "ALERTS_FOR_STATE"];

/// Knows the series that rules record.
pub struct Checker {
    recorded: Recorded,
}

impl Checker {
    pub fn new() -> Result<Self> {
        Ok(Self { recorded: promql::recorded(&rules::load()?)? })
    }

    /// Faults in the queries, legends, columns and names of a dashboard.
    pub fn findings(&self, dashboard: &Dashboard) -> Vec<String> {
        let mut found = Vec::new();
        for panel in dashboard.panels() {
            let title = text(panel, "title");
            if let Err(error) = names::text(text(panel, "description")) {
                found.push(format!("{title}: description: {error:#}"));
            }
            let mut columns = Labels::new();
            for target in targets(panel) {
                let raw = text(target, "expr");
                match self.query(dashboard, raw, text(target, "legendFormat")) {
                    Ok(labels) => columns.extend(labels),
                    Err(error) => found.push(format!("{title} {}: {error:#}", text(target, "refId"))),
                }
            }
            if text(panel, "type") == "table" {
                columns.extend(values(panel));
                found.extend(table(panel, &columns).map(|what| format!("{title}: {what}")));
            }
        }
        found
    }

    fn query(&self, dashboard: &Dashboard, raw: &str, legend: &str) -> Result<Labels> {
        let expr = dashboard.substitute(raw, RATE_INTERVAL);
        let recorded: BTreeSet<&str> = self.recorded.keys().map(String::as_str).collect();
        names::expression(&expr, &recorded)?;
        let labels = promql::check(&expr, &self.recorded)?.unwrap_or_default();
        for label in legend_labels(legend) {
            anyhow::ensure!(labels.contains(label), "legend {legend}: no `{label}` among {labels:?}");
        }
        // Scraped series must always be narrowed, whatever the linter's exclusions permit.
        let parsed =
            parser::parse(&raw.replace("$__rate_interval", RATE_INTERVAL)).map_err(anyhow::Error::msg)?;
        let mut seen = Seen::default();
        walk_expr(&mut seen, &parsed)?;
        for selector in &seen.selectors {
            let name = selector.name.as_deref().unwrap_or_default();
            let scraped = !ALERTS.contains(&name) && !recorded.contains(name);
            for label in ["job", "instance"] {
                anyhow::ensure!(!scraped || narrowed(selector, label), "{name} is not narrowed by ${label}");
            }
        }
        Ok(labels)
    }
}

/// `{{source}} → {{path}}`: source, path.
fn legend_labels(legend: &str) -> impl Iterator<Item = &str> {
    legend.split("{{").skip(1).filter_map(|rest| rest.split("}}").next())
}

/// The names of the value columns of a table's queries.
fn values(panel: &Value) -> Vec<String> {
    let ids: Vec<_> = targets(panel).map(|target| text(target, "refId")).collect();
    match ids.as_slice() {
        [_] => vec!["Value".to_owned()],
        _ => ids.iter().map(|id| format!("Value #{id}")).collect(),
    }
}

/// Columns that are named but do not exist.
fn table(panel: &Value, columns: &Labels) -> impl Iterator<Item = String> {
    let mut columns = columns.clone();
    let mut found = Vec::new();
    columns.insert("Time".to_owned());
    // Optional labels of the scrape may be hidden or shown if they exist.
    columns.extend(["namespace", "cluster"].map(str::to_owned));
    for transformation in panel["transformations"].as_array().into_iter().flatten() {
        let options = &transformation["options"];
        match text(transformation, "id") {
            "merge" => {}
            "sortBy" => {
                for sort in options["sort"].as_array().into_iter().flatten() {
                    if !columns.contains(text(sort, "field")) {
                        found.push(format!("sorted by {sort}"));
                    }
                }
            }
            "groupBy" => {
                let mut after = Labels::new();
                for (field, what) in options["fields"].as_object().into_iter().flatten() {
                    if !columns.contains(field) {
                        found.push(format!("grouped by {field}"));
                    }
                    if text(what, "operation") == "groupby" {
                        after.insert(field.clone());
                    }
                    let calculations = what["aggregations"].as_array().into_iter().flatten();
                    after.extend(
                        calculations.map(|it| format!("{field} ({})", it.as_str().unwrap_or_default())),
                    );
                }
                after.insert("cluster".to_owned());
                columns = after;
            }
            "organize" => {
                let renamed = options["renameByName"].as_object().into_iter().flatten();
                let ordered = options["indexByName"].as_object().into_iter().flatten();
                for field in renamed.clone().chain(ordered).map(|(field, _)| field) {
                    if !columns.contains(field) {
                        found.push(format!("no column {field}"));
                    }
                }
                columns = shown(columns, &options["renameByName"]);
            }
            other => found.push(format!("transformation {other}")),
        }
    }
    let overrides = panel["fieldConfig"]["overrides"].as_array().into_iter().flatten();
    let matched = overrides.map(|it| text(&it["matcher"], "options"));
    let sorted =
        panel["options"]["sortBy"].as_array().into_iter().flatten().map(|it| text(it, "displayName"));
    found.extend(
        matched
            .chain(sorted)
            .filter(|name| !columns.contains(*name))
            .map(|name| format!("no column {name:?}")),
    );
    found.into_iter()
}

fn shown(columns: Labels, renamed: &Value) -> Labels {
    columns.into_iter().map(|it| renamed[&it].as_str().map_or(it.clone(), str::to_owned)).collect()
}
