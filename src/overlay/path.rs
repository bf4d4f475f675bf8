//! The prober of one path: a pure machine. It is asked what to send now, and told what came back.
//!
//! It joins the regular small echo and the sentinels with three lanes. The echo lane watches; when
//! it falls silent, the TCP lane tells at once whether forward passes, and the fragment lane whether
//! reverse does. Given the same seed, times and answers it does the same again.

use std::{collections::BTreeMap, time::Duration};

use fastrand::Rng;

use super::{
    lane::{LaneProber, Urgency},
    observation::{EchoStats, ExpectedMtu},
    probe_plan::{Answer, Budget, FLOWS, Lane, Moment, Probe, ProbeId, Send},
    proof::{Fate, Shot},
    reach::Reach,
    rtt::{GIVE_UP, RttWindow},
    small_loss::SmallLoss,
    verdict::Confirmed,
    walk::Walk,
};
use crate::types::{Bytes, ProbeProtocol, ProbeResult, ProbeSize};

/// A path's TCP sentinel, and the look at the reverse direction of a reduced path, are this rare.
const RARE: Duration = Duration::from_secs(5);
/// How long the first sentinel waits for the target's SYN-ACK to name its MSS.
const WAIT_FOR_MSS: Duration = Duration::from_millis(300);
/// While a signal is remembered, sizes above it are sent at most this often.
const SINGLE: Duration = Duration::from_secs(2);

/// What one path's prober needs to know.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Time between two small echoes.
    pub probe_interval: Duration,
    /// Time between two sentinels.
    pub sentinel_interval: Duration,
    /// The expected MTU, if configured.
    pub expected_mtu: Option<Bytes>,
    /// Round-trip loss above which the path is lossy, 0..1.
    pub loss_threshold: f64,
    /// Whether DF echoes can be sized (needs an ICMP socket of our own).
    pub echo: bool,
    /// Whether padded SYNs can be sent: `CAP_NET_RAW` and a port.
    pub syn: bool,
    /// Whether echo requests can be sent in fragments: `CAP_NET_RAW`.
    pub fragments: bool,
}

/// What the hosts at both ends can take, as far as known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostMtu {
    /// The MTU of our own egress interface: what can be tested.
    pub testable: Bytes,
    /// What hosts of our site have: at least `testable`.
    pub hosts: Bytes,
    /// Where `hosts` comes from.
    pub rule: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// A small probe of our own: suspicion, unreachable, or the first SYN.
    Small { burst: Option<u32> },
    /// A sentinel of a lane.
    Sentinel,
    /// A single packet above where the walk stands, or its control.
    Single { serial: u32, large: bool },
    /// Half of a pair.
    Shot(Shot),
}

#[derive(Debug, Clone, Copy)]
struct Sent {
    probe: Probe,
    role: Role,
    at: Moment,
    expired: bool,
}

#[derive(Debug, Clone, Copy)]
struct SentEcho {
    at: Moment,
    expired: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Single {
    serial: u32,
    large_lost: bool,
    control_answered: bool,
}

/// The prober of one path.
#[derive(Debug, Clone)]
pub struct PathProber {
    pub(super) settings: Settings,
    rng: Rng,
    pub(super) hosts: HostMtu,
    pub(super) target_mtu: Option<Bytes>,
    pub(super) rtt: RttWindow,
    pub(super) reach: Reach,
    pub(super) loss: SmallLoss,
    walk: Walk,
    pub(super) echo: LaneProber,
    pub(super) syn: LaneProber,
    pub(super) fragments: LaneProber,
    pub(super) stats: EchoStats,
    size_probes: BTreeMap<(ProbeProtocol, ProbeSize, ProbeResult), u64>,
    sent: BTreeMap<ProbeId, Sent>,
    echoes: BTreeMap<u64, SentEcho>,
    next_id: u64,
    single: Single,
    single_at: Option<Moment>,
    echo_at: Moment,
    sentinel_at: Moment,
    syn_at: Moment,
    fragments_at: Moment,
    /// Since when the echo lane is in doubt: what the other lanes found before does not count.
    pub(super) doubt_since: Option<Moment>,
    /// The path MTU of each direction as last confirmed; stays while a search is under way.
    pub(super) confirmed: Confirmed,
    pub(super) now: Moment,
}

impl PathProber {
    /// A prober that begins at `now`.
    #[must_use]
    pub fn new(settings: Settings, hosts: HostMtu, seed: u64, now: Moment) -> Self {
        let top = settings.expected_mtu.unwrap_or(hosts.hosts).min(hosts.testable);
        let wait =
            if settings.syn && settings.expected_mtu.is_none() { WAIT_FOR_MSS } else { Duration::ZERO };
        Self {
            rng: Rng::with_seed(seed),
            target_mtu: None,
            rtt: RttWindow::default(),
            reach: Reach::new(settings.syn),
            loss: SmallLoss::new(settings.loss_threshold),
            walk: Walk::default(),
            echo: LaneProber::new(Lane::Echo, top),
            syn: LaneProber::new(Lane::Syn, top),
            fragments: LaneProber::new(Lane::Fragments, top),
            stats: EchoStats::default(),
            size_probes: BTreeMap::new(),
            sent: BTreeMap::new(),
            echoes: BTreeMap::new(),
            next_id: 0,
            single: Single::default(),
            single_at: None,
            echo_at: now,
            sentinel_at: now + wait,
            syn_at: now,
            fragments_at: now,
            doubt_since: None,
            confirmed: Confirmed::default(),
            now,
            settings,
            hosts,
        }
    }

