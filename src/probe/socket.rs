//! A packet socket: packets that it sends keep their size, and for received ones it tells how they
//! arrived.

mod inbox;
mod message;
mod outbox;

use std::{
    io::{self, IoSliceMut},
    net::IpAddr,
    os::fd::{AsRawFd, OwnedFd, RawFd},
    sync::atomic::AtomicU32,
};

use nix::{
    cmsg_space, libc,
    sys::socket::{
        MsgFlags, SockaddrStorage, TimestampingFlag, Timestamps, recvmsg, setsockopt,
        sockopt::{
            Ipv4RecvErr, Ipv4RecvTtl, Ipv6RecvErr, Ipv6RecvHopLimit, RcvBufForce, RxqOvfl, SetBool,
            Timestamping,
        },
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
    packet::{Incoming, Quoted},
    wire::Drained,
};
use crate::model::family::Family;
pub use inbox::PER_TURN;
pub(crate) use inbox::{LARGEST, PacketBuffer};
use message::Message;
pub(crate) use outbox::Outbox;

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
/// Bytes of kernel memory that a full-size packet takes up in a receive buffer, roughly.
const HELD: usize = 2560;
/// Bytes; a receive buffer is not made larger.
const LARGEST_BUFFER: usize = 64 << 20;

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
    /// How many packets found its buffer full since it was opened, as last told with a packet.
    dropped: AtomicU32,
    /// As last reported.
    reported: AtomicU32,
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
    let stamps = TimestampingFlag::SOF_TIMESTAMPING_RX_SOFTWARE | TimestampingFlag::SOF_TIMESTAMPING_SOFTWARE;
    if let Err(error) = setsockopt(&socket, Timestamping, &stamps) {
        debug!(%error, "the kernel does not stamp received packets");
    }
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
        Ok(Self {
            family,
            socket,
            news: Interest::READABLE,
            dropped: AtomicU32::new(0),
            reported: AtomicU32::new(0),
        })
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

    /// Makes room for so many received packets, as far as this process may.
    pub(crate) fn make_room(&self, packets: usize) {
        // The kernel doubles the number.
        let bytes = (packets * HELD / 2).clamp(RECEIVE_BUFFER, LARGEST_BUFFER);
        // Beyond `net.core.rmem_max` only with CAP_NET_ADMIN.
        if setsockopt(&self.socket, RcvBufForce, &bytes).is_err()
            && let Err(error) = SockRef::from(&self.socket).set_recv_buffer_size(bytes)
        {
            debug!(%error, bytes, "the receive buffer keeps its size");
        }
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

    /// Reads one signal from the error queue: `Ok(None)` if it is not about the size of an echo,
    /// `WouldBlock` if there is none.
    pub(crate) fn receive_signal(&self, buffer: &mut [u8]) -> io::Result<Option<Incoming>> {
        let mut once = || read_signal(self.socket.as_raw_fd(), buffer);
        // The kernel before tokio, as in [`Inbox`].
        let (length, address, message) = match once() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.socket.try_io(Interest::ERROR, once)?
            }
            read => read?,
        };
        let protocol = match self.family {
            Family::V4 => IpNextHeaderProtocols::Icmp,
            Family::V6 => IpNextHeaderProtocols::Icmpv6,
        };
        // The queue holds the quoted packet from its ICMP header on, and its destination as the
        // address.
        let quoted = address.and_then(|to| Quoted::read(to, protocol, &buffer[..length]));
        Ok(message.too_big.zip(quoted).map(|(mtu, quoted)| Incoming::TooBig { mtu, from: None, quoted }))
    }
}

fn read_signal(socket: RawFd, buffer: &mut [u8]) -> io::Result<(usize, Option<IpAddr>, Message)> {
    let mut space = cmsg_space!(libc::sock_extended_err, SockaddrStorage, Timestamps, i32, i32, u32);
    let mut parts = [IoSliceMut::new(buffer)];
    let flags = MsgFlags::MSG_ERRQUEUE;
    let received = recvmsg::<SockaddrStorage>(socket, &mut parts, Some(&mut space), flags)?;
    Ok((received.bytes, received.address.as_ref().and_then(address), Message::of(&received)))
}

fn address(from: &SockaddrStorage) -> Option<IpAddr> {
    if let Some(v4) = from.as_sockaddr_in() {
        return Some(IpAddr::V4(v4.ip()));
    }
    from.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip()))
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
    Drained { all: false, dropped: 0 }
}
