//! A running network: what happens to a packet that the prober sends, and when the answer arrives.

use std::time::Duration;

use fastrand::Rng;
use vxlan_exporter::{
    model::{
        family::{FRAGMENT_PAYLOAD, Family},
        types::ProbeSize,
    },
    path::probe::{Answer, Probe, ProbeMethod, Reply, fragments_of},
};

use super::{
    bucket::Bucket,
    byte::{self, Byte, Bytes, Next},
    nat::Flows,
    neighbour::{Neighbour, Sent},
    network::{Network, Tcp, Way, largest_piece},
    play::PORT,
    way::{Crossing, Packet, WayState},
};

/// Bytes of a bare IPv4 SYN with an MSS option.
const BARE_SYN: u32 = 44;

/// TTL with which the target's answers arrive, and those of a nearer box.
const TARGET_TTL: u8 = 62;
const BOX_TTL: u8 = 253;

/// A network and its state.
#[derive(Debug)]
pub struct World {
    family: Family,
    network: Network,
    rng: Rng,
    forward: WayState,
    reverse: WayState,
    signals: Option<Bucket>,
    echoes: Option<Bucket>,
    /// IPv6 only: the path MTU that the target has learnt from signals (RFC 8201).
    learnt: Option<u32>,
    syns: u32,
    /// The flows that a stateful box on the way knows.
    pub flows: Flows,
    ours: Neighbour,
    theirs: Neighbour,
    bytes: Bytes,
    /// How long the last packet and its answer waited for a MAC.
    waited: Duration,
}

impl World {
    /// A network in its initial state.
    pub fn new(family: Family, network: Network, seed: u64, now: Duration) -> Self {
        Self {
            forward: WayState::new(&network.forward, now),
            reverse: WayState::new(&network.reverse, now),
            signals: network.signal_limit.map(|limit| Bucket::new(limit, now)),
            echoes: network.echo_limit.map(|limit| Bucket::new(limit, now)),
            rng: Rng::with_seed(seed),
            learnt: network.remembers,
            syns: 0,
            flows: Flows::default(),
            bytes: Bytes::new(&network, seed ^ 0xb17e, now),
            ours: Neighbour::new(),
            theirs: Neighbour::new(),
            waited: Duration::ZERO,
            family,
            network,
        }
    }

    /// Changes the network. What the target had learnt about the former one is forgotten (in
    /// reality within 10 min, and until then its own traffic is not affected either).
    pub fn change(&mut self, network: Network, now: Duration) {
        let seed = self.rng.u64(..);
        let flows = std::mem::take(&mut self.flows);
        *self = Self::new(self.family, network, seed, now);
        self.flows = flows;
        self.flows.began = now;
    }

    /// The round-trip time of this answer.
    pub fn round_trip(&mut self) -> Duration {
        let jitter = self.network.jitter_ms * self.rng.f64();
        Duration::from_secs_f64((self.network.rtt_ms + jitter) / 1000.0) + self.waited
    }

    /// Whether the regular small echo is answered.
    pub fn echo(&mut self, now: Duration) -> bool {
        let size = self.family.small();
        self.waited = Duration::ZERO;
        if self.network.down || !self.flows.lets_echo(self.network.nat, now) {
            return false;
        }
        matches!(self.ping(size, false, now), Some(Answer::Passed(_)))
    }

    /// What comes back to a probe, if anything does.
    pub fn probe(&mut self, probe: Probe, now: Duration) -> Option<Answer> {
        if self.network.down || !self.flows.lets_probe(self.network.nat, probe, now) {
            return None;
        }
        self.waited = Duration::ZERO;
        let control = probe.purpose == ProbeSize::Control;
        let size = if control { self.family.small() } else { probe.size };
        let answer = match probe.method {
            ProbeMethod::Echo => self.ping(size, true, now),
            ProbeMethod::Syn if probe.bare => self.syn(BARE_SYN, probe, now),
            ProbeMethod::Syn => self.syn(size, probe, now),
            ProbeMethod::Fragments => self.fragments(probe, control, now),
        };
        // Signals that the wire does not believe never reach the prober (src/probe/flights.rs).
        let least = self.family.least_mtu();
        answer.filter(|answer| match answer {
            Answer::TooBig { mtu, .. } => (least..size).contains(mtu),
            _ => true,
        })
    }

    /// A connection made by the kernel starts or continues.
    pub fn byte(&mut self, byte: Byte, now: Duration) -> Next {
        let Self { network, bytes, family, flows, .. } = self;
        let rtt = Duration::from_secs_f64((network.rtt_ms + network.jitter_ms * bytes.rng.f64()) / 1000.0);
        let lets = !network.down && (byte.stands() || flows.lets_fresh(network.nat, now));
        let Bytes { forward, reverse, rng } = bytes;
        byte::step(byte, network, rtt, now, &mut |flow| {
            let small = Packet { size: family.small(), df: true, flow: Some(flow) };
            let mut passes = |state: &mut WayState, way| {
                matches!(state.cross(way, *family, small, now, rng), Crossing::Through { .. })
            };
            lets && passes(forward, &network.forward) && passes(reverse, &network.reverse)
        })
    }

    /// A connection that begins now.
    pub fn begin_byte(&mut self, port: u16, now: Duration) -> Byte {
        Byte::new(port, now, &mut self.bytes.rng)
    }

    fn ping(&mut self, size: u32, df: bool, now: Duration) -> Option<Answer> {
        let df = df || self.family == Family::V6;
        match self.go(Packet { size, df, flow: None }, now) {
            Crossing::Through { .. } => self.reply(size, now),
            Crossing::TooBig { mtu } => self.signal(mtu, now),
            Crossing::Lost => None,
        }
    }

