//! The loop: asks the prober what to send whenever something happens, lets the network answer, and shows
//! an observer what the prober says.

use std::{cmp::Reverse as Earliest, collections::BinaryHeap, time::Duration};

use serde::Deserialize;
use vxlan_exporter::{
    model::{
        family::Family,
        observation::{EchoStats, Judgement},
    },
    path::{
        budget::Budget,
        hole::detect::Urgency,
        probe::{Answer, ByteFate, FLOWS, Moment, ProbeId, ProbeMethod, Reply, Send},
        prober::PathProber,
        refusal::Refusal,
        settings::{HostMtu, IcmpProbes, Settings, TcpProbes},
        tcp::pinned::{MOVE_EVERY, next_to_move},
    },
};

use super::{
    byte::{Byte, Next},
    network::Network,
    own::{self, Own, What},
    world::World,
};

/// The path's TCP port.
pub const PORT: u16 = 443;

/// What the prober says is looked at this often at most.
const LOOK: Duration = Duration::from_millis(20);

/// The least time between two questions to the prober, as in the real loop.
const LEAST_WAIT: Duration = Duration::from_millis(1);

/// How the prober is set up.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Prober {
    /// What hosts of our site have.
    pub hosts: u32,
    /// What our own interface lets out; absent: as much.
    pub testable: Option<u32>,
    /// The configured expected MTU.
    pub expected: Option<u32>,
    /// `v4` or `v6`.
    #[serde(deserialize_with = "family")]
    pub family: Family,
    /// What it can ask by ICMP.
    #[serde(deserialize_with = "icmp")]
    pub icmp: IcmpProbes,
    /// What it can ask by TCP.
    #[serde(deserialize_with = "tcp")]
    pub tcp: TcpProbes,
    /// Another path of the same exporter hears "too big" once a minute.
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
    /// What our own interface lets out.
    pub fn testable(&self) -> u32 {
        self.testable.unwrap_or(self.hosts)
    }

    /// The kernel's own connections do not tell what the SYN-ACK names.
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
            rule: "simulated".to_owned(),
            pending: false,
            above: None,
        };
        PathProber::new(settings, hosts, seed, Duration::ZERO)
    }
}

/// A network, how it changes, and who looks at it.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Everything random follows from it.
    pub seed: u64,
    /// How the prober is set up.
    pub prober: Prober,
    /// The network, from each of these seconds on; the first at 0.
    pub phases: Vec<(f64, Network)>,
    /// Troubles of the prober's own, one after the other.
    pub own: Vec<Own>,
    /// When it ends.
    pub seconds: f64,
}

/// What the prober says at one moment.
#[derive(Debug)]
pub struct Look<'a> {
    /// When.
    pub now: Moment,
    /// What it says.
    pub judgement: &'a Judgement,
    /// Packets sent since the beginning.
    pub packets: u64,
    /// What it has counted.
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

/// What is on its way back.
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

/// What is back by now is told.
fn arrive(case: &Case, world: &mut World, machine: &mut PathProber, arrivals: &mut Arrivals, now: Moment) {
    while let Some(due) = arrivals.pop(now) {
        // The kernel keeps what became of a byte.
        let kept = matches!(due.what, Arrival::Byte(..));
        if !kept && !case.own.iter().all(|own| own.lets_in(due.at)) {
            continue;
        }
        match due.what {
            Arrival::Byte(id, byte) => match world.byte(byte, now) {
                Next::Told(fate) => machine.byte_told(id, fate, now),
                Next::At(at, byte) => arrivals.push(at.max(now), Arrival::Byte(id, byte)),
            },
            // Measured when it is read.
            Arrival::Echo(seq, rtt) => machine.echo_reply(seq, rtt + now.saturating_sub(due.at), now),
            Arrival::Probe(id, answer) => machine.answer(id, answer, now),
        }
    }
}

/// Our own host does not send it.
fn refuse(machine: &mut PathProber, send: Send, refusal: Refusal, now: Moment) {
    match send {
        Send::Echo { seq } => machine.echo_not_sent(seq, refusal, now),
        Send::Probe(probe) => machine.answer(probe.id, Answer::NotSent(refusal), now),
        Send::Byte { id, .. } => machine.byte_told(id, ByteFate::NotSent(refusal), now),
        Send::Renew => {}
    }
}

/// Plays a case and shows each look to `observe`.
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
    let mut out = Vec::new();
    let mut rng = fastrand::Rng::with_seed(case.seed ^ 0x0e11);
    let mut stops = case.own.iter().filter(|own| own.what == What::Stopped).peekable();
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
            observe(Look { now, judgement: &machine.judgement(), packets, echo: machine.echo_stats() });
        }
        let asked = machine.next_at().max(now + LEAST_WAIT);
        let arrives = arrivals.next_at().unwrap_or(end);
        let changes = phases.peek().map_or(end, |(from, _)| Duration::from_secs_f64(*from));
        let stops = stops.peek().map_or(end, |stop| stop.from().max(now));
        let noticed = lost.peek().map_or(end, |at| (*at).max(now));
        now = asked.min(arrives.max(now)).min(changes).min(stops).min(noticed).min(end);
    }
}

/// What comes back to a packet.
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
