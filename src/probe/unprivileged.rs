//! The wire without any capability: ping sockets (`net.ipv4.ping_group_range`) and connections made
//! by the kernel.
//!
//! A ping socket sends DF echoes of any size and receives signals on its error queue. It cannot
//! send fragments or SYNs of a chosen size, so a hole is found but not its direction. A connection
//! only shows that the target is there. The peer's MSS is not available: `TCP_MAXSEG` of a
//! connected socket is reduced by the cached path MTU of our route and by the timestamps option
//! (measured: 1448 where the SYN-ACK said 1460).

use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Instant,
};

use futures_util::future::try_join_all;
use socket2::{Protocol, Type};

use super::{
    connect::{Connections, any_readable},
    last_heard::SocketGroup,
    packet::{self, Incoming},
    random::random,
    socket::{self, LARGEST, Outbox, PacketBuffer, PacketSocket},
    wire::{Asks, Drained, MissingCapabilities, OnSent, Outgoing, SocketWait, Wire},
};
use crate::{
    model::family::Family,
    path::settings::{IcmpProbes, TcpProbes},
    process::open_files,
};

/// An identifier may belong to another process; then the next one is tried.
const TRIES: u32 = 8;

/// This many former sockets still receive answers: the fresh half of a burst.
const FORMER: usize = 24;

/// The ping sockets that could be opened.
#[derive(Debug)]
pub struct Unprivileged {
    v4: Option<Arc<PacketSocket>>,
    v6: Option<Arc<PacketSocket>>,
    identifier: u16,
    /// Sockets that were used once, or were the main one before, oldest first: answers to them are
    /// still received.
    former: VecDeque<(Family, Arc<PacketSocket>)>,
    missing: MissingCapabilities,
    connections: Connections,
    inbox: PacketBuffer,
    outbox: Outbox,
    /// Room for a signal.
    buffer: Vec<u8>,
}

impl Unprivileged {
    /// Opens what may be opened; `raw` is why there are no raw sockets.
    #[must_use]
    pub fn open(raw: &io::Error) -> Self {
        let (identifier, v4, v6) = ping_sockets();
        let raw = match open_files::in_words(raw) {
            words if open_files::is_limit(&words) => format!("raw sockets: {words}"),
            words => format!("raw sockets: {words} (CAP_NET_RAW)"),
        };
        let icmp_socket = match (&v4, &v6) {
            (Err(v4), Err(v6)) => {
                let (v4, v6) = (open_files::in_words(v4), open_files::in_words(v6));
                Some(format!("ping sockets: {v4}; IPv6: {v6} (net.ipv4.ping_group_range)"))
            }
            _ => None,
        };
        Self {
            v4: v4.ok(),
            v6: v6.ok(),
            identifier,
            former: VecDeque::new(),
            missing: MissingCapabilities { icmp_socket, net_raw: Some(raw.clone()), tcp_syn: Some(raw) },
            connections: Connections::new(),
            inbox: PacketBuffer::new(),
            outbox: Outbox::default(),
            buffer: vec![0; LARGEST],
        }
    }

    fn retire(&mut self, family: Family, socket: Arc<PacketSocket>) {
        self.former.push_back((family, socket));
        if self.former.len() > FORMER {
            self.former.pop_front();
        }
    }

    fn socket(&self, family: Family) -> Option<&Arc<PacketSocket>> {
        match family {
            Family::V4 => self.v4.as_ref(),
            Family::V6 => self.v6.as_ref(),
        }
    }

    fn all(&self) -> impl Iterator<Item = &Arc<PacketSocket>> {
        [self.v4.as_ref(), self.v6.as_ref()].into_iter().flatten()
    }
}

impl Wire for Unprivileged {
    fn asks(&self, family: Family) -> Asks {
        let icmp = if self.socket(family).is_some() { IcmpProbes::Sized } else { IcmpProbes::None };
        Asks { icmp, tcp: TcpProbes::Small }
    }

    fn identifier(&self) -> u16 {
        self.identifier
    }

    fn flow(&self, _: Family, _: u8) -> (u16, u32) {
        (0, 0)
    }

    fn fresh_identifier(&mut self, family: Family) -> io::Result<u16> {
        if self.socket(family).is_none() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let identifier = random();
        let socket = ping_socket(family, identifier)?;
        self.retire(family, socket);
        Ok(identifier)
    }

    /// Not needed: each connection made by the kernel has a new port.
    fn fresh_flow(&mut self, _: Family) -> io::Result<(u16, u32)> {
        Ok((0, 0))
    }

