//! Networks generated from a seed, by class: each class is one way in which a path can mislead.

use fastrand::Rng;
use vxlan_exporter::{
    model::family::Family,
    path::{
        probe::FLOWS,
        settings::{IcmpProbes, TcpProbes},
    },
};

use super::{
    bucket::Policer,
    network::{Bottleneck, Frames, Leg, Nat, Network, Tcp},
    own::{Own, What},
    play::{Case, Prober},
    shapes::{
        between, bottlenecks, chance, host_mtu, limit, log_between, loss, mtu_below, pick,
        reverse_bottlenecks, with_bottlenecks, with_loss,
    },
};

/// A class of networks.
#[derive(Debug, Clone, Copy)]
pub struct Class {
    /// Its name.
    pub name: &'static str,
    /// Its description.
    pub about: &'static str,
    weight: u32,
    make: fn(&mut Make),
}

/// One in this many seeds falls into a class of [`LATER`], so that all other seeds keep the
/// networks that they had before these classes existed.
const LATER_EVERY: u64 = 20;

/// Classes that were added later.
pub const LATER: &[Class] = &[
    Class {
        name: "tcp-dead",
        about: "TCP vanishes, on all ports or on one, from the start or for a time; up to 20 % loss",
        weight: 1,
        make: tcp_dead,
    },
    Class {
        name: "payload-dead",
        about: "SYNs are answered, what connections carry vanishes, on all ports or on one, or the kernel's SYNs do; up to 20 % loss",
        weight: 1,
        make: payload_dead,
    },
    Class {
        name: "stateful",
        about: "a stateful box forgets flows, fails over, or takes no new ones for a time; up to 20 % loss",
        weight: 1,
        make: stateful,
    },
    Class {
        name: "remembers",
        about: "both ways are signalled, and the target remembers it for a time; its replies are cut or vanish; up to 20 % loss",
        weight: 1,
        make: remembers,
    },
    Class {
        name: "clamps",
        about: "the MSS of our SYN is clamped, and often that of the SYN-ACK, at either end, over holes on either side",
        weight: 1,
        make: clamps,
    },
];

/// Every class.
pub const CLASSES: &[Class] = &[
    Class { name: "clean", about: "no loss; any bottleneck, any privilege", weight: 16, make: clean },
    Class {
        name: "neighbours",
        about: "up to 20 % loss each way, of questions for MACs too",
        weight: 4,
        make: neighbours,
    },
    Class { name: "loss", about: "up to 20 % loss each way, alone or in bursts", weight: 16, make: lossy },
    Class { name: "loss-30", about: "20 to 30 % loss each way", weight: 6, make: very_lossy },
    Class { name: "threshold", about: "loss around the threshold, for an hour", weight: 1, make: threshold },
    Class { name: "change", about: "the path MTU changes; up to 20 % loss", weight: 12, make: change },
    Class { name: "outage", about: "outages of 0.3 to 15 s", weight: 8, make: outage },
    Class { name: "rtt", about: "round trips step between 0.3 and 300 ms", weight: 6, make: rtt },
    Class { name: "signals-limited", about: "\"too big\" is rate-limited", weight: 6, make: signals_limited },
    Class {
        name: "signals-end",
        about: "\"too big\" is signalled, then no more",
        weight: 1,
        make: signals_end,
    },
    Class { name: "liar", about: "\"too big\" claims a wrong or absurd MTU", weight: 5, make: liar },
    Class { name: "echo-limited", about: "echo answers are rate-limited", weight: 6, make: echo_limited },
    Class { name: "policer", about: "a byte policer at 3 to 20 times its rate", weight: 4, make: policer },
    Class {
        name: "frames",
        about: "frames cross in up to 7 outer packets, each may be lost",
        weight: 4,
        make: frames,
    },
    Class {
        name: "icmp-filter",
        about: "ICMP above 512 to 1199 bytes is dropped",
        weight: 3,
        make: icmp_filter,
    },
    Class {
        name: "mute-host",
        about: "the target answers no echo, no SYN, or no SYN with data",
        weight: 4,
        make: mute,
    },
    Class {
        name: "mss",
        about: "the SYN-ACK names less than we have: clamped on the way, or the target's own interface",
        weight: 8,
        make: mss,
    },
    Class {
        name: "other-box",
        about: "a box before the bottleneck answers SYNs",
        weight: 2,
        make: other_box,
    },
    Class {
        name: "v6-edge",
        about: "IPv6, from the target: 4 bytes below a silent edge are signalled",
        weight: 1,
        make: v6_edge,
    },
    Class {
        name: "own-trouble",
        about: "our own process is stopped, our own interface is down, our own host refuses",
        weight: 6,
        make: own_trouble,
    },
    Class {
        name: "two-legs",
        about: "two underlay legs of different MTU, by flow",
        weight: 4,
        make: two_legs,
    },
];

