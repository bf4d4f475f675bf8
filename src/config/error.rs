//! Errors in a configuration file, for a person who must correct it.

use std::path::{Path, PathBuf};

use super::position::{self, Step};
use crate::{process::regular_file::Why, text::visible_lines};

/// A configuration that cannot be used. Its text names the file, line and column (from 1) and key
/// if they are known, what is wrong and what to do. It never repeats the content of a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {}{message}", file.display(), Self::place(*position), Self::prefix(at))]
pub struct ConfigError {
    file: PathBuf,
    position: Option<(usize, usize)>,
    at: String,
    message: String,
}

impl ConfigError {
    /// Line and column, both from 1, if the error has a position in the text.
    pub(super) fn position(&self) -> Option<(usize, usize)> {
        self.position
    }

    fn place(position: Option<(usize, usize)>) -> String {
        position.map_or_else(String::new, |(line, column)| format!(", line {line} column {column}"))
    }

    fn prefix(at: &str) -> String {
        if at.is_empty() { String::new() } else { format!("{at}: ") }
    }

    pub(super) fn new(
        file: &Path,
        position: Option<(usize, usize)>,
        at: &str,
        message: impl Into<String>,
    ) -> Self {
        // A file that somebody else can write may contain anything, even in its keys.
        let shown = |words: &str| visible_lines(words).into_owned();
        Self { file: file.to_owned(), position, at: shown(at), message: shown(&message.into()) }
    }

    pub(super) fn unreadable(file: &Path, why: &Why) -> Self {
        let remedy = match why {
            why if why.is_not_found() => {
                "name the file with --config.file=FILE, or make one: vxlan_exporter config example > FILE"
            }
            Why::Io(error) if error.kind() == std::io::ErrorKind::PermissionDenied => why.remedy(),
            Why::TooLong(_) => "allow more with --config.max-size, if it is the right file",
            _ => "name a readable file with --config.file=FILE",
        };
        Self::new(file, None, "", format!("cannot read the configuration ({why}): {remedy}"))
    }

    pub(super) fn not_utf8(file: &Path, bytes: &[u8], valid: usize) -> Self {
        let before = String::from_utf8_lossy(bytes.get(..valid).unwrap_or_default());
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Self::new(file, Some((line, column)), "", "not UTF-8 text: save the file as UTF-8")
    }

    pub(super) fn from_yaml(error: &serde_yaml::Error, text: &str, file: &Path) -> Self {
        let mut position = error.location().map(|at| (at.line(), at.column()));
        let told = Self::place(position).replace(", line", " at line");
        let full = error.to_string().replacen(&told, "", 1);
        let (at, message) = split_path(&full);
        // The parser's name for an element of a list that is the whole file: `.[0]`.
        let at = at.strip_prefix('.').unwrap_or(at);
        if let Some(key) = quoted(message, "duplicate field ") {
            // The parser gives the position of the mapping; the second of the two keys is the one
            // to remove.
            position = steps(at).and_then(|steps| position::find(text, &steps, Some((key, 1)))).or(position);
            return Self::new(file, position, at, format!("key `{key}` is given twice: keep one"));
        }
        if message.contains("more than one document") {
            let message = "more than one YAML document: remove the `---` lines after the first";
            return Self::new(file, second_document(text), "", message);
        }
        Self::new(file, position, at, reword(at, message))
    }
}

/// A broken rule between keys, before its position is known.
#[derive(Debug)]
pub(crate) struct Mistake {
    /// The path to the mapping or value.
    pub steps: Vec<Step>,
    /// A key of that mapping, if the key itself is at fault.
    pub key: Option<&'static str>,
    /// What is wrong and what to do.
    pub message: String,
}

impl Mistake {
    pub(crate) fn at(self, text: &str, file: &Path) -> ConfigError {
        let position = position::find(text, &self.steps, self.key.map(|key| (key, 0)));
        ConfigError::new(file, position, &dotted(&self.steps), self.message)
    }
}

/// `routers[0].ssh`, the same form as the parser's.
fn dotted(steps: &[Step]) -> String {
    let mut path = String::new();
    for step in steps {
        match step {
            Step::Key(key) if path.is_empty() => path.push_str(key),
            Step::Key(key) => path.extend([".", key]),
            Step::Index(index) => path.extend(["[", &index.to_string(), "]"]),
        }
    }
    path
}

