//! What the prober does when packets are answered, by the target or by Packet Too Big.

use std::time::Duration;

use super::{PathProber, Role, Sent, beyond::Looks};
use crate::{
    model::types::{Bytes, ProbeProtocol, ProbeResult, ProbeSize},
    path::{
        loss::{icmp_rate::SharedRate, own_host::SizeClass},
        pairs::Fate,
        probe::{Answer, Moment, Probe, ProbeId, ProbeMethod, Reply},
        too_big::contest::Entrant,
    },
};

/// How soon all flows are tested above the size that path MTU discovery has arrived at, after one
/// of them was answered there.
const LOOK_SOON: Duration = Duration::from_secs(1);

impl PathProber {
    /// The regular small echo `seq` was answered after `rtt`.
    pub fn echo_reply(&mut self, seq: u64, rtt: Duration, now: Moment) {
        self.now = now;
        let Some(echo) = self.in_flight.echo_answered(seq, rtt) else { return };
        self.local.left(SizeClass::Small, echo.at);
        self.local.answered(SizeClass::Small);
        if echo.doubtful {
            self.counters.void(1);
        } else {
            self.counters.reply(rtt, echo.expired);
            self.rtt.observe(rtt, now);
        }
        if echo.expired {
            self.loss.take_back(seq, now);
        } else if !self.reach.is_down() {
            self.loss.decide(seq, echo.at, false, now);
        }
        self.pinned.old_answered(ProbeProtocol::Icmp);
        self.heard(ProbeProtocol::Icmp, now);
    }

    /// Takes in the answer to a probe, or that it was not sent. Unknown ids (older than 5 s) are
    /// ignored.
    pub fn answer(&mut self, id: ProbeId, answer: Answer, now: Moment) {
        self.now = now;
        let Some(sent) = self.in_flight.answered(id, now) else { return };
        let result = match answer {
            Answer::Passed(_) => ProbeResult::Answered,
            Answer::TooBig { .. } => ProbeResult::TooBig,
            Answer::NotSent(_) => ProbeResult::Error,
        };
        self.count(sent.probe, result);
        if !matches!(answer, Answer::NotSent(_)) {
            self.left(sent);
            self.local.answered(self.kind(sent).unwrap_or(SizeClass::Small));
        }
        match answer {
            Answer::Passed(reply) => self.replied(sent, reply, now),
            Answer::TooBig { mtu, by_target } => {
                self.reach.signalled();
                match sent.role {
                    Role::Beyond => self.target.signalled(mtu, by_target, now),
                    Role::Above => self.above_answered(),
                    Role::Asked { large } => self.asked_too_big(large),
                    _ => {}
                }
                if by_target {
                    self.mtu_from_target = Some(mtu);
                }
                self.too_big(sent, mtu, now);
            }
            Answer::NotSent(refusal) => self.not_sent(sent, refusal, now),
        }
        self.steer(now);
    }

    /// The target, or a middlebox in its stead, has replied.
    fn replied(&mut self, sent: Sent, reply: Reply, now: Moment) {
        let protocol = sent.probe.method.protocol();
        if !sent.doubtful {
            self.rtt.observe(now.saturating_sub(sent.at), now);
        }
        if !sent.probe.fresh && !self.is_elsewhere(sent) {
            self.pinned.old_answered(protocol);
        }
        if self.is_elsewhere(sent) {
            self.tcp.heard(sent.probe.port, now);
            self.reach.signalled();
        } else {
            self.heard(protocol, now);
            self.origin.observe(protocol, reply);
        }
        let sized = sent.probe.method != ProbeMethod::Syn && is_large(sent.probe) && sent.role != Role::Above;
        let of_target_alone = sized && self.see_pieces(sent, reply, now);
        if let Some(mss) = reply.mss.filter(|_| !self.is_elsewhere(sent)) {
            self.learn_target_mtu(Bytes::from(mss), now);
        }
        match self.in_pieces(sent, reply) {
            Some(largest) => self.passed_in_pieces(sent, largest, now),
            None if of_target_alone => {}
            None => self.passed(sent, now),
        }
    }

