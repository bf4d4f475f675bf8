//! What the prober does when a packet was not answered in time.

use super::{PathProber, Role, Sent, SentEcho, answers::entrant};
use crate::{
    model::types::{ProbeProtocol, ProbeResult},
    path::{
        hole::detect::Detect,
        loss::own_host::SizeClass,
        pairs::Fate,
        probe::{Moment, ProbeMethod},
    },
};

impl PathProber {
    /// Expires packets that were not answered in time, as of the time up to which everything that
    /// arrived has been reported.
    pub(super) fn expire(&mut self, now: Moment) {
        let now = self.reported_until.map_or(now, |until| until.min(now));
        let timeout = self.rtt.timeout();
        while let Some(sent) = self.in_flight.next_late(timeout, now) {
            self.left(sent);
            if sent.doubtful {
                self.unheard(sent, now);
            } else {
                if let Some(kind) = self.kind(sent) {
                    self.local.lost(kind);
                }
                self.lost(sent, now);
            }
        }
        while let Some(sent) = self.in_flight.next_given_up(now) {
            self.count(sent.probe, if sent.doubtful { ProbeResult::Void } else { ProbeResult::Lost });
        }
        while let Some((seq, echo)) = self.in_flight.next_late_echo(timeout, now) {
            self.local.left(SizeClass::Small, echo.at);
            if echo.doubtful {
                self.local.unheard(SizeClass::Small, now);
            } else {
                self.local.lost(SizeClass::Small);
                self.echo_lost(seq, echo, now);
            }
        }
        while let Some(echo) = self.in_flight.next_given_up_echo(now) {
            if echo.doubtful { self.counters.void(1) } else { self.counters.lost() }
        }
    }

    pub(super) fn echo_lost(&mut self, seq: u64, echo: SentEcho, now: Moment) {
        if !self.reach.is_down() {
            // The loss of an echo sent in an outage that is over by now belongs to that outage.
            let says = self.reach.icmp_ever() && !self.icmp_rate.is_rationed();
            if says && self.back_at.is_none_or(|back| echo.at >= back) {
                self.loss.decide(seq, echo.at, true, now);
            }
            self.reach.small_lost(ProbeProtocol::Icmp, now);
            self.old_lost_of(ProbeProtocol::Icmp, now);
        }
    }

    pub(super) fn lost(&mut self, sent: Sent, now: Moment) {
        self.syn_lost(sent, now);
        self.old_lost(sent, now);
        let method = sent.probe.method;
        match sent.role {
            Role::Elsewhere { .. } | Role::Asked { .. } => {}
            Role::Shot(_) | Role::OldOrNew { .. } | Role::BesideBytes { .. } => {
                self.half_decided(sent, Fate::Lost, now);
            }
            Role::TcpPair { .. } => {
                self.half_decided(sent, Fate::Lost, now);
                if self.tcp.is_silent() {
                    self.syn.stop();
                    self.payload.calm();
                }
            }
            Role::Small { burst, .. } => {
                if self.reach.tcp_ever() {
                    self.decide_by_syn(sent, true, now);
                }
                self.small_lost(burst, now);
            }
            Role::Sentinel if method == ProbeMethod::Echo && !self.icmp_usable() => {}
            Role::Sentinel if self.reach.is_down() => {}
            Role::Sentinel => {
                if method == ProbeMethod::Syn && sent.probe.size > self.syn.top_of(sent.probe.flow) {
                    self.walks.tcp_unanswered(sent.probe.size);
                }
                if self.walks.doubt(method, sent.probe.flow, sent.probe.size) {
                    self.restand(now);
                } else {
                    self.detector_mut(method).sentinel_lost(sent.probe.flow, sent.probe.size, now);
                }
            }
            Role::Single { serial, large } => {
                if large && serial == self.single.serial {
                    self.single.large_lost = true;
                    self.judge_single(sent.probe.size, now);
                }
            }
            Role::Beyond => self.beyond_lost(method, now),
            Role::Above => self.above_lost(),
            Role::Contest { round } => {
                let silent = self.contest.lost(round, entrant(sent.probe), now);
                self.found_silent(silent, sent.probe.size, now);
            }
        }
    }

    pub(super) fn small_lost(&mut self, burst: Option<u32>, now: Moment) {
        match burst {
            Some(serial) => {
                if self.reach.burst_lost(serial, now) {
                    self.loss.forget_outage(now);
                    self.tcp.calm();
                    self.payload.calm();
                    self.pinned.calm();
                    if !self.fragments.is_silent() {
                        // What passed before the outage says nothing of what passes after it.
                        self.fragments.clear();
                    }
                    for method in ProbeMethod::ALL {
                        self.detector_mut(method).stop();
                    }
                }
            }
            None if self.reach.is_down() => {
                self.reach.own_small(false, now);
            }
            None => self.reach.small_lost(ProbeProtocol::Tcp, now),
        }
    }
}
