//! Ports, Services, and what Prometheus finds behind them.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::helm::{RENDERED, kind, list, only, pods, render, template, text};

fn selects(selector: &Value, labels: &Value) -> bool {
    let wanted = selector.as_object().cloned().unwrap_or_default();
    !wanted.is_empty() && wanted.iter().all(|(key, value)| labels[key] == *value)
}

/// Names of the pods that a Service selects.
fn behind(objects: &[Value], service: &Value) -> Vec<String> {
    let mut pods = pods(objects);
    pods.retain(|(_, pod)| selects(&service["spec"]["selector"], &pod["metadata"]["labels"]));
    pods.into_iter().map(|(name, _)| name).collect()
}

/// The alerts match `job="vxlan-exporter"`, whatever the names of objects are.
#[test]
fn the_job_is_vxlan_exporter() {
    for (file, objects) in &*RENDERED {
        for monitor in kind(objects, "ServiceMonitor") {
            assert_eq!(monitor["spec"]["jobLabel"], "app.kubernetes.io/name", "{file}");
            let labels = &monitor["spec"]["selector"]["matchLabels"];
            let services = kind(objects, "Service");
            let mut found = services.iter().filter(|service| selects(labels, &service["metadata"]["labels"]));
            let service = found.next().expect("a Service");
            assert!(found.next().is_none(), "{file}: one Service, or everything is scraped twice");
            assert_eq!(service["metadata"]["labels"]["app.kubernetes.io/name"], "vxlan-exporter", "{file}");
            assert_eq!(
                monitor["spec"]["namespaceSelector"]["matchNames"],
                json!([service["metadata"]["namespace"]])
            );
            let port = &monitor["spec"]["endpoints"][0]["port"];
            assert!(
                list(&service["spec"]["ports"]).iter().any(|found| found["name"] == *port),
                "{file}: {port}"
            );
        }
        for scrape in kind(objects, "ScrapeConfig") {
            for (label, value) in [("job", "vxlan-exporter"), ("namespace", "cattle-monitoring-system")] {
                let wanted = json!({"targetLabel": label, "replacement": value});
                assert!(list(&scrape["spec"]["relabelings"]).contains(&wanted), "{file}: {label}");
            }
        }
    }
    let renamed = render("fullnameOverride: overlay");
    let service = only(&renamed, "Service", "overlay");
    assert_eq!(service["metadata"]["labels"]["app.kubernetes.io/name"], "vxlan-exporter");
}

/// Plain kube-prometheus-stack accepts only objects labelled with its release's name.
#[test]
fn objects_of_the_operator_bear_its_release() {
    for (values, wanted) in [
        ("", "rancher-monitoring"),
        ("monitoring: kube-prometheus-stack", "kube-prometheus-stack"),
        ("monitoring: kube-prometheus-stack\nmonitoringRelease: kps", "kps"),
    ] {
        for object in render(values) {
            if text(&object["apiVersion"]).starts_with("monitoring.coreos.com/") {
                assert_eq!(object["metadata"]["labels"]["release"], wanted, "{values}");
            }
        }
    }
}

#[test]
fn each_service_meets_its_pods_and_their_ports() {
    for (file, objects) in &*RENDERED {
        for service in kind(objects, "Service") {
            let name = text(&service["metadata"]["name"]);
            if service["spec"]["selector"].is_null() {
                let endpoints = only(objects, "Endpoints", name);
                assert_eq!(endpoints["subsets"][0]["ports"], service["spec"]["ports"], "{file}");
                continue;
            }
            let mut met = behind(objects, service);
            assert!(!met.is_empty(), "{file}: {name} has no pod");
            for (_, pod) in pods(objects).into_iter().filter(|(name, _)| met.contains(name)) {
                for port in list(&service["spec"]["ports"]) {
                    let ports = list(&pod["spec"]["containers"][0]["ports"]);
                    assert!(
                        ports.iter().any(|found| found["name"] == port["targetPort"]),
                        "{file}: {name}: {port}"
                    );
                }
            }
            met.retain(|name| name.ends_with("-reflector") || name.ends_with("-test"));
            assert!(met.is_empty(), "{file}: {name} has {met:?}, which export nothing");
        }
    }
}

#[test]
fn every_node_is_behind_the_right_ports() {
    let objects = &RENDERED["daemonset-values.yaml"];
    let service = |end| behind(objects, only(objects, "Service", end));
    assert_eq!(service("vxlan-exporter"), ["vxlan-exporter-nodes", "vxlan-exporter"]);
    assert_eq!(service("-nodeport-reflector"), ["vxlan-exporter-nodes"]);
    let objects = &RENDERED["nodeport-values.yaml"];
    assert_eq!(behind(objects, only(objects, "Service", "-nodeport-metrics")), ["vxlan-exporter"]);
}

