//! What is built is parsed back to the same values.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use pnet::packet::{
    Packet,
    icmp::IcmpTypes,
    icmpv6::{self, Icmpv6Packet, Icmpv6Types},
    ipv4::{self, Ipv4Flags, Ipv4Packet},
    ipv6::{FragmentPacket, Ipv6Packet},
    tcp::{self, MutableTcpPacket, TcpFlags, TcpPacket},
};

use super::*;
use crate::{model::family::Family, path::probe::fragments_of};

const A: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const B: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
const A6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
const B6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);
const COOKIE: Cookie = *b"sixteen  secrets";

fn addresses(family: Family) -> (IpAddr, IpAddr) {
    match family {
        Family::V4 => (A.into(), B.into()),
        Family::V6 => (A6.into(), B6.into()),
    }
}

fn from(from: impl Into<IpAddr>) -> Arrival {
    Arrival { from: from.into(), ttl: Some(64), largest_fragment: None }
}

fn with_checksum(mut message: Vec<u8>) -> Vec<u8> {
    message[2..4].fill(0);
    let checksum = pnet::packet::util::checksum(&message, 1);
    message[2..4].copy_from_slice(&checksum.to_be_bytes());
    message
}

#[test]
fn an_echo_reply_is_read_back_and_a_damaged_one_is_not() {
    let mut message = echo_request(1500, addresses(Family::V4), 7, 9, &COOKIE);
    assert_eq!(message.len(), 1480);
    assert_eq!(with_checksum(message.clone()), message);
    message[0] = IcmpTypes::EchoReply.0;
    let message = with_checksum(message);
    let arrival = from(B);
    let expected =
        Incoming::EchoReply { arrival, identifier: 7, sequence: 9, size: 1500, cookie: Some(COOKIE) };
    assert_eq!(read_icmp(arrival, &message), Some(expected));
    let mut damaged = message;
    damaged[1000] ^= 1;
    assert_eq!(read_icmp(arrival, &damaged), None);
}

#[test]
fn an_icmpv6_echo_covers_both_addresses_and_is_read_back() {
    let mut message = echo_request(1500, addresses(Family::V6), 7, 9, &COOKIE);
    assert_eq!(message.len(), 1460);
    let packet = Icmpv6Packet::new(&message).unwrap();
    assert_eq!(packet.get_checksum(), icmpv6::checksum(&packet, &A6, &B6));
    assert_ne!(packet.get_checksum(), icmpv6::checksum(&packet, &A6, &A6));
    message[0] = Icmpv6Types::EchoReply.0;
    let arrival = from(B6);
    let expected =
        Incoming::EchoReply { arrival, identifier: 7, sequence: 9, size: 1500, cookie: Some(COOKIE) };
    assert_eq!(read_icmpv6(arrival, &message), Some(expected));
}

#[test]
fn a_signal_that_quotes_only_eight_bytes_is_understood() {
    let request = echo_request(1500, addresses(Family::V4), 7, 9, &COOKIE);
    let mut message = vec![3, 4, 0, 0, 0, 0, 0x05, 0xaa];
    let mut quoted = fragments(&request[..32], 1, A.into(), B.into(), 7).remove(0);
    quoted.truncate(28);
    message.extend(quoted);
    let expected = Incoming::TooBig {
        mtu: 1450,
        from: Some(A.into()),
        quoted: Quoted::Echo { to: B.into(), identifier: 7, sequence: 9 },
    };
    assert_eq!(read_icmp(from(A), &with_checksum(message)), Some(expected));
}

#[test]
fn packet_too_big_is_understood() {
    let addresses = addresses(Family::V6);
    let (from_port, to_port) = (40000, 443);
    let request = echo_request(1500, addresses, 7, 9, &COOKIE);
    let echo = ipv6(A6, B6, IpNextHeaderProtocols::Icmpv6, 0, &request);
    let whole = [(A6, from_port), (B6, to_port)].map(SocketAddr::from);
    let tcp = syn(1500, whole[0], whole[1], 12345, 1500, 7);
    for (packet, quoted) in [
        (echo, Quoted::Echo { to: B6.into(), identifier: 7, sequence: 9 }),
        (tcp, Quoted::Tcp { to: B6.into(), to_port, from_port, sequence: 12345 }),
    ] {
        let mut message = vec![2, 0, 0, 0, 0, 0, 0x05, 0xaa];
        message.extend(&packet[..1232]);
        let expected = Incoming::TooBig { mtu: 1450, from: Some(A6.into()), quoted };
        assert_eq!(read_icmpv6(from(A6), &message), Some(expected));
    }
}

