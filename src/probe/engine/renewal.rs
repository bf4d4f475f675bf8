//! Changes identifiers and ports from time to time, so that no box on the way keeps old state for
//! our flows forever.
//!
//! A stateful NAT or firewall with a mapping from before a failover keeps it as long as packets
//! come, and ours always come: with constant ports a path would be dead for us alone. So one of the
//! eight flows moves to a new port every ten minutes, and the echoes move to another identifier.
//! All of them move at once when a prober has seen that only new flows pass.

use std::time::Duration;

use tracing::info;

use super::Engine;
use crate::path::{
    probe::{FLOWS, Moment},
    tcp::pinned::{MOVE_EVERY, next_to_move},
};

/// Shortest time between two renewals of all flows: several paths may report the same box.
const AT_MOST: Duration = Duration::from_secs(10);

/// When identifiers and ports were last renewed.
#[derive(Debug, Default)]
pub(super) struct Renewal {
    /// When a single flow last moved.
    slowly_at: Moment,
    flow: u8,
    /// When all flows last moved.
    at: Option<Moment>,
}

impl Renewal {
    /// If it is time, the flows that move now with the echoes: one, or none where all have a hole.
    fn slowly(&mut self, now: Moment, is_silent: impl Fn(u8) -> bool) -> Option<Vec<u8>> {
        if now.saturating_sub(self.slowly_at) < MOVE_EVERY {
            return None;
        }
        self.slowly_at = now;
        let next = next_to_move(self.flow, is_silent);
        self.flow = next.unwrap_or(self.flow);
        Some(next.into_iter().collect())
    }
}

impl Engine {
    /// Moves the next flow, if it is time.
    pub(super) fn renew_slowly(&mut self, now: Moment) {
        let tracks = &self.tracks;
        let silent = |flow: u8| {
            let mut probers = tracks.values().filter_map(|track| track.prober.as_ref());
            probers.any(|prober| prober.is_silent_on(flow))
        };
        if let Some(flows) = self.renewal.slowly(now, silent) {
            self.move_flows(&flows);
        }
    }

    /// Moves all flows and the echoes.
    pub(super) fn renew(&mut self, now: Moment) {
        if self.renewal.at.is_some_and(|at| now.saturating_sub(at) < AT_MOST) {
            return;
        }
        self.renewal.at = Some(now);
        info!("only new flows pass: switching to new ports and identifiers");
        let all: Vec<u8> = (0..FLOWS).collect();
        self.move_flows(&all);
    }

    /// Moves these flows and the echoes, and informs the probers.
    fn move_flows(&mut self, flows: &[u8]) {
        self.wire.renew(flows);
        if let Some(echoes) = &mut self.echoes {
            echoes.renew(super::random());
        }
        for prober in self.tracks.values_mut().filter_map(|track| track.prober.as_mut()) {
            prober.flows_moved(flows);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_flow_moves_every_ten_minutes_in_turn_and_one_with_a_hole_stays() {
        let mut renewal = Renewal::default();
        let with_a_hole = |flow| flow == 3 || flow == 4;
        let minutes = |minutes| Duration::from_mins(minutes);
        let second = Duration::from_secs(1);
        let mut moved = Vec::new();
        for turn in 1..=8 {
            assert_eq!(
                renewal.slowly(minutes(10 * turn).saturating_sub(second), with_a_hole),
                None,
                "{turn}"
            );
            moved.push(renewal.slowly(minutes(10 * turn), with_a_hole));
        }
        assert_eq!(moved, [1, 2, 5, 6, 7, 0, 1, 2].map(|flow| Some(vec![flow])));
        assert_eq!(renewal.slowly(minutes(90), |_| true), Some(Vec::new()), "the echoes move whatever stays");
        assert_eq!(renewal.slowly(minutes(100), |_| false), Some(vec![3]));
    }
}
