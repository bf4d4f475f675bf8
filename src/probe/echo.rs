//! The regular small echo, through surge-ping, which matches by address, identifier and sequence.
//!
//! Its own timeout is 10 s: whether an echo is lost is decided by our deadline, so that late replies
//! are counted as late.

use std::{
    io,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use pnet::packet::{icmp::IcmpTypes, icmpv6::Icmpv6Types};
use surge_ping::{Client, Config, ICMP, IcmpPacket, PingIdentifier, PingSequence};
use tokio::sync::mpsc::UnboundedSender;

use crate::overlay::path::probe::Family;

const TIMEOUT: Duration = Duration::from_secs(10);
const ICMP_HEADER: usize = 8;

/// Sends small echoes for all paths over one socket of each family.
#[derive(Clone)]
pub struct Echoes {
    v4: Option<Client>,
    v6: Option<Client>,
    identifier: u16,
    /// Over all paths: on a ping socket two paths to one target have nothing else to tell them apart.
    sequence: Arc<AtomicU16>,
    replies: UnboundedSender<EchoReply>,
}

/// An echo that was answered.
#[derive(Debug, Clone, Copy)]
pub struct EchoReply {
    /// The path's number.
    pub path: usize,
    /// The echo's number.
    pub seq: u64,
    /// Round-trip time as surge-ping measured it.
    pub rtt: Duration,
}

impl Echoes {
    /// Opens the sockets: raw where allowed, else ping sockets (`net.ipv4.ping_group_range`). One family is
    /// enough.
    pub fn open(identifier: u16, replies: UnboundedSender<EchoReply>) -> io::Result<Self> {
        let open =
            |kind| Client::new(&Config::builder().kind(kind).sock_type_hint(socket2::Type::RAW).build());
        let (v4, v6) = (open(ICMP::V4), open(ICMP::V6).ok());
        if v6.is_none() {
            v4.as_ref().map_err(|error| io::Error::new(error.kind(), error.to_string()))?;
        }
        Ok(Self { v4: v4.ok(), v6, identifier, sequence: Arc::default(), replies })
    }

    /// Sends echo `seq` of `path`; the reply comes through the channel, silence is told by nobody.
    pub fn send(&self, path: usize, address: IpAddr, seq: u64) {
        let client = if address.is_ipv4() { &self.v4 } else { &self.v6 };
        let Some(client) = client.clone() else { return };
        let identifier = PingIdentifier(self.identifier);
        let sequence = PingSequence(self.sequence.fetch_add(1, Ordering::Relaxed));
        let replies = self.replies.clone();
        tokio::spawn(async move {
            let mut pinger = client.pinger(address, identifier).await;
            pinger.timeout(TIMEOUT);
            let header = Family::of(address).header();
            let payload = vec![0; (Family::of(address).small() - header) as usize - ICMP_HEADER];
            let Ok((packet, rtt)) = pinger.ping(sequence, &payload).await else { return };
            // It also hands up errors that quote the echo, "host unreachable" above all (measured).
            let is_reply = match packet {
                IcmpPacket::V4(packet) => packet.get_icmp_type() == IcmpTypes::EchoReply,
                IcmpPacket::V6(packet) => packet.get_icmpv6_type() == Icmpv6Types::EchoReply,
            };
            if is_reply {
                let _ = replies.send(EchoReply { path, seq, rtt });
            }
        });
    }
}
