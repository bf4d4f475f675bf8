//! The rules of grafana/dashboard-linter, which is a Go program in no package registry, and its
//! exclusions file. Where it checks only some kinds of panels, these check all.

use std::{collections::BTreeMap, fs};

use anyhow::{Context as _, Result};
use promql_parser::{
    label::MatchOp,
    parser::{self, Call, Expr, VectorSelector},
    util::{ExprVisitor, walk_expr},
};
use serde::Deserialize;
use serde_json::Value;

use crate::support::names;
use lab::dashboards::{self, Dashboard, targets, text};
use vxlan_exporter::catalogue::MetricKind;

/// The variable that selects the Prometheus.
pub const SOURCE: &str = "${datasource}";
/// A duration that no query contains, used instead of `$__rate_interval`.
const MAGIC: &str = "4m33s";
/// Units that these dashboards use, of those that Grafana has from 9.1 on. `bytes` would show an
/// MTU of 8950 as 8.74 KiB, so MTUs are `none`.
const UNITS: &[&str] = &["none", "percentunit", "s", "bps", "pps", "bytes", "dateTimeFromNow"];

/// A violation of one rule in a dashboard.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    pub rule: &'static str,
    pub panel: String,
    /// The query's position in its panel.
    pub target: Option<usize>,
    pub what: String,
}

/// Applies all rules to one dashboard, without what the exclusions file excuses.
pub fn findings(dashboard: &Dashboard) -> Vec<Finding> {
    let mut lint = Lint { dashboard, found: Vec::new() };
    lint.variables();
    if dashboard.json["editable"] != false {
        lint.find("uneditable-dashboard", "", None, "can be edited");
    }
    for panel in dashboard.panels() {
        lint.panel(panel);
        for (index, target) in targets(panel).enumerate() {
            lint.target(panel, index, text(target, "expr"));
        }
    }
    lint.found
}

struct Lint<'d> {
    dashboard: &'d Dashboard,
    found: Vec<Finding>,
}

impl Lint<'_> {
    fn find(&mut self, rule: &'static str, panel: &str, target: Option<usize>, what: impl Into<String>) {
        self.found.push(Finding { rule, panel: panel.to_owned(), target, what: what.into() });
    }

    fn variables(&mut self) {
        let sources: Vec<_> =
            self.dashboard.variables().filter(|it| text(it, "type") == "datasource").collect();
        match sources.as_slice() {
            [one] if text(one, "name") == "datasource" && text(one, "label") == "Data source" => {}
            _ => {
                self.find("template-datasource-rule", "", None, "one variable `datasource`, \"Data source\"");
            }
        }
        for (rule, name, label) in
            [("template-job-rule", "job", "Job"), ("template-instance-rule", "instance", "Instance")]
        {
            let fits = self.dashboard.variables().any(|it| {
                (text(it, "name"), text(it, "label"), text(it, "type")) == (name, label, "query")
                    && it["datasource"]["uid"] == SOURCE
                    && it["multi"] == true
                    && it["allValue"] == ".+"
            });
            if !fits {
                self.find(rule, "", None, format!("a variable `{name}`, \"{label}\", multi, all as .+"));
            }
        }
        for variable in self.dashboard.variables().filter(|it| text(it, "type") == "query") {
            let name = text(variable, "name");
            if variable["refresh"] != 2 {
                self.find("template-on-time-change-reload-rule", "", None, name);
            }
            if let Err(error) = self.variable_query(text(variable, "query")) {
                self.find("template-label-promql-rule", "", None, format!("{name}: {error:#}"));
            }
        }
    }

    /// `label_values(SELECTOR, LABEL)`, the only function in use.
    fn variable_query(&self, query: &str) -> Result<()> {
        let inside = query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')'));
        let (selector, label) =
            inside.and_then(|it| it.rsplit_once(", ")).context("not label_values(SELECTOR, LABEL)")?;
        let selector = self.dashboard.substitute(selector, MAGIC);
        names::expression(&format!("group by ({label}) ({selector})"), &std::collections::BTreeSet::new())
    }

    fn panel(&mut self, panel: &Value) {
        let title = text(panel, "title");
        if title.is_empty() || text(panel, "description").is_empty() {
            self.find("panel-title-description-rule", title, None, "no title or description");
        }
        let sources = targets(panel).chain([panel]).map(|it| &it["datasource"]);
        for source in sources {
            if source["uid"] != SOURCE {
                self.find("panel-datasource-rule", title, None, source.to_string());
            }
            if source["type"] != "prometheus" {
                self.find("target-logql-rule", title, None, format!("not PromQL: {source}"));
            }
        }
        if targets(panel).next().is_none() {
            self.find("panel-no-targets-rule", title, None, "no query");
        }
        let overrides = panel["fieldConfig"]["overrides"].as_array().into_iter().flatten();
        let set = overrides
            .flat_map(|it| it["properties"].as_array().into_iter().flatten())
            .filter(|it| it["id"] == "unit")
            .map(|it| &it["value"]);
        let own = match text(panel, "type") {
            "heatmap" => &panel["options"]["yAxis"]["unit"],
            _ => &panel["fieldConfig"]["defaults"]["unit"],
        };
        for unit in set.chain([own]) {
            if !unit.as_str().is_some_and(|unit| UNITS.contains(&unit)) {
                self.find("panel-units-rule", title, None, format!("unit {unit}"));
            }
        }
    }

    fn target(&mut self, panel: &Value, index: usize, raw: &str) {
        let title = text(panel, "title");
        // Variables in matchers stay: in quotes they are ordinary text.
        let parsed = match parser::parse(&raw.replace("$__rate_interval", MAGIC)) {
            Ok(parsed) => parsed,
            Err(error) => return self.find("target-promql-rule", title, Some(index), error),
        };
        let mut seen = Seen::default();
        let _ = walk_expr(&mut seen, &parsed);
        for (rule, label) in [("target-job-rule", "job"), ("target-instance-rule", "instance")] {
            for selector in seen.selectors.iter().filter(|it| !narrowed(it, label)) {
                self.find(rule, title, Some(index), format!("{selector} without {label}=~\"${label}\""));
            }
        }
        for range in &seen.other_ranges {
            self.find("target-rate-interval-rule", title, Some(index), range.clone());
        }
        for counter in &seen.bare_counters {
            self.find("target-counter-agg-rule", title, Some(index), counter.clone());
        }
    }
}

