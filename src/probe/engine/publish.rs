//! Publishes what the probers have found.

use std::sync::Arc;

use super::{super::verdict_log, Engine};
use crate::{model::state::stale, path::probe::Moment};

impl Engine {
    /// Publishes what has changed on the paths that were visited.
    pub(super) fn publish(&mut self, visited: &[usize], now: Moment) {
        let (asked, alive) = (self.state.asked(), stale::now());
        for path in visited {
            let Some(track) = self.tracks.get_mut(path) else { continue };
            track.counters().runs(alive);
            let is_to_publish = track.is_to_publish(asked, now);
            if track.is_to_check(now) || is_to_publish {
                // Ends this engine; the next one starts all tasks again.
                assert!(!track.has_lost_a_task(), "a task of path {} has died", track.plan.name);
                track.tell_reflector();
            }
            if is_to_publish {
                let observation = Arc::new(track.observation());
                let former = track.published.as_ref().map(|former| &former.judgement);
                verdict_log::tell(former, &observation);
                track.published(Arc::clone(&observation), asked, now);
                self.state.put_path(observation);
            }
        }
    }
}
