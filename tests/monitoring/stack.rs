//! Prometheus, Alertmanager and a webhook receiver on a host of the lab's management network, set up as Rancher Monitoring and
//! its operator do. Debian's packages of the real programs; their data are in the lab's directory and gone with it.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    lab::{Lab, exporter, namespace::Namespace},
    rules,
};

/// Where the exporter's chart is installed.
pub const NAMESPACE: &str = "cattle-monitoring-system";

const PROMETHEUS: u16 = 9090;
const ALERTMANAGER: u16 = 9093;
const WEBHOOK: u16 = 9095;

/// Labels of a series or an alert.
pub type Labels = BTreeMap<String, String>;

/// The running programs; they end with the lab.
#[derive(Debug)]
pub struct Monitoring {
    namespace: Namespace,
    directory: PathBuf,
    exporter: SocketAddr,
}

/// An alert as Prometheus or the webhook tells it.
#[derive(Debug, Clone, Deserialize)]
pub struct Alert {
    /// All of them.
    pub labels: Labels,
    /// Summary, description, runbook.
    pub annotations: BTreeMap<String, String>,
    /// `pending` or `firing`; only in Prometheus.
    #[serde(default)]
    pub state: String,
    /// `firing` or `resolved`; only at the webhook.
    #[serde(default)]
    pub status: String,
}

/// What Alertmanager has sent to the webhook.
#[derive(Debug, Deserialize)]
struct Sent {
    receiver: String,
    alerts: Vec<Alert>,
}

impl Alert {
    /// Its name and labels in one word, without the namespace, which all must have.
    pub fn key(&self) -> String {
        key(&self.labels)
    }
}

/// The name of an alert, and its labels beside `namespace`.
pub fn key(labels: &Labels) -> String {
    let mut key = labels.get("alertname").cloned().unwrap_or_default();
    for (label, value) in labels {
        if !matches!(label.as_str(), "alertname" | "namespace") {
            let _ = write!(key, " {label}={value}");
        }
    }
    key
}

impl Monitoring {
    /// Starts all three, which then look for the lab's exporter.
    pub fn start(lab: &mut Lab, leave_out: &[&str]) -> Result<Self> {
        let directory = lab.directory().join("monitoring");
        rules::write(&directory.join("rules"), leave_out)?;
        fs::write(directory.join("prometheus.yml"), include_str!("prometheus.yml"))?;
        fs::write(directory.join("alertmanager.yml"), include_str!("alertmanager.yml"))?;
        fs::write(directory.join("webhook.py"), include_str!("webhook.py"))?;
        let exporter = SocketAddr::from((lab.numbers.exporter_management, exporter::LISTEN.port()));
        let monitoring = Self { namespace: lab.management(), directory, exporter };
        monitoring.find_exporter(true)?;

        let file = |name: &str| monitoring.directory.join(name).display().to_string();
        let mut webhook = monitoring.namespace.command("python3");
        webhook.args([&file("webhook.py"), "127.0.0.1", &WEBHOOK.to_string(), &file("sent.jsonl")]);
        let mut alertmanager = monitoring.namespace.command("prometheus-alertmanager");
        alertmanager.args([
            format!("--config.file={}", file("alertmanager.yml")),
            format!("--storage.path={}", file("alertmanager")),
            format!("--web.listen-address=127.0.0.1:{ALERTMANAGER}"),
            "--cluster.listen-address=".to_owned(),
        ]);
        let mut prometheus = monitoring.namespace.command("prometheus");
        prometheus.args([
            format!("--config.file={}", file("prometheus.yml")),
            format!("--storage.tsdb.path={}", file("prometheus")),
            format!("--web.listen-address=127.0.0.1:{PROMETHEUS}"),
            // What has changed of a firing alert is told once a minute otherwise.
            "--rules.alert.resend-delay=1s".to_owned(),
        ]);
        for (command, port, log) in [
            (webhook, WEBHOOK, "webhook.log"),
            (alertmanager, ALERTMANAGER, "alertmanager.log"),
            (prometheus, PROMETHEUS, "prometheus.log"),
        ] {
            lab.serve(command, log)?;
            Lab::wait_for(&monitoring.namespace, Ipv4Addr::LOCALHOST, port, log)?;
        }
        Ok(monitoring)
    }

    /// Whether the cluster has a pod of the exporter, running or not.
    pub fn find_exporter(&self, there: bool) -> Result<()> {
        let targets = json!([{
            "targets": [self.exporter],
            "labels": {
                "__meta_kubernetes_namespace": NAMESPACE,
                "__meta_kubernetes_service_name": "vxlan-exporter",
                "__meta_kubernetes_service_label_app_kubernetes_io_name": "vxlan-exporter",
                "__meta_kubernetes_pod_name": "vxlan-exporter-0",
                "__meta_kubernetes_pod_container_name": "vxlan-exporter",
            },
        }]);
        // A file that is written is seen half written.
        let (new, file) = (self.directory.join("targets.new"), self.directory.join("targets.json"));
        fs::write(&new, if there { targets } else { json!([]) }.to_string())?;
        fs::rename(&new, &file).with_context(|| file.display().to_string())
    }

    /// The series of an instant query, with their values.
    pub fn query(&self, expression: &str) -> Result<Vec<(Labels, f64)>> {
        let data = self.ask("query", &[("query", expression)])?;
        let series = data["result"].as_array().with_context(|| format!("{expression}: {data}"))?;
        let read = |series: &Value| {
            let value = series["value"][1].as_str().and_then(|value| value.parse().ok());
            let labels = serde_json::from_value(series["metric"].clone());
            Ok((labels?, value.with_context(|| format!("{expression}: {series}"))?))
        };
        series.iter().map(read).collect()
    }

    /// The alerts that are pending or firing.
    pub fn alerts(&self) -> Result<Vec<Alert>> {
        let data = self.ask("alerts", &[])?;
        serde_json::from_value(data["alerts"].clone()).context("reading the alerts")
    }

    /// All that has arrived at the webhook, in order.
    pub fn sent(&self) -> Result<Vec<Alert>> {
        let text = fs::read_to_string(self.directory.join("sent.jsonl")).unwrap_or_default();
        let mut alerts = Vec::new();
        // The last line may be half written.
        for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
            let sent: Sent = serde_json::from_str(line).context("reading what was sent")?;
            ensure!(sent.receiver == format!("{NAMESPACE}/vxlan-exporter/webhook"), "{}", sent.receiver);
            alerts.extend(sent.alerts);
        }
        Ok(alerts)
    }

    fn ask(&self, page: &str, arguments: &[(&str, &str)]) -> Result<Value> {
        let url = format!("http://127.0.0.1:{PROMETHEUS}/api/v1/{page}");
        let mut words = vec!["--silent", "--show-error", "--noproxy", "*", "--max-time", "20", "--get", &url];
        let arguments: Vec<_> = arguments.iter().map(|(name, value)| format!("{name}={value}")).collect();
        for argument in &arguments {
            words.extend(["--data-urlencode", argument]);
        }
        let done = self.namespace.output("curl", &words)?;
        ensure!(done.status.success(), "{page}: {}", String::from_utf8_lossy(&done.stderr));
        let mut answer: Value =
            serde_json::from_slice(&done.stdout).context("reading Prometheus's answer")?;
        ensure!(answer["status"] == "success", "{arguments:?}: {answer}");
        Ok(answer["data"].take())
    }
}
