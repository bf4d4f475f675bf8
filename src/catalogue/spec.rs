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

    /// The labels with a fixed set of values.
    #[must_use]
    pub const fn value_sets(&self) -> &'static [ValueSet] {
        self.value_sets
    }
}
