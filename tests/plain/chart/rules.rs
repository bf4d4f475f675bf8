//! The rendered rules and dashboards, compared with those of the project, which have their own
//! tests.

use std::{fs, path::Path, process::Command};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::helm::{RENDERED, kind, list, only, project, render, template, text};

/// The rules of alerts/, in the order of the chart: file by file.
fn written() -> Result<Vec<Value>> {
    let mut groups = Vec::new();
    let mut files = fs::read_dir(project("alerts"))?.collect::<Result<Vec<_>, _>>()?;
    files.sort_by_key(fs::DirEntry::file_name);
    for file in files {
        if file.path().extension().is_some_and(|extension| extension == "yml") {
            let rules: Value = serde_yaml::from_str(&fs::read_to_string(file.path())?)?;
            groups.extend_from_slice(list(&rules["groups"]));
        }
    }
    Ok(groups)
}

fn rendered(values: &str) -> Vec<Value> {
    list(&only(&render(values), "PrometheusRule", "")["spec"]["groups"]).to_vec()
}

fn alerts(mut groups: Vec<Value>, change: impl Fn(&str, &mut Value)) -> Vec<Value> {
    for group in &mut groups {
        for rule in group["rules"].as_array_mut().into_iter().flatten() {
            if let Some(name) = rule["alert"].as_str().map(str::to_owned) {
                change(&name, rule);
            }
        }
    }
    groups
}

fn without(mut groups: Vec<Value>, alert: &str) -> Vec<Value> {
    for group in &mut groups {
        group["rules"]
            .as_array_mut()
            .into_iter()
            .for_each(|rules| rules.retain(|rule| rule["alert"] != alert));
    }
    groups
}

/// What the chart always changes: absent series have no namespace of their own, and a link needs
/// Grafana's address.
fn in_place(groups: Vec<Value>) -> Vec<Value> {
    alerts(groups, |name, rule| {
        if name == "VxlanExporterAbsent" {
            rule["labels"]["namespace"] = json!("cattle-monitoring-system");
        }
        rule["annotations"].as_object_mut().and_then(|annotations| annotations.remove("dashboard_url"));
    })
}

/// Everything is compared: expressions, texts with Prometheus's own templates, severities.
#[test]
fn the_rules_are_rendered_as_they_are_written() -> Result<()> {
    assert_eq!(rendered(""), in_place(written()?));
    Ok(())
}

#[test]
fn what_a_pod_cannot_test_is_no_alarm() -> Result<()> {
    assert_eq!(rendered("vantage: pod"), without(in_place(written()?), "VxlanPathUntestable"));
    assert_eq!(rendered("vantage: pod\nhostNetwork: true"), in_place(written()?));
    Ok(())
}

#[test]
fn values_change_what_stands_around_an_expression() -> Result<()> {
    let written = || -> Result<_> { Ok(in_place(written()?)) };
    let change = |values: &str, change: &dyn Fn(&str, &mut Value)| -> Result<()> {
        assert_eq!(rendered(values), alerts(written()?, change), "{values}");
        Ok(())
    };
    assert_eq!(rendered("prometheusRule: {disabled: [VxlanRttHigh]}"), without(written()?, "VxlanRttHigh"));
    change("prometheusRule: {severity: {VxlanPathLossy: critical}}", &|name, rule| {
        if name == "VxlanPathLossy" {
            rule["labels"]["severity"] = json!("critical");
        }
    })?;
    change("prometheusRule: {forOverride: 2s, for: {VxlanPathLossy: 7s}}", &|name, rule| {
        if let Some(wait) = rule.get_mut("for") {
            *wait = json!(if name == "VxlanPathLossy" { "7s" } else { "2s" });
        }
    })?;
    change("prometheusRule: {ruleLabels: {team: network}}", &|_, rule| {
        rule["labels"]["team"] = json!("network");
    })?;
    change("prometheusRule: {keepFiringFor: 5m}", &|_, rule| {
        rule["keep_firing_for"] = json!("5m");
    })?;
    change("cluster: site-a", &|name, rule| {
        if name == "VxlanExporterAbsent" {
            rule["labels"]["cluster"] = json!("site-a");
        }
    })?;
    for base in ["https://git.example.net/main", "https://git.example.net/main/"] {
        change(&format!("prometheusRule: {{runbookBaseUrl: {base}}}"), &|name, rule| {
            let url = format!("https://git.example.net/main/docs/runbooks/{name}.md");
            rule["annotations"]["runbook_url"] = json!(url);
        })?;
    }
    runbooks_of_its_own(&change)?;
    let more = rendered("prometheusRule: {extraGroups: [{name: mine, rules: [{record: a:b, expr: up}]}]}");
    assert_eq!(more.last(), Some(&json!({"name": "mine", "rules": [{"record": "a:b", "expr": "up"}]})));
    Ok(())
}

