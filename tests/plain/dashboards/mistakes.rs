//! Makes one mistake at a time in a correct dashboard: the check for it must notice.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{layout, lint, queries::Checker};
use lab::dashboards::{self, Dashboard};

/// A place in the overlay dashboard, what is put there, and the finding that it must cause.
struct Mistake {
    at: &'static str,
    put: Value,
    said: &'static str,
}

fn mistake(at: &'static str, put: impl Into<Value>, said: &'static str) -> Mistake {
    Mistake { at, put: put.into(), said }
}

/// Panel 0 is the stat of black holes, 6 the timeline of verdicts, 7 the commands to type, 8 the
/// table of paths.
fn mistakes() -> Vec<Mistake> {
    let query = "/panels/0/targets/0/expr";
    let scrape = r#"job=~"$job", instance=~"$instance""#;
    let expr = |text: &str| text.replace("SCRAPE", scrape);
    vec![
        mistake("/templating/list/0/name", "prometheus", "template-datasource-rule"),
        mistake("/templating/list/0/label", "Prometheus", "template-datasource-rule"),
        mistake("/templating/list/1/label", "job", "template-job-rule"),
        mistake("/templating/list/1/multi", false, "template-job-rule"),
        mistake("/templating/list/2/allValue", ".*", "template-instance-rule"),
        mistake("/templating/list/2/datasource/uid", "prometheus", "template-instance-rule"),
        mistake(
            "/templating/list/3/query",
            "label_values(vxlan_path_info{path, path)",
            "template-label-promql-rule",
        ),
        mistake(
            "/templating/list/3/query",
            "label_values(vxlan_paths_info, path)",
            "template-label-promql-rule",
        ),
        mistake(
            "/templating/list/3/query",
            "query_values(vxlan_path_info, path)",
            "template-label-promql-rule",
        ),
        mistake("/templating/list/3/refresh", 1, "template-on-time-change-reload-rule"),
        mistake("/panels/0/datasource/uid", "prometheus", "panel-datasource-rule"),
        mistake("/panels/0/targets/0/datasource/uid", "prometheus", "panel-datasource-rule"),
        mistake("/panels/0/title", "", "panel-title-description-rule"),
        mistake("/panels/0/description", "", "panel-title-description-rule"),
        mistake("/panels/0/fieldConfig/defaults/unit", "B", "panel-units-rule"),
        mistake("/panels/8/fieldConfig/overrides/1/properties/0/value", "percents", "panel-units-rule"),
        mistake("/panels/0/targets", json!([]), "panel-no-targets-rule"),
        mistake("/panels/0/targets/0/datasource/type", "loki", "target-logql-rule"),
        mistake(query, "sum(vxlan_path_blackhole", "target-promql-rule"),
        mistake(
            query,
            expr("sum(rate(vxlan_path_echo_lost_total{SCRAPE}[5m]))"),
            "target-rate-interval-rule",
        ),
        mistake(
            query,
            expr("sum(increase(vxlan_path_echo_lost_total{SCRAPE}[1h]))"),
            "target-rate-interval-rule",
        ),
        mistake(query, r#"sum(vxlan_path_blackhole{instance=~"$instance"})"#, "target-job-rule"),
        mistake(
            query,
            r#"sum(vxlan_path_blackhole{job=~"$job", instance="$instance"})"#,
            "target-instance-rule",
        ),
        mistake(query, expr("sum(vxlan_path_echo_lost_total{SCRAPE})"), "target-counter-agg-rule"),
        mistake("/editable", true, "uneditable-dashboard"),
        mistake("/schemaVersion", 38, "schemaVersion"),
        mistake("/tags", json!([]), ": tags"),
        mistake("/uid", "", ": uid"),
        mistake("/id", 7, "an id of one Grafana's own"),
        mistake("/links/0/includeVars", false, "no links"),
        mistake("/panels/1/id", 1, ": id"),
        mistake("/panels/1/pluginVersion", "", "pluginVersion"),
        mistake("/panels/1/title", "Black holes", "twice"),
        mistake("/panels/1/type", "gauge", "type gauge"),
        mistake("/panels/1/gridPos/x", 3, "overlap"),
        mistake("/panels/5/gridPos/x", 22, "outside the grid"),
        mistake("/panels/7/gridPos/y", 6, "a laptop does not show"),
        mistake("/panels/10/collapsed", true, "folded"),
        mistake("/panels/0/fieldConfig/defaults/thresholds/steps/1/color", "red", "colour red"),
        mistake("/panels/0/description", "What vxlan_path_hole says.", "not in src/catalogue.rs"),
        mistake(query, expr("sum(vxlan_path_black_hole{SCRAPE})"), "not in src/catalogue.rs"),
        mistake(query, expr(r#"sum(vxlan_path_blackhole{SCRAPE, site="a"})"#), "has no label `site`"),
        mistake(query, expr(r#"sum(vxlan_path_blackhole{SCRAPE, direction="forwards"})"#), "is never"),
        mistake(query, expr("sum(rate(vxlan_path_blackhole{SCRAPE}[$__rate_interval]))"), "promql/rate"),
        mistake(
            query,
            expr("sum(delta(vxlan_path_echo_lost_total{SCRAPE}[$__rate_interval]))"),
            "promql/counter",
        ),
        mistake(query, expr(r#"sum(vxlan_path_blackhole{SCRAPE, path=~"rancher"})"#), "promql/regexp"),
        mistake(query, expr(r#"sum(vxlan_path_blackhole{SCRAPE, path=~"r.+$"})"#), "promql/regexp"),
        mistake(query, expr("sum(max by (tunnel) (vxlan_path_blackhole{SCRAPE}))"), "promql/impossible"),
        mistake(
            query,
            expr("sum(vxlan_path_blackhole{SCRAPE} * on (tunnel) group_left () vxlan_tunnel_up{SCRAPE})"),
            "promql/impossible",
        ),
        mistake(
            query,
            expr("sum(vxlan_path_blackhole{SCRAPE} * vxlan_path_expected_mtu_bytes{SCRAPE})"),
            "promql/vector_matching",
        ),
        mistake(query, expr("sum without (direction) (vxlan_path_blackhole{SCRAPE})"), "promql/fragile"),
        mistake("/panels/6/targets/0/legendFormat", "{{router}}", "legend"),
        mistake(
            "/panels/8/transformations/1/options/renameByName",
            json!({ "Value #Z": "verdict" }),
            "no column Value #Z",
        ),
        mistake("/panels/8/options/sortBy/0/displayName", "severity", "no column \"severity\""),
        mistake("/panels/7/transformations/0/options/sort/0/field", "steps", "sorted by"),
    ]
}

pub fn all_are_noticed() -> Result<()> {
    let overlay =
        dashboards::load()?.into_iter().find(|it| it.name == "vxlan-overlay").context("no overlay")?;
    let exclusions = lint::Exclusions::load()?;
    let checker = Checker::new()?;
    for mistake in mistakes() {
        let mut broken = overlay.clone();
        put(&mut broken.json, mistake.at, mistake.put.clone())?;
        let said = all_findings(&broken, mistake.at, &exclusions, &checker);
        ensure!(
            said.iter().any(|it| it.contains(mistake.said)),
            "{} at {}: {:?} was not said, but {said:#?}",
            mistake.put,
            mistake.at,
            mistake.said
        );
    }
    Ok(())
}

/// The findings of all checks; queries are checked only in the panel with the mistake, as all
/// others are unchanged.
fn all_findings(
    dashboard: &Dashboard,
    at: &str,
    exclusions: &lint::Exclusions,
    checker: &Checker,
) -> Vec<String> {
    let mut said = layout::findings(dashboard);
    let mut part = dashboard.clone();
    let panel = at.strip_prefix("/panels/").and_then(|rest| rest.split('/').next()?.parse::<usize>().ok());
    part.json["panels"] = panel.map(|panel| dashboard.json["panels"][panel].clone()).into_iter().collect();
    let linter = lint::findings(&part);
    said.extend(linter.iter().filter(|it| !exclusions.excuse(&part, it)).map(|it| format!("{it:?}")));
    said.extend(checker.findings(&part));
    said
}

/// Replaces a value; `/id` does not exist before.
fn put(json: &mut Value, at: &str, value: Value) -> Result<()> {
    if at == "/id" {
        json["id"] = value;
    } else {
        let place = json.pointer_mut(at).with_context(|| format!("nothing at {at}"))?;
        ensure!(*place != value, "{at} is that already");
        *place = value;
    }
    Ok(())
}
