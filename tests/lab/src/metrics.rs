//! The exporter's /metrics as tests read it: series by name and labels, each with its original
//! line, so that a failure can show what was really reported.

use std::collections::BTreeMap;

/// Labels with a fixed set of values, all of which are exported.
const SETS: &[&str] = &["verdict", "reason", "result", "field"];

/// One scrape.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    series: Vec<Series>,
}

/// One series of a scrape.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Family name, including `_total`, `_bucket` and the like.
    pub name: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Value.
    pub value: f64,
    /// The line without its value.
    pub key: String,
}

impl Series {
    /// Reads a line of the text format.
    pub fn parse(line: &str) -> Option<Self> {
        let (key, value) = line.rsplit_once(' ')?;
        let value = value.parse().ok()?;
        let (name, mut rest) = key.split_once('{').unwrap_or((key, ""));
        let mut labels = BTreeMap::new();
        while let Some((label, after)) = rest.split_once("=\"") {
            let mut text = String::new();
            let mut chars = after.char_indices();
            let end = loop {
                match chars.next()? {
                    (at, '"') => break at,
                    (_, '\\') => match chars.next()?.1 {
                        'n' => text.push('\n'),
                        other => text.push(other),
                    },
                    (_, other) => text.push(other),
                }
            };
            labels.insert(label.trim_start_matches(',').to_owned(), text);
            rest = &after[end + 1..];
        }
        Some(Self { name: name.to_owned(), labels, value, key: key.to_owned() })
    }

    /// Whether it has all these labels.
    pub fn has(&self, labels: &[(&str, &str)]) -> bool {
        labels.iter().all(|(label, value)| self.labels.get(*label).is_some_and(|known| known == value))
    }
}

impl Metrics {
    /// Parses the text format; comments and malformed lines are left out.
    pub fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        Self { series: lines.filter_map(Series::parse).collect() }
    }

    /// All series of a family that have these labels.
    pub fn all<'a>(&'a self, name: &'a str, labels: &'a [(&str, &str)]) -> impl Iterator<Item = &'a Series> {
        self.series.iter().filter(move |series| series.name == name && series.has(labels))
    }

    /// The value of the single series with that name and these labels; `None` if there is none or
    /// more than one.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let mut found = self.all(name, labels);
        let first = found.next()?.value;
        found.next().is_none().then_some(first)
    }

    /// The values of a label for which a family of 0s and 1s is 1.
    pub fn set(&self, name: &str, labels: &[(&str, &str)], label: &str) -> Vec<String> {
        let mut set: Vec<String> = self
            .all(name, labels)
            .filter(|series| series.value > 0.0)
            .filter_map(|series| series.labels.get(label).cloned())
            .collect();
        set.sort();
        set
    }

    /// The lines about a path, tunnel or router.
    pub fn about(&self, label: &str, value: &str) -> String {
        let lines = self.series.iter().filter(|series| series.has(&[(label, value)]));
        let lines = lines.filter(|series| !series.name.ends_with("_bucket"));
        // Of families with one series for each value of a set, those at 0 are left out.
        let lines = lines.filter(|series| {
            series.value > 0.0 || series.labels.keys().all(|key| !SETS.contains(&key.as_str()))
        });
        lines.map(|series| format!("    {} {}", series.key, series.value)).collect::<Vec<_>>().join("\n")
    }

    /// Series of these families that differ: key, value before, value after.
    pub fn changes(
        before: &Self,
        after: &Self,
        families: &[&str],
    ) -> Vec<(String, Option<f64>, Option<f64>)> {
        let keyed = |metrics: &Self| -> BTreeMap<String, f64> {
            let wanted = metrics.series.iter().filter(|series| families.contains(&series.name.as_str()));
            wanted.map(|series| (series.key.clone(), series.value)).collect()
        };
        let (before, after) = (keyed(before), keyed(after));
        let mut keys: Vec<&String> = before.keys().chain(after.keys()).collect();
        keys.sort();
        keys.dedup();
        keys.into_iter()
            .map(|key| (key.clone(), before.get(key).copied(), after.get(key).copied()))
            .filter(|(_, before, after)| before != after)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_text_format() {
        let metrics = Metrics::parse(
            "# HELP a b\na 1\nb{x=\"1\",y=\"say \\\"a,b\\\" {}\"} 2.5\nb{x=\"2\",y=\"\"} 0\nc{le=\"+Inf\"} 1e3\n",
        );
        assert_eq!(metrics.value("a", &[]), Some(1.0));
        assert_eq!(metrics.value("b", &[("y", "say \"a,b\" {}")]), Some(2.5));
        assert_eq!(metrics.value("b", &[]), None, "two series");
        assert_eq!(metrics.set("b", &[], "x"), ["1"]);
        assert_eq!(metrics.value("c", &[("le", "+Inf")]), Some(1000.0));
    }
}
