//! Which packets of ours are in flight, and whose answer an incoming packet is.
//!
//! Foreign and forged packets claim nothing: an echo reply must come from the target with our
//! identifier, a sequence number in flight, our cookie and the size that was sent; a TCP segment must
//! acknowledge the random sequence number of a SYN in flight on its 4-tuple; a signal must quote a packet
//! in flight, for a smaller MTU than was sent, and is never judged by its source address (a Linux bridge
//! signs with the target's own).

use std::{collections::HashMap, io, net::Ipv4Addr, time::Duration};

use super::{
    packet::{self, Cookie, Incoming, Quoted},
    target::Target,
    wire::Wire,
};
use crate::{
    overlay::path::{
        probe::{Answer, Lane, Moment, Probe, ProbeId, SMALL, fragments_of},
        rtt::GIVE_UP,
    },
    types::{Bytes, ProbeSize},
};

/// The least MTU an IPv4 link may have (RFC 791), and so the least a signal may claim.
const LEAST_MTU: Bytes = 68;
/// A SYN of another path on the same 4-tuple keeps it for so long.
const TUPLE_BUSY: Duration = Duration::from_secs(2);
const BARE_SYN: Bytes = 44;

#[derive(Debug, Clone, Copy)]
struct Flight {
    path: usize,
    id: ProbeId,
    lane: Lane,
    to: Ipv4Addr,
    size: Bytes,
    at: Moment,
}

/// A TCP connection's name: where to, its port, our port.
type Tuple = (Ipv4Addr, u16, u16);

#[derive(Debug, Clone, Copy)]
struct SynFlight {
    flight: Flight,
    sequence: u32,
}

/// All packets in flight.
#[derive(Debug)]
pub struct Flights {
    identifier: u16,
    cookie: Cookie,
    sequence: u16,
    count: usize,
    echoes: HashMap<u16, Flight>,
    syns: HashMap<Tuple, Vec<SynFlight>>,
}

impl Flights {
    /// Nothing is in flight; `identifier` is that of our echoes.
    #[must_use]
    pub fn new(identifier: u16) -> Self {
        Self {
            identifier,
            cookie: random(),
            sequence: random(),
            count: 0,
            echoes: HashMap::new(),
            syns: HashMap::new(),
        }
    }

    /// How many packets have been launched.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Builds and sends one probe of `path`.
    pub fn launch(
        &mut self,
        wire: &Wire,
        path: usize,
        target: &Target,
        port: u16,
        probe: Probe,
        now: Moment,
    ) -> io::Result<()> {
        let size = wire_size(probe);
        let flight = Flight { path, id: probe.id, lane: probe.lane, to: target.address, size, at: now };
        match probe.lane {
            Lane::Echo | Lane::Fragments => self.launch_echo(wire, target, probe, flight),
            Lane::Syn => self.launch_syn(wire, target, port, probe, flight),
        }?;
        self.count = self.count.wrapping_add(1);
        Ok(())
    }

