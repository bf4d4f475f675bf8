//! Changes each comparison, threshold, label matcher and `for` of the rules, one at a time. The
//! unit tests must notice every change: what they do not notice is not tested.

use std::{env, time::Instant};

use anyhow::{Result, ensure};

use super::{
    promtool::Bench,
    rules::{self, Rule, RuleFile},
};

/// A rule with one change, and a description of the change.
struct Mutant {
    rule: Rule,
    change: String,
}

/// Fails with the list of the mutants that no test notices. `MUTANTS_OF=Unheard,Reassembly` in the
/// environment takes only rules whose name contains one of these words.
pub fn kill_all() -> Result<()> {
    let began = Instant::now();
    let mut files = rules::load()?;
    for rule in files.iter_mut().flat_map(|file| &mut file.groups).flat_map(|group| &mut group.rules) {
        // The queries of annotations are most of the work, and no mutant is in them.
        rule.annotations.clear();
    }
    let bench = Bench::new(&files)?;
    let mut tests = Vec::new();
    for test in bench.tests.iter().filter(|test| *test != "day.yml") {
        if !bench.text(test)?.contains("exp_annotations:") {
            tests.push(test);
        }
    }
    for test in &tests {
        let (passes, said) = bench.test(test)?;
        ensure!(passes, "the rules as they are fail {test}: {said}");
    }
    let only = env::var("MUTANTS_OF").unwrap_or_default();
    let wanted = |rule: &Rule| only.split(',').any(|word| rule.name().contains(word));
    let mut survivors = Vec::new();
    let mut count = 0;
    for file in &files {
        for (group, rule, mutant) in mutants_of(file)? {
            if !wanted(&mutant.rule) {
                continue;
            }
            count += 1;
            let mut changed = file.clone();
            changed.groups[group].rules[rule] = mutant.rule.clone();
            bench.put(&changed)?;
            if !is_noticed(&bench, &tests, &mutant.rule)? {
                survivors.push(format!("{} {}: {}", file.name, mutant.rule.name(), mutant.change));
            }
        }
        bench.put(file)?;
    }
    println!("{count} mutants in {:.0} s, {} of them alive", began.elapsed().as_secs_f64(), survivors.len());
    ensure!(count > 100 || !only.is_empty(), "only {count} mutants: the rules are not understood");
    ensure!(survivors.is_empty(), "no test notices:\n{}", survivors.join("\n"));
    Ok(())
}

/// Whether a test fails; those that name the rule are tried first.
fn is_noticed(bench: &Bench, tests: &[&String], rule: &Rule) -> Result<bool> {
    let mut order = Vec::new();
    for test in tests {
        let names_it = bench.text(test)?.contains(rule.name());
        order.push((!names_it, *test));
    }
    order.sort();
    for (_, test) in order {
        if !bench.test(test)?.0 {
            return Ok(true);
        }
    }
    Ok(false)
}

fn mutants_of(file: &RuleFile) -> Result<Vec<(usize, usize, Mutant)>> {
    let mut found = Vec::new();
    for (g, group) in file.groups.iter().enumerate() {
        for (r, rule) in group.rules.iter().enumerate() {
            for (change, expr) in expressions(&rule.expr) {
                let parsed = promql_parser::parser::parse(&expr);
                ensure!(parsed.is_ok(), "{}: {change} is no expression: {expr}", rule.name());
                found.push((g, r, Mutant { rule: Rule { expr, ..rule.clone() }, change }));
            }
            let wait = rule.wait_seconds()?;
            if wait > 0 {
                for wait in [wait / 2, wait * 2] {
                    let change = format!("for: {wait}s");
                    let rule = Rule { wait: Some(format!("{wait}s")), ..rule.clone() };
                    found.push((g, r, Mutant { rule, change }));
                }
            }
        }
    }
    Ok(found)
}

