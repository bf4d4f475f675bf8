//! The rule files as data.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

/// The directory of the rule files.
pub fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("alerts")
}

/// A rule file. Keys that Prometheus 2.38 does not know, such as `keep_firing_for`, are errors
/// here.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RuleFile {
    pub groups: Vec<Group>,
    #[serde(skip)]
    pub name: String,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    pub name: String,
    pub rules: Vec<Rule>,
}

/// A recording rule or an alert.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<String>,
    pub expr: String,
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub wait: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Rule {
    pub fn name(&self) -> &str {
        self.alert.as_deref().or(self.record.as_deref()).unwrap_or_default()
    }

    /// `for` in seconds.
    pub fn wait_seconds(&self) -> Result<u64> {
        let Some(wait) = &self.wait else { return Ok(0) };
        let (number, unit) = wait.split_at(wait.len() - 1);
        let unit = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => anyhow::bail!("{}: `for: {wait}` has a unit that is not s, m or h", self.name()),
        };
        Ok(number.parse::<u64>().with_context(|| format!("{}: `for: {wait}`", self.name()))? * unit)
    }
}

impl RuleFile {
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.groups.iter().flat_map(|group| &group.rules)
    }

    pub fn alerts(&self) -> impl Iterator<Item = &Rule> {
        self.rules().filter(|rule| rule.alert.is_some())
    }
}

/// The names of the YAML files in a directory, sorted.
pub fn yaml_files(directory: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(directory).with_context(|| directory.display().to_string())?;
    let mut names = entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .filter(|name| name.as_ref().is_ok_and(|name| Path::new(name).extension() == Some("yml".as_ref())))
        .collect::<Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

/// All rule files.
pub fn load() -> Result<Vec<RuleFile>> {
    yaml_files(&directory())?
        .into_iter()
        .map(|name| {
            let path = directory().join(&name);
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            let file: RuleFile = serde_yaml::from_str(&text).with_context(|| path.display().to_string())?;
            Ok(RuleFile { name, ..file })
        })
        .collect()
}
