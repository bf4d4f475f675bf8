//! A single look at paths: how often it probes, how long it waits, and when it has seen enough.
//! Shared by `check`, `probe` and `/probe`. `knock` is the few packets by which `init` gets to know a host.

pub(crate) mod knock;
pub mod one_path;
pub mod target;

use std::{
    ops::ControlFlow,
    time::{Duration, Instant},
};

use crate::{
    language::{Said, say},
    model::{
        plan::PathPlan,
        state::{Present, State},
        words::seconds,
    },
};

/// Ten small echoes a second on each path, so that ten seconds suffice to measure loss.
const ECHO_EVERY: Duration = Duration::from_millis(100);
/// After this many small echoes on each path a look may end.
pub const ECHOES: u32 = 100;
/// A search in progress extends the look to this many times its length.
const AT_MOST: u32 = 4;
/// Additional time for reflectors. One sends at most twenty packets a second and 200 kB a minute,
/// so finding an edge in each direction takes half a minute on an idle machine.
const FOR_REFLECTORS: Duration = Duration::from_mins(1);
/// How often results are checked.
const TURN: Duration = Duration::from_millis(200);

/// The timing of a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LookPlan {
    /// Time between two small echoes of a path.
    pub every: Duration,
    /// Its length if nothing has to be searched.
    pub about: Duration,
    /// Its length at most.
    pub at_most: Duration,
}

impl LookPlan {
    /// Plans at least `echoes` small echoes on each of `paths`, within a budget in packets per
    /// second. If ten a second on each path exceed it, fewer are sent and the look takes
    /// correspondingly longer.
    #[must_use]
    pub fn new(paths: usize, echoes: u32, budget_pps: u32) -> Self {
        let paths = u32::try_from(paths).unwrap_or(u32::MAX);
        let every = ECHO_EVERY.max(Duration::from_secs(1) * paths / budget_pps.max(1));
        let about = every * echoes;
        Self { every, about, at_most: about.max(every * ECHOES) * AT_MOST }
    }

    /// Adds the time that reflectors at targets need, if there are some.
    #[must_use]
    pub fn with_reflectors(self, some: bool) -> Self {
        if some { Self { at_most: self.at_most + FOR_REFLECTORS, ..self } } else { self }
    }

    /// Whether the budget makes it slower than ten echoes a second.
    #[must_use]
    pub fn is_slowed(&self) -> bool {
        self.every > ECHO_EVERY
    }

    /// Sets a path's intervals.
    pub fn pace(&self, path: &mut PathPlan) {
        path.probe_interval = self.every;
        path.sentinel_interval = path.sentinel_interval.min(Duration::from_secs(1));
    }

    /// `about 10 s, at most 40 s, 10 small echoes a second`
    pub(crate) fn said(&self) -> Said {
        let rate = 1.0 / self.every.as_secs_f64();
        let digits = usize::from(rate < 9.95);
        say!(
            "about {about}, at most {most}, {rate} small echoes a second",
            about => seconds(self.about.max(Duration::from_secs(1))),
            most => seconds(self.at_most),
            rate = format_args!("{rate:.digits$}")
        )
    }

    /// Calls `each` five times a second with what is known and the time since `began`. Ends when
    /// `each` has seen enough and no search or reflector measurement is in progress, or when the
    /// time is up.
    pub async fn watch(
        &self,
        state: &State,
        began: Instant,
        mut each: impl FnMut(&Present, Duration) -> ControlFlow<()>,
    ) {
        loop {
            tokio::time::sleep(TURN).await;
            state.ask_for_words();
            let present = state.present();
            let since = began.elapsed();
            let enough = each(&present, since).is_break();
            let settled = present.paths.iter().all(|path| path.judgement.settled && !path.awaits_reflector);
            if (enough && settled) || since >= self.at_most {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_paths_are_looked_at_longer_within_the_budget() {
        let look = |paths| {
            let look = LookPlan::new(paths, ECHOES, 200);
            (look.every, look.about, look.at_most)
        };
        let seconds = Duration::from_secs;
        assert_eq!(look(2), (ECHO_EVERY, seconds(10), seconds(40)));
        assert_eq!(look(20), (ECHO_EVERY, seconds(10), seconds(40)));
        assert_eq!(look(100), (Duration::from_millis(500), seconds(50), seconds(200)));
    }

    #[test]
    fn few_echoes_end_soon_and_leave_a_search_its_time() {
        assert_eq!(LookPlan::new(1, 5, 200).said(), "about 1 s, at most 40 s, 10 small echoes a second");
        let reflected = LookPlan::new(1, ECHOES, 200).with_reflectors(true);
        assert_eq!(reflected.said(), "about 10 s, at most 100 s, 10 small echoes a second");
        assert_eq!(LookPlan::new(1, 600, 200).said(), "about 60 s, at most 240 s, 10 small echoes a second");
    }
}
