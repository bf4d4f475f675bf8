//! How many sizes the exporter asks about to find the exact MTU below a hole, as the simulation has
//! counted (`simulate --questions`).

use std::path::Path;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

/// Numbers of sizes, without loss.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Row {
    /// The most for an MTU at which tunnels usually end.
    pub usual: usize,
    /// The median of all MTUs.
    pub median: usize,
    /// The most for any MTU.
    pub worst: usize,
}

/// Reads what the simulation has printed.
pub fn read(file: &Path) -> Result<Row> {
    let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let mut numbers = text.split_whitespace().map(str::parse);
    let mut next = || numbers.next().context("three numbers are expected")?.context("no number");
    Ok(Row { usual: next()?, median: next()?, worst: next()? })
}
