//! What `check` prints for a person at three in the morning, and for a machine.
//!
//! The worst comes first: one line that says what is wrong, then three tables, then for each problem
//! what was seen, why, and the commands to type, router by router in the safe order. The exit code is
//! derived from the same list of problems, so that the code and the words cannot disagree.

mod json;
mod problem;
mod tables;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, fmt::Write as _};

pub use json::json;
use problem::{Problem, Rank, problems};

use crate::{overlay::picture::FixStep, state::Present};

const RED: &str = "31";
const YELLOW: &str = "33";
const GREEN: &str = "32";

/// The exit code of `check`, and why: 1 for any path unreachable, blackholed or lossy, any tunnel
/// down, half, ambiguous or with a mismatch; 2, only if none of these, for a path unknown, a router not
/// read (with the halves that may end on it) or nothing configured; else 0.
#[must_use]
pub fn exit_code(present: &Present) -> (u8, String) {
    verdict(present, &problems(present))
}

fn verdict(present: &Present, problems: &[Problem]) -> (u8, String) {
    let reason = |code: u8| {
        let counts = problems.iter().filter(|problem| problem.rank.exit_code() == code);
        counts.map(Problem::headline).collect::<Vec<_>>().join("; ")
    };
    if problems.iter().any(|problem| problem.rank.exit_code() == 1) {
        // What could not be seen may matter too, so it is said after what is wrong.
        let unknown = reason(2);
        return (1, if unknown.is_empty() { reason(1) } else { format!("{}; {unknown}", reason(1)) });
    }
    if problems.iter().any(|problem| problem.rank.exit_code() == 2) {
        return (2, reason(2));
    }
    if present.routers.is_empty() && present.paths.is_empty() {
        return (2, "nothing configured: no routers and no paths".to_owned());
    }
    let [routers, tunnels, paths] = [
        count(present.routers.len(), "router"),
        count(present.overlay.tunnels.len(), "tunnel"),
        count(present.paths.len(), "path"),
    ];
    let reduced = problems.iter().filter(|problem| problem.rank == Rank::Reduced).count();
    if reduced == 0 {
        return (0, format!("{routers} read, {tunnels} without a fault, {paths} ok"));
    }
    let whole = count(present.paths.len() - reduced, "path");
    (
        0,
        format!(
            "{routers} read, {tunnels} without a fault, {whole} ok, {reduced} reduced: hosts are told to send less, \
             nothing hangs"
        ),
    )
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// The report for a terminal `width` columns wide. Commands are never wrapped.
#[must_use]
pub fn text(present: &Present, width: usize, color: bool) -> String {
    let paint = |code: &str, text: &str| {
        if color { format!("\x1b[1;{code}m{text}\x1b[0m") } else { text.to_owned() }
    };
    let problems = problems(present);
    let (code, reason) = verdict(present, &problems);
    let (word, hue) = match code {
        0 => ("OK", GREEN),
        1 => ("PROBLEM", RED),
        _ => ("UNKNOWN", YELLOW),
    };
    let mut out = String::new();
    wrap(&mut out, "", &format!("{word}: {reason}"), width);
    if color {
        out = out.replacen(word, &paint(hue, word), 1);
    }
    let tables = [tables::routers(present), tables::tunnels(present), tables::paths(present)];
    for mut table in tables.into_iter().flatten() {
        table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
        let _ = write!(out, "\n{}\n", table.trim_fmt());
    }
    let mut typed = BTreeSet::new();
    for problem in &problems {
        let hue = match problem.rank.exit_code() {
            1 => RED,
            _ => YELLOW,
        };
        out.push('\n');
        let start = out.len();
        wrap(&mut out, "", &problem.headline(), width);
        if color {
            let headline = out.split_off(start);
            let _ = writeln!(out, "{}", paint(hue, headline.trim_end()));
        }
        section(&mut out, "seen", &problem.evidence, width);
        section(&mut out, "cause", &problem.cause, width);
        commands(&mut out, &problem.fix, &mut typed);
    }
    out
}

fn section(out: &mut String, title: &str, lines: &[String], width: usize) {
    if !lines.is_empty() {
        let _ = writeln!(out, "  {title}:");
    }
    for line in lines {
        wrap(out, "    - ", line, width);
    }
}

/// The commands by router; those that an earlier problem has shown are not typed twice.
fn commands<'p>(out: &mut String, steps: &'p [FixStep], typed: &mut BTreeSet<&'p FixStep>) {
    if steps.is_empty() {
        return;
    }
    if steps.iter().all(|step| typed.contains(step)) {
        out.push_str("  fix: the commands above\n");
        return;
    }
    typed.extend(steps);
    let order = if steps.iter().any(|step| step.router != steps[0].router) { ", in this order" } else { "" };
    let _ = writeln!(out, "  fix{order}:");
    for steps in steps.chunk_by(|one, next| one.router == next.router) {
        let _ = writeln!(out, "    on {}:\n      configure", steps[0].router);
        for step in steps {
            let _ = writeln!(out, "      {}", step.command);
        }
        out.push_str("      commit\n      save\n");
    }
}

/// Writes words up to the width; lines after the first are indented below the text.
fn wrap(out: &mut String, bullet: &str, text: &str, width: usize) {
    let indent = bullet.chars().count();
    let room = width.max(indent + 20);
    out.push_str(bullet);
    let mut column = indent;
    for (index, word) in text.split_whitespace().enumerate() {
        let length = word.chars().count();
        if index > 0 && column + 1 + length > room {
            let _ = write!(out, "\n{:indent$}", "");
            column = indent;
        } else if index > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out.push('\n');
}
