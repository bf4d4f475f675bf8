//! Packets of others change nothing: forged signals, forged RSTs, foreign echo replies. They are
//! injected by the router on the way, which has seen everything but is not believed for that.

use std::{io::Read, net::IpAddr, time::Duration};

use anyhow::{Context, Result, ensure};
use pnet::packet::{
    Packet,
    icmpv6::{self, Icmpv6Packet},
    ip::IpNextHeaderProtocols,
    tcp::{self, MutableTcpPacket, TcpFlags, TcpPacket},
};
use socket2::{Domain, Protocol, Socket, Type};
use vxlan_exporter::path::probe::{Answer, ProbeMethod, Reply};

use super::{
    driver::{Driver, Level},
    world::{CLOSED, Ip, World, inside},
};

/// How long to wait for the effect of forged packets, after the genuine one.
const HARM: Duration = Duration::from_millis(300);
const ICMP: u8 = IpNextHeaderProtocols::Icmp.0;
const ICMPV6: u8 = IpNextHeaderProtocols::Icmpv6.0;
const TCP: u8 = IpNextHeaderProtocols::Tcp.0;

/// Captures the packets that arrive at `there`, from behind their IP header on.
pub struct Tap {
    ip: Ip,
    socket: Socket,
}

impl Tap {
    pub fn open(world: &World, ip: Ip, protocol: u8) -> Result<Self> {
        let domain = if ip == Ip::V4 { Domain::IPV4 } else { Domain::IPV6 };
        let open = || Ok(Socket::new(domain, Type::RAW, Some(Protocol::from(i32::from(protocol))))?);
        let socket = inside(&world.there, open)?;
        socket.set_read_timeout(Some(Duration::from_secs(10)))?;
        Ok(Self { ip, socket })
    }

    /// Whether nothing more has arrived.
    pub fn is_empty(&self) -> Result<bool> {
        self.socket.set_nonblocking(true)?;
        let empty = (&self.socket).read(&mut [0; 64]).is_err();
        self.socket.set_nonblocking(false)?;
        Ok(empty)
    }

    /// The next packet that passes `right`.
    pub fn next(&self, right: impl Fn(&[u8]) -> bool) -> Result<Vec<u8>> {
        let mut buffer = vec![0; 65_536];
        loop {
            let length = (&self.socket).read(&mut buffer).context("nothing arrives there")?;
            let header = if self.ip == Ip::V4 { usize::from(buffer[0] & 0x0f) * 4 } else { 0 };
            if right(&buffer[header..length]) {
                return Ok(buffer[header..length].to_vec());
            }
        }
    }
}

/// Sends complete packets with any source address from the router on the way.
pub struct Forger {
    ip: Ip,
    socket: Socket,
}

impl Forger {
    pub fn open(world: &World, ip: Ip) -> Result<Self> {
        let domain = if ip == Ip::V4 { Domain::IPV4 } else { Domain::IPV6 };
        let open = || Ok(Socket::new(domain, Type::RAW, Some(Protocol::from(libc::IPPROTO_RAW)))?);
        Ok(Self { ip, socket: inside(&world.way, open)? })
    }

    fn send(&self, from: IpAddr, protocol: u8, body: &[u8]) -> Result<()> {
        let packet = packet(from, self.ip.here(), protocol, body);
        let to = std::net::SocketAddr::from((self.ip.here(), 0));
        self.socket.send_to(&packet, &to.into())?;
        Ok(())
    }

    /// An ICMP message with the right checksum.
    fn icmp(&self, from: IpAddr, mut message: Vec<u8>) -> Result<()> {
        message[2..4].fill(0);
        let checksum = match (from, self.ip.here()) {
            (IpAddr::V6(from), IpAddr::V6(to)) => {
                icmpv6::checksum(&Icmpv6Packet::new(&message).context("short")?, &from, &to)
            }
            _ => pnet::packet::util::checksum(&message, 1),
        };
        message[2..4].copy_from_slice(&checksum.to_be_bytes());
        self.send(from, if self.ip == Ip::V4 { ICMP } else { ICMPV6 }, &message)
    }

