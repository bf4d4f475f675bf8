//! The prober of one path: a pure machine. It is asked what to send now, and told what came back.
//!
//! It joins the regular small echo and the sentinels with three lanes. The echo lane watches; when
//! it falls silent, the TCP lane tells at once whether forward passes, and the fragment lane whether
//! reverse does. Given the same seed, times and answers it does the same again.

mod above;
mod answers;
pub(super) mod beyond;
#[cfg(test)]
pub(super) mod fixture;
mod fresh;
mod own;
mod payload;
mod reflected;
mod sending;
mod tcp;

use std::{collections::BTreeMap, time::Duration};

use above::Above;
use beyond::Looks;
use fastrand::Rng;

use super::{
    hole::{asking::Asking, flows::FlowLanes, lane::LaneProber, proof::Shot},
    loss::{
        echo_loss::SmallLoss, icmp_rate::SharedRate, own_host::Local, probe_timeout::RttWindow, reach::Reach,
    },
    probe::{LANES, Lane, Moment, Probe, ProbeId},
    reflection::Reflection,
    settings::{Counts, HostMtu, IcmpProbes, Settings, TcpProbes},
    tcp::{life::TcpLife, origin::Origin, payload::Payload, pinned::Pinned},
    too_big::{contest::Contest, walk::REMEMBERED, walks::Walks},
    verdict::{Confirmed, Known, target_mtu::TargetMtu},
};
use crate::model::{
    family::Family,
    observation::{EchoStats, ExpectedMtu},
    types::{Bytes, ProbeProtocol, ProbeResult, ProbeSize, SendError},
};

/// How long the first sentinel waits for the target's SYN-ACK to name its MSS.
const WAIT_FOR_MSS: Duration = Duration::from_millis(300);

/// How long a verdict that all is well waits for the first reading of our site's routers.
const WAIT_FOR_ROUTERS: Duration = Duration::from_secs(3);

/// What is random about bytes leaves all else as it was.
const OF_BYTES: u64 = 0xb17e;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// A small probe of our own: suspicion, unreachable, or the first SYN.
    Small { burst: Option<u32>, fresh: bool },
    /// A SYN to another port than the path's own.
    Elsewhere { port: u16 },
    /// Half of a pair of a SYN and a small echo.
    TcpPair { serial: u32, pair: usize, port: u16, syn: bool },
    /// A SYN beside the kernel's own connections.
    BesideBytes { of: (u32, usize) },
    /// Half of a pair of an old flow and a new one.
    OldOrNew { serial: u32, pair: usize, new: bool },
    /// A sentinel of a lane.
    Sentinel,
    /// A single packet above where the walk stands, or its control.
    Single { serial: u32, large: bool },
    /// Half of a pair.
    Shot(Shot),
    /// A packet of a round between flows that are signalled and flows in question.
    Contest { round: u32 },
    /// Asks for more than the target's MSS names.
    Beyond,
    /// Asks for more than a route of our own host allows.
    Above,
}

#[derive(Debug, Clone, Copy)]
struct Sent {
    probe: Probe,
    role: Role,
    at: Moment,
    /// Something of our own came between: silence says nothing, nor does the time that an answer takes.
    doubtful: bool,
}

