//! Builds and parses the bytes of probes with pnet; no socket in here.
//!
//! Every packet of ours carries a secret of this process. An answer must return the cookie (echo)
//! or acknowledge a random sequence number (TCP). A signal must quote a packet's identifier and
//! sequence number; more cannot be required, as routers may quote only 8 bytes of payload (RFC
//! 792).

mod fragment;
mod icmp;
mod tcp;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr};

use pnet::packet::{
    ip::{IpNextHeaderProtocol, IpNextHeaderProtocols},
    ipv4::{self, Ipv4Flags, MutableIpv4Packet},
    ipv6::{Ipv6Packet, MutableIpv6Packet},
};

pub(crate) use fragment::{fragments, small_fragmented};
pub use icmp::{echo_request, read_icmp, read_icmpv6};
pub use tcp::{Labels, read_tcp, syn};

use crate::{
    model::types::{Bytes, ProbeProtocol},
    path::probe::{ByteFate, Reply},
};

/// Bytes of an ICMP or `ICMPv6` echo header.
const ICMP_HEADER: usize = 8;
const HOP_LIMIT: u8 = 64;

/// The secret of this process, carried by every echo.
pub type Cookie = [u8; 16];

/// What the socket tells about a received packet besides its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Its source address.
    pub from: IpAddr,
    /// TTL or hop limit, if known.
    pub ttl: Option<u8>,
    /// Size of the largest fragment, in bytes of IP packet; absent if it was not fragmented.
    pub largest_fragment: Option<Bytes>,
}

impl Arrival {
    /// The part of it that belongs to an answer.
    #[must_use]
    pub(crate) fn reply(&self) -> Reply {
        Reply { ttl: self.ttl, largest_fragment: self.largest_fragment, ..Reply::default() }
    }
}

/// Parses what follows the IP header.
pub(crate) type Read = fn(Arrival, &[u8]) -> Option<Incoming>;

/// An incoming packet that may concern us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// An echo reply with a correct checksum.
    EchoReply {
        /// Source address, TTL and fragment size.
        arrival: Arrival,
        /// Echo identifier.
        identifier: u16,
        /// Echo sequence number.
        sequence: u16,
        /// Bytes of the (reassembled) IP packet.
        size: usize,
        /// The first bytes of its payload, if there are enough.
        cookie: Option<Cookie>,
    },
    /// "Fragmentation needed and DF set" (RFC 1191) or "packet too big" (RFC 8201) that quotes this
    /// packet.
    TooBig {
        /// The next hop's MTU that it claims, in bytes; 0 if it names none.
        mtu: Bytes,
        /// Its source address, if the socket shows it.
        from: Option<IpAddr>,
        /// The quoted packet.
        quoted: Quoted,
    },
    /// A TCP segment that answers a SYN.
    Tcp {
        /// Source address, TTL and fragment size.
        arrival: Arrival,
        /// Its source port.
        from_port: u16,
        /// Its destination port: one of ours.
        to_port: u16,
        /// The sequence number that it acknowledges.
        acknowledgement: u32,
        /// The MSS option of a SYN-ACK.
        mss: Option<u16>,
        /// Whether it is an RST instead of a SYN-ACK.
        reset: bool,
    },
    /// A connection made by the kernel was answered.
    Connected {
        /// Identifies the connection.
        token: u64,
        /// Whether the answer is an RST.
        reset: bool,
    },
    /// The result of a byte that was sent on a connection made by the kernel.
    Byte {
        /// Identifies the connection.
        token: u64,
        /// The result.
        fate: ByteFate,
    },
}

impl Incoming {
    /// The protocol of the packet that it answers.
    #[must_use]
    pub(crate) fn protocol(&self) -> ProbeProtocol {
        match self {
            Self::EchoReply { .. } | Self::TooBig { quoted: Quoted::Echo { .. }, .. } => ProbeProtocol::Icmp,
            Self::Tcp { .. }
            | Self::Connected { .. }
            | Self::Byte { .. }
            | Self::TooBig { quoted: Quoted::Tcp { .. }, .. } => ProbeProtocol::Tcp,
        }
    }
}

