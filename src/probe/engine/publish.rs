//! Publishes what the probers have found.

use super::{super::verdict_log, Engine};
use crate::path::probe::Moment;

impl Engine {
    /// Publishes what has changed on the paths that were visited.
    pub(super) fn publish(&mut self, visited: &[usize], now: Moment) {
        for path in visited {
            let Some(track) = self.tracks.get_mut(path) else { continue };
            if !track.is_to_publish(now) {
                continue;
            }
            // Ends this engine; the next one starts all tasks again.
            assert!(!track.has_lost_a_task(), "a task of path {} has died", track.plan.name);
            track.tell_reflector();
            let observation = track.observation();
            verdict_log::tell(track.judged.as_ref(), &observation);
            track.published(&observation.judgement, now);
            self.state.put_path(observation);
        }
    }
}
