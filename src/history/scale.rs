//! Numbers in one byte each: what a sparkline needs, no more.

use std::time::Duration;

/// No value.
pub(super) const NOTHING: u8 = u8::MAX;
/// Steps per doubling of a time: one step is 6 %.
const STEPS: f64 = 12.0;
/// The shortest time, in seconds.
const SHORTEST: f64 = 1e-5;

/// A share, 0 to 1, in half percents. What is not nothing stays more than nothing.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn of_share(share: Option<f64>) -> u8 {
    share.map_or(NOTHING, |share| (share.clamp(0.0, 1.0) * 200.0).ceil() as u8)
}

pub(super) fn share(byte: u8) -> Option<f64> {
    (byte <= 200).then(|| f64::from(byte) / 200.0)
}

/// A time from 10 µs to 20 s, to 3 %.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn of_seconds(seconds: Option<f64>) -> u8 {
    seconds.map_or(NOTHING, |seconds| {
        let steps = (seconds.max(SHORTEST) / SHORTEST).log2() * STEPS;
        steps.round().clamp(0.0, 254.0) as u8
    })
}

pub(super) fn seconds(byte: u8) -> Option<f64> {
    (byte != NOTHING).then(|| SHORTEST * (f64::from(byte) / STEPS).exp2())
}

/// The quantile of a histogram: `counts` per bucket, `bounds` their upper ends in seconds. Within a
/// bucket, times are taken to be evenly spread on a logarithmic scale.
pub(super) fn quantile(counts: &[u64], bounds: &[f64], quantile: f64) -> Option<f64> {
    let all: u64 = counts.iter().sum();
    #[allow(clippy::cast_precision_loss)]
    let wanted = (all as f64 * quantile).max(f64::MIN_POSITIVE);
    let mut below = 0.0;
    for (index, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        #[allow(clippy::cast_precision_loss)]
        let count = *count as f64;
        if below + count >= wanted {
            let upper = bounds.get(index).copied().unwrap_or(bounds[bounds.len() - 1] * 2.0);
            let lower = index.checked_sub(1).map_or(upper / 4.0, |index| bounds[index]);
            return Some(lower * (upper / lower).powf((wanted - below) / count));
        }
        below += count;
    }
    None
}

/// Seconds since 1970, for JSON.
pub(crate) fn unix(at: std::time::SystemTime) -> f64 {
    at.duration_since(std::time::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs_f64()
}
