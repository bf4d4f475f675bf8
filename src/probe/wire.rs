//! One door between thinking and the wire, with two levels behind it: [`Raw`](super::raw::Raw)
//! with `CAP_NET_RAW`, [`Unprivileged`](super::unprivileged::Unprivileged) without.

use std::{future::Future, io, net::IpAddr, pin::Pin};

use super::{heard::Door, packet::Incoming};
use crate::{
    model::family::Family,
    path::settings::{IcmpProbes, TcpProbes},
};

/// What can be asked of targets of one family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asks {
    /// By ICMP.
    pub icmp: IcmpProbes,
    /// By TCP.
    pub tcp: TcpProbes,
}

/// Something to put on the wire.
#[derive(Debug)]
pub enum Outgoing<'a> {
    /// An ICMP message, to be sent with DF.
    Echo(&'a [u8]),
    /// The same with the identifier that [`Wire::fresh_identifier`] gave last.
    FreshEcho(&'a [u8]),
    /// Whole packets.
    Fragments(&'a [Vec<u8>]),
    /// What [`super::packet::syn`] makes, to be sent with DF.
    Syn(&'a [u8]),
    /// The kernel's own connection to a port, closed as soon as it is answered; `token` names it.
    Connect {
        /// Comes back in [`Incoming::Connected`].
        token: u64,
        /// The target's port.
        port: u16,
    },
    /// The same, and a byte on it, closed as soon as that is acknowledged; comes back in [`Incoming::Byte`].
    Byte {
        /// Names it.
        token: u64,
        /// The target's port.
        port: u16,
    },
}

/// The sockets of one level, shared by all paths.
pub trait Wire: Send {
    /// What can be asked of targets of that family.
    fn asks(&self, family: Family) -> Asks;

    /// The identifier of our echoes.
    fn identifier(&self) -> u16;

    /// Local port and IPv6 flow label of a TCP flow.
    fn flow(&self, family: Family, flow: u8) -> (u16, u32);

    /// An identifier that was never used before, or not for long, for targets of that family.
    fn fresh_identifier(&mut self, family: Family) -> io::Result<u16>;

    /// A local port that was never used before, and a flow label.
    fn fresh_flow(&mut self, family: Family) -> io::Result<(u16, u32)>;

    /// From now on another identifier is that of our echoes, and these flows have other ports; answers to the former ones are
    /// still heard. What cannot be changed stays.
    fn renew(&mut self, flows: &[u8]);

    /// Sends; `Unsupported` where this level cannot.
    fn send(&self, outgoing: Outgoing<'_>, to: IpAddr, door: Door) -> io::Result<()>;

    /// Waits until the sockets take packets.
    fn writable(&self) -> Waiting<'_>;

    /// Waits until something can be read; [`Wire::drain`] must follow.
    fn readable(&mut self) -> Waiting<'_>;

    /// Reads what has arrived, [`super::socket::PER_TURN`] packets of each socket at most.
    fn drain(&mut self, each: &mut dyn FnMut(Incoming)) -> Drained;

    /// Why this level cannot do what [`Raw`](super::raw::Raw) can.
    fn missing(&self) -> Missing;
}

/// How far reading came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Nothing is left unread.
    pub all: bool,
    /// A receive buffer ran over: answers may have been dropped in our own host.
    pub overrun: bool,
}

impl Drained {
    /// Nothing was left, nothing was dropped.
    pub const WHOLE: Self = Self { all: true, overrun: false };

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { all: self.all && other.all, overrun: self.overrun || other.overrun }
    }
}

/// A wait of a [`Wire`].
pub type Waiting<'a> = Pin<Box<dyn Future<Output = io::Result<()>> + Send + 'a>>;

/// What is missing, each with the reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Missing {
    /// Any ICMP socket.
    pub icmp_socket: Option<String>,
    /// Raw sockets.
    pub net_raw: Option<String>,
    /// SYNs of our own.
    pub tcp_syn: Option<String>,
}
