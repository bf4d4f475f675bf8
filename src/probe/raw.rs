//! The raw sockets (`CAP_NET_RAW`): for each family one for ICMP, one for TCP, one for whole
//! packets, shared by all paths. A host without IPv6 has only the IPv4 ones.

pub(super) mod filter;
mod self_test;

use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Instant,
};

use futures_util::future::try_join_all;
use pnet::packet::ipv4::Ipv4Packet;
use socket2::{Domain, Protocol, Socket, Type};
use tracing::debug;

use super::{
    connect::{Connections, any_readable},
    last_heard::SocketGroup,
    packet::{self, Arrival, Incoming, Labels},
    random::random,
    socket::{self, Outbox, PacketBuffer, PacketSocket},
    wire::{Asks, Drained, MissingCapabilities, OnSent, Outgoing, SocketWait, Wire},
};
use crate::{
    model::family::Family,
    path::{
        probe::FLOWS,
        settings::{IcmpProbes, TcpProbes},
    },
};

/// This many former ports still receive answers: those of a burst and more.
const FORMER: usize = 64;

/// The local TCP ports of the flows.
type Ports = [u16; FLOWS as usize];

/// An open set of raw sockets.
#[derive(Debug)]
pub struct Raw {
    v4: Sockets,
    v6: Option<Sockets>,
    identifier: u16,
    /// The identifier given out last.
    newest: u16,
    /// Used if padded SYNs do not work.
    connections: Connections,
    inbox: PacketBuffer,
    outbox: Outbox,
}

#[derive(Debug)]
struct Sockets {
    family: Family,
    icmp: Arc<PacketSocket>,
    tcp: PacketSocket,
    packets: Arc<PacketSocket>,
    apart: Apart,
    /// The ports of the flows.
    reserved: Vec<Reserved>,
    ports: Ports,
    /// Ports that were used once, and former ports of flows, oldest first: answers to them are
    /// still received.
    former: VecDeque<Reserved>,
    labels: Labels,
    /// Why padded SYNs do not work, if they do not.
    no_syn: Option<String>,
}

/// A port that is bound and never listens. No other process gets it, and the kernel answers a
/// SYN-ACK with RST, so that no half-open connection stays at the target.
#[derive(Debug)]
struct Reserved {
    _socket: Socket,
    port: u16,
}

/// Sockets that only send, for targets that do not answer.
#[derive(Debug)]
struct Apart {
    icmp: Arc<PacketSocket>,
    packets: Arc<PacketSocket>,
}

impl Raw {
    /// Opens the sockets.
    ///
    /// # Errors
    /// `PermissionDenied` without `CAP_NET_RAW`.
    pub fn open() -> io::Result<Self> {
        let identifier = random();
        let v6 = Sockets::open(Family::V6, identifier);
        if let Err(error) = &v6 {
            debug!(%error, "no IPv6 raw sockets");
        }
        Ok(Self {
            v4: Sockets::open(Family::V4, identifier)?,
            v6: v6.ok(),
            identifier,
            newest: identifier,
            connections: Connections::new(),
            inbox: PacketBuffer::new(),
            outbox: Outbox::default(),
        })
    }

    fn sockets(&self, family: Family) -> Option<&Sockets> {
        match family {
            Family::V4 => Some(&self.v4),
            Family::V6 => self.v6.as_ref(),
        }
    }

    fn all(&self) -> impl Iterator<Item = &Sockets> {
        [Some(&self.v4), self.v6.as_ref()].into_iter().flatten()
    }
}

impl Wire for Raw {
    fn asks(&self, family: Family) -> Asks {
        match self.sockets(family) {
            Some(Sockets { no_syn: None, .. }) => Asks { icmp: IcmpProbes::Fragments, tcp: TcpProbes::Sized },
            Some(_) => Asks { icmp: IcmpProbes::Fragments, tcp: TcpProbes::Small },
            None => Asks { icmp: IcmpProbes::None, tcp: TcpProbes::None },
        }
    }

    fn identifier(&self) -> u16 {
        self.identifier
    }

    fn flow(&self, family: Family, flow: u8) -> (u16, u32) {
        let flow = usize::from(flow % FLOWS);
        self.sockets(family).map_or((0, 0), |sockets| (sockets.ports[flow], sockets.labels[flow]))
    }

    fn fresh_identifier(&mut self, _: Family) -> io::Result<u16> {
        let next = |id: u16| (id & filter::IDENTIFIERS) | (id.wrapping_add(1) & !filter::IDENTIFIERS);
        self.newest = next(self.newest);
        if self.newest == self.identifier {
            self.newest = next(self.newest);
        }
        Ok(self.newest)
    }

