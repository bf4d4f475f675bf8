//! Packets on new flows beside packets on old ones, so that a middlebox that keeps old flows dead
//! is not taken for silence of the path ([`crate::path::tcp::pinned`]).

use super::{PathProber, Role, Sent, answers::is_large};
use crate::{
    model::types::{ProbeProtocol, ProbeSize},
    path::{
        budget::Budget,
        hole::flow_set::FlowSet,
        pairs::Fate,
        probe::{Moment, ProbeMethod, Send},
        settings::{IcmpProbes, TcpProbes},
    },
};

impl PathProber {
    /// Sends the pairs of an old flow and a new one that are due, and moves all flows if needed.
    pub(super) fn old_and_new(&mut self, now: Moment, budget: &mut Budget, out: &mut Vec<Send>) {
        if self.pinned.take_news() {
            out.push(Send::Renew);
        }
        let mut rng = self.rng.fork();
        while let Some(due) = self.pinned.due(now, &mut rng) {
            let (method, flow) = match due.protocol {
                ProbeProtocol::Icmp => (ProbeMethod::Echo, Some(0)),
                ProbeProtocol::Tcp => (ProbeMethod::Syn, self.free_flow()),
            };
            let Some(flow) = flow else { return };
            if !budget.take(2) {
                return;
            }
            self.pinned.sent(now);
            for new in [due.new_first, !due.new_first] {
                let role = Role::OldOrNew { serial: due.serial, pair: due.pair, new };
                let flow = if new { 0 } else { flow };
                self.send(method, flow, self.ceiling(), ProbeSize::Control, role, now, out);
            }
        }
    }

    /// Whether a packet of that role goes out on a flow that was never used before.
    pub(super) fn is_fresh(&self, role: Role, method: ProbeMethod) -> bool {
        let can = match method {
            ProbeMethod::Echo => self.settings.icmp > IcmpProbes::None,
            ProbeMethod::Fragments => false,
            ProbeMethod::Syn => self.settings.tcp == TcpProbes::Sized,
        };
        can && match role {
            Role::Small { fresh, .. } => fresh,
            Role::OldOrNew { new, .. } => new,
            Role::BesideBytes { .. } => true,
            Role::TcpPair { pair, syn, .. } => syn && pair % 2 == 1,
            // Whatever its identifier, ICMP between two hosts is hashed as one flow.
            Role::Shot(shot) => method == ProbeMethod::Echo && shot.pair % 4 == 3,
            _ => false,
        }
    }

    /// Records the fate of half of a pair of an old flow and a new one.
    pub(super) fn compare(&mut self, (serial, pair, new): (u32, usize, bool), fate: Fate, now: Moment) {
        if self.pinned.resolve(serial, pair, new, fate, now) {
            // Packets lost on the dead flow are no loss of the path.
            self.loss.forget_outage(now);
        }
    }

    /// A packet of an old flow was lost.
    pub(super) fn old_lost(&mut self, sent: Sent, now: Moment) {
        let counts =
            !sent.probe.fresh && !is_large(sent.probe) && sent.probe.method != ProbeMethod::Fragments;
        let own = sent.probe.method != ProbeMethod::Syn
            || (self.settings.tcp == TcpProbes::Sized && sent.probe.port == self.settings.tcp_port);
        if counts && own && !matches!(sent.role, Role::OldOrNew { .. } | Role::Asked { .. }) {
            self.old_lost_of(sent.probe.method.protocol(), now);
        }
    }

    pub(super) fn old_lost_of(&mut self, protocol: ProbeProtocol, now: Moment) {
        let ever = match protocol {
            ProbeProtocol::Icmp => self.reach.icmp_ever(),
            ProbeProtocol::Tcp => self.reach.tcp_ever(),
        };
        self.pinned.old_lost(protocol, ever && !self.reach.is_down(), now);
    }

    /// Whether a hole is proven on that TCP flow.
    #[must_use]
    pub fn is_silent_on(&self, flow: u8) -> bool {
        self.syn.silent().contains(flow)
    }

    /// These TCP flows have moved to new ports, and echoes to a new identifier.
    pub fn flows_moved(&mut self, flows: &[u8]) {
        let moved: FlowSet = flows.iter().copied().collect();
        self.syn.look_at(moved);
        if flows.len() > 1 {
            // Findings on dead flows are void.
            self.echo.stop_for_new_flow();
            self.fragments.stop_for_new_flow();
            self.due.sentinel = self.now;
        }
    }
}
