//! What the Prometheus Operator makes of the chart's objects: scrape jobs, routes and receivers.
//! Instead of finding pods by the cluster's API, it reads a file of targets here.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value, json};

use super::{chart::Objects, stack::NAMESPACE};

/// Name of the file of targets.
pub const TARGETS: &str = "targets.json";

/// The scrape jobs of all `ServiceMonitors` and `ScrapeConfigs`.
pub fn scrape_jobs(objects: &Objects) -> Result<Vec<Value>> {
    let monitors = objects
        .all("ServiceMonitor")
        .into_iter()
        .map(|monitor| of_service_monitor(&monitor["metadata"]["name"], &monitor["spec"]));
    let configs = objects
        .all("ScrapeConfig")
        .into_iter()
        .map(|config| of_scrape_config(&config["metadata"]["name"], &config["spec"]));
    monitors.chain(configs).collect()
}

/// The cluster's data about a pod behind the chart's `Service`.
pub fn target_of_service(objects: &Objects, address: &str) -> Result<Value> {
    let service = objects.one("Service")?;
    let port = &service["spec"]["ports"][0]["name"];
    let mut labels = json!({
        "__meta_kubernetes_namespace": NAMESPACE,
        "__meta_kubernetes_service_name": service["metadata"]["name"],
        "__meta_kubernetes_endpoint_port_name": port,
        "__meta_kubernetes_pod_name": "vxlan-exporter-0",
        "__meta_kubernetes_pod_container_name": "exporter",
    });
    for (name, value) in service["metadata"]["labels"].as_object().context("labels of the Service")? {
        labels[meta("service_label", name)] = value.clone();
        labels[meta("service_labelpresent", name)] = "true".into();
    }
    Ok(json!({ "targets": [address], "labels": labels }))
}

fn meta(kind: &str, label: &str) -> String {
    format!("__meta_kubernetes_{kind}_{}", label.replace(['.', '/', '-'], "_"))
}

fn of_service_monitor(name: &Value, spec: &Value) -> Result<Value> {
    let [endpoint] = spec["endpoints"].as_array().context("endpoints")?.as_slice() else {
        bail!("{name}: more than one endpoint")
    };
    let mut relabel = Vec::new();
    for (label, value) in spec["selector"]["matchLabels"].as_object().context("selector")? {
        let value = value.as_str().context("a label")?;
        relabel.push(json!({
            "action": "keep",
            "source_labels": [meta("service_label", label), meta("service_labelpresent", label)],
            "regex": format!("({value});true"),
        }));
    }
    relabel.push(json!({
        "action": "keep",
        "source_labels": ["__meta_kubernetes_endpoint_port_name"],
        "regex": endpoint["port"],
    }));
    for (source, target) in [
        ("__meta_kubernetes_namespace", "namespace"),
        ("__meta_kubernetes_service_name", "service"),
        ("__meta_kubernetes_pod_name", "pod"),
        ("__meta_kubernetes_pod_container_name", "container"),
        ("__meta_kubernetes_service_name", "job"),
    ] {
        relabel.push(json!({ "source_labels": [source], "target_label": target }));
    }
    if let Some(label) = spec["jobLabel"].as_str() {
        let source = meta("service_label", label);
        relabel.push(json!({ "source_labels": [source], "regex": "(.+)", "target_label": "job" }));
    }
    relabel.push(json!({ "target_label": "endpoint", "replacement": endpoint["port"] }));
    relabel.extend(endpoint["relabelings"].as_array().into_iter().flatten().map(in_prometheus_words));
    Ok(json!({
        "job_name": format!("serviceMonitor/{NAMESPACE}/{}/0", name.as_str().context("a name")?),
        "metrics_path": endpoint["path"],
        "scrape_interval": endpoint["interval"],
        "scrape_timeout": endpoint["scrapeTimeout"],
        "file_sd_configs": [{ "files": [TARGETS] }],
        "relabel_configs": relabel,
        "metric_relabel_configs": in_prometheus_words(&endpoint["metricRelabelings"]),
    }))
}

fn of_scrape_config(name: &Value, spec: &Value) -> Result<Value> {
    let Value::Object(mut job) = in_prometheus_words(spec) else { bail!("{name}: not a map") };
    let scheme = job.get("scheme").and_then(Value::as_str).unwrap_or("HTTP").to_lowercase();
    job.insert("scheme".into(), scheme.into());
    job.insert(
        "job_name".into(),
        format!("scrapeConfig/{NAMESPACE}/{}", name.as_str().context("a name")?).into(),
    );
    for (theirs, ours) in
        [("relabelings", "relabel_configs"), ("metric_relabelings", "metric_relabel_configs")]
    {
        let relabelings = job.remove(theirs).unwrap_or(json!([]));
        job.insert(ours.into(), relabelings);
    }
    Ok(Value::Object(job))
}

/// Alertmanager's own configuration with the chart's `AlertmanagerConfig` added. With the default
/// strategy, `OnNamespace`, its route gets a matcher on `namespace` and `continue`, and comes
/// before the existing routes.
pub fn add_receiver(alertmanager: &mut Value, objects: &Objects) -> Result<()> {
    let object = objects.one("AlertmanagerConfig")?;
    let name = object["metadata"]["name"].as_str().context("a name")?;
    let full_name =
        |receiver: &Value| format!("{NAMESPACE}/{name}/{}", receiver.as_str().unwrap_or_default());
    let mut route = in_prometheus_words(&object["spec"]["route"]);
    let mut matchers = vec![format!("namespace=\"{NAMESPACE}\"")];
    for matcher in object["spec"]["route"]["matchers"].as_array().into_iter().flatten() {
        let word = |field: &str| matcher[field].as_str().with_context(|| format!("{field} of {matcher}"));
        matchers.push(format!("{}{}\"{}\"", word("name")?, word("matchType")?, word("value")?));
    }
    route["matchers"] = json!(matchers);
    route["continue"] = json!(true);
    route["receiver"] = json!(full_name(&route["receiver"]));
    let routes = alertmanager["route"]["routes"].as_array_mut().context("routes")?;
    routes.insert(0, route);
    let receivers = object["spec"]["receivers"].as_array().context("receivers")?;
    ensure!(!receivers.is_empty(), "no receiver");
    for receiver in receivers {
        let mut receiver = in_prometheus_words(receiver);
        receiver["name"] = json!(full_name(&receiver["name"]));
        alertmanager["receivers"].as_array_mut().context("receivers")?.push(receiver);
    }
    Ok(())
}

/// The operator's API has `targetLabel` where Prometheus has `target_label`.
fn in_prometheus_words(value: &Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(key, value)| (snake_case(key), in_prometheus_words(value)))
                .collect::<Map<_, _>>(),
        ),
        Value::Array(items) => items.iter().map(in_prometheus_words).collect(),
        other => other.clone(),
    }
}

fn snake_case(word: &str) -> String {
    let mut snake = String::new();
    for letter in word.chars() {
        if letter.is_uppercase() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}
