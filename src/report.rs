//! The report of `check`, for a person at three in the morning and for a machine.
//!
//! The worst comes first: one line that says what is wrong, then three tables, then for each
//! problem the evidence, the cause, and the commands to type, router by router in the safe order.
//! The exit code is derived from the same list of problems, so that code and text cannot disagree.

pub(crate) mod json;
pub mod one_path;
pub(crate) mod problem;
pub(crate) mod tables;
#[cfg(test)]
pub(crate) mod tests;

use std::{
    collections::{BTreeSet, HashMap},
    fmt::Write as _,
};

pub use json::json;
use problem::{Problem, Rank, problems};

use crate::{
    model::{picture::FixStep, state::Present},
    work,
};

const RED: &str = "31";
const YELLOW: &str = "33";
const GREEN: &str = "32";

/// The exit code of `check`, and why. 1 for any path that is unreachable, blackholed or lossy, and
/// any tunnel that is down, half, ambiguous or has a mismatch. 2, only if none of these, for an
/// unknown path, a router that was not read, a half whose other end is on no router that is read,
/// or an empty configuration. Else 0.
#[must_use]
pub fn exit_code(present: &Present) -> (u8, String) {
    verdict(present, &problems(present))
}

/// What an exit code means.
#[must_use]
pub fn exit_code_in_words(code: u8) -> &'static str {
    match code {
        0 => "all is well",
        1 => "something is wrong",
        _ => "something could not be found out",
    }
}

pub(crate) fn verdict(present: &Present, problems: &[Problem]) -> (u8, String) {
    let reason =
        |code: u8| together(problems.iter().filter(|problem| problem.rank.exit_code() == code)).join("; ");
    if problems.iter().any(|problem| problem.rank.exit_code() == 1) {
        // What could not be checked may matter too, so it follows after what is wrong.
        let unknown = reason(2);
        return (1, if unknown.is_empty() { reason(1) } else { format!("{}; {unknown}", reason(1)) });
    }
    if problems.iter().any(|problem| problem.rank.exit_code() == 2) {
        return (2, reason(2));
    }
    if present.routers.is_empty() && present.paths.is_empty() {
        return (2, "nothing configured: no routers and no paths".to_owned());
    }
    if present.overlay.tunnels.is_empty() && present.paths.is_empty() {
        let routers = count(present.routers.len(), "router");
        return (
            2,
            format!("nothing to judge: {routers} read, no vxlan tunnel found, and no path configured"),
        );
    }
    let reduced = problems.iter().filter(|problem| problem.rank == Rank::Reduced).count();
    let parts = [
        (present.routers.len(), "router", "read"),
        (present.overlay.tunnels.len(), "tunnel", "without a fault"),
        (present.paths.len() - reduced, "path", "ok"),
        (reduced, "path", "reduced"),
    ];
    let parts = parts.into_iter().filter(|(number, ..)| *number > 0);
    let said: Vec<_> = parts.map(|(number, noun, how)| format!("{} {how}", count(number, noun))).collect();
    let calm = if reduced > 0 { ": hosts are told to send less, nothing hangs" } else { "" };
    (0, format!("{}{calm}", said.join(", ")))
}

/// One headline for all items with the same problem.
fn together<'p>(problems: impl Iterator<Item = &'p Problem>) -> Vec<String> {
    let mut alike: Vec<(&Problem, Vec<&str>)> = Vec::new();
    let mut places = HashMap::new();
    for problem in work::each(problems) {
        let place = *places.entry((problem.kind, &problem.what)).or_insert(alike.len());
        match alike.get_mut(place) {
            Some((_, names)) => names.push(&problem.name),
            None => alike.push((problem, vec![&problem.name])),
        }
    }
    let headline = |(problem, names): (&Problem, Vec<&str>)| match names.as_slice() {
        [_] => problem.headline(),
        names => format!("{}s {}: {}", problem.kind, listed(names), problem.what),
    };
    alike.into_iter().map(headline).collect()
}

/// `a, b and c`; of many, the first ones.
fn listed(names: &[&str]) -> String {
    const MOST: usize = 5;
    match names {
        [] => String::new(),
        [name] => (*name).to_owned(),
        [first @ .., last] if names.len() <= MOST => format!("{} and {last}", first.join(", ")),
        _ => format!("{} and {} more", names[..MOST].join(", "), names.len() - MOST),
    }
}

