//! Which packets of ours are queued or in flight, and which of them an incoming packet answers.
//!
//! Foreign and forged packets match nothing. An echo reply must come from the target with our
//! identifier, a sequence number in flight, our cookie and the size that was sent. A TCP segment
//! must acknowledge the random sequence number of a SYN in flight on its 4-tuple. A signal must
//! quote a packet in flight and claim a smaller MTU than was sent; its source address is not
//! checked, as a Linux bridge uses the target's own.

mod tcp;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    io,
    net::IpAddr,
    time::{Duration, Instant},
};

use tracing::debug;

use super::{
    last_heard::{LastHeard, SocketGroup},
    packet::{self, Cookie, Incoming, Quoted},
    random::random,
    target::Target,
    wire::{Outgoing, Wire},
};
use crate::{
    model::{
        family::Family,
        types::{Bytes, ProbeSize},
    },
    path::{
        limits::SYN_HEADER,
        loss::probe_timeout::GIVE_UP,
        probe::{Answer, Moment, Probe, ProbeId, ProbeMethod, Reply, fragments_of},
        settings::TcpProbes,
    },
};

/// How long a SYN reserves its 4-tuple against SYNs of other paths.
const TUPLE_BUSY: Duration = Duration::from_secs(2);
/// How often what is too old is forgotten: that takes as long as there are targets.
const FORGET_EVERY: Duration = Duration::from_secs(1);
/// The result of a byte comes long before this.
const BYTE_TOLD: Duration = Duration::from_mins(1);

/// What a packet is to the prober of its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errand {
    /// A probe.
    Probe(ProbeId),
    /// The regular small echo of that number.
    Echo(u64),
}

#[derive(Debug, Clone, Copy)]
struct Flight {
    path: usize,
    errand: Errand,
    method: ProbeMethod,
    to: IpAddr,
    /// The identifier of an echo; 0 otherwise.
    identifier: u16,
    size: Bytes,
    at: Moment,
    /// When it was due.
    due: Moment,
    /// When it left this host; known of regular echoes.
    left: Option<Instant>,
}

/// An answer to a packet of `path`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// To a probe.
    Probe(ProbeId, Answer),
    /// To the regular echo of that number, with its round-trip time.
    Echo(u64, Duration),
}

/// What became of a queued packet of `path`.
#[derive(Debug)]
pub struct Launched {
    /// The path's number.
    pub path: usize,
    /// What it was sent for.
    pub errand: Errand,
    /// When it was due; if that is not known, when it was queued.
    pub due: Moment,
    /// When it left, or why it did not.
    pub fate: io::Result<Instant>,
}

/// Identifies an echo: target address and sequence number. A sequence number alone returns within
/// seconds if there are many paths.
type EchoKey = (IpAddr, u16);

/// Identifies a TCP connection: target address, its port, our port.
type Tuple = (IpAddr, u16, u16);

#[derive(Debug, Clone, Copy)]
struct SynFlight {
    flight: Flight,
    sequence: u32,
}

/// All packets in flight.
#[derive(Debug)]
pub struct Flights {
    cookie: Cookie,
    sequence: u16,
    count: usize,
    echoes: HashMap<EchoKey, Flight>,
    syns: HashMap<Tuple, Vec<SynFlight>>,
    /// The kernel's own connections, by token.
    connects: HashMap<u64, Flight>,
    /// Kernel connections that carry a byte, by token, with their start.
    bytes: HashMap<u64, (usize, ProbeId, Moment)>,
    heard: LastHeard,
    /// What is queued, in the order of the tickets.
    queued: Vec<(Key, Flight)>,
    forgot_at: Moment,
}

/// Where a queued packet is found.
#[derive(Debug, Clone, Copy)]
enum Key {
    Echo(EchoKey),
    Syn(Tuple, u32),
}

impl Flights {
    /// Starts with nothing in flight.
    #[must_use]
    pub fn new() -> Self {
        Self {
            cookie: random(),
            sequence: random(),
            count: 0,
            echoes: HashMap::new(),
            syns: HashMap::new(),
            connects: HashMap::new(),
            bytes: HashMap::new(),
            heard: LastHeard::default(),
            queued: Vec::new(),
            forgot_at: Moment::ZERO,
        }
    }

