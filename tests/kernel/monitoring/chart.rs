//! The chart, rendered by helm as in an installation, with short intervals.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use super::stack::NAMESPACE;
use lab::{Lab, exporter, namespace::run};

/// A minute of a `for` is this many seconds here. The order of all `for` durations stays the same,
/// and the shortest one that only a black hole explains (five minutes) is longer than the exporter
/// needs to prove one.
const MINUTE: u64 = 5;
/// No `for` is shorter, in seconds: on a busy machine a path comes back that long after the VNI of
/// its tunnel is right again, and until then it is `unreachable` without a reason.
const SHORTEST: u64 = 15;

const RELEASE: &str = "vxlan-exporter";

/// The choices of an installation.
#[allow(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
#[derive(Debug, Clone, Copy, Default)]
pub struct Choices {
    /// `vantage: pod`: without raw sockets, in a network with a smaller MTU than the nodes'.
    pub pod: bool,
    /// The exporter runs on a machine outside the cluster, as one of `dcTargets`.
    pub outside: bool,
    /// Whether the story is about loss: then [`TUNNEL_LOSS`] has a `for` as short as the others.
    pub loss: bool,
    /// Prometheus takes native histograms.
    pub native: bool,
}

const TUNNEL_LOSS: &str = "VxlanTunnelLoss";

/// Alerts on what is measured over minutes, which no value shortens: two for a tunnel, five for a
/// path. Only with their full `for` do they outlast what a moment's outage leaves in the window,
/// and what is left on a path once its tunnel's loss has ended. An exporter is overloaded for
/// moments whenever other tests keep the machine busy, and that is true.
pub const OVER_MINUTES: [&str; 3] = [TUNNEL_LOSS, "VxlanPathLossy", "VxlanExporterOverloaded"];

/// Kubernetes objects.
#[derive(Debug)]
pub struct Objects(Vec<Value>);

impl Objects {
    /// Renders the chart around the lab's configuration.
    pub fn render(lab: &Lab, choices: Choices) -> Result<Self> {
        let (helm, chart) = (project("target/tools/helm"), project("helm/vxlan-exporter"));
        ensure!(helm.exists(), "{} is missing; `make chart-tools` fetches it", helm.display());
        let values = lab.directory().join("values.yml");
        fs::write(&values, values_for(lab, choices)?.to_string())?;
        let text = |path: &Path| path.to_str().map(str::to_owned).context("a path that is not UTF-8");
        let rendered = run(
            &text(&helm)?,
            &["template", RELEASE, &text(&chart)?, "--namespace", NAMESPACE, "--values", &text(&values)?],
        )?;
        let documents = serde_yaml::Deserializer::from_str(&rendered).map(Value::deserialize);
        let objects = documents.collect::<Result<Vec<_>, _>>().context("reading what helm rendered")?;
        Ok(Self(objects))
    }

    /// All objects of a kind.
    pub fn all(&self, kind: &str) -> Vec<&Value> {
        self.0.iter().filter(|object| object["kind"] == kind).collect()
    }

    /// The object of a kind with the release's name.
    pub fn one(&self, kind: &str) -> Result<&Value> {
        let mut found = self.all(kind);
        found.retain(|object| object["metadata"]["name"] == RELEASE);
        ensure!(found.len() == 1, "{} objects of kind {kind} are named {RELEASE}, not one", found.len());
        Ok(found[0])
    }

    /// The rules as a file for Prometheus.
    pub fn rules(&self) -> Result<Value> {
        Ok(json!({ "groups": self.one("PrometheusRule")?["spec"]["groups"] }))
    }
}

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn values_for(lab: &Lab, choices: Choices) -> Result<Value> {
    let mut waits = waits()?;
    waits.retain(|alert, _| !OVER_MINUTES.contains(&alert.as_str()) || choices.loss && alert == TUNNEL_LOSS);
    let config: Value = serde_yaml::from_str(&fs::read_to_string(exporter::config(lab))?)?;
    let outside = json!([{ "name": "dc-host", "address": lab.numbers.exporter_management }]);
    Ok(json!({
        "image": { "repository": "vxlan_exporter" },
        "vantage": if choices.pod { "pod" } else { "host" },
        "config": config,
        "serviceMonitor": { "interval": "1s", "scrapeTimeout": "1s" },
        "prometheusRule": { "for": waits },
        "alertmanagerConfig": {
            "enabled": true,
            "groupWait": "1s",
            "groupInterval": "1s",
            // Changes of an alert are sent again.
            "repeatInterval": "1s",
            "webhook": { "url": super::stack::webhook() },
        },
        "scrapeConfig": { "enabled": choices.outside },
        "dcTargets": if choices.outside { outside } else { json!([]) },
    }))
}

/// The shortened `for` of each alert.
fn waits() -> Result<BTreeMap<String, String>> {
    let mut waits = BTreeMap::new();
    for entry in fs::read_dir(project("alerts"))? {
        let path = entry?.path();
        if path.extension() != Some("yml".as_ref()) {
            continue;
        }
        let file: Value = serde_yaml::from_str(&fs::read_to_string(&path)?)?;
        let groups = file["groups"].as_array().into_iter().flatten();
        for rule in groups.flat_map(|group| group["rules"].as_array().into_iter().flatten()) {
            if let (Some(alert), Some(wait)) = (rule["alert"].as_str(), rule["for"].as_str()) {
                waits.insert(alert.to_owned(), shorter(wait)?);
            }
        }
    }
    Ok(waits)
}

fn shorter(wait: &str) -> Result<String> {
    let minutes = match wait.split_at(wait.len() - 1) {
        (minutes, "m") => minutes.parse::<u64>()?,
        (hours, "h") => hours.parse::<u64>()? * 60,
        _ => bail!("`for: {wait}` is not of minutes or hours"),
    };
    Ok(format!("{}s", (minutes * MINUTE).max(SHORTEST)))
}