/// Kubernetes refuses them on these: source ranges belong into the network policy and the
/// exporter's configuration.
#[test]
fn no_node_port_has_source_ranges() {
    let services = RENDERED.values().flat_map(|objects| kind(objects, "Service")).collect::<Vec<_>>();
    assert!(services.iter().any(|service| service["spec"]["type"] == "NodePort"));
    for service in services {
        assert!(service["spec"].get("loadBalancerSourceRanges").is_none(), "{service}");
        let of_nodes = service["spec"]["type"] == "NodePort";
        assert_eq!(service["spec"].get("externalTrafficPolicy").is_some(), of_nodes, "{service}");
    }
}

#[test]
fn node_ports_are_as_written() {
    let objects = &RENDERED["nodeport-values.yaml"];
    let metrics = only(objects, "Service", "-nodeport-metrics");
    assert_eq!(metrics["spec"]["externalTrafficPolicy"], "Cluster");
    assert_eq!(metrics["spec"]["ports"][0]["nodePort"], 30789);
    let reflector = only(objects, "Service", "-nodeport-reflector");
    assert_eq!(reflector["spec"]["externalTrafficPolicy"], "Local");
    assert!(reflector["spec"]["ports"][0].get("nodePort").is_none());
    assert_eq!(reflector["spec"]["ports"][0]["port"], 14790);
}

/// These pods may run in the same node's network.
#[test]
fn no_two_pods_want_one_port_of_a_node() {
    for (file, objects) in &*RENDERED {
        let mut taken = BTreeSet::new();
        for (name, pod) in pods(objects) {
            if pod["spec"]["hostNetwork"] != true {
                continue;
            }
            for port in list(&pod["spec"]["containers"][0]["ports"]) {
                assert!(taken.insert(port["containerPort"].as_u64()), "{file}: {name}: {port}");
            }
        }
        for workload in objects {
            let spec = &workload["spec"];
            if workload.pointer("/spec/template/spec/hostNetwork") == Some(&json!(true)) {
                let way = match text(&workload["kind"]) {
                    "Deployment" => spec["strategy"] == json!({"type": "Recreate"}),
                    "DaemonSet" => spec["updateStrategy"]["rollingUpdate"]["maxSurge"] == 0,
                    _ => true,
                };
                assert!(way, "{file}: an update would start the second before the first is gone: {spec}");
            }
        }
    }
}

#[test]
fn targets_outside_come_by_what_the_operator_has() {
    let values = "dcTargets: [{name: a, address: 10.0.0.1, labels: {rack: r1}}]\ncluster: site-a";
    let kinds = |arguments: &[&str]| {
        let objects = template(&format!("{}{values}", super::helm::IMAGE), arguments).expect("it renders");
        let count = |name| kind(&objects, name).len();
        (count("ScrapeConfig"), count("Endpoints"), count("ServiceMonitor"))
    };
    assert_eq!(kinds(&[]), (0, 1, 2));
    assert_eq!(kinds(&["--api-versions", "monitoring.coreos.com/v1alpha1/ScrapeConfig"]), (1, 0, 1));
    assert_eq!(kinds(&["--set", "scrapeConfig.enabled=true"]), (1, 0, 1));
    let never = [
        "--set",
        "scrapeConfig.enabled=false",
        "--api-versions",
        "monitoring.coreos.com/v1alpha1/ScrapeConfig",
    ];
    assert_eq!(kinds(&never), (0, 1, 2));
    // The labels are the same in both cases.
    let objects = render(values);
    let relabelings = &only(&objects, "ServiceMonitor", "-a")["spec"]["endpoints"][0]["relabelings"];
    let labels = list(relabelings)
        .iter()
        .map(|one| (text(&one["targetLabel"]).to_owned(), one["replacement"].clone()));
    assert_eq!(Value::Object(labels.collect::<Map<_, _>>()), json!({"cluster": "site-a", "rack": "r1"}));
}

