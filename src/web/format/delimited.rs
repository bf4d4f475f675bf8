//! Writes samples in Prometheus' protobuf form: one message for each family, after its length.

use std::{
    io::{self, Write},
    time::{SystemTime, UNIX_EPOCH},
};

use prost::{
    Message as _,
    encoding::{self, WireType},
};

use super::{
    BucketCounts, SampleValue, SampleWriter, SharedLabels,
    messages::{
        BucketMessage, COUNTER, CounterMessage, FamilyMessage, GAUGE, GaugeMessage, HISTOGRAM,
        HistogramMessage, LabelMessage, METRIC_FIELD, MetricMessage, TimestampMessage,
    },
    spans::spans,
};
use crate::{
    catalogue::{MetricKind, MetricSpec},
    model::observation::native::{self, NativeBuckets},
    text::visible,
};

/// Messages on their way to a writer.
pub(super) struct Delimited<'w> {
    to: &'w mut dyn Write,
    outcome: io::Result<()>,
    family: Option<&'static MetricSpec>,
    /// The metrics of the present family, each with its key and length. A message begins with its
    /// length, so all of them must be known before it is written.
    metrics: Vec<u8>,
    began: Option<TimestampMessage>,
}

fn label(name: &str, value: &str) -> LabelMessage {
    // A second safeguard: all values already are of checked types.
    LabelMessage { name: Some(name.to_owned()), value: Some(visible(value).into_owned()) }
}

/// Adds fine buckets. Prometheus refuses a histogram whose count is not that of its buckets, and
/// another may have been counted since the coarse ones were read.
fn put_native(histogram: &mut HistogramMessage, native: &NativeBuckets) {
    let count = native.count();
    histogram.sample_count = Some(count);
    for bucket in &mut histogram.buckets {
        bucket.cumulative_count = bucket.cumulative_count.map(|cumulative| cumulative.min(count));
    }
    histogram.schema = Some(native::SCHEMA);
    histogram.zero_threshold = Some(native::ZERO_THRESHOLD);
    histogram.zero_count = Some(native.zero);
    (histogram.positive_spans, histogram.positive_deltas) = spans(&native.above);
}

impl<'w> Delimited<'w> {
    pub(super) fn new(to: &'w mut dyn Write) -> Self {
        Self { to, outcome: Ok(()), family: None, metrics: Vec::new(), began: None }
    }

    /// A metric. A message may come in parts, of which the shared labels are the first.
    fn push(&mut self, first: &SharedLabels, more: &[&str], mut rest: MetricMessage) {
        let Some(family) = self.family else { return };
        let names = &family.labels()[family.labels().len() - more.len()..];
        rest.labels = names.iter().zip(more).map(|(name, value)| label(name, value)).collect();
        encoding::encode_key(METRIC_FIELD, WireType::LengthDelimited, &mut self.metrics);
        encoding::encode_varint((first.0.len() + rest.encoded_len()) as u64, &mut self.metrics);
        self.metrics.extend_from_slice(&first.0);
        // Only a buffer that cannot grow refuses.
        let _ = rest.encode(&mut self.metrics);
    }

    /// Writes the present family.
    fn hand_on(&mut self) {
        let Some(family) = self.family.take().filter(|_| !self.metrics.is_empty()) else { return };
        let head = FamilyMessage {
            name: Some(family.name().to_owned()),
            help: Some(family.help().to_owned()),
            kind: Some(match family.kind() {
                MetricKind::Counter => COUNTER,
                MetricKind::Gauge => GAUGE,
                MetricKind::Histogram => HISTOGRAM,
            }),
            unit: family.base_unit().map(str::to_owned),
            metrics: Vec::new(),
        };
        let mut start = Vec::new();
        encoding::encode_varint((head.encoded_len() + self.metrics.len()) as u64, &mut start);
        let _ = head.encode(&mut start);
        if self.outcome.is_ok() {
            self.outcome = self.to.write_all(&start).and_then(|()| self.to.write_all(&self.metrics));
        }
        self.metrics.clear();
    }
}

impl SampleWriter for Delimited<'_> {
    fn shared(&self, family: &MetricSpec, values: &[&str]) -> SharedLabels {
        let labels = family.labels().iter().zip(values).map(|(name, value)| label(name, value)).collect();
        SharedLabels(MetricMessage { labels, ..MetricMessage::default() }.encode_to_vec())
    }

    fn begin(&mut self, family: &'static MetricSpec) {
        self.hand_on();
        self.family = Some(family);
    }

    fn since(&mut self, began: Option<SystemTime>) {
        let since_1970 = began.and_then(|began| began.duration_since(UNIX_EPOCH).ok());
        self.began = since_1970.and_then(|time| {
            let nanos = i32::try_from(time.subsec_nanos()).ok()?;
            Some(TimestampMessage { seconds: i64::try_from(time.as_secs()).ok()?, nanos })
        });
    }

    fn put(&mut self, first: &SharedLabels, more: &[&str], value: SampleValue) {
        let (value, mut metric) = (Some(value.float()), MetricMessage::default());
        if self.family.is_some_and(|family| family.kind() == MetricKind::Counter) {
            metric.counter = Some(CounterMessage { value, created: self.began });
        } else {
            metric.gauge = Some(GaugeMessage { value });
        }
        self.push(first, more, metric);
    }

    fn takes_native(&self) -> bool {
        true
    }

    fn put_buckets(&mut self, first: &SharedLabels, more: &[&str], buckets: &BucketCounts<'_>) {
        let of_bound =
            |((bound, _), count)| BucketMessage { cumulative_count: Some(count), upper_bound: Some(bound) };
        let mut histogram = HistogramMessage {
            sample_count: Some(buckets.count()),
            sample_sum: Some(buckets.sum),
            // That of +Inf is the count.
            buckets: buckets.cumulative().map(of_bound).collect(),
            created: self.began,
            ..HistogramMessage::default()
        };
        if let Some(native) = &buckets.native {
            put_native(&mut histogram, native);
        }
        self.push(first, more, MetricMessage { histogram: Some(histogram), ..MetricMessage::default() });
    }

    fn end(&mut self) -> io::Result<()> {
        self.hand_on();
        std::mem::replace(&mut self.outcome, Ok(()))
    }
}
