//! The message for each mistake, with its position, and the plan for each default.

mod api;
mod bounds;
mod manual;
mod on_demand;
mod path_files;
mod reflectors;
mod secrets;

use std::{path::Path, time::Duration};

mod ssh;

use super::{example, json_schema, load, parse};
use crate::model::{
    family::Family,
    plan::{Credential, HostTrust, PathReflector, Plan, Transport},
};

const FILE: &str = "/etc/vxlan_exporter/config.yml";

fn plan(text: &str) -> Plan {
    parse(text, Path::new(FILE)).unwrap_or_else(|error| panic!("{error}\n{text}")).plan()
}

/// Each case marks the position by `^` right before it; the mark is removed before parsing.
fn refused(marked: &str, message: &str) {
    let at = marked.find('^').expect("a mark");
    let line = marked[..at].matches('\n').count() + 1;
    let column = marked[..at].rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let text = marked.replacen('^', "", 1);
    let error = parse(&text, Path::new(FILE)).expect_err(&text);
    assert_eq!(error.to_string(), format!("{FILE}, line {line} column {column}: {message}"), "in\n{marked}");
}

const ROUTER: &str = "routers:\n- name: dc\n  site: dc\n  local: {}\n";
const PATH: &str = "site: a\npaths:\n- name: p\n  site: dc\n  address: 10.0.0.1\n";
const SSH: &str = "routers:\n- name: dc\n  site: dc\n  ssh:\n    address: 10.10.0.254\n    username: monitor\n    known_hosts_file: kh\n";

#[test]
fn keys() {
    for (text, message) in [
        ("^sites: a", "unknown key `sites`: did you mean `site`?"),
        (
            "site: a\n^api: {}",
            "unknown key `api`: the keys here are site, routers, paths, path_files, tunnels, scrape_interval, \
             scrape_timeout, max_interfaces, max_fdb_entries, probe_interval, sentinel_interval, \
             expected_mtu, loss_threshold, probe_budget_pps, router_workers, underlay_probes, underlay_interval, reflector, web, probe",
        ),
        ("site: a\n^site: b", "key `site` is given twice: keep one"),
        (
            "routers:\n- name: dc\n  site: dc\n  ssh:\n    ^adress: 10.0.0.1",
            "routers[0].ssh: unknown key `adress`: did you mean `address`?",
        ),
        (
            "routers:\n- name: dc\n  site: dc\n  ssh:\n    ^password: hunter2",
            "routers[0].ssh: unknown key `password`: did you mean `password_file`?",
        ),
        ("routers:\n- name: dc\n  ^Site: dc", "routers[0]: unknown key `Site`: did you mean `site`?"),
        (
            "routers:\n- name: dc\n  site: dc\n  local: {^jump: 1}",
            "routers[0].local: unknown key `jump`: there are no keys here",
        ),
        (
            "paths:\n- name: p\n  site: dc\n  address: 10.0.0.1\n  ^site: b",
            "paths[0]: key `site` is given twice: keep one",
        ),
        (
            "routers:\n- name: dc\n  site: dc\n  ssh:\n    username: a\n    ^username: b",
            "routers[0].ssh: key `username` is given twice: keep one",
        ),
        ("routers:\n- ^name: dc", "routers[0]: key `site` is missing: add it"),
        (
            "routers:\n- name: dc\n  site: dc\n  api:\n    url: https://dc\n    ^key: hunter2",
            "routers[0].api: unknown key `key`: did you mean `key_file`?",
        ),
        (
            "routers:\n- name: dc\n  site: dc\n  api:\n    key_file: a\n    ^key_file: b",
            "routers[0].api: key `key_file` is given twice: keep one",
        ),
        (
            "routers:\n- name: dc\n  site: dc\n  ssh:\n    ^address: 10.0.0.1",
            "routers[0].ssh: key `username` is missing: add it",
        ),
    ] {
        refused(text, message);
    }
}

#[test]
fn types() {
    for (text, message) in [
        ("site: ^[a]", "site: found a list, expected a name"),
        ("routers: ^dc", "routers: found a text, expected a list"),
        ("routers:\n- ^dc", "routers[0]: found a text, expected a mapping (`key: value`)"),
        (
            "routers:\n- name: dc\n  site: dc\n  ssh: ^hunter2",
            "routers[0].ssh: found a text, expected a mapping (`key: value`)",
        ),
        ("scrape_interval: ^{}", "scrape_interval: found a mapping, expected a duration, e.g. 30s"),
        ("^- a", "found a list, expected a mapping (`key: value`)"),
        ("site: ^''", "site: the name is empty: give one"),
        ("site: ^' a'", "site: \" a\" has spaces around it or control characters: remove them"),
    ] {
        refused(text, message);
    }
}