    fn renew(&mut self, _: &[u8]) {
        let (identifier, v4, v6) = ping_sockets();
        if (self.v4.is_some() && v4.is_err()) || (self.v6.is_some() && v6.is_err()) {
            return;
        }
        self.identifier = identifier;
        let former = [(Family::V4, self.v4.take()), (Family::V6, self.v6.take())];
        (self.v4, self.v6) = (v4.ok(), v6.ok());
        for (family, socket) in former {
            if let Some(socket) = socket {
                self.retire(family, socket);
            }
        }
    }

    /// The door is ignored: a second ping socket would have another identifier, and there is only
    /// one.
    fn queue(&mut self, ticket: usize, outgoing: Outgoing<'_>, to: IpAddr, _: SocketGroup) -> io::Result<()> {
        let family = Family::of(to);
        let (socket, message) = match outgoing {
            Outgoing::Echo(message) => (self.socket(family), message),
            Outgoing::FreshEcho(message) => {
                let fresh = self.former.back().filter(|(known, _)| *known == family);
                (fresh.map(|(_, socket)| socket), message)
            }
            Outgoing::Connect { token, port } => {
                return self.connections.start(token, SocketAddr::from((to, port)));
            }
            Outgoing::Byte { token, port } => {
                return self.connections.send_byte(token, SocketAddr::from((to, port)));
            }
            Outgoing::Fragments(_) | Outgoing::Syn(_) => return Err(io::ErrorKind::Unsupported.into()),
        };
        let socket = Arc::clone(socket.ok_or(io::ErrorKind::Unsupported)?);
        self.outbox.push(ticket, &socket, to, |bytes| bytes.extend_from_slice(message));
        Ok(())
    }

    fn flush(&mut self, told: OnSent<'_>) {
        self.outbox.flush(told);
    }

    fn expect(&mut self, packets: usize) {
        self.all().for_each(|socket| socket.make_room(packets));
    }

    fn writable(&self) -> SocketWait<'_> {
        Box::pin(async { try_join_all(self.all().map(|socket| socket.writable())).await.map(drop) })
    }

    fn readable(&mut self) -> SocketWait<'_> {
        let Self { v4, v6, former, connections, .. } = self;
        let former = former.iter().map(|(_, socket)| socket);
        any_readable([&*v4, &*v6].into_iter().flatten().chain(former).map(AsRef::as_ref), connections)
    }

    fn drain(&mut self, each: &mut dyn FnMut(Incoming, Instant)) -> Drained {
        self.connections.drain(each);
        let Self { v4, v6, former, inbox, buffer, .. } = self;
        let mut drained = Drained::WHOLE;
        let main = [(Family::V4, v4.as_ref()), (Family::V6, v6.as_ref())];
        let former = former.iter().map(|(family, socket)| (*family, Some(socket)));
        for (family, socket) in main.into_iter().chain(former) {
            let Some(socket) = socket else { continue };
            let read: packet::Read =
                if family == Family::V4 { packet::read_icmp } else { packet::read_icmpv6 };
            let packets = inbox.drain(socket, &mut |arrival, at, bytes| {
                if let Some(incoming) = read(arrival, bytes) {
                    each(incoming, at);
                }
            });
            let signals = socket::drain_signals(socket, buffer, &mut |signal| each(signal, Instant::now()));
            drained = drained.and(packets).and(signals);
        }
        drained
    }

    fn missing(&self) -> MissingCapabilities {
        self.missing.clone()
    }
}

type Opened = io::Result<Arc<PacketSocket>>;

/// Both families use one identifier, which is the address that a ping socket is bound to.
fn ping_sockets() -> (u16, Opened, Opened) {
    let mut identifier = random();
    for _ in 1..TRIES {
        let (v4, v6) = (ping_socket(Family::V4, identifier), ping_socket(Family::V6, identifier));
        let taken =
            |opened: &Opened| opened.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse);
        if !taken(&v4) && !taken(&v6) && identifier != 0 {
            return (identifier, v4, v6);
        }
        identifier = random();
    }
    (identifier, ping_socket(Family::V4, identifier), ping_socket(Family::V6, identifier))
}

fn ping_socket(family: Family, identifier: u16) -> Opened {
    let (protocol, any) = match family {
        Family::V4 => (Protocol::ICMPV4, IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        Family::V6 => (Protocol::ICMPV6, IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
    };
    let socket = socket::open(family, Type::DGRAM, protocol)?;
    socket.bind(&SocketAddr::from((any, identifier)).into())?;
    PacketSocket::watch_with_signals(family, socket).map(Arc::new)
}
