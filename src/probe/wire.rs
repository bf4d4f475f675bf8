//! The raw sockets: one for ICMP, one for TCP, one for fragments, shared by all paths. IPv4.
//!
//! `IP_PMTUDISC_PROBE` on every socket that sends DF packets: a path MTU the kernel has cached neither
//! stops a packet nor decides its size (measured, kernel 6.18: without it even `IP_HDRINCL` gets EMSGSIZE).

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    os::fd::OwnedFd,
};

use rustix::net::sockopt::{Ipv4PathMtuDiscovery, set_ip_mtu_discover};
use socket2::{Domain, Protocol, SockFilter, Socket, Type};
use tokio::net::UdpSocket;

use super::packet;
use crate::overlay::path::probe::FLOWS;

/// A receive buffer that holds a burst of full-size answers while this process waits for its turn.
const RECEIVE_BUFFER: usize = 4 << 20;
/// The largest IPv4 packet.
const LARGEST: usize = 65_535;

/// tokio has no raw socket. Of its datagram sockets this one does nothing but `recv` and `sendto`, which
/// are the same calls on a raw socket; it needs no `unsafe`, as watching a bare descriptor would.
type RawSocket = UdpSocket;

/// An open set of raw sockets.
#[derive(Debug)]
pub struct Wire {
    icmp: RawSocket,
    tcp: RawSocket,
    fragments: RawSocket,
    /// Bound and never listening: no other process gets these ports, and the kernel answers a SYN-ACK
    /// with RST, so nothing stays half open at the target.
    _reserved: Vec<Socket>,
    ports: [u16; FLOWS as usize],
    buffer: Vec<u8>,
}

impl Wire {
    /// Opens the sockets; `identifier` is that of our echoes.
    ///
    /// # Errors
    /// `PermissionDenied` without `CAP_NET_RAW`.
    pub fn open(identifier: u16) -> io::Result<Self> {
        let icmp = raw(Protocol::ICMPV4)?;
        icmp.attach_filter(&icmp_filter(identifier))?;
        let mut reserved = Vec::new();
        let mut ports = [0; FLOWS as usize];
        for port in &mut ports {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
            socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)).into())?;
            let bound = socket.local_addr()?.as_socket_ipv4();
            *port = bound.map(|address| address.port()).ok_or(io::ErrorKind::AddrNotAvailable)?;
            reserved.push(socket);
        }
        // The filter is in place before the socket can be read: a raw socket sees every segment of the host.
        let tcp = raw(Protocol::TCP)?;
        tcp.attach_filter(&tcp_filter(&ports))?;
        let fragments = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(libc::IPPROTO_RAW)))?;
        fragments.set_nonblocking(true)?;
        Ok(Self {
            icmp: watch(icmp)?,
            tcp: watch(tcp)?,
            fragments: watch(fragments)?,
            _reserved: reserved,
            ports,
            buffer: vec![0; LARGEST],
        })
    }

    /// The local TCP port of a flow.
    #[must_use]
    pub fn port(&self, flow: u8) -> u16 {
        self.ports[usize::from(flow % FLOWS)]
    }

    /// Sends an ICMP message with DF.
    pub fn send_icmp(&self, message: &[u8], to: Ipv4Addr) -> io::Result<()> {
        send(&self.icmp, message, to)
    }

    /// Sends a TCP segment with DF.
    pub fn send_tcp(&self, segment: &[u8], to: Ipv4Addr) -> io::Result<()> {
        send(&self.tcp, segment, to)
    }

    /// Sends complete IPv4 packets.
    pub fn send_packets(&self, packets: &[Vec<u8>], to: Ipv4Addr) -> io::Result<()> {
        packets.iter().try_for_each(|packet| send(&self.fragments, packet, to))
    }

    /// Waits until the sockets take packets; before that the first ones would be refused.
    pub async fn writable(&self) -> io::Result<()> {
        for socket in [&self.icmp, &self.tcp, &self.fragments] {
            socket.writable().await?;
        }
        Ok(())
    }

    /// Waits until something can be read; [`Wire::drain`] must follow.
    pub async fn readable(&self) -> io::Result<()> {
        tokio::select! {
            ready = self.icmp.readable() => ready,
            ready = self.tcp.readable() => ready,
        }
    }

    /// Reads all that has arrived.
    pub fn drain(&mut self, mut each: impl FnMut(packet::Incoming)) {
        for socket in [&self.icmp, &self.tcp] {
            loop {
                match socket.try_recv(&mut self.buffer) {
                    Ok(length) => {
                        if let Some(incoming) = packet::read(&self.buffer[..length]) {
                            each(incoming);
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => break,
                }
            }
        }
    }
}

fn raw(protocol: Protocol) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::RAW, Some(protocol))?;
    socket.set_nonblocking(true)?;
    set_ip_mtu_discover(&socket, Ipv4PathMtuDiscovery::PROBE)?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    Ok(socket)
}

fn watch(socket: Socket) -> io::Result<RawSocket> {
    UdpSocket::from_std(OwnedFd::from(socket).into())
}

fn send(socket: &RawSocket, bytes: &[u8], to: Ipv4Addr) -> io::Result<()> {
    socket.try_send_to(bytes, SocketAddr::from((to, 0))).map(drop)
}

/// Classic BPF (linux/filter.h), which on an IPv4 raw socket sees the packet from its IP header on.
mod bpf {
    use socket2::SockFilter;

    const ACCEPT: u32 = 0xffff;

    /// X = length of the IP header.
    pub const HEADER: SockFilter = SockFilter::new(0xb1, 0, 0, 0);

    /// A = byte at X + `at`.
    pub const fn byte(at: u32) -> SockFilter {
        SockFilter::new(0x50, 0, 0, at)
    }

    /// A = 16 bits at X + `at`.
    pub const fn short(at: u32) -> SockFilter {
        SockFilter::new(0x48, 0, 0, at)
    }

    /// Skips `yes` instructions if A is `value`, else `no`.
    pub const fn equal(value: u32, yes: u8, no: u8) -> SockFilter {
        SockFilter::new(0x15, yes, no, value)
    }

    pub const fn accept() -> SockFilter {
        SockFilter::new(0x06, 0, 0, ACCEPT)
    }

    pub const fn reject() -> SockFilter {
        SockFilter::new(0x06, 0, 0, 0)
    }
}

/// Echo replies with our identifier, and "destination unreachable".
fn icmp_filter(identifier: u16) -> [SockFilter; 8] {
    [
        bpf::HEADER,
        bpf::byte(0),
        bpf::equal(3, 4, 0),
        bpf::equal(0, 0, 2),
        bpf::short(4),
        bpf::equal(u32::from(identifier), 1, 0),
        bpf::reject(),
        bpf::accept(),
    ]
}

/// Segments to one of our ports.
fn tcp_filter(ports: &[u16; FLOWS as usize]) -> Vec<SockFilter> {
    let mut filter = vec![bpf::HEADER, bpf::short(2)];
    for (port, left) in ports.iter().zip((0..FLOWS).rev()) {
        filter.push(bpf::equal(u32::from(*port), left + 1, 0));
    }
    filter.push(bpf::reject());
    filter.push(bpf::accept());
    filter
}
