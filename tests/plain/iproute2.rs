//! The output of iproute2 4.18 to 7.3 for devices of many types with awkward names and aliases,
//! read as a router's.
//!
//! `tests/corpus/iproute2` says how it was captured.

use std::{fs, path::Path};

use serde_json::{Value, json};
use vxlan_exporter::command::parse::{Format, read};

/// Each version, whether it writes `\n` for a backslash, and whether it knows VNI filters.
const VERSIONS: [(&str, bool, bool); 8] = [
    ("4.18", true, false),
    ("4.20", true, false),
    ("5.1", true, false),
    ("5.10", false, false),
    ("6.1", false, true),
    ("6.15", false, true),
    ("7.2", false, true),
    ("7.3", false, true),
];

fn capture(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/iproute2").join(file);
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The result for a file, in which only the expected is left out.
fn reading(format: Format, file: &str, left_out: &Value) -> Value {
    let seen = read(format, &capture(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    assert_eq!(&seen["left_out"], left_out, "{file}: {}", seen["left_out_why"]);
    seen
}

#[test]
fn no_device_costs_another() {
    for (version, no_backslash, filters) in VERSIONS {
        // A backslash in a name is printed as a line feed, which no name can contain.
        let left_out = if no_backslash { json!({"name": 1}) } else { Value::Null };
        let file = format!("{version}-link.json");
        let seen = reading(Format::IpJson, &file, &left_out);
        let interfaces = seen["interfaces"].as_object().unwrap();
        assert_eq!(interfaces.len(), if no_backslash { 37 } else { 38 }, "{file}");
        let df = |df: &str| if version == "4.18" || version == "4.20" { Value::Null } else { json!(df) };
        for (name, expected) in [
            (
                "vxlan7",
                json!({"vni": 7, "remote": "198.51.100.9", "port": 4789, "ttl": 16, "df": df("unset"), "master": "br01",
                "mtu": 1500, "learning": true, "admin_up": true, "kind": "vxlan"}),
            ),
            (
                "vxlan8",
                json!({"vni": 8, "remote": "2001:db8:1::9", "local": "2001:db8::1", "df": df("set"),
                "description": "東京↔大阪"}),
            ),
            (
                "vxlan9",
                json!({"vni": 9, "remote": "239.0.0.9", "link": "eth0", "learning": false, "admin_up": false,
                "description": "two␊lines"}),
            ),
            ("vxlan10", json!({"external": true, "vnifilter": filters, "vni": null})),
            ("br01", json!({"kind": "bridge", "description": "tab␉here"})),
            ("bond0", json!({"kind": "bond", "description": "bond \"x\""})),
            ("dummy0", json!({"master": "bond0", "description": "it's"})),
            ("eth0.100", json!({"kind": "vlan", "description": "vlan 'q'"})),
            ("mv0", json!({"master": "vrf-red", "kind": "macvlan"})),
            ("vrf-red", json!({"kind": "vrf"})),
            ("eth0'p", json!({"kind": "veth", "mtu": 1500})),
            ("erspan2", json!({"mtu": 1446})),
            ("tun50", json!({"mtu": 1418})),
            ("gre1", json!({"mtu": 1464})),
        ] {
            for (key, value) in expected.as_object().unwrap() {
                let told = interfaces[name].get(key).unwrap_or(&Value::Null);
                assert_eq!(told, value, "{file}: {name} {key}");
            }
        }
        let alias = interfaces["vxlan7"]["description"].as_str().unwrap();
        assert!(alias.starts_with("Tokyo's backup \"B\" "), "{file}: {alias}");
        assert!(interfaces.values().all(|it| it["mtu"].is_number() && it["tx_bytes"].is_number()), "{file}");
    }
}

#[test]
fn entries_of_an_external_device_name_their_vnis() {
    for (version, no_backslash, _) in VERSIONS {
        let file = format!("{version}-fdb.json");
        let seen = reading(Format::FdbJson, &file, &Value::Null);
        let flood = "00:00:00:00:00:00";
        assert_eq!(
            seen["dst"]["vxlan10"],
            json!([
                {"mac": "02:00:00:00:00:01", "dst": "198.51.100.12", "src_vni": 101},
                {"mac": flood, "dst": "198.51.100.77", "vni": 200, "src_vni": 200},
                {"mac": flood, "dst": "198.51.100.11", "vni": 300, "src_vni": 100},
            ]),
            "{file}"
        );
        let own = "vx'lan\"\\11";
        assert_eq!(seen["dst"].get(own).is_some(), !no_backslash, "{file}");
        assert_eq!(seen["dst"]["vxlan7"].as_array().map(Vec::len), Some(3), "{file}");
    }
}

#[test]
fn what_each_vni_counted_is_an_object_of_its_own() {
    for (version, _, filters) in VERSIONS {
        if !filters {
            continue;
        }
        let seen = reading(Format::VniJson, &format!("{version}-vni.json"), &Value::Null);
        assert_eq!(seen["vnis"], json!({"vxlan10": [100, 101, 102, 200]}));
        let zero = json!({"rx_bytes": 0, "rx_packets": 0, "rx_errors": 0, "rx_dropped": 0,
                          "tx_bytes": 0, "tx_packets": 0, "tx_errors": 0, "tx_dropped": 0});
        assert_eq!(seen["stats"], json!({"vxlan10": {"100": zero, "101": zero, "102": zero, "200": zero}}));
    }
}

#[test]
fn a_route_is_read_whatever_its_form() {
    for (version, ..) in VERSIONS {
        let all = capture(&format!("{version}-route.txt"));
        let answer = |asked: &str| {
            let (_, rest) = all.split_once(&format!("# {asked}\n")).unwrap();
            rest.split("# ").next().unwrap().to_owned()
        };
        // 5.0 and 5.1 print metrics without their names.
        let mtu = |mtu: u32| if version == "5.1" { Value::Null } else { json!(mtu) };
        for (asked, dev, gateway, mtu, source) in [
            ("198.51.100.9", "eth0", json!("192.0.2.254"), mtu(1400), json!("192.0.2.1")),
            ("203.0.113.5", "eth0", json!("2001:db8::fe"), Value::Null, json!("192.0.2.1")),
            ("2001:db8:1::9", "eth0", json!("2001:db8::fe"), mtu(1380), json!("2001:db8::1")),
            ("192.0.2.9", "eth0", Value::Null, Value::Null, json!("192.0.2.1")),
            ("127.0.0.1", "lo", Value::Null, Value::Null, json!("127.0.0.1")),
            ("198.51.100.9 from 192.0.2.1", "eth0", json!("192.0.2.254"), mtu(1400), json!("192.0.2.1")),
            ("10.9.0.5 vrf vrf-red", "mv0", Value::Null, Value::Null, json!("10.9.0.1")),
        ] {
            let seen = read(Format::RouteJson, &answer(asked))
                .unwrap_or_else(|error| panic!("{version} {asked}: {error}"));
            let told = [&seen["dev"], &seen["gateway"], &seen["mtu"], &seen["source"]];
            assert_eq!(told, [&json!(dev), &gateway, &mtu, &source], "{version} {asked}");
        }
    }
}