/// `1 path`, `2 paths`.
#[must_use]
pub fn count(number: impl TryInto<u64>, noun: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    let ending = match noun.ends_with('o') {
        _ if number == 1 => "",
        true => "es",
        false => "s",
    };
    format!("{number} {noun}{ending}")
}

/// Whether the report is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// With ANSI colours.
    Colored,
    /// Without.
    Plain,
}

impl Paint {
    fn paint(self, code: &str, text: &str) -> String {
        match self {
            Self::Colored => format!("\x1b[1;{code}m{text}\x1b[0m"),
            Self::Plain => text.to_owned(),
        }
    }

    /// `OK: …`, `PROBLEM: …` or `UNKNOWN: …`, by exit code.
    fn headline(self, out: &mut String, code: u8, reason: &str, width: usize) {
        let (word, hue) = match code {
            0 => ("OK", GREEN),
            1 => ("PROBLEM", RED),
            _ => ("UNKNOWN", YELLOW),
        };
        let mut line = String::new();
        wrap(&mut line, "", &format!("{word}: {reason}"), width);
        out.push_str(&line.replacen(word, &self.paint(hue, word), 1));
    }
}

/// The report for a terminal `width` columns wide. Commands are never wrapped.
#[must_use]
pub fn text(present: &Present, width: usize, paint: Paint) -> String {
    let problems = problems(present);
    let (code, reason) = verdict(present, &problems);
    let mut out = String::new();
    paint.headline(&mut out, code, &reason, width);
    let tables =
        [tables::routers(present), tables::tunnels(present), tables::legs(present), tables::paths(present)];
    for mut table in tables.into_iter().flatten() {
        table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
        let _ = write!(out, "\n{}\n", table.trim_fmt());
    }
    let mut said = AlreadySaid::default();
    for problem in problems.iter().filter(|problem| problem.tells_more()) {
        let hue = match problem.rank.exit_code() {
            1 => RED,
            _ => YELLOW,
        };
        out.push('\n');
        let mut headline = String::new();
        wrap(&mut headline, "", &problem.headline(), width);
        let _ = writeln!(out, "{}", paint.paint(hue, headline.trim_end()));
        said.seen(&mut out, problem, width);
        said.cause(&mut out, problem, width);
        commands(&mut out, &problem.fix, &mut said.commands);
    }
    out
}

/// What earlier problems have already shown, so that nothing is repeated.
#[derive(Default)]
struct AlreadySaid<'p> {
    /// By evidence without counts.
    evidence: HashMap<Vec<String>, &'p Problem>,
    causes: BTreeSet<&'p str>,
    commands: BTreeSet<&'p FixStep>,
}

impl<'p> AlreadySaid<'p> {
    fn seen(&mut self, out: &mut String, problem: &'p Problem, width: usize) {
        let seen: Vec<_> = work::each(&problem.evidence).map(|line| without_counts(line)).collect();
        if let Some(earlier) = self.evidence.get(&seen).filter(|_| !seen.is_empty()) {
            let _ = writeln!(out, "  seen: as on {} {}", earlier.kind, earlier.name);
        } else {
            self.evidence.insert(seen, problem);
            section(out, "seen", &problem.evidence, width);
        }
    }

    fn cause(&mut self, out: &mut String, problem: &'p Problem, width: usize) {
        let known = problem.cause.iter().all(|cause| self.causes.contains(cause.as_str()));
        if known && !problem.cause.is_empty() {
            out.push_str("  cause: named above\n");
        } else {
            section(out, "cause", &problem.cause, width);
        }
        self.causes.extend(problem.cause.iter().map(String::as_str));
    }
}

/// A sentence of evidence without the counts in parentheses: `(40 pairs …)`.
fn without_counts(line: &str) -> String {
    let mut parts = line.split('(');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |said, part| match part.split_once(')') {
        Some((counts, rest)) if counts.starts_with(|first: char| first.is_ascii_digit()) => said + rest,
        _ => said + "(" + part,
    })
}

fn section(out: &mut String, title: &str, lines: &[String], width: usize) {
    if !lines.is_empty() {
        let _ = writeln!(out, "  {title}:");
    }
    for line in lines {
        wrap(out, "    - ", line, width);
    }
}

/// The commands by router; those shown for an earlier problem are not repeated.
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

/// Wraps text at the width; lines after the first are indented to the text.
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