/// What a class fills in.
pub struct Make {
    rng: Rng,
    prober: Prober,
    network: Network,
    /// The largest size that the path could carry: the expected MTU, or what we can send of it.
    top: u32,
    phases: Vec<(f64, Network)>,
    own: Vec<Own>,
    seconds: f64,
}

/// The class that `seed` falls into.
pub fn class_of(seed: u64) -> &'static Class {
    let classes = if seed % LATER_EVERY == LATER_EVERY - 1 { LATER } else { CLASSES };
    let mut rng = Rng::with_seed(seed);
    let total: u32 = classes.iter().map(|class| class.weight).sum();
    let mut ticket = rng.u32(0..total);
    for class in classes {
        if ticket < class.weight {
            return class;
        }
        ticket -= class.weight;
    }
    &classes[0]
}

/// The network for `seed`.
pub fn case_of(seed: u64) -> (&'static Class, Case) {
    let class = class_of(seed);
    let mut rng = Rng::with_seed(seed ^ 0x00c0_ffee);
    let (prober, network) = ends(&mut rng);
    let expected = prober.expected.unwrap_or(prober.hosts);
    let top = expected.min(prober.testable());
    let mut make = Make { rng, prober, network, top, phases: Vec::new(), own: Vec::new(), seconds: 60.0 };
    (class.make)(&mut make);
    let Make { prober, network, mut phases, own, seconds, .. } = make;
    phases.insert(0, (0.0, network));
    (class, Case { seed, prober, phases, own, seconds })
}

/// Two hosts and a quiet path between them.
fn ends(rng: &mut Rng) -> (Prober, Network) {
    let family = if chance(0.3, rng) { Family::V6 } else { Family::V4 };
    let hosts = host_mtu(family, rng);
    let (icmp, tcp) = match rng.u8(..10) {
        0 => (IcmpProbes::Sized, TcpProbes::None),
        1 | 2 => (IcmpProbes::Sized, TcpProbes::Small),
        3 | 4 => (IcmpProbes::Fragments, TcpProbes::None),
        _ => (IcmpProbes::Fragments, TcpProbes::Sized),
    };
    let testable = (chance(0.05, rng) && hosts > 1400).then_some(hosts - 50);
    let expected = chance(0.15, rng).then_some(hosts);
    let prober = Prober { hosts, testable, expected, family, icmp, tcp, ..Prober::default() };
    let rtt_ms = log_between(0.3, 300.0, rng);
    let jitter_ms = if rng.bool() { 0.0 } else { rtt_ms * between(0.0, 0.5, rng) };
    let mss = chance(0.7, rng).then(|| u16::try_from(hosts - family.header() - 20).unwrap_or(u16::MAX));
    (prober, Network { rtt_ms, jitter_ms, mss, ..Network::default() })
}

impl Make {
    fn bottlenecks(&mut self) {
        let network = self.network.clone();
        self.network = with_bottlenecks(network, self.top, self.prober.family, &mut self.rng);
    }

    fn loss(&mut self, least: f64, most: f64) {
        let network = self.network.clone();
        self.network = with_loss(network, least, most, &mut self.rng);
    }

    fn sometimes_loss(&mut self) {
        if chance(0.3, &mut self.rng) {
            self.loss(0.0, 0.2);
            self.seconds += 60.0;
        }
    }

    fn then(&mut self, at: f64, network: Network) {
        self.phases.push((at, network));
    }
}

fn clean(make: &mut Make) {
    make.bottlenecks();
    make.seconds = 45.0;
}

fn lossy(make: &mut Make) {
    make.bottlenecks();
    make.loss(0.001, 0.2);
    make.seconds = if chance(0.1, &mut make.rng) { 400.0 } else { 100.0 };
}

fn neighbours(make: &mut Make) {
    make.bottlenecks();
    make.loss(0.05, 0.2);
    make.network.neighbours = true;
    make.seconds = if chance(0.2, &mut make.rng) { 900.0 } else { 100.0 };
}

