//! The interface between deciding and sending, with two implementations: [`Raw`](super::raw::Raw)
//! with `CAP_NET_RAW`, [`Unprivileged`](super::unprivileged::Unprivileged) without.

use std::{future::Future, io, net::IpAddr, pin::Pin, time::Instant};

use super::{last_heard::SocketGroup, packet::Incoming};
use crate::{
    model::family::Family,
    path::settings::{IcmpProbes, TcpProbes},
};

/// The probes that can be sent to targets of one family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asks {
    /// Probes by ICMP.
    pub icmp: IcmpProbes,
    /// Probes by TCP.
    pub tcp: TcpProbes,
}

/// A probe to send.
#[derive(Debug)]
pub enum Outgoing<'a> {
    /// An ICMP message, to be sent with DF.
    Echo(&'a [u8]),
    /// An ICMP message with the identifier that [`Wire::fresh_identifier`] returned last, to be
    /// sent with DF.
    FreshEcho(&'a [u8]),
    /// Whole packets.
    Fragments(&'a [Vec<u8>]),
    /// A packet from [`super::packet::syn`], to be sent with DF.
    Syn(&'a [u8]),
    /// A connection made by the kernel, closed as soon as it is answered.
    Connect {
        /// Identifies it; returned in [`Incoming::Connected`].
        token: u64,
        /// The target's port.
        port: u16,
    },
    /// A connection made by the kernel that sends a byte and is closed as soon as that is
    /// acknowledged; reported as [`Incoming::Byte`].
    Byte {
        /// Identifies it.
        token: u64,
        /// The target's port.
        port: u16,
    },
}

/// The sockets of one level, shared by all paths.
pub trait Wire: Send {
    /// The probes that can be sent to targets of that family.
    fn asks(&self, family: Family) -> Asks;

    /// The identifier of our echoes.
    fn identifier(&self) -> u16;

    /// Local port and IPv6 flow label of a TCP flow.
    fn flow(&self, family: Family, flow: u8) -> (u16, u32);

    /// An identifier that was not used before, or not for long, for targets of that family.
    fn fresh_identifier(&mut self, family: Family) -> io::Result<u16>;

    /// A local port that was never used before, and a flow label.
    fn fresh_flow(&mut self, family: Family) -> io::Result<(u16, u32)>;

    /// Uses another identifier for our echoes and other ports for these flows from now on; answers
    /// to the former ones are still received. What cannot be changed stays.
    fn renew(&mut self, flows: &[u8]);

    /// Queues a probe for [`Wire::flush`], which knows it by `ticket`; `Unsupported` if this level
    /// cannot send it. A connection of the kernel's own begins at once and is not queued.
    fn queue(
        &mut self,
        ticket: usize,
        outgoing: Outgoing<'_>,
        to: IpAddr,
        door: SocketGroup,
    ) -> io::Result<()>;

    /// Sends what is queued, in that order. Tells of each probe when it left, or why it did not.
    fn flush(&mut self, told: OnSent<'_>);

    /// Makes room for the answers to so many packets a second, as far as this process may.
    fn expect(&mut self, packets: usize);

    /// Waits until the sockets are writable.
    fn writable(&self) -> SocketWait<'_>;

    /// Waits until something can be read; [`Wire::drain`] must follow.
    fn readable(&mut self) -> SocketWait<'_>;

    /// Reads what has arrived and when the kernel received it, at most
    /// [`super::socket::PER_TURN`] packets from each socket.
    fn drain(&mut self, each: &mut dyn FnMut(Incoming, Instant)) -> Drained;

    /// Why this level cannot do what [`Raw`](super::raw::Raw) can.
    fn missing(&self) -> MissingCapabilities;
}

/// The result of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Whether nothing is left unread.
    pub all: bool,
    /// How many packets found a receive buffer full: our own host may have dropped answers.
    pub dropped: u32,
}

impl Drained {
    /// Everything was read and nothing was dropped.
    pub(crate) const WHOLE: Self = Self { all: true, dropped: 0 };

    /// Combines the results of two sockets.
    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        Self { all: self.all && other.all, dropped: self.dropped.saturating_add(other.dropped) }
    }
}

/// What [`Wire::flush`] tells of each ticket.
pub type OnSent<'a> = &'a mut dyn FnMut(usize, io::Result<Instant>);

/// A future that a [`Wire`] returns for waiting.
pub(crate) type SocketWait<'a> = Pin<Box<dyn Future<Output = io::Result<()>> + Send + 'a>>;

/// Missing capabilities, each with the reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MissingCapabilities {
    /// Any ICMP socket.
    pub icmp_socket: Option<String>,
    /// Raw sockets.
    pub net_raw: Option<String>,
    /// SYNs of our own.
    pub tcp_syn: Option<String>,
}