    /// A signal of `mtu` that quotes a packet to `to` which begins with `body`.
    pub fn signal(&self, to: IpAddr, protocol: u8, body: &[u8], mtu: u32) -> Result<()> {
        let mut message = if self.ip == Ip::V4 { vec![3, 4, 0, 0] } else { vec![2, 0, 0, 0] };
        message.extend(mtu.to_be_bytes());
        message.extend(packet(self.ip.here(), to, protocol, body));
        message.truncate(576);
        self.icmp(self.ip.way(), message)
    }

    fn segment(&self, from: IpAddr, ports: (u16, u16), flags: u8, acknowledgement: u32) -> Result<()> {
        let mut bytes = vec![0; 20];
        let mut segment = MutableTcpPacket::new(&mut bytes).context("short")?;
        segment.set_source(ports.0);
        segment.set_destination(ports.1);
        segment.set_data_offset(5);
        segment.set_flags(flags);
        segment.set_acknowledgement(acknowledgement);
        let checksum = match (from, self.ip.here()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => tcp::ipv4_checksum(&segment.to_immutable(), &from, &to),
            (IpAddr::V6(from), IpAddr::V6(to)) => tcp::ipv6_checksum(&segment.to_immutable(), &from, &to),
            _ => 0,
        };
        segment.set_checksum(checksum);
        self.send(from, TCP, &bytes)
    }
}

/// An IP packet; the kernel fills in IPv4's length and checksum.
pub fn packet(from: IpAddr, to: IpAddr, protocol: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap_or(0);
    let mut bytes = match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let mut bytes = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0];
            bytes[2..4].copy_from_slice(&(length + 20).to_be_bytes());
            bytes.extend(from.octets());
            bytes.extend(to.octets());
            bytes
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let mut bytes = vec![0x60, 0, 0, 0, 0, 0, protocol, 64];
            bytes[4..6].copy_from_slice(&length.to_be_bytes());
            bytes.extend(from.octets());
            bytes.extend(to.octets());
            bytes
        }
        _ => panic!("{from} and {to} are of two families"),
    };
    bytes.extend(body);
    bytes
}

/// Makes the target answer nothing by itself.
pub fn mute(world: &World) -> Result<()> {
    world.there.sysctl("net/ipv4/icmp_echo_ignore_all", "1")?;
    world.there.sysctl("net/ipv6/icmp/echo_ignore_all", "1")?;
    let chain = "add table inet mute; add chain inet mute output { type filter hook output priority 0; }";
    world.there.run("nft", &[&format!("{chain}; add rule inet mute output meta l4proto tcp drop")])
}

fn is_request(ip: Ip) -> impl Fn(&[u8]) -> bool {
    let kind = if ip == Ip::V4 { 8 } else { 128 };
    move |message| message[0] == kind
}

/// Checks that exactly this has arrived and nothing of the rest.
async fn only(driver: &mut Driver, expected: impl Fn(Answer) -> bool) -> Result<()> {
    let answers = driver.answers(2, HARM).await;
    ensure!(matches!(answers.as_slice(), [(_, answer)] if expected(*answer)), "{answers:?}");
    Ok(())
}

