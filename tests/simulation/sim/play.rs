//! The loop: polls the prober whenever something happens, lets the network answer, and shows an
//! observer what the prober reports.

use std::{
    cmp::Reverse as Earliest,
    collections::{BTreeSet, BinaryHeap},
    time::Duration,
};

use serde::Deserialize;
use vxlan_exporter::{
    model::{
        family::Family,
        observation::{EchoStats, Judgement},
        types::ProbeSize,
    },
    path::{
        budget::Budget,
        hole::detect::Urgency,
        probe::{Answer, ByteFate, FLOWS, Moment, Probe, ProbeId, ProbeMethod, Reply, Send},
        prober::PathProber,
        refusal::Refusal,
        settings::{HostMtu, IcmpProbes, Settings, TcpProbes},
        tcp::pinned::{MOVE_EVERY, next_to_move},
    },
};

use super::{
    byte::{Byte, Next},
    network::Network,
    own::{self, Own},
    world::World,
};

/// The path's TCP port.
pub const PORT: u16 = 443;

/// Shortest time between two looks at what the prober reports.
const LOOK: Duration = Duration::from_millis(20);

/// Shortest time between two polls of the prober, as in the real loop.
const LEAST_WAIT: Duration = Duration::from_millis(1);

/// The setup of the prober.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Prober {
    /// The MTU of hosts at our site.
    pub hosts: u32,
    /// The MTU of our own interface; absent if it is the same.
    pub testable: Option<u32>,
    /// The configured expected MTU.
    pub expected: Option<u32>,
    /// `v4` or `v6`.
    #[serde(deserialize_with = "family")]
    pub family: Family,
    /// What it can probe by ICMP.
    #[serde(deserialize_with = "icmp")]
    pub icmp: IcmpProbes,
    /// What it can probe by TCP.
    #[serde(deserialize_with = "tcp")]
    pub tcp: TcpProbes,
    /// Whether another path of the same exporter receives "too big" once a minute.
    pub heard_elsewhere: bool,
    /// Round-trip loss above which a path is lossy.
    pub loss_threshold: f64,
}

impl Default for Prober {
    fn default() -> Self {
        Self {
            hosts: 1500,
            testable: None,
            expected: None,
            family: Family::V4,
            icmp: IcmpProbes::Fragments,
            tcp: TcpProbes::Sized,
            heard_elsewhere: false,
            loss_threshold: 0.03,
        }
    }
}

impl Prober {
    /// The MTU of our own interface.
    pub fn testable(&self) -> u32 {
        self.testable.unwrap_or(self.hosts)
    }

    /// The answer as the prober sees it: connections made by the kernel do not show the MSS of the
    /// SYN-ACK.
    fn sees(&self, answer: Answer) -> Answer {
        match answer {
            Answer::Passed(reply) if self.tcp != TcpProbes::Sized => {
                Answer::Passed(Reply { mss: None, ..reply })
            }
            answer => answer,
        }
    }

    fn machine(&self, seed: u64) -> PathProber {
        let settings = Settings {
            probe_interval: Duration::from_secs(1),
            sentinel_interval: Duration::from_secs(1),
            expected_mtu: self.expected,
            loss_threshold: self.loss_threshold,
            family: self.family,
            icmp: self.icmp,
            tcp: self.tcp,
            tcp_port: PORT,
            borrows_port: false,
        };
        let hosts = HostMtu {
            testable: self.testable(),
            hosts: self.hosts,
            rule: vxlan_exporter::language::Said::verbatim("simulated"),
            pending: false,
            above: None,
        };
        PathProber::new(settings, hosts, seed, Duration::ZERO)
    }
}

/// A network, its changes, and the prober.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// All random numbers are derived from it.
    pub seed: u64,
    /// How the prober is set up.
    pub prober: Prober,
    /// The network from each of these seconds on; the first at 0.
    pub phases: Vec<(f64, Network)>,
    /// Faults of the prober's own host, one after the other.
    pub own: Vec<Own>,
    /// The length of the play.
    pub seconds: f64,
}

/// What the prober reports at one moment.
#[derive(Debug)]
pub struct Look<'a> {
    /// When.
    pub now: Moment,
    /// What it says.
    pub judgement: &'a Judgement,
    /// Packets sent since the beginning.
    pub packets: u64,
    /// The sizes of DF echoes by which it has searched for the exact edge of a hole.
    pub searched: &'a BTreeSet<u32>,
    /// Its counts.
    pub echo: &'a EchoStats,
}

