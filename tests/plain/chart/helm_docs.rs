//! The table of values that helm-docs makes of a chart's values.yaml: a program in Go, in no
//! package registry that the tests use. One row a value, in the order of the file, described by the
//! comment above it that begins with `--`.

use std::{collections::BTreeMap, fmt::Write as _};

use anyhow::{Result, bail, ensure};
use serde_json::Value;

/// The table, with its heading.
///
/// # Errors
/// If a value has no description.
pub fn table(yaml: &str) -> Result<String> {
    let comments = comments(yaml);
    let values: serde_yaml::Mapping = serde_yaml::from_str(yaml)?;
    let mut out =
        "| Key | Type | Default | Description |\n|-----|------|---------|-------------|\n".to_owned();
    let mut described = 0;
    rows(&values, "", &comments, &mut out, &mut described)?;
    ensure!(described == comments.len(), "{described} of {} comments are of a value", comments.len());
    Ok(out)
}

/// Comments by the key below them, with the keys above it: `image.tag`.
fn comments(yaml: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut above: Vec<(usize, &str)> = Vec::new();
    let mut comment: Option<String> = None;
    for line in yaml.lines() {
        let text = line.trim_start();
        let indent = line.len() - text.len();
        if let Some(words) = text.strip_prefix("# -- ") {
            comment = Some(words.to_owned());
        } else if let (Some(words), Some(comment)) = (text.strip_prefix("# "), &mut comment) {
            comment.push(' ');
            comment.push_str(words);
        } else if let Some((key, _)) = text.split_once(':').filter(|_| !text.starts_with(['#', '-'])) {
            above.retain(|(column, _)| *column < indent);
            above.push((indent, key));
            if let Some(comment) = comment.take() {
                let path: Vec<_> = above.iter().map(|(_, key)| *key).collect();
                found.insert(path.join("."), comment);
            }
        } else {
            comment = None;
        }
    }
    found
}

/// A map without a description is described by its values, one with a description stands for them.
fn rows(
    map: &serde_yaml::Mapping,
    under: &str,
    comments: &BTreeMap<String, String>,
    out: &mut String,
    described: &mut usize,
) -> Result<()> {
    for (key, value) in map {
        let key = key.as_str().unwrap_or_default();
        let path = if under.is_empty() { key.to_owned() } else { format!("{under}.{key}") };
        match (comments.get(&path), value) {
            (Some(comment), value) => {
                let (kind, words) = described_as(comment, value);
                let default = match serde_json::to_value(value)? {
                    Value::Null => "nil".to_owned(),
                    value => value.to_string(),
                };
                writeln!(out, "| {path} | {kind} | `{default}` | {words} |")?;
                *described += 1;
            }
            (None, serde_yaml::Value::Mapping(map)) if !map.is_empty() => {
                rows(map, &path, comments, out, described)?;
            }
            (None, _) => bail!("{path} of values.yaml has no comment that begins with `# -- `"),
        }
    }
    Ok(())
}

/// The type, which the description names where the default does not say it: `(int) …`.
fn described_as<'c>(comment: &'c str, value: &serde_yaml::Value) -> (&'c str, &'c str) {
    let named = comment.strip_prefix('(').and_then(|rest| rest.split_once(") "));
    named.unwrap_or((
        match value {
            serde_yaml::Value::Bool(_) => "bool",
            serde_yaml::Value::Number(_) => "int",
            serde_yaml::Value::Sequence(_) => "list",
            serde_yaml::Value::Mapping(_) => "object",
            _ => "string",
        },
        comment,
    ))
}
