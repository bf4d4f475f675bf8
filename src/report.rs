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
mod wrapping;

use std::{
    collections::{BTreeSet, HashMap},
    fmt::Write as _,
};

pub use json::json;
use problem::{Problem, Rank, problems};

use crate::{
    language::{Between, Said, say},
    model::{
        picture::FixStep,
        state::Present,
        words::number::{paths, routers, tunnels},
    },
    vendor::Vyos,
    work,
};
use wrapping::wrap;

const RED: &str = "31";
const YELLOW: &str = "33";
const GREEN: &str = "32";

/// The exit code of `check`, and why. 1 for any path that is unreachable, blackholed or lossy, and
/// any tunnel that is down, half, ambiguous or has a mismatch. 2, only if none of these, for an
/// unknown path, a router that was not read, a half whose other end is on no router that is read,
/// or an empty configuration. Else 0.
#[must_use]
pub fn exit_code(present: &Present) -> (u8, Said) {
    let (code, reasons) = verdict(present, &problems(present));
    (code, Said::joined(reasons, Between::Semicolon))
}

/// What an exit code means.
#[must_use]
pub fn exit_code_in_words(code: u8) -> Said {
    match code {
        0 => say!("all is well"),
        1 => say!("something is wrong"),
        _ => say!("something could not be found out"),
    }
}

/// The last line on stderr.
#[must_use]
pub fn exit_code_line(code: u8, why: &str) -> String {
    say!("exit code {code}: {why}", code, why).localized()
}

/// The exit code, and each reason for it.
pub(crate) fn verdict(present: &Present, problems: &[Problem]) -> (u8, Vec<Said>) {
    let reasons = |code: u8| together(problems.iter().filter(|problem| problem.rank.exit_code() == code));
    if problems.iter().any(|problem| problem.rank.exit_code() == 1) {
        // What could not be checked may matter too, so it follows after what is wrong.
        return (1, [reasons(1), reasons(2)].concat());
    }
    if problems.iter().any(|problem| problem.rank.exit_code() == 2) {
        return (2, reasons(2));
    }
    if present.routers.is_empty() && present.paths.is_empty() {
        return (2, vec![say!("nothing configured: no routers and no paths")]);
    }
    if present.overlay.tunnels.is_empty() && present.paths.is_empty() {
        let nothing = say!(
            "nothing to judge: {routers} read, no vxlan tunnel found, and no path configured",
            routers => routers(present.routers.len())
        );
        return (2, vec![nothing]);
    }
    let reduced = problems.iter().filter(|problem| problem.rank == Rank::Reduced).count();
    let (read, joined, ok) =
        (present.routers.len(), present.overlay.tunnels.len(), present.paths.len() - reduced);
    let parts = [
        (read > 0).then(|| say!("{routers} read", routers => routers(read))),
        (joined > 0).then(|| say!("{tunnels} without a fault", tunnels => tunnels(joined))),
        (ok > 0).then(|| say!("{paths} ok", paths => paths(ok))),
        (reduced > 0).then(|| say!("{paths} reduced", paths => paths(reduced))),
    ];
    let said = Said::joined(parts.into_iter().flatten(), Between::Comma);
    if reduced == 0 {
        return (0, vec![said]);
    }
    (0, vec![say!("{counts}: hosts are told to send less, nothing hangs", counts => said)])
}

/// One headline for all items with the same problem.
fn together<'p>(problems: impl Iterator<Item = &'p Problem>) -> Vec<Said> {
    let mut alike: Vec<(&Problem, Vec<&str>)> = Vec::new();
    let mut places = HashMap::new();
    for problem in work::each(problems) {
        let place = *places.entry((problem.kind, &problem.what)).or_insert(alike.len());
        match alike.get_mut(place) {
            Some((_, names)) => names.push(&problem.name),
            None => alike.push((problem, vec![&problem.name])),
        }
    }
    let headline = |(problem, names): (&Problem, Vec<&str>)| {
        if names.len() == 1 {
            return problem.headline();
        }
        let (names, what) = (listed(&names), problem.what.clone());
        match problem.kind {
            "path" => say!("paths {names}: {what}", names => names, what => what),
            "tunnel" => say!("tunnels {names}: {what}", names => names, what => what),
            _ => say!("routers {names}: {what}", names => names, what => what),
        }
    };
    alike.into_iter().map(headline).collect()
}

