//! Rate limits that drop packets: token buckets of packets (signals, echo answers) and of bytes (a
//! policer), each shared with the traffic of others.

use std::time::Duration;

use fastrand::Rng;
use serde::Deserialize;

/// A limit in packets per second, with a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Tokens added per second.
    pub per_second: f64,
    /// Capacity in tokens.
    #[serde(default = "one")]
    pub bucket: f64,
    /// Packets per second of others that need tokens too.
    #[serde(default)]
    pub others: f64,
}

fn one() -> f64 {
    1.0
}

/// The state of a [`Limit`].
#[derive(Debug, Clone, Copy)]
pub struct Bucket {
    limit: Limit,
    tokens: f64,
    at: Duration,
}

impl Bucket {
    /// Starts with a full bucket.
    pub fn new(limit: Limit, now: Duration) -> Self {
        Self { limit, tokens: limit.bucket, at: now }
    }

    /// Takes one token if there is one.
    pub fn take(&mut self, now: Duration, rng: &mut Rng) -> bool {
        let Limit { per_second, bucket, others } = self.limit;
        // After an hour without our packets the bucket is in the same state as after a few
        // fillings.
        let mut left = now.saturating_sub(self.at).as_secs_f64().min(10.0 * bucket / per_second + 1.0);
        self.at = now;
        loop {
            let gap = exponential(others, rng);
            if gap > left {
                break;
            }
            left -= gap;
            self.tokens = (self.tokens + gap * per_second).min(bucket);
            self.tokens -= if self.tokens >= 1.0 { 1.0 } else { 0.0 };
        }
        self.tokens = (self.tokens + left * per_second).min(bucket);
        let there = self.tokens >= 1.0;
        self.tokens -= if there { 1.0 } else { 0.0 };
        there
    }
}

/// A token bucket of bytes; packets that do not fit are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policer {
    /// Bytes added per second.
    pub bytes_per_second: f64,
    /// Capacity in bytes.
    pub bucket: f64,
    /// Bytes sent by others, as a multiple of the rate.
    pub overload: f64,
}

/// The state of a [`Policer`].
#[derive(Debug, Clone, Copy)]
pub struct Police {
    policer: Policer,
    tokens: f64,
    at: Duration,
}

/// Packet sizes of others, in bytes.
const OTHERS: std::ops::RangeInclusive<u32> = 68..=1500;

impl Police {
    /// Starts with an empty bucket.
    pub fn new(policer: Policer, now: Duration) -> Self {
        Self { policer, tokens: 0.0, at: now }
    }

    /// Whether a packet of `size` bytes fits.
    pub fn takes(&mut self, size: u32, now: Duration, rng: &mut Rng) -> bool {
        let Policer { bytes_per_second: rate, bucket, overload } = self.policer;
        let mean = f64::from(OTHERS.start() + OTHERS.end()) / 2.0;
        let mut left = now.saturating_sub(self.at).as_secs_f64().min(3.0 * bucket / rate);
        self.at = now;
        loop {
            let gap = exponential(rate * overload / mean, rng);
            if gap > left {
                break;
            }
            left -= gap;
            self.tokens = (self.tokens + gap * rate).min(bucket);
            self.fits(rng.u32(OTHERS));
        }
        self.tokens = (self.tokens + left * rate).min(bucket);
        self.fits(size)
    }

    fn fits(&mut self, size: u32) -> bool {
        let fits = self.tokens >= f64::from(size);
        self.tokens -= if fits { f64::from(size) } else { 0.0 };
        fits
    }
}

/// Seconds to the next of independent events that occur `per_second` on average.
pub fn exponential(per_second: f64, rng: &mut Rng) -> f64 {
    if per_second > 0.0 { -(1.0 - rng.f64()).ln() / per_second } else { f64::INFINITY }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(limit: Limit, every: Duration, times: u32) -> usize {
        let (mut bucket, mut rng) = (Bucket::new(limit, Duration::ZERO), Rng::with_seed(7));
        (0..times).filter(|turn| bucket.take(every * *turn, &mut rng)).count()
    }

    #[test]
    fn a_bucket_grants_its_rate_and_what_it_held() {
        let alone = Limit { per_second: 5.0, bucket: 10.0, others: 0.0 };
        assert!((58..=61).contains(&granted(alone, Duration::from_millis(10), 1000)));
        assert_eq!(granted(alone, Duration::from_secs(1), 100), 100);
        // 195 tokens in 37 s; others ask as often as we do. (A client that asks just when a token
        // is complete would always win it, so the interval does not divide the period of tokens.)
        let shared = granted(Limit { others: 27.0, ..alone }, Duration::from_millis(37), 1000);
        assert!((60..=150).contains(&shared), "{shared}");
    }

    #[test]
    fn a_starved_policer_drops_what_is_large() {
        let policer = Policer { bytes_per_second: 100_000.0, bucket: 3000.0, overload: 5.0 };
        let passed = |size: u32| {
            let (mut police, mut rng) = (Police::new(policer, Duration::ZERO), Rng::with_seed(7));
            (1..=1000).filter(|turn| police.takes(size, Duration::from_millis(turn * 100), &mut rng)).count()
        };
        assert!(passed(68) > 600 && passed(1500) < 100, "{} {}", passed(68), passed(1500));
    }
}
