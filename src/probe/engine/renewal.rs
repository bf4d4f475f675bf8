//! Other identifiers and ports, so that no box on the way remembers our flows for ever.
//!
//! A stateful NAT or firewall that keeps an old mapping after a failover keeps it as long as packets come, and ours always come: with
//! constant ports a path would be dead for us alone. So one flow of eight moves to a new port every ten minutes, and echoes to
//! another identifier; all of them at once where a prober has seen that only new flows pass.

use std::time::Duration;

use tracing::info;

use super::Engine;
use crate::path::{
    probe::{FLOWS, Moment},
    tcp::pinned::{MOVE_EVERY, next_to_move},
};

/// Of several paths that see the same box forget, one has all renewed.
const AT_MOST: Duration = Duration::from_secs(10);

/// When identifiers and ports were last renewed.
#[derive(Debug, Default)]
pub(super) struct Renewal {
    /// One flow.
    slowly_at: Moment,
    flow: u8,
    /// All.
    at: Option<Moment>,
}

impl Engine {
    /// The next flow moves, if it is time.
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

    /// All flows move, and echoes too.
    pub(super) fn renew(&mut self, now: Moment) {
        if self.renewal.at.is_some_and(|at| now.saturating_sub(at) < AT_MOST) {
            return;
        }
        self.renewal.at = Some(now);
        info!("only new flows pass: all go over to other ports and identifiers");
        let all: Vec<u8> = (0..FLOWS).collect();
        self.move_flows(&all);
    }

    /// These flows move, and echoes too; the probers are told.
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
