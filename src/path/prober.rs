//! The prober of one path: a pure state machine that is polled for packets to send and takes in
//! what comes back.
//!
//! The regular small echo measures loss. Full-size echoes with DF detect holes. When these fall
//! silent, padded SYNs test whether the size passes in the forward direction, and fragmented echo
//! requests whether it passes in the reverse direction. The same seed, times and answers give the
//! same result.

mod above;
mod answers;
mod asked;
mod beat;
mod beyond;
mod expiry;
mod facts;
#[cfg(test)]
pub(super) mod fixture;
mod fresh;
mod in_flight;
mod method_sizes;
mod own;
mod payload;
mod reflected;
mod sending;
mod signals;
mod steering;
mod tcp;

use std::{sync::Arc, time::Duration};

use above::Above;
use asked::Asking;
use beyond::Looks;
use fastrand::Rng;
use in_flight::{InFlight, Role, Sent, SentEcho};
use steering::Doubt;

use super::{
    hole::{
        detect::Detect,
        detector::{Detector, Rules},
        flows::FlowGroups,
    },
    loss::{
        echo_loss::SmallLoss, icmp_rate::SharedRate, own_host::OwnHost, probe_timeout::RttWindow,
        reach::Reach,
    },
    probe::{Moment, ProbeMethod},
    reflection::Reflection,
    settings::{Counts, HostMtu, IcmpProbes, Pace, Settings, TcpProbes},
    tcp::{life::TcpLife, origin::Origin, payload::Payload, pinned::Pinned},
    too_big::{contest::Contest, walk::REMEMBERED, walks::Walks},
    verdict::{Memory, target_mtu::TargetMtu},
};
use crate::model::{
    family::Family,
    observation::{EchoStats, PathCounters},
    types::Bytes,
};

/// How long the first sentinel waits for the target's SYN-ACK, which names its MSS.
const WAIT_FOR_MSS: Duration = Duration::from_millis(300);

/// How long a verdict of ok waits for the first reading of our site's routers.
const WAIT_FOR_ROUTERS: Duration = Duration::from_secs(3);

/// Mixed into the seed of the payload test, so that it draws random numbers of its own.
const OF_BYTES: u64 = 0xb17e;

#[derive(Debug, Clone, Copy, Default)]
struct Single {
    serial: u32,
    large_lost: bool,
    control_answered: bool,
}

/// When each regular packet is next due.
#[derive(Debug, Clone, Copy)]
struct Due {
    /// When a single packet above the size that path MTU discovery has arrived at was last sent.
    single: Option<Moment>,
    /// When TCP flows that received Packet Too Big are next tested above the size that discovery
    /// has arrived at.
    look_above: Moment,
    echo: Moment,
    sentinel: Moment,
    syn: Moment,
    fragments: Moment,
}

impl Due {
    /// Everything is due now, except for the first sentinel, which is due after `wait`.
    fn from(now: Moment, wait: Duration) -> Self {
        let sentinel = now + wait;
        Self { single: None, look_above: now, echo: now, sentinel, syn: now, fragments: now }
    }
}

fn wait_for_mss(settings: &Settings) -> Duration {
    let names_it = settings.tcp == TcpProbes::Sized && settings.expected_mtu.is_none();
    if names_it { WAIT_FOR_MSS } else { Duration::ZERO }
}

/// The prober of one path.
#[derive(Debug)]
pub struct PathProber {
    settings: Settings,
    pace: Pace,
    rng: Rng,
    hosts: HostMtu,
    target: TargetMtu,
    /// When Packet Too Big was last received for a size that discovery tests.
    signalled_at: Option<Moment>,
    /// The MTU in the last Packet Too Big from the target's own address, bytes of IP packet.
    mtu_from_target: Option<Bytes>,
    origin: Origin,
    /// The largest fragment of the last large reply, bytes of IP packet; none if it came whole.
    largest_fragment: Option<Bytes>,
    rtt: RttWindow,
    reach: Reach,
    tcp: TcpLife,
    payload: Payload,
    pinned: Pinned,
    icmp_rate: SharedRate,
    loss: SmallLoss,
    local: OwnHost,
    walks: Walks,
    contest: Contest,
    echo: Detector,
    syn: FlowGroups,
    fragments: Detector,
    counters: Arc<PathCounters>,
    in_flight: InFlight,
    single: Single,
    due: Due,
    looks: Looks,
    above: Above,
    /// What somebody has asked for.
    asking: Option<Asking>,
    doubt: Doubt,
    memory: Memory,
    began: Moment,
    /// When an outage last ended.
    back_at: Option<Moment>,
    /// What the path's reflector last reported, if there is one.
    reflection: Option<Reflection>,
    /// Everything that arrived until then has been reported; none: until now.
    reported_until: Option<Moment>,
    now: Moment,
}

