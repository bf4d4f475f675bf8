//! Every metric and label named in rules, dashboards and documents, checked against the catalogue.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use promql_parser::{
    label::{MatchOp, Matcher},
    parser::{self, BinModifier, Expr, LabelModifier, VectorSelector},
    util::{ExprVisitor, walk_expr},
};
use vxlan_exporter::catalogue::{self, MetricKind, MetricSpec};

/// Labels that a scrape adds, and those of Prometheus's own series.
const SCRAPE: &[&str] = &["namespace", "cluster", "job", "instance", "pod", "le"];
/// Series of Prometheus itself.
const PROMETHEUS: &[&str] = &["up", "ALERTS", "ALERTS_FOR_STATE"];
/// Labels that Prometheus adds to `ALERTS`.
const ALERT: &[&str] = &["alertname", "alertstate", "severity"];

/// Checks one expression; `recorded` are the names of recording rules.
pub fn expression(expr: &str, recorded: &BTreeSet<&str>) -> Result<()> {
    let parsed = parser::parse(expr).map_err(|error| anyhow!("{error}"))?;
    walk_expr(&mut Names { recorded }, &parsed)?;
    Ok(())
}

struct Names<'r> {
    recorded: &'r BTreeSet<&'r str>,
}

impl ExprVisitor for Names<'_> {
    type Error = anyhow::Error;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool> {
        match expr {
            Expr::VectorSelector(selector) => self.selector(selector)?,
            Expr::MatrixSelector(matrix) => self.selector(&matrix.vs)?,
            Expr::Aggregate(aggregate) => modifier(aggregate.modifier.as_ref())?,
            Expr::Binary(binary) => {
                modifier(binary.modifier.as_ref().and_then(|it: &BinModifier| it.matching.as_ref()))?;
            }
            _ => {}
        }
        Ok(true)
    }
}

impl Names<'_> {
    fn selector(&self, selector: &VectorSelector) -> Result<()> {
        let name = selector.name.as_deref().context("a selector without a name")?;
        if self.recorded.contains(name) || PROMETHEUS.contains(&name) {
            return selector.matchers.matchers.iter().try_for_each(|matcher| any_label(&matcher.name));
        }
        let family = family(name)?;
        selector.matchers.matchers.iter().try_for_each(|matcher| matches(family, matcher))
    }
}

/// Families that Prometheus may store as native histograms, by their own name.
const NATIVE: &[&str] = &["vxlan_path_rtt_seconds"];

/// Whether an expression reads native histograms, which have no label `le`.
pub fn reads_native(expr: &Expr) -> bool {
    let text = expr.to_string();
    NATIVE.iter().any(|name| text.contains(name) && !text.contains(&format!("{name}_bucket")))
}

/// The family of a sample; histograms have samples of three names, and native ones are samples
/// themselves.
pub fn family(name: &str) -> Result<&'static MetricSpec> {
    let of_histogram = || {
        let stem = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end))?;
        catalogue::find(stem).filter(|family| family.kind() == MetricKind::Histogram)
    };
    let is_sample = |family: &&MetricSpec| family.kind() != MetricKind::Histogram || NATIVE.contains(&name);
    let family = catalogue::find(name).filter(is_sample).or_else(of_histogram);
    family.with_context(|| format!("{name} is not in src/catalogue.rs"))
}

fn matches(family: &MetricSpec, matcher: &Matcher) -> Result<()> {
    let label = matcher.name.as_str();
    if SCRAPE.contains(&label) {
        return Ok(());
    }
    ensure!(family.labels().contains(&label), "{} has no label `{label}`", family.name());
    let Some(set) = family.value_sets().iter().find(|set| set.label == label) else { return Ok(()) };
    let values = match &matcher.op {
        MatchOp::Equal | MatchOp::NotEqual => vec![matcher.value.as_str()],
        MatchOp::Re(_) | MatchOp::NotRe(_) => matcher.value.split('|').collect(),
    };
    for value in values {
        ensure!(set.values().contains(&value), "{}: `{label}` is never {value:?}", family.name());
    }
    Ok(())
}

fn modifier(modifier: Option<&LabelModifier>) -> Result<()> {
    modifier.into_iter().flat_map(|it| &it.labels().labels).try_for_each(|label| any_label(label))
}

/// Whether any family, or the scrape, has the label.
fn any_label(label: &str) -> Result<()> {
    let known = SCRAPE.contains(&label)
        || ALERT.contains(&label)
        || catalogue::ALL.iter().any(|family| family.labels().contains(&label));
    ensure!(known, "no family has a label `{label}`");
    Ok(())
}

/// Checks everything in a text that looks like a metric, with the labels in braces after it.
pub fn text(text: &str) -> Result<()> {
    for (at, _) in text.match_indices("vxlan_") {
        let inside = text[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        let end = text[at..]
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .map_or(text.len(), |it| at + it);
        let name = &text[at..end];
        // The program's own name, Rust paths, and the middle of a recorded series' name.
        if inside || name == "vxlan_exporter" || text[..at].ends_with(':') {
            continue;
        }
        let Some(family) = catalogue::find(name).or_else(|| family(name).ok()) else {
            bail!("{name} is not in src/catalogue.rs");
        };
        let Some(braces) = text[end..].strip_prefix('{').and_then(|rest| rest.split('}').next()) else {
            continue;
        };
        for label in braces.split(',').filter(|label| !label.contains('%')) {
            let label = label.split(['=', '!']).next().unwrap_or_default().trim();
            let known = family.labels().contains(&label) || SCRAPE.contains(&label);
            ensure!(known, "{name} has no label `{label}`");
        }
    }
    for clause in ["by (", "on ("] {
        for labels in text.split(clause).skip(1).filter_map(|rest| rest.split(')').next()) {
            if text.contains("query (printf") {
                let named = |label: &&str| !label.is_empty() && *label != "counter";
                labels.split(", ").filter(named).try_for_each(any_label)?;
            }
        }
    }
    Ok(())
}
