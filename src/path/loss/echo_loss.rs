//! Loss of the regular small echo, and when it makes a path lossy.
//!
//! The hysteresis comes from the two bounds of one confidence interval: a path becomes lossy when
//! the lower bound rises above the threshold, and stops being lossy when the upper bound falls
//! below it.

use std::{cmp::Ordering, collections::VecDeque, time::Duration};

use crate::path::probe::Moment;

const WINDOW: Duration = Duration::from_mins(5);
/// How often what is older is removed.
const SWEEP: Duration = Duration::from_secs(5);
const LEAST: usize = 20;
/// Room for so many echoes is added at a time.
const ROOM: usize = 76;

/// Two-sided 95 % quantile of the normal distribution.
const Z: f64 = 1.959_964;

/// An echo whose result is known. There are three hundred for each path, so sequence number and time
/// are kept in four bytes each: their differences are right, whatever was cut off.
#[derive(Debug, Clone, Copy)]
struct Echo {
    seq: u32,
    /// In milliseconds.
    sent: u32,
    lost: bool,
}

impl Echo {
    fn age(self, now: Moment) -> Duration {
        Duration::from_millis(millis(now).wrapping_sub(self.sent).into())
    }

    /// Its place relative to the echo of that number.
    fn against(self, seq: u32) -> Ordering {
        self.seq.wrapping_sub(seq).cast_signed().cmp(&0)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "differences remain")]
fn millis(at: Moment) -> u32 {
    at.as_millis() as u32
}

#[expect(clippy::cast_possible_truncation, reason = "differences remain")]
fn short(seq: u64) -> u32 {
    seq as u32
}

/// The echoes of the last 300 s in the order of their sequence numbers, and whether each was lost.
#[derive(Debug, Clone)]
pub(crate) struct SmallLoss {
    threshold: f64,
    echoes: VecDeque<Echo>,
    /// How many of them were lost.
    lost: usize,
    /// When what is older than the window was last removed.
    swept_at: Moment,
    lossy: bool,
    /// The state when an echo was last answered; later losses may be an outage.
    lossy_before: bool,
}

/// Echoes and losses in the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LossCount {
    /// Echoes with a known result: answered or lost.
    pub sent: usize,
    /// How many of them were lost.
    pub lost: usize,
}

impl LossCount {
    /// Lost echoes as a percentage of `sent`.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of one window, far below 2^52")]
    pub(crate) fn percent(self) -> f64 {
        if self.sent == 0 { 0.0 } else { self.lost as f64 * 100.0 / self.sent as f64 }
    }
}

impl SmallLoss {
    /// `threshold` is the round-trip loss, 0 to 1, above which a path is lossy.
    #[must_use]
    pub(crate) fn new(threshold: f64) -> Self {
        Self {
            threshold,
            echoes: VecDeque::new(),
            lost: 0,
            swept_at: Moment::ZERO,
            lossy: false,
            lossy_before: false,
        }
    }

    /// Records whether echo `seq`, sent at `sent`, was lost; a late reply may revise this.
    pub(crate) fn decide(&mut self, seq: u64, sent: Moment, lost: bool, now: Moment) {
        let echo = Echo { seq: short(seq), sent: millis(sent), lost };
        self.lost += usize::from(lost);
        match self.place_of(seq) {
            Ok(place) => {
                let former = std::mem::replace(&mut self.echoes[place], echo);
                self.lost -= usize::from(former.lost);
            }
            Err(place) => {
                if self.echoes.len() == self.echoes.capacity() {
                    self.echoes.reserve_exact(ROOM);
                }
                self.echoes.insert(place, echo);
            }
        }
        self.update(now);
        if !lost {
            self.lossy_before = self.lossy;
        }
    }

    /// A late reply revises a loss that is still in the window.
    pub(crate) fn take_back(&mut self, seq: u64, now: Moment) {
        if let Ok(place) = self.place_of(seq) {
            self.lost -= usize::from(std::mem::take(&mut self.echoes[place].lost));
            self.update(now);
        }
    }

    /// Removes an echo whose result means nothing.
    pub(crate) fn forget(&mut self, seq: u64, now: Moment) {
        if let Some(echo) = self.place_of(seq).ok().and_then(|place| self.echoes.remove(place)) {
            self.lost -= usize::from(echo.lost);
        }
        self.update(now);
    }

    /// Where the echo of that number is, or belongs.
    fn place_of(&self, seq: u64) -> Result<usize, usize> {
        let seq = short(seq);
        match self.echoes.back() {
            // Nearly always the newest.
            Some(last) if last.against(seq) == Ordering::Less => Err(self.echoes.len()),
            _ => self.echoes.binary_search_by(|echo| echo.against(seq)),
        }
    }

    /// Removes the losses at the end of the window: they belong to an outage.
    pub(crate) fn forget_outage(&mut self, now: Moment) {
        while self.echoes.pop_back_if(|echo| echo.lost).is_some() {
            self.lost -= 1;
        }
        self.lossy = self.lossy_before;
        self.update(now);
    }

    /// Whether the path is lossy.
    #[must_use]
    pub(crate) fn is_lossy(&self) -> bool {
        self.lossy
    }

    /// Echoes and losses in the window.
    #[must_use]
    pub(crate) fn count(&self) -> LossCount {
        LossCount { sent: self.echoes.len(), lost: self.lost }
    }