    fn launch_echo(&mut self, wire: &Wire, target: &Target, probe: Probe, flight: Flight) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let sequence = self.sequence;
        let message = packet::echo_request(flight.size as usize, self.identifier, sequence, &self.cookie);
        self.echoes.insert(sequence, flight);
        let sent = if probe.lane == Lane::Echo {
            wire.send_icmp(&message, target.address)
        } else {
            let count = fragments_of(probe.size) as usize;
            let packets = packet::fragments(&message, count, target.egress.source, target.address, random());
            wire.send_packets(&packets, target.address)
        };
        if sent.is_err() {
            self.echoes.remove(&sequence);
        }
        sent
    }

    fn launch_syn(
        &mut self,
        wire: &Wire,
        target: &Target,
        port: u16,
        probe: Probe,
        flight: Flight,
    ) -> io::Result<()> {
        let local = wire.port(probe.flow);
        let waiting = self.syns.entry((target.address, port, local)).or_default();
        let busy = |syn: &SynFlight| {
            syn.flight.path != flight.path && flight.at.saturating_sub(syn.flight.at) < TUPLE_BUSY
        };
        if waiting.iter().any(busy) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        let sequence = random();
        let mss = u16::try_from(target.egress.mtu.saturating_sub(40)).unwrap_or(u16::MAX);
        let segment = packet::syn(
            flight.size as usize,
            (target.egress.source, local),
            (target.address, port),
            sequence,
            mss,
        );
        wire.send_tcp(&segment, target.address)?;
        waiting.push(SynFlight { flight, sequence });
        Ok(())
    }

    /// Whose answer `incoming` is, if anyone's.
    pub fn claim(&mut self, incoming: &Incoming) -> Option<(usize, ProbeId, Answer)> {
        let (flight, answer) = match *incoming {
            Incoming::EchoReply { from, identifier, sequence, size, cookie } => {
                let flight = *self.echoes.get(&sequence)?;
                let ours = identifier == self.identifier && cookie == Some(self.cookie);
                if !ours || from != flight.to || size != flight.size as usize {
                    return None;
                }
                self.echoes.remove(&sequence);
                (flight, Answer::Passed { mss: None })
            }
            Incoming::Tcp { from, from_port, to_port, acknowledgement, mss } => {
                let waiting = self.syns.get_mut(&(from, from_port, to_port))?;
                let place = waiting.iter().position(|syn| {
                    // A SYN-ACK acknowledges the SYN alone, an RST its payload too (RFC 9293, 3.10.7.1).
                    let payload = syn.flight.size.saturating_sub(BARE_SYN);
                    let first = syn.sequence.wrapping_add(1);
                    acknowledgement == first || acknowledgement == first.wrapping_add(payload)
                })?;
                (waiting.swap_remove(place).flight, Answer::Passed { mss })
            }
            Incoming::TooBig { mtu, quoted } => {
                let flight = self.quoted(quoted)?;
                let mtu = Bytes::from(mtu);
                if flight.lane == Lane::Fragments || !(LEAST_MTU..flight.size).contains(&mtu) {
                    return None;
                }
                (flight, Answer::TooBig { mtu })
            }
        };
        Some((flight.path, flight.id, answer))
    }

    /// Forgets what nobody waits for any more.
    pub fn forget_old(&mut self, now: Moment) {
        let young = |flight: &Flight| now.saturating_sub(flight.at) < GIVE_UP;
        self.echoes.retain(|_, flight| young(flight));
        self.syns.retain(|_, waiting| {
            waiting.retain(|syn| young(&syn.flight));
            !waiting.is_empty()
        });
    }

    fn quoted(&self, quoted: Quoted) -> Option<Flight> {
        match quoted {
            Quoted::Echo { to, identifier, sequence } => {
                let flight = self.echoes.get(&sequence)?;
                (identifier == self.identifier && flight.to == to).then_some(*flight)
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

/// Bytes of IP packet that a probe has on the wire (before it is cut into fragments).
fn wire_size(probe: Probe) -> Bytes {
    match (probe.purpose, probe.lane) {
        (ProbeSize::Control, Lane::Syn) if probe.bare => BARE_SYN,
        (ProbeSize::Control, Lane::Fragments) => {
            let small = packet::small_fragmented(fragments_of(probe.size) as usize);
            Bytes::try_from(small).unwrap_or(SMALL)
        }
        (ProbeSize::Control, _) => SMALL,
        _ => probe.size,
    }
}

/// A number nobody can guess.
#[must_use]
pub fn random<T: Guessless>() -> T {
    T::random()
}

/// What [`random`] can make.
pub trait Guessless {
    /// A fresh value from the operating system's generator.
    fn random() -> Self;
}

macro_rules! guessless {
    ($($integer:ty),+) => {$(
        impl Guessless for $integer {
            fn random() -> Self {
                Self::from_ne_bytes(bytes())
            }
        }
    )+};
}

guessless!(u16, u32, u64);

impl Guessless for Cookie {
    fn random() -> Self {
        bytes()
    }
}

fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if getrandom::fill(&mut bytes).is_err() {
        // No kernel this runs on lacks getrandom(2); a guessable number only weakens the check.
        fastrand::fill(&mut bytes);
    }
    bytes
}
