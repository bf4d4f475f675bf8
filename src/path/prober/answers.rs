//! What answers, signals and silence mean for the machine.

use std::time::Duration;

use super::{PathProber, Role, Sent, SentEcho, beyond::Looks};
use crate::{
    model::{
        family::Family,
        types::{Bytes, ProbeProtocol, ProbeResult, ProbeSize},
    },
    path::{
        hole::{asking::Asking, flow_set::FlowSet, proof::Fate},
        loss::{icmp_rate::SharedRate, own_host::Kind},
        probe::{Answer, LANES, Lane, Moment, Probe, ProbeId, Reply},
        too_big::contest::Entrant,
    },
};

/// What a Linux bridge lets pass above the MTU of a port.
const VLAN_TAG: Bytes = 4;

/// All fragments but the last carry a multiple of this.
const PIECE_STEP: Bytes = 8;

/// So soon after a size above where a walk stands was answered, all flows are looked at there.
const LOOK_SOON: Duration = Duration::from_secs(1);

impl PathProber {
    /// The regular small echo `seq` was answered after `rtt`.
    pub fn echo_reply(&mut self, seq: u64, rtt: Duration, now: Moment) {
        self.now = now;
        let Some(echo) = self.in_flight.echo_answered(seq, rtt) else { return };
        self.local.left(Kind::Small, echo.at);
        self.local.decided();
        if echo.doubtful {
            self.stats.void += 1;
        } else {
            self.stats.replies += 1;
            self.stats.late += u64::from(echo.expired);
            self.stats.rtt.observe(rtt);
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

    /// What became of a probe of ours. Unknown names (older than 5 s) are ignored.
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
            self.local.decided();
        }
        match answer {
            Answer::Passed(reply) => self.replied(sent, reply, now),
            Answer::TooBig { mtu, by_target } => {
                self.reach.signalled();
                match sent.role {
                    Role::Beyond => self.target.signalled(mtu, by_target, now),
                    Role::Above => self.above_answered(),
                    _ => {}
                }
                if by_target {
                    self.told_by_target = Some(mtu);
                }
                self.too_big(sent, mtu, now);
            }
            Answer::NotSent(refusal) => self.not_sent(sent, refusal, now),
        }
        self.steer(now);
    }

