//! docs/alerts.md, generated from the rules.

use std::fmt::Write as _;

use anyhow::Result;

use super::{
    precedence::TROUBLES,
    rules::{Rule, RuleFile},
};

const HEAD: &str = "\
# Alerts

Generated from alerts/; `UPDATE_DOCS=1 cargo test --test plain alerts` updates it.

The files in [alerts/](../alerts) are plain rule files for Prometheus 2.38 or later, written for a scrape and evaluation interval of 30 s.
Give the scrape the job name `vxlan-exporter`, and load them:

    rule_files: [alerts/*.yml]

When problems share a cause, only the lowest-ranked alert fires: an alert is silent while one of a lower *rank* holds on the same router,
tunnel or path, or on a tunnel that the path crosses (`vxlan_path_hop_info`). Every alert gives the numbers of both ends and,
where router data shows the cause, the VyOS commands that fix it, in the safe order. Each has a page under
[runbooks/](runbooks). `runbook_url` is relative to this project, `dashboard_url` to Grafana; the chart makes both absolute.

*After* is the longest time from the fault to the alert: until it is detected, one scrape, one evaluation, and `for`.

| rank | alert | means | severity | after | also silent while |
|---|---|---|---|---|---|
";

const TAIL: &str = "
Labels: every alert has `namespace` and, if the scrape sets it, `cluster`. Alerts of a path have `source` and `path`, those of a tunnel
`tunnel`, those of a router `router`, `interface` and `bridge`. Two exporters that read the same router or probe the same path never
raise two alerts. A source SITE/NODE without router data of its own uses the router data of its site.

`VxlanExporterAbsent` has no `namespace` of its own: if you route alerts by namespace, add the label to that rule.
`VxlanPathUntestable` is meant for exporters in the host's network. An exporter in a pod's network can never test the
nodes' packet size: leave the rule out there.

Recorded for dashboards: `path:vxlan_path_loss:ratio_rate5m` (share of small echoes lost),
`path:vxlan_path_rtt_seconds:p50_rate5m` and `path:vxlan_path_rtt_seconds:p99_rate5m`, by `namespace`, `cluster`, `source`
and `path`.

`make alerts` generates the files from [alerts/source](../alerts/source), except recording.yml: see [CONTRIBUTING.md](../CONTRIBUTING.md).
";

/// The page.
pub fn page(files: &[RuleFile]) -> Result<String> {
    let mut rows = Vec::new();
    for file in files {
        for rule in file.alerts() {
            let name = rule.name();
            let summary = plain(rule.annotations.get("summary").map_or("", String::as_str));
            let severity = rule.labels.get("severity").map_or("", String::as_str);
            let after = duration(rule.wait_seconds()? + detection(file, rule));
            let rank = TROUBLES.iter().find(|trouble| trouble.alert == name).map(|trouble| trouble.rank);
            let shown = rank.map_or_else(String::new, |rank| rank.to_string());
            let row = format!(
                "| {shown} | [{name}](runbooks/{name}.md) | {summary} | {severity} | {after} | {} |",
                silent_while(name)
            );
            rows.push((rank.unwrap_or(u8::MAX), row));
        }
    }
    rows.sort_by_key(|(rank, _)| *rank);
    let mut page = String::from(HEAD);
    for (_, row) in rows {
        let _ = writeln!(page, "{row}");
    }
    page.push_str(TAIL);
    Ok(page)
}

/// Prints `{{ $labels.tunnel }}` as TUNNEL.
fn plain(template: &str) -> String {
    let mut words = template.trim().to_owned();
    while let Some((before, rest)) = words.split_once("{{ $labels.") {
        let Some((label, after)) = rest.split_once(" }}") else { break };
        words = format!("{before}{}{after}", label.to_uppercase());
    }
    words
}

/// Seconds from the fault until the condition is seen: a scrape and an evaluation, and before that
/// a proof of 5 s on a path, two readings of both routers, or a window that must fill.
fn detection(file: &RuleFile, rule: &Rule) -> u64 {
    match (file.name.as_str(), rule.name()) {
        (_, "VxlanProbeStale") => 240,
        (_, "VxlanPathLossy" | "VxlanRttHigh") => 390,
        (_, "VxlanTunnelLoss") => 300,
        ("paths.yml", _) => 90,
        ("exporter.yml", _) => 120,
        _ => 180,
    }
}

fn duration(seconds: u64) -> String {
    match (seconds / 60, seconds % 60) {
        (minutes, 0) if minutes >= 60 => format!("{}h{}m", minutes / 60, minutes % 60),
        (minutes, 0) => format!("{minutes}m"),
        (minutes, seconds) if minutes >= 60 => format!("{}h{}m{seconds}s", minutes / 60, minutes % 60),
        (minutes, seconds) => format!("{minutes}m{seconds}s"),
    }
}

/// The conditions after `unless` other than the ranks.
fn silent_while(alert: &str) -> &'static str {
    match alert {
        "VxlanMtuBelowBridgePort" => "a path over it is `ok`",
        "VxlanPathUnknown" | "VxlanPathUntestable" => "an alert of rank 9 or lower holds on the path",
        "VxlanRttHigh" => "rank 8 or 9",
        "VxlanTunnelFlapping" => "the tunnel has been down for a minute",
        "VxlanRouterScrapeFailing" => "VxlanHostKeyMismatch, or rank 4 on a path through the router",
        "VxlanExporterAbsent" => "there is any target",
        _ => "",
    }
}
