//! The effect of `PromQL` on labels, and the mistakes that it causes: those checks of
//! cloudflare/pint that need no Prometheus (`promql/rate`, `counter`, `regexp`, `impossible`,
//! `vector_matching`, `fragile`).

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, anyhow, ensure};
use promql_parser::{
    label::{MatchOp, Matcher},
    parser::{
        self, AggregateExpr, BinaryExpr, Call, Expr, LabelModifier, VectorMatchCardinality, VectorSelector,
    },
};
use vxlan_exporter::catalogue::{self, MetricKind};

use super::names::{family, reads_native};
use crate::alerts::rules::RuleFile;

/// The labels that a vector may have.
pub type Labels = BTreeSet<String>;
/// The labels of recorded series.
pub type Recorded = BTreeMap<String, Labels>;

/// Labels that every scrape adds. `namespace` and `cluster` are not certain to exist, but grouping
/// by them does no harm.
const SCRAPE: &[&str] = &["job", "instance"];
const OF_THE_CLUSTER: &[&str] = &["namespace", "cluster"];

/// Functions that apply to counters.
pub const OF_COUNTERS: &[&str] = &["rate", "irate", "increase", "resets", "changes"];

/// Checks an expression and returns the labels that its result may have; `None` is a number.
pub fn check(expr: &str, recorded: &Recorded) -> Result<Option<Labels>> {
    let parsed = parser::parse(expr).map_err(|error| anyhow!("{error}"))?;
    Check { recorded }.expr(&parsed)
}

/// The labels of all recorded series, from the rules that record them, in order.
pub fn recorded(files: &[RuleFile]) -> Result<Recorded> {
    let mut known = Recorded::new();
    for rule in files.iter().flat_map(RuleFile::rules) {
        if let Some(name) = &rule.record {
            // A rule that keeps what it recorded before must name the labels that it keeps.
            if rule.expr.contains(name.as_str()) {
                let all = catalogue::ALL.iter().flat_map(|family| family.labels());
                known.insert(name.clone(), all.map(|&label| label.to_owned()).collect());
            }
            let labels = check(&rule.expr, &known).with_context(|| name.clone())?.unwrap_or_default();
            known.insert(name.clone(), labels);
        }
    }
    Ok(known)
}

/// Whether a sample only rises.
fn rises(name: &str) -> bool {
    family(name).is_ok_and(|family| family.kind() != MetricKind::Gauge)
}

struct Check<'r> {
    recorded: &'r Recorded,
}