    /// The expected MTU and by which rule: configured, else the smaller of what hosts of our site
    /// have and what the target's SYN-ACK names.
    #[must_use]
    pub fn expected(&self) -> ExpectedMtu {
        match (self.settings.expected_mtu, self.target_mtu) {
            (Some(bytes), _) => ExpectedMtu { bytes, rule: "configured".to_owned() },
            (None, Some(bytes)) if bytes < self.hosts.hosts => {
                ExpectedMtu { bytes, rule: "MSS in the target's SYN-ACK".to_owned() }
            }
            (None, _) => ExpectedMtu { bytes: self.hosts.hosts, rule: self.hosts.rule.clone() },
        }
    }

    /// The largest size that can be tested: the expected MTU, or what our own interface lets out.
    #[must_use]
    pub fn ceiling(&self) -> Bytes {
        self.expected().bytes.min(self.hosts.testable)
    }

    /// What our hosts can take has changed.
    pub fn set_hosts(&mut self, hosts: HostMtu, now: Moment) {
        if self.hosts != hosts {
            self.hosts = hosts;
            self.restand(now);
        }
    }

    /// Goes on with the counters of a prober of the same path (the target's address has changed).
    pub fn take_over(&mut self, former: &Self) {
        self.stats = former.stats.clone();
        // What is in flight to the former address is given up.
        self.stats.lost += former.echoes.len() as u64;
        self.size_probes.clone_from(&former.size_probes);
        self.next_id = former.next_id;
    }

    /// Counts of the regular small echo.
    #[must_use]
    pub fn echo_stats(&self) -> &EchoStats {
        &self.stats
    }

    /// Size probes by protocol, purpose and result.
    #[must_use]
    pub fn size_probes(&self) -> &BTreeMap<(ProbeProtocol, ProbeSize, ProbeResult), u64> {
        &self.size_probes
    }

    /// What is due whatever the budget: expiries, the regular echo, the sentinels.
    pub fn regular(&mut self, now: Moment, out: &mut Vec<Send>) {
        self.now = now;
        self.expire(now);
        self.walk.expire(now);
        self.restand(now);
        self.steer(now);
        if now >= self.echo_at {
            self.echo_at = next_turn(self.echo_at, self.settings.probe_interval, now);
            self.send_echo(now, out);
        }
        if self.reach.is_down() {
            return;
        }
        if now >= self.sentinel_at && self.settings.echo {
            self.sentinel_at = next_turn(self.sentinel_at, self.settings.sentinel_interval, now);
            self.send_echo_sentinel(now, out);
        }
        let syn_every = if self.echo.is_silent() || self.syn.is_silent() || !self.icmp_usable() {
            self.settings.sentinel_interval
        } else {
            RARE
        };
        self.syn_at = self.syn_at.min(now + syn_every);
        if self.settings.syn && now >= self.syn_at && self.reach.tcp_ever() {
            self.syn_at = next_turn(self.syn_at, syn_every, now);
            self.send_syn_sentinel(now, out);
        }
        if let Some(every) = self.fragments_every() {
            self.fragments_at = self.fragments_at.min(now + every);
            if now >= self.fragments_at {
                self.fragments_at = next_turn(self.fragments_at, every, now);
                let (size, purpose) = self.fragments.sentinel();
                self.send(Lane::Fragments, 0, size, purpose, Role::Sentinel, now, out);
            }
        }
    }

