//! One write, one segment: how Linux's TCP is set up to send a packet of exactly N bytes, and what
//! it counts.
//!
//! Measured (Linux 6.18): with `TCP_NODELAY` alone, small writes are still joined while an earlier
//! packet waits in the queue of the network card (`tcp_autocorking`), and on retransmission.
//! `MSG_EOR` prevents both: nothing is ever appended to that write's segment. With it, a write of
//! at most the current MSS is one IP packet of payload + 20 (IPv6 40) + 20 + 12 bytes if timestamps
//! are on, and segmentation offload has nothing to split. `IP_PMTUDISC_DO` sets DF and obeys the
//! kernel's route cache, which `TCP_INFO` shows as the path MTU.

use std::{io, os::fd::AsFd};

use nix::sys::socket::{getsockopt, setsockopt};
use rustix::net::{
    SendFlags, send,
    sockopt::{
        Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, set_ip_mtu_discover, set_ipv6_mtu_discover,
        set_tcp_nodelay, set_tcp_quickack,
    },
};
use socket2::SockRef;
use tokio::{io::Interest, net::TcpStream};

use super::tcp_info::{Info, SynCount};
use crate::model::types::Bytes;

const OPTION_TIMESTAMPS: u8 = 1;
const OPTION_SACK: u8 = 2;
const CLOSED: u8 = 7;

/// The kernel's present data about one connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tcp {
    /// Bytes of IP and TCP header of a segment with data.
    pub header: Bytes,
    /// The largest segment it sends, bytes of IP packet.
    pub limit: Bytes,
    /// The path MTU that it assumes, in bytes of IP packet: the interface's, or less if its route
    /// cache says so.
    pub path_mtu: Bytes,
    /// Segments not acknowledged; data that the other end's window does not admit yet counts as
    /// one.
    pub unacknowledged: u32,
    /// Of these, segments acknowledged selectively, beyond a gap.
    pub sacked: u32,
    /// Retransmissions since the connection began.
    pub retransmitted: u32,
    /// Segments sent, with data or without.
    pub segments_sent: u32,
    /// Segments received, with data or without.
    pub segments_received: u32,
    /// Segments with data sent, including retransmissions.
    pub data_sent: u32,
    /// Segments with data received, including repeated ones.
    pub data_received: u32,
    /// Whether the connection is closed.
    pub closed: bool,
    /// Whether the other end uses selective acknowledgements.
    pub selective: bool,
}

impl Tcp {
    /// Reads them from the kernel.
    pub(crate) fn of(stream: &TcpStream) -> io::Result<Self> {
        let raw = getsockopt(stream, Info)?;
        let address = if stream.local_addr()?.is_ipv4() || is_mapped(stream) { 20 } else { 40 };
        let options = if raw.options & OPTION_TIMESTAMPS == 0 { 0 } else { 12 };
        let header = address + 20 + options;
        Ok(Self {
            header,
            limit: raw.snd_mss + header,
            path_mtu: raw.pmtu,
            unacknowledged: raw.unacked + u32::from(raw.notsent_bytes > 0),
            sacked: raw.sacked,
            retransmitted: raw.total_retrans,
            segments_sent: raw.segs_out,
            segments_received: raw.segs_in,
            data_sent: raw.data_segs_out,
            data_received: raw.data_segs_in,
            closed: raw.state == CLOSED,
            selective: raw.options & OPTION_SACK != 0,
        })
    }
}

/// Whether it is IPv4 on an IPv6 socket.
fn is_mapped(stream: &TcpStream) -> bool {
    stream.peer_addr().is_ok_and(|address| address.ip().to_canonical().is_ipv4())
}

/// Prepares a socket at either end: each write is sent at once, with DF, and dropping the socket in
/// any way resets the connection, so that nothing in its send queue is sent any more.
pub(crate) fn prepare(socket: &impl AsFd) -> io::Result<()> {
    set_tcp_nodelay(socket, true)?;
    SockRef::from(socket).set_linger(Some(std::time::Duration::ZERO))?;
    // On an IPv6 socket both apply, the first to IPv4-mapped addresses.
    let v4 = set_ip_mtu_discover(socket, Ipv4PathMtuDiscovery::DO);
    if SockRef::from(socket).domain()? == socket2::Domain::IPV6 {
        set_ipv6_mtu_discover(socket, Ipv6PathMtuDiscovery::DO)?;
    } else {
        v4?;
    }
    Ok(())
}

/// Bytes that may wait in the kernel to be read: three of the longest frames. Without it the kernel
/// lets each connection grow to megabytes.
const WAITING: usize = 64 * 1024;

/// Limits what the other end may send before it is read, on a socket or on all that a listening one
/// accepts.
pub(crate) fn bound_what_waits(socket: &impl AsFd) -> io::Result<()> {
    SockRef::from(socket).set_recv_buffer_size(WAITING)
}

/// Repeats an unanswered SYN-ACK once instead of five times, so that a forged SYN causes no more
/// than that.
pub(crate) fn repeat_syn_ack_once(listener: &impl AsFd) -> io::Result<()> {
    Ok(setsockopt(listener, SynCount, &1)?)
}

/// Acknowledges what arrives at once. Must be set again from time to time, as the kernel resets it.
pub(crate) fn acknowledge_quickly(stream: &TcpStream) {
    // Without it an answer comes up to 40 ms later, which does no harm.
    let _ = set_tcp_quickack(stream, true);
}

/// Sends `payload` as one segment. An error means that the connection can no longer be used.
pub(crate) async fn write_segment(stream: &TcpStream, payload: &[u8]) -> io::Result<()> {
    let flags = SendFlags::EOR | SendFlags::NOSIGNAL;
    let sent =
        stream.async_io(Interest::WRITABLE, || send(stream, payload, flags).map_err(io::Error::from)).await?;
    if sent == payload.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
}

/// Sends `payload` in segments of at most `most` bytes of payload.
pub(crate) async fn write_segments(stream: &TcpStream, payload: &[u8], most: usize) -> io::Result<()> {
    for part in payload.chunks(most) {
        write_segment(stream, part).await?;
    }
    Ok(())
}
