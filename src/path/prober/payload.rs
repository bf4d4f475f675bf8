//! Connections that test whether TCP carries payload ([`crate::path::tcp::payload`]).

use super::{PathProber, Role};
use crate::{
    model::types::{ProbeSize, TcpState},
    path::{
        budget::Budget,
        probe::{ByteFate, Moment, ProbeId, ProbeMethod, Send},
        refusal::Refusal,
        tcp::payload::PayloadProbe,
    },
};

/// Packets of one connection: SYN, ACK, the byte and RST.
const PACKETS: u32 = 4;

impl PathProber {
    /// Opens the connections that are due, and sends SYNs beside them.
    pub(super) fn bytes(&mut self, now: Moment, budget: &mut Budget, out: &mut Vec<Send>) {
        if !self.asks_by_byte() {
            return;
        }
        self.payload.look(now);
        while let Some(due) = self.payload.due(now) {
            if !budget.take(if matches!(due, PayloadProbe::Byte { .. }) { PACKETS } else { 1 }) {
                return;
            }
            match due {
                PayloadProbe::Byte { port, .. } => {
                    let id = self.in_flight.name();
                    self.payload.sent(due, Some(id), now);
                    out.push(Send::Byte { id, port });
                }
                PayloadProbe::Control { of } => {
                    self.payload.sent(due, None, now);
                    let role = Role::BesideBytes { of };
                    self.send(ProbeMethod::Syn, 0, self.ceiling(), ProbeSize::Control, role, now, out);
                }
            }
        }
    }

    /// Records the fate of a connection of the kernel's own.
    pub fn byte_told(&mut self, id: ProbeId, fate: ByteFate, now: Moment) {
        self.now = now;
        if let ByteFate::NotSent(Refusal::Trouble(trouble)) = fate {
            self.refused(None, trouble, now);
        }
        self.payload.learn_fate(id, fate, now);
        self.steer(now);
    }

    /// When a connection, or a SYN beside one, may next be due.
    pub(super) fn bytes_at(&self) -> Option<Moment> {
        let asks = self.asks_by_byte() && !self.reach.is_down() && !self.reach.is_suspicious();
        asks.then(|| self.payload.next_at(self.now).max(self.now))
    }

    /// Whether TCP can be tested for payload, and the finding is still to come.
    pub(in crate::path) fn awaits_byte(&self) -> bool {
        self.asks_by_byte() && self.payload.is_open()
    }

    /// The finding about TCP: if SYNs are silent, about them, else about payload if there is one.
    pub(in crate::path) fn tcp_state(&self) -> Option<TcpState> {
        let syns = self.tcp.state();
        let carries = self.payload.state().filter(|state| *state != TcpState::Answers);
        if self.tcp.is_silent() { syns } else { carries.or(syns) }
    }

    fn asks_by_byte(&self) -> bool {
        self.payload.is_asked() && self.reach.tcp_ever() && !self.tcp.is_silent()
    }
}
