//! How often each tunnel went up and down.

use std::collections::BTreeMap;

use crate::{model::picture::Tunnel, recency::Recency};

/// The transitions of all tunnels.
#[derive(Debug, Default)]
pub(super) struct TransitionCounts {
    /// By the tunnel's name.
    changes: BTreeMap<String, Transitions>,
    names: Recency<String>,
}

impl TransitionCounts {
    /// Counts transitions, and writes the counts into the tunnels.
    pub(super) fn note(&mut self, tunnels: &mut [Tunnel]) {
        for tunnel in &mut *tunnels {
            let changes = self.changes.entry(tunnel.name.clone()).or_default();
            changes.note(tunnel.up);
            tunnel.transitions_up = changes.went_up;
            tunnel.transitions_down = changes.went_down;
        }
        for name in self.names.see(tunnels.iter().map(|tunnel| &tunnel.name), self.changes.keys()) {
            self.changes.remove(&name);
        }
    }
}

/// The transitions of one tunnel.
#[derive(Debug, Clone, Copy, Default)]
struct Transitions {
    up: Option<bool>,
    went_up: u64,
    went_down: u64,
}

impl Transitions {
    /// Counts a transition between two known states; a reading missed in between is not one.
    fn note(&mut self, up: Option<bool>) {
        let Some(now) = up else { return };
        match (self.up.replace(now), now) {
            (Some(false), true) => self.went_up += 1,
            (Some(true), false) => self.went_down += 1,
            _ => {}
        }
    }
}
