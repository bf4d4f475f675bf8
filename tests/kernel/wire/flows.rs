//! How a VTEP treats our flows: its outer source port is a hash of the inner packet.

use std::{
    collections::BTreeSet,
    io::{self, Read},
    net::IpAddr,
    time::Duration,
};

use anyhow::{Result, ensure};
use socket2::{Domain, Protocol, Socket, Type};
use vxlan_exporter::path::probe::ProbeMethod;

use super::{
    driver::{Driver, Level},
    world::{CLOSED, Ip, World, inside},
};

/// Makes `here` a VTEP, with `way` at the other end.
fn join(world: &World) -> Result<()> {
    for (namespace, own, other, host) in
        [(&world.here, Ip::V4.here(), Ip::V4.way(), 1), (&world.way, Ip::V4.way(), Ip::V4.here(), 2)]
    {
        namespace.ip(&format!("link add vx type vxlan id 7 local {own} remote {other} dstport 4789"))?;
        namespace.ip(&format!("addr add 10.98.0.{host}/24 dev vx"))?;
        namespace.ip(&format!("addr add fd98::{host}/64 dev vx nodad"))?;
        namespace.ip("link set vx up")?;
    }
    Ok(())
}

/// The outer source ports of the frames captured so far whose inner packet has `protocol` and
/// passes `right`.
fn ports(tap: &Socket, ip: Ip, protocol: u8, right: impl Fn(&[u8]) -> bool) -> Result<BTreeSet<u16>> {
    let mut buffer = vec![0; 65_536];
    let mut ports = BTreeSet::new();
    loop {
        let mut tap = tap;
        let length = match tap.read(&mut buffer) {
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(ports),
            Err(error) => return Err(error.into()),
        };
        // Bytes of outer IPv4 20, UDP 8, VXLAN 8, Ethernet 14.
        let Some((outer, inner)) = buffer[..length].split_at_checked(50) else { continue };
        let at = if ip == Ip::V4 { 9 } else { 6 };
        let is_ours = inner.first().is_some_and(|byte| byte >> 4 == if ip == Ip::V4 { 4 } else { 6 });
        if is_ours && inner.get(at) == Some(&protocol) && inner.get(ip.header()..).is_some_and(&right) {
            ports.insert(u16::from_be_bytes([outer[20], outer[21]]));
        }
    }
}

#[test]
fn eight_tcp_flows_are_eight_and_echoes_are_one() -> Result<()> {
    let world = World::raise()?;
    join(&world)?;
    let tap = inside(&world.way, || Ok(Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::UDP))?))?;
    tap.set_read_timeout(Some(Duration::from_millis(300)))?;
    for (ip, to, icmp, request) in [(Ip::V4, "10.98.0.2", 1, 8), (Ip::V6, "fd98::2", 58, 128)] {
        let to: IpAddr = to.parse()?;
        world.probe(|| async move {
            let mut driver = Driver::open_to(Level::Raw, to, CLOSED).await?;
            for flow in 0..8 {
                for method in [ProbeMethod::Syn, ProbeMethod::Echo] {
                    let id = driver.send(method, flow, 1300)?;
                    driver.passes(id).await?;
                }
            }
            Ok(())
        })?;
        // The kernel's RSTs come from `way`, so they are not among the packets it receives.
        let tapped = ports(&tap, ip, 6, |_| true)?;
        ensure!(tapped.len() == 8, "{ip:?}: 8 TCP flows have the outer ports {tapped:?}");
        world.probe(|| async move {
            let mut driver = Driver::open_to(Level::Raw, to, CLOSED).await?;
            for _ in 0..8 {
                let id = driver.send(ProbeMethod::Echo, 0, 1300)?;
                driver.passes(id).await?;
            }
            Ok(())
        })?;
        let tapped = ports(&tap, ip, icmp, |message| message[0] == request)?;
        ensure!(tapped.len() == 1, "{ip:?}: echoes have the outer ports {tapped:?}");
    }
    Ok(())
}