    fn fresh_flow(&mut self, family: Family) -> io::Result<(u16, u32)> {
        let sockets = match family {
            Family::V4 => Some(&mut self.v4),
            Family::V6 => self.v6.as_mut(),
        };
        let sockets = sockets.ok_or(io::ErrorKind::Unsupported)?;
        let fresh = Reserved::new(family)?;
        let port = fresh.port;
        sockets.retire(fresh)?;
        Ok((port, random_label()))
    }

    fn renew(&mut self, flows: &[u8]) {
        if let Ok(identifier) = self.fresh_identifier(Family::V4) {
            self.identifier = identifier;
        }
        for sockets in [Some(&mut self.v4), self.v6.as_mut()].into_iter().flatten() {
            for flow in flows {
                if let Err(error) = sockets.renew(usize::from(*flow % FLOWS)) {
                    debug!(%error, flow, "a flow keeps its port");
                }
            }
        }
    }

    fn queue(
        &mut self,
        ticket: usize,
        outgoing: Outgoing<'_>,
        to: IpAddr,
        door: SocketGroup,
    ) -> io::Result<()> {
        let Self { v4, v6, outbox, connections, .. } = self;
        let sockets = if to.is_ipv4() { Some(&*v4) } else { v6.as_ref() };
        let (icmp, packets) = sockets.ok_or(io::ErrorKind::Unsupported)?.behind(door);
        match outgoing {
            Outgoing::Echo(message) | Outgoing::FreshEcho(message) => match to {
                IpAddr::V4(address) => {
                    outbox.push(ticket, packets, to, |bytes| packet::icmp_v4(bytes, message, address));
                }
                IpAddr::V6(_) => outbox.push(ticket, icmp, to, |bytes| bytes.extend_from_slice(message)),
            },
            Outgoing::Fragments(pieces) => {
                for piece in pieces {
                    outbox.push(ticket, packets, to, |bytes| bytes.extend_from_slice(piece));
                }
            }
            Outgoing::Syn(packet) => {
                outbox.push(ticket, packets, to, |bytes| bytes.extend_from_slice(packet));
            }
            Outgoing::Connect { token, port } => connections.start(token, SocketAddr::from((to, port)))?,
            Outgoing::Byte { token, port } => connections.send_byte(token, SocketAddr::from((to, port)))?,
        }
        Ok(())
    }

    fn flush(&mut self, told: OnSent<'_>) {
        self.outbox.flush(told);
    }

    fn expect(&mut self, packets: usize) {
        for sockets in self.all() {
            sockets.icmp.make_room(packets);
        }
    }

    fn writable(&self) -> SocketWait<'_> {
        let sockets =
            self.all().flat_map(|set| [&set.icmp, &set.packets, &set.apart.icmp, &set.apart.packets]);
        let waits: Vec<_> = sockets.map(|socket| socket.writable()).collect();
        Box::pin(async { try_join_all(waits).await.map(drop) })
    }

    fn readable(&mut self) -> SocketWait<'_> {
        let Self { v4, v6, connections, .. } = self;
        let sockets = [Some(&*v4), v6.as_ref()].into_iter().flatten();
        any_readable(sockets.flat_map(|set| [&*set.icmp, &set.tcp]), connections)
    }

    fn drain(&mut self, each: &mut dyn FnMut(Incoming, Instant)) -> Drained {
        self.connections.drain(each);
        let Self { v4, v6, inbox, .. } = self;
        let mut drained = Drained::WHOLE;
        for sockets in [Some(&*v4), v6.as_ref()].into_iter().flatten() {
            let family = sockets.family;
            let icmp = inbox.drain(&sockets.icmp, &mut |arrival, at, bytes| {
                let incoming = parsed(family, arrival, bytes, packet::read_icmp, packet::read_icmpv6);
                if let Some(incoming) = incoming {
                    each(incoming, at);
                }
            });
            let tcp = inbox.drain(&sockets.tcp, &mut |arrival, at, bytes| {
                let incoming = parsed(family, arrival, bytes, packet::read_tcp, packet::read_tcp);
                if let Some(incoming) = incoming {
                    each(incoming, at);
                }
            });
            drained = drained.and(icmp).and(tcp);
        }
        drained
    }

    fn missing(&self) -> MissingCapabilities {
        let tcp_syn = self.all().find_map(|sockets| sockets.no_syn.clone());
        MissingCapabilities { tcp_syn, ..MissingCapabilities::default() }
    }
}

