//! values.yaml, its schema, Rancher's questions and the exporter's own documents agree.

use std::{collections::BTreeSet, fs};

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{
    helm::{chart, list, project, text},
    helm_docs,
};

fn yaml(name: &str) -> Result<Value> {
    Ok(serde_yaml::from_str(&fs::read_to_string(chart().join(name))?)?)
}

fn schema() -> Result<Value> {
    Ok(serde_json::from_str(&fs::read_to_string(chart().join("values.schema.json"))?)?)
}

/// The schema of a value, with references resolved.
fn of_schema<'a>(schema: &'a Value, path: &str) -> Option<&'a Value> {
    let follow = |place: &'a Value| match place["$ref"].as_str() {
        Some(reference) => schema.pointer(reference.strip_prefix('#')?),
        None => Some(place),
    };
    path.split('.').try_fold(schema, |place, key| follow(follow(place)?["properties"].get(key)?))
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().map(|object| object.keys().cloned().collect()).unwrap_or_default()
}

/// Every key of a map is in the schema and vice versa, at any depth.
fn compare(schema: &Value, values: &Value, path: &str) {
    let place = of_schema(schema, path).unwrap_or_else(|| panic!("{path} is not in the schema"));
    // The exporter's own configuration is empty by default.
    if !place["properties"].is_object() || path == "config" {
        return;
    }
    assert_eq!(place["additionalProperties"], false, "{path}");
    assert_eq!(keys(values), keys(&place["properties"]), "{path}");
    for (key, value) in values.as_object().into_iter().flatten() {
        compare(schema, value, &format!("{path}.{key}"));
    }
}

/// Every map of values.yaml has exactly the keys of its schema: nothing can be set that is not
/// shown there.
#[test]
fn values_and_schema_have_the_same_keys() -> Result<()> {
    let (schema, values) = (schema()?, yaml("values.yaml")?);
    let mut known = keys(&schema["properties"]);
    // Rancher's own values, which it adds to every installation.
    assert!(known.remove("global"));
    assert_eq!(keys(&values), known);
    assert_eq!(schema["additionalProperties"], false);
    for (key, value) in values.as_object().into_iter().flatten() {
        compare(&schema, value, key);
    }
    Ok(())
}

/// The chart's README lists every value as helm-docs does, from the comments of values.yaml;
/// `UPDATE_DOCS=1` writes it.
#[test]
fn every_value_is_explained() -> Result<()> {
    let path = chart().join("README.md");
    let readme = fs::read_to_string(&path)?;
    let table = helm_docs::table(&fs::read_to_string(chart().join("values.yaml"))?)?;
    let (begin, end) = ("<!-- values:begin -->\n", "<!-- values:end -->");
    let (before, rest) = readme.split_once(begin).context("no begin of the values")?;
    let (_, after) = rest.split_once(end).context("no end of the values")?;
    let wanted = format!("{before}{begin}{table}{end}{after}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &wanted)?;
    } else {
        assert!(readme == wanted, "run `UPDATE_DOCS=1 cargo test --test plain chart`: {table}");
    }
    Ok(())
}

#[test]
fn the_schema_knows_every_alert() -> Result<()> {
    let mut alerts = BTreeSet::new();
    for entry in fs::read_dir(chart().join("files/rules"))? {
        let rules: Value = serde_yaml::from_str(&fs::read_to_string(entry?.path())?)?;
        let rules = list(&rules["groups"]).iter().flat_map(|group| list(&group["rules"]));
        alerts.extend(rules.filter_map(|rule| rule["alert"].as_str()).map(str::to_owned));
    }
    let schema = schema()?;
    let known = list(&schema["definitions"]["alert"]["enum"]).iter().map(|name| text(name).to_owned());
    assert_eq!(known.collect::<BTreeSet<_>>(), alerts);
    Ok(())
}