#[test]
fn values() {
    for (text, message) in [
        (
            "scrape_interval: ^30",
            "scrape_interval: \"30\" is not a duration: write a whole number and ms, s, m or h, e.g. 500ms or 30s",
        ),
        (
            "scrape_interval: ^1d",
            "scrape_interval: \"1d\" is not a duration: write a whole number and ms, s, m or h, e.g. 500ms or 30s",
        ),
        (
            "scrape_interval: ^1.5s",
            "scrape_interval: \"1.5s\" is not a duration: write a whole number and ms, s, m or h, e.g. 500ms or 30s",
        ),
        ("scrape_interval: ^500ms", "scrape_interval: 500ms is out of range: give 1s to 1h"),
        ("probe_interval: ^10ms", "probe_interval: 10ms is out of range: give 100ms to 1h"),
        (
            "probe_interval: ^99999999999999999999h",
            "probe_interval: \"99999999999999999999h\" is not a duration: write a whole number and ms, s, m or h, e.g. 500ms or 30s",
        ),
        (
            "loss_threshold: ^1.5",
            "loss_threshold: \"1.5\" is not a share of all packets: give a number from 0 to 1, 0.03 is 3 %",
        ),
        (
            "loss_threshold: ^3%",
            "loss_threshold: \"3%\" is not a share of all packets: give a number from 0 to 1, 0.03 is 3 %",
        ),
        (
            "loss_threshold: ^.nan",
            "loss_threshold: \".nan\" is not a share of all packets: give a number from 0 to 1, 0.03 is 3 %",
        ),
        (
            "expected_mtu: ^67",
            "expected_mtu: \"67\" is not an MTU in bytes: give a whole number from 68 to 9216",
        ),
        (
            "expected_mtu: ^9217",
            "expected_mtu: \"9217\" is not an MTU in bytes: give a whole number from 68 to 9216",
        ),
        (
            "router_workers: ^0",
            "router_workers: \"0\" is not a number of routers read at a time: give a whole number from 1 to 1000",
        ),
        (
            "probe_budget_pps: ^-1",
            "probe_budget_pps: \"-1\" is not a number of packets per second: give a whole number from 10 to 10000",
        ),
        (
            "routers:\n- name: ^dc/1\n  site: dc",
            "routers[0].name: \"dc/1\" contains '/', which separates the parts of a tunnel's name: use letters, digits, `-`, `_` or `.`",
        ),
        (
            "routers:\n- name: ^a~b\n  site: dc",
            "routers[0].name: \"a~b\" contains '~', which separates the parts of a tunnel's name: use letters, digits, `-`, `_` or `.`",
        ),
        (
            "routers:\n- name: dc\n  site: dc\n  addresses: [10.0.0.1, ^dc.example.org]",
            "routers[0].addresses[1]: \"dc.example.org\" is not an IP address: write e.g. 203.0.113.7 or 2001:db8::7",
        ),
        (
            "paths:\n- name: p\n  site: dc\n  address: 10.0.0.1\n  tcp_port: ^70000",
            "paths[0].tcp_port: \"70000\" is not a TCP port: give a whole number from 1 to 65535",
        ),
        (
            "routers:\n- name: dc\n  site: dc\n  ssh:\n    private_key_file: ^\"-----BEGIN OPENSSH PRIVATE KEY-----\"",
            "routers[0].ssh.private_key_file: this is the content of a file: give its path; secrets are kept out of the configuration",
        ),
        (
            "routers:\n- name: dc\n  site: dc\n  ssh:\n    password_file: ^~/pw",
            "routers[0].ssh.password_file: `~` is not expanded: give the whole path",
        ),
    ] {
        refused(text, message);
    }
}