/// Parses `routers[0].ssh`. Only mappings that can hold a duplicate key are listed.
fn steps(at: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    for part in at.split(['.', '[']).filter(|part| !part.is_empty()) {
        steps.push(match part {
            "routers" => Step::Key("routers"),
            "paths" => Step::Key("paths"),
            "ssh" => Step::Key("ssh"),
            "api" => Step::Key("api"),
            "reflector" => Step::Key("reflector"),
            "web" => Step::Key("web"),
            "probe" => Step::Key("probe"),
            "modules" => Step::Key("modules"),
            "tls_server_config" => Step::Key("tls_server_config"),
            "http_server_config" => Step::Key("http_server_config"),
            "rate_limit" => Step::Key("rate_limit"),
            index => Step::Index(index.strip_suffix(']')?.parse().ok()?),
        });
    }
    Some(steps)
}

/// Splits a parser message `routers[0].ssh: what is wrong`; at the root it has no path.
fn split_path(text: &str) -> (&str, &str) {
    match text.split_once(": ") {
        Some((path, rest))
            if path
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.[]?".contains(&b)) =>
        {
            (path, rest)
        }
        _ => ("", text),
    }
}

/// Where the second document starts, which the parser does not say.
fn second_document(text: &str) -> Option<(usize, usize)> {
    let mut lines =
        (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    lines.next();
    lines.find(|(_, line)| line.starts_with("---")).map(|(line, _)| (line, 1))
}

/// The first word in backquotes after `start`.
fn quoted<'a>(message: &'a str, start: &str) -> Option<&'a str> {
    message.strip_prefix(start)?.strip_prefix('`')?.split_once('`').map(|(word, _)| word)
}

/// Rewords serde's messages for a configuration; any other message is already ours.
fn reword(at: &str, message: &str) -> String {
    if message.starts_with("unknown field `") {
        return unknown_key(message);
    }
    if let Some(key) = quoted(message, "missing field ") {
        return format!("key `{key}` is missing: add it");
    }
    if message == "recursion limit exceeded" {
        return "nested too deeply: the configuration has at most five levels of lists and mappings"
            .to_owned();
    }
    if let Some((found, expected)) = ["invalid type: ", "invalid value: "]
        .iter()
        .find_map(|start| message.strip_prefix(start))
        .and_then(|rest| rest.rsplit_once(", expected "))
    {
        let found = match found.split_once(' ').map_or(found, |(kind, _)| kind) {
            "map" => "a mapping",
            "sequence" => "a list",
            "unit" => "nothing",
            "boolean" => "true or false",
            "integer" | "floating" => "a number",
            // The value is not repeated: it may be a secret in the wrong place.
            _ => "a text",
        };
        let expected = match expected {
            "a sequence" => "a list",
            word if word.starts_with("struct ") => "a mapping (`key: value`)",
            "an array of length 2" => "a list of two tunnel ends",
            word => word,
        };
        return format!("found {found}, expected {expected}");
    }
    if let Some(rest) = message.strip_prefix("unknown variant ") {
        return format!("unknown value {rest}");
    }
    if message.starts_with("invalid length ") {
        return "a tunnel has two ends: write [ROUTER/INTERFACE, ROUTER/INTERFACE]".into();
    }
    // Our own messages come from values, which always have a path.
    if at.is_empty() { format!("not valid YAML: {message}") } else { message.to_owned() }
}

fn unknown_key(message: &str) -> String {
    let key = quoted(message, "unknown field ").unwrap_or_default();
    let known: Vec<&str> = message
        .split_once(", expected ")
        .map_or("", |(_, list)| list)
        .split('`')
        .skip(1)
        .step_by(2)
        .collect();
    let nearest = known
        .iter()
        .map(|name| (strsim::jaro_winkler(&key.to_lowercase(), name), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match (nearest, known.is_empty()) {
        (Some((_, name)), _) => format!("unknown key `{key}`: did you mean `{name}`?"),
        (None, false) => format!("unknown key `{key}`: the keys here are {}", known.join(", ")),
        (None, true) => format!("unknown key `{key}`: there are no keys here"),
    }
}
