//! The samples of one scrape without those of paths.
//!
//! Samples are made from a [`MetricSpec`] of the catalogue, so HELP, TYPE and the names of labels
//! cannot differ from it. Output is sorted by family, then by label values.

use std::{collections::BTreeMap, time::SystemTime};

use anyhow::{Context as _, Result, ensure};
use prometheus::proto::{MetricFamily, MetricType};

use super::format::{BucketBound, BucketCounts, SampleWriter};
use crate::{
    catalogue::{self, MetricKind, MetricSpec},
    text::visible,
};

/// The samples of one scrape without those of paths, stored as numbers and label values only.
#[derive(Default)]
pub(crate) struct Exposition {
    families: BTreeMap<&'static str, Samples>,
    /// When the exporter's own counters began.
    began: Option<SystemTime>,
}

struct Samples {
    family: &'static MetricSpec,
    of: BTreeMap<LabelValues, f64>,
    histograms: BTreeMap<LabelValues, KeptBuckets>,
}

/// Those of a sample, in the order of its family's labels.
type LabelValues = Box<[Box<str>]>;

struct KeptBuckets {
    bounds: &'static [BucketBound],
    counts: Box<[u64]>,
    sum: f64,
}

impl Exposition {
    /// Without samples, of an exporter that began to count then.
    pub(crate) fn since(began: SystemTime) -> Self {
        Self { began: Some(began), ..Self::default() }
    }

    /// Adds a sample; `labels` are values in the order of the family's labels.
    pub(crate) fn put(&mut self, family: &'static MetricSpec, labels: &[&str], value: f64) {
        self.family(family, labels).of.insert(kept(labels), value);
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

    /// Adds a histogram.
    pub(crate) fn put_buckets(
        &mut self,
        family: &'static MetricSpec,
        labels: &[&str],
        buckets: &BucketCounts<'_>,
    ) {
        let &BucketCounts { bounds, counts, sum, .. } = buckets;
        let buckets = KeptBuckets { bounds, counts: counts.into(), sum };
        self.family(family, labels).histograms.insert(kept(labels), buckets);
    }

    fn family(&mut self, family: &'static MetricSpec, labels: &[&str]) -> &mut Samples {
        debug_assert_eq!(family.labels().len(), labels.len(), "labels of {}", family.name());
        let none = || Samples { family, of: BTreeMap::new(), histograms: BTreeMap::new() };
        self.families.entry(family.name()).or_insert_with(none)
    }

    /// Adds families from another collector, none of which has labels. Each must be in the catalogue
    /// with the same type, and gets its help text from there.
    pub(crate) fn put_foreign(&mut self, foreign: &[MetricFamily]) -> Result<()> {
        for made in foreign {
            let [metric] = made.get_metric() else { continue };
            let family = catalogue::find(made.name())
                .with_context(|| format!("{} is not in the catalogue of metrics", made.name()))?;
            let value = match family.kind() {
                MetricKind::Counter if made.get_field_type() == MetricType::COUNTER => {
                    Some(metric.get_counter().get_value())
                }
                MetricKind::Gauge if made.get_field_type() == MetricType::GAUGE => {
                    Some(metric.get_gauge().get_value())
                }
                _ => None,
            };
            let (name, kind) = (family.name(), family.kind().as_str());
            let value = value.with_context(|| format!("{name} is not a {kind} as the catalogue says"))?;
            ensure!(metric.get_label().is_empty(), "{name} has labels");
            self.put(family, &[], value);
        }
        Ok(())
    }

    /// Writes all samples; those of a family are forgotten once they are written.
    pub(crate) fn write(self, out: &mut dyn SampleWriter) {
        for Samples { family, of, histograms } in self.families.into_values() {
            out.begin(family);
            out.since(self.began.filter(|_| family.is_own_count()));
            for (labels, value) in of {
                out.put(&out.shared(family, &borrowed(&labels)), &[], value.into());
            }
            for (labels, KeptBuckets { bounds, counts, sum }) in histograms {
                let buckets = BucketCounts { bounds, counts: &counts, sum, native: None };
                out.put_buckets(&out.shared(family, &borrowed(&labels)), &[], &buckets);
            }
        }
    }
}

fn kept(values: &[&str]) -> LabelValues {
    // A second safeguard: all values already are of checked types.
    values.iter().map(|value| visible(value).into()).collect()
}

fn borrowed(values: &LabelValues) -> Vec<&str> {
    values.iter().map(|value| &**value).collect()
}

#[cfg(test)]
mod tests {
    use prometheus::proto::Metric;

    use super::*;
    use crate::web::format::ScrapeForm;

    fn foreign(name: &str, kind: MetricType) -> MetricFamily {
        let mut made = MetricFamily::default();
        made.set_name(name.to_owned());
        made.set_field_type(kind);
        made.set_metric(vec![Metric::default()]);
        made
    }

    fn text(exposition: Exposition) -> String {
        let mut bytes = Vec::new();
        let mut out = ScrapeForm::Text.writer(&mut bytes);
        exposition.write(&mut *out);
        out.end().expect("written");
        drop(out);
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn only_what_the_catalogue_knows_leaves() {
        let refused = |made| Exposition::default().put_foreign(&[made]).expect_err("refused").to_string();
        assert_eq!(
            refused(foreign("tokio_tasks", MetricType::GAUGE)),
            "tokio_tasks is not in the catalogue of metrics"
        );
        assert_eq!(
            refused(foreign("process_threads", MetricType::COUNTER)),
            "process_threads is not a gauge as the catalogue says"
        );
        let mut out = Exposition::default();
        out.put_foreign(&[foreign("process_threads", MetricType::GAUGE)]).expect("known");
        assert_eq!(
            text(out),
            "# HELP process_threads Number of OS threads in the process.\n# TYPE process_threads gauge\nprocess_threads 0\n"
        );
    }

    #[test]
    fn sorted_and_escaped() {
        let mut out = Exposition::default();
        out.put_count(&catalogue::PATH_ECHO_LATE, &["b", "x", "y"], u64::MAX);
        out.put_count(&catalogue::PATH_ECHO_LATE, &["a\"\\\n", "x", "y"], 7);
        out.put_bool(&catalogue::CONFIG_RELOAD_SUCCESSFUL, &[], true);
        let text = text(out);
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
