//! How late probes leave, as a histogram of the `prometheus` crate.

use prometheus::proto::{Bucket, Histogram, Metric, MetricFamily, MetricType};

use crate::{catalogue, model::observation::RttHistogram};

/// The family `vxlan_exporter_late_seconds`.
pub(super) fn family(late: &RttHistogram) -> MetricFamily {
    let mut below = 0;
    let buckets = RttHistogram::BOUNDS.iter().zip(late.counts).map(|(bound, count)| {
        below += count;
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(*bound);
        bucket.set_cumulative_count(below);
        bucket
    });
    let mut histogram = Histogram::default();
    histogram.set_bucket(buckets.collect());
    histogram.set_sample_count(late.count());
    histogram.set_sample_sum(late.sum_seconds);
    let mut metric = Metric::default();
    metric.set_histogram(histogram);
    let mut family = MetricFamily::default();
    family.set_name(catalogue::LATE.name().to_owned());
    family.set_field_type(MetricType::HISTOGRAM);
    family.set_metric(vec![metric]);
    family
}