/// Whether a selector has `LABEL=~"$LABEL"`.
pub fn narrowed(selector: &VectorSelector, label: &str) -> bool {
    selector.matchers.matchers.iter().any(|it| {
        let regexp = matches!(it.op, MatchOp::Re(_));
        regexp && it.name == label && it.value == format!("${label}")
    })
}

/// What the rules about queries need.
#[derive(Default)]
pub struct Seen {
    pub selectors: Vec<VectorSelector>,
    other_ranges: Vec<String>,
    bare_counters: Vec<String>,
}

impl ExprVisitor for Seen {
    type Error = anyhow::Error;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool> {
        match expr {
            Expr::VectorSelector(selector) => {
                self.counter(selector);
                self.selectors.push(selector.clone());
            }
            Expr::MatrixSelector(matrix) => {
                self.selectors.push(matrix.vs.clone());
            }
            Expr::Call(call) => self.call(call),
            _ => {}
        }
        Ok(true)
    }
}

impl Seen {
    fn call(&mut self, call: &Call) {
        let rates = ["rate", "irate", "increase"].contains(&call.func.name);
        for argument in &call.args.args {
            if let Expr::MatrixSelector(matrix) = argument.as_ref() {
                if !rates {
                    self.counter(&matrix.vs);
                }
                if rates && argument.to_string() != format!("{}[{MAGIC}]", matrix.vs) {
                    self.other_ranges.push(argument.to_string());
                }
            }
        }
    }

    fn counter(&mut self, selector: &VectorSelector) {
        let name = selector.name.as_deref().unwrap_or_default();
        if names::family(name).is_ok_and(|family| family.kind() == MetricKind::Counter) {
            self.bare_counters.push(name.to_owned());
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Excluded {
    reason: String,
    entries: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Entry {
    dashboard: String,
    panel: String,
    target_idx: usize,
}

/// dashboards/.lint.
pub struct Exclusions(BTreeMap<String, Excluded>);

impl Exclusions {
    pub fn load() -> Result<Self> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            exclusions: BTreeMap<String, Excluded>,
        }
        let path = dashboards::directory().join(".lint");
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let file: File = serde_yaml::from_str(&text).with_context(|| path.display().to_string())?;
        Ok(Self(file.exclusions))
    }

    /// Whether a finding is excused.
    pub fn excuse(&self, dashboard: &Dashboard, finding: &Finding) -> bool {
        self.0.get(finding.rule).is_some_and(|excluded| {
            excluded.entries.iter().any(|entry| {
                entry.dashboard == text(&dashboard.json, "title")
                    && entry.panel == finding.panel
                    && Some(entry.target_idx) == finding.target
            })
        })
    }

    /// Entries that excuse nothing, and exclusions without a reason.
    pub fn idle(&self, found: &[(Dashboard, Vec<Finding>)]) -> Vec<String> {
        let mut idle = Vec::new();
        for (rule, excluded) in &self.0 {
            if excluded.reason.is_empty() {
                idle.push(format!("{rule}: no reason"));
            }
            for entry in &excluded.entries {
                let used = found.iter().any(|(dashboard, findings)| {
                    findings.iter().any(|it| {
                        it.rule == rule
                            && it.panel == entry.panel
                            && it.target == Some(entry.target_idx)
                            && text(&dashboard.json, "title") == entry.dashboard
                    })
                });
                if !used {
                    idle.push(format!("{rule}: {entry:?}"));
                }
            }
        }
        idle
    }
}
