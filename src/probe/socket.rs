//! A packet socket: packets that it sends keep their size, and for received ones it tells how they
//! arrived.

use std::{
    io::{self, IoSliceMut},
    net::{IpAddr, SocketAddr},
    os::fd::{AsRawFd, OwnedFd, RawFd},
    sync::atomic::{AtomicU32, Ordering},
};

use nix::{
    cmsg_space, libc,
    sys::socket::{
        ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt,
        sockopt::{Ipv4RecvErr, Ipv4RecvTtl, Ipv6RecvErr, Ipv6RecvHopLimit, RxqOvfl, SetBool},
    },
};
use pnet::packet::ip::IpNextHeaderProtocols;
use rustix::net::sockopt::{
    Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, set_ip_mtu_discover, set_ipv6_mtu_discover,
};
use socket2::{Domain, Protocol, SockFilter, SockRef, Socket, Type};
use tokio::{io::Interest, net::UdpSocket};
use tracing::debug;

use super::{
    packet::{Arrival, Incoming, Quoted},
    refusal::TRIES,
    wire::Drained,
};
use crate::model::{family::Family, types::Bytes};

/// Socket option: tell the largest fragment of a packet that arrived in fragments.
#[derive(Debug, Clone, Copy)]
struct RecvFragmentSize;
nix::setsockopt_impl!(RecvFragmentSize, libc::IPPROTO_IP, libc::IP_RECVFRAGSIZE, bool, SetBool);

/// The same option for IPv6.
#[derive(Debug, Clone, Copy)]
struct RecvFragmentSizeV6;
nix::setsockopt_impl!(RecvFragmentSizeV6, libc::IPPROTO_IPV6, libc::IPV6_RECVFRAGSIZE, bool, SetBool);

/// Bytes of a receive buffer that holds a burst of full-size answers while this process waits to
/// run.
const RECEIVE_BUFFER: usize = 4 << 20;
/// Bytes of the send buffer, which packets to neighbours that do not answer fill up. With the
/// default `net.core.wmem_max` the kernel grants 416 KiB.
const SEND_BUFFER: usize = 1 << 20;
/// The largest IP packet, in bytes.
pub(crate) const LARGEST: usize = 65_575;
/// Most packets read from a socket at a time, so that a flood does not hold up everything else.
pub const PER_TURN: usize = 1024;
/// A receive buffer that overflowed held at least this many packets. The kernel's count of drops
/// alone does not show it, as it includes damaged packets, which anybody may send.
const FULL: usize = 16;
/// More errors than this in a row are not caused by signals.
const ERRORS: usize = 100;

/// A socket of raw packets or pings, watched by tokio.
///
/// tokio has neither kind. This is one of its datagram sockets, used only for `sendto` and waiting,
/// which are the same calls; that needs no `unsafe`, as watching a bare descriptor would.
#[derive(Debug)]
pub(crate) struct PacketSocket {
    family: Family,
    socket: UdpSocket,
    /// The readiness that shows that there is something to read.
    news: Interest,
    /// How many packets found its buffer full since it was opened, as last reported.
    dropped: AtomicU32,
}

/// Opens a socket whose packets are never fragmented and never limited by a path MTU that the
/// kernel has cached.
///
/// `IP_PMTUDISC_PROBE` does both; without it even `IP_HDRINCL` gets EMSGSIZE (measured, kernel
/// 6.18). So does `IP_PMTUDISC_INTERFACE`, which sets no DF; with it the kernel also takes over no
/// path MTU from a signal that quotes a packet of the socket's protocol (`ip_sk_accept_pmtu`). Raw
/// IPv4 sockets use it, as their packets have a header of our own with DF.
pub(crate) fn open(family: Family, kind: Type, protocol: Protocol) -> io::Result<Socket> {
    let domain = match family {
        Family::V4 => Domain::IPV4,
        Family::V6 => Domain::IPV6,
    };
    let socket = Socket::new(domain, kind, Some(protocol))?;
    socket.set_nonblocking(true)?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    setsockopt(&socket, RxqOvfl, &1)?;
    match family {
        Family::V4 => {
            let raw = kind == Type::RAW;
            let discovery = if raw { Ipv4PathMtuDiscovery::INTERFACE } else { Ipv4PathMtuDiscovery::PROBE };
            set_ip_mtu_discover(&socket, discovery)?;
            setsockopt(&socket, RecvFragmentSize, &true)?;
            setsockopt(&socket, Ipv4RecvTtl, &true)?;
        }
        Family::V6 => {
            set_ipv6_mtu_discover(&socket, Ipv6PathMtuDiscovery::PROBE)?;
            setsockopt(&socket, RecvFragmentSizeV6, &true)?;
            setsockopt(&socket, Ipv6RecvHopLimit, &true)?;
        }
    }
    Ok(socket)
}

