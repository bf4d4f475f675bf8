//! Prometheus, Alertmanager and a webhook receiver on a host of the lab's management network, set
//! up like Rancher Monitoring and its operator. These are Debian's packages of the real programs;
//! their data are in the lab's directory and are removed with it.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{chart::Objects, operator};
use lab::{
    Lab,
    dashboards::Query,
    exporter,
    namespace::{Namespace, run},
};

/// The namespace in which the exporter's chart is installed.
pub const NAMESPACE: &str = "cattle-monitoring-system";

const PROMETHEUS: u16 = 9090;
const ALERTMANAGER: u16 = 9093;
const WEBHOOK: u16 = 9095;

/// Labels of a series or an alert.
pub type Labels = BTreeMap<String, String>;

/// The URL of the webhook.
pub fn webhook() -> String {
    format!("http://127.0.0.1:{WEBHOOK}/")
}

/// The running programs; they end with the lab.
#[derive(Debug)]
pub struct Monitoring {
    namespace: Namespace,
    directory: PathBuf,
    /// The cluster's data about the exporter's pod.
    pod: Value,
}

/// An alert as Prometheus or the webhook reports it.
#[derive(Debug, Clone, Deserialize)]
pub struct Alert {
    /// All labels.
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

/// A message of Alertmanager to the webhook.
#[derive(Debug, Deserialize)]
struct Sent {
    receiver: String,
    alerts: Vec<Alert>,
}

impl Alert {
    /// Its name and labels as one text, without the namespace, which all must have.
    pub fn key(&self) -> String {
        key(&self.labels)
    }
}

/// The name of an alert, and its labels except `namespace`.
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
    /// Starts all three with the objects that the chart rendered; Prometheus takes native histograms
    /// or not.
    pub fn start(lab: &mut Lab, objects: &Objects, native: bool) -> Result<Self> {
        let directory = lab.directory().join("monitoring");
        fs::create_dir(&directory)?;
        let exporter = SocketAddr::from((lab.numbers.exporter_management, exporter::LISTEN.port()));
        let pod = operator::target_of_service(objects, &exporter.to_string())?;
        let monitoring = Self { namespace: lab.management(), directory, pod };
        let mut prometheus: Value = serde_yaml::from_str(include_str!("prometheus.yml"))?;
        prometheus["scrape_configs"] = operator::scrape_jobs(objects)?.into();
        let mut alertmanager: Value = serde_yaml::from_str(include_str!("alertmanager.yml"))?;
        operator::add_receiver(&mut alertmanager, objects)?;
        // JSON is valid YAML.
        for (name, content) in [
            ("rules.yml", objects.rules()?.to_string()),
            ("prometheus.yml", prometheus.to_string()),
            ("alertmanager.yml", alertmanager.to_string()),
            ("webhook.py", include_str!("webhook.py").to_owned()),
        ] {
            fs::write(monitoring.directory.join(name), content)?;
        }
        monitoring.pod_is_there(false)?;

        let file = |name: &str| monitoring.directory.join(name).display().to_string();
        run("promtool", &["check", "rules", "--lint-fatal", &file("rules.yml")])?;
        run("promtool", &["check", "config", &file("prometheus.yml")])?;
        run("amtool", &["check-config", &file("alertmanager.yml")])?;
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
            // Changes of a firing alert are otherwise sent once a minute.
            "--rules.alert.resend-delay=1s".to_owned(),
        ]);
        if native {
            prometheus.arg("--enable-feature=native-histograms");
        }
        for (command, port, log) in [
            (webhook, WEBHOOK, "webhook.log"),
            (alertmanager, ALERTMANAGER, "alertmanager.log"),
            (prometheus, PROMETHEUS, "prometheus.log"),
        ] {
            lab.serve(command, log)?;
            Lab::wait_for(&monitoring.namespace, Ipv4Addr::LOCALHOST, port, log)?;
        }
        // It listens before it is ready, and answers 503 until then.
        let ready = format!("http://127.0.0.1:{PROMETHEUS}/-/ready");
        let words = ["--silent", "--fail", "--noproxy", "*", "--retry", "30", "--retry-delay", "1", &ready];
        monitoring.namespace.run("curl", &words)?;
        Ok(monitoring)
    }

    /// Sets whether the cluster has a pod of the exporter, running or not.
    pub fn pod_is_there(&self, there: bool) -> Result<()> {
        let targets = if there { json!([self.pod]) } else { json!([]) };
        // Renamed into place: a file that is being written could be read half written.
        let (new, file) = (self.directory.join("targets.new"), self.directory.join(operator::TARGETS));
        fs::write(&new, targets.to_string())?;
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

    /// What Prometheus knows of the metric family of that name.
    pub fn metadata(&self, family: &str) -> Result<Value> {
        let data = self.ask("metadata", &[("metric", family)])?;
        Ok(data[family][0].clone())
    }

    /// Whether a query of a panel returns anything: now, or within the last half minute if it is
    /// drawn over time.
    pub fn shows(&self, query: &Query) -> Result<bool> {
        let data = if query.instant {
            self.ask("query", &[("query", &query.expr)])
        } else {
            let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
            let (start, end) = ((now - 30).to_string(), now.to_string());
            let range = [("query", &*query.expr), ("start", &*start), ("end", &*end), ("step", "1")];
            self.ask("query_range", &range)
        };
        let data = data.with_context(|| format!("{query:#?}"))?;
        Ok(data["result"].as_array().is_some_and(|series| !series.is_empty()))
    }

    /// The alerts that are pending or firing.
    pub fn alerts(&self) -> Result<Vec<Alert>> {
        let data = self.ask("alerts", &[])?;
        serde_json::from_value(data["alerts"].clone()).context("reading the alerts")
    }

    /// Everything that has arrived at the webhook, in order.
    pub fn sent(&self) -> Result<Vec<Alert>> {
        let text = fs::read_to_string(self.directory.join("sent.jsonl")).unwrap_or_default();
        let mut alerts = Vec::new();
        // The last line may be half written.
        for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
            let sent: Sent = serde_json::from_str(line).context("reading what was sent")?;
            ensure!(
                sent.receiver == format!("{NAMESPACE}/vxlan-exporter/webhook"),
                "sent to {}",
                sent.receiver
            );
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
