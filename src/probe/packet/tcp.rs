//! SYNs padded to a size, and the segments that answer them.

use std::net::{IpAddr, SocketAddr};

use pnet::packet::{
    Packet,
    ip::IpNextHeaderProtocols,
    ipv4::Ipv4Flags,
    tcp::{self, MutableTcpPacket, TcpFlags, TcpOption, TcpOptionNumbers, TcpPacket},
};

use super::{Arrival, Incoming, ipv4, ipv6};
use crate::{
    model::{family::Family, types::Bytes},
    path::{
        limits::{SYN_HEADER, TCP_HEADER},
        probe::FLOWS,
    },
};

/// IPv6 flow labels, one for each flow.
///
/// A VTEP hashes by the inner flow label and ignores the ports (`skb_get_hash`, Linux 6.18). The
/// kernel gives the same label to everything that one raw socket sends to one target, so that
/// without labels of our own the 8 flows would be one.
pub type Labels = [u32; FLOWS as usize];

/// A TCP SYN in an IP packet of `size` bytes, padded with zeros; IPv4 with DF, IPv6 with `label`.
#[must_use]
pub fn syn(size: usize, from: SocketAddr, to: SocketAddr, sequence: u32, mtu: Bytes, label: u32) -> Vec<u8> {
    let header = Family::of(to.ip()).header();
    let mss = u16::try_from(mtu.saturating_sub(header + TCP_HEADER)).unwrap_or(u16::MAX);
    let mut bytes = vec![0; size.saturating_sub(header as usize).max(SYN_HEADER as usize)];
    if let Some(mut segment) = MutableTcpPacket::new(&mut bytes) {
        segment.set_source(from.port());
        segment.set_destination(to.port());
        segment.set_sequence(sequence);
        segment.set_data_offset(6);
        segment.set_flags(TcpFlags::SYN);
        segment.set_window(64240);
        segment.set_options(&[TcpOption::mss(mss)]);
        let checksum = match (from.ip(), to.ip()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => tcp::ipv4_checksum(&segment.to_immutable(), &from, &to),
            (IpAddr::V6(from), IpAddr::V6(to)) => tcp::ipv6_checksum(&segment.to_immutable(), &from, &to),
            _ => 0,
        };
        segment.set_checksum(checksum);
    }
    match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            ipv4((from, to), IpNextHeaderProtocols::Tcp, (Ipv4Flags::DontFragment, 0), 0, &bytes)
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => ipv6(from, to, IpNextHeaderProtocols::Tcp, label, &bytes),
        // Cannot happen: the source is that of the route to the target, so it has the target's
        // family.
        _ => bytes,
    }
}

/// Parses a TCP segment; `None` if it cannot answer a SYN.
#[must_use]
pub fn read_tcp(arrival: Arrival, body: &[u8]) -> Option<Incoming> {
    let segment = TcpPacket::new(body)?;
    let flags = segment.get_flags();
    let (is_syn, reset) = (flags & TcpFlags::SYN != 0, flags & TcpFlags::RST != 0);
    if flags & TcpFlags::ACK == 0 || is_syn == reset {
        return None;
    }
    let mss = segment.get_options_iter().find_map(|option| {
        let value = option.payload().first_chunk::<2>()?;
        (is_syn && option.get_number() == TcpOptionNumbers::MSS).then(|| u16::from_be_bytes(*value))
    });
    Some(Incoming::Tcp {
        arrival,
        from_port: segment.get_source(),
        to_port: segment.get_destination(),
        acknowledgement: segment.get_acknowledgement(),
        mss,
        reset,
    })
}
