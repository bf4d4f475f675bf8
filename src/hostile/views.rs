//! Checks everything that is shown: it contains nothing that acts on a terminal or page, and every
//! command is one of the catalogue of fixes.

use std::net::IpAddr;

use serde_json::Value;

use crate::{
    logging::test_lines,
    model::{state::Present, types::Method},
    process::supervise::Supervisor,
    report::{self, Paint, one_path},
    terminal,
    text::is_active,
    web::{self, SelfInfo, metrics},
};

/// Checks each view; returns how many commands `check` shows as text and as JSON, and `/metrics`
/// and the page show.
pub fn look(present: &Present, method: Method) -> [usize; 4] {
    let commands = [
        check_text(present),
        check_json(&report::json(present), "check --format=json"),
        in_metrics(&metrics::render(present, &SelfInfo::new(Supervisor::default())).expect("metrics")),
        page(&web::page::test_page(present)),
    ];
    // Commands for tunnels without a path are in no sample.
    let [text, json, _, page] = commands;
    assert!(text == page && (text > 0) == (json > 0), "{method}: {commands:?}");
    check_json(&one_path::json(present), "probe --format=json");
    quiet_lines(&one_path::text(present, 110, Paint::Plain), "probe");
    log(present);
    commands
}

/// Checks one line: a log line or a sentence.
pub fn quiet_line(text: &str, view: &str) {
    assert!(!text.contains(is_active), "{view}: {text:?}");
}

fn quiet_lines(text: &str, view: &str) {
    assert!(!text.contains(|char| char != '\n' && is_active(char)), "{view}: {text:?}");
    assert_eq!(terminal::shown(text), text, "the last line of defence has nothing to do");
}

/// Checks all strings and keys.
pub fn quiet_value(value: &Value, view: &str) {
    match value {
        Value::String(text) => quiet_line(text, view),
        Value::Array(all) => all.iter().for_each(|value| quiet_value(value, view)),
        Value::Object(all) => {
            for (key, value) in all {
                quiet_line(key, view);
                quiet_value(value, view);
            }
        }
        _ => {}
    }
}

/// Commands are alone on their lines, indented deeper than anything else.
fn check_text(present: &Present) -> usize {
    let text = report::text(present, 100_000, Paint::Plain);
    quiet_lines(&text, "check");
    quiet_lines(&report::text(present, 80, Paint::Plain), "check");
    let typed = text.lines().filter_map(|line| line.strip_prefix("      "));
    let typed: Vec<_> = typed
        .filter(|line| !matches!(*line, "configure" | "commit" | "save"))
        .inspect(|line| known(line))
        .collect();
    typed.len()
}

fn check_json(report: &Value, view: &str) -> usize {
    quiet_value(report, view);
    let mut count = 0;
    commands(report, &mut count);
    count
}

fn commands(value: &Value, count: &mut usize) {
    match value {
        Value::Array(all) => all.iter().for_each(|value| commands(value, count)),
        Value::Object(all) => {
            if let (Some(command), Some(_)) = (all.get("command").and_then(Value::as_str), all.get("step")) {
                known(command);
                *count += 1;
            }
            all.values().for_each(|value| commands(value, count));
        }
        _ => {}
    }
}

/// Each line must be a comment or a sample, and each label value a single line; alerts and their
/// annotations are made from these.
fn in_metrics(text: &str) -> usize {
    quiet_lines(text, "/metrics");
    let mut count = 0;
    for line in text.lines().filter(|line| !line.starts_with("# ")) {
        let (name, labels) = line.split_once('{').unwrap_or((line, "} 1"));
        assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_ .+-".contains(&byte)), "{line}");
        for (label, value) in labels_of(labels) {
            quiet_line(&value, "/metrics");
            assert!(value.len() <= 256, "{line}");
            if name == "vxlan_path_fix_info" && label == "command" {
                known(&value);
                count += 1;
            }
        }
    }
    count
}

/// Parses `a="b",c="d"} 1` and removes escapes.
fn labels_of(mut text: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    while let Some((label, rest)) = text.split_once("=\"") {
        let mut value = String::new();
        let mut chars = rest.char_indices();
        let mut end = rest.len();
        while let Some((at, char)) = chars.next() {
            match char {
                '"' => {
                    end = at + 1;
                    break;
                }
                '\\' => value.push(match chars.next() {
                    Some((_, 'n')) => '\n',
                    Some((_, char)) => char,
                    None => panic!("{text}"),
                }),
                char => value.push(char),
            }
        }
        all.push((label.trim_start_matches(',').to_owned(), value));
        text = &rest[end..];
    }
    assert!(text.starts_with("} "), "{text}");
    all
}

fn page(html: &str) -> usize {
    quiet_lines(html, "/");
    assert_eq!(html.matches("<script").count(), 1, "our own alone: {html}");
    let commands = html.split("<code>").skip(1).filter_map(|rest| rest.split("</code>").next());
    commands.inspect(|command| known(command)).count()
}

/// Logs each failure as the worker does, in both formats; each must be one line.
fn log(present: &Present) {
    for reading in &present.routers {
        let Some(error) = &reading.failure else { continue };
        for line in test_lines(|| {
            tracing::warn!(router = %reading.router, reason = %error.reason, error = %error.message, "not read");
        }) {
            quiet_line(&line, "log");
        }
    }
}

/// Checks that a command is one of the catalogue of fixes.
fn known(command: &str) {
    let words: Vec<&str> = command.split(' ').collect();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let below =
        |text: &str, most: u32| digits(text) && text.parse::<u32>().is_ok_and(|number| number <= most);
    let is_known = match words[..] {
        [verb, "interfaces", "vxlan", name, ref change @ ..]
            if name.strip_prefix("vxlan").is_some_and(digits) =>
        {
            match (verb, change) {
                ("delete", ["disable"])
                | ("set", ["parameters", "ip", "df", "unset" | "set" | "inherit"]) => true,
                ("set", ["mtu", mtu]) => below(mtu, 16_000),
                ("set", ["vni", vni]) => below(vni, 0x00ff_ffff),
                ("set", ["port", port]) => below(port, 65_535),
                ("set" | "delete", ["remote", remote]) => remote.parse::<IpAddr>().is_ok(),
                _ => false,
            }
        }
        _ => false,
    };
    assert!(is_known, "no command of the catalogue: {command:?}");
}
