//! The regular small echo, through surge-ping, which matches by address, identifier and sequence.
//!
//! Its own timeout is 10 s: whether an echo is lost is decided by our deadline, so that late replies
//! are counted as late.

use std::{io, net::IpAddr, time::Duration};

use pnet::packet::icmp::IcmpTypes;
use surge_ping::{Client, Config, ICMP, IcmpPacket, PingIdentifier, PingSequence};
use tokio::sync::mpsc::UnboundedSender;

use crate::overlay::path::probe::{Family, ProbeId};

const TIMEOUT: Duration = Duration::from_secs(10);
const HEADERS: usize = 28;

/// Sends small echoes for all paths over one socket.
#[derive(Clone)]
pub struct Echoes {
    client: Client,
    identifier: u16,
    replies: UnboundedSender<EchoReply>,
}

/// An echo that was answered.
#[derive(Debug, Clone, Copy)]
pub struct EchoReply {
    /// The path's place in the plan.
    pub path: usize,
    /// The echo's number.
    pub seq: u64,
    /// The probe of our own it stood for, without raw sockets.
    pub probe: Option<ProbeId>,
    /// Round-trip time as surge-ping measured it.
    pub rtt: Duration,
}

impl Echoes {
    /// Opens the socket: raw where allowed, else a ping socket (`net.ipv4.ping_group_range`).
    pub fn open(identifier: u16, replies: UnboundedSender<EchoReply>) -> io::Result<Self> {
        let config = Config::builder().kind(ICMP::V4).sock_type_hint(socket2::Type::RAW).build();
        Ok(Self { client: Client::new(&config)?, identifier, replies })
    }

    /// Sends echo `seq` of `path` (in place of `probe`, without raw sockets); the reply comes through the channel, silence is told by nobody.
    pub fn send(&self, path: usize, address: IpAddr, seq: u64, probe: Option<ProbeId>) {
        let echoes = self.clone();
        tokio::spawn(async move {
            // One identifier for each path: two paths may have the same target.
            let offset = u16::try_from(path % 0x7fff).unwrap_or(0);
            let identifier = PingIdentifier(echoes.identifier.wrapping_add(offset));
            let sequence = PingSequence(u16::try_from(seq & 0xffff).unwrap_or(0));
            let mut pinger = echoes.client.pinger(address, identifier).await;
            pinger.timeout(TIMEOUT);
            let payload = [0; Family::V4.small() as usize - HEADERS];
            // It also hands up errors that quote the echo, "host unreachable" above all (measured).
            if let Ok((IcmpPacket::V4(packet), rtt)) = pinger.ping(sequence, &payload).await
                && packet.get_icmp_type() == IcmpTypes::EchoReply
            {
                let _ = echoes.replies.send(EchoReply { path, seq, probe, rtt });
            }
        });
    }
}