#[test]
fn a_network_policy_lets_in_and_nothing_out_is_stopped() {
    let objects = &RENDERED["pod-values.yaml"];
    let policy = only(objects, "NetworkPolicy", "");
    assert_eq!(policy["spec"]["policyTypes"], json!(["Ingress"]));
    let ingress = list(&policy["spec"]["ingress"]);
    assert_eq!(ingress[0]["ports"][0]["port"], "metrics");
    assert!(ingress[0]["from"][0].get("namespaceSelector").is_some());
    assert_eq!((&ingress[1]["ports"][0]["port"], ingress[1].get("from")), (&json!("reflector"), None));
    let narrow = render(
        "vantage: pod\nnetworkPolicy: {enabled: true}\nreflector: {enabled: true, allowedSources: [10.0.0.0/8]}",
    );
    let ingress = &only(&narrow, "NetworkPolicy", "")["spec"]["ingress"];
    assert_eq!(ingress[0]["from"], json!([{"podSelector": {}}]));
    assert_eq!(ingress[1]["from"], json!([{"ipBlock": {"cidr": "10.0.0.0/8"}}]));
}

/// Prometheus asks the exporter itself, which is told that it may probe these targets.
#[test]
fn targets_on_demand_are_a_probe_object_and_allowed() {
    let objects = &RENDERED["everything-values.yaml"];
    let probe = &only(objects, "Probe", "")["spec"];
    let service = only(objects, "Service", "overlay");
    let host = format!(
        "{}.{}.svc:14789",
        text(&service["metadata"]["name"]),
        text(&service["metadata"]["namespace"])
    );
    assert_eq!(probe["prober"], json!({"url": host, "path": "/probe", "scheme": "https"}));
    assert_eq!(probe["module"], "path_mtu");
    assert_eq!(
        probe["targets"]["staticConfig"]["static"],
        json!(["10.10.0.1:443", "[fd00::1]:443", "rancher.example.net"])
    );
    assert!(probe["tlsConfig"].is_object(), "{probe}");
    let allowed = |objects: &[Value]| -> Value {
        let mut maps = kind(objects, "ConfigMap");
        maps.retain(|map| map["data"].get("config.yml").is_some());
        let config: Value = serde_yaml::from_str(text(&maps[0]["data"]["config.yml"])).expect("YAML");
        config["probe"]["allowed_targets"].clone()
    };
    assert_eq!(allowed(objects), json!(["10.10.0.1", "fd00::1", "rancher.example.net"]));
    let own = "probe: {targets: [a.example]}\nconfig:\n  site: a\n  probe: {allowed_targets: [10.0.0.0/8]}\n";
    assert_eq!(allowed(&render(own)), json!(["10.0.0.0/8"]));
    assert!(kind(&render("monitoring: none\nprobe: {targets: [a.example]}"), "Probe").is_empty());
}

#[test]
fn guarded_metrics_are_scraped_as_their_secret_says() {
    let objects = &RENDERED["nodeport-values.yaml"];
    let endpoint = &only(objects, "ServiceMonitor", "")["spec"]["endpoints"][0];
    assert_eq!(endpoint["scheme"], "https");
    assert!(endpoint["tlsConfig"].is_object() && endpoint["basicAuth"].is_object(), "{endpoint}");
    let container = &only(objects, "Deployment", "")["spec"]["template"]["spec"]["containers"][0];
    assert!(
        list(&container["args"]).contains(&json!("--web.config.file=/etc/vxlan_exporter_web/web-config.yml"))
    );
    let inside = json!({"command": ["/vxlan_exporter", "healthy", "--port=14789"]});
    assert_eq!([&container["readinessProbe"]["exec"], &container["livenessProbe"]["exec"]], [&inside; 2]);
    let open = render("");
    let container = &only(&open, "Deployment", "")["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["readinessProbe"]["httpGet"], json!({"path": "/-/ready", "port": "metrics"}));
    assert_eq!(container["livenessProbe"]["exec"], inside);
}

/// Names of Services and values of labels have at most 63 characters.
#[test]
fn names_are_short_enough() {
    let long = "a-name-that-is-far-too-long-for-what-is-put-behind-it-by-the-chart";
    let values = format!(
        "fullnameOverride: {long}\nkind: DaemonSet\nconfig: {{site: a}}\nweb: {{existingSecret: a}}\n\
         nodePort: {{metrics: {{enabled: true}}, reflector: {{enabled: true}}}}\n\
         dcTargets: [{{name: seventeen-letters, address: 10.0.0.1}}]"
    );
    for object in render(&values) {
        let metadata = &object["metadata"];
        let labels = metadata["labels"].as_object().into_iter().flat_map(Map::values).map(text);
        for name in labels.chain([text(&metadata["name"])]) {
            assert!(name.len() <= 63 && !name.ends_with('-'), "{name}");
        }
    }
}