#[test]
fn a_syn_has_the_size_asked_for_and_a_valid_checksum() {
    for size in [44, 68, 1500] {
        let bytes = syn(size, (A, 40000).into(), (B, 443).into(), 12345, 1500, 0);
        assert_eq!(bytes.len(), size);
        let packet = Ipv4Packet::new(&bytes).unwrap();
        assert_eq!((packet.get_source(), packet.get_destination()), (A, B));
        assert_eq!(packet.get_flags(), Ipv4Flags::DontFragment);
        assert_eq!(usize::from(packet.get_total_length()), size);
        let segment = TcpPacket::new(packet.payload()).unwrap();
        assert_eq!(segment.get_checksum(), tcp::ipv4_checksum(&segment, &A, &B));
        assert_eq!(segment.payload().len(), size - 44);
    }
    for size in [64, 88, 1500] {
        let bytes = syn(size, (A6, 40000).into(), (B6, 443).into(), 12345, 1500, 0xabcde);
        assert_eq!(bytes.len(), size);
        let packet = Ipv6Packet::new(&bytes).unwrap();
        assert_eq!((packet.get_source(), packet.get_destination()), (A6, B6));
        assert_eq!(packet.get_flow_label(), 0xabcde);
        assert_eq!(usize::from(packet.get_payload_length()), size - 40);
        let segment = TcpPacket::new(packet.payload()).unwrap();
        assert_eq!(segment.get_checksum(), tcp::ipv6_checksum(&segment, &A6, &B6));
    }
}

#[test]
fn a_syn_ack_names_its_mss_and_an_rst_says_so() {
    let mut bytes = syn(44, (B, 443).into(), (A, 40000).into(), 1, 1400, 0).split_off(20);
    for (flags, mss, reset) in
        [(TcpFlags::SYN | TcpFlags::ACK, Some(1360), false), (TcpFlags::RST | TcpFlags::ACK, None, true)]
    {
        let mut segment = MutableTcpPacket::new(&mut bytes).unwrap();
        segment.set_flags(flags);
        segment.set_acknowledgement(12346);
        let arrival = from(B);
        let (from_port, to_port, acknowledgement) = (443, 40000, 12346);
        let expected = Incoming::Tcp { arrival, from_port, to_port, acknowledgement, mss, reset };
        assert_eq!(read_tcp(arrival, &bytes), Some(expected));
    }
    for flags in [TcpFlags::SYN, TcpFlags::ACK, TcpFlags::RST, TcpFlags::SYN | TcpFlags::RST | TcpFlags::ACK]
    {
        MutableTcpPacket::new(&mut bytes).unwrap().set_flags(flags);
        assert_eq!(read_tcp(from(B), &bytes), None, "{flags:b}");
    }
}

#[test]
fn both_halves_of_a_fragmented_pair_have_as_many_fragments() {
    for family in [Family::V4, Family::V6] {
        let ((a, b), header) = (addresses(family), family.header() as usize);
        let skip = if family == Family::V4 { header } else { header + 8 };
        for size in [600_u32, 1400, 1500, 4000, 8950, 9216] {
            let count = fragments_of(family, size) as usize;
            let large = echo_request(size as usize, (a, b), 1, 2, &COOKIE);
            let small = echo_request(small_fragmented(family, count), (a, b), 1, 2, &COOKIE);
            let cut = fragments(&large, count, a, b, 3);
            assert_eq!(cut.len(), count, "{family:?} {size}");
            assert_eq!(fragments(&small, count, a, b, 3).len(), count, "{family:?} {size}");
            let joined: Vec<u8> = cut.iter().flat_map(|packet| packet[skip..].to_vec()).collect();
            assert_eq!(joined, large);
            let mut offset = 0;
            for (number, bytes) in cut.iter().enumerate() {
                let last = number + 1 == count;
                assert!(bytes.len() <= 576 + 28);
                if family == Family::V4 {
                    let packet = Ipv4Packet::new(bytes).unwrap();
                    assert_eq!(packet.get_checksum(), ipv4::checksum(&packet));
                    assert_eq!(packet.get_flags() == Ipv4Flags::MoreFragments, !last);
                    assert_eq!(usize::from(packet.get_fragment_offset()) * 8, offset);
                } else {
                    let packet = Ipv6Packet::new(bytes).unwrap();
                    assert_eq!(packet.get_next_header(), IpNextHeaderProtocols::Ipv6Frag);
                    let fragment = FragmentPacket::new(packet.payload()).unwrap();
                    let more = u16::from(!last);
                    assert_eq!(usize::from(fragment.get_fragment_offset_with_flags() - more), offset);
                }
                offset += bytes.len() - skip;
            }
        }
    }
}

#[test]
fn nothing_short_or_strange_panics() {
    let mut rng = fastrand::Rng::with_seed(1);
    for length in 0..200 {
        for first in [0, 2, 3, 129, 0x45] {
            let mut bytes: Vec<u8> = (0..length).map(|_| rng.u8(..)).collect();
            if let Some(byte) = bytes.first_mut() {
                *byte = first;
            }
            if let Some(code) = bytes.get_mut(1) {
                *code = 4;
            }
            let _ = read_icmpv6(from(B6), &bytes);
            let _ = read_tcp(from(B6), &bytes);
            let bytes = if length > 4 { with_checksum(bytes) } else { bytes };
            let _ = read_icmp(from(B), &bytes);
        }
    }
}