fn very_lossy(make: &mut Make) {
    make.bottlenecks();
    make.loss(0.2, 0.3);
    make.seconds = 120.0;
}

fn threshold(make: &mut Make) {
    let mean = make.prober.loss_threshold * between(0.5, 1.7, &mut make.rng);
    make.network.forward.loss = loss(mean / 2.0, &mut make.rng);
    make.network.reverse.loss = loss(mean / 2.0, &mut make.rng);
    make.seconds = 3600.0;
}

fn change(make: &mut Make) {
    if make.rng.bool() {
        make.loss(0.0, 0.2);
    }
    let quiet = make.network.clone();
    if make.rng.bool() {
        make.bottlenecks();
    }
    let pause = if quiet.forward.loss.mean().max(quiet.reverse.loss.mean()) > 0.0 { 80.0 } else { 40.0 };
    let mut at = 0.0;
    for _ in 0..make.rng.u8(1..=3) {
        at += pause + make.rng.f64();
        let next = with_bottlenecks(quiet.clone(), make.top, make.prober.family, &mut make.rng);
        make.then(at, next);
    }
    make.seconds = at + pause;
}

fn outage(make: &mut Make) {
    if make.rng.bool() {
        make.bottlenecks();
    }
    make.sometimes_loss();
    let mut at = 5.0;
    for _ in 0..make.rng.u8(1..=4) {
        at += between(1.0, 40.0, &mut make.rng);
        make.then(at, Network { down: true, ..make.network.clone() });
        at += log_between(0.3, 15.0, &mut make.rng);
        make.then(at, make.network.clone());
    }
    make.seconds = at + 60.0;
}

fn rtt(make: &mut Make) {
    if make.rng.bool() {
        make.bottlenecks();
    }
    make.sometimes_loss();
    let mut at = 5.0;
    for _ in 0..make.rng.u8(1..=4) {
        at += between(5.0, 30.0, &mut make.rng);
        let rtt_ms = log_between(0.3, 300.0, &mut make.rng);
        let jitter_ms = rtt_ms * between(0.0, 1.0, &mut make.rng);
        make.then(at, Network { rtt_ms, jitter_ms, ..make.network.clone() });
    }
    make.seconds = at + 40.0;
}

fn signals_limited(make: &mut Make) {
    make.bottlenecks();
    let above = mtu_below(make.top, make.prober.family, &mut make.rng);
    if above > make.prober.family.least_mtu() && make.rng.bool() {
        make.network.forward.bottlenecks = vec![Bottleneck::signalled(above, above)];
    }
    make.network.signal_limit = Some(limit(&mut make.rng));
    make.prober.heard_elsewhere = make.rng.bool();
    make.sometimes_loss();
    make.seconds = if chance(0.1, &mut make.rng) { 900.0 } else { 120.0 };
}

fn signals_end(make: &mut Make) {
    let above = mtu_below(make.top, make.prober.family, &mut make.rng);
    let mut silent = make.network.clone();
    make.network.forward.bottlenecks = vec![Bottleneck::signalled(above, above)];
    silent.forward.bottlenecks = vec![Bottleneck::silent(above)];
    make.then(60.0, silent);
    make.seconds = 500.0;
}

fn liar(make: &mut Make) {
    let above = mtu_below(make.top, make.prober.family, &mut make.rng);
    let least = make.prober.family.least_mtu();
    let claim = match make.rng.u8(..6) {
        0 => pick(&[0, 1, least - 1], &mut make.rng),
        1 => pick(&[make.top, make.top + 1, 65535], &mut make.rng),
        2 => make.rng.u32(above + 1..=make.top),
        3 => least,
        _ => make.rng.u32(least..=above.max(least)),
    };
    make.network.forward.bottlenecks = vec![Bottleneck::signalled(above, claim)];
    if chance(0.3, &mut make.rng) {
        make.network.reverse.bottlenecks = reverse_bottlenecks(make.top, make.prober.family, &mut make.rng);
    }
    make.sometimes_loss();
}

fn echo_limited(make: &mut Make) {
    make.bottlenecks();
    make.network.echo_limit = Some(limit(&mut make.rng));
    make.sometimes_loss();
    make.seconds = 120.0;
}

