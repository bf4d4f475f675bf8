//! Round-trip times in fine buckets: those of Prometheus' native histograms, each 2^(1/8) times as
//! wide as the one below.

use std::{
    f64::consts::FRAC_1_SQRT_2,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

/// The buckets' number in Prometheus: 2^3 of them double the time.
pub(crate) const SCHEMA: i32 = 3;
/// Buckets in which the time doubles.
const PER_DOUBLING: i32 = 1 << SCHEMA;
/// Their upper bounds between a half and one: 2^(k/8) / 2.
const BOUNDS: [f64; 8] = [
    0.5,
    0.545_253_866_332_628_8,
    0.594_603_557_501_360_5,
    0.648_419_777_325_504_8,
    FRAC_1_SQRT_2,
    0.771_105_412_703_970_4,
    0.840_896_415_253_714_5,
    0.917_004_043_204_671_2,
];
/// What takes no longer, about a microsecond, is in a bucket of its own.
pub(crate) const ZERO_THRESHOLD: f64 = 1.0 / 1_048_576.0;
/// The index of the first bucket above that.
const FIRST: i32 = -20 * PER_DOUBLING + 1;
/// The index of the last one, up to 8 s. A reply counts as lost after 5 s.
const LAST: i32 = 3 * PER_DOUBLING;
#[allow(clippy::cast_sign_loss)]
const BUCKETS: usize = (LAST - FIRST) as usize + 1;

/// The index of the bucket that counts so many seconds: 0 for one second and up to 2^(-1/8) below.
fn index(seconds: f64) -> Option<i32> {
    if seconds <= ZERO_THRESHOLD {
        return None;
    }
    // As seconds = fraction * 2^exponent, with a fraction of a half to one.
    let bits = seconds.to_bits();
    let exponent = i32::try_from((bits >> 52) & 0x7ff).unwrap_or_default() - 1022;
    let fraction = f64::from_bits((bits & ((1 << 52) - 1)) | 1022 << 52);
    let place = BOUNDS.partition_point(|bound| *bound < fraction);
    let index = (exponent - 1) * PER_DOUBLING + i32::try_from(place).unwrap_or_default();
    Some(index.min(LAST))
}

/// Counts of all buckets, written by one task and read by others.
#[derive(Debug)]
pub(super) struct FineCounts {
    zero: AtomicU32,
    above: [AtomicU32; BUCKETS],
}

impl Default for FineCounts {
    fn default() -> Self {
        Self { zero: AtomicU32::new(0), above: [const { AtomicU32::new(0) }; BUCKETS] }
    }
}

impl FineCounts {
    /// Counts that many round trips of so many seconds. At one a second it takes 136 years to count
    /// further than a number reaches.
    pub(super) fn count(&self, seconds: f64, times: u32) {
        let place = index(seconds).map(|index| usize::try_from(index - FIRST).unwrap_or_default());
        place.map_or(&self.zero, |place| &self.above[place]).fetch_add(times, Relaxed);
    }

    /// A copy.
    pub(super) fn read(&self) -> NativeBuckets {
        let above = (FIRST..).zip(&self.above).map(|(index, count)| (index, count.load(Relaxed).into()));
        let zero = self.zero.load(Relaxed).into();
        NativeBuckets { zero, above: above.filter(|(_, count)| *count > 0).collect() }
    }
}

/// A native histogram: what was counted, without the buckets that are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct NativeBuckets {
    /// In the bucket of zero.
    pub zero: u64,
    /// The indices of other buckets, ascending, with their counts.
    pub above: Vec<(i32, u64)>,
}

impl NativeBuckets {
    /// The number of observations.
    pub(crate) fn count(&self) -> u64 {
        self.zero + self.above.iter().map(|(_, count)| count).sum::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_ends_with_its_bound() {
        for (seconds, expected) in [
            (1.0, Some(0)),
            (1.0_f64.next_up(), Some(1)),
            (0.917_004_043_204_671_2, Some(-1)),
            (0.92, Some(0)),
            (2.0, Some(8)),
            (0.001, Some(-79)),
            (ZERO_THRESHOLD, None),
            (ZERO_THRESHOLD.next_up(), Some(FIRST)),
            (0.0, None),
            (8.0, Some(LAST)),
            (9.0, Some(LAST)),
        ] {
            assert_eq!(index(seconds), expected, "{seconds}");
        }
        // What the definition says: the least index whose bound 2^(index/8) is no less.
        for millis in 1..8000_u32 {
            let seconds = f64::from(millis) / 1000.0;
            let index = index(seconds).expect("above zero");
            let bound = |index: i32| (f64::from(index) / 8.0).exp2();
            assert!(seconds <= bound(index) * (1.0 + 1e-12), "{seconds}");
            assert!(seconds > bound(index - 1) * (1.0 - 1e-12), "{seconds}");
        }
    }

    #[test]
    fn what_is_counted_is_read_without_the_empty_ones() {
        let counts = FineCounts::default();
        assert_eq!(counts.read(), NativeBuckets::default());
        for (seconds, times) in [(0.0, 2), (1.0, 1), (2.0, 3), (7.0, 1)] {
            counts.count(seconds, times);
        }
        let read = counts.read();
        assert_eq!(read, NativeBuckets { zero: 2, above: vec![(0, 1), (8, 3), (23, 1)] });
        assert_eq!(read.count(), 7);
    }
}