impl PathProber {
    /// A prober that begins at `now`.
    #[must_use]
    pub fn new(settings: Settings, hosts: HostMtu, seed: u64, now: Moment) -> Self {
        let top = settings.expected_mtu.unwrap_or(hosts.hosts).min(hosts.testable);
        let bytes = settings.tcp > TcpProbes::None && !settings.borrows_port;
        let comparable =
            settings.icmp > IcmpProbes::None && settings.tcp > TcpProbes::None && !settings.borrows_port;
        Self {
            pace: Pace::default(),
            rng: Rng::with_seed(seed),
            target: TargetMtu::default(),
            signalled_at: None,
            mtu_from_target: None,
            origin: Origin::default(),
            largest_fragment: None,
            rtt: RttWindow::default(),
            reach: Reach::new(settings.icmp > IcmpProbes::None, settings.tcp > TcpProbes::None),
            tcp: TcpLife::new(if comparable { settings.tcp_port } else { 0 }),
            payload: Payload::new(if bytes { settings.tcp_port } else { 0 }, seed ^ OF_BYTES),
            pinned: Pinned::default(),
            icmp_rate: SharedRate::default(),
            loss: SmallLoss::new(settings.loss_threshold),
            local: OwnHost::default(),
            walks: Walks::default(),
            contest: Contest::default(),
            echo: Detector::new(settings.family, Rules::echo(settings.family), top),
            syn: FlowGroups::new(settings.family, top),
            fragments: Detector::new(settings.family, Rules::fragments(settings.family), top),
            counters: Arc::default(),
            in_flight: InFlight::default(),
            single: Single::default(),
            due: Due::from(now, wait_for_mss(&settings)),
            looks: Looks::new(now),
            above: Above::default(),
            asking: None,
            doubt: Doubt::default(),
            memory: Memory::default(),
            began: now,
            back_at: None,
            reflection: None,
            reported_until: None,
            now,
            settings,
            hosts,
        }
    }

    /// The MTUs of our hosts have changed.
    pub(crate) fn set_hosts(&mut self, hosts: HostMtu, now: Moment) {
        if self.hosts != hosts {
            self.hosts = hosts;
            self.restand(now);
        }
    }

    /// Sends regular packets at that pace from now on.
    pub(crate) fn set_pace(&mut self, pace: Pace) {
        self.pace = pace;
    }

    /// The time between two sentinels at the present pace.
    fn sentinel_interval(&self) -> Duration {
        self.settings.sentinel_interval * self.pace.sentinel
    }

    /// Packet Too Big was received on another path. A router there may limit how many it sends, so
    /// silence here proves less.
    pub fn heard_elsewhere(&mut self, now: Moment) {
        if !self.has_silence() {
            self.be_cautious(now + REMEMBERED);
        }
    }

    fn be_cautious(&mut self, until: Moment) {
        self.echo.be_cautious(until);
        self.syn.be_cautious(until);
        self.fragments.be_cautious(until);
    }

    fn has_silence(&self) -> bool {
        ProbeMethod::ALL.iter().any(|method| self.detector(*method).is_silent())
    }

    /// Continues the counts of a former prober of the same path.
    pub(crate) fn take_over(&mut self, former: Counts) {
        self.counters = former.counters;
        self.in_flight.take_over(former.next_id);
    }

    /// Ends this prober: gives up the packets in flight, whose echoes count as void. Returns the
    /// counts for a prober that takes over.
    pub(crate) fn retire(&mut self) -> Counts {
        self.counters.void(self.in_flight.give_up_echoes());
        Counts { counters: Arc::clone(&self.counters), next_id: self.in_flight.next_id() }
    }

    /// Counts of the regular small echo.
    #[must_use]
    pub fn echo_stats(&self) -> EchoStats {
        self.counters.echo()
    }

    /// Passes the sizes that path MTU discovery has arrived at on to the detectors. A change is
    /// tested without waiting for the next sentinel.
    fn restand(&mut self, now: Moment) {
        let ceiling = self.ceiling();
        let top = self.walks.icmp_path_mtu(ceiling);
        if top != self.echo.top() {
            self.echo.stand_at(top, now);
            self.due.sentinel = self.due.sentinel.min(now);
        }
        self.syn.stand_at(&self.walks.tcp_path_mtus(ceiling), now);
        self.fragments.stand_at(self.reverse_ceiling(), now);
    }

    /// Whether a router of our site is still to be read, and may raise the MTU expected of our
    /// hosts.
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

    /// Whether sizes can be tested by ICMP: our sockets allow it, and the target has answered ICMP.
    pub(super) fn icmp_usable(&self) -> bool {
        self.can_size_echo() && self.reach.icmp_ever()
    }

    fn detector(&self, method: ProbeMethod) -> &dyn Detect {
        match method {
            ProbeMethod::Echo => &self.echo,
            ProbeMethod::Syn => &self.syn,
            ProbeMethod::Fragments => &self.fragments,
        }
    }

    fn detector_mut(&mut self, method: ProbeMethod) -> &mut dyn Detect {
        match method {
            ProbeMethod::Echo => &mut self.echo,
            ProbeMethod::Syn => &mut self.syn,
            ProbeMethod::Fragments => &mut self.fragments,
        }
    }
}
