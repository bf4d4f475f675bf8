//! The probe budget: how many packets a second all paths together may send beyond echoes and sentinels.

use super::probe::Moment;

/// Looks for whether unreachable targets are back get this share of it at most. They never end: a hundred dead targets,
/// each looked at twice a second, would take all of 200 packets a second, and no hole would ever be proven (seen in
/// the soak). Each of them has its echo beside it.
const LOOKS: f64 = 0.25;

/// Packets per second beyond echoes and sentinels, shared by all paths: a token bucket.
#[derive(Debug, Clone)]
pub struct Budget {
    per_second: f64,
    tokens: f64,
    looks: f64,
    filled_at: Moment,
}

impl Budget {
    /// A bucket that holds at most 100 ms worth of packets, and never fewer than one fragmented pair.
    #[must_use]
    pub fn new(per_second: u32) -> Self {
        Self { per_second: f64::from(per_second.max(1)), tokens: 0.0, looks: 0.0, filled_at: Moment::ZERO }
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
        self.looks = (self.looks + elapsed * self.per_second * LOOKS).min(depth * LOOKS);
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

    /// Takes out one packet that looks for whether an unreachable target is back.
    pub fn take_look(&mut self) -> bool {
        let taken = self.looks >= 1.0 && self.take(1);
        if taken {
            self.looks -= 1.0;
        }
        taken
    }

    /// Puts back a look that was not sent.
    pub fn give_back_look(&mut self) {
        self.looks += 1.0;
        self.give_back(1);
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

    #[test]
    fn looks_at_dead_targets_leave_three_quarters_of_it_to_proofs() {
        let mut budget = Budget::new(200);
        let (mut looks, mut proofs) = (0, 0);
        for tick in 0..1000_u64 {
            budget.fill(Duration::from_millis(tick * 5));
            while budget.take_look() {
                looks += 1;
            }
            while budget.take(2) {
                proofs += 2;
            }
        }
        assert!((249..=260).contains(&looks), "{looks}");
        assert!((728..=791).contains(&proofs), "{proofs}");
    }
}
