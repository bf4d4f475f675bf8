//! Runs the pinned helm over the chart.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::LazyLock,
};

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize as _;
use serde_json::Value;

/// The only value that is required.
pub const IMAGE: &str = "image: {repository: registry.example.net/vxlan_exporter}\n";

/// The output of `helm template` for each file of ci/, by its name.
pub static RENDERED: LazyLock<BTreeMap<String, Vec<Value>>> = LazyLock::new(|| {
    let files = ci_files().expect("ci/ is there");
    let render = |name: &String| -> Result<Vec<Value>> {
        let values = fs::read_to_string(chart().join("ci").join(name))?;
        template(&values, &[]).with_context(|| name.clone())
    };
    files.iter().map(|name| (name.clone(), render(name).expect("it renders"))).collect()
});

pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

pub fn chart() -> PathBuf {
    project("helm/vxlan-exporter")
}

/// A tool of scripts/chart-tools.sh.
pub fn tool(path: &str) -> Result<PathBuf> {
    let tool = project("target/tools").join(path);
    ensure!(tool.exists(), "{} is missing; `make setup` fetches it", tool.display());
    Ok(tool)
}

/// The names in ci/.
pub fn ci_files() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(chart().join("ci"))? {
        names.push(entry?.file_name().into_string().expect("a name of ours"));
    }
    names.sort();
    ensure!(!names.is_empty(), "ci/ is empty");
    Ok(names)
}

/// Runs helm with `values` on standard input. Nothing of the user's helm or cluster is read.
pub fn helm(arguments: &[&str], values: &str) -> Result<Output> {
    let mut helm = Command::new(tool("helm")?)
        .args(arguments)
        .envs(
            ["KUBECONFIG", "HELM_CONFIG_HOME", "HELM_CACHE_HOME", "HELM_DATA_HOME"]
                .map(|name| (name, "/nonexistent")),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    helm.stdin.take().context("standard input")?.write_all(values.as_bytes())?;
    Ok(helm.wait_with_output()?)
}

/// `helm template` as Rancher calls it, with the values given as YAML.
///
/// # Errors
/// helm's message if it refuses them.
pub fn template(values: &str, arguments: &[&str]) -> Result<Vec<Value>> {
    let chart = chart();
    let mut all = vec!["template", "vxlan-exporter", chart.to_str().context("a path in UTF-8")?];
    all.extend(["--namespace", "cattle-monitoring-system", "--values", "-"]);
    all.extend(arguments);
    let output = helm(&all, values)?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    objects(std::str::from_utf8(&output.stdout)?)
}

/// The objects of a rendered chart, without empty documents.
pub fn objects(yaml: &str) -> Result<Vec<Value>> {
    let documents = serde_yaml::Deserializer::from_str(yaml).map(Value::deserialize);
    let mut objects = documents.collect::<Result<Vec<_>, _>>()?;
    objects.retain(|object| !object.is_null());
    Ok(objects)
}

/// Renders the required value and these.
pub fn render(values: &str) -> Vec<Value> {
    template(&format!("{IMAGE}{values}"), &[]).unwrap_or_else(|error| panic!("{values}: {error}"))
}

/// The objects of a kind.
pub fn kind<'a>(objects: &'a [Value], kind: &str) -> Vec<&'a Value> {
    objects.iter().filter(|object| object["kind"] == kind).collect()
}

/// The only object of a kind whose name ends like this.
pub fn only<'a>(objects: &'a [Value], kind_: &str, end: &str) -> &'a Value {
    let mut found = kind(objects, kind_);
    found.retain(|object| text(&object["metadata"]["name"]).ends_with(end));
    assert_eq!(found.len(), 1, "{kind_} …{end}: {found:#?}");
    found[0]
}

/// A string; empty if it is none.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A list; empty if it is none.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The pods of rendered objects, with the names of their objects.
pub fn pods<'a>(objects: &'a [Value]) -> Vec<(String, &'a Value)> {
    let pod = |object: &'_ Value| match text(&object["kind"]) {
        "Pod" => Some(""),
        "Deployment" | "DaemonSet" | "StatefulSet" => Some("/spec/template"),
        _ => None,
    };
    let named = |object: &'a Value| {
        Some((text(&object["metadata"]["name"]).to_owned(), object.pointer(pod(object)?)?))
    };
    objects.iter().filter_map(named).collect()
}

#[test]
fn every_ci_file_lints() -> Result<()> {
    let chart = chart();
    for name in ci_files()? {
        let values = fs::read_to_string(chart.join("ci").join(&name))?;
        // Rancher 2.7 runs at most Kubernetes 1.27; from 1.33 on helm warns of Endpoints.
        let version = if name.starts_with("rancher-2.7") { "1.27" } else { "1.37" };
        let path = chart.to_str().context("a path in UTF-8")?;
        let output = helm(&["lint", "--strict", "--kube-version", version, "--values", "-", path], &values)?;
        ensure!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stdout));
    }
    Ok(())
}

#[test]
fn the_packed_chart_renders_the_same() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let to = directory.path().to_str().context("a path in UTF-8")?;
    let chart = chart();
    let packed = helm(&["package", chart.to_str().context("UTF-8")?, "--destination", to], "")?;
    ensure!(packed.status.success(), "{}", String::from_utf8_lossy(&packed.stderr));
    let file = directory.path().join(format!("vxlan-exporter-{}.tgz", env!("CARGO_PKG_VERSION")));
    let file = file.to_str().context("UTF-8")?;
    let namespace = ["--namespace", "cattle-monitoring-system", "--values", "-"];
    let output = helm(&[&["template", "vxlan-exporter", file][..], &namespace].concat(), IMAGE)?;
    assert_eq!(objects(std::str::from_utf8(&output.stdout)?)?, RENDERED["default-values.yaml"]);
    Ok(())
}

/// The chart's copies are made by `make chart`.
#[test]
fn rules_and_dashboards_of_the_chart_are_those_of_the_project() -> Result<()> {
    for (source, copy, ending) in [("alerts", "rules", "yml"), ("dashboards", "dashboards", "json")] {
        let read = |directory: PathBuf| -> Result<BTreeMap<_, _>> {
            let mut files = BTreeMap::new();
            for entry in fs::read_dir(directory).into_iter().flatten() {
                let path = entry?.path();
                if path.extension().is_some_and(|found| found == ending) {
                    files.insert(path.file_name().map(ToOwned::to_owned), fs::read(&path)?);
                }
            }
            Ok(files)
        };
        let [source, copy] = [read(project(source))?, read(chart().join("files").join(copy))?];
        ensure!(source == copy, "{:?} and {:?} differ: run `make chart`", source.keys(), copy.keys());
    }
    Ok(())
}

#[test]
fn the_chart_is_of_this_version() -> Result<()> {
    let chart: Value = serde_yaml::from_str(&fs::read_to_string(chart().join("Chart.yaml"))?)?;
    for key in ["version", "appVersion"] {
        assert_eq!(chart[key], env!("CARGO_PKG_VERSION"), "{key} of Chart.yaml");
    }
    Ok(())
}
