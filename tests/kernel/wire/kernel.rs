//! Our packets compared with those that the kernel builds from the same content.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Context, Result, ensure};
use pnet::packet::{
    ip::IpNextHeaderProtocols,
    tcp::{self, TcpPacket},
};
use socket2::{Domain, Protocol, Socket, Type};
use vxlan_exporter::probe::packet;

use super::{
    forged::Tap,
    world::{CLOSED, Ip, World, inside},
};

const COOKIE: packet::Cookie = *b"sixteen  secrets";

#[test]
fn an_echo_request_is_the_kernel_s_own_to_the_byte() -> Result<()> {
    let world = World::raise()?;
    world.here.sysctl("net/ipv4/ping_group_range", "0 2147483647")?;
    for ip in Ip::BOTH {
        let (domain, protocol, tapped) = match ip {
            Ip::V4 => (Domain::IPV4, Protocol::ICMPV4, IpNextHeaderProtocols::Icmp),
            Ip::V6 => (Domain::IPV6, Protocol::ICMPV6, IpNextHeaderProtocols::Icmpv6),
        };
        let tap = Tap::open(&world, ip, tapped.0)?;
        for (identifier, sequence, size) in [(1, 0, 68), (77, 9, 1280), (65_535, 65_535, 1500), (2, 3, 1499)]
        {
            let ours = packet::echo_request(size, (ip.here(), ip.there()), identifier, sequence, &COOKIE);
            // A ping socket inserts its own identifier and the checksum.
            let mut blank = ours.clone();
            blank[2..6].fill(0);
            let socket = inside(&world.here, || Ok(Socket::new(domain, Type::DGRAM, Some(protocol))?))?;
            socket.bind(&SocketAddr::from((ip.here(), identifier)).into())?;
            socket.send_to(&blank, &SocketAddr::from((ip.there(), 0)).into())?;
            let theirs = tap.next(|message| message[0] == ours[0])?;
            ensure!(
                theirs == ours,
                "{ip:?} {size}: the kernel's {:?}, ours {:?}",
                &theirs[..32],
                &ours[..32]
            );
        }
    }
    Ok(())
}

#[test]
fn a_syn_s_checksum_is_the_kernel_s_own() -> Result<()> {
    let world = World::raise()?;
    for ip in Ip::BOTH {
        let tap = Tap::open(&world, ip, IpNextHeaderProtocols::Tcp.0)?;
        for _ in 0..20 {
            let refused = world.here.dial(SocketAddr::from((ip.there(), CLOSED)));
            ensure!(refused.is_err(), "somebody listens at the closed port");
            let theirs = tap.next(|segment| segment.len() > 20)?;
            let segment = TcpPacket::new(&theirs).context("short")?;
            let checksum = match (ip.here(), ip.there()) {
                (IpAddr::V4(from), IpAddr::V4(to)) => tcp::ipv4_checksum(&segment, &from, &to),
                (IpAddr::V6(from), IpAddr::V6(to)) => tcp::ipv6_checksum(&segment, &from, &to),
                _ => unreachable!("one family"),
            };
            // 0 and 0xffff are the same number in one's complement; the kernel writes either.
            let same = segment.get_checksum() % 0xffff == checksum % 0xffff;
            ensure!(same, "{ip:?}: {segment:?}");
        }
    }
    Ok(())
}
