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

/// Japanese has no spaces between words, and a line break is shown as one: a sentence stays on its
/// line. And the words that Japanese network engineers use.
#[test]
fn the_japanese_page_reads_as_japanese() -> Result<()> {
    let page = fs::read_to_string(project("docs/rancher.ja.md"))?;
    let japanese = |letter: char| ('\u{3000}'..='\u{9fff}').contains(&letter);
    let mut before = "";
    let mut fenced = false;
    for line in page.lines() {
        fenced ^= line.starts_with("```");
        let is_text = !fenced && !line.is_empty() && !line.starts_with("    ");
        let text = line.trim_start();
        let begins = text.starts_with(['#', '|', '!', '`']) && !text.starts_with("`v")
            || text.starts_with("- ")
            || text.split_once(". ").is_some_and(|(number, _)| number.parse::<u8>().is_ok());
        let broken = is_text && !begins && before.ends_with(japanese);
        ensure!(!broken, "broken line: {before}\n{line}");
        before = if is_text && !line.starts_with(['#', '|']) { line } else { "" };
    }
    for word in ["穴", "*見えるもの*", "ルータを読む", "ルータが読め", "のうち 1454"] {
        ensure!(!page.contains(word), "{word}");
    }
    for word in ["ブラックホール", "*確認ポイント*", "情報を取得する", "期待値 1500 に対し 1454"]
    {
        ensure!(page.contains(word), "no {word}");
    }
    Ok(())
}
