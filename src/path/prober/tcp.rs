//! Packets that test whether TCP passes where ping does ([`crate::path::tcp::life`]).

use std::time::Duration;

use super::{PathProber, Role, Sent, answers::is_large};
use crate::{
    model::types::{ProbeProtocol, ProbeSize},
    path::{
        budget::Budget,
        probe::{Moment, ProbeMethod, Send},
        settings::TcpProbes,
    },
};

/// The time between two connections of the kernel's own to a port that answers.
const LOOK_BY_CONNECT: Duration = Duration::from_mins(1);

impl PathProber {
    /// Sends the pairs of a SYN and a small echo that are due.
    pub(super) fn tcp_pairs(&mut self, now: Moment, budget: &mut Budget, out: &mut Vec<Send>) {
        let mut rng = self.rng.fork();
        while let Some(due) = self.tcp.due(now, &mut rng) {
            let Some(flow) = self.free_flow() else { return };
            if !budget.take(2) {
                return;
            }
            self.tcp.sent(due, now);
            let size = self.ceiling();
            for syn in [due.syn_first, !due.syn_first] {
                let (method, flow) = if syn { (ProbeMethod::Syn, flow) } else { (ProbeMethod::Echo, 0) };
                let role = Role::TcpPair { serial: due.serial, pair: due.pair, port: due.port, syn };
                self.send(method, flow, size, ProbeSize::Control, role, now, out);
            }
        }
    }

    /// Whether the kernel is to open a connection to a port that has answered. Without raw SYNs
    /// nothing else tests that port. This is rare, because the connection is visible at the target.
    pub(super) fn connect_is_due(&self, now: Moment) -> bool {
        let lately = |at| now.saturating_sub(at) < LOOK_BY_CONNECT;
        self.settings.tcp == TcpProbes::Small && !self.reach.tcp_answered().is_some_and(lately)
    }

    /// Sends a bare SYN to the path's port or, while that is silent, in some turns to another port.
    pub(super) fn look_by_syn(&mut self, now: Moment, out: &mut Vec<Send>) {
        let port = self.tcp.look();
        // The port is 0 where SYNs are not judged: no echo is sent, or the port is borrowed.
        let elsewhere = port > 0 && port != self.settings.tcp_port && !self.reach.is_suspicious();
        if !elsewhere {
            self.send_small(ProbeProtocol::Tcp, (None, false), now, out);
        } else if let Some(flow) = self.free_flow() {
            let role = Role::Elsewhere { port };
            self.send(ProbeMethod::Syn, flow, self.ceiling(), ProbeSize::Control, role, now, out);
        }
    }

    /// Whether this is a SYN to another port than the path's own, whose answer says only that the
    /// target is there.
    pub(super) fn is_elsewhere(&self, sent: Sent) -> bool {
        sent.probe.method == ProbeMethod::Syn && sent.probe.port != self.settings.tcp_port
    }

    /// A SYN outside the bursts of pairs and of small probes was lost. Where echoes are answered,
    /// such losses may start a burst that tests whether SYNs pass at all.
    pub(super) fn syn_lost(&mut self, sent: Sent, now: Moment) {
        let alone = !matches!(
            sent.role,
            Role::TcpPair { .. }
                | Role::OldOrNew { .. }
                | Role::Small { burst: Some(_), .. }
                | Role::Asked { .. }
        );
        if sent.probe.method == ProbeMethod::Syn && alone && !self.reach.is_down() {
            let may_begin = self.reach.icmp_ever() && !self.reach.is_suspicious();
            self.tcp.lost(sent.probe.port, !is_large(sent.probe), may_begin, now);
        }
    }

    /// Whether padded SYNs are sent now.
    pub(super) fn asks_by_syn(&self) -> bool {
        self.can_size_syn() && self.reach.tcp_ever() && !self.tcp.is_silent() && !self.tcp.is_asking()
    }
}
