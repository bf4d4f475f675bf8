//! What the chart passes to the exporter: the exporter itself must accept it.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use anyhow::{Context as _, Result, ensure};
use clap::Parser as _;
use serde_json::{Value, json};
use vxlan_exporter::command::cli::{self, Cli};

use super::helm::{RENDERED, kind, list, only, pods, render, text};

/// Writes a file of a Secret; keys are made by OpenSSH for this test, new each time.
fn secret_file(directory: &std::path::Path, name: &str) -> Result<()> {
    let path = directory.join(name);
    if name == "id_ed25519" {
        let made =
            Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&path).status()?;
        ensure!(made.success(), "ssh-keygen");
    } else {
        fs::write(&path, "only a test knows this\n")?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

/// Runs `config check` on the configuration of each rendered pod, with the files that are mounted
/// beside it; returns their number.
pub fn takes(what: &str, objects: &[Value]) -> Result<usize> {
    let mut checked = 0;
    for (name, pod) in pods(objects) {
        let volumes = list(&pod["spec"]["volumes"]);
        let Some(volume) = volumes.iter().find(|volume| volume["name"] == "config") else { continue };
        let directory = tempfile::tempdir()?;
        for source in list(&volume["projected"]["sources"]) {
            for item in list(&source["secret"]["items"]) {
                secret_file(directory.path(), text(&item["path"]))?;
            }
            if let Some(map) = source["configMap"]["name"].as_str() {
                let map = only(&without_dashboards(objects), "ConfigMap", map).clone();
                for (name, content) in map["data"].as_object().context("data")? {
                    fs::write(directory.path().join(name), text(content))?;
                }
            }
        }
        let output = Command::new(env!("CARGO_BIN_EXE_vxlan_exporter"))
            .args(["config", "check", "--config.file"])
            .arg(directory.path().join("config.yml"))
            .output()?;
        ensure!(output.status.success(), "{what}, {name}: {}", String::from_utf8_lossy(&output.stderr));
        checked += 1;
    }
    Ok(checked)
}

#[test]
fn the_exporter_takes_each_rendered_configuration() -> Result<()> {
    let mut checked = 0;
    for (file, objects) in &*RENDERED {
        checked += takes(file, objects)?;
    }
    assert!(checked > 20, "{checked}");
    Ok(())
}

fn without_dashboards(objects: &[Value]) -> Vec<Value> {
    objects.iter().filter(|object| object["data"].get("config.yml").is_some()).cloned().collect()
}

#[test]
fn the_exporter_takes_its_arguments() {
    for (file, objects) in &*RENDERED {
        for (name, pod) in pods(objects) {
            for container in list(&pod["spec"]["containers"]) {
                let line = list(&container["args"]).iter().map(|argument| {
                    let argument = text(argument).replace("$(POD_NAME)", "vxlan-exporter-2");
                    argument.replace("$(HOST_IP)", "10.0.0.1").replace("$(NODE_NAME)", "site-a-1")
                });
                let line = ["vxlan_exporter".to_owned()].into_iter().chain(line).collect::<Vec<_>>();
                if let Err(error) = Cli::try_parse_from(&line) {
                    panic!("{file}, {name}: {line:?}: {error}");
                }
            }
        }
    }
}

fn arguments(values: &str, kind: &str, name: &str) -> Vec<String> {
    let objects = render(values);
    let container = &only(&objects, kind, name)["spec"]["template"]["spec"]["containers"][0];
    list(&container["args"]).iter().map(|argument| text(argument).to_owned()).collect()
}

#[test]
fn shards_and_nodes_have_names_of_their_own() {
    let shards = arguments("shards: 3", "StatefulSet", "");
    assert!(shards.contains(&"--shard=$(POD_NAME)/3".to_owned()), "{shards:?}");
    let values = "kind: DaemonSet\nconfig: {site: site-a}";
    let nodes = arguments(values, "DaemonSet", "-nodes");
    assert!(nodes.contains(&"--source=site-a/$(NODE_NAME)".to_owned()), "{nodes:?}");
    let reader = arguments(values, "Deployment", "");
    assert!(!reader.iter().any(|argument| argument.starts_with("--source")), "{reader:?}");
    assert!(reader.contains(&"--web.listen-address=[$(HOST_IP)]:14791".to_owned()), "{reader:?}");
    let pod = arguments(&format!("{values}\nvantage: pod"), "Deployment", "");
    assert!(pod.contains(&"--web.listen-address=:14789".to_owned()), "{pod:?}");
    let everywhere = arguments(&format!("{values}\nweb: {{everyAddress: true}}"), "Deployment", "");
    assert!(everywhere.contains(&"--web.listen-address=:14791".to_owned()), "{everywhere:?}");
}

fn config(values: &str, name: &str) -> Value {
    let objects = without_dashboards(&render(values));
    serde_yaml::from_str(text(&only(&objects, "ConfigMap", name)["data"]["config.yml"])).expect("YAML")
}

#[test]
fn the_configuration_is_as_written_with_what_the_vantage_point_needs() {
    assert_eq!(config("", ""), json!({}));
    assert_eq!(
        config("config: {site: a, expected_mtu: 9000}", ""),
        json!({"site": "a", "expected_mtu": 9000})
    );
    assert_eq!(config("configText: 'site: a'", ""), json!({"site": "a"}));
    // Otherwise holes between a pod's own MTU and the nodes' would go unnoticed.
    assert_eq!(config("vantage: pod", ""), json!({"expected_mtu": 1500}));
    assert_eq!(config("vantage: pod\nconfig: {expected_mtu: 1400}", ""), json!({"expected_mtu": 1400}));
    let reflector =
        "reflector: {enabled: true, port: 24790, allowedSources: [10.0.0.0/8], existingSecret: a}";
    let section =
        json!({"listen": ":24790", "allowed_sources": ["10.0.0.0/8"], "secret_file": "reflector-secret"});
    assert_eq!(config(reflector, ""), json!({"reflector": section}));
}

/// Otherwise every pod would log in to every router.
#[test]
fn nodes_only_probe() {
    let objects = &RENDERED["daemonset-values.yaml"];
    let config = |name| -> Value {
        let map = kind(objects, "ConfigMap")
            .into_iter()
            .find(|map| map["metadata"]["name"] == name)
            .expect(name)
            .clone();
        serde_yaml::from_str(text(&map["data"]["config.yml"])).expect("YAML")
    };
    let (reader, nodes) = (config("vxlan-exporter"), config("vxlan-exporter-nodes"));
    assert_eq!(list(&reader["routers"]).len(), 1);
    let keys = nodes.as_object().map(|nodes| nodes.keys().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(keys, Some(vec!["paths", "reflector", "site"]));
    assert_eq!((&nodes["paths"], reader.get("reflector")), (&reader["paths"], None));
}

#[test]
fn a_reflector_alone_has_no_configuration() {
    let objects = &RENDERED["reflector-values.yaml"];
    let pod = &only(objects, "DaemonSet", "-reflector")["spec"]["template"]["spec"];
    let line = list(&pod["containers"][0]["args"]).iter().map(text);
    let parsed = Cli::try_parse_from(["vxlan_exporter"].into_iter().chain(line)).expect("it parses");
    let cli::Command::Reflect(arguments) = parsed.chosen() else { panic!("{parsed:?}") };
    assert_eq!((arguments.listen.port, arguments.allowed_sources.len()), (14790, 2));
    assert_eq!(list(&pod["volumes"]).len(), 1, "only the secret that probers must know");
}

#[test]
fn the_image_is_named_as_said() {
    let image = |values: &str| {
        let objects = super::helm::template(values, &[]).unwrap_or_else(|error| panic!("{values}: {error}"));
        let container = &only(&objects, "Deployment", "")["spec"]["template"]["spec"]["containers"][0];
        text(&container["image"]).to_owned()
    };
    let version = env!("CARGO_PKG_VERSION");
    let digest = format!("sha256:{}", "0".repeat(64));
    for (values, wanted) in [
        ("image: {repository: a/b}", format!("a/b:{version}")),
        ("image: {repository: a/b, registry: r.net/, tag: x}", "r.net/a/b:x".to_owned()),
        (&format!("image: {{repository: a/b, tag: x, digest: '{digest}'}}"), format!("a/b@{digest}")),
        // Rancher's own registry, which it passes to every chart.
        (
            "image: {repository: a/b, tag: x}\nglobal: {cattle: {systemDefaultRegistry: c.net}}",
            "c.net/a/b:x".to_owned(),
        ),
        (
            "image: {repository: a/b, tag: x, registry: r.net}\nglobal: {cattle: {systemDefaultRegistry: c.net}}",
            "r.net/a/b:x".to_owned(),
        ),
    ] {
        assert_eq!(image(values), wanted, "{values}");
    }
}