#[test]
fn addresses() {
    for (address, remedy) in [
        ("10.0.0.300", "write e.g. 192.168.100.102, fd00::10 or rancher.example.org"),
        ("10.0.0", "write e.g. 192.168.100.102, fd00::10 or rancher.example.org"),
        ("10.0.0.1/24", "leave out the prefix length"),
        ("https://rancher.example.org", "leave out the scheme and the path of the URL"),
        ("rancher.example.org:443", "leave out brackets and port; a port has its own key"),
        ("'[fd00::1]'", "leave out brackets and port; a port has its own key"),
        ("-a.example.org", "write e.g. 192.168.100.102, fd00::10 or rancher.example.org"),
        ("a b", "write e.g. 192.168.100.102, fd00::10 or rancher.example.org"),
        ("''", "give one"),
    ] {
        let shown = address.trim_matches('\'');
        refused(
            &format!("site: a\npaths:\n- name: p\n  site: dc\n  address: ^{address}"),
            &format!("paths[0].address: {shown:?} is neither an IP address nor a DNS name: {remedy}"),
        );
    }
    for address in ["0.0.0.0", "224.0.0.1", "255.255.255.255", "'::'"] {
        refused(
            &format!("site: a\npaths:\n- name: p\n  site: dc\n  address: ^{address}"),
            &format!(
                "paths[0].address: {} is not the address of one host: give a unicast address",
                address.trim_matches('\'')
            ),
        );
    }
    for address in ["192.168.100.102", "fd00::10", "rancher.example.org.", "node_1", "1host"] {
        let text = PATH.replace("10.0.0.1", address);
        assert_eq!(plan(&text).paths[0].address, address);
    }
}

#[test]
fn rules_between_keys() {
    for (text, message) in [
        (
            format!("{ROUTER}- name: ^dc\n  site: b\n  local: {{}}"),
            "routers[1].name: the name \"dc\" is given to two routers: give each its own",
        ),
        (
            format!("{PATH}- name: ^p\n  site: dc\n  address: 10.0.0.2"),
            "paths[1].name: the name \"p\" is given to two paths: give each its own",
        ),
        (
            "routers:\n- ^name: dc\n  site: dc".into(),
            "routers[0]: does not say how to read the router: add `ssh: {address: …, …}`, `api: {url: …, \
             …}`, or `local: {}` for this machine",
        ),
        (
            "routers:\n- ^name: dc\n  site: dc\n  local:".into(),
            "routers[0]: does not say how to read the router: add `ssh: {address: …, …}`, `api: {url: …, \
             …}`, or `local: {}` for this machine",
        ),
        (
            format!("{SSH}    private_key_file: k\n  ^local: {{}}"),
            "routers[0]: has both `ssh` and `local`: keep one",
        ),
        (
            PATH.replace("site: a\npaths", "^paths"),
            "paths need a source site: add `site: NAME` at top level, the site this exporter runs at",
        ),
        (
            format!("{ROUTER}tunnels:\n- [dc/vxlan01, ^dd/vxlan01]"),
            "tunnels[0][1]: there is no router \"dd\": name one of `routers`",
        ),
        (
            format!("{ROUTER}tunnels:\n- [^dc1/vxlan01, dc/vxlan01]"),
            "tunnels[0][0]: there is no router \"dc1\": did you mean \"dc\"?",
        ),
        (
            format!("{ROUTER}tunnels:\n- [dc/vxlan01, ^vxlan01]"),
            "tunnels[0][1]: \"vxlan01\" is not ROUTER/INTERFACE: write e.g. dc/vxlan01",
        ),
        (
            format!("{ROUTER}tunnels:\n- [dc/vxlan01, ^dc/vxlan01]"),
            "tunnels[0][1]: dc/vxlan01 is listed in two tunnels: an interface can be an end of only one",
        ),
        (
            format!("{ROUTER}tunnels:\n- ^[dc/vxlan01]"),
            "tunnels[0]: a tunnel has two ends: write [ROUTER/INTERFACE, ROUTER/INTERFACE]",
        ),
        (
            format!("{ROUTER}tunnels:\n- ^[dc/vxlan01, dc/vxlan02, dc/vxlan03]"),
            "tunnels[0]: a tunnel has two ends: write [ROUTER/INTERFACE, ROUTER/INTERFACE]",
        ),
        (
            "scrape_timeout: ^31s".into(),
            "scrape_timeout: longer than the scrape interval of 30s: give at most that",
        ),
        (
            format!("{ROUTER}  scrape_interval: 5s\n  scrape_timeout: ^6s"),
            "routers[0].scrape_timeout: longer than the scrape interval of 5s: give at most that",
        ),
        (
            "sentinel_interval: ^500ms".into(),
            "sentinel_interval: shorter than the probe interval of 1s: give at least that",
        ),
        (
            format!("{PATH}  probe_interval: 5s\n  sentinel_interval: ^2s"),
            "paths[0].sentinel_interval: shorter than the probe interval of 5s: give at least that",
        ),
    ] {
        refused(&text, message);
    }
}