enum Arrival {
    Echo(u64, Duration),
    Probe(ProbeId, Answer),
    Byte(ProbeId, Byte),
}

struct Due {
    at: Moment,
    serial: u64,
    what: Arrival,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.serial) == (other.at, other.serial)
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.serial).cmp(&(other.at, other.serial))
    }
}

/// Answers that are on their way.
#[derive(Default)]
struct Arrivals {
    due: BinaryHeap<Earliest<Due>>,
    serial: u64,
}

impl Arrivals {
    fn push(&mut self, at: Moment, what: Arrival) {
        self.serial += 1;
        self.due.push(Earliest(Due { at, serial: self.serial, what }));
    }

    fn next_at(&self) -> Option<Moment> {
        self.due.peek().map(|Earliest(due)| due.at)
    }

    fn pop(&mut self, now: Moment) -> Option<Due> {
        self.next_at().filter(|at| *at <= now)?;
        self.due.pop().map(|Earliest(due)| due)
    }
}

/// Passes the answers that have arrived to the prober.
fn arrive(case: &Case, world: &mut World, machine: &mut PathProber, arrivals: &mut Arrivals, now: Moment) {
    while let Some(due) = arrivals.pop(now) {
        // The kernel keeps the result of a byte until it is read.
        let kept = matches!(due.what, Arrival::Byte(..));
        if !kept && !case.own.iter().all(|own| own.lets_in(due.at)) {
            continue;
        }
        match due.what {
            Arrival::Byte(id, byte) => match world.byte(byte, now) {
                Next::Told(fate) => machine.byte_told(id, fate, now),
                Next::At(at, byte) => arrivals.push(at.max(now), Arrival::Byte(id, byte)),
            },
            // The round trip is measured when the reply is read.
            Arrival::Echo(seq, rtt) => machine.echo_reply(seq, rtt + now.saturating_sub(due.at), now),
            Arrival::Probe(id, answer) => machine.answer(id, answer, now),
        }
    }
}

/// Our own host does not send the packet.
fn refuse(machine: &mut PathProber, send: Send, refusal: Refusal, now: Moment) {
    match send {
        Send::Echo { seq } => machine.echo_not_sent(seq, refusal, now),
        Send::Probe(probe) => machine.answer(probe.id, Answer::NotSent(refusal), now),
        Send::Byte { id, .. } => machine.byte_told(id, ByteFate::NotSent(refusal), now),
        Send::Renew => {}
    }
}

