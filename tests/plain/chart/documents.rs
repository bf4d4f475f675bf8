//! The values in docs/rancher.md and its translation: what a reader copies must be accepted.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{
    exporter,
    helm::{project, template},
};

/// The fenced YAML of a page. These are values of the chart, except blocks that begin with a
/// comment naming `config.yml`.
fn snippets(page: &str) -> Result<Vec<Value>> {
    let text = fs::read_to_string(project(page))?;
    let mut found = Vec::new();
    for block in text.split("```yaml\n").skip(1) {
        let (block, _) = block.split_once("```").context("a block without an end")?;
        let parsed: Value = serde_yaml::from_str(block).with_context(|| format!("{page}:\n{block}"))?;
        let is_config = block.starts_with("# config.yml");
        found.push(if is_config { json!({ "configText": serde_yaml::to_string(&parsed)? }) } else { parsed });
    }
    Ok(found)
}

/// Accepted by helm, and the configuration in them by the exporter.
#[test]
fn the_values_of_the_documents_are_taken() -> Result<()> {
    let snippets = snippets("docs/rancher.md")?;
    ensure!(snippets.len() >= 8, "{snippets:#?}");
    for mut values in snippets {
        let given = values.as_object_mut().context("values are a map")?;
        given.entry("image").or_insert(json!({ "repository": "vxlan_exporter" }));
        if given.contains_key("configText") {
            given.insert("existingSecret".to_owned(), json!("vxlan-exporter-files"));
            given.insert("knownHosts".to_owned(), json!("# a test"));
        }
        let values = serde_yaml::to_string(&values)?;
        let objects = template(&values, &[]).with_context(|| values.clone())?;
        ensure!(exporter::takes(&values, &objects)? > 0, "no configuration from\n{values}");
    }
    Ok(())
}

#[test]
fn both_languages_show_the_same_values() -> Result<()> {
    assert_eq!(snippets("docs/rancher.md")?, snippets("docs/rancher.ja.md")?);
    Ok(())
}
