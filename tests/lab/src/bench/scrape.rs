//! One scrape of /metrics, beside the `prometheus` crate's encoder over the same samples.

use std::{collections::BTreeMap, time::Instant};

use anyhow::Result;
use nix::unistd::Pid;
use prometheus::{
    Encoder as _, TextEncoder,
    proto::{Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType},
};
use serde::{Deserialize, Serialize};

use super::{cost, pair::get};
use crate::{metrics::Series, namespace::Namespace};

const TIMES: usize = 9;

/// What was measured.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Row {
    /// Seconds of a scrape over HTTP, the median.
    pub ours: f64,
    /// Seconds of CPU that the exporter spends on a scrape, beside what probing takes meanwhile.
    #[serde(default)]
    pub cpu: f64,
    /// Seconds in which the crate encodes the same samples, the median.
    pub encoder: f64,
    /// Bytes of the answer.
    pub bytes: usize,
    /// Series in it.
    pub series: usize,
}

/// Scrapes, and lets the crate encode what came. `share` is the share of a core that the exporter
/// uses without scrapes.
pub fn measure(near: &Namespace, exporter: Pid, share: f64) -> Result<Row> {
    let mut text = String::new();
    let (began, used) = (Instant::now(), cost::cpu(exporter)?);
    let ours = median(|| {
        text = get(near, "/metrics")?;
        Ok(())
    })?;
    let used = cost::cpu(exporter)?.saturating_sub(used).as_secs_f64();
    let cpu = (used - share * began.elapsed().as_secs_f64()).max(0.0) / cost::float(TIMES);
    let families = families(&text);
    let encoder = median(|| {
        let mut buffer = Vec::new();
        Ok(TextEncoder::new().encode(&families, &mut buffer)?)
    })?;
    let series = text.lines().filter(|line| !line.starts_with('#')).count();
    Ok(Row { ours, cpu, encoder, bytes: text.len(), series })
}

fn median(mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..TIMES {
        let began = Instant::now();
        work()?;
        times.push(began.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    Ok(times[TIMES / 2])
}

/// The samples as the crate keeps them.
fn families(text: &str) -> Vec<MetricFamily> {
    let mut families: Vec<MetricFamily> = Vec::new();
    let mut metrics: Vec<Metric> = Vec::new();
    let mut help = String::new();
    for line in text.lines() {
        if let Some(words) = line.strip_prefix("# HELP ") {
            help = words.split_once(' ').map_or(String::new(), |(_, help)| help.to_owned());
        } else if let Some((name, kind)) =
            line.strip_prefix("# TYPE ").and_then(|words| words.split_once(' '))
        {
            close(&mut families, &mut metrics);
            let mut family = MetricFamily::default();
            family.set_name(name.to_owned());
            family.set_help(std::mem::take(&mut help));
            family.set_field_type(match kind {
                "counter" => MetricType::COUNTER,
                "histogram" => MetricType::HISTOGRAM,
                _ => MetricType::GAUGE,
            });
            families.push(family);
        } else if let (Some(family), Some(series)) = (families.last(), Series::parse(line)) {
            add(family.get_field_type(), &mut metrics, series);
        }
    }
    close(&mut families, &mut metrics);
    families
}

fn close(families: &mut [MetricFamily], metrics: &mut Vec<Metric>) {
    if let Some(family) = families.last_mut() {
        family.set_metric(std::mem::take(metrics));
    }
}

fn add(kind: MetricType, metrics: &mut Vec<Metric>, mut series: Series) {
    let bound = series.labels.remove("le");
    let labels = pairs(std::mem::take(&mut series.labels));
    match kind {
        MetricType::COUNTER => {
            let mut counter = Counter::default();
            counter.set_value(series.value);
            let mut metric = Metric::from_label(labels);
            metric.set_counter(counter);
            metrics.push(metric);
        }
        MetricType::HISTOGRAM => {
            if metrics.last().is_none_or(|metric| metric.get_label() != labels) {
                let mut metric = Metric::from_label(labels);
                metric.set_histogram(Histogram::default());
                metrics.push(metric);
            }
            if let Some(metric) = metrics.last_mut() {
                grow(metric, &series, bound);
            }
        }
        _ => {
            let mut gauge = Gauge::default();
            gauge.set_value(series.value);
            let mut metric = Metric::from_label(labels);
            metric.set_gauge(gauge);
            metrics.push(metric);
        }
    }
}

/// A further sample of a histogram.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts")]
fn grow(metric: &mut Metric, series: &Series, bound: Option<String>) {
    let mut histogram = metric.get_histogram().clone();
    match bound {
        Some(bound) if bound != "+Inf" => {
            let mut bucket = Bucket::default();
            bucket.set_cumulative_count(series.value as u64);
            bucket.set_upper_bound(bound.parse().unwrap_or_default());
            let mut buckets = histogram.get_bucket().to_vec();
            buckets.push(bucket);
            histogram.set_bucket(buckets);
        }
        None if series.name.ends_with("_sum") => histogram.set_sample_sum(series.value),
        None => histogram.set_sample_count(series.value as u64),
        Some(_) => {}
    }
    metric.set_histogram(histogram);
}

fn pairs(labels: BTreeMap<String, String>) -> Vec<LabelPair> {
    let pair = |(name, value)| {
        let mut pair = LabelPair::default();
        pair.set_name(name);
        pair.set_value(value);
        pair
    };
    labels.into_iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crate_prints_what_was_read() {
        let text = "# HELP a A.\n# TYPE a counter\na{x=\"1\"} 2\n# HELP b B.\n# TYPE b gauge\nb 0.5\n\
                    # HELP c C.\n# TYPE c histogram\nc_bucket{x=\"1\",le=\"0.1\"} 1\nc_bucket{x=\"1\",le=\"+Inf\"} 3\n\
                    c_sum{x=\"1\"} 0.7\nc_count{x=\"1\"} 3\n";
        let mut printed = Vec::new();
        TextEncoder::new().encode(&families(text), &mut printed).unwrap();
        assert_eq!(String::from_utf8(printed).unwrap(), text);
    }
}
