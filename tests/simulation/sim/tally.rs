//! Counts over many networks, and the tables made from them.

use std::{collections::BTreeMap, fmt::Write, time::Duration};

use super::judge::{Noticed, Outcome, Wrong};

/// Counts of one class.
#[derive(Debug, Default)]
pub struct Row {
    networks: u64,
    wrongs: BTreeMap<Wrong, u64>,
    changes: u64,
    still: Duration,
    unknown: Duration,
}

/// Counts of all classes.
#[derive(Debug, Default)]
pub struct Tally {
    rows: BTreeMap<&'static str, Row>,
    found: Vec<Noticed>,
    cleared: Vec<Noticed>,
}

impl Tally {
    /// Counts one network.
    pub fn add(&mut self, class: &'static str, outcome: &Outcome) {
        let row = self.rows.entry(class).or_default();
        row.networks += 1;
        for wrong in outcome.wrongs.keys() {
            *row.wrongs.entry(*wrong).or_default() += 1;
        }
        row.changes += u64::from(outcome.changes);
        row.still += outcome.still;
        row.unknown = row.unknown.max(outcome.unknown);
        self.found.extend(&outcome.found);
        self.cleared.extend(&outcome.cleared);
    }

    /// Adds the counts of another tally.
    pub fn merge(&mut self, other: Self) {
        for (class, row) in other.rows {
            let ours = self.rows.entry(class).or_default();
            ours.networks += row.networks;
            for (wrong, count) in row.wrongs {
                *ours.wrongs.entry(wrong).or_default() += count;
            }
            ours.changes += row.changes;
            ours.still += row.still;
            ours.unknown = ours.unknown.max(row.unknown);
        }
        self.found.extend(other.found);
        self.cleared.extend(other.cleared);
    }

    /// Results by class, as a table in Markdown.
    pub fn outcomes(&self) -> String {
        let mut text = String::from(
            "| networks | count | false hole | missed hole | wrong MTU | false unreachable | unknown > 60 s | \
             wrong verdict | changes per hour | longest unknown |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
        );
        for (class, row) in &self.rows {
            let count = |wrong| row.wrongs.get(&wrong).copied().unwrap_or_default();
            let hours = row.still.as_secs_f64() / 3600.0;
            let changes = if hours > 0.0 {
                f64::from(u32::try_from(row.changes).unwrap_or(u32::MAX)) / hours
            } else {
                0.0
            };
            let _ = writeln!(
                text,
                "| {class} | {} | {} | {} | {} | {} | {} | {} | {changes:.2} | {:.1} s |",
                row.networks,
                count(Wrong::FalseHole),
                count(Wrong::MissedHole),
                count(Wrong::Mtu),
                count(Wrong::Unreachable),
                count(Wrong::Unknown),
                count(Wrong::Verdict),
                row.unknown.as_secs_f64(),
            );
        }
        text
    }

    /// How soon changes are noticed, by loss, as a table in Markdown.
    pub fn delays(&self) -> String {
        let mut text = String::from(
            "| change | worst loss of a way | count | median | p99 | median packets | p99 packets |\n\
             |---|---|--:|--:|--:|--:|--:|\n",
        );
        let bands = [
            ("none", -1.0, 0.0),
            ("up to 10 %", 0.0, 0.1),
            ("up to 20 %", 0.1, 0.2),
            ("up to 30 %", 0.2, 1.0),
        ];
        for (what, all) in [("a hole comes", &self.found), ("a hole goes", &self.cleared)] {
            for (band, above, to) in bands {
                let inside: Vec<&Noticed> =
                    all.iter().filter(|one| above < one.loss && one.loss <= to).collect();
                if inside.is_empty() {
                    continue;
                }
                let mut seconds: Vec<f64> = inside.iter().map(|one| one.seconds).collect();
                let mut packets: Vec<u64> = inside.iter().map(|one| one.packets).collect();
                seconds.sort_by(f64::total_cmp);
                packets.sort_unstable();
                let (half, most) = (inside.len() / 2, (inside.len() * 99 / 100).min(inside.len() - 1));
                let _ = writeln!(
                    text,
                    "| {what} | {band} | {} | {:.1} s | {:.1} s | {} | {} |",
                    inside.len(),
                    seconds[half],
                    seconds[most],
                    packets[half],
                    packets[most],
                );
            }
        }
        text
    }
}
