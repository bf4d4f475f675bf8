//! The probe budget: how many packets a second all paths together may send in addition to echoes
//! and sentinels.

use super::probe::Moment;

/// The largest share of the budget for probes that check whether unreachable targets are back. They
/// never end: a hundred dead targets, each probed twice a second, would use up 200 packets a
/// second, and no black hole would ever be proven (seen in the soak). Each of these targets still
/// gets its regular echo.
const LOOKS: f64 = 0.25;
/// The share reserved for these probes even while proofs wait: with a hundred targets that are dead
/// by TCP alone, each is then probed every five seconds.
const LOOKS_AT_LEAST: f64 = 0.1;

/// Which share of the budget pays for a probe that checks whether an unreachable target is back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// From the share reserved for such probes even while proofs wait.
    Sure,
    /// From what nothing else used this turn.
    Spare,
}

/// Packets per second in addition to echoes and sentinels, shared by all paths: a token bucket.
#[derive(Debug, Clone)]
pub struct Budget {
    per_second: f64,
    tokens: f64,
    looks: f64,
    sure_looks: f64,
    /// A request was refused this turn: a less urgent one must not take its tokens, even if it is
    /// smaller.
    refused: bool,
    filled_at: Moment,
}

impl Budget {
    /// A bucket that holds 100 ms worth of packets, but at least one fragmented pair. `per_second`
    /// is in packets.
    #[must_use]
    pub fn new(per_second: u32) -> Self {
        Self {
            per_second: f64::from(per_second.max(1)),
            tokens: 0.0,
            looks: 0.0,
            sure_looks: 0.0,
            refused: false,
            filled_at: Moment::ZERO,
        }
    }

    /// Sets the rate, in packets per second.
    pub(crate) fn set_rate(&mut self, per_second: u32) {
        self.per_second = f64::from(per_second.max(1));
    }

    /// Adds the tokens earned since the last call and starts a turn, in which the most urgent
    /// request must come first.
    pub fn fill(&mut self, now: Moment) {
        let depth = (self.per_second / 10.0).max(40.0);
        let elapsed = now.saturating_sub(self.filled_at).as_secs_f64();
        let filled = |level: f64, share: f64| {
            (level + elapsed * self.per_second * share).min((depth * share).max(1.0))
        };
        self.tokens = filled(self.tokens, 1.0);
        self.looks = filled(self.looks, LOOKS);
        self.sure_looks = filled(self.sure_looks, LOOKS_AT_LEAST);
        self.refused = false;
        self.filled_at = now;
    }

    /// Takes `packets` tokens. False if there are too few, or if an earlier request of this turn
    /// was refused.
    pub(crate) fn take(&mut self, packets: u32) -> bool {
        let packets = f64::from(packets);
        if self.refused || self.tokens < packets {
            self.refused = true;
            return false;
        }
        self.tokens -= packets;
        true
    }

    /// Takes the token of one probe that checks whether an unreachable target is back.
    pub(crate) fn take_look(&mut self, look: Look) -> bool {
        let share = match look {
            Look::Sure => self.sure_looks.min(self.looks),
            Look::Spare => self.looks,
        };
        let taken = share >= 1.0 && self.take(1);
        if taken {
            self.looks -= 1.0;
            self.sure_looks = (self.sure_looks - 1.0).max(0.0);
        }
        taken
    }

    /// Returns the token of such a probe that was not sent.
    pub(crate) fn give_back_look(&mut self) {
        self.looks += 1.0;
        self.sure_looks += 1.0;
        self.give_back(1);
    }

    /// Returns tokens that were taken but not used.
    pub(crate) fn give_back(&mut self, packets: u32) {
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

    /// Plays five seconds in which proofs could use `proofs_wanted` packets a turn. Returns how
    /// many packets were sent for unreachable targets and for proofs.
    fn share(proofs_wanted: u32) -> (u32, u32) {
        let mut budget = Budget::new(200);
        let (mut looks, mut proofs) = (0, 0);
        for tick in 0..1000_u64 {
            budget.fill(Duration::from_millis(tick * 5));
            while budget.take_look(Look::Sure) {
                looks += 1;
            }
            for _ in 0..proofs_wanted {
                proofs += if budget.take(2) { 2 } else { 0 };
            }
            while budget.take_look(Look::Spare) {
                looks += 1;
            }
        }
        (looks, proofs)
    }

    #[test]
    fn looks_at_dead_targets_take_a_quarter_of_it_at_most_and_a_tenth_beside_proofs() {
        let (looks, proofs) = share(0);
        assert!((249..=260).contains(&looks) && proofs == 0, "{looks}");
        let (looks, proofs) = share(10);
        assert!((99..=105).contains(&looks), "{looks}");
        assert!((890..=941).contains(&proofs), "{proofs}");
    }

    #[test]
    fn who_asks_later_and_for_less_takes_nothing_away() {
        let mut budget = Budget::new(200);
        let (mut large, mut small) = (0, 0);
        for tick in 0..1000_u64 {
            budget.fill(Duration::from_millis(tick * 5));
            large += if budget.take(6) { 6 } else { 0 };
            small += i32::from(budget.take(1));
        }
        assert!((990..=1040).contains(&large) && small < 10, "{large} {small}");
    }
}
