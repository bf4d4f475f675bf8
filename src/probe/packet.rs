//! What the bytes of a probe mean: built and read with pnet, no socket in here.
//!
//! Every packet of ours carries a cookie that only this process knows; an answer must bring it back
//! (echo), or acknowledge a random sequence number (TCP). A signal must quote a packet's identifier and
//! sequence number: routers may quote no more than 8 bytes of payload (RFC 792).

use std::net::Ipv4Addr;

use pnet::packet::{
    MutablePacket, Packet,
    icmp::{
        IcmpPacket, IcmpTypes,
        destination_unreachable::{DestinationUnreachablePacket, IcmpCodes},
        echo_reply::EchoReplyPacket,
        echo_request::MutableEchoRequestPacket,
    },
    ip::{IpNextHeaderProtocol, IpNextHeaderProtocols},
    ipv4::{self, Ipv4Flags, Ipv4Packet, MutableIpv4Packet},
    tcp::{self, MutableTcpPacket, TcpFlags, TcpOption, TcpOptionNumbers, TcpPacket},
};

use crate::overlay::path::probe::FRAGMENT_PAYLOAD;

/// Bytes of an IPv4 header without options.
pub const IP_HEADER: usize = 20;
/// Bytes of a TCP header with the MSS option.
pub const TCP_HEADER: usize = 24;
const ICMP_HEADER: usize = 8;

/// The secret of this process, carried by every echo.
pub type Cookie = [u8; 16];

/// What an incoming packet says, as far as it may concern us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// An echo reply with a correct checksum.
    EchoReply {
        /// Who sent it.
        from: Ipv4Addr,
        /// Echo identifier.
        identifier: u16,
        /// Echo sequence number.
        sequence: u16,
        /// Bytes of the (reassembled) IP packet.
        size: usize,
        /// The first bytes of its payload.
        cookie: Option<Cookie>,
    },
    /// "Fragmentation needed and DF set" (RFC 1191) for a packet of that description.
    TooBig {
        /// The MTU of the next hop it claims; 0 where it names none.
        mtu: u16,
        /// The quoted packet.
        quoted: Quoted,
    },
    /// A TCP segment that answers a SYN.
    Tcp {
        /// Who sent it.
        from: Ipv4Addr,
        /// Its source port.
        from_port: u16,
        /// Its destination port: one of ours.
        to_port: u16,
        /// What it acknowledges.
        acknowledgement: u32,
        /// The MSS option of a SYN-ACK.
        mss: Option<u16>,
    },
}

/// A packet of ours as quoted by a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quoted {
    /// An echo request.
    Echo {
        /// Where it was going.
        to: Ipv4Addr,
        /// Echo identifier.
        identifier: u16,
        /// Echo sequence number.
        sequence: u16,
    },
    /// A TCP segment.
    Tcp {
        /// Where it was going.
        to: Ipv4Addr,
        /// Destination port.
        to_port: u16,
        /// Our port.
        from_port: u16,
        /// Its sequence number.
        sequence: u32,
    },
}