fn policer(make: &mut Make) {
    if make.rng.bool() {
        make.bottlenecks();
    }
    let bytes_per_second = log_between(50_000.0, 500_000.0, &mut make.rng);
    let policer = Policer {
        bytes_per_second,
        // A bucket into which no full-size packet fits would be a hole.
        bucket: f64::from(make.top) * log_between(1.2, 10.0, &mut make.rng),
        overload: between(3.0, 20.0, &mut make.rng),
    };
    if make.rng.bool() {
        make.network.forward.policer = Some(policer);
    } else {
        make.network.reverse.policer = Some(policer);
    }
    make.sometimes_loss();
    make.seconds = 90.0;
}

fn frames(make: &mut Make) {
    if make.rng.bool() {
        make.bottlenecks();
    }
    let pieces = make.rng.u32(2..=7);
    let frames = Frames { bytes: make.top.div_ceil(pieces), loss: between(0.0, 0.3, &mut make.rng) };
    make.network.forward.frames = make.rng.bool().then_some(frames);
    if make.network.forward.frames.is_none() || make.rng.bool() {
        make.network.reverse.frames = Some(frames);
    }
    make.seconds = 120.0;
}

fn icmp_filter(make: &mut Make) {
    if make.rng.bool() {
        make.bottlenecks();
    }
    make.network.icmp_filter = Some(pick(&[512, 1000, 1024, 1100, 1199], &mut make.rng));
    make.sometimes_loss();
}

fn mute(make: &mut Make) {
    make.bottlenecks();
    match make.rng.u8(..4) {
        0 => make.network.icmp = false,
        1 => make.network.tcp = Tcp::Silent,
        2 => make.network.tcp = Tcp::BareOnly,
        _ => make.network.fragments = false,
    }
    if chance(0.2, &mut make.rng) {
        make.network.tcp = Tcp::BareOnly;
    }
    make.sometimes_loss();
}

fn stateful(make: &mut Make) {
    if make.rng.bool() {
        make.bottlenecks();
    }
    make.sometimes_loss();
    let nat = Nat { timeout_s: log_between(10.0, 900.0, &mut make.rng), failover: false, full: false };
    make.network.nat = Some(nat);
    let mut at = make.seconds;
    let full = make.prober.tcp != TcpProbes::Small && nat.timeout_s > 60.0 && make.rng.bool();
    let next = if full { Nat { full, ..nat } } else { Nat { failover: true, ..nat } };
    if !full && make.rng.bool() {
        make.then(at, Network { down: true, ..make.network.clone() });
        at += log_between(0.3, 15.0, &mut make.rng);
    }
    make.then(at, Network { nat: Some(next), ..make.network.clone() });
    make.seconds = at + 150.0;
}

fn tcp_dead(make: &mut Make) {
    dies(make, &[Tcp::Silent, Tcp::Silent, Tcp::Filtered]);
}

fn payload_dead(make: &mut Make) {
    dies(make, &[Tcp::PayloadSilent, Tcp::PayloadSilent, Tcp::PayloadFiltered, Tcp::KernelSilent]);
}

fn dies(make: &mut Make, how: &[Tcp]) {
    if make.prober.tcp == TcpProbes::None {
        make.prober.tcp = if make.rng.bool() { TcpProbes::Sized } else { TcpProbes::Small };
    }
    if make.rng.bool() {
        make.bottlenecks();
    }
    make.sometimes_loss();
    let alive = make.network.clone();
    let tcp = pick(how, &mut make.rng);
    make.network.tcp = tcp;
    let gone = make.network.clone();
    make.seconds += 60.0;
    match make.rng.u8(..3) {
        0 => {}
        1 => {
            make.then(make.seconds, alive);
            make.seconds += 60.0;
        }
        _ => {
            make.network = alive.clone();
            make.then(40.0, gone);
            make.seconds = 40.0 + 130.0;
            make.then(make.seconds, alive);
            make.seconds += 80.0;
        }
    }
}

fn mss(make: &mut Make) {
    make.prober.hosts = make.prober.hosts.max(1400);
    make.prober.testable = None;
    make.prober.expected = None;
    if chance(0.8, &mut make.rng) {
        (make.prober.icmp, make.prober.tcp) = (IcmpProbes::Fragments, TcpProbes::Sized);
    }
    make.top = make.prober.hosts;
    let headers = make.prober.family.header() + 20;
    let least = make.prober.family.least_mtu().max(600);
    let named = match make.rng.u8(..4) {
        0 => make.rng.u32(least..make.top),
        1 => make.top - make.rng.u32(1..=60),
        _ => pick(&[1280, 1300, 1340, 1360, 1380], &mut make.rng),
    };
    make.network.mss = Some(u16::try_from(named - headers).unwrap_or(u16::MAX));
    make.network.target_mtu = match make.rng.u8(..8) {
        // Only a SYN of our own shows what the target accepts.
        0..3 if make.prober.tcp != TcpProbes::Sized => Some(make.top),
        0..2 => None,
        2 => Some(make.rng.u32(named..=make.top)),
        _ => Some(make.top),
    };
    make.bottlenecks();
    if chance(0.1, &mut make.rng) {
        make.network.fragments = false;
    }
    make.sometimes_loss();
}