impl PacketSocket {
    /// Registers a socket with tokio.
    pub(crate) fn watch(family: Family, socket: Socket) -> io::Result<Self> {
        let socket = UdpSocket::from_std(OwnedFd::from(socket).into())?;
        Ok(Self { family, socket, news: Interest::READABLE, dropped: AtomicU32::new(0) })
    }

    /// Registers a socket that also keeps signals that quote its packets:
    /// [`PacketSocket::receive_signal`].
    pub(crate) fn watch_with_signals(family: Family, socket: Socket) -> io::Result<Self> {
        match family {
            Family::V4 => setsockopt(&socket, Ipv4RecvErr, &true)?,
            Family::V6 => setsockopt(&socket, Ipv6RecvErr, &true)?,
        }
        Ok(Self { news: Interest::READABLE | Interest::ERROR, ..Self::watch(family, socket)? })
    }

    /// Waits until the socket is known to be writable; before that the first send would be refused.
    pub(crate) async fn writable(&self) -> io::Result<()> {
        self.socket.writable().await
    }

    /// Receives only packets that pass this filter, from now on.
    pub(crate) fn attach_filter(&self, filter: &[SockFilter]) -> io::Result<()> {
        SockRef::from(&self.socket).attach_filter(filter)
    }

    /// Waits until there is something to read, or a signal.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        self.socket.ready(self.news).await.map(drop)
    }

    /// Sends one packet. Sending several per call would not pay: `sendmmsg` saves 0.5 of 3.4 us per
    /// packet (measured, 6.18, a veth, 4 to 32 packets per call), which at the default budget of
    /// 200 per second is 0.01 % of a core.
    pub(crate) fn send(&self, bytes: &[u8], to: IpAddr) -> io::Result<()> {
        let mut sent = Ok(());
        for _ in 0..TRIES {
            // Not sent through tokio, which reports a socket as full until its first turn.
            let to = SocketAddr::from((to, 0)).into();
            sent = SockRef::from(&self.socket).send_to(bytes, &to).map(drop);
            match &sent {
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => {}
                _ => break,
            }
        }
        sent
    }

    /// Reads one packet; `WouldBlock` if there is none.
    pub(crate) fn receive<'a>(&self, buffer: &'a mut [u8]) -> io::Result<(Arrival, &'a [u8])> {
        let message = self.read(Interest::READABLE, MsgFlags::empty(), buffer)?;
        if let Some(dropped) = message.dropped {
            self.dropped.store(dropped, Ordering::Relaxed);
        }
        let from = message.address.ok_or(io::ErrorKind::InvalidData)?;
        let arrival = Arrival { from, ttl: message.ttl, largest_fragment: message.largest_fragment };
        Ok((arrival, &buffer[..message.length]))
    }

    /// Reads one signal from the error queue: `Ok(None)` if it is not about the size of an echo,
    /// `WouldBlock` if there is none.
    pub(crate) fn receive_signal(&self, buffer: &mut [u8]) -> io::Result<Option<Incoming>> {
        let message = self.read(Interest::ERROR, MsgFlags::MSG_ERRQUEUE, buffer)?;
        let protocol = match self.family {
            Family::V4 => IpNextHeaderProtocols::Icmp,
            Family::V6 => IpNextHeaderProtocols::Icmpv6,
        };
        // The queue holds the quoted packet from its ICMP header on, and its destination as the
        // address.
        let quoted = message.address.and_then(|to| Quoted::read(to, protocol, &buffer[..message.length]));
        Ok(message.too_big.zip(quoted).map(|(mtu, quoted)| Incoming::TooBig { mtu, from: None, quoted }))
    }

    /// Tries the kernel before tokio: tokio's notification may not have come through yet, and only
    /// a read that finds nothing may clear it.
    fn read(&self, interest: Interest, flags: MsgFlags, buffer: &mut [u8]) -> io::Result<Message> {
        let mut once = || Message::read(self.socket.as_raw_fd(), flags, buffer);
        match once() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.socket.try_io(interest, once),
            read => read,
        }
    }
}

