//! Every output in `tests/corpus`, parsed by `vxlan_exporter parse` and compared with
//! `expected.json`.
//!
//! Each is parsed unchanged, and once more as an interactive terminal would deliver it: with a
//! banner before it, CRLF line ends and colours.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use clap::ValueEnum as _;
use serde_json::Value;
use vxlan_exporter::command::parse::{self, Format};

/// What `expected` may contain besides what is printed.
const CHECKS: [&str; 8] =
    ["exit", "stream", "http", "class", "has", "summary_count", "error_contains", "must_reject_counters"];

fn corpus(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn entries() -> Vec<Value> {
    serde_json::from_str(&corpus("expected.json")).unwrap()
}

fn parse(format: &str, text: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_vxlan_exporter"))
        .args(["parse", format, "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// Every expected value must be there; null and absent are equal.
fn agree(what: &str, expected: &Value, seen: &Value) {
    match (expected, seen) {
        (Value::Object(expected), Value::Object(seen)) => {
            for (key, value) in expected {
                agree(&format!("{what} {key}"), value, seen.get(key).unwrap_or(&Value::Null));
            }
        }
        _ => assert_eq!(expected, seen, "{what}"),
    }
}

fn names(value: &Value) -> Vec<&String> {
    value.as_object().map(|all| all.keys().collect()).unwrap_or_default()
}

fn check(file: &str, format: &str, expected: &Value, text: &str) {
    let output = parse(format, text);
    let (stdout, stderr) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let is_error = ["error-text", "api-error"].contains(&format) || expected.get("error_contains").is_some();
    let exit = expected["exit"].as_i64().unwrap_or(i64::from(is_error));
    assert_eq!(output.status.code().map(i64::from), Some(exit), "{file}: {stderr}");
    if is_error {
        assert_eq!(stdout, "", "{file}");
        let words = expected["error_contains"].as_str().unwrap_or_default();
        assert!(stderr.contains(words), "{file}: {stderr}");
        let class = expected["class"].as_str().map(|class| format!("{class}: ")).unwrap_or_default();
        assert!(stderr.starts_with(&class), "{file}: {stderr}");
        return;
    }
    assert_eq!(stderr, "", "{file}");
    let seen: Value = serde_json::from_str(&stdout).unwrap();
    for (key, value) in
        expected.as_object().unwrap().iter().filter(|(key, _)| !CHECKS.contains(&key.as_str()))
    {
        agree(&format!("{file}: {key}"), value, &seen[key]);
        if ["interfaces", "summary", "dst", "vnis", "config"].contains(&key.as_str()) {
            assert_eq!(names(&seen[key]), names(value), "{file}: {key}");
        }
    }
    if expected.get("incomplete").is_none() {
        assert_eq!(seen.get("incomplete"), None, "{file}");
    }
    if let Some(count) = expected["summary_count"].as_u64() {
        assert_eq!(names(&seen["summary"]).len() as u64, count, "{file}");
        agree(&format!("{file}: summary"), &expected["has"], &seen["summary"]);
    }
    for counter in expected["must_reject_counters"].as_array().into_iter().flatten() {
        for (name, interface) in seen["interfaces"].as_object().unwrap() {
            assert_eq!(interface.get(counter.as_str().unwrap()), None, "{file}: {name} {counter}");
            assert_eq!(interface["suspicious"], true, "{file}: {name}");
        }
    }
}

/// Tests the captures of one format, unchanged and roughened.
fn captures_of(format: &str) {
    let entries = entries();
    let mine: Vec<_> = entries.iter().filter(|entry| entry["format"] == format).collect();
    assert!(!mine.is_empty(), "no capture of {format}");
    for entry in mine {
        let (file, expected) = (entry["file"].as_str().unwrap(), &entry["expected"]);
        let text = corpus(file);
        check(file, format, expected, &text);
        // HTTP has no banner.
        let banner = if format.starts_with("api-") { "" } else { "Welcome to VyOS\nbad magic vxlan01\n" };
        let rough = format!("{banner}\u{1b}[0m{text}").replace("\r\n", "\n").replace('\n', "\r\n");
        check(&format!("{file}, roughened"), format, expected, &rough);
    }
}

macro_rules! formats {
    ($($test:ident $format:literal)*) => {
        $(#[test] fn $test() { captures_of($format); })*

        #[test]
        fn every_format_has_its_test() {
            let known: Vec<_> = Format::value_variants().iter().map(|it| it.to_possible_value().unwrap()).collect();
            let known: Vec<_> = known.iter().map(clap::builder::PossibleValue::get_name).collect();
            let mut tested = vec![$($format),*];
            assert!(entries().iter().all(|entry| tested.contains(&entry["format"].as_str().unwrap())));
            tested.sort_unstable();
            let mut sorted = known.clone();
            sorted.sort_unstable();
            assert_eq!(tested, sorted);
        }
    };
}

formats! {
    show_text "show-text"
    ip_text "ip-text"
    opmode_raw "opmode-raw"
    ip_json "ip-json"
    fdb_json "fdb-json"
    vni_json "vni-json"
    route_json "route-json"
    ping "ping"
    api_show "api-show"
    api_config "api-config"
    api_error "api-error"
    show_summary "show-summary"
    vlan_vni_table "vlan-vni-table"
    vlan_vni_stats_table "vlan-vni-stats-table"
    error_text "error-text"
}

#[test]
fn a_file_that_is_not_there_and_a_format_that_is_none() {
    let run = |arguments: &[&str]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_vxlan_exporter")).arg("parse").args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, stderr) = run(&["show-text", "no/such/file"]);
    assert_eq!((code, stderr.as_str()), (Some(1), "no/such/file: No such file or directory (os error 2)\n"));
    assert_eq!(run(&["telegraph", "-"]).0, Some(2));
}

/// A whole text is cut anywhere: what is read from the rest must never be another number, and
/// nothing incomplete may look complete.
#[test]
fn no_cut_makes_a_number_smaller_or_a_block_whole() {
    let numbers = |interface: &Value| -> BTreeMap<String, Value> {
        let all = interface
            .as_object()
            .unwrap()
            .iter()
            .filter(|(_, value)| value.is_number() || value.is_boolean());
        all.map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    for entry in entries() {
        let (file, format) = (entry["file"].as_str().unwrap(), entry["format"].as_str().unwrap());
        let format = match format {
            "show-text" => Format::ShowText,
            "ip-text" => Format::IpText,
            _ => continue,
        };
        // Cutting within a pager's escapes is a matter of the terminal, not of the parsers.
        let text = vxlan_exporter::router::parse::terminal::clean(&corpus(file));
        let whole = parse::read(format, &text).unwrap();
        for cut in (0..text.len()).filter(|cut| text.is_char_boundary(*cut)) {
            let Ok(part) = parse::read(format, &text[..cut]) else { continue };
            let incomplete = part["incomplete"].as_array().cloned().unwrap_or_default();
            for (name, interface) in part["interfaces"].as_object().unwrap() {
                let before = &whole["interfaces"][name];
                assert!(before.is_object(), "{file} cut at {cut}: {name} is no interface");
                let (seen, all) = (numbers(interface), numbers(before));
                let suspicious = interface.get("suspicious").is_some() || before.get("suspicious").is_some();
                for (key, value) in &seen {
                    assert!(
                        suspicious || all.get(key) == Some(value),
                        "{file} cut at {cut}: {name} {key} {value}"
                    );
                }
                let is_whole = !incomplete.iter().any(|it| it == name);
                let counters =
                    |all: &BTreeMap<String, Value>| all.keys().filter(|key| key.contains("x_")).count();
                if is_whole && format == Format::ShowText {
                    assert_eq!(counters(&seen), counters(&all), "{file} cut at {cut}: {name} looks whole");
                }
            }
        }
    }
}

#[test]
fn no_json_is_believed_when_cut_off() {
    for (file, format) in [
        ("ip-addr.json", Format::IpJson),
        ("v14-raw-vxlan01.json", Format::OpmodeRaw),
        ("fdb-six.json", Format::FdbJson),
        ("api-show.json", Format::ApiShow),
        ("api-retrieve-vxlan.json", Format::ApiConfig),
    ] {
        let text = corpus(file);
        let end = text.trim_end().len();
        for cut in (0..end).filter(|cut| text.is_char_boundary(*cut)) {
            assert!(
                parse::read(format, &text[..cut]).is_err(),
                "{file} cut at {cut} of {end} was read as whole"
            );
        }
    }
}