/// Plays a case and shows `observe` every look.
pub fn play(case: &Case, mut observe: impl FnMut(Look<'_>)) {
    let mut machine = case.prober.machine(case.seed);
    let mut phases = case.phases.iter().peekable();
    let Some((_, first)) = phases.next() else { return };
    let mut world = World::new(case.prober.family, first.clone(), case.seed ^ 0x5eed, Duration::ZERO);
    world.flows.connects = case.prober.tcp == TcpProbes::Small;
    let (mut renewed, mut turn) = (Duration::ZERO, 0);
    let mut budget = Budget::new(200);
    let mut arrivals = Arrivals::default();
    let end = Duration::from_secs_f64(case.seconds);
    let (mut now, mut looked) = (Duration::ZERO, None);
    let mut packets = 0_u64;
    let mut elsewhere = Duration::ZERO;
    let mut searched = BTreeSet::new();
    let mut out = Vec::new();
    let mut rng = fastrand::Rng::with_seed(case.seed ^ 0x0e11);
    let mut stops = case.own.iter().flat_map(Own::stops).peekable();
    let mut lost = case.own.iter().filter_map(Own::noticed_at).peekable();
    while now < end {
        if let Some(stop) = stops.next_if(|stop| stop.from() <= now) {
            now = now.max(stop.until());
            machine.interrupted(now);
        }
        if lost.next_if(|at| *at <= now).is_some() {
            machine.interface_lost(now);
        }
        while let Some((_, network)) = phases.next_if(|(from, _)| Duration::from_secs_f64(*from) <= now) {
            world.change(network.clone(), now);
        }
        arrive(case, &mut world, &mut machine, &mut arrivals, now);
        if case.prober.heard_elsewhere && now >= elsewhere {
            elsewhere = now + Duration::from_mins(1);
            machine.heard_elsewhere(now);
        }
        if now >= renewed + MOVE_EVERY {
            renewed = now;
            let next = next_to_move(turn, |flow| machine.is_silent_on(flow));
            turn = next.unwrap_or(turn);
            world.flows.renew(next.as_slice());
            machine.flows_moved(next.as_slice());
        }
        budget.fill(now);
        machine.regular(now, &mut out);
        for urgency in Urgency::ALL {
            machine.burst(urgency, now, &mut budget, &mut out);
        }
        for send in out.drain(..) {
            if send == Send::Renew {
                let all: Vec<u8> = (0..FLOWS).collect();
                world.flows.renew(&all);
                machine.flows_moved(&all);
                continue;
            }
            if let Send::Probe(Probe {
                method: ProbeMethod::Echo, purpose: ProbeSize::Search, size, ..
            }) = send
            {
                searched.insert(size);
            }
            let trouble = case.own.iter().map(|own| own.send(now, &mut rng));
            match (trouble.filter(|sent| *sent != own::Send::Leaves).last(), send) {
                (Some(own::Send::Refused(refusal)), _) => {
                    refuse(&mut machine, send, refusal, now);
                    continue;
                }
                (vanishes, Send::Byte { id, port }) => {
                    packets += 4;
                    let byte = world.begin_byte(port, now);
                    let (at, byte) = if vanishes.is_some() { byte.vanishes() } else { (now, byte) };
                    arrivals.push(at, Arrival::Byte(id, byte));
                    continue;
                }
                (Some(_), _) | (None, Send::Renew) => continue,
                (None, _) => {}
            }
            let what = reply(case, &mut world, send, &mut packets, now);
            let Some(what) = what else { continue };
            let rtt = world.round_trip();
            let what = if let Arrival::Echo(seq, _) = what { Arrival::Echo(seq, rtt) } else { what };
            let refused = matches!(what, Arrival::Probe(_, Answer::NotSent(_)));
            arrivals.push(now + if refused { Duration::ZERO } else { rtt }, what);
        }
        if looked.is_none_or(|at| now >= at + LOOK) {
            looked = Some(now);
            let (judgement, echo) = (&machine.judgement(), &machine.echo_stats());
            observe(Look { now, judgement, packets, searched: &searched, echo });
        }
        let asked = machine.next_at().max(now + LEAST_WAIT);
        let arrives = arrivals.next_at().unwrap_or(end);
        let changes = phases.peek().map_or(end, |(from, _)| Duration::from_secs_f64(*from));
        let stops = stops.peek().map_or(end, |stop| stop.from().max(now));
        let noticed = lost.peek().map_or(end, |at| (*at).max(now));
        now = asked.min(arrives.max(now)).min(changes).min(stops).min(noticed).min(end);
    }
}

/// The answer to a packet.
fn reply(case: &Case, world: &mut World, send: Send, packets: &mut u64, now: Moment) -> Option<Arrival> {
    match send {
        Send::Renew | Send::Byte { .. } => None,
        Send::Echo { seq } => {
            *packets += 1;
            world.echo(now).then_some(Arrival::Echo(seq, Duration::ZERO))
        }
        Send::Probe(probe) => {
            *packets += u64::from(probe.method.packets(case.prober.family, probe.size));
            assert!(probe.size <= 9216 && probe.size >= case.prober.family.small().min(68), "{probe:?}");
            if probe.size > case.prober.testable() && probe.method != ProbeMethod::Fragments {
                Some(Arrival::Probe(probe.id, Answer::NotSent(Refusal::Unable)))
            } else {
                let answer = world.probe(probe, now).map(|answer| case.prober.sees(answer));
                answer.map(|answer| Arrival::Probe(probe.id, answer))
            }
        }
    }
}

fn family<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Family, D::Error> {
    one_of(from, &[("v4", Family::V4), ("v6", Family::V6)])
}

fn icmp<'de, D: serde::Deserializer<'de>>(from: D) -> Result<IcmpProbes, D::Error> {
    use IcmpProbes::{Fragments, None, Sized};
    one_of(from, &[("none", None), ("sized", Sized), ("fragments", Fragments)])
}

fn tcp<'de, D: serde::Deserializer<'de>>(from: D) -> Result<TcpProbes, D::Error> {
    use TcpProbes::{None, Sized, Small};
    one_of(from, &[("none", None), ("small", Small), ("sized", Sized)])
}

fn one_of<'de, T: Copy, D: serde::Deserializer<'de>>(from: D, words: &[(&str, T)]) -> Result<T, D::Error> {
    let word = String::deserialize(from)?;
    words
        .iter()
        .find(|(known, _)| *known == word)
        .map(|(_, value)| *value)
        .ok_or_else(|| serde::de::Error::custom(format!("{word}: not one of these")))
}