/// The first cells of the tables under a heading of docs/configuration.md, or after a word that
/// replaces one.
fn documented(manual: &str, from: &str, to: &str) -> Result<BTreeSet<String>> {
    let start = manual.find(from).with_context(|| format!("{from} is not in docs/configuration.md"))?;
    let part = &manual[start + from.len()..];
    let part = &part[..part.find(to).with_context(|| format!("{to} is not behind {from}"))?];
    let cells = part.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    let names = cells.flat_map(|cell| cell.split('`').step_by(2).map(str::to_owned).collect::<Vec<_>>());
    Ok(names.filter(|name| !name.is_empty()).collect())
}

/// A key that the exporter accepts and the schema refuses could not be used.
#[test]
fn the_schema_knows_every_key_of_the_configuration() -> Result<()> {
    let manual = fs::read_to_string(project("docs/configuration.md"))?;
    let schema = schema()?;
    for (definition, from, to) in [
        ("config", "\n## Top level\n", "\n## "),
        ("router", "\n## A router\n", "\n`ssh`:"),
        ("ssh", "\n`ssh`:\n", "\n`api`:"),
        ("api", "\n`api`:\n", "\n## "),
        ("path", "\n## A path\n", "\n## "),
    ] {
        let documented = documented(&manual, from, to)?;
        assert!(documented.len() > 3, "{from}: {documented:?}");
        let known = keys(&schema["definitions"][definition]["properties"]);
        let missing = documented.difference(&known).collect::<Vec<_>>();
        assert!(missing.is_empty(), "{definition} of values.schema.json lacks {missing:?}");
    }
    Ok(())
}

#[test]
fn questions_ask_for_values_that_are_there() -> Result<()> {
    let (questions, values, schema) = (yaml("questions.yaml")?, yaml("values.yaml")?, schema()?);
    let mut all = Vec::new();
    for question in list(&questions["questions"]) {
        all.push(question);
        all.extend(list(&question["subquestions"]));
    }
    assert!(all.len() > 30, "{}", all.len());
    let value = |variable: &str| values.pointer(&format!("/{}", variable.replace('.', "/")));
    for question in &all {
        let variable = text(&question["variable"]);
        let value = value(variable).with_context(|| format!("{variable} is not in values.yaml"))?;
        let place =
            of_schema(&schema, variable).with_context(|| format!("{variable} is not in the schema"))?;
        if let Some(default) = question.get("default") {
            assert_eq!(default, value, "default of {variable}");
        }
        match text(&question["type"]) {
            "enum" => {
                let options = list(&question["options"]);
                assert!(
                    options.iter().all(|option| list(&place["enum"]).contains(option)),
                    "{variable}: {options:?}"
                );
                assert!(options.contains(value), "{variable}");
            }
            "boolean" => assert!(value.is_boolean(), "{variable}"),
            "string" | "multiline" | "secret" => assert!(value.is_string(), "{variable}"),
            "int" => assert_eq!(
                (&question["min"], &question["max"]),
                (&place["minimum"], &place["maximum"]),
                "{variable}"
            ),
            other => panic!("{variable}: Rancher has no type {other}"),
        }
        assert!(!text(&question["label"]).is_empty(), "{variable} has no label");
        for condition in text(&question["show_if"]).split("&&").filter(|condition| !condition.is_empty()) {
            let (asked, _) = condition.split_once('=').context(condition.to_owned())?;
            assert!(
                all.iter().any(|question| question["variable"] == asked),
                "{variable}: nobody asks for {asked}"
            );
        }
    }
    Ok(())
}

/// The most important questions come first: what is measured, and who is alerted.
#[test]
fn the_form_starts_with_the_vantage_point_and_the_receiver() -> Result<()> {
    let questions = yaml("questions.yaml")?;
    let mut groups =
        list(&questions["questions"]).iter().map(|question| text(&question["group"])).collect::<Vec<_>>();
    groups.dedup();
    assert_eq!(groups, ["Vantage", "Notify", "Image", "Configuration", "From outside", "Monitoring"]);
    let first = &questions["questions"][0];
    assert_eq!((text(&first["variable"]), text(&first["default"])), ("vantage", "host"));
    assert!(text(&first["description"]).contains("measure what nodes see"));
    Ok(())
}