/// Each change of an expression: its description, and the changed expression.
fn expressions(expr: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut put = |range: std::ops::Range<usize>, with: &str| {
        let changed = format!("{}{with}{}", &expr[..range.start], &expr[range.end..]);
        let line = expr[..range.start].matches('\n').count() + 1;
        found.push((format!("line {line}: `{}` -> `{with}`", &expr[range.clone()]), changed));
    };
    // promtool 2.42 cannot make native histograms: the lab's Prometheus tries what reads them.
    let end = expr.find("(rate(vxlan_path_rtt_seconds[").unwrap_or(expr.len());
    let mut at = 0;
    while at < end {
        let rest = &expr[at..];
        if let Some(selector) = rest.strip_prefix('{') {
            let end = at + 1 + selector.find('}').unwrap_or(selector.len());
            for (range, with) in matchers(expr, at + 1..end) {
                put(range, &with);
            }
            at = end + 1;
        } else if let Some(text) = rest.strip_prefix('"') {
            at += 2 + text.find('"').unwrap_or(text.len());
        } else if let Some(range) = rest.strip_prefix('[') {
            at += 2 + range.find(']').unwrap_or(range.len());
        } else if let Some((operator, others)) = COMPARISONS.iter().find(|(op, _)| rest.starts_with(op)) {
            for other in *others {
                put(at..at + operator.len(), other);
            }
            at += operator.len();
        } else if rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            let word = |c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':');
            at += rest.find(word).unwrap_or(rest.len());
        } else if rest.starts_with(|c: char| c.is_ascii_digit()) {
            let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.')).unwrap_or(rest.len());
            // An argument of a function, or a duration, is not a threshold.
            let argument = expr[..at].ends_with('(');
            if let Some(number) = rest[..length].parse::<f64>().ok().filter(|_| !argument) {
                let step = if number.abs() >= 1.0 || number == 0.0 { 1.0 } else { number / 10.0 };
                for other in [number - step, number + step] {
                    put(at..at + length, &other.to_string());
                }
            }
            at += length;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    found
}

/// Longer operators first.
const COMPARISONS: &[(&str, &[&str])] = &[
    ("==", &["!="]),
    ("!=", &["=="]),
    (">=", &[">", "<"]),
    ("<=", &["<", ">"]),
    (">", &[">=", "<"]),
    ("<", &["<=", ">"]),
];

/// Each matcher inverted and left out, and each alternative of a pattern left out.
fn matchers(expr: &str, selector: std::ops::Range<usize>) -> Vec<(std::ops::Range<usize>, String)> {
    let mut found = Vec::new();
    let mut at = selector.start;
    for matcher in expr[selector].split_inclusive("\",") {
        let range = at..at + matcher.len();
        at = range.end;
        let label = matcher.find(['=', '!']).unwrap_or(matcher.len());
        let value = matcher.find('"').unwrap_or(matcher.len());
        let turned = match &matcher[label..value] {
            "=" => "!=",
            "!=" => "=",
            "=~" => "!~",
            _ => "=~",
        };
        found.push((range.clone(), String::new()));
        found.push((range.clone(), format!("{}{turned}{}", &matcher[..label], &matcher[value..])));
        let pattern = matcher[value..].trim_matches(['"', ',']);
        let alternatives: Vec<_> = pattern.split('|').collect();
        for left_out in alternatives.iter().filter(|_| alternatives.len() > 1) {
            let kept: Vec<_> = alternatives.iter().filter(|it| *it != left_out).copied().collect();
            found.push((range.clone(), matcher.replace(pattern, &kept.join("|"))));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::expressions;

    #[test]
    fn each_place_is_changed() {
        let expr = "max by (a1) (m{x=\"1\",y!~\"b|c\"}[5m]) >= 0.5 and quantile_over_time(0.5, r:m2[1d:5m] offset 1h) == 0";
        let changed: Vec<_> = expressions(expr).into_iter().map(|(change, _)| change).collect();
        insta::assert_yaml_snapshot!(changed);
    }
}