/// Clamps our SYN, and mostly the SYN-ACK too, as in [`mss`].
fn clamps(make: &mut Make) {
    if chance(0.7, &mut make.rng) {
        mss(make);
        make.network.target_mtu.get_or_insert(make.top);
    } else {
        make.bottlenecks();
        make.sometimes_loss();
    }
    let least = make.prober.family.least_mtu().max(600).min(make.top - 1);
    make.network.clamps_us = Some(make.rng.u32(least..make.top));
}

fn remembers(make: &mut Make) {
    make.prober.hosts = make.prober.hosts.max(1400);
    (make.prober.testable, make.prober.expected) = (None, None);
    (make.prober.icmp, make.prober.tcp) = (IcmpProbes::Fragments, TcpProbes::Sized);
    make.top = make.prober.hosts;
    let family = make.prober.family;
    let mss = |mtu: u32| Some(u16::try_from(mtu - family.header() - 20).unwrap_or(u16::MAX));
    let above = make.rng.u32(1290..make.top);
    let cuts_none = family == Family::V4 && make.rng.bool();
    let bottleneck = Bottleneck { cuts_none, ..Bottleneck::signalled(above, above) };
    make.network.forward.bottlenecks = vec![bottleneck];
    make.network.reverse.bottlenecks = vec![bottleneck];
    make.network.bridge_signals = true;
    make.network.target_mtu = Some(make.top);
    make.network.mss = mss(make.top);
    make.sometimes_loss();
    let forgets = make.network.clone();
    let remembers = Network { mss: mss(above), remembers: Some(above), ..forgets.clone() };
    let lasts = make.seconds;
    if make.rng.bool() {
        make.network = remembers.clone();
    } else {
        make.then(lasts, remembers);
        make.seconds += lasts;
    }
    make.then(make.seconds, forgets);
    make.seconds += lasts;
}

fn other_box(make: &mut Make) {
    make.bottlenecks();
    make.network.other_box = true;
    make.sometimes_loss();
}

fn own_trouble(make: &mut Make) {
    if make.rng.bool() {
        make.bottlenecks();
    }
    make.sometimes_loss();
    let mut at = between(0.0, 20.0, &mut make.rng);
    for _ in 0..make.rng.u8(1..=5) {
        let whats = [What::Stopped, What::Down, What::Unplugged, What::Firewall, What::Full];
        let what = pick(&whats, &mut make.rng);
        let seconds = log_between(0.2, 20.0, &mut make.rng);
        make.own.push(Own { from_second: at, seconds, what });
        at += seconds + log_between(0.5, 30.0, &mut make.rng);
    }
    make.seconds = at + 60.0;
}

fn two_legs(make: &mut Make) {
    make.bottlenecks();
    let flows: Vec<u8> = (0..FLOWS).filter(|_| make.rng.bool()).collect();
    let other =
        if make.rng.bool() { Vec::new() } else { bottlenecks(make.top, make.prober.family, &mut make.rng) };
    make.network.forward.leg = Some(Leg { flows, bottlenecks: other });
    make.sometimes_loss();
    make.seconds += 90.0;
    if chance(0.2, &mut make.rng) {
        make.network.signal_limit = Some(limit(&mut make.rng));
    }
}

fn v6_edge(make: &mut Make) {
    make.prober.family = Family::V6;
    make.top = make.top.max(1400);
    make.prober.hosts = make.prober.hosts.max(1400);
    make.prober.expected = None;
    make.prober.testable = None;
    make.network.mss = None;
    let above = make.rng.u32(1290..make.top);
    make.network.reverse.bottlenecks =
        vec![Bottleneck::silent(above), Bottleneck::signalled(above - 4, above - 4)];
    if make.rng.bool() {
        make.network.forward.bottlenecks = make.network.reverse.bottlenecks.clone();
    }
    make.seconds = 120.0;
}