/// The ICMP part of an echo request that makes an IP packet of `size` bytes.
#[must_use]
pub fn echo_request(size: usize, identifier: u16, sequence: u16, cookie: &Cookie) -> Vec<u8> {
    let length = size.saturating_sub(IP_HEADER).max(ICMP_HEADER + cookie.len());
    let mut bytes = vec![0; length];
    if let Some(mut echo) = MutableEchoRequestPacket::new(&mut bytes) {
        echo.set_icmp_type(IcmpTypes::EchoRequest);
        echo.set_identifier(identifier);
        echo.set_sequence_number(sequence);
        echo.payload_mut()[..cookie.len()].copy_from_slice(cookie);
    }
    let checksum = pnet::packet::util::checksum(&bytes, 1);
    bytes[2..4].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

/// A TCP SYN of `size` bytes of IP packet (without the IP header), padded with zeros.
#[must_use]
pub fn syn(size: usize, from: (Ipv4Addr, u16), to: (Ipv4Addr, u16), sequence: u32, mss: u16) -> Vec<u8> {
    let mut bytes = vec![0; size.saturating_sub(IP_HEADER).max(TCP_HEADER)];
    if let Some(mut segment) = MutableTcpPacket::new(&mut bytes) {
        segment.set_source(from.1);
        segment.set_destination(to.1);
        segment.set_sequence(sequence);
        segment.set_data_offset(6);
        segment.set_flags(TcpFlags::SYN);
        segment.set_window(64240);
        segment.set_options(&[TcpOption::mss(mss)]);
        let checksum = tcp::ipv4_checksum(&segment.to_immutable(), &from.0, &to.0);
        segment.set_checksum(checksum);
    }
    bytes
}

/// An ICMP message in `count` IPv4 fragments without DF, complete packets.
///
/// A message for a full-size question is cut as a 576-byte datagram would be; a small one into equal
/// pieces of a multiple of 8 bytes, so that both halves of a pair have as many fragments.
#[must_use]
pub fn fragments(
    message: &[u8],
    count: usize,
    from: Ipv4Addr,
    to: Ipv4Addr,
    identification: u16,
) -> Vec<Vec<u8>> {
    let even = message.len().div_ceil(count.max(1)).next_multiple_of(8);
    let chunk = even.min(FRAGMENT_PAYLOAD as usize);
    let last = message.len().div_ceil(chunk).saturating_sub(1);
    message
        .chunks(chunk)
        .enumerate()
        .map(|(number, piece)| {
            let mut bytes = vec![0; IP_HEADER + piece.len()];
            bytes[IP_HEADER..].copy_from_slice(piece);
            if let Some(mut packet) = MutableIpv4Packet::new(&mut bytes) {
                packet.set_version(4);
                packet.set_header_length(5);
                packet.set_total_length(u16::try_from(IP_HEADER + piece.len()).unwrap_or(u16::MAX));
                packet.set_identification(identification);
                packet.set_flags(if number < last { Ipv4Flags::MoreFragments } else { 0 });
                packet.set_fragment_offset(u16::try_from(number * chunk / 8).unwrap_or(0));
                packet.set_ttl(64);
                packet.set_next_level_protocol(IpNextHeaderProtocols::Icmp);
                packet.set_source(from);
                packet.set_destination(to);
                let checksum = ipv4::checksum(&packet.to_immutable());
                packet.set_checksum(checksum);
            }
            bytes
        })
        .collect()
}

/// Bytes of IP packet of a small echo that can be cut into `count` fragments and carries the cookie.
#[must_use]
pub fn small_fragmented(count: usize) -> usize {
    let least = ICMP_HEADER + size_of::<Cookie>();
    let chunk = least.div_ceil(count.max(1)).next_multiple_of(8);
    IP_HEADER + chunk * count
}

/// Reads an IPv4 packet; `None` for anything that cannot concern us, or is damaged.
#[must_use]
pub fn read(bytes: &[u8]) -> Option<Incoming> {
    let packet = Ipv4Packet::new(bytes)?;
    let header = usize::from(packet.get_header_length()) * 4;
    let body = bytes.get(header..)?;
    match packet.get_next_level_protocol() {
        IpNextHeaderProtocols::Icmp => read_icmp(&packet, body, bytes.len()),
        IpNextHeaderProtocols::Tcp => read_tcp(&packet, body),
        _ => None,
    }
}

fn read_icmp(packet: &Ipv4Packet<'_>, body: &[u8], size: usize) -> Option<Incoming> {
    let icmp = IcmpPacket::new(body)?;
    if pnet::packet::util::checksum(body, 1) != icmp.get_checksum() {
        return None;
    }
    match icmp.get_icmp_type() {
        IcmpTypes::EchoReply => {
            let echo = EchoReplyPacket::new(body)?;
            Some(Incoming::EchoReply {
                from: packet.get_source(),
                identifier: echo.get_identifier(),
                sequence: echo.get_sequence_number(),
                size,
                cookie: echo.payload().first_chunk().copied(),
            })
        }
        IcmpTypes::DestinationUnreachable
            if icmp.get_icmp_code() == IcmpCodes::FragmentationRequiredAndDFFlagSet =>
        {
            let unreachable = DestinationUnreachablePacket::new(body)?;
            let quoted = read_quoted(unreachable.payload())?;
            Some(Incoming::TooBig { mtu: unreachable.get_next_hop_mtu(), quoted })
        }
        _ => None,
    }
}

/// The quoted packet may be cut after 8 bytes of its payload, so it is read by offsets.
fn read_quoted(bytes: &[u8]) -> Option<Quoted> {
    let header = usize::from(bytes.first()? & 0x0f) * 4;
    let protocol = IpNextHeaderProtocol::new(*bytes.get(9)?);
    let to = Ipv4Addr::from(*bytes.get(16..)?.first_chunk::<4>()?);
    let body = bytes.get(header..)?.first_chunk::<8>()?;
    let short = |at: usize| u16::from_be_bytes([body[at], body[at + 1]]);
    match protocol {
        IpNextHeaderProtocols::Icmp if body[0] == IcmpTypes::EchoRequest.0 => {
            Some(Quoted::Echo { to, identifier: short(4), sequence: short(6) })
        }
        IpNextHeaderProtocols::Tcp => Some(Quoted::Tcp {
            to,
            to_port: short(2),
            from_port: short(0),
            sequence: u32::from_be_bytes([body[4], body[5], body[6], body[7]]),
        }),
        _ => None,
    }
}

fn read_tcp(packet: &Ipv4Packet<'_>, body: &[u8]) -> Option<Incoming> {
    let segment = TcpPacket::new(body)?;
    if segment.get_flags() & TcpFlags::ACK == 0 {
        return None;
    }
    let is_syn = segment.get_flags() & TcpFlags::SYN != 0;
    let mss = segment.get_options_iter().find_map(|option| {
        let value = option.payload().first_chunk::<2>()?;
        (is_syn && option.get_number() == TcpOptionNumbers::MSS).then(|| u16::from_be_bytes(*value))
    });
    Some(Incoming::Tcp {
        from: packet.get_source(),
        from_port: segment.get_source(),
        to_port: segment.get_destination(),
        acknowledgement: segment.get_acknowledgement(),
        mss,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
    const B: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
    const COOKIE: Cookie = *b"sixteen  secrets";

    /// An IPv4 packet around `body`, as a raw socket hands it up.
    fn ip(protocol: IpNextHeaderProtocol, body: &[u8]) -> Vec<u8> {
        let mut packets = fragments(body, 1, B, A, 7);
        if packets.len() != 1 {
            packets = vec![[vec![0; IP_HEADER], body.to_vec()].concat()];
        }
        let mut bytes = packets.remove(0);
        let mut packet = MutableIpv4Packet::new(&mut bytes).unwrap();
        packet.set_version(4);
        packet.set_header_length(5);
        packet.set_source(B);
        packet.set_next_level_protocol(protocol);
        bytes
    }

    #[test]
    fn an_echo_reply_is_read_back_and_a_damaged_one_is_not() {
        let mut message = echo_request(1500, 7, 9, &COOKIE);
        assert_eq!(message.len(), 1480);
        message[0] = IcmpTypes::EchoReply.0;
        let checksum = pnet::packet::util::checksum(&message, 1);
        message[2..4].copy_from_slice(&checksum.to_be_bytes());
        let packet = ip(IpNextHeaderProtocols::Icmp, &message);
        let expected =
            Incoming::EchoReply { from: B, identifier: 7, sequence: 9, size: 1500, cookie: Some(COOKIE) };
        assert_eq!(read(&packet), Some(expected));
        let mut damaged = packet;
        damaged[1000] ^= 1;
        assert_eq!(read(&damaged), None);
    }

    #[test]
    fn a_signal_that_quotes_only_eight_bytes_is_understood() {
        let request = echo_request(1500, 7, 9, &COOKIE);
        let mut quoted = fragments(&request[..8], 1, A, B, 7).remove(0);
        quoted.truncate(IP_HEADER + 8);
        let mut message = vec![3, 4, 0, 0, 0, 0, 0x05, 0xaa];
        message.extend(quoted);
        let checksum = pnet::packet::util::checksum(&message, 1);
        message[2..4].copy_from_slice(&checksum.to_be_bytes());
        let expected =
            Incoming::TooBig { mtu: 1450, quoted: Quoted::Echo { to: B, identifier: 7, sequence: 9 } };
        assert_eq!(read(&ip(IpNextHeaderProtocols::Icmp, &message)), Some(expected));
    }

    #[test]
    fn a_syn_has_the_size_asked_for_and_a_valid_checksum() {
        for (size, length) in [(44, 24), (68, 48), (1500, 1480)] {
            let bytes = syn(size, (A, 40000), (B, 443), 12345, 1460);
            assert_eq!(bytes.len(), length);
            let segment = TcpPacket::new(&bytes).unwrap();
            assert_eq!(segment.get_checksum(), tcp::ipv4_checksum(&segment, &A, &B));
            assert_eq!(segment.payload().len(), length - 24);
        }
    }

    #[test]
    fn a_syn_ack_names_its_mss() {
        let mut bytes = syn(44, (B, 443), (A, 40000), 1, 1360);
        let mut segment = MutableTcpPacket::new(&mut bytes).unwrap();
        segment.set_flags(TcpFlags::SYN | TcpFlags::ACK);
        segment.set_acknowledgement(12346);
        let read = read(&ip(IpNextHeaderProtocols::Tcp, &bytes));
        let expected = Incoming::Tcp {
            from: B,
            from_port: 443,
            to_port: 40000,
            acknowledgement: 12346,
            mss: Some(1360),
        };
        assert_eq!(read, Some(expected));
    }

    #[test]
    fn both_halves_of_a_fragmented_pair_have_as_many_fragments() {
        for size in [600_u32, 1400, 1500, 4000, 8950, 9216] {
            let count =
                crate::overlay::path::probe::fragments_of(crate::overlay::path::probe::Family::V4, size)
                    as usize;
            let large = echo_request(size as usize, 1, 2, &COOKIE);
            let small = echo_request(small_fragmented(count), 1, 2, &COOKIE);
            let cut = fragments(&large, count, A, B, 3);
            assert_eq!(cut.len(), count, "{size}");
            assert_eq!(fragments(&small, count, A, B, 3).len(), count, "{size}");
            let joined: Vec<u8> = cut.iter().flat_map(|packet| packet[IP_HEADER..].to_vec()).collect();
            assert_eq!(joined, large);
            for (number, bytes) in cut.iter().enumerate() {
                let packet = Ipv4Packet::new(bytes).unwrap();
                assert!(bytes.len() <= 576 && packet.get_checksum() == ipv4::checksum(&packet));
                assert_eq!(packet.get_flags() == Ipv4Flags::MoreFragments, number + 1 < count);
            }
        }
    }

    #[test]
    fn nothing_short_or_strange_panics() {
        let mut rng = fastrand::Rng::with_seed(1);
        for length in 0..200 {
            let mut bytes: Vec<u8> = (0..length).map(|_| rng.u8(..)).collect();
            let _ = read(&bytes);
            if let Some(first) = bytes.first_mut() {
                *first = 0x45;
            }
            for protocol in [1, 6] {
                if let Some(byte) = bytes.get_mut(9) {
                    *byte = protocol;
                }
                let _ = read(&bytes);
            }
        }
    }
}