/// `a, b and c`; of many, the first ones.
fn listed(names: &[&str]) -> Said {
    const MOST: usize = 5;
    let said = |names: &[&str]| {
        Said::joined(names.iter().map(|name| Said::verbatim((*name).to_owned())), Between::Comma)
    };
    match names {
        [first @ .., last] if !first.is_empty() && names.len() <= MOST => {
            Said::joined([said(first), said(&[last])], Between::And)
        }
        few if few.len() <= MOST => said(few),
        many => say!("{names} and {more} more", names => said(&many[..MOST]), more = many.len() - MOST),
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
    fn headline(self, out: &mut String, code: u8, reason: &Said, width: usize) {
        let (word, hue) = match code {
            0 => (say!("OK"), GREEN),
            1 => (say!("PROBLEM"), RED),
            _ => (say!("UNKNOWN"), YELLOW),
        };
        let word = word.localized();
        let mut line = String::new();
        wrap(&mut line, "", &format!("{word}: {}", reason.localized()), width);
        out.push_str(&line.replacen(&word, &self.paint(hue, &word), 1));
    }
}

/// The report for a terminal `width` columns wide. Commands are never wrapped.
#[must_use]
pub fn text(present: &Present, width: usize, paint: Paint) -> String {
    let problems = problems(present);
    let (code, reasons) = verdict(present, &problems);
    let mut out = String::new();
    paint.headline(&mut out, code, &Said::joined(reasons, Between::Semicolon), width);
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
        wrap(&mut headline, "", &problem.headline().localized(), width);
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
    causes: BTreeSet<&'p Said>,
    commands: BTreeSet<&'p FixStep>,
}

impl<'p> AlreadySaid<'p> {
    fn seen(&mut self, out: &mut String, problem: &'p Problem, width: usize) {
        let seen: Vec<_> =
            work::each(&problem.evidence).map(|line| without_counts(&line.to_string())).collect();
        if let Some(earlier) = self.evidence.get(&seen).filter(|_| !seen.is_empty()) {
            let _ = writeln!(out, "  {}", as_on(earlier).localized());
        } else {
            self.evidence.insert(seen, problem);
            section(out, &say!("seen:"), &problem.evidence, width);
        }
    }

    fn cause(&mut self, out: &mut String, problem: &'p Problem, width: usize) {
        let known = problem.cause.iter().all(|cause| self.causes.contains(cause));
        if known && !problem.cause.is_empty() {
            let _ = writeln!(out, "  {}", say!("cause: named above").localized());
        } else {
            section(out, &say!("cause:"), &problem.cause, width);
        }
        self.causes.extend(&problem.cause);
    }
}

fn as_on(earlier: &Problem) -> Said {
    let name = &earlier.name;
    match earlier.kind {
        "path" => say!("seen: as on path {name}", name),
        "tunnel" => say!("seen: as on tunnel {name}", name),
        _ => say!("seen: as on router {name}", name),
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

fn section(out: &mut String, title: &Said, lines: &[Said], width: usize) {
    if !lines.is_empty() {
        let _ = writeln!(out, "  {}", title.localized());
    }
    for line in lines {
        wrap(out, "    - ", &line.localized(), width);
    }
}

/// The commands by router; those shown for an earlier problem are not repeated.
fn commands<'p>(out: &mut String, steps: &'p [FixStep], typed: &mut BTreeSet<&'p FixStep>) {
    if steps.is_empty() {
        return;
    }
    if steps.iter().all(|step| typed.contains(step)) {
        let _ = writeln!(out, "  {}", say!("fix: the commands above").localized());
        return;
    }
    typed.extend(steps);
    let is_ordered = steps.iter().any(|step| step.router != steps[0].router);
    let title = if is_ordered { say!("fix, in this order:") } else { say!("fix:") };
    let _ = writeln!(out, "  {}", title.localized());
    for steps in steps.chunk_by(|one, next| one.router == next.router) {
        let on = say!("on {router}", router = steps[0].router);
        let _ = writeln!(out, "    {}:\n      {}", on.localized(), Vyos::BEFORE);
        for step in steps {
            let _ = writeln!(out, "      {}", step.command);
        }
        for command in Vyos::AFTER {
            let _ = writeln!(out, "      {command}");
        }
    }
}