#[test]
fn not_yaml() {
    for (text, message) in [
        ("site: a\nrouters: ^}", "did not find expected node content, while parsing a block node"),
        (
            "site: a\n^\tpaths: []",
            "found a tab character that violates indentation, while scanning a plain scalar at line 1 column 7",
        ),
        ("site: ^*a", "unknown anchor"),
    ] {
        refused(text, &format!("not valid YAML: {message}"));
    }
    for text in ["site: a\n^---\nsite: b\n", "# one\n---\nsite: a\n^--- {}\n"] {
        refused(text, "more than one YAML document: remove the `---` lines after the first");
    }
}

#[test]
fn families() {
    let family = |text: &str| plan(&format!("{PATH}  {text}")).paths[0].family;
    assert_eq!(family(""), None);
    assert_eq!(family("family: 4"), Some(Family::V4));
    for (text, message) in [
        ("address: host.example\n  family: ^5", "paths[0].family: \"5\" is not a version of IP: give 4 or 6"),
        (
            "address: 10.0.0.1\n  family: ^6",
            "paths[0].family: 10.0.0.1 is no IPv6 address: leave `family` out",
        ),
        (
            "address: ^fe80::1%eth0",
            "paths[0].address: fe80::1%eth0 is link-local: give an address that is routed, e.g. a \
             global or a unique local (fd00::/8) one",
        ),
    ] {
        refused(&format!("site: a\npaths:\n- name: p\n  site: dc\n  {text}"), message);
    }
}

#[test]
fn files() {
    let dir = tempfile::tempdir().expect("a directory");
    let missing = dir.path().join("none.yml");
    let error = load(&missing, 1 << 20).expect_err("missing").to_string();
    assert!(error.starts_with(&missing.display().to_string()), "{error}");
    assert!(error.contains("No such file") && error.contains("vxlan_exporter config example"), "{error}");
    let error = load(dir.path(), 1 << 20).expect_err("a directory").to_string();
    assert!(error.contains("it is a directory") && error.contains("--config.file"), "{error}");
    let latin1 = dir.path().join("latin1.yml");
    std::fs::write(&latin1, b"site: a\npaths:\n# \xe9").expect("written");
    let error = load(&latin1, 1 << 20).expect_err("not UTF-8");
    assert_eq!(error.position(), Some((3, 3)), "{error}");
}

/// A typing error anywhere gives an error with its position, or another valid file, and never a
/// panic.
#[test]
fn any_slip_of_the_finger() {
    let at = |index: usize| example().is_char_boundary(index);
    for slip in ["x", "}", ": ", "\n", "\t", "'", "é", "&a *a", "- "] {
        for index in (0..example().len()).filter(|index| at(*index)) {
            let (before, after) = example().split_at(index);
            if let Err(error) = parse(&format!("{before}{slip}{after}"), Path::new(FILE)) {
                // An alias in place of the whole file is the only error without a position from the
                // parser.
                let placed = error.position().is_some() || error.to_string().contains("YAML document");
                assert!(placed, "{error}");
            }
        }
    }
}

#[test]
fn editors_of_other_systems() {
    assert_eq!(plan(&example().replace('\n', "\r\n")), plan(example()));
    assert_eq!(plan(&format!("\u{feff}{}", example())), plan(example()));
    // The mark also works without a comment after it, and where an error needs a position.
    let marked = plan(
        "\u{feff}site: a\r\nscrape_interval: 5s\r\nrouters:\r\n- name: r\r\n  site: a\r\n  local: {}\r\n",
    );
    assert_eq!(
        (marked.site.as_ref().map(crate::model::types::Site::as_str), marked.routers[0].scrape_interval),
        (Some("a"), Duration::from_secs(5))
    );
    for text in ["\u{feff}---\r\nsite: a\r\n", "\u{feff}\r\nsite: a", "\u{feff}"] {
        let _ = plan(text);
    }
    let error = parse("\u{feff}sites: a\r\n", Path::new(FILE)).expect_err("a misspelt key");
    assert_eq!(error.position(), Some((1, 1)), "{error}");
}