/// Compares what some values render with the written rules, changed in that way.
type Compare<'c> = dyn Fn(&str, &dyn Fn(&str, &mut Value)) -> Result<()> + 'c;

/// Without a place for the project's files, `runbook_url` is a page of the exporter itself, if its
/// address is known.
fn runbooks_of_its_own(change: &Compare<'_>) -> Result<()> {
    let ingress = |rest: &str| format!("ingress: {{enabled: true, {rest}}}");
    let tls = "tls: [{secretName: s, hosts: [vxlan.example.net]}]";
    for (values, base) in [
        ("web: {externalUrl: 'https://vxlan.example.net/'}".to_owned(), "https://vxlan.example.net"),
        ("web: {externalUrl: 'http://10.0.0.1:14789'}".to_owned(), "http://10.0.0.1:14789"),
        (ingress("hosts: [{host: vxlan.example.net}]"), "http://vxlan.example.net"),
        (ingress(&format!("hosts: [{{host: vxlan.example.net}}], {tls}")), "https://vxlan.example.net"),
        (ingress(&format!("hosts: [{{host: other.example.net}}], {tls}")), "http://other.example.net"),
        (ingress("hosts: [{host: a.example.net}], tls: [{secretName: s}]"), "https://a.example.net"),
        (
            // Pages have absolute addresses: below another prefix they are not found.
            ingress(
                "hosts: [{host: a.example.net, paths: [{path: /vxlan}]}, {host: '*.example.net'}, {host: b.example.net}]",
            ),
            "http://b.example.net",
        ),
        (
            format!(
                "web: {{externalUrl: 'https://c.example.net'}}\n{}",
                ingress("hosts: [{host: a.example.net}]")
            ),
            "https://c.example.net",
        ),
    ] {
        change(&values, &|name, rule| {
            rule["annotations"]["runbook_url"] = json!(format!("{base}/runbooks/{name}"));
        })?;
    }
    for values in [
        ingress("hosts: [{host: a.example.net, paths: [{path: /metrics}]}]"),
        "ingress: {enabled: false, hosts: [{host: a.example.net}]}".to_owned(),
    ] {
        change(&values, &|_, _| {})?;
    }
    // A place for the project's files comes first.
    let both = "web: {externalUrl: 'https://c.example.net'}\nprometheusRule: {runbookBaseUrl: 'https://git.example.net'}";
    change(both, &|name, rule| {
        rule["annotations"]["runbook_url"] =
            json!(format!("https://git.example.net/docs/runbooks/{name}.md"));
    })
}

/// Rancher passes its own address and the cluster's name to charts that are installed from its
/// pages.
#[test]
fn an_alert_is_linked_where_grafana_is_known() -> Result<()> {
    let rancher = "global: {cattle: {url: 'https://rancher.example.net/', clusterId: c-m-abc}}\n";
    let proxy = "https://rancher.example.net/k8s/clusters/c-m-abc/api/v1/namespaces/cattle-monitoring-system/services";
    for (values, base) in [
        (rancher.to_owned(), Some(format!("{proxy}/http:rancher-monitoring-grafana:80/proxy"))),
        (format!("{rancher}monitoringRelease: mine"), Some(format!("{proxy}/http:mine-grafana:80/proxy"))),
        (
            format!("{rancher}prometheusRule: {{dashboardBaseUrl: 'https://grafana.example.net/'}}"),
            Some("https://grafana.example.net".to_owned()),
        ),
        (format!("{rancher}monitoring: kube-prometheus-stack"), None),
        ("global: {cattle: {url: 'https://rancher.example.net'}}".to_owned(), None),
    ] {
        let mut expected = in_place(written()?);
        for (group, from) in expected.iter_mut().zip(written()?) {
            for (rule, from) in group["rules"].as_array_mut().into_iter().flatten().zip(list(&from["rules"]))
            {
                if let (Some(base), Some(link)) = (&base, from["annotations"]["dashboard_url"].as_str()) {
                    rule["annotations"]["dashboard_url"] = json!(format!("{base}/{link}"));
                }
            }
        }
        assert_eq!(rendered(&values), expected, "{values}");
    }
    Ok(())
}

