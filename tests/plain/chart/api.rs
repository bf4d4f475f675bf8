//! What is rendered, checked against the APIs that must accept it.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::helm::{RENDERED, only, project, render, text, tool};

/// Rancher 2.7 manages 1.23 to 1.26; the oldest version whose schemas are packaged is 1.25.
const KUBERNETES: [&str; 13] =
    ["1.25", "1.26", "1.27", "1.28", "1.29", "1.30", "1.31", "1.32", "1.33", "1.34", "1.35", "1.36", "1.37"];

/// They represent the operators of Rancher 2.7, of 2.9 (stricter than that) and of later ones.
const OPERATORS: [&str; 3] = ["4.0", "4.4", "6.0"];

/// The first generation that accepts what a file of ci/ requires.
fn first_operator(file: &str) -> usize {
    match file {
        "rancher-2.9-values.yaml" => 1,
        "newest-values.yaml" => 2,
        _ => 0,
    }
}

fn is_operators(object: &Value) -> bool {
    text(&object["apiVersion"]).starts_with("monitoring.coreos.com/")
}

fn entries(wanted: impl Fn(&str, &Value) -> bool) -> Vec<Value> {
    let mut entries = Vec::new();
    for (file, objects) in &*RENDERED {
        let objects = objects.iter().filter(|object| wanted(file, object));
        entries.extend(objects.map(|object| json!({"from": file, "object": object})));
    }
    entries
}

/// The output of a validator, one line per error.
fn validate(mut validator: Command, entries: &[Value]) -> Result<String> {
    let mut running =
        validator.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let input = serde_json::to_vec(entries)?;
    running.stdin.take().context("standard input")?.write_all(&input)?;
    let output = running.wait_with_output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

fn kubernetes(versions: &[&str], entries: &[Value]) -> Result<String> {
    let mut python = Command::new(tool("python/bin/python3")?);
    python.arg(project("tests/plain/chart/kubernetes.py")).args(versions);
    validate(python, entries)
}

fn operator(generations: &[&str], entries: &[Value]) -> Result<String> {
    let mut node = Command::new("node");
    node.arg(project("tests/plain/chart/operator.mjs")).arg(tool("npm/node_modules")?).args(generations);
    validate(node, entries)
}

#[test]
fn kubernetes_takes_every_object() -> Result<()> {
    let entries = entries(|_, object| !is_operators(object));
    assert!(entries.len() > 60, "{}", entries.len());
    assert_eq!(kubernetes(&KUBERNETES, &entries)?, "");
    Ok(())
}

#[test]
fn every_generation_of_the_operator_takes_its_objects() -> Result<()> {
    for (index, generation) in OPERATORS.iter().enumerate() {
        let entries = entries(|file, object| is_operators(object) && first_operator(file) <= index);
        assert!(entries.len() > 15, "{}", entries.len());
        assert_eq!(operator(&[generation], &entries)?, "");
    }
    Ok(())
}

/// Older operators would refuse the values for newer ones, and the validators notice it.
#[test]
fn older_generations_refuse_what_only_newer_ones_have() -> Result<()> {
    let newest = entries(|file, object| is_operators(object) && file == "newest-values.yaml");
    let said = operator(&["4.0", "4.4"], &newest)?;
    for wanted in [
        "operator 4.0, ScrapeConfig vxlan-exporter-dc-host: has no monitoring.coreos.com/v1alpha1 ScrapeConfig",
        "operator 4.0, PrometheusRule vxlan-exporter: unknown field .spec.groups.0.rules.0.keep_firing_for",
        "operator 4.4, PrometheusRule vxlan-exporter: unknown field .spec.groups.0.rules.0.keep_firing_for",
    ] {
        assert!(said.contains(wanted), "{wanted}\nis not in\n{said}");
    }
    Ok(())
}

#[test]
fn the_validators_are_strict() -> Result<()> {
    let objects = render("");
    let broken = |kind: &str, pointer: &str, value: Value| {
        let mut object = only(&objects, kind, "").clone();
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
        object.pointer_mut(parent).expect(pointer)[key] = value;
        json!({"from": pointer, "object": object})
    };
    let monitors = [
        ("/spec/endpoints/0/jobbName", json!("x"), "unknown field .spec.endpoints.0.jobbName"),
        ("/spec/endpoints/0/interval", json!("30x"), "/spec/endpoints/0/interval"),
        ("/spec/endpoints/0/port", json!(80), "/spec/endpoints/0/port"),
        ("/spec/selector/matchLabel", json!({}), "unknown field .spec.selector.matchLabel"),
        ("/status", json!({}), "unknown field .status"),
    ];
    let entries = monitors.iter().map(|(pointer, value, _)| broken("ServiceMonitor", pointer, value.clone()));
    let said = operator(&OPERATORS, &entries.collect::<Vec<_>>())?;
    for generation in OPERATORS {
        refused_in_words(&said, &format!("operator {generation}, ServiceMonitor vxlan-exporter"), &monitors);
    }
    let deployments = [
        ("/spec/replica", json!(1), "'replica' was unexpected"),
        ("/spec/template/spec/hostNetwork", json!("yes"), "spec.template.spec.hostNetwork"),
    ];
    let entries = deployments.iter().map(|(pointer, value, _)| broken("Deployment", pointer, value.clone()));
    let said = kubernetes(&KUBERNETES, &entries.collect::<Vec<_>>())?;
    for version in KUBERNETES {
        refused_in_words(&said, &format!("Kubernetes {version}, Deployment"), &deployments);
    }
    Ok(())
}

/// For each change of an object, by its pointer, this validator must print a line with the given
/// words.
fn refused_in_words(said: &str, by: &str, changes: &[(&str, Value, &str)]) {
    for (pointer, _, wanted) in changes {
        let start = format!("{pointer}, {by}: ");
        let line = said.lines().find_map(|line| line.strip_prefix(&start));
        assert!(line.is_some_and(|line| line.contains(wanted)), "{start}{wanted}\nis not in\n{said}");
    }
}
