//! Whether this process keeps up with its paths, and what it sends less of if it does not.
//!
//! It sheds in this order: sentinels every 2nd, 4th, 8th, then 16th time, and only then echoes
//! every 2nd, 4th, then 8th time. Bursts of pairs are limited by the budget anyway.

use std::time::Duration;

use tracing::{info, warn};

use crate::{
    model::state::ProbeLoad,
    path::{probe::Moment, settings::Pace},
};

/// How often it decides.
const WINDOW: Duration = Duration::from_secs(1);
/// An echo that left this much after it was due left too late.
const LATE: Duration = Duration::from_millis(50);
/// The share of the time in which the loop worked above which it cannot keep up, and below which it
/// could do twice as much.
const BUSY: f64 = 0.95;
const IDLE: f64 = 0.45;
/// So many bad windows in a row make it send less: one alone may be a stop of the process.
const BAD: u32 = 2;
/// So many good windows in a row make it send more.
const GOOD: u32 = 30;
/// For this long after answers may have been lost it says that it is overloaded.
const SAYS: Duration = Duration::from_mins(1);
const SENTINEL_LEVELS: u32 = 4;
const LEVELS: u32 = SENTINEL_LEVELS + 3;

/// How well this process keeps up.
#[derive(Debug, Default)]
pub(super) struct Load {
    told: ProbeLoad,
    level: u32,
    window: Window,
    bad: u32,
    good: u32,
    /// When answers may have been lost last.
    missed_at: Option<Moment>,
}

/// What happened since the last decision.
#[derive(Debug, Default)]
struct Window {
    began: Moment,
    echoes: u32,
    late: u32,
    worked: Duration,
    missed: bool,
}

impl Load {
    /// Continues what an engine that died has published.
    pub(super) fn told(told: ProbeLoad) -> Self {
        Self { told, ..Self::default() }
    }

    /// A regular echo left so long after it was due.
    pub(super) fn left(&mut self, late: Duration) {
        self.told.late.observe(late);
        self.window.echoes += 1;
        self.window.late += u32::from(late > LATE);
    }

    /// This process was stopped or starved, or so many answers found a receive buffer full.
    pub(super) fn missed(&mut self, dropped: u32, now: Moment) {
        self.told.dropped += u64::from(dropped);
        self.window.missed |= dropped > 0;
        self.missed_at = Some(now);
    }

    /// A turn of the loop took so long.
    pub(super) fn worked(&mut self, took: Duration) {
        self.window.worked += took;
    }

    /// How often regular packets are sent at present.
    pub(super) fn pace(&self) -> Pace {
        let sentinels = self.level.min(SENTINEL_LEVELS);
        Pace { sentinel: 1 << sentinels, echo: 1 << (self.level - sentinels) }
    }

    /// Once a second: decides, and returns what to publish.
    pub(super) fn decide(&mut self, now: Moment) -> Option<ProbeLoad> {
        let lasted = now.saturating_sub(self.window.began);
        if lasted < WINDOW {
            return None;
        }
        let window = std::mem::replace(&mut self.window, Window { began: now, ..Window::default() });
        let busy = window.worked.as_secs_f64() / lasted.as_secs_f64();
        let late = f64::from(window.late) / f64::from(window.echoes.max(1));
        let is_bad = window.missed || late > 0.01 || busy > BUSY;
        let is_good = !window.missed && late < 0.001 && busy < IDLE;
        self.bad = if is_bad { self.bad + 1 } else { 0 };
        self.good = if is_good { self.good + 1 } else { 0 };
        let before = self.level;
        if self.bad >= BAD && self.level < LEVELS {
            self.level += 1;
            self.bad = 0;
        } else if self.good >= GOOD && self.level > 0 {
            self.level -= 1;
            self.good = 0;
        }
        self.log(before);
        let missed = self.missed_at.is_some_and(|at| now.saturating_sub(at) < SAYS);
        self.told.overloaded = self.level > 0 || missed;
        Some(self.told.clone())
    }

    fn log(&self, before: u32) {
        let Pace { sentinel, echo } = self.pace();
        if before == 0 && self.level > 0 {
            warn!(
                "this process cannot keep up with its paths: sentinels, then echoes, become rarer until it can \
                 (vxlan_exporter_overloaded)"
            );
        } else if before > 0 && self.level == 0 {
            info!("this process keeps up with its paths again");
        } else if before != self.level {
            info!(sentinel, echo, "one in so many sentinels and echoes is sent");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const MS: Duration = Duration::from_millis(1);

    /// Plays so many seconds, each with a hundred echoes that leave `late` and a loop that works
    /// for `worked`.
    fn play(load: &mut Load, now: &mut Moment, seconds: u32, late: Duration, worked: Duration) -> Vec<Pace> {
        let mut paces = vec![load.pace()];
        for _ in 0..seconds {
            (0..100).for_each(|_| load.left(late));
            load.worked(worked);
            *now += SECOND;
            load.decide(*now).expect("a second has passed");
            if paces.last() != Some(&load.pace()) {
                paces.push(load.pace());
            }
        }
        paces
    }

    #[test]
    fn sentinels_become_rarer_first_and_echoes_last() {
        let (mut load, mut now) = (Load::default(), Moment::ZERO);
        let pace = |sentinel, echo| Pace { sentinel, echo };
        let shed = play(&mut load, &mut now, 30, MS * 80, MS * 990);
        let order =
            [(1, 1), (2, 1), (4, 1), (8, 1), (16, 1), (16, 2), (16, 4), (16, 8)].map(|(s, e)| pace(s, e));
        assert_eq!(shed, order);
        assert!(load.told.overloaded);
        play(&mut load, &mut now, 600, MS, MS * 800);
        assert_eq!(load.pace(), order[7], "it has no room for more");
        let mut back = play(&mut load, &mut now, 600, MS, MS * 100);
        back.reverse();
        assert_eq!(back, order);
        assert!(!load.told.overloaded);
    }

    #[test]
    fn a_stop_is_told_for_a_minute_and_changes_nothing() {
        let (mut load, mut now) = (Load::default(), Moment::ZERO);
        play(&mut load, &mut now, 10, MS, MS * 100);
        load.missed(0, now);
        assert_eq!(play(&mut load, &mut now, 1, SECOND * 5, MS * 100), [Pace::default()]);
        assert!(load.told.overloaded);
        assert_eq!(play(&mut load, &mut now, 58, MS, MS * 100), [Pace::default()]);
        assert!(load.told.overloaded);
        play(&mut load, &mut now, 1, MS, MS * 100);
        assert!(!load.told.overloaded);
        assert_eq!((load.told.late.count(), load.told.dropped), (7000, 0));
    }

    #[test]
    fn what_the_kernel_drops_makes_it_send_less() {
        let (mut load, mut now) = (Load::default(), Moment::ZERO);
        for _ in 0..2 {
            load.missed(7, now);
            play(&mut load, &mut now, 1, MS, MS * 100);
        }
        assert_eq!((load.pace().sentinel, load.told.dropped), (2, 14));
    }
}
