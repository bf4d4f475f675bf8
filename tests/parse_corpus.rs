//! Every captured output of `tests/corpus` against `expected.json`, field by field.
//!
//! A new capture is a new file and an entry there, no new code. Each is read as it is, and once more as a
//! careless terminal would deliver it: with a banner before it, CRLF line ends and colours.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Map, Value, json};
use vxlan_exporter::router::{
    parse::{fdb, link, op_mode_raw, route, sections, vni},
    snapshot::Link,
};

type Fields = Map<String, Value>;

fn corpus(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A link with its vxlan part and counters side by side, as `expected.json` names them.
fn flat(link: &Link) -> Fields {
    let Value::Object(mut fields) = json!(link) else { unreachable!("a link is an object") };
    for part in ["vxlan", "counters"] {
        if let Some(Value::Object(part)) = fields.remove(part) {
            fields.extend(part);
        }
    }
    fields
}

fn named(fields: impl Iterator<Item = Fields>) -> BTreeMap<String, Fields> {
    fields.map(|fields| (fields["name"].as_str().unwrap().to_owned(), fields)).collect()
}

fn read(format: &str, text: &str) -> Value {
    match format {
        "ip-json" => json!(named(link::links(text).unwrap().iter().map(flat))),
        "opmode-raw" => json!(named(op_mode_raw::links(text).unwrap().iter().map(|raw| {
            let mut fields = flat(&raw.link);
            fields.insert("last_clear_unix".to_owned(), json!(raw.last_clear));
            fields
        }))),
        "fdb-json" => {
            let mut remotes: BTreeMap<String, Vec<Value>> = BTreeMap::new();
            for entry in fdb::entries(text).unwrap().into_iter().filter(|entry| entry.dst.is_some()) {
                let fields = json!({"mac": entry.mac, "dst": entry.dst});
                remotes.entry(entry.interface.to_string()).or_default().push(fields);
            }
            json!(remotes)
        }
        "route-json" => json!(route::route(text).unwrap()),
        "vni-json" => json!(vni::vnis(text).unwrap()),
        other => panic!("no parser for format {other}"),
    }
}

/// Every expected field is there with that value. At the level of interfaces, no other may be there.
fn agree(file: &str, what: &str, expected: &Value, seen: &Value) {
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(seen.get(key), Some(value), "{file}: {what} {key}");
    }
}

fn check(file: &str, format: &str, expected: &Value, text: &str) {
    let seen = read(format, text);
    if format == "route-json" {
        return agree(file, "route", expected, &seen);
    }
    let expected = ["interfaces", "dst", "vnis"].iter().find_map(|key| expected.get(key)).unwrap();
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&seen), names(expected), "{file}: interfaces");
    for (name, fields) in expected.as_object().unwrap() {
        if fields.is_array() {
            assert_eq!(&seen[name], fields, "{file}: {name}");
        } else {
            agree(file, name, fields, &seen[name]);
        }
    }
}

#[test]
fn every_capture_is_read_as_expected() {
    let expected: Value = serde_json::from_str(&corpus("expected.json")).unwrap();
    let captures = expected.as_array().unwrap();
    assert!(captures.len() >= 10, "captures are missing from expected.json");
    for capture in captures {
        let (file, format) = (capture["file"].as_str().unwrap(), capture["format"].as_str().unwrap());
        let text = corpus(file);
        check(file, format, &capture["expected"], &text);
        let rough = format!("Welcome to VyOS\nbad magic vxlan01\n\u{1b}[0m{text}").replace('\n', "\r\n");
        check(file, format, &capture["expected"], &sections::clean(&rough));
    }
}

#[test]
fn no_capture_is_believed_when_cut_off() {
    for (file, format) in [("ip-addr.json", "ip-json"), ("v14-raw-vxlan01.json", "opmode-raw")] {
        let text = corpus(file);
        let end = text.trim_end().len();
        for cut in (0..end).filter(|cut| text.is_char_boundary(*cut)) {
            let cut_off = &text[..cut];
            let error = match format {
                "ip-json" => link::links(cut_off).map(drop),
                _ => op_mode_raw::links(cut_off).map(drop),
            };
            assert!(error.is_err(), "{file} cut at {cut} of {end} was read as whole");
        }
    }
}