#[derive(Debug, Clone, Copy)]
struct SentEcho {
    at: Moment,
    expired: bool,
    /// As of [`Sent`].
    doubtful: bool,
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
    pub(super) target: TargetMtu,
    /// When a signal for a size of the walk was last heard.
    pub(super) signalled_at: Option<Moment>,
    /// The MTU in the last signal that came from the target's own address.
    pub(super) told_by_target: Option<Bytes>,
    pub(super) origin: Origin,
    /// The largest fragment of the last reply that came in fragments.
    pub(super) largest_fragment: Option<Bytes>,
    pub(super) rtt: RttWindow,
    pub(super) reach: Reach,
    pub(super) tcp: TcpLife,
    pub(super) payload: Payload,
    pub(super) pinned: Pinned,
    pub(super) icmp_rate: SharedRate,
    pub(super) loss: SmallLoss,
    pub(super) local: Local,
    walks: Walks,
    contest: Contest,
    pub(super) echo: LaneProber,
    pub(super) syn: FlowLanes,
    pub(super) fragments: LaneProber,
    pub(super) stats: EchoStats,
    size_probes: BTreeMap<(ProbeProtocol, ProbeSize, ProbeResult), u64>,
    sent: BTreeMap<ProbeId, Sent>,
    /// The first probe whose answer is not late yet.
    in_time: ProbeId,
    echoes: BTreeMap<u64, SentEcho>,
    next_id: u64,
    single: Single,
    single_at: Option<Moment>,
    /// When the TCP flows that are signalled are next looked at above where their walks stand.
    look_above_at: Moment,
    echo_at: Moment,
    sentinel_at: Moment,
    syn_at: Moment,
    fragments_at: Moment,
    looks: Looks,
    above: Above,
    /// Since when the echo lane is in doubt: what the other lanes found before does not count.
    pub(super) doubt_since: Option<Moment>,
    /// The path MTU of each direction as last confirmed; stays while a search is under way.
    pub(super) confirmed: Confirmed,
    pub(super) known: Known,
    pub(super) began: Moment,
    /// When an outage last ended.
    back_at: Option<Moment>,
    /// When the fragment lane last saw a hole end.
    pub(super) reverse_ended_at: Option<Moment>,
    reverse_was_silent: bool,
    /// The echo lane had a hole in the doubt under way.
    echo_was_silent: bool,
    /// Since then every TCP flow has been looked at.
    looked_around: bool,
    /// What the path's reflector has told last, if there is one.
    reflection: Option<Reflection>,
    /// All that had arrived by then has been told; absent: by now.
    told_until: Option<Moment>,
    pub(super) now: Moment,
}

impl PathProber {
    /// A prober that begins at `now`.
    #[must_use]
    pub fn new(settings: Settings, hosts: HostMtu, seed: u64, now: Moment) -> Self {
        let top = settings.expected_mtu.unwrap_or(hosts.hosts).min(hosts.testable);
        let wait = if settings.tcp == TcpProbes::Sized && settings.expected_mtu.is_none() {
            WAIT_FOR_MSS
        } else {
            Duration::ZERO
        };
        let bytes = settings.tcp > TcpProbes::None && !settings.borrows_port;
        let comparable =
            settings.icmp > IcmpProbes::None && settings.tcp > TcpProbes::None && !settings.borrows_port;
        Self {
            rng: Rng::with_seed(seed),
            target: TargetMtu::default(),
            signalled_at: None,
            told_by_target: None,
            origin: Origin::default(),
            largest_fragment: None,
            rtt: RttWindow::default(),
            reach: Reach::new(settings.icmp > IcmpProbes::None, settings.tcp > TcpProbes::None),
            tcp: TcpLife::new(if comparable { settings.tcp_port } else { 0 }),
            payload: Payload::new(if bytes { settings.tcp_port } else { 0 }, seed ^ OF_BYTES),
            pinned: Pinned::default(),
            icmp_rate: SharedRate::default(),
            loss: SmallLoss::new(settings.loss_threshold),
            local: Local::default(),
            walks: Walks::default(),
            contest: Contest::default(),
            echo: LaneProber::new(settings.family, Lane::Echo, top),
            syn: FlowLanes::new(settings.family, top),
            fragments: LaneProber::new(settings.family, Lane::Fragments, top),
            stats: EchoStats::default(),
            size_probes: BTreeMap::new(),
            sent: BTreeMap::new(),
            in_time: ProbeId(0),
            echoes: BTreeMap::new(),
            next_id: 0,
            single: Single::default(),
            single_at: None,
            look_above_at: now,
            echo_at: now,
            sentinel_at: now + wait,
            syn_at: now,
            fragments_at: now,
            looks: Looks::new(now),
            above: Above::default(),
            doubt_since: None,
            confirmed: Confirmed::default(),
            known: Known::default(),
            began: now,
            back_at: None,
            reverse_ended_at: None,
            reverse_was_silent: false,
            echo_was_silent: false,
            looked_around: false,
            reflection: None,
            told_until: None,
            now,
            settings,
            hosts,
        }
    }