    fn syn(&mut self, size: u32, probe: Probe, now: Duration) -> Option<Answer> {
        if self.network.other_box {
            return self.syn_answer(BOX_TTL, now);
        }
        let flow = Some(probe.flow);
        match self.go(Packet { size, df: true, flow }, now) {
            Crossing::Through { .. } => {}
            Crossing::TooBig { mtu } => return self.signal(mtu, now),
            Crossing::Lost => return None,
        }
        match self.network.tcp {
            Tcp::Silent => return None,
            Tcp::KernelSilent if self.flows.connects => return None,
            Tcp::BareOnly | Tcp::PayloadSilent if !probe.bare => return None,
            Tcp::Filtered if probe.port == PORT => return None,
            _ => {}
        }
        self.syn_answer(TARGET_TTL, now)
    }

    fn syn_answer(&mut self, ttl: u8, now: Duration) -> Option<Answer> {
        self.syns += 1;
        let mss = self.network.mss.filter(|_| !self.network.other_box);
        let reply = Reply { mss, ttl: Some(ttl), reset: Some(mss.is_none()), largest_fragment: None };
        self.small_back(now).then_some(Answer::Passed(reply))
    }

    fn fragments(&mut self, probe: Probe, control: bool, now: Duration) -> Option<Answer> {
        let count = fragments_of(self.family, probe.size);
        let header = self.family.header();
        let (size, chunk) = if control {
            let chunk = 16_u32.div_ceil(count).next_multiple_of(8);
            (header + chunk * count, chunk)
        } else {
            let even = (probe.size - header).div_ceil(count).next_multiple_of(8);
            (probe.size, even.min(FRAGMENT_PAYLOAD))
        };
        let extension = if self.family == Family::V6 { 8 } else { 0 };
        let piece = Packet { size: header + extension + chunk, df: self.family == Family::V6, flow: None };
        let all = (0..count).all(|_| matches!(self.go(piece, now), Crossing::Through { .. }));
        if !all || !self.network.fragments {
            return None;
        }
        self.reply(size, now)
    }

    /// The target's answer to an echo request of `size` bytes.
    fn reply(&mut self, size: u32, now: Duration) -> Option<Answer> {
        let filtered = self.network.icmp_filter.is_some_and(|limit| size > limit);
        if filtered || !self.network.icmp {
            return None;
        }
        if let Some(echoes) = &mut self.echoes
            && !echoes.take(now, &mut self.rng)
        {
            return None;
        }
        let sent = largest_piece(self.family, size, self.network.interface(self.family));
        let sent = self.learnt.map_or(sent, |mtu| sent.min(largest_piece(self.family, size, mtu)));
        let pieces = size.div_ceil(sent);
        let df = self.family == Family::V6;
        let mut piece = sent;
        for _ in 0..pieces {
            match self.back(Packet { size: sent, df, flow: None }, now) {
                Crossing::Through { piece: largest } => piece = largest,
                Crossing::TooBig { mtu } => {
                    self.teach(mtu, now);
                    return None;
                }
                Crossing::Lost => return None,
            }
        }
        let largest_fragment = (piece < size).then_some(piece);
        Some(Answer::Passed(Reply { ttl: Some(TARGET_TTL), largest_fragment, ..Reply::default() }))
    }

    /// A signal about our packet arrives, unless it is rate-limited or lost.
    fn signal(&mut self, mtu: u32, now: Duration) -> Option<Answer> {
        let by_target = self.network.bridge_signals;
        (self.may_signal(now) && self.small_back(now)).then_some(Answer::TooBig { mtu, by_target })
    }

    fn may_signal(&mut self, now: Duration) -> bool {
        self.signals.as_mut().is_none_or(|signals| signals.take(now, &mut self.rng))
    }

    /// A signal about the target's packet reaches the target.
    fn teach(&mut self, mtu: u32, now: Duration) {
        let small = Packet { size: self.family.small(), df: false, flow: None };
        if self.may_signal(now) && matches!(self.go(small, now), Crossing::Through { .. }) {
            self.learnt = Some(mtu.max(self.family.least_mtu()));
        }
    }

    fn small_back(&mut self, now: Duration) -> bool {
        let small = Packet { size: self.family.small(), df: false, flow: None };
        matches!(self.back(small, now), Crossing::Through { .. })
    }

    fn go(&mut self, packet: Packet, now: Duration) -> Crossing {
        let filtered =
            packet.flow.is_none() && self.network.icmp_filter.is_some_and(|limit| packet.size > limit);
        if self.network.down || filtered {
            return Crossing::Lost;
        }
        if !self.leaves(true, now) {
            return Crossing::Lost;
        }
        match self.forward.cross(&self.network.forward, self.family, packet, now, &mut self.rng) {
            Crossing::Through { piece } if piece > self.network.interface(self.family) => Crossing::Lost,
            crossing => crossing,
        }
    }

    fn back(&mut self, packet: Packet, now: Duration) -> Crossing {
        if !self.leaves(false, now) {
            return Crossing::Lost;
        }
        self.reverse.cross(&self.network.reverse, self.family, packet, now, &mut self.rng)
    }

    /// Whether a host has the other's MAC for a packet, or gets it in time.
    fn leaves(&mut self, ours: bool, now: Duration) -> bool {
        if !self.network.neighbours {
            return true;
        }
        let passes = |way: &Way| 1.0 - way.loss.mean();
        let loss = 1.0 - passes(&self.network.forward) * passes(&self.network.reverse);
        let host = if ours { &mut self.ours } else { &mut self.theirs };
        match host.send(now, loss, &mut self.rng) {
            Sent::After(wait) => {
                self.waited += wait;
                true
            }
            Sent::Dropped => false,
        }
    }
}
