//! The messages of Prometheus' protobuf form: `io.prometheus.client` of `metrics.proto`, as far as
//! this exporter has something to say in them. A field's number is its `tag`.

/// A counter, 0 in `MetricType`.
pub(super) const COUNTER: i32 = 0;
/// A gauge.
pub(super) const GAUGE: i32 = 1;
/// A histogram.
pub(super) const HISTOGRAM: i32 = 4;
/// The number of the field `metric` of `MetricFamily`.
pub(super) const METRIC_FIELD: u32 = 4;

/// `MetricFamily`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct FamilyMessage {
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub help: Option<String>,
    #[prost(int32, optional, tag = "3")]
    pub kind: Option<i32>,
    #[prost(message, repeated, tag = "4")]
    pub metrics: Vec<MetricMessage>,
    #[prost(string, optional, tag = "5")]
    pub unit: Option<String>,
}

/// `Metric`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct MetricMessage {
    #[prost(message, repeated, tag = "1")]
    pub labels: Vec<LabelMessage>,
    #[prost(message, optional, tag = "2")]
    pub gauge: Option<GaugeMessage>,
    #[prost(message, optional, tag = "3")]
    pub counter: Option<CounterMessage>,
    #[prost(message, optional, tag = "7")]
    pub histogram: Option<HistogramMessage>,
}

/// `LabelPair`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct LabelMessage {
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub value: Option<String>,
}

/// `Gauge`.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct GaugeMessage {
    #[prost(double, optional, tag = "1")]
    pub value: Option<f64>,
}

/// `Counter`.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct CounterMessage {
    #[prost(double, optional, tag = "1")]
    pub value: Option<f64>,
    #[prost(message, optional, tag = "3")]
    pub created: Option<TimestampMessage>,
}

/// `Histogram`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct HistogramMessage {
    #[prost(uint64, optional, tag = "1")]
    pub sample_count: Option<u64>,
    #[prost(double, optional, tag = "2")]
    pub sample_sum: Option<f64>,
    #[prost(message, repeated, tag = "3")]
    pub buckets: Vec<BucketMessage>,
    #[prost(sint32, optional, tag = "5")]
    pub schema: Option<i32>,
    #[prost(double, optional, tag = "6")]
    pub zero_threshold: Option<f64>,
    #[prost(uint64, optional, tag = "7")]
    pub zero_count: Option<u64>,
    #[prost(message, repeated, tag = "12")]
    pub positive_spans: Vec<SpanMessage>,
    #[prost(sint64, repeated, packed = "false", tag = "13")]
    pub positive_deltas: Vec<i64>,
    #[prost(message, optional, tag = "15")]
    pub created: Option<TimestampMessage>,
}

/// `Bucket`.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct BucketMessage {
    #[prost(uint64, optional, tag = "1")]
    pub cumulative_count: Option<u64>,
    #[prost(double, optional, tag = "2")]
    pub upper_bound: Option<f64>,
}

/// `BucketSpan`.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct SpanMessage {
    /// Buckets between the end of the span before and its start; of the first, the index of its
    /// start.
    #[prost(sint32, optional, tag = "1")]
    pub offset: Option<i32>,
    #[prost(uint32, optional, tag = "2")]
    pub length: Option<u32>,
}

/// `google.protobuf.Timestamp`.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct TimestampMessage {
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}
