//! `mesh`: each site probes a few representatives of each other one.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde_json::{Value, json};

use super::{
    exporter::takes,
    helm::{list, only, render, text},
};

const SITES: usize = 6;
const HOSTS: usize = 5;

/// The same list of hosts for every site, without one of them.
fn values(here: usize, without: Option<&str>) -> String {
    let hosts = |site: usize| {
        let hosts = (1..=HOSTS).map(|host| format!("10.0.{site}.{host}"));
        hosts.filter(|host| without != Some(host)).collect::<Vec<_>>().join(", ")
    };
    let sites: Vec<_> = (0..SITES).map(|site| format!("s{site}: [{}]", hosts(site))).collect();
    format!("config: {{site: s{here}}}\nmesh: {{sites: {{{}}}}}", sites.join(", "))
}

fn paths(values: &str) -> Vec<Value> {
    let objects = render(values);
    let maps: Vec<Value> =
        objects.into_iter().filter(|object| object["data"].get("config.yml").is_some()).collect();
    let config: Value =
        serde_yaml::from_str(text(&only(&maps, "ConfigMap", "")["data"]["config.yml"])).expect("YAML");
    list(&config["paths"]).to_vec()
}

fn addresses(paths: &[Value]) -> BTreeSet<String> {
    paths.iter().map(|path| text(&path["address"]).to_owned()).collect()
}

#[test]
fn each_site_probes_two_hosts_of_each_other_site_and_none_of_its_own() {
    let mut probed: BTreeMap<String, usize> = BTreeMap::new();
    for here in 0..SITES {
        let paths = paths(&values(here, None));
        assert_eq!(paths.len(), (SITES - 1) * 2);
        for path in &paths {
            let (site, address) = (text(&path["site"]), text(&path["address"]));
            assert_eq!(path["name"], format!("{site}-{address}"));
            assert!(address.starts_with(&format!("10.0.{}.", &site[1..])), "{path}");
            assert_ne!(site, format!("s{here}"), "its own host");
            *probed.entry(address.to_owned()).or_default() += 1;
        }
    }
    // Ten choices of two among five: nearly every host is chosen by somebody.
    assert!(probed.len() > SITES * HOSTS * 3 / 4, "{probed:?}");
}

#[test]
fn a_host_that_goes_moves_only_the_path_to_itself() {
    let before = addresses(&paths(&values(0, None)));
    let gone = before.iter().next().expect("a path").clone();
    let after = addresses(&paths(&values(0, Some(&gone))));
    assert_eq!(before.difference(&after).collect::<Vec<_>>(), [&gone]);
    assert_eq!(after.difference(&before).count(), 1);
}

#[test]
fn the_keys_of_a_host_win_over_those_of_all() -> Result<()> {
    let values = "config:\n  site: a\n  paths: [{name: x, site: b, address: 10.0.0.1}]\n\
                  mesh:\n  representatives: 3\n  path: {tcp_port: 10250, expected_mtu: 1450}\n  sites:\n    a: [10.0.0.9]\n\
                  \x20   b: [{address: 'fd00::1', name: edge, tcp_port: 22}]\n    c: [10.0.0.3]";
    let wanted = json!([
        {"name": "x", "site": "b", "address": "10.0.0.1"},
        {"name": "edge", "site": "b", "address": "fd00::1", "tcp_port": 22, "expected_mtu": 1450},
        {"name": "c-10.0.0.3", "site": "c", "address": "10.0.0.3", "tcp_port": 10250, "expected_mtu": 1450},
    ]);
    assert_eq!(json!(paths(values)), wanted);
    assert!(takes("mesh", &render(values))? > 0);
    Ok(())
}
