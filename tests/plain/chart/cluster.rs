//! What the chart asks a cluster, where there is one: whether Grafana's namespace is there.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::helm::{IMAGE, kind, list, project, template, text};

/// An API server with these namespaces.
struct Cluster {
    process: Child,
    address: String,
}

impl Cluster {
    fn with(namespaces: &[&str]) -> Result<Self> {
        let mut process = Command::new("python3")
            .arg(project("tests/plain/chart/api_server.py"))
            .args(namespaces)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut port = String::new();
        BufReader::new(process.stdout.take().context("stdout")?).read_line(&mut port)?;
        Ok(Self { process, address: format!("http://127.0.0.1:{}", port.trim()) })
    }

    fn install(&self, values: &str) -> Result<Vec<Value>> {
        let server = ["--dry-run=server", "--disable-openapi-validation", "--kube-apiserver", &self.address];
        template(&format!("{IMAGE}{values}"), &server)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where the three dashboards are put.
fn dashboards(objects: &[Value]) -> Vec<&str> {
    let maps = kind(objects, "ConfigMap").into_iter();
    let boards = maps.filter(|map| map["metadata"]["labels"].get("grafana_dashboard").is_some());
    boards.map(|map| text(&map["metadata"]["namespace"])).collect()
}

#[test]
fn without_grafana_s_namespace_the_least_values_install() -> Result<()> {
    let bare = Cluster::with(&["default"])?;
    assert_eq!(dashboards(&bare.install("")?), ["cattle-monitoring-system"; 3]);
    assert_eq!(dashboards(&bare.install("dashboards: {namespace: default}")?), ["default"; 3]);
    let refused = bare.install("dashboards: {namespace: nowhere}").expect_err("there is no such namespace");
    let words = "this cluster has no namespace nowhere. Create it, leave dashboards.namespace empty";
    assert!(refused.to_string().contains(words), "{refused}");

    let rancher = Cluster::with(&["default", "cattle-dashboards"])?;
    assert_eq!(dashboards(&rancher.install("")?), ["cattle-dashboards"; 3]);
    // Without a cluster to ask, as on a machine that only renders.
    assert_eq!(dashboards(&template(IMAGE, &[])?), ["cattle-dashboards"; 3]);
    Ok(())
}

/// The names of the services, and where an Ingress leads.
#[test]
fn another_type_of_service_is_a_second_one() -> Result<()> {
    let names = |objects: &[Value]| -> Vec<(String, String)> {
        let service =
            |it: &&Value| (text(&it["metadata"]["name"]).to_owned(), text(&it["spec"]["type"]).to_owned());
        kind(objects, "Service").iter().map(service).collect()
    };
    let pair = |name: &str, kind: &str| (name.to_owned(), kind.to_owned());
    let plain = template(IMAGE, &[])?;
    assert_eq!(names(&plain), [pair("vxlan-exporter", "ClusterIP")]);
    let values = "web: {existingSecret: a}\nservice: {type: LoadBalancer}\ningress: {enabled: true, hosts: [{host: a.example.net}]}";
    let objects = template(&format!("{IMAGE}{values}"), &[])?;
    let wanted = [pair("vxlan-exporter", "ClusterIP"), pair("vxlan-exporter-web", "LoadBalancer")];
    assert_eq!(names(&objects), wanted);
    let ingress = kind(&objects, "Ingress")[0];
    let path = &list(&list(&ingress["spec"]["rules"])[0]["http"]["paths"])[0];
    assert_eq!((text(&path["path"]), text(&path["pathType"])), ("/", "Prefix"));
    assert_eq!(path["backend"]["service"]["name"], "vxlan-exporter-web");
    Ok(())
}