    /// The expected MTU to the target and by which rule: configured, else the smaller of what hosts of our site
    /// have and what the target's SYN-ACK names.
    #[must_use]
    pub fn expected(&self) -> ExpectedMtu {
        match (self.settings.expected_mtu, self.target.named().filter(|_| !self.origin.is_foreign())) {
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

    /// A signal was heard on another path: a router there may limit them, and silence here proves less.
    pub fn heard_elsewhere(&mut self, now: Moment) {
        if !self.has_silent_lane() {
            self.be_cautious(now + REMEMBERED);
        }
    }

    fn be_cautious(&mut self, until: Moment) {
        self.echo.be_cautious(until);
        self.syn.be_cautious(until);
        self.fragments.be_cautious(until);
    }

    fn has_silent_lane(&self) -> bool {
        LANES.iter().any(|lane| self.lane(*lane).is_silent())
    }

    /// Goes on with the counts of a prober of the same path.
    pub fn take_over(&mut self, former: Counts) {
        self.stats = former.stats;
        self.size_probes = former.size_probes;
        self.local.take_over(former.send_errors);
        self.next_id = former.next_id;
    }

    /// What has been counted, for a prober that takes over: what is in flight is given up.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut stats = self.stats.clone();
        stats.void += self.echoes.len() as u64;
        let send_errors = self.local.errors().clone();
        Counts { stats, size_probes: self.size_probes.clone(), send_errors, next_id: self.next_id }
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

    /// Packets that our own host refused to send.
    #[must_use]
    pub fn send_errors(&self) -> &BTreeMap<SendError, u64> {
        self.local.errors()
    }

    /// Where the walk stands now; a change is looked at without waiting for the next sentinel.
    fn restand(&mut self, now: Moment) {
        let ceiling = self.ceiling();
        let top = self.walks.icmp_stands_at(ceiling);
        if top != self.echo.top() {
            self.echo.stand_at(top, now);
            self.sentinel_at = self.sentinel_at.min(now);
        }
        self.syn.stand_at(&self.walks.tcp_stand_at(ceiling), now);
        self.fragments.stand_at(self.reverse_ceiling(), now);
    }

    /// Sets the other lanes to work while the echo lane is in doubt, and clears them when it is not.
    fn steer(&mut self, now: Moment) {
        if self.reach.is_down() || self.reach.is_suspicious() {
            return;
        }
        let ceiling = self.ceiling();
        if !self.echo.is_silent() && !self.echo.is_proving() {
            self.looked_around = false;
            if self.doubt_since.take().is_some() {
                let whole = self.echo.passing() == Some(ceiling) && self.in_one_piece(ceiling);
                if whole && self.reverse_ceiling() <= ceiling {
                    // A whole reply at full size passed both ways.
                    self.fragments.clear();
                }
                let hole_ended = std::mem::take(&mut self.echo_was_silent);
                if hole_ended && self.echo.passing().is_some() && self.syn.is_silent() {
                    self.syn.recheck(now);
                }
            }
        } else {
            self.echo_was_silent |= self.echo.is_silent();
            let since = *self.doubt_since.get_or_insert(now);
            let after = |at: Option<Moment>| at.is_some_and(|at| at >= since);
            let syn_fresh = after(self.syn.decided_at()) || self.syn.is_silent();
            if self.asks_by_syn() && !syn_fresh && self.syn.is_idle(now) {
                self.syn.hint(&self.edge_of_echo());
                self.syn.prove(now);
            }
            let forward_passes = self.syn.passing().is_some() && after(self.syn.decided_at());
            if self.echo.is_silent() && forward_passes && !self.looked_around {
                // Some flows pass; those that share ICMP's leg may not.
                self.looked_around = true;
                self.syn.hint(&self.edge_of_echo());
                self.syn.look_around();
            }
            let wanted = self.echo.is_silent() || forward_passes;
            let fragments_fresh = after(self.fragments.decided_at()) || self.fragments.is_silent();
            let pieces = self.pieces_pass();
            let wanted = wanted && (pieces == Some(true) || (pieces.is_none() && self.is_v6()));
            if self.can_fragment() && wanted && !fragments_fresh && self.fragments.is_idle(now) {
                self.fragments.hint(self.edge_of_echo());
                self.fragments.prove(now);
            }
        }
        if self.pieces_pass() == Some(false) {
            // Silence there tells of the way to the target, not of the way back.
            self.fragments.clear();
        }
        let fragments_decide = self.can_fragment() && !self.fragments.is_exhausted();
        let decided = self.fragments.is_silent()
            || self.fragments.decided_at().is_some_and(|at| Some(at) >= self.doubt_since);
        self.echo.hold(self.is_v6() && fragments_decide && !decided && self.pieces_pass() != Some(false));
        for lane in LANES {
            self.lane_mut(lane).resume(now);
        }
        if self.has_silent_lane() {
            // Caution is for the first proof; what follows only tells direction and edge.
            self.be_cautious(Moment::ZERO);
        }
        let silent = self.fragments.is_silent();
        if std::mem::replace(&mut self.reverse_was_silent, silent) && !silent && self.echo.is_silent() {
            self.reverse_ended_at = Some(now);
        }
        if self.echo.is_silent() && !self.echo_is_fresh() && self.echo.is_idle(now) {
            self.echo.recheck(self.echo.top(), now);
        }
        let finding = self.finding();
        self.confirm(&finding);
        if self.local.trouble().is_none() {
            self.note_verdict(&finding);
        }
    }

    /// Whether replies of that size were last seen to come back in one piece.
    pub(super) fn in_one_piece(&self, size: Bytes) -> bool {
        self.largest_fragment.is_none_or(|largest| largest >= size)
    }

    fn edge_of_echo(&self) -> Vec<Bytes> {
        self.echo.hole().map(|hole| vec![hole.answered]).unwrap_or_default()
    }

    /// Whether what hosts of our site have may still turn out to be more.
    pub(super) fn awaits_routers(&self) -> bool {
        self.hosts.pending && self.settings.expected_mtu.is_none() && self.now < self.began + WAIT_FOR_ROUTERS
    }

    pub(super) fn is_v6(&self) -> bool {
        self.settings.family == Family::V6
    }

    pub(super) fn can_size_echo(&self) -> bool {
        self.settings.icmp >= IcmpProbes::Sized
    }

    pub(super) fn can_fragment(&self) -> bool {
        self.settings.icmp >= IcmpProbes::Fragments
    }

    pub(super) fn can_size_syn(&self) -> bool {
        self.settings.tcp >= TcpProbes::Sized
    }

    /// Whether sizes can be judged by ICMP: the target answers it.
    pub(super) fn icmp_usable(&self) -> bool {
        self.can_size_echo() && self.reach.icmp_ever()
    }

    fn lane(&self, lane: Lane) -> &dyn Asking {
        match lane {
            Lane::Echo => &self.echo,
            Lane::Syn => &self.syn,
            Lane::Fragments => &self.fragments,
        }
    }

    fn lane_mut(&mut self, lane: Lane) -> &mut dyn Asking {
        match lane {
            Lane::Echo => &mut self.echo,
            Lane::Syn => &mut self.syn,
            Lane::Fragments => &mut self.fragments,
        }
    }
}
