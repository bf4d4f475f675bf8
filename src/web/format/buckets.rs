//! A histogram on its way to a writer.

use crate::model::observation::native::NativeBuckets;

/// The upper bound of a bucket, and how every form writes it: a label must not depend on the form.
pub(crate) type BucketBound = (f64, &'static str);

/// Observations in buckets.
#[derive(Debug)]
pub(crate) struct BucketCounts<'c> {
    /// Ascending, without `+Inf`.
    pub bounds: &'static [BucketBound],
    /// By bucket, not cumulative; the last is that of `+Inf`.
    pub counts: &'c [u64],
    /// Of all observations.
    pub sum: f64,
    /// The same observations in fine buckets, for the form that takes them.
    pub native: Option<NativeBuckets>,
}

impl BucketCounts<'_> {
    /// How many observations are in this bucket and those below, for each bound.
    pub(super) fn cumulative(&self) -> impl Iterator<Item = (BucketBound, u64)> {
        let counts = self.counts.iter().scan(0, |below, count| {
            *below += count;
            Some(*below)
        });
        self.bounds.iter().copied().zip(counts)
    }

    /// The number of observations.
    pub(super) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}