    /// The counts without the losses at the end of the window, which may be an outage.
    #[must_use]
    pub(crate) fn count_before_outage(&self) -> LossCount {
        let outage = self.echoes.iter().rev().take_while(|echo| echo.lost).count();
        let LossCount { sent, lost } = self.count();
        LossCount { sent: sent - outage, lost: lost - outage }
    }

    fn update(&mut self, now: Moment) {
        if now.saturating_sub(self.swept_at) >= SWEEP {
            self.swept_at = now;
            self.echoes.retain(|echo| echo.age(now) <= WINDOW);
            self.lost = self.echoes.iter().filter(|echo| echo.lost).count();
        }
        let count = self.count();
        if count.sent < LEAST {
            return;
        }
        let (lower, upper) = wilson(count);
        let outage_begins = self.echoes.iter().rev().take(2).all(|echo| echo.lost);
        if lower > self.threshold && !outage_begins {
            self.lossy = true;
        } else if upper < self.threshold {
            self.lossy = false;
        }
    }
}

/// The 95 % score interval of a proportion (Wilson 1927), lower and upper bound.
#[expect(clippy::cast_precision_loss, reason = "counts of one window, far below 2^52")]
fn wilson(count: LossCount) -> (f64, f64) {
    let n = count.sent as f64;
    let p = count.lost as f64 / n;
    let z2 = Z * Z;
    let centre = p + z2 / (2.0 * n);
    let spread = Z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    (((centre - spread) / scale).max(0.0), ((centre + spread) / scale).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(threshold: f64, fates: impl IntoIterator<Item = bool>) -> SmallLoss {
        let mut loss = SmallLoss::new(threshold);
        for (seq, lost) in (0..).zip(fates) {
            let at = Duration::from_secs(seq);
            loss.decide(seq, at, lost, at);
        }
        loss
    }

    #[test]
    fn the_interval_is_wilsons() {
        // Newcombe 1998, table I: 15 of 148.
        let (lower, upper) = wilson(LossCount { sent: 148, lost: 15 });
        assert!((lower - 0.0624).abs() < 5e-4, "{lower}");
        assert!((upper - 0.1605).abs() < 5e-4, "{upper}");
    }

    #[test]
    fn two_lost_of_twenty_are_not_enough_and_four_are() {
        assert!(!fed(0.03, (0..20).map(|i| i < 2)).is_lossy());
        assert!(fed(0.03, (0..20).map(|i| i < 4)).is_lossy());
    }

    #[test]
    fn losses_at_the_end_may_be_an_outage() {
        let loss = fed(0.03, (0..20).map(|i| i == 3 || i > 14));
        assert_eq!(loss.count(), LossCount { sent: 20, lost: 6 });
        assert_eq!(loss.count_before_outage(), LossCount { sent: 15, lost: 1 });
    }

    #[test]
    fn fewer_than_twenty_echoes_decide_nothing() {
        assert!(!fed(0.03, (0..19).map(|_| true)).is_lossy());
    }

    #[test]
    fn a_lossy_path_stays_lossy_until_the_upper_bound_is_below_the_threshold() {
        let mut loss = fed(0.03, (0..40).map(|i| i % 5 == 0));
        assert!(loss.is_lossy());
        let mut clean = 0;
        for seq in 40..400 {
            let at = Duration::from_secs(seq);
            loss.decide(seq, at, false, at);
            clean += 1;
            if !loss.is_lossy() {
                break;
            }
        }
        assert!(!loss.is_lossy());
        assert!(clean > 100, "left after only {clean} clean echoes");
    }

    #[test]
    fn a_late_reply_takes_back_its_loss() {
        let mut loss = fed(0.03, (0..40).map(|i| i >= 38));
        assert_eq!(loss.count(), LossCount { sent: 40, lost: 2 });
        loss.take_back(39, Duration::from_secs(41));
        assert_eq!(loss.count(), LossCount { sent: 40, lost: 1 });
    }

    #[test]
    fn results_in_any_order_and_beyond_four_bytes_are_counted_alike() {
        let (from, seconds) = (u64::from(u32::MAX) - 150, u64::from(u32::MAX / 1000) - 100);
        let mut loss = SmallLoss::new(0.03);
        for turn in 0..1000 {
            // Each second one is told before the one that was sent before it.
            let seq = from + (turn ^ 1);
            let at = Duration::from_secs(seconds + (turn ^ 1));
            loss.decide(seq, at, seq % 10 == 0, Duration::from_secs(seconds + turn + 1));
        }
        let LossCount { sent, lost } = loss.count();
        assert!((300..=307).contains(&sent) && lost.abs_diff(sent / 10) <= 1, "{lost} of {sent}");
        assert!(
            loss.echoes.iter().zip(loss.echoes.iter().skip(1)).all(|(a, b)| a.seq.wrapping_add(1) == b.seq)
        );
        let newest = from + 999;
        loss.forget(newest, Duration::from_secs(seconds + 1000));
        assert_eq!(loss.count().sent, sent - 1);
    }

    #[test]
    fn an_outage_is_not_loss() {
        let mut loss = fed(0.03, (0..40).map(|i| i >= 30));
        assert!(!loss.is_lossy());
        loss.forget_outage(Duration::from_secs(40));
        assert_eq!(loss.count(), LossCount { sent: 30, lost: 0 });
    }
}