    /// What bursts of that urgency want sent within the budget.
    pub fn burst(&mut self, urgency: Urgency, now: Moment, budget: &mut Budget, out: &mut Vec<Send>) {
        if urgency == Urgency::Unreachable {
            self.small_burst(now, budget, out);
            return;
        }
        if self.reach.is_down() || self.reach.is_suspicious() {
            return;
        }
        for lane in [Lane::Echo, Lane::Syn, Lane::Fragments] {
            while self.lane(lane).urgency() == Some(urgency)
                && self.lane(lane).next_at().is_some_and(|at| at <= now || lane == Lane::Syn)
            {
                let packets = 2 * lane.packets(self.lane(lane).top());
                if !budget.take(packets) {
                    return;
                }
                let busy = self.busy_flows();
                let mut rng = self.rng.fork();
                let shots = self.lane_mut(lane).shots(now, |flow| !busy[usize::from(flow)], &mut rng);
                if shots.is_empty() {
                    budget.give_back(packets);
                    break;
                }
                if shots.len() == 1 {
                    budget.give_back(packets / 2);
                }
                for shot in shots {
                    self.send(lane, shot.flow, shot.size, shot.purpose, Role::Shot(shot), now, out);
                }
            }
        }
    }

    /// When to call again if nothing comes in.
    #[must_use]
    pub fn next_at(&self) -> Moment {
        let timeout = self.rtt.timeout();
        let expiry = |at: Moment, expired: bool| at + if expired { GIVE_UP } else { timeout };
        let lanes = [&self.echo, &self.syn, &self.fragments];
        self.sent
            .values()
            .map(|sent| expiry(sent.at, sent.expired))
            .chain(self.echoes.values().map(|echo| expiry(echo.at, echo.expired)))
            .chain(lanes.iter().filter_map(|lane| lane.next_at()).map(|at| at.max(self.now)))
            .chain(self.reach.next_at())
            .chain([self.echo_at, self.sentinel_at])
            .chain(self.settings.syn.then_some(self.syn_at))
            .chain(self.fragments_every().map(|_| self.fragments_at))
            .min()
            .unwrap_or(self.echo_at)
    }

    /// The regular small echo `seq` was answered after `rtt`.
    pub fn echo_reply(&mut self, seq: u64, rtt: Duration, now: Moment) {
        self.now = now;
        let Some(echo) = self.echoes.get(&seq).copied() else { return };
        if rtt >= GIVE_UP {
            return;
        }
        self.echoes.remove(&seq);
        self.stats.replies += 1;
        self.stats.late += u64::from(echo.expired);
        self.stats.rtt.observe(rtt);
        self.rtt.observe(rtt);
        if echo.expired {
            self.loss.take_back(seq, now);
        } else if !self.reach.is_down() {
            self.loss.decide(seq, echo.at, false, now);
        }
        self.heard(ProbeProtocol::Icmp, now);
    }

    /// What became of a probe of ours. Unknown names (older than 5 s) are ignored.
    pub fn answer(&mut self, id: ProbeId, answer: Answer, now: Moment) {
        self.now = now;
        let Some(sent) = self.sent.get(&id).copied() else { return };
        if now.saturating_sub(sent.at) >= GIVE_UP {
            return;
        }
        self.sent.remove(&id);
        let protocol = sent.probe.lane.protocol();
        let result = match answer {
            Answer::Passed { .. } => ProbeResult::Answered,
            Answer::TooBig { .. } => ProbeResult::TooBig,
            Answer::NotSent => ProbeResult::Error,
        };
        self.count(sent.probe, result);
        match answer {
            Answer::Passed { mss } => {
                self.rtt.observe(now.saturating_sub(sent.at));
                self.heard(protocol, now);
                if let Some(mss) = mss {
                    self.learn_target_mtu(Bytes::from(mss) + 40, now);
                }
                self.passed(sent, now);
            }
            Answer::TooBig { mtu } => {
                self.heard(protocol, now);
                self.too_big(sent, mtu, now);
            }
            Answer::NotSent => self.not_sent(sent, now),
        }
        self.steer(now);
    }