    fn passed(&mut self, sent: Sent, now: Moment) {
        let (method, flow, size) = (sent.probe.method, sent.probe.flow, sent.probe.size);
        if method == ProbeMethod::Syn && is_large(sent.probe) && size > self.syn.top_of(flow) {
            // Packet Too Big for this size no longer holds on this flow, and perhaps not on others.
            self.walks.passed(method, flow, size);
            self.due.look_above = self.due.look_above.min(now + LOOK_SOON);
            self.restand(now);
        }
        if is_large(sent.probe) && method != ProbeMethod::Fragments {
            self.walks.answered(method, flow, size);
        }
        match sent.role {
            Role::Small { .. } => {
                self.decide_by_syn(sent, false, now);
                if self.reach.own_small(true, now) {
                    self.is_back(now);
                }
            }
            Role::Sentinel => self.detector_mut(method).large_passed(flow, size, now),
            Role::Contest { round } => {
                let silent = self.contest.answered(round, entrant(sent.probe), now);
                self.detector_mut(method).large_passed(flow, size, now);
                self.found_silent(silent, size, now);
            }
            Role::Single { serial, large } => {
                if large {
                    self.detector_mut(method).large_passed(flow, size, now);
                } else if serial == self.single.serial {
                    self.single.control_answered = true;
                    self.judge_single(size, now);
                }
            }
            Role::Shot(_) | Role::OldOrNew { .. } | Role::TcpPair { .. } | Role::BesideBytes { .. } => {
                self.half_decided(sent, Fate::Answered, now);
            }
            Role::Elsewhere { .. } => {}
            Role::Beyond => self.beyond_passed(method, size, now),
            Role::Above => self.above_answered(),
            Role::Asked { large } => self.asked_passed(sent, large, now),
        }
        let above = is_large(sent.probe) && method != ProbeMethod::Syn && size > self.detector(method).top();
        if above && self.detector(method).passing() == Some(size) {
            // A recheck above the size that discovery has arrived at has passed: Packet Too Big for
            // it no longer holds here.
            self.walks.passed(method, flow, size);
            // Perhaps it no longer holds for the other protocol either.
            self.due.look_above = now;
            self.restand(now);
        }
    }

    /// Records the fate of half of a pair, whatever it is to prove. Ignores other packets.
    pub(super) fn half_decided(&mut self, sent: Sent, fate: Fate, now: Moment) {
        match sent.role {
            Role::Shot(shot) => self.detector_mut(sent.probe.method).resolve(shot, fate, now),
            Role::TcpPair { serial, pair, syn, .. } => self.tcp.resolve(serial, pair, syn, fate, now),
            Role::OldOrNew { serial, pair, new } => self.compare((serial, pair, new), fate, now),
            Role::BesideBytes { of } => self.payload.resolve_control(of, fate, now),
            _ => {}
        }
    }

    pub(super) fn judge_single(&mut self, size: Bytes, now: Moment) {
        if self.single.large_lost && self.single.control_answered {
            self.walks.single_unanswered(size, now);
            self.single.large_lost = false;
        }
    }

    fn heard(&mut self, protocol: ProbeProtocol, now: Moment) {
        if protocol == ProbeProtocol::Icmp {
            self.icmp_rate.answered(now);
        }
        let tcp = protocol == ProbeProtocol::Tcp;
        let first = tcp && (!self.reach.tcp_ever() || self.tcp.is_silent());
        if tcp {
            self.tcp.heard(self.settings.tcp_port, now);
        }
        self.reach.heard(protocol, now);
        self.syn.heard();
        self.fragments.heard();
        if first {
            self.due.syn = now;
            self.syn.look_around();
        }
    }

    /// Another path to the same address was answered, so the target is there.
    pub(crate) fn peer_answered(&mut self, protocol: ProbeProtocol, now: Moment) {
        self.now = now;
        if protocol == ProbeProtocol::Tcp {
            self.tcp.elsewhere(None);
        }
        if self.reach.is_down() {
            if self.reach.own_small(true, now) {
                self.is_back(now);
            }
        } else if protocol == ProbeProtocol::Icmp {
            self.reach.heard(protocol, now);
        } else {
            // The answer may have come from another port than this path's.
            self.reach.signalled();
        }
    }

    /// Counts ICMP packets together with other paths to the target's address.
    pub(crate) fn share_rate(&mut self, rate: SharedRate) {
        self.icmp_rate = rate;
    }

    /// The count of ICMP packets sent and answered, for other paths to the target's address.
    #[must_use]
    pub(crate) fn rate(&self) -> SharedRate {
        self.icmp_rate.clone()
    }

    pub(super) fn is_back(&mut self, now: Moment) {
        self.back_at = Some(now);
        self.due.sentinel = now;
    }

    fn learn_target_mtu(&mut self, mss: Bytes, now: Moment) {
        if self.target.name(self.settings.family, mss, now) {
            self.looks = Looks::new(now);
            self.restand(now);
        }
        if self.echo.decided_at().is_none() {
            self.due.sentinel = self.due.sentinel.min(now);
        }
    }

    /// Where ICMP has never been answered, the regular small SYN measures loss instead of the echo.
    pub(super) fn decide_by_syn(&mut self, sent: Sent, lost: bool, now: Moment) {
        if matches!(sent.role, Role::Small { burst: None, .. })
            && !self.reach.icmp_ever()
            && !self.reach.is_down()
        {
            self.loss.decide(sent.probe.id.0, sent.at, lost, now);
        }
    }

    pub(super) fn count(&self, probe: Probe, result: ProbeResult) {
        self.counters.size_probe(probe.method.protocol(), probe.purpose, result);
    }
}

pub(super) fn entrant(probe: Probe) -> Entrant {
    if probe.method == ProbeMethod::Syn { Entrant::Tcp(probe.flow) } else { Entrant::Icmp }
}

pub(super) fn is_large(probe: Probe) -> bool {
    probe.purpose != ProbeSize::Control
}