    /// How many packets have been sent.
    #[must_use]
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Builds and queues one probe of `path`; [`Flights::flush`] sends it. A connection of the
    /// kernel's own begins at once.
    pub fn launch(
        &mut self,
        wire: &mut dyn Wire,
        path: usize,
        target: &Target,
        probe: Probe,
        now: Moment,
    ) -> io::Result<()> {
        let family = Family::of(target.address);
        let size = wire_size(family, probe);
        let mut flight = Flight {
            path,
            errand: Errand::Probe(probe.id),
            method: probe.method,
            to: target.address,
            identifier: 0,
            size,
            at: now,
            due: now,
            left: None,
        };
        self.count = self.count.wrapping_add(1);
        match probe.method {
            ProbeMethod::Echo | ProbeMethod::Fragments => {
                flight.identifier =
                    if probe.fresh { wire.fresh_identifier(family)? } else { wire.identifier() };
                self.launch_echo(wire, target, probe, flight)
            }
            ProbeMethod::Syn if wire.asks(family).tcp == TcpProbes::Sized => {
                self.launch_syn(wire, target, probe, flight)
            }
            ProbeMethod::Syn if probe.bare => self.connect(wire, probe.port, flight),
            ProbeMethod::Syn => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Builds and queues the regular small echo of `path`, of that number and due at that time.
    pub(crate) fn launch_regular(
        &mut self,
        wire: &mut dyn Wire,
        path: usize,
        target: &Target,
        (number, due): (u64, Moment),
        now: Moment,
    ) -> io::Result<()> {
        self.count = self.count.wrapping_add(1);
        let (identifier, size) = (wire.identifier(), Family::of(target.address).small());
        let (errand, method) = (Errand::Echo(number), ProbeMethod::Echo);
        let flight =
            Flight { path, errand, method, to: target.address, identifier, size, at: now, due, left: None };
        self.queue_echo(wire, target, flight, None)
    }

    fn launch_echo(
        &mut self,
        wire: &mut dyn Wire,
        target: &Target,
        probe: Probe,
        flight: Flight,
    ) -> io::Result<()> {
        self.queue_echo(wire, target, flight, Some(probe))
    }

    fn queue_echo(
        &mut self,
        wire: &mut dyn Wire,
        target: &Target,
        flight: Flight,
        probe: Option<Probe>,
    ) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let sequence = self.sequence;
        let door = self.heard.door(target.address, flight.at);
        let addresses = (target.egress.source, target.address);
        let size = flight.size as usize;
        let message = packet::echo_request(size, addresses, flight.identifier, sequence, &self.cookie);
        let ticket = self.queued.len();
        match probe {
            Some(probe) if probe.method == ProbeMethod::Fragments => {
                let count = fragments_of(Family::of(target.address), probe.size) as usize;
                let packets = packet::fragments(&message, count, addresses.0, addresses.1, random());
                wire.queue(ticket, Outgoing::Fragments(&packets), target.address, door)?;
            }
            Some(Probe { fresh: true, .. }) => {
                wire.queue(ticket, Outgoing::FreshEcho(&message), target.address, door)?;
            }
            _ => wire.queue(ticket, Outgoing::Echo(&message), target.address, door)?,
        }
        let key = (target.address, sequence);
        self.queued.push((Key::Echo(key), flight));
        self.echoes.insert(key, flight);
        Ok(())
    }

    /// Sends what is queued, and tells what became of each packet.
    pub fn flush(&mut self, wire: &mut dyn Wire, told: &mut dyn FnMut(Launched)) {
        let Self { queued, echoes, syns, .. } = self;
        wire.flush(&mut |ticket, fate| {
            let Some((key, flight)) = queued.get(ticket).copied() else { return };
            match (key, &fate) {
                (Key::Echo(key), Ok(left)) if matches!(flight.errand, Errand::Echo(_)) => {
                    if let Some(flight) = echoes.get_mut(&key) {
                        flight.left = Some(*left);
                    }
                }
                (_, Ok(_)) => {}
                (Key::Echo(key), Err(_)) => {
                    echoes.remove(&key);
                }
                (Key::Syn(tuple, sequence), Err(_)) => {
                    if let Some(waiting) = syns.get_mut(&tuple) {
                        waiting.retain(|syn| syn.sequence != sequence);
                    }
                }
            }
            told(Launched { path: flight.path, errand: flight.errand, due: flight.due, fate });
        });
        queued.clear();
    }

    /// Records that a target has answered.
    pub fn hear(&mut self, target: IpAddr, now: Moment) {
        self.heard.hear(target, now);
    }

    /// The sockets over which a target is probed at present.
    #[must_use]
    pub(crate) fn door(&self, target: IpAddr, now: Moment) -> SocketGroup {
        self.heard.door(target, now)
    }

    /// The path and packet that `incoming`, received at that time, answers, if any.
    pub fn claim(&mut self, incoming: &Incoming, received: Instant) -> Option<(usize, Claim)> {
        let (flight, answer) = match *incoming {
            Incoming::EchoReply { arrival, identifier, sequence, size, cookie } => {
                let flight = *self.echoes.get(&(arrival.from, sequence))?;
                let ours = identifier == flight.identifier && cookie == Some(self.cookie);
                if !ours || size != flight.size as usize {
                    return None;
                }
                self.echoes.remove(&(arrival.from, sequence));
                (flight, Answer::Passed(arrival.reply()))
            }
            Incoming::Tcp { arrival, from_port, to_port, acknowledgement, mss, reset } => {
                let waiting = self.syns.get_mut(&(arrival.from, from_port, to_port))?;
                let place = waiting.iter().position(|syn| {
                    // A SYN-ACK acknowledges the SYN alone, an RST also its payload (RFC 9293
                    // section 3.10.7.1).
                    let bare = Family::of(syn.flight.to).header() + SYN_HEADER;
                    let payload = syn.flight.size.saturating_sub(bare);
                    let first = syn.sequence.wrapping_add(1);
                    acknowledgement == first || acknowledgement == first.wrapping_add(payload)
                })?;
                let reply = Reply { mss, reset: Some(reset), ..arrival.reply() };
                (waiting.swap_remove(place).flight, Answer::Passed(reply))
            }
            Incoming::Connected { token, reset } => {
                let reply = Reply { reset: Some(reset), ..Reply::default() };
                (self.connects.remove(&token)?, Answer::Passed(reply))
            }
            Incoming::Byte { .. } => return None,
            Incoming::TooBig { mtu, from, quoted } => {
                let flight = self.quoted(quoted)?;
                let believable = Family::of(flight.to).least_mtu()..flight.size;
                if flight.method == ProbeMethod::Fragments || !believable.contains(&mtu) {
                    debug!(mtu, ?flight, "a signal with an absurd claim is ignored");
                    return None;
                }
                (flight, Answer::TooBig { mtu, by_target: from == Some(flight.to) })
            }
        };
        let claim = match (flight.errand, answer) {
            (Errand::Probe(id), answer) => Claim::Probe(id, answer),
            (Errand::Echo(number), Answer::Passed(_)) => {
                Claim::Echo(number, received.saturating_duration_since(flight.left?))
            }
            // No error ends a small echo: the target may still answer.
            (Errand::Echo(_), _) => return None,
        };
        Some((flight.path, claim))
    }

    /// Forgets packets whose answers are no longer awaited.
    pub(crate) fn forget_old(&mut self, now: Moment) {
        if now.saturating_sub(self.forgot_at) < FORGET_EVERY {
            return;
        }
        self.forgot_at = now;
        let young = |flight: &Flight| now.saturating_sub(flight.at) < GIVE_UP;
        self.heard.forget_old(now);
        self.echoes.retain(|_, flight| young(flight));
        self.connects.retain(|_, flight| young(flight));
        self.bytes.retain(|_, (_, _, at)| now.saturating_sub(*at) < BYTE_TOLD);
        self.syns.retain(|_, waiting| {
            waiting.retain(|syn| young(&syn.flight));
            !waiting.is_empty()
        });
    }

    fn quoted(&self, quoted: Quoted) -> Option<Flight> {
        match quoted {
            Quoted::Echo { to, identifier, sequence } => {
                let flight = self.echoes.get(&(to, sequence))?;
                (identifier == flight.identifier).then_some(*flight)
            }
            Quoted::Tcp { to, to_port, from_port, sequence } => self
                .syns
                .get(&(to, to_port, from_port))?
                .iter()
                .find(|syn| syn.sequence == sequence)
                .map(|syn| syn.flight),
        }
    }
}

impl Default for Flights {
    fn default() -> Self {
        Self::new()
    }
}

/// Bytes of IP packet that a probe has on the wire, before it is cut into fragments.
fn wire_size(family: Family, probe: Probe) -> Bytes {
    match (probe.purpose, probe.method) {
        (ProbeSize::Control, ProbeMethod::Syn) if probe.bare => family.header() + SYN_HEADER,
        (ProbeSize::Control, ProbeMethod::Fragments) => {
            let small = packet::small_fragmented(family, fragments_of(family, probe.size) as usize);
            Bytes::try_from(small).unwrap_or(family.small())
        }
        (ProbeSize::Control, _) => family.small(),
        _ => probe.size,
    }
}