#[test]
fn prometheus_takes_the_rendered_rules() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let mut files = Vec::new();
    for (name, objects) in &*RENDERED {
        for rule in kind(objects, "PrometheusRule") {
            let mut spec = rule["spec"].clone();
            // promtool 2.42 is older than this key.
            if name == "newest-values.yaml" {
                spec["groups"] = json!(alerts(list(&spec["groups"]).to_vec(), |_, rule| {
                    rule.as_object_mut().and_then(|rule| rule.remove("keep_firing_for"));
                }));
            }
            let file = directory.path().join(name);
            fs::write(&file, serde_json::to_vec(&spec)?)?;
            files.push(file);
        }
    }
    assert!(files.len() > 8, "{files:?}");
    let output = Command::new("promtool").args(["check", "rules"]).args(&files).output();
    let output = output.context("running promtool; `make setup` installs it")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

#[test]
fn what_is_turned_off_is_not_there() {
    let kinds = |values: &str| {
        let objects = render(values);
        let mut kinds = objects.iter().map(|object| text(&object["kind"]).to_owned()).collect::<Vec<_>>();
        kinds.sort();
        kinds.dedup();
        kinds
    };
    // The Pod is `helm test`.
    let least = ["ConfigMap", "Deployment", "Pod", "Service", "ServiceAccount"];
    let off = "dashboards: {enabled: false}\n";
    assert_eq!(kinds("monitoring: none"), least);
    assert_eq!(
        kinds(&format!("{off}prometheusRule: {{enabled: false}}\nserviceMonitor: {{enabled: false}}")),
        least
    );
    assert!(!kinds("prometheusRule: {enabled: false}").contains(&"PrometheusRule".to_owned()));
    assert!(!kinds("serviceMonitor: {enabled: false}").contains(&"ServiceMonitor".to_owned()));
    let maps = kind(&render(off), "ConfigMap").len();
    assert_eq!(maps, 1, "the configuration alone");
    assert_eq!(kind(&render(&format!("{off}kind: DaemonSet\nconfig: {{site: a}}")), "ConfigMap").len(), 2);
}

/// They are where Grafana's sidecar looks, with unchanged text.
#[test]
fn dashboards_are_where_grafana_looks() -> Result<()> {
    for (values, namespace) in [
        ("", "cattle-dashboards"),
        ("monitoring: kube-prometheus-stack", "cattle-monitoring-system"),
        ("dashboards: {namespace: grafana}", "grafana"),
    ] {
        let mut found = 0;
        for map in kind(&render(values), "ConfigMap") {
            for (file, content) in map["data"].as_object().into_iter().flatten() {
                if Path::new(file).extension().is_none_or(|found| found != "json") {
                    continue;
                }
                found += 1;
                assert_eq!(map["metadata"]["namespace"], namespace, "{values}");
                assert_eq!(map["metadata"]["labels"]["grafana_dashboard"], "1", "{values}");
                assert_eq!(text(content), fs::read_to_string(project("dashboards").join(file))?, "{file}");
            }
        }
        let dashboards = fs::read_dir(project("helm/vxlan-exporter/files/dashboards"));
        assert_eq!(found, dashboards.map_or(0, Iterator::count), "{values}");
    }
    Ok(())
}

/// The operator sends a receiver only alerts of its own namespace.
#[test]
fn a_receiver_gets_this_charts_alerts() -> Result<()> {
    let objects =
        template(&fs::read_to_string(project("helm/vxlan-exporter/ci/rancher-2.7-values.yaml"))?, &[])?;
    let config = only(&objects, "AlertmanagerConfig", "");
    assert_eq!(
        config["metadata"]["namespace"],
        only(&objects, "ServiceMonitor", "exporter")["metadata"]["namespace"]
    );
    let route = &config["spec"]["route"];
    assert_eq!(route["matchers"], json!([{"name": "alertname", "matchType": "=~", "value": "Vxlan.+"}]));
    assert_eq!(route["receiver"], config["spec"]["receivers"][0]["name"]);
    let hook = &config["spec"]["receivers"][0]["webhookConfigs"][0];
    assert_eq!(hook, &json!({"url": "https://hooks.example.net/vxlan", "sendResolved": true}));
    let slack = &only(&RENDERED["rancher-2.9-values.yaml"], "AlertmanagerConfig", "")["spec"]["receivers"][0]
        ["slackConfigs"][0];
    assert_eq!(slack["title"], "{{ .CommonLabels.alertname }} {{ .Status }}");
    assert_eq!(slack["apiURL"], json!({"name": "slack-url", "key": "url"}));
    for name in list(&json!(written()?))
        .iter()
        .flat_map(|group| list(&group["rules"]))
        .filter_map(|rule| rule["alert"].as_str())
    {
        assert!(name.starts_with("Vxlan"), "{name} would reach no receiver");
    }
    Ok(())
}