/// Parses a packet; an IPv4 raw socket includes the IP header, an IPv6 one never does.
fn parsed(
    family: Family,
    arrival: Arrival,
    bytes: &[u8],
    v4: packet::Read,
    v6: packet::Read,
) -> Option<Incoming> {
    match family {
        Family::V4 => {
            let header = usize::from(Ipv4Packet::new(bytes)?.get_header_length()) * 4;
            v4(arrival, bytes.get(header..)?)
        }
        Family::V6 => v6(arrival, bytes),
    }
}

impl Sockets {
    fn open(family: Family, identifier: u16) -> io::Result<Self> {
        let protocol = match family {
            Family::V4 => Protocol::ICMPV4,
            Family::V6 => Protocol::ICMPV6,
        };
        let icmp = socket::open(family, Type::RAW, protocol)?;
        icmp.attach_filter(&filter::icmp(family, identifier))?;
        let reserved: Vec<Reserved> = (0..FLOWS).map(|_| Reserved::new(family)).collect::<io::Result<_>>()?;
        let ports: Ports = std::array::from_fn(|flow| reserved[flow].port);
        // The filter is in place before anything is read: a raw socket receives every segment of
        // the host.
        let tcp = socket::open(family, Type::RAW, Protocol::TCP)?;
        tcp.attach_filter(&filter::tcp(family, &ports))?;
        let packets = socket::open(family, Type::RAW, Protocol::from(libc::IPPROTO_RAW))?;
        let labels = std::array::from_fn(|_| random_label());
        let no_syn = self_test::answered(family, &packets, &tcp, &ports);
        Ok(Self {
            family,
            icmp: PacketSocket::watch(family, icmp)?.into(),
            tcp: PacketSocket::watch(family, tcp)?,
            packets: PacketSocket::watch(family, packets)?.into(),
            apart: Apart::open(family, protocol)?,
            reserved,
            ports,
            former: VecDeque::new(),
            labels,
            no_syn,
        })
    }
}

impl Sockets {
    /// Gives a flow another port and label; answers to the former port are still received.
    fn renew(&mut self, flow: usize) -> io::Result<()> {
        let fresh = Reserved::new(self.family)?;
        self.ports[flow] = fresh.port;
        self.labels[flow] = random_label();
        let former = std::mem::replace(&mut self.reserved[flow], fresh);
        self.retire(former)
    }

    /// Keeps a port for a while, so that answers to it are received.
    fn retire(&mut self, former: Reserved) -> io::Result<()> {
        self.former.push_back(former);
        if self.former.len() > FORMER {
            self.former.pop_front();
        }
        let ports: Vec<u16> = self.reserved.iter().chain(&self.former).map(|one| one.port).collect();
        self.tcp.attach_filter(&filter::tcp(self.family, &ports))
    }

    /// The sockets to send by: for IPv6 echoes, whose header the kernel makes, and for whole
    /// packets.
    fn behind(&self, door: SocketGroup) -> (&Arc<PacketSocket>, &Arc<PacketSocket>) {
        match door {
            SocketGroup::Main => (&self.icmp, &self.packets),
            SocketGroup::Apart => (&self.apart.icmp, &self.apart.packets),
        }
    }
}

impl Apart {
    fn open(family: Family, icmp: Protocol) -> io::Result<Self> {
        let deaf = |protocol| {
            let socket = socket::open(family, Type::RAW, protocol)?;
            socket.attach_filter(&filter::nothing())?;
            PacketSocket::watch(family, socket).map(Arc::new)
        };
        let packets = deaf(Protocol::from(libc::IPPROTO_RAW))?;
        Ok(Self { icmp: deaf(icmp)?, packets })
    }
}

impl Reserved {
    fn new(family: Family) -> io::Result<Self> {
        let (domain, any) = match family {
            Family::V4 => (Domain::IPV4, IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            Family::V6 => (Domain::IPV6, IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
        };
        let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        if family == Family::V6 {
            socket.set_only_v6(true)?;
        }
        socket.bind(&SocketAddr::from((any, 0)).into())?;
        let bound = socket.local_addr()?.as_socket();
        let port = bound.map(|address| address.port()).ok_or(io::ErrorKind::AddrNotAvailable)?;
        Ok(Self { _socket: socket, port })
    }
}

/// An IPv6 flow label, 20 bits.
fn random_label() -> u32 {
    random::<u32>() & 0x000f_ffff
}