#[test]
fn empty_is_valid() {
    for text in ["", "\n", "# nothing yet\n", "routers:\npaths:\n", "{}", "---\n"] {
        let plan = plan(text);
        assert!(plan.routers.is_empty() && plan.paths.is_empty() && plan.site.is_none(), "{text:?}");
        assert_eq!((plan.probe_budget_pps, plan.router_workers), (200, 32));
    }
}

#[test]
fn defaults_and_overrides() {
    let secs = Duration::from_secs;
    let plain = plan(&format!("{ROUTER}{PATH}"));
    assert_eq!((plain.routers[0].scrape_interval, plain.routers[0].scrape_timeout), (secs(30), secs(10)));
    let path = &plain.paths[0];
    assert_eq!((path.probe_interval, path.sentinel_interval), (secs(1), secs(1)));
    assert_eq!((path.expected_mtu, path.tcp_port, &*path.source.to_string()), (None, None, "a"));
    assert!((path.loss_threshold - 0.03).abs() < 1e-9);

    let top = "scrape_interval: 5s\nprobe_interval: 2s\nexpected_mtu: 1400\nloss_threshold: 0.1\n";
    let inherited = plan(&format!("{top}{ROUTER}{PATH}"));
    assert_eq!(
        (inherited.routers[0].scrape_interval, inherited.routers[0].scrape_timeout),
        (secs(5), secs(5))
    );
    assert_eq!((inherited.paths[0].probe_interval, inherited.paths[0].sentinel_interval), (secs(2), secs(2)));
    assert_eq!(inherited.paths[0].expected_mtu, Some(1400));

    let own = plan(&format!(
        "{top}{ROUTER}  scrape_interval: 1m\n  scrape_timeout: 900ms\n{PATH}  sentinel_interval: 10s\n  expected_mtu: 9000\n  loss_threshold: 0"
    ));
    assert_eq!(
        (own.routers[0].scrape_interval, own.routers[0].scrape_timeout),
        (secs(60), Duration::from_millis(900))
    );
    assert_eq!((own.paths[0].probe_interval, own.paths[0].sentinel_interval), (secs(2), secs(10)));
    assert_eq!(own.paths[0].expected_mtu, Some(9000));
    assert!(own.paths[0].loss_threshold.abs() < 1e-9);
}

#[test]
fn the_example_works() {
    let plan = plan(example());
    assert_eq!(plan.site.as_ref().map(crate::model::types::Site::as_str), Some("site-a"));
    let Transport::Ssh(dc) = &plan.routers[0].transport else { panic!("dc is read over ssh") };
    assert_eq!(dc.port, 22);
    // Relative to the file, not to the directory in which the exporter was started.
    assert_eq!(
        dc.credential,
        Credential::PrivateKey { file: "/etc/vxlan_exporter/id_ed25519".into(), passphrase_file: None }
    );
    assert_eq!(dc.host_trust, HostTrust::KnownHosts("/etc/vxlan_exporter/known_hosts".into()));
    assert_eq!((dc.max_output, dc.jump.as_deref()), (16 << 20, None));
    assert_eq!(plan.paths[0].tcp_port, Some(443));
}

/// Lines that are commented out must also work once the `# ` is removed.
#[test]
fn the_examples_comments_work() {
    let mut prose = true;
    let uncommented: Vec<String> = example()
        .lines()
        .map(|line| {
            prose &= line.starts_with('#');
            match line.trim_start().strip_prefix("# ") {
                Some(rest) if !prose && !rest.starts_with("Only") => {
                    format!("{}{rest}", &line[..line.len() - line.trim_start().len()])
                }
                _ => line.to_owned(),
            }
        })
        .collect();
    let plan = plan(&uncommented.join("\n"));
    assert_eq!((plan.routers.len(), plan.tunnels.len()), (4, 1));
    let Transport::Api(api) = &plan.routers[3].transport else { panic!("site-b is read by its API") };
    assert_eq!((api.url.to_string().as_str(), api.url.port), ("https://10.10.20.254", 443));
    assert_eq!(plan.routers[2].transport, Transport::Local);
    assert_eq!(plan.paths[0].expected_mtu, Some(1500));
}
