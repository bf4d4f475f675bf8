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

impl Engine {
    /// Moves the next flow, if it is time.
    pub(super) fn renew_slowly(&mut self, now: Moment) {
        if now.saturating_sub(self.renewal.slowly_at) < MOVE_EVERY {
            return;
        }
        self.renewal.slowly_at = now;
        let silent = |flow: u8| {
            let mut probers = self.tracks.values().filter_map(|track| track.prober.as_ref());
            probers.any(|prober| prober.is_silent_on(flow))
        };
        let next = next_to_move(self.renewal.flow, silent);
        self.renewal.flow = next.unwrap_or(self.renewal.flow);
        self.move_flows(next.as_slice());
    }

    /// Moves all flows and the echoes.
    pub(super) fn renew(&mut self, now: Moment) {
        if self.renewal.at.is_some_and(|at| now.saturating_sub(at) < AT_MOST) {
            return;
        }
        self.renewal.at = Some(now);
        info!("only new flows pass: all go over to other ports and identifiers");
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
