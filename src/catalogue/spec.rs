//! What one family is: name, type, unit, help, labels.

/// The type of a family, as in `# TYPE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Only rises, until the process or the device restarts.
    Counter,
    /// Rises and falls.
    Gauge,
    /// Observations in buckets.
    Histogram,
}

impl MetricKind {
    /// The word after `# TYPE name`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// The unit of a family that says something by its labels alone.
pub(super) const ALWAYS_ONE: &str = "always 1";

/// One metric family. Its fields are private so that none is made outside the catalogue.
#[derive(Debug)]
pub struct MetricSpec {
    pub(super) name: &'static str,
    pub(super) kind: MetricKind,
    pub(super) unit: &'static str,
    pub(super) help: &'static str,
    pub(super) labels: &'static [&'static str],
    pub(super) value_sets: &'static [ValueSet],
}

/// A label and all the values it may have.
#[derive(Debug)]
pub struct ValueSet {
    /// The label.
    pub label: &'static str,
    pub(super) values: fn() -> Vec<&'static str>,
}

impl ValueSet {
    /// All values, in declaration order.
    #[must_use]
    pub fn values(&self) -> Vec<&'static str> {
        (self.values)()
    }
}

impl MetricSpec {
    /// The full name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The type.
    #[must_use]
    pub const fn kind(&self) -> MetricKind {
        self.kind
    }

    /// The unit of the number.
    #[must_use]
    pub const fn unit(&self) -> &'static str {
        self.unit
    }

    /// The sentence after `# HELP name`.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        self.help
    }

    /// The labels of each sample, in order.
    #[must_use]
    pub const fn labels(&self) -> &'static [&'static str] {
        self.labels
    }

    /// The name in OpenMetrics, to which samples of a counter add `_total`, those of an info `_info`.
    #[must_use]
    pub fn open_metrics_name(&self) -> &'static str {
        let ending = match self.open_metrics_type() {
            "counter" => "_total",
            "info" => "_info",
            _ => "",
        };
        self.name.strip_suffix(ending).unwrap_or(self.name)
    }

    /// The word after `# TYPE name` in OpenMetrics.
    #[must_use]
    pub fn open_metrics_type(&self) -> &'static str {
        if self.unit == ALWAYS_ONE { "info" } else { self.kind.as_str() }
    }

    /// The base unit that the name ends in.
    #[must_use]
    pub fn base_unit(&self) -> Option<&'static str> {
        let (_, last) = self.open_metrics_name().rsplit_once('_')?;
        Some(last).filter(|word| matches!(*word, "seconds" | "bytes" | "ratio"))
    }

    /// Whether it counts since the exporter started.
    pub(crate) fn is_own_count(&self) -> bool {
        self.kind != MetricKind::Gauge && self.name.starts_with("vxlan_exporter_")
    }

    /// The labels with a fixed set of values.
    #[must_use]
    pub const fn value_sets(&self) -> &'static [ValueSet] {
        self.value_sets
    }
}
