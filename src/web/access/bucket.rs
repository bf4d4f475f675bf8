//! `rate_limit`: how many requests are answered, of all clients together.

use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

use crate::config::web_file::Rate;

/// A bucket of tokens: it holds `burst` of them and gets another one after each interval.
#[derive(Debug)]
pub(crate) struct RequestBucket {
    rate: Rate,
    /// Tokens at that time.
    level: Mutex<(f64, Instant)>,
}

impl RequestBucket {
    /// A full one.
    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, level: Mutex::new((f64::from(rate.burst), Instant::now())) }
    }

    /// Takes a token, if there is one.
    pub(crate) fn take(&self) -> bool {
        self.take_at(Instant::now())
    }

    fn take_at(&self, now: Instant) -> bool {
        let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        let (tokens, at) = *level;
        let gained = now.saturating_duration_since(at).as_secs_f64() / self.rate.interval.as_secs_f64();
        let tokens = f64::min(tokens + gained, f64::from(self.rate.burst));
        let is_there = tokens >= 1.0;
        *level = (if is_there { tokens - 1.0 } else { tokens }, now);
        is_there
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_burst_then_one_an_interval() {
        let bucket = RequestBucket::new(Rate { interval: Duration::from_secs(2), burst: 3 });
        let begin = Instant::now();
        let taken = |seconds: u64| bucket.take_at(begin + Duration::from_secs(seconds));
        assert_eq!([taken(0), taken(0), taken(0), taken(0)], [true, true, true, false]);
        assert_eq!([taken(1), taken(2), taken(3)], [false, true, false]);
        assert_eq!([taken(100), taken(100), taken(100), taken(100)], [true, true, true, false]);
    }
}