    /// The target, or a box in its stead, has replied.
    fn replied(&mut self, sent: Sent, reply: Reply, now: Moment) {
        let protocol = sent.probe.lane.protocol();
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
        let sized = sent.probe.lane != Lane::Syn && is_large(sent.probe) && sent.role != Role::Above;
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

    /// An IPv6 target that has heard "too big" sends its replies in fragments for the next 10 minutes.
    /// Where silence was proven before, our own probes may have taught it that: a bridge is silent about
    /// full-size frames and signals the few bytes it allows for a VLAN tag. Then the hole is still there
    /// for others, although every size comes back.
    fn in_pieces(&self, sent: Sent, reply: Reply) -> Option<Bytes> {
        let teaches = if self.can_fragment() { Lane::Fragments } else { Lane::Echo };
        let lane = if teaches == Lane::Fragments { &self.fragments } else { &self.echo };
        let taught = |largest: Bytes| match (lane.silent_from(), lane.last_edge()) {
            // Pieces larger than the edge contradict the hole; much smaller ones were taught by others.
            (Some(_), Some(edge)) => largest <= edge && largest + VLAN_TAG + PIECE_STEP > edge,
            (silent, _) => silent.is_some(),
        };
        let asked = sent.probe.lane == teaches && is_large(sent.probe);
        reply.largest_fragment.filter(|largest| {
            asked && self.settings.family == Family::V6 && *largest < sent.probe.size && taught(*largest)
        })
    }

    fn passed_in_pieces(&mut self, sent: Sent, largest: Bytes, now: Moment) {
        if let Role::Shot(shot) = sent.role {
            if sent.probe.lane == Lane::Echo {
                self.echo.came_in_pieces();
            }
            let lane = self.lane_mut(sent.probe.lane);
            lane.resolve(shot, Fate::Void, now);
            lane.signalled(shot, largest, false, now);
        }
    }

    fn passed(&mut self, sent: Sent, now: Moment) {
        let (lane, flow, size) = (sent.probe.lane, sent.probe.flow, sent.probe.size);
        if lane == Lane::Syn && is_large(sent.probe) && size > self.syn.top_of(flow) {
            // The signals for it no longer hold on this flow, and perhaps not on others.
            self.walks.passed(lane, flow, size);
            self.due.look_above = self.due.look_above.min(now + LOOK_SOON);
            self.restand(now);
        }
        if is_large(sent.probe) && lane != Lane::Fragments {
            self.walks.answered(lane, flow, size);
        }
        match sent.role {
            Role::Small { .. } => {
                self.decide_by_syn(sent, false, now);
                if self.reach.own_small(true, now) {
                    self.is_back(now);
                }
            }
            Role::Sentinel => self.lane_mut(lane).large_passed(flow, size, now),
            Role::Contest { round } => {
                let silent = self.contest.answered(round, entrant(sent.probe), now);
                self.lane_mut(lane).large_passed(flow, size, now);
                self.found_silent(silent, size, now);
            }
            Role::Single { serial, large } => {
                if large {
                    self.lane_mut(lane).large_passed(flow, size, now);
                } else if serial == self.single.serial {
                    self.single.control_answered = true;
                    self.judge_single(size, now);
                }
            }
            Role::Shot(_) | Role::OldOrNew { .. } | Role::TcpPair { .. } | Role::BesideBytes { .. } => {
                self.half_decided(sent, Fate::Answered, now);
            }
            Role::Elsewhere { .. } => {}
            Role::Beyond => self.beyond_passed(lane, size, now),
            Role::Above => self.above_answered(),
        }
        let above = is_large(sent.probe) && lane != Lane::Syn && size > self.lane(lane).top();
        if above && self.lane(lane).passing() == Some(size) {
            // A recheck above the walk has passed: the signals for it no longer hold here.
            self.walks.passed(lane, flow, size);
            // What is over for one protocol may be over for the other.
            self.due.look_above = now;
            self.restand(now);
        }
    }

    fn too_big(&mut self, sent: Sent, mtu: Bytes, now: Moment) {
        let size = sent.probe.size;
        if let Role::Shot(shot) = sent.role {
            self.lane_mut(sent.probe.lane).resolve(shot, Fate::Void, now);
        }
        if sent.probe.purpose == ProbeSize::Control || mtu >= size {
            return;
        }
        let (lane, ceiling) = (sent.probe.lane, self.ceiling());
        let (echo, syn) = (&self.echo, &self.syn);
        let passes = |lane, flow| if lane == Lane::Syn { syn.passing_on(flow) } else { echo.passing() };
        let on_walk = self.walks.hear((lane, sent.probe.flow), ceiling, (size, mtu), passes, now);
        if on_walk {
            self.signalled_at = Some(now);
            self.restand(now);
        }
        if let Role::Contest { round } = sent.role {
            let silent = self.contest.signalled(round, entrant(sent.probe), now);
            self.found_silent(silent, size, now);
        }
        match sent.role {
            Role::Shot(shot) => self.lane_mut(lane).signalled(shot, mtu, on_walk, now),
            Role::Sentinel if !on_walk => self.lane_mut(lane).refused(sent.probe.flow, size, mtu, now),
            _ => {}
        }
    }

    /// TCP flows stay silent at a size that is signalled to others: they are on a leg of their own.
    fn found_silent(&mut self, flows: FlowSet, size: Bytes, now: Moment) {
        if !flows.is_empty() {
            self.walks.found_silent(flows, size);
            self.restand(now);
            self.syn.look_above(flows.iter().map(|flow| (flow, size)));
        }
    }

    fn lost(&mut self, sent: Sent, now: Moment) {
        self.syn_lost(sent, now);
        self.old_lost(sent, now);
        let lane = sent.probe.lane;
        match sent.role {
            Role::Elsewhere { .. } => {}
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
            Role::Sentinel if lane == Lane::Echo && !self.icmp_usable() => {}
            Role::Sentinel if self.reach.is_down() => {}
            Role::Sentinel => {
                if lane == Lane::Syn && sent.probe.size > self.syn.top_of(sent.probe.flow) {
                    self.walks.tcp_unanswered(sent.probe.size);
                }
                if self.walks.doubt(lane, sent.probe.flow, sent.probe.size) {
                    self.restand(now);
                } else {
                    self.lane_mut(lane).sentinel_lost(sent.probe.flow, sent.probe.size, now);
                }
            }
            Role::Single { serial, large } => {
                if large && serial == self.single.serial {
                    self.single.large_lost = true;
                    self.judge_single(sent.probe.size, now);
                }
            }
            Role::Beyond => self.beyond_lost(lane, now),
            Role::Above => self.above_lost(),
            Role::Contest { round } => {
                let silent = self.contest.lost(round, entrant(sent.probe), now);
                self.found_silent(silent, sent.probe.size, now);
            }
        }
    }

    /// What became of half of a pair, of whatever proof; nothing of other packets.
    pub(super) fn half_decided(&mut self, sent: Sent, fate: Fate, now: Moment) {
        match sent.role {
            Role::Shot(shot) => self.lane_mut(sent.probe.lane).resolve(shot, fate, now),
            Role::TcpPair { serial, pair, syn, .. } => self.tcp.resolve(serial, pair, syn, fate, now),
            Role::OldOrNew { serial, pair, new } => self.compare((serial, pair, new), fate, now),
            Role::BesideBytes { of } => self.payload.resolve_control(of, fate, now),
            _ => {}
        }
    }

    fn small_lost(&mut self, burst: Option<u32>, now: Moment) {
        match burst {
            Some(serial) => {
                if self.reach.burst_lost(serial, now) {
                    self.loss.forget_outage(now);
                    self.tcp.calm();
                    self.payload.calm();
                    self.pinned.calm();
                    if !self.fragments.is_silent() {
                        // What passed before the outage tells nothing of what comes after it.
                        self.fragments.clear();
                    }
                    for lane in LANES {
                        self.lane_mut(lane).stop();
                    }
                }
            }
            None if self.reach.is_down() => {
                self.reach.own_small(false, now);
            }
            None => self.reach.small_lost(ProbeProtocol::Tcp, now),
        }
    }

    fn judge_single(&mut self, size: Bytes, now: Moment) {
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

    /// Another path to the same address was answered: the target is there.
    pub fn peer_answered(&mut self, protocol: ProbeProtocol, now: Moment) {
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
            // Perhaps by another port.
            self.reach.signalled();
        }
    }

    /// Counts what is asked of the target by ICMP together with other paths to its address.
    pub fn share_rate(&mut self, rate: SharedRate) {
        self.icmp_rate = rate;
    }

    /// What is known of how often the target answers, for other paths to its address.
    #[must_use]
    pub fn rate(&self) -> SharedRate {
        self.icmp_rate.clone()
    }

    fn is_back(&mut self, now: Moment) {
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

    /// What has had its time and is not answered, of all that has been told.
    pub(super) fn expire(&mut self, now: Moment) {
        let now = self.told_until.map_or(now, |until| until.min(now));
        let timeout = self.rtt.timeout();
        while let Some(sent) = self.in_flight.next_late(timeout, now) {
            self.left(sent);
            if sent.doubtful {
                self.unheard(sent, now);
            } else {
                self.local.decided();
                self.lost(sent, now);
            }
        }
        while let Some(sent) = self.in_flight.next_given_up(now) {
            self.count(sent.probe, if sent.doubtful { ProbeResult::Void } else { ProbeResult::Lost });
        }
        while let Some((seq, echo)) = self.in_flight.next_late_echo(timeout, now) {
            self.local.left(Kind::Small, echo.at);
            if echo.doubtful {
                self.local.unheard();
            } else {
                self.local.decided();
                self.echo_lost(seq, echo, now);
            }
        }
        while let Some(echo) = self.in_flight.next_given_up_echo(now) {
            *if echo.doubtful { &mut self.stats.void } else { &mut self.stats.lost } += 1;
        }
    }

    fn echo_lost(&mut self, seq: u64, echo: SentEcho, now: Moment) {
        if !self.reach.is_down() {
            // Sent in an outage that is over by now: its loss belongs to that.
            let says = self.reach.icmp_ever() && !self.icmp_rate.is_rationed();
            if says && self.back_at.is_none_or(|back| echo.at >= back) {
                self.loss.decide(seq, echo.at, true, now);
            }
            self.reach.small_lost(ProbeProtocol::Icmp, now);
            self.old_lost_of(ProbeProtocol::Icmp, now);
        }
    }

    /// Where ICMP has never answered, the regular small SYN takes the place of the echo.
    fn decide_by_syn(&mut self, sent: Sent, lost: bool, now: Moment) {
        if matches!(sent.role, Role::Small { burst: None, .. })
            && !self.reach.icmp_ever()
            && !self.reach.is_down()
        {
            self.loss.decide(sent.probe.id.0, sent.at, lost, now);
        }
    }

    pub(super) fn count(&mut self, probe: Probe, result: ProbeResult) {
        *self.size_probes.entry((probe.lane.protocol(), probe.purpose, result)).or_default() += 1;
    }
}

pub(super) fn entrant(probe: Probe) -> Entrant {
    if probe.lane == Lane::Syn { Entrant::Tcp(probe.flow) } else { Entrant::Icmp }
}

pub(super) fn is_large(probe: Probe) -> bool {
    probe.purpose != ProbeSize::Control
}
