//! The regular small echo of `probe`, sent with surge-ping, which matches replies by address,
//! identifier and sequence.
//!
//! Its own timeout is 10 s. Our deadline decides whether an echo is lost, so that late replies are
//! counted as late.
//!
//! surge-ping takes every ICMP error that quotes an echo as its end, even a redirect (measured: 54
//! echoes of 60 "lost", while ping lost none). Here no error ends an echo: whatever a box on the
//! way says, the target may still answer, and if it does not, its silence counts (docs/probing.md).
//! So a filter in the kernel lets only our echo replies through to its socket; a ping socket
//! receives nothing else anyway.

use std::{
    io,
    net::IpAddr,
    os::fd::BorrowedFd,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use pnet::packet::{icmp::IcmpTypes, icmpv6::Icmpv6Types};
use rustix::net::sockopt::{Ipv4PathMtuDiscovery, set_ip_mtu_discover};
use socket2::{SockRef, Type};
use surge_ping::{Client, Config, ICMP, IcmpPacket, PingIdentifier, PingSequence, SurgeError};
use tokio::sync::mpsc::UnboundedSender;

use super::{
    last_heard::SocketGroup,
    raw::filter,
    refusal::{self, TRIES},
};
use crate::{model::family::Family, path::refusal::Refusal};

const TIMEOUT: Duration = Duration::from_secs(10);
const ICMP_HEADER: usize = 8;
/// Bytes; holds the replies of a thousand paths while this process waits to run.
const RECEIVE_BUFFER: usize = 1 << 20;

/// What sends the regular small echo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EchoMethod {
    /// surge-ping: a task and a timer per echo, for a look at a single path.
    SurgePing,
    /// The sockets of all other probes, several echoes per system call.
    Batched,
}

/// Sends the small echoes of all paths over one socket per family.
#[derive(Clone)]
pub(crate) struct Echoes {
    main: Clients,
    /// Sockets for targets that do not answer.
    apart: Clients,
    identifier: u16,
    /// Shared by all paths: on a ping socket nothing else distinguishes two paths to one target.
    sequence: Arc<AtomicU16>,
    news: UnboundedSender<EchoNews>,
}

/// One client per family.
#[derive(Clone)]
struct Clients {
    v4: Option<Client>,
    v6: Option<Client>,
}

/// The result of an echo.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EchoNews {
    /// The path's number.
    pub path: usize,
    /// The echo's number.
    pub seq: u64,
    /// Round-trip time as measured by surge-ping, or why the echo never left our host.
    pub fate: Result<Duration, Refusal>,
}

impl Echoes {
    /// Opens the sockets: raw if allowed, else ping sockets (`net.ipv4.ping_group_range`). One
    /// family is enough.
    pub(crate) fn open(identifier: u16, news: UnboundedSender<EchoNews>) -> io::Result<Self> {
        let (main, apart) = (Clients::open(identifier)?, Clients::open(identifier)?);
        Ok(Self { main, apart, identifier, sequence: Arc::default(), news })
    }

    /// Switches to another identifier; answers to echoes in flight are still received. Sockets that
    /// cannot be opened again are kept.
    pub(crate) fn renew(&mut self, identifier: u16) {
        if let (Ok(main), Ok(apart)) = (Clients::open(identifier), Clients::open(identifier)) {
            (self.main, self.apart, self.identifier) = (main, apart, identifier);
        }
    }

    /// Sends echo `seq` of `path`. Its result comes through the channel; silence is not reported.
    pub(crate) fn send(&self, path: usize, address: IpAddr, seq: u64, door: SocketGroup) {
        let clients = if door == SocketGroup::Main { &self.main } else { &self.apart };
        let client = if address.is_ipv4() { &clients.v4 } else { &clients.v6 };
        let news = self.news.clone();
        let Some(client) = client.clone() else {
            let _ = news.send(EchoNews { path, seq, fate: Err(Refusal::Unable) });
            return;
        };
        let identifier = PingIdentifier(self.identifier);
        let sequence = PingSequence(self.sequence.fetch_add(1, Ordering::Relaxed));
        tokio::spawn(async move {
            let answer = ask(&client, address, identifier, sequence).await;
            let fate = match answer {
                Ok((packet, rtt)) if is_reply(&packet) => Ok(rtt),
                Err(SurgeError::IOError(error)) => Err(refusal::of(&error)),
                Ok(_) | Err(_) => return,
            };
            let _ = news.send(EchoNews { path, seq, fate });
        });
    }
}

impl Clients {
    fn open(identifier: u16) -> io::Result<Self> {
        let (v4, v6) = (open(ICMP::V4, identifier), open(ICMP::V6, identifier).ok());
        if v6.is_none() {
            v4.as_ref().map_err(|error| io::Error::new(error.kind(), error.to_string()))?;
        }
        Ok(Self { v4: v4.ok(), v6 })
    }
}

async fn ask(
    client: &Client,
    address: IpAddr,
    identifier: PingIdentifier,
    sequence: PingSequence,
) -> Result<(IcmpPacket, Duration), SurgeError> {
    let mut pinger = client.pinger(address, identifier).await;
    pinger.timeout(TIMEOUT);
    let header = Family::of(address).header();
    let payload = vec![0; (Family::of(address).small() - header) as usize - ICMP_HEADER];
    let mut answer = pinger.ping(sequence, &payload).await;
    for _ in 1..TRIES {
        if !matches!(answer, Err(SurgeError::IOError(_))) {
            break;
        }
        answer = pinger.ping(sequence, &payload).await;
    }
    answer
}

fn is_reply(packet: &IcmpPacket) -> bool {
    match packet {
        IcmpPacket::V4(packet) => packet.get_icmp_type() == IcmpTypes::EchoReply,
        IcmpPacket::V6(packet) => packet.get_icmpv6_type() == Icmpv6Types::EchoReply,
    }
}

fn open(kind: ICMP, identifier: u16) -> io::Result<Client> {
    let client = Client::new(&Config::builder().kind(kind).sock_type_hint(Type::RAW).build())?;
    let socket = client.get_socket();
    let descriptor = descriptor(&client);
    let socket_options = SockRef::from(&descriptor);
    socket_options.set_recv_buffer_size(RECEIVE_BUFFER)?;
    if socket.get_type() == Type::RAW {
        let family = if kind == ICMP::V4 { Family::V4 } else { Family::V6 };
        if family == Family::V4 {
            // A raw socket also receives signals that quote the echoes of other processes: see
            // `socket::open`.
            set_ip_mtu_discover(descriptor, Ipv4PathMtuDiscovery::INTERFACE)?;
        }
        socket_options.attach_filter(&filter::echo_replies(family, identifier))?;
    }
    Ok(client)
}

/// The socket of surge-ping, which gives only its number.
#[expect(unsafe_code, reason = "a descriptor known only by its number can be borrowed in no other way")]
fn descriptor(client: &Client) -> BorrowedFd<'_> {
    let number = client.get_socket().get_native_sock();
    // SAFETY: the socket is open for as long as any clone of the client lives, and the borrow keeps
    // this one alive.
    unsafe { BorrowedFd::borrow_raw(number) }
}