#[test]
fn echo_replies_and_signals() -> Result<()> {
    let world = World::raise()?;
    mute(&world)?;
    world.here.sysctl("net/ipv4/ping_group_range", "0 2147483647")?;
    for (ip, level) in Ip::BOTH.into_iter().flat_map(|ip| Level::BOTH.map(|level| (ip, level))) {
        let protocol = if ip == Ip::V4 { ICMP } else { ICMPV6 };
        let (tap, forger) = (Tap::open(&world, ip, protocol)?, Forger::open(&world, ip)?);
        world
            .probe(|| async move {
                let mut driver = Driver::open(level, ip, CLOSED).await?;
                driver.send(ProbeMethod::Echo, 0, 1300)?;
                let request = tap.next(is_request(ip))?;
                let mut reply = request.clone();
                reply[0] = if ip == Ip::V4 { 0 } else { 129 };
                // Identifier, sequence number, and the cookie's first and last byte.
                for at in [4, 6, 8, 23] {
                    let mut other = reply.clone();
                    other[at] ^= 1;
                    forger.icmp(ip.there(), other)?;
                }
                forger.icmp(ip.there(), reply[..reply.len() - 8].to_vec())?;
                forger.icmp(ip.there(), [reply.as_slice(), &[0; 8]].concat())?;
                forger.icmp(ip.way(), reply.clone())?;
                // Sizes below the family's minimum, or not below the packet's own size, are absurd.
                for mtu in [0, 1, ip.least() - 1, 1300, 1301, 9000, 65_535] {
                    forger.signal(ip.there(), protocol, &request, mtu)?;
                }
                for at in [4, 6] {
                    let mut other = request.clone();
                    other[at] ^= 1;
                    forger.signal(ip.there(), protocol, &other, 1290)?;
                }
                forger.signal(ip.way(), protocol, &request, 1290)?;
                forger.signal(ip.there(), protocol, &request, 1290)?;
                only(&mut driver, |answer| answer == Answer::TooBig { mtu: 1290, by_target: false }).await?;
                forger.icmp(ip.there(), reply)?;
                only(&mut driver, |answer| matches!(answer, Answer::Passed(_))).await
            })
            .with_context(|| format!("{ip:?} {level:?}"))?;
    }
    Ok(())
}

#[test]
fn resets_and_signals() -> Result<()> {
    let world = World::raise()?;
    mute(&world)?;
    for ip in Ip::BOTH {
        let (tap, forger) = (Tap::open(&world, ip, TCP)?, Forger::open(&world, ip)?);
        world
            .probe(|| async move {
                let mut driver = Driver::open(Level::Raw, ip, CLOSED).await?;
                driver.send(ProbeMethod::Syn, 0, 1300)?;
                let request = tap.next(|segment| segment.len() > 100)?;
                let syn = TcpPacket::new(&request).context("short")?;
                let (isn, payload) = (syn.get_sequence(), u32::try_from(syn.payload().len())?);
                let ports = (syn.get_destination(), syn.get_source());
                let reset = TcpFlags::RST | TcpFlags::ACK;
                for acknowledgement in [0, isn, isn.wrapping_add(2), isn.wrapping_add(payload), !isn] {
                    forger.segment(ip.there(), ports, reset, acknowledgement)?;
                    forger.segment(ip.there(), ports, TcpFlags::SYN | TcpFlags::ACK, acknowledgement)?;
                }
                let right = isn.wrapping_add(1).wrapping_add(payload);
                forger.segment(ip.way(), ports, reset, right)?;
                forger.segment(ip.there(), (ports.0 + 1, ports.1), reset, right)?;
                forger.segment(ip.there(), ports, TcpFlags::RST, right)?;
                forger.segment(ip.there(), ports, TcpFlags::ACK, right)?;
                let mut other = request.clone();
                other[4] ^= 1;
                forger.signal(ip.there(), TCP, &other, 1290)?;
                for mtu in [0, ip.least() - 1, 1300, 9000] {
                    forger.signal(ip.there(), TCP, &request, mtu)?;
                }
                forger.signal(ip.there(), TCP, &request, 1290)?;
                only(&mut driver, |answer| answer == Answer::TooBig { mtu: 1290, by_target: false }).await?;
                forger.segment(ip.there(), ports, reset, right)?;
                let reset = |answer| matches!(answer, Answer::Passed(Reply { reset: Some(true), .. }));
                only(&mut driver, reset).await
            })
            .with_context(|| format!("{ip:?}"))?;
    }
    Ok(())
}