/// What one `recvmsg` returned besides the bytes.
struct Message {
    length: usize,
    address: Option<IpAddr>,
    ttl: Option<u8>,
    largest_fragment: Option<Bytes>,
    /// The MTU of a signal.
    too_big: Option<Bytes>,
    /// How many packets were dropped before this one since the socket was opened, if any.
    dropped: Option<u32>,
}

impl Message {
    fn read(socket: RawFd, flags: MsgFlags, buffer: &mut [u8]) -> io::Result<Self> {
        let mut space = cmsg_space!(libc::sock_extended_err, SockaddrStorage, i32, i32, u32);
        let mut parts = [IoSliceMut::new(buffer)];
        let received = recvmsg::<SockaddrStorage>(socket, &mut parts, Some(&mut space), flags)?;
        let mut message = Self {
            length: received.bytes,
            address: received.address.as_ref().and_then(address),
            ttl: None,
            largest_fragment: None,
            too_big: None,
            dropped: None,
        };
        for told in received.cmsgs().into_iter().flatten() {
            match told {
                ControlMessageOwned::Ipv4Ttl(ttl) | ControlMessageOwned::Ipv6HopLimit(ttl) => {
                    message.ttl = u8::try_from(ttl).ok();
                }
                ControlMessageOwned::Ipv4RecvErr(error, _) | ControlMessageOwned::Ipv6RecvErr(error, _) => {
                    message.too_big = too_big(error);
                }
                ControlMessageOwned::RxqOvfl(dropped) => message.dropped = Some(dropped),
                ControlMessageOwned::Unknown(unknown) => {
                    let header = unknown.cmsg_header;
                    let value = unknown.data_bytes.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes));
                    if let (libc::IPPROTO_IP, libc::IP_RECVFRAGSIZE)
                    | (libc::IPPROTO_IPV6, libc::IPV6_RECVFRAGSIZE) = (header.cmsg_level, header.cmsg_type)
                    {
                        message.largest_fragment = value.filter(|value| *value > 0);
                    }
                }
                _ => {}
            }
        }
        Ok(message)
    }
}

/// The MTU of "fragmentation needed" (ICMP 3/4) or "packet too big" (`ICMPv6` 2), if it came from
/// the network and not from our own host (linux/errqueue.h).
fn too_big(error: libc::sock_extended_err) -> Option<Bytes> {
    matches!(
        (error.ee_origin, error.ee_type, error.ee_code),
        (libc::SO_EE_ORIGIN_ICMP, 3, 4) | (libc::SO_EE_ORIGIN_ICMP6, 2, _)
    )
    .then_some(error.ee_info)
}

fn address(from: &SockaddrStorage) -> Option<IpAddr> {
    if let Some(v4) = from.as_sockaddr_in() {
        return Some(IpAddr::V4(v4.ip()));
    }
    from.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip()))
}

/// Reads packets that have arrived, at most [`PER_TURN`].
pub(crate) fn drain(
    socket: &PacketSocket,
    buffer: &mut [u8],
    mut each: impl FnMut(Arrival, &[u8]),
) -> Drained {
    let before = socket.dropped.load(Ordering::Relaxed);
    let (mut errors, mut read, mut all) = (0, 0, false);
    while read < PER_TURN && !all {
        match socket.receive(buffer) {
            Ok((arrival, bytes)) => {
                read += 1;
                each(arrival, bytes);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => all = true,
            // An error left by a signal says nothing about what is still in the buffer.
            Err(error) => {
                debug!(%error, "reading packets");
                errors += 1;
                all = errors >= ERRORS;
            }
        }
    }
    let overrun = read >= FULL && socket.dropped.load(Ordering::Relaxed) != before;
    Drained { all, overrun }
}

/// Reads signals from the error queue, at most [`PER_TURN`].
pub(crate) fn drain_signals(
    socket: &PacketSocket,
    buffer: &mut [u8],
    each: &mut dyn FnMut(Incoming),
) -> Drained {
    for _ in 0..PER_TURN {
        match socket.receive_signal(buffer) {
            Ok(Some(signal)) => each(signal),
            Ok(None) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return Drained::WHOLE,
        }
    }
    Drained { all: false, overrun: false }
}
