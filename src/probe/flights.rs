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
        probe::{Answer, Family, Lane, Moment, Probe, ProbeId, Reply, fragments_of},
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
            let count = fragments_of(Family::V4, probe.size) as usize;
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
                (flight, Answer::Passed(Reply::default()))
            }
            Incoming::Tcp { from, from_port, to_port, acknowledgement, mss } => {
                let waiting = self.syns.get_mut(&(from, from_port, to_port))?;
                let place = waiting.iter().position(|syn| {
                    // A SYN-ACK acknowledges the SYN alone, an RST its payload too (RFC 9293, 3.10.7.1).
                    let payload = syn.flight.size.saturating_sub(BARE_SYN);
                    let first = syn.sequence.wrapping_add(1);
                    acknowledgement == first || acknowledgement == first.wrapping_add(payload)
                })?;
                (waiting.swap_remove(place).flight, Answer::Passed(Reply { mss, ..Reply::default() }))
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
            let small = packet::small_fragmented(fragments_of(Family::V4, probe.size) as usize);
            Bytes::try_from(small).unwrap_or(Family::V4.small())
        }
        (ProbeSize::Control, _) => Family::V4.small(),
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

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
    const STRANGER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 66);
    const PASSED: Answer =
        Answer::Passed(Reply { mss: None, ttl: None, reset: None, largest_fragment: None });

    /// One echo (sequence 5, 1500 bytes, path 3) and one SYN (sequence 1000, 1500 bytes, path 4) in flight.
    fn in_flight() -> Flights {
        let mut flights = Flights::new(77);
        let flight = |path, id, lane| Flight {
            path,
            id: ProbeId(id),
            lane,
            to: TARGET,
            size: 1500,
            at: Duration::from_secs(1),
        };
        flights.echoes.insert(5, flight(3, 30, Lane::Echo));
        flights.echoes.insert(6, flight(3, 31, Lane::Fragments));
        let syn = SynFlight { flight: flight(4, 40, Lane::Syn), sequence: 1000 };
        flights.syns.insert((TARGET, 443, 50000), vec![syn]);
        flights
    }

    fn reply(flights: &Flights) -> Incoming {
        let cookie = Some(flights.cookie);
        Incoming::EchoReply { from: TARGET, identifier: 77, sequence: 5, size: 1500, cookie }
    }

    fn segment(acknowledgement: u32) -> Incoming {
        Incoming::Tcp { from: TARGET, from_port: 443, to_port: 50000, acknowledgement, mss: None }
    }

    fn signal(mtu: u16, to: Ipv4Addr, identifier: u16, sequence: u16) -> Incoming {
        Incoming::TooBig { mtu, quoted: Quoted::Echo { to, identifier, sequence } }
    }

    #[test]
    fn an_echo_reply_answers_its_request_once() {
        let mut flights = in_flight();
        let reply = reply(&flights);
        assert_eq!(flights.claim(&reply), Some((3, ProbeId(30), PASSED)));
        assert_eq!(flights.claim(&reply), None, "a duplicate");
    }

    #[test]
    fn foreign_and_forged_echo_replies_change_nothing() {
        let mut flights = in_flight();
        let mut wrong_cookie = flights.cookie;
        wrong_cookie[0] ^= 1;
        let Incoming::EchoReply { from, identifier, sequence, size, cookie } = reply(&flights) else {
            unreachable!()
        };
        for forged in [
            Incoming::EchoReply { from: STRANGER, identifier, sequence, size, cookie },
            Incoming::EchoReply { from, identifier: 78, sequence, size, cookie },
            Incoming::EchoReply { from, identifier, sequence: 7, size, cookie },
            Incoming::EchoReply { from, identifier, sequence, size: 1499, cookie },
            Incoming::EchoReply { from, identifier, sequence, size, cookie: Some(wrong_cookie) },
            Incoming::EchoReply { from, identifier, sequence, size, cookie: None },
        ] {
            assert_eq!(flights.claim(&forged), None, "{forged:?}");
        }
        assert!(flights.claim(&reply(&flights)).is_some(), "the genuine one still counts");
    }

    #[test]
    fn a_segment_answers_a_syn_if_it_acknowledges_it() {
        // SYN-ACK: the SYN alone. RST of a closed port: the 1456 bytes of payload too.
        for acknowledgement in [1001, 1001 + 1456] {
            assert_eq!(in_flight().claim(&segment(acknowledgement)), Some((4, ProbeId(40), PASSED)));
        }
        for forged in [1000, 1002, 0, 1001 + 1455] {
            assert_eq!(in_flight().claim(&segment(forged)), None, "{forged}");
        }
        let elsewhere = Incoming::Tcp {
            from: STRANGER,
            from_port: 443,
            to_port: 50000,
            acknowledgement: 1001,
            mss: None,
        };
        assert_eq!(in_flight().claim(&elsewhere), None);
    }

    #[test]
    fn a_signal_must_quote_a_packet_in_flight_and_claim_less_than_was_sent() {
        let too_big = |mtu| Some((3, ProbeId(30), Answer::TooBig { mtu }));
        let mut flights = in_flight();
        assert_eq!(flights.claim(&signal(1450, TARGET, 77, 5)), too_big(1450));
        assert_eq!(flights.claim(&signal(68, TARGET, 77, 5)), too_big(68));
        for (forged, why) in [
            (signal(1450, STRANGER, 77, 5), "another target"),
            (signal(1450, TARGET, 78, 5), "another identifier"),
            (signal(1450, TARGET, 77, 9), "not in flight"),
            (signal(1500, TARGET, 77, 5), "not smaller"),
            (signal(9000, TARGET, 77, 5), "larger"),
            (signal(67, TARGET, 77, 5), "below what IPv4 allows"),
            (signal(0, TARGET, 77, 5), "no MTU"),
            (signal(1450, TARGET, 77, 6), "a probe without DF"),
        ] {
            assert_eq!(flights.claim(&forged), None, "{why}");
        }
        let quoted = |sequence| Quoted::Tcp { to: TARGET, to_port: 443, from_port: 50000, sequence };
        let answer = Some((4, ProbeId(40), Answer::TooBig { mtu: 1450 }));
        assert_eq!(flights.claim(&Incoming::TooBig { mtu: 1450, quoted: quoted(1000) }), answer);
        assert_eq!(flights.claim(&Incoming::TooBig { mtu: 1450, quoted: quoted(1001) }), None);
    }

    #[test]
    fn what_is_older_than_five_seconds_is_forgotten() {
        let mut flights = in_flight();
        flights.forget_old(Duration::from_secs(7));
        assert!(flights.echoes.is_empty() && flights.syns.is_empty());
    }
}