impl Check<'_> {
    fn expr(&self, expr: &Expr) -> Result<Option<Labels>> {
        match expr {
            Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => Ok(None),
            Expr::Paren(inner) => self.expr(&inner.expr),
            Expr::Unary(inner) => self.expr(&inner.expr),
            Expr::Subquery(inner) => self.expr(&inner.expr),
            Expr::MatrixSelector(matrix) => self.selector(&matrix.vs).map(Some),
            Expr::VectorSelector(selector) => {
                let name = selector.name.as_deref().unwrap_or_default();
                let counted = family(name).is_ok_and(|family| family.kind() == MetricKind::Counter);
                ensure!(!counted, "promql/counter: {name} is a counter: use rate or increase");
                self.selector(selector).map(Some)
            }
            Expr::Call(call) => self.call(call),
            Expr::Aggregate(aggregate) => self.aggregate(aggregate).map(Some),
            Expr::Binary(binary) => self.binary(binary),
        }
    }

    fn selector(&self, selector: &VectorSelector) -> Result<Labels> {
        selector.matchers.matchers.iter().try_for_each(regexp)?;
        let name = selector.name.as_deref().context("a selector without a name")?;
        if let Some(labels) = self.recorded.get(name) {
            return Ok(labels.clone());
        }
        let mut labels: Labels = match name {
            "ALERTS" | "ALERTS_FOR_STATE" => {
                let all = catalogue::ALL.iter().flat_map(|family| family.labels());
                all.chain(&["alertname", "alertstate", "severity"]).map(|&label| label.to_owned()).collect()
            }
            "up" => Labels::new(),
            _ => {
                let family = family(name).context("promql/series")?;
                family.labels().iter().map(|&label| label.to_owned()).collect()
            }
        };
        labels.extend(SCRAPE.iter().chain(OF_THE_CLUSTER).map(|&label| label.to_owned()));
        if name.ends_with("_bucket") {
            labels.insert("le".to_owned());
        }
        Ok(labels)
    }

    fn call(&self, call: &Call) -> Result<Option<Labels>> {
        let name = call.func.name;
        if let Some(Expr::MatrixSelector(matrix)) = call.args.args.first().map(AsRef::as_ref) {
            let metric = matrix.vs.name.as_deref().unwrap_or_default();
            let counts = OF_COUNTERS[..3].contains(&name);
            ensure!(!counts || rises(metric), "promql/rate: {name} of {metric}, which is no counter");
            ensure!(
                OF_COUNTERS.contains(&name) || !rises(metric),
                "promql/counter: {name} of {metric}, which is a counter"
            );
        }
        let mut vectors = Vec::new();
        for argument in &call.args.args {
            vectors.extend(self.expr(argument)?);
        }
        let labels = vectors.into_iter().next();
        Ok(match name {
            "time" | "scalar" => None,
            "absent" | "absent_over_time" | "vector" => Some(Labels::new()),
            "histogram_quantile" => {
                let mut labels = labels.context("a quantile of a number")?;
                let is_native = call.args.args.last().is_some_and(|vector| reads_native(vector));
                ensure!(
                    labels.remove("le") || is_native,
                    "promql/impossible: histogram_quantile without `le`"
                );
                Some(labels)
            }
            "label_replace" | "label_join" => {
                let mut labels = labels.context("label_replace of a number")?;
                if let Some(Expr::StringLiteral(target)) = call.args.args.get(1).map(AsRef::as_ref) {
                    labels.insert(target.val.clone());
                }
                Some(labels)
            }
            _ => labels,
        })
    }

    fn aggregate(&self, aggregate: &AggregateExpr) -> Result<Labels> {
        if let Some(parameter) = &aggregate.param {
            self.expr(parameter)?;
        }
        let labels = self.expr(&aggregate.expr)?.context("an aggregation of a number")?;
        let by = match &aggregate.modifier {
            None => Vec::new(),
            Some(LabelModifier::Include(by)) => by.labels.clone(),
            Some(LabelModifier::Exclude(_)) => {
                anyhow::bail!("promql/fragile: `without` keeps labels that a scrape may add")
            }
        };
        present(&by, &labels, "by")?;
        let keeps = ["topk", "bottomk", "limitk"].contains(&aggregate.op.to_string().as_str());
        Ok(if keeps { labels } else { by.into_iter().collect() })
    }

    fn binary(&self, binary: &BinaryExpr) -> Result<Option<Labels>> {
        let (left, right) = match (self.expr(&binary.lhs)?, self.expr(&binary.rhs)?) {
            (Some(left), Some(right)) => (left, right),
            (left, right) => return Ok(left.or(right)),
        };
        let modifier = binary.modifier.as_ref();
        let on = match modifier.and_then(|it| it.matching.as_ref()) {
            None => None,
            Some(LabelModifier::Include(on)) => Some(on.labels.clone()),
            Some(LabelModifier::Exclude(_)) => {
                anyhow::bail!("promql/fragile: `ignoring` matches labels that a scrape may add")
            }
        };
        let operator = binary.op.to_string();
        if operator == "or" {
            return Ok(Some(left.union(&right).cloned().collect()));
        }
        match &on {
            Some(on) => {
                present(on, &left, &format!("on, left of {operator}"))?;
                present(on, &right, &format!("on, right of {operator}"))?;
            }
            None => ensure!(
                left == right,
                "promql/vector_matching: {operator} between {left:?} and {right:?} without `on`"
            ),
        }
        let grouped = |many: &Labels, one: &Labels, extra: &[String]| -> Result<Labels> {
            present(extra, one, "group_left or group_right")?;
            Ok(many.iter().chain(extra).cloned().collect())
        };
        let labels = match (operator.as_str(), modifier.map(|it| &it.card)) {
            ("and" | "unless", _) => left,
            (_, Some(VectorMatchCardinality::ManyToOne(extra))) => grouped(&left, &right, &extra.labels)?,
            (_, Some(VectorMatchCardinality::OneToMany(extra))) => grouped(&right, &left, &extra.labels)?,
            _ => on.map_or(left, |on| on.into_iter().collect()),
        };
        Ok(Some(labels))
    }
}

/// Labels that an operator names must exist.
fn present(named: &[String], labels: &Labels, by: &str) -> Result<()> {
    for label in named {
        let there = labels.contains(label) || OF_THE_CLUSTER.contains(&label.as_str());
        ensure!(there, "promql/impossible: {by} ({label}), but there is no `{label}` among {labels:?}");
    }
    Ok(())
}

/// Refuses a malformed regular expression. One with a variable may become valid.
fn regexp(matcher: &Matcher) -> Result<()> {
    if let MatchOp::Re(_) | MatchOp::NotRe(_) = matcher.op {
        let value = &matcher.value;
        let special = |c: char| ".+*?|[](){}\\$".contains(c);
        ensure!(
            value.contains(special),
            "promql/regexp: {}=~{value:?} needs no regular expression",
            matcher.name
        );
        ensure!(
            !value.starts_with('^') && !value.ends_with('$'),
            "promql/regexp: {}=~{value:?} is anchored already",
            matcher.name
        );
    }
    Ok(())
}
