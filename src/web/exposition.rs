//! From samples to the text format, with the `prometheus` crate, which escapes values.
//!
//! Samples are made from a [`MetricSpec`] of the catalogue, so HELP, TYPE and the names of labels
//! cannot differ from it. Output is sorted by family, then by label values.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use prometheus::{
    TextEncoder,
    proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType},
};

use crate::{
    catalogue::{self, MetricKind, MetricSpec},
    text::visible,
};

/// The samples of one scrape without those of paths, stored as numbers and label values only. What
/// the encoder needs in addition is made for one family at a time.
#[derive(Default)]
pub(crate) struct Exposition {
    families: BTreeMap<&'static str, Samples>,
}

struct Samples {
    family: &'static MetricSpec,
    of: BTreeMap<Box<[Box<str>]>, f64>,
}

impl Exposition {
    /// Adds a sample; `labels` are values in the order of the family's labels.
    pub(crate) fn put(&mut self, family: &'static MetricSpec, labels: &[&str], value: f64) {
        self.insert(family, labels, value);
    }

    /// Adds a sample of 1 or 0.
    pub(crate) fn put_bool(&mut self, family: &'static MetricSpec, labels: &[&str], value: bool) {
        self.put(family, labels, f64::from(u8::from(value)));
    }

    /// Adds a count. Above 2^53 the sample loses its last digits, as Prometheus stores a float.
    pub(crate) fn put_count(&mut self, family: &'static MetricSpec, labels: &[&str], value: u64) {
        #[allow(clippy::cast_precision_loss)]
        self.put(family, labels, value as f64);
    }

    fn insert(&mut self, family: &'static MetricSpec, values: &[&str], sample: f64) {
        debug_assert_eq!(family.labels().len(), values.len(), "labels of {}", family.name());
        let samples =
            self.families.entry(family.name()).or_insert_with(|| Samples { family, of: BTreeMap::new() });
        // A second safeguard: all values already are of checked types.
        let values = values.iter().map(|value| visible(value).into()).collect();
        samples.of.insert(values, sample);
    }

    /// The text format, including families from another collector. Each of these must be in the
    /// catalogue with the same type, and gets its help text from there.
    pub(crate) fn encode(self, foreign: Vec<MetricFamily>) -> Result<String> {
        let mut known = BTreeMap::new();
        for mut made in foreign.into_iter().filter(|made| !made.get_metric().is_empty()) {
            let family = catalogue::find(made.name())
                .with_context(|| format!("{} is not in the catalogue of metrics", made.name()))?;
            ensure!(
                made.get_field_type() == metric_type(family.kind()),
                "{} is not a {} as the catalogue says",
                family.name(),
                family.kind().as_str()
            );
            made.set_help(family.help().to_owned());
            known.insert(family.name(), made);
        }
        let mut text = String::new();
        for (name, samples) in self.families {
            while let Some(before) = known.first_entry().filter(|before| *before.key() < name) {
                TextEncoder::new().encode_utf8(&[before.remove()], &mut text)?;
            }
            known.remove(name);
            TextEncoder::new().encode_utf8(&[samples.into_family()], &mut text)?;
        }
        let rest: Vec<MetricFamily> = known.into_values().collect();
        TextEncoder::new().encode_utf8(&rest, &mut text)?;
        Ok(text)
    }
}

impl Samples {
    fn into_family(self) -> MetricFamily {
        let mut made = MetricFamily::default();
        made.set_name(self.family.name().to_owned());
        made.set_help(self.family.help().to_owned());
        made.set_field_type(metric_type(self.family.kind()));
        let names = self.family.labels();
        let metrics = self.of.into_iter().map(|(values, sample)| {
            let pairs = names.iter().zip(values).map(|(name, value)| {
                let mut pair = LabelPair::default();
                pair.set_name((*name).to_owned());
                pair.set_value(value.into_string());
                pair
            });
            metric(sample, self.family.kind(), pairs.collect())
        });
        made.set_metric(metrics.collect());
        made
    }
}

fn metric(value: f64, kind: MetricKind, labels: Vec<LabelPair>) -> Metric {
    let mut metric = Metric::from_label(labels);
    if kind == MetricKind::Counter {
        let mut counter = Counter::default();
        counter.set_value(value);
        metric.set_counter(counter);
    } else {
        let mut gauge = Gauge::default();
        gauge.set_value(value);
        metric.set_gauge(gauge);
    }
    metric
}

fn metric_type(kind: MetricKind) -> MetricType {
    match kind {
        MetricKind::Counter => MetricType::COUNTER,
        MetricKind::Gauge => MetricType::GAUGE,
        MetricKind::Histogram => MetricType::HISTOGRAM,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign(name: &str, kind: MetricType) -> MetricFamily {
        let mut made = MetricFamily::default();
        made.set_name(name.to_owned());
        made.set_field_type(kind);
        made.set_metric(vec![Metric::default()]);
        made
    }

    #[test]
    fn only_what_the_catalogue_knows_leaves() {
        let refused = |made| Exposition::default().encode(vec![made]).expect_err("refused").to_string();
        assert_eq!(
            refused(foreign("tokio_tasks", MetricType::GAUGE)),
            "tokio_tasks is not in the catalogue of metrics"
        );
        assert_eq!(
            refused(foreign("process_threads", MetricType::COUNTER)),
            "process_threads is not a gauge as the catalogue says"
        );
        let text =
            Exposition::default().encode(vec![foreign("process_threads", MetricType::GAUGE)]).expect("text");
        assert_eq!(
            text,
            "# HELP process_threads Number of OS threads in the process.\n# TYPE process_threads gauge\nprocess_threads 0\n"
        );
    }

    #[test]
    fn sorted_and_escaped() {
        let mut out = Exposition::default();
        out.put_count(&catalogue::PATH_ECHO_LATE, &["b", "x", "y"], u64::MAX);
        out.put_count(&catalogue::PATH_ECHO_LATE, &["a\"\\\n", "x", "y"], 7);
        out.put_bool(&catalogue::CONFIG_RELOAD_SUCCESSFUL, &[], true);
        let text = out.encode(vec![]).expect("text");
        let samples: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            samples,
            [
                "vxlan_exporter_config_last_reload_successful 1",
                r#"vxlan_path_echo_late_total{path="a\"\\␊",target_site="x",source="y"} 7"#,
                r#"vxlan_path_echo_late_total{path="b",target_site="x",source="y"} 18446744073709552000"#,
            ]
        );
    }
}