    fn passed(&mut self, sent: Sent, now: Moment) {
        let lane = sent.probe.lane;
        match sent.role {
            Role::Small { .. } => {
                self.decide_by_syn(sent, false, now);
                if self.reach.own_small(true, now) {
                    self.sentinel_at = now;
                }
            }
            Role::Sentinel => self.lane_mut(lane).large_passed(sent.probe.size, now),
            Role::Single { serial, large } => {
                if large {
                    self.lane_mut(lane).large_passed(sent.probe.size, now);
                } else if serial == self.single.serial {
                    self.single.control_answered = true;
                    self.judge_single(sent.probe.size);
                }
            }
            Role::Shot(shot) => self.lane_mut(lane).resolve(shot, Fate::Answered, now),
        }
        let top = self.lane(lane).top();
        if let Some(size) = self.lane(lane).passing()
            && size > top
        {
            // A recheck above the walk has passed: the signals for it no longer hold.
            self.walk.passed(size);
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
        let on_walk = self.walk.hear(self.ceiling(), size, mtu, now);
        if on_walk {
            self.restand(now);
        }
        if let Role::Shot(shot) = sent.role {
            self.lane_mut(sent.probe.lane).signalled(shot, mtu, on_walk, now);
        }
    }

    fn not_sent(&mut self, sent: Sent, now: Moment) {
        if let Role::Shot(shot) = sent.role {
            self.lane_mut(sent.probe.lane).resolve(shot, Fate::Void, now);
        } else if let Role::Small { burst } = sent.role {
            // No route, no neighbour: a small packet that cannot leave is as lost as any other.
            self.small_lost(burst, now);
        }
    }

    fn lost(&mut self, sent: Sent, now: Moment) {
        let lane = sent.probe.lane;
        match sent.role {
            Role::Small { burst } => {
                if self.reach.tcp_ever() {
                    self.decide_by_syn(sent, true, now);
                }
                self.small_lost(burst, now);
            }
            Role::Sentinel if lane == Lane::Echo && !self.icmp_usable() => {}
            Role::Sentinel if self.reach.is_down() => {}
            Role::Sentinel => self.lane_mut(lane).sentinel_lost(sent.probe.size, now),
            Role::Single { serial, large } => {
                if large && serial == self.single.serial {
                    self.single.large_lost = true;
                    self.judge_single(sent.probe.size);
                }
            }
            Role::Shot(shot) => self.lane_mut(lane).resolve(shot, Fate::Lost, now),
        }
    }

    fn small_lost(&mut self, burst: Option<u32>, now: Moment) {
        match burst {
            Some(serial) => {
                if self.reach.burst_lost(serial, now) {
                    self.loss.forget_outage(now);
                    for lane in [Lane::Echo, Lane::Syn, Lane::Fragments] {
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

    fn judge_single(&mut self, size: Bytes) {
        if self.single.large_lost && self.single.control_answered {
            self.walk.single_unanswered(size);
            self.single.large_lost = false;
        }
    }

    fn heard(&mut self, protocol: ProbeProtocol, now: Moment) {
        let first = protocol == ProbeProtocol::Tcp && !self.reach.tcp_ever();
        self.reach.heard(protocol, now);
        if first {
            self.syn_at = now;
        }
    }

    fn learn_target_mtu(&mut self, mtu: Bytes, now: Moment) {
        if self.target_mtu != Some(mtu) {
            self.target_mtu = Some(mtu);
            self.restand(now);
        }
        if self.echo.decided_at().is_none() {
            self.sentinel_at = self.sentinel_at.min(now);
        }
    }

    /// Where the walk stands now; a change is looked at without waiting for the next sentinel.
    fn restand(&mut self, now: Moment) {
        let ceiling = self.ceiling();
        let top = self.walk.stands_at(ceiling);
        if top != self.echo.top() {
            self.echo.stand_at(top, now);
            self.sentinel_at = self.sentinel_at.min(now);
        }
        self.syn.stand_at(top, now);
        self.fragments.stand_at(ceiling, now);
    }

    /// Sets the other lanes to work while the echo lane is in doubt, and clears them when it is not.
    fn steer(&mut self, now: Moment) {
        if self.reach.is_down() || self.reach.is_suspicious() {
            return;
        }
        let ceiling = self.ceiling();
        if !self.echo.is_silent() && !self.echo.is_proving() {
            if self.doubt_since.take().is_some() {
                if self.echo.passing() == Some(ceiling) {
                    // A whole reply at full size passed both ways.
                    self.fragments.clear();
                }
                if self.echo.passing().is_some() && self.syn.is_silent() {
                    self.syn.recheck(self.syn.top(), now);
                }
            }
        } else {
            let since = *self.doubt_since.get_or_insert(now);
            let after = |lane: &LaneProber| lane.decided_at().is_some_and(|at| at >= since);
            let syn_fresh = after(&self.syn) || self.syn.is_silent();
            if self.settings.syn && self.reach.tcp_ever() && !syn_fresh && self.syn.is_idle(now) {
                self.syn.hint(self.edge_of_echo());
                self.syn.prove(now);
            }
            let forward_passes = self.syn.passing().is_some() && after(&self.syn);
            let wanted = self.echo.is_silent() || forward_passes;
            let fragments_fresh = after(&self.fragments) || self.fragments.is_silent();
            if self.settings.fragments && wanted && !fragments_fresh && self.fragments.is_idle(now) {
                self.fragments.hint(self.edge_of_echo());
                self.fragments.prove(now);
            }
        }
        for lane in [Lane::Echo, Lane::Syn, Lane::Fragments] {
            self.lane_mut(lane).resume(now);
        }
        self.confirm();
    }

    fn edge_of_echo(&self) -> Vec<Bytes> {
        self.echo.hole().map(|hole| vec![hole.answered]).unwrap_or_default()
    }

    fn expire(&mut self, now: Moment) {
        let timeout = self.rtt.timeout();
        let due: Vec<ProbeId> = self
            .sent
            .iter()
            .filter(|(_, sent)| {
                let age = now.saturating_sub(sent.at);
                age >= GIVE_UP || (!sent.expired && age >= timeout)
            })
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            let Some(sent) = self.sent.get_mut(&id) else { continue };
            let first = !std::mem::replace(&mut sent.expired, true);
            let sent = *sent;
            if first {
                self.lost(sent, now);
            }
            if now.saturating_sub(sent.at) >= GIVE_UP {
                self.sent.remove(&id);
                self.count(sent.probe, ProbeResult::Lost);
            }
        }
        let echoes: Vec<u64> = self.echoes.keys().copied().collect();
        for seq in echoes {
            let Some(echo) = self.echoes.get_mut(&seq) else { continue };
            let age = now.saturating_sub(echo.at);
            if !echo.expired && age >= timeout {
                echo.expired = true;
                let echo = *echo;
                self.echo_lost(seq, echo, now);
            }
            if age >= GIVE_UP {
                self.echoes.remove(&seq);
                self.stats.lost += 1;
            }
        }
    }

    fn echo_lost(&mut self, seq: u64, echo: SentEcho, now: Moment) {
        if !self.reach.is_down() {
            if self.reach.icmp_ever() {
                self.loss.decide(seq, echo.at, true, now);
            }
            self.reach.small_lost(ProbeProtocol::Icmp, now);
        }
    }

    /// Where ICMP has never answered, the regular small SYN takes the place of the echo.
    fn decide_by_syn(&mut self, sent: Sent, lost: bool, now: Moment) {
        if sent.role == (Role::Small { burst: None }) && !self.reach.icmp_ever() && !self.reach.is_down() {
            self.loss.decide(sent.probe.id.0, sent.at, lost, now);
        }
    }

    fn send_echo(&mut self, now: Moment, out: &mut Vec<Send>) {
        let seq = self.stats.requests;
        self.stats.requests += 1;
        self.echoes.insert(seq, SentEcho { at: now, expired: false });
        out.push(Send::Echo { seq });
        let icmp_silent = !self.reach.icmp_ever() && seq > 0;
        if self.settings.syn && !self.reach.is_down() && (!self.reach.tcp_ever() || icmp_silent) {
            self.send_small(ProbeProtocol::Tcp, None, now, out);
        }
    }

    fn send_small(
        &mut self,
        protocol: ProbeProtocol,
        burst: Option<u32>,
        now: Moment,
        out: &mut Vec<Send>,
    ) -> bool {
        let role = Role::Small { burst };
        let ceiling = self.ceiling();
        match protocol {
            ProbeProtocol::Icmp => {
                self.send(Lane::Echo, 0, ceiling, ProbeSize::Control, role, now, out);
                true
            }
            ProbeProtocol::Tcp => {
                let Some(flow) = self.free_flow() else { return false };
                self.send(Lane::Syn, flow, ceiling, ProbeSize::Control, role, now, out);
                true
            }
        }
    }

    fn small_burst(&mut self, now: Moment, budget: &mut Budget, out: &mut Vec<Send>) {
        while let Some(due) = self.reach.due(now) {
            if !budget.take(1) {
                return;
            }
            if !self.send_small(due.protocol, due.burst, now, out) {
                budget.give_back(1);
                return;
            }
            self.reach.sent(now);
        }
    }

    fn send_echo_sentinel(&mut self, now: Moment, out: &mut Vec<Send>) {
        let ceiling = self.ceiling();
        let above_walk = self.echo.top() < ceiling;
        let single_due = self.single_at.is_none_or(|at| now.saturating_sub(at) >= SINGLE);
        if above_walk && single_due && self.echo.decided_at().is_some() {
            self.single_at = Some(now);
            let serial = self.single.serial + 1;
            self.single = Single { serial, ..Single::default() };
            for (large, purpose) in [(true, ProbeSize::Full), (false, ProbeSize::Control)] {
                self.send(Lane::Echo, 0, ceiling, purpose, Role::Single { serial, large }, now, out);
            }
            return;
        }
        let (size, purpose) = self.echo.sentinel();
        self.send(Lane::Echo, 0, size, purpose, Role::Sentinel, now, out);
    }

    fn send_syn_sentinel(&mut self, now: Moment, out: &mut Vec<Send>) {
        let Some(flow) = self.free_flow() else { return };
        let (size, purpose) = self.syn.sentinel();
        self.send(Lane::Syn, flow, size, purpose, Role::Sentinel, now, out);
    }

    /// How often the fragment lane looks, if it has reason to.
    fn fragments_every(&self) -> Option<Duration> {
        if !self.settings.fragments || self.reach.is_down() {
            return None;
        }
        if self.fragments.is_silent() || (self.echo.is_silent() && self.fragments.passing().is_some()) {
            Some(self.settings.sentinel_interval)
        } else {
            let reduced = self.echo.passing().is_some_and(|size| size < self.ceiling());
            reduced.then_some(RARE)
        }
    }

    /// Whether sizes can be judged by ICMP: the target answers it.
    pub(super) fn icmp_usable(&self) -> bool {
        self.settings.echo && self.reach.icmp_ever()
    }

    #[expect(clippy::too_many_arguments, reason = "one door for every packet of our own")]
    fn send(
        &mut self,
        lane: Lane,
        flow: u8,
        size: Bytes,
        purpose: ProbeSize,
        role: Role,
        now: Moment,
        out: &mut Vec<Send>,
    ) {
        let id = ProbeId(self.next_id);
        self.next_id += 1;
        let bare = matches!(role, Role::Small { .. });
        let probe = Probe { id, lane, flow, size, purpose, bare };
        self.sent.insert(id, Sent { probe, role, at: now, expired: false });
        out.push(Send::Probe(probe));
    }

    fn count(&mut self, probe: Probe, result: ProbeResult) {
        *self.size_probes.entry((probe.lane.protocol(), probe.purpose, result)).or_default() += 1;
    }

    fn busy_flows(&self) -> [bool; FLOWS as usize] {
        let mut busy = [false; FLOWS as usize];
        for sent in self.sent.values() {
            if sent.probe.lane == Lane::Syn && !sent.expired {
                busy[usize::from(sent.probe.flow)] = true;
            }
        }
        busy
    }

    fn free_flow(&mut self) -> Option<u8> {
        let busy = self.busy_flows();
        let start = self.rng.u8(0..FLOWS);
        (0..FLOWS).map(|step| (start + step) % FLOWS).find(|flow| !busy[usize::from(*flow)])
    }

    fn lane(&self, lane: Lane) -> &LaneProber {
        match lane {
            Lane::Echo => &self.echo,
            Lane::Syn => &self.syn,
            Lane::Fragments => &self.fragments,
        }
    }

    fn lane_mut(&mut self, lane: Lane) -> &mut LaneProber {
        match lane {
            Lane::Echo => &mut self.echo,
            Lane::Syn => &mut self.syn,
            Lane::Fragments => &mut self.fragments,
        }
    }
}

/// The turn after `last`: on the beat, but never a burst to catch up.
fn next_turn(last: Moment, every: Duration, now: Moment) -> Moment {
    let next = last + every;
    if next <= now { now + every } else { next }
}
