//! The number of a sample.

use std::fmt;

/// The number of a sample. Prometheus stores all of them as floats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum SampleValue {
    Count(u64),
    Float(f64),
}

impl SampleValue {
    /// As a float; above 2^53 a count loses its last digits.
    #[allow(clippy::cast_precision_loss)]
    pub(super) const fn float(self) -> f64 {
        match self {
            Self::Count(count) => count as f64,
            Self::Float(float) => float,
        }
    }
}

impl fmt::Display for SampleValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => count.fmt(f),
            Self::Float(float) if float.is_infinite() => {
                f.write_str(if *float > 0.0 { "+Inf" } else { "-Inf" })
            }
            Self::Float(float) => float.fmt(f),
        }
    }
}

impl From<u64> for SampleValue {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<u32> for SampleValue {
    fn from(count: u32) -> Self {
        Self::Count(count.into())
    }
}

impl From<bool> for SampleValue {
    fn from(is_so: bool) -> Self {
        Self::Count(is_so.into())
    }
}

impl From<f64> for SampleValue {
    fn from(float: f64) -> Self {
        Self::Float(float)
    }
}
