//! The probe budget: how many packets a second all paths together may send beyond echoes and sentinels.

use super::probe::Moment;

/// Packets per second beyond echoes and sentinels, shared by all paths: a token bucket.
#[derive(Debug, Clone)]
pub struct Budget {
    per_second: f64,
    tokens: f64,
    filled_at: Moment,
}

impl Budget {
    /// A bucket that holds at most 100 ms worth of packets, and never fewer than one fragmented pair.
    #[must_use]
    pub fn new(per_second: u32) -> Self {
        Self { per_second: f64::from(per_second.max(1)), tokens: 0.0, filled_at: Moment::ZERO }
    }

    /// Another rate from now on.
    pub fn set_rate(&mut self, per_second: u32) {
        self.per_second = f64::from(per_second.max(1));
    }

    /// Adds what has come in since the last call.
    pub fn fill(&mut self, now: Moment) {
        let depth = (self.per_second / 10.0).max(40.0);
        let elapsed = now.saturating_sub(self.filled_at).as_secs_f64();
        self.tokens = (self.tokens + elapsed * self.per_second).min(depth);
        self.filled_at = now;
    }

    /// Takes `packets` out if they are there.
    pub fn take(&mut self, packets: u32) -> bool {
        let packets = f64::from(packets);
        if self.tokens < packets {
            return false;
        }
        self.tokens -= packets;
        true
    }

    /// Puts back what was taken and not sent.
    pub fn give_back(&mut self, packets: u32) {
        self.tokens += f64::from(packets);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_budget_never_gives_more_than_its_rate_and_one_bucket() {
        let mut budget = Budget::new(200);
        let mut sent = 0;
        for tick in 0..1000_u64 {
            budget.fill(Duration::from_millis(tick * 5));
            while budget.take(1) {
                sent += 1;
            }
        }
        assert!((999..=1040).contains(&sent), "{sent}");
    }
}