/// A packet of ours as quoted by a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quoted {
    /// An echo request.
    Echo {
        /// Its destination.
        to: IpAddr,
        /// Echo identifier.
        identifier: u16,
        /// Echo sequence number.
        sequence: u16,
    },
    /// A TCP segment.
    Tcp {
        /// Its destination.
        to: IpAddr,
        /// Destination port.
        to_port: u16,
        /// Our port.
        from_port: u16,
        /// Its sequence number.
        sequence: u32,
    },
}

impl Quoted {
    /// Parses the first 8 bytes of a quoted packet's payload; the quote may end there.
    #[must_use]
    pub fn read(to: IpAddr, protocol: IpNextHeaderProtocol, body: &[u8]) -> Option<Self> {
        let body = body.first_chunk::<8>()?;
        let short = |at: usize| u16::from_be_bytes([body[at], body[at + 1]]);
        match protocol {
            IpNextHeaderProtocols::Icmp | IpNextHeaderProtocols::Icmpv6 => {
                let request = if to.is_ipv4() { icmp::REQUEST } else { icmp::REQUEST_V6 };
                (body[0] == request).then(|| Self::Echo { to, identifier: short(4), sequence: short(6) })
            }
            IpNextHeaderProtocols::Tcp => Some(Self::Tcp {
                to,
                to_port: short(2),
                from_port: short(0),
                sequence: u32::from_be_bytes([body[4], body[5], body[6], body[7]]),
            }),
            _ => None,
        }
    }
}

/// Appends a complete IPv4 packet with DF around an ICMP message. The source address is left to the
/// kernel, which uses that of the route.
pub(crate) fn icmp_v4(bytes: &mut Vec<u8>, message: &[u8], to: Ipv4Addr) {
    let addresses = (Ipv4Addr::UNSPECIFIED, to);
    append_ipv4(bytes, addresses, IpNextHeaderProtocols::Icmp, (Ipv4Flags::DontFragment, 0), 0, message);
}

/// A complete IPv4 packet around `payload`; the fragment offset is in bytes.
fn ipv4(
    addresses: (Ipv4Addr, Ipv4Addr),
    next: IpNextHeaderProtocol,
    fragment: (u8, u16),
    identification: u16,
    payload: &[u8],
) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(MutableIpv4Packet::minimum_packet_size() + payload.len());
    append_ipv4(&mut bytes, addresses, next, fragment, identification, payload);
    bytes
}

/// Appends such a packet. The kernel replaces an identification of 0 by its own.
fn append_ipv4(
    bytes: &mut Vec<u8>,
    (from, to): (Ipv4Addr, Ipv4Addr),
    next: IpNextHeaderProtocol,
    (flags, offset): (u8, u16),
    identification: u16,
    payload: &[u8],
) {
    let begin = bytes.len();
    let header = MutableIpv4Packet::minimum_packet_size();
    bytes.resize(begin + header, 0);
    let length = u16::try_from(header + payload.len()).unwrap_or(u16::MAX);
    if let Some(mut packet) = MutableIpv4Packet::new(&mut bytes[begin..]) {
        packet.set_version(4);
        packet.set_header_length(5);
        packet.set_total_length(length);
        packet.set_identification(identification);
        packet.set_flags(flags);
        packet.set_fragment_offset(offset / 8);
        packet.set_ttl(HOP_LIMIT);
        packet.set_next_level_protocol(next);
        packet.set_source(from);
        packet.set_destination(to);
        let checksum = ipv4::checksum(&packet.to_immutable());
        packet.set_checksum(checksum);
    }
    bytes.extend_from_slice(payload);
}

/// A complete IPv6 packet around `payload`; `label` is the flow label.
fn ipv6(
    from: std::net::Ipv6Addr,
    to: std::net::Ipv6Addr,
    next: IpNextHeaderProtocol,
    label: u32,
    payload: &[u8],
) -> Vec<u8> {
    let header = Ipv6Packet::minimum_packet_size();
    let mut bytes = vec![0; header + payload.len()];
    bytes[header..].copy_from_slice(payload);
    if let Some(mut packet) = MutableIpv6Packet::new(&mut bytes) {
        packet.set_version(6);
        packet.set_flow_label(label);
        packet.set_payload_length(u16::try_from(payload.len()).unwrap_or(u16::MAX));
        packet.set_next_header(next);
        packet.set_hop_limit(HOP_LIMIT);
        packet.set_source(from);
        packet.set_destination(to);
    }
    bytes
}
