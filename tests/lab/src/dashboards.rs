//! The dashboards as data, and every query as Prometheus receives it.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

/// Where the dashboards are.
pub fn directory() -> PathBuf {
    crate::project("dashboards")
}

/// One dashboard file.
#[derive(Debug, Clone)]
pub struct Dashboard {
    /// The file's name without `.json`.
    pub name: String,
    /// Its JSON.
    pub json: Value,
}

/// One query of a panel.
#[derive(Debug, Clone)]
pub struct Query {
    /// The dashboard's file name without `.json`.
    pub dashboard: String,
    /// The panel's title.
    pub panel: String,
    /// The query's letter.
    pub id: String,
    /// The expression in the file, with Grafana's variables.
    pub raw: String,
    /// With every variable at its value for "All".
    pub expr: String,
    /// Whether it is evaluated at one moment instead of over a time range.
    pub instant: bool,
}

/// A query that returns nothing for a healthy overlay, and why.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Empty {
    /// The dashboard's file name without `.json`.
    pub dashboard: String,
    /// The panel's title.
    pub panel: String,
    /// The query's letter.
    pub id: String,
    /// Why.
    pub reason: String,
}

/// All dashboards, by file name.
pub fn load() -> Result<Vec<Dashboard>> {
    let mut dashboards = Vec::new();
    for entry in fs::read_dir(directory())? {
        let path = entry?.path();
        if path.extension() == Some("json".as_ref()) {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            let json = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
            dashboards.push(Dashboard { name, json });
        }
    }
    dashboards.sort_by(|a, b| a.name.cmp(&b.name));
    ensure!(!dashboards.is_empty(), "no dashboard in {}", directory().display());
    Ok(dashboards)
}

/// Every query of every panel. `rate_interval` replaces `$__rate_interval`, which in Grafana is
/// four times the scrape interval: `2m` for 30 s.
pub fn queries(rate_interval: &str) -> Result<Vec<Query>> {
    Ok(load()?.iter().flat_map(|dashboard| dashboard.queries(rate_interval)).collect())
}

/// The queries that may be empty while the overlay is healthy: dashboards/empty.yml.
pub fn legitimately_empty() -> Result<Vec<Empty>> {
    Ok(serde_yaml::from_str(include_str!("dashboards/empty.yml"))?)
}

impl Query {
    /// Whether this query is listed in [`legitimately_empty`].
    pub fn may_be_empty(&self, list: &[Empty]) -> bool {
        list.iter().any(|it| (&it.dashboard, &it.panel, &it.id) == (&self.dashboard, &self.panel, &self.id))
    }
}

impl Dashboard {
    /// The panels that show data, without headings.
    pub fn panels(&self) -> impl Iterator<Item = &Value> {
        self.all_panels().filter(|panel| text(panel, "type") != "row")
    }

    /// All panels, including headings and what is folded under them.
    pub fn all_panels(&self) -> impl Iterator<Item = &Value> {
        fn listed(of: &Value) -> impl Iterator<Item = &Value> {
            of["panels"].as_array().into_iter().flatten()
        }
        listed(&self.json).flat_map(|panel| std::iter::once(panel).chain(listed(panel)))
    }

    /// The template variables.
    pub fn variables(&self) -> impl Iterator<Item = &Value> {
        self.json["templating"]["list"].as_array().into_iter().flatten()
    }

    /// Every query of its panels.
    pub fn queries(&self, rate_interval: &str) -> Vec<Query> {
        let mut queries = Vec::new();
        for panel in self.panels() {
            for target in targets(panel) {
                let raw = text(target, "expr").to_owned();
                queries.push(Query {
                    dashboard: self.name.clone(),
                    panel: text(panel, "title").to_owned(),
                    id: text(target, "refId").to_owned(),
                    expr: self.substitute(&raw, rate_interval),
                    raw,
                    instant: target["instant"] == true,
                });
            }
        }
        queries
    }

    /// Replaces every variable by its value for "All", as Grafana does.
    pub fn substitute(&self, expr: &str, rate_interval: &str) -> String {
        let mut expr = expr.replace("$__rate_interval", rate_interval);
        for variable in self.variables() {
            if let Some(all) = variable["allValue"].as_str() {
                expr = expr.replace(&format!("${}", text(variable, "name")), all);
            }
        }
        expr
    }
}

/// The queries of a panel.
pub fn targets(panel: &Value) -> impl Iterator<Item = &Value> {
    panel["targets"].as_array().into_iter().flatten()
}

/// A text field; empty if it is not text.
pub fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}
