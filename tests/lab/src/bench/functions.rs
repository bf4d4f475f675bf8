//! What criterion has measured (`cargo bench`), from its files.

use std::{fs, path::Path};

use serde::{Deserialize, Serialize};

/// One function.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Row {
    /// Its name in the benchmark.
    pub name: String,
    /// Median in nanoseconds.
    pub nanos: f64,
}

/// Reads target/criterion; nothing if the benchmark has not run.
pub fn read(directory: &Path) -> Vec<Row> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut rows: Vec<Row> = entries
        .filter_map(|entry| {
            let text = fs::read_to_string(entry.path().join("new/estimates.json")).ok()?;
            let estimates: serde_json::Value = serde_json::from_str(&text).ok()?;
            let nanos = estimates["median"]["point_estimate"].as_f64()?;
            let title = fs::read_to_string(entry.path().join("new/benchmark.json")).ok()?;
            let title: serde_json::Value = serde_json::from_str(&title).ok()?;
            Some(Row { name: title["full_id"].as_str()?.to_owned(), nanos })
        })
        .collect();
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    rows
}
