//! Echo requests, their replies, and the signals that quote them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pnet::packet::{
    MutablePacket, Packet,
    icmp::{
        IcmpPacket, IcmpTypes,
        destination_unreachable::{DestinationUnreachablePacket, IcmpCodes},
        echo_reply::EchoReplyPacket,
        echo_request::MutableEchoRequestPacket,
    },
    icmpv6::{
        self, Icmpv6Packet, Icmpv6Type, Icmpv6Types, echo_reply::EchoReplyPacket as EchoReplyV6Packet,
        echo_request::MutableEchoRequestPacket as MutableEchoRequestV6Packet,
    },
    ip::IpNextHeaderProtocol,
};

use super::{Arrival, Cookie, ICMP_HEADER, Incoming, Quoted};
use crate::model::{family::Family, types::Bytes};

pub(super) const REQUEST: u8 = IcmpTypes::EchoRequest.0;
pub(super) const REQUEST_V6: u8 = Icmpv6Types::EchoRequest.0;
/// RFC 4443 section 3.2; pnet has no constant for it.
const PACKET_TOO_BIG: Icmpv6Type = Icmpv6Type(2);

/// The ICMP part of an echo request whose IP packet has `size` bytes.
///
/// An `ICMPv6` checksum covers both addresses. The kernel recomputes it on sockets of its own
/// protocol, and keeps ours if the packet is sent in fragments.
#[must_use]
pub fn echo_request(
    size: usize,
    (from, to): (IpAddr, IpAddr),
    identifier: u16,
    sequence: u16,
    cookie: &Cookie,
) -> Vec<u8> {
    let header = Family::of(to).header() as usize;
    let length = size.saturating_sub(header).max(ICMP_HEADER + cookie.len());
    let mut bytes = vec![0; length];
    let checksum = if let (IpAddr::V6(from), IpAddr::V6(to)) = (from, to) {
        if let Some(mut echo) = MutableEchoRequestV6Packet::new(&mut bytes) {
            echo.set_icmpv6_type(Icmpv6Types::EchoRequest);
            echo.set_identifier(identifier);
            echo.set_sequence_number(sequence);
            echo.payload_mut()[..cookie.len()].copy_from_slice(cookie);
        }
        Icmpv6Packet::new(&bytes).map_or(0, |packet| icmpv6::checksum(&packet, &from, &to))
    } else {
        if let Some(mut echo) = MutableEchoRequestPacket::new(&mut bytes) {
            echo.set_icmp_type(IcmpTypes::EchoRequest);
            echo.set_identifier(identifier);
            echo.set_sequence_number(sequence);
            echo.payload_mut()[..cookie.len()].copy_from_slice(cookie);
        }
        pnet::packet::util::checksum(&bytes, 1)
    };
    bytes[2..4].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

/// Parses an ICMP message; `None` for anything that cannot concern us, or is damaged (the kernel
/// passes it to raw sockets before it has checked the checksum).
#[must_use]
pub fn read_icmp(arrival: Arrival, body: &[u8]) -> Option<Incoming> {
    let icmp = IcmpPacket::new(body)?;
    if pnet::packet::util::checksum(body, 1) != icmp.get_checksum() {
        return None;
    }
    match icmp.get_icmp_type() {
        IcmpTypes::EchoReply => {
            let echo = EchoReplyPacket::new(body)?;
            Some(Incoming::EchoReply {
                arrival,
                identifier: echo.get_identifier(),
                sequence: echo.get_sequence_number(),
                size: body.len() + Family::V4.header() as usize,
                cookie: echo.payload().first_chunk().copied(),
            })
        }
        IcmpTypes::DestinationUnreachable
            if icmp.get_icmp_code() == IcmpCodes::FragmentationRequiredAndDFFlagSet =>
        {
            let unreachable = DestinationUnreachablePacket::new(body)?;
            let quoted = unreachable.payload();
            // Read by offsets, as the quoted packet may be cut short.
            let header = usize::from(quoted.first()? & 0x0f) * 4;
            let protocol = IpNextHeaderProtocol::new(*quoted.get(9)?);
            let to = Ipv4Addr::from(*quoted.get(16..)?.first_chunk::<4>()?);
            Some(Incoming::TooBig {
                mtu: Bytes::from(unreachable.get_next_hop_mtu()),
                from: Some(arrival.from),
                quoted: Quoted::read(to.into(), protocol, quoted.get(header..)?)?,
            })
        }
        _ => None,
    }
}

/// Parses an `ICMPv6` message, whose checksum the kernel has verified (ipv6(7)); `None` for
/// anything that cannot concern us.
#[must_use]
pub fn read_icmpv6(arrival: Arrival, body: &[u8]) -> Option<Incoming> {
    let icmp = Icmpv6Packet::new(body)?;
    match icmp.get_icmpv6_type() {
        Icmpv6Types::EchoReply => {
            let echo = EchoReplyV6Packet::new(body)?;
            Some(Incoming::EchoReply {
                arrival,
                identifier: echo.get_identifier(),
                sequence: echo.get_sequence_number(),
                size: body.len() + Family::V6.header() as usize,
                cookie: echo.payload().first_chunk().copied(),
            })
        }
        PACKET_TOO_BIG => {
            let (mtu, quoted) = icmp.payload().split_first_chunk::<4>()?;
            let protocol = IpNextHeaderProtocol::new(*quoted.get(6)?);
            let to = Ipv6Addr::from(*quoted.get(24..)?.first_chunk::<16>()?);
            // Our packets have no extension headers except fragment headers, and signals for
            // fragments are not used.
            let body = quoted.get(Family::V6.header() as usize..)?;
            Some(Incoming::TooBig {
                mtu: u32::from_be_bytes(*mtu),
                from: Some(arrival.from),
                quoted: Quoted::read(to.into(), protocol, body)?,
            })
        }
        _ => None,
    }
}
