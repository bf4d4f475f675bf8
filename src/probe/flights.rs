//! Which packets of ours are in flight, and which of them an incoming packet answers.
//!
//! Foreign and forged packets match nothing. An echo reply must come from the target with our
//! identifier, a sequence number in flight, our cookie and the size that was sent. A TCP segment
//! must acknowledge the random sequence number of a SYN in flight on its 4-tuple. A signal must
//! quote a packet in flight and claim a smaller MTU than was sent; its source address is not
//! checked, as a Linux bridge uses the target's own.

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
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
        probe::{Answer, ByteFate, Moment, Probe, ProbeId, ProbeMethod, Reply, fragments_of},
        settings::TcpProbes,
    },
};

/// How long a SYN reserves its 4-tuple against SYNs of other paths.
const TUPLE_BUSY: Duration = Duration::from_secs(2);
/// The result of a byte comes long before this.
const BYTE_TOLD: Duration = Duration::from_mins(1);

#[derive(Debug, Clone, Copy)]
struct Flight {
    path: usize,
    id: ProbeId,
    method: ProbeMethod,
    to: IpAddr,
    /// The identifier of an echo; 0 otherwise.
    identifier: u16,
    size: Bytes,
    at: Moment,
}

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
    echoes: HashMap<u16, Flight>,
    syns: HashMap<Tuple, Vec<SynFlight>>,
    /// The kernel's own connections, by token.
    connects: HashMap<u64, Flight>,
    /// Kernel connections that carry a byte, by token, with their start.
    bytes: HashMap<u64, (usize, ProbeId, Moment)>,
    heard: LastHeard,
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
        }
    }

    /// How many packets have been sent.
    #[must_use]
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Builds and sends one probe of `path`.
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
            id: probe.id,
            method: probe.method,
            to: target.address,
            identifier: 0,
            size,
            at: now,
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

    fn launch_echo(
        &mut self,
        wire: &mut dyn Wire,
        target: &Target,
        probe: Probe,
        flight: Flight,
    ) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let sequence = self.sequence;
        let door = self.heard.door(target.address, flight.at);
        let addresses = (target.egress.source, target.address);
        let size = flight.size as usize;
        let message = packet::echo_request(size, addresses, flight.identifier, sequence, &self.cookie);
        if probe.method == ProbeMethod::Echo {
            let echo = if probe.fresh { Outgoing::FreshEcho(&message) } else { Outgoing::Echo(&message) };
            wire.send(echo, target.address, door)?;
        } else {
            let count = fragments_of(Family::of(target.address), probe.size) as usize;
            let packets = packet::fragments(&message, count, addresses.0, addresses.1, random());
            wire.send(Outgoing::Fragments(&packets), target.address, door)?;
        }
        self.echoes.insert(sequence, flight);
        Ok(())
    }

    fn launch_syn(
        &mut self,
        wire: &mut dyn Wire,
        target: &Target,
        probe: Probe,
        flight: Flight,
    ) -> io::Result<()> {
        let port = probe.port;
        let door = self.heard.door(target.address, flight.at);
        let family = Family::of(target.address);
        let (local, label) =
            if probe.fresh { wire.fresh_flow(family)? } else { wire.flow(family, probe.flow) };
        let waiting = self.syns.entry((target.address, port, local)).or_default();
        let busy = |syn: &SynFlight| {
            syn.flight.path != flight.path && flight.at.saturating_sub(syn.flight.at) < TUPLE_BUSY
        };
        if waiting.iter().any(busy) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        let sequence = random();
        let segment = packet::syn(
            flight.size as usize,
            SocketAddr::from((target.egress.source, local)),
            SocketAddr::from((target.address, port)),
            sequence,
            target.egress.mtu,
            label,
        );
        wire.send(Outgoing::Syn(&segment), target.address, door)?;
        waiting.push(SynFlight { flight, sequence });
        Ok(())
    }

    fn connect(&mut self, wire: &mut dyn Wire, port: u16, flight: Flight) -> io::Result<()> {
        let token = random();
        wire.send(Outgoing::Connect { token, port }, flight.to, self.heard.door(flight.to, flight.at))?;
        self.connects.insert(token, flight);
        Ok(())
    }

    /// Opens a connection of `path` and sends a byte on it.
    pub(crate) fn launch_byte(
        &mut self,
        wire: &mut dyn Wire,
        to: IpAddr,
        (path, id, port): (usize, ProbeId, u16),
        now: Moment,
    ) -> io::Result<()> {
        let token = random();
        self.count = self.count.wrapping_add(1);
        wire.send(Outgoing::Byte { token, port }, to, self.heard.door(to, now))?;
        self.bytes.insert(token, (path, id, now));
        Ok(())
    }

    /// The path and probe whose byte `incoming` reports on, with the result.
    pub(crate) fn claim_byte(&mut self, incoming: &Incoming) -> Option<(usize, ProbeId, ByteFate)> {
        let Incoming::Byte { token, fate } = *incoming else { return None };
        let (path, id, _) = self.bytes.remove(&token)?;
        Some((path, id, fate))
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

    /// The path and probe that `incoming` answers, if any.
    pub fn claim(&mut self, incoming: &Incoming) -> Option<(usize, ProbeId, Answer)> {
        let (flight, answer) = match *incoming {
            Incoming::EchoReply { arrival, identifier, sequence, size, cookie } => {
                let flight = *self.echoes.get(&sequence)?;
                let ours = identifier == flight.identifier && cookie == Some(self.cookie);
                if !ours || arrival.from != flight.to || size != flight.size as usize {
                    return None;
                }
                self.echoes.remove(&sequence);
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
        Some((flight.path, flight.id, answer))
    }

    /// Forgets packets whose answers are no longer awaited.
    pub(crate) fn forget_old(&mut self, now: Moment) {
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
                let flight = self.echoes.get(&sequence)?;
                (identifier == flight.identifier && flight.to == to).then_some(*flight)
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
