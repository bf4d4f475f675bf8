//! Packets that have arrived, read several per system call.

use std::{
    io::{self, IoSliceMut},
    os::fd::AsRawFd as _,
    sync::atomic::Ordering,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use nix::{
    cmsg_space, getsockopt_impl, libc,
    sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, Timestamps, getsockopt, recvmmsg},
};
use tokio::io::Interest;
use tracing::debug;

use super::{PacketSocket, address, message::Message};
use crate::probe::{packet::Arrival, wire::Drained};

/// The largest IP packet, in bytes.
pub(crate) const LARGEST: usize = 65_575;
/// Most packets read from a socket at a time, so that a flood does not hold up everything else.
pub const PER_TURN: usize = 1024;
/// Most packets per `recvmmsg`.
const BATCH: usize = 32;
/// A receive buffer that overflowed held at least this many packets. The kernel's count of drops
/// alone does not show it, as it includes damaged packets, which anybody may send.
const FULL: usize = 16;
/// More errors than this in a row are not caused by signals.
const ERRORS: usize = 100;

/// Socket option `SO_MEMINFO`: `SK_MEMINFO_VARS` numbers about a socket's memory.
#[derive(Debug, Clone, Copy)]
struct MemoryInfo;
getsockopt_impl!(
    MemoryInfo,
    libc::SOL_SOCKET,
    libc::SO_MEMINFO,
    [u32; 9],
    nix::sys::socket::sockopt::GetStruct<[u32; 9]>
);
/// The place of the number of dropped packets in it (`linux/sock_diag.h`).
const DROPS: usize = 8;

/// Room for the packets that one call reads.
#[derive(Debug)]
pub(crate) struct PacketBuffer {
    /// Only pages that packets have reached take up memory.
    bytes: Vec<u8>,
}

/// A received packet: how it arrived, when, and its bytes.
pub(crate) type Each<'a> = &'a mut dyn FnMut(Arrival, Instant, &[u8]);

impl PacketBuffer {
    pub(crate) fn new() -> Self {
        Self { bytes: vec![0; BATCH * LARGEST] }
    }

    /// Reads packets that have arrived, at most about [`PER_TURN`].
    pub(crate) fn drain(&mut self, socket: &PacketSocket, each: Each<'_>) -> Drained {
        let (mut errors, mut read, mut all) = (0, 0, false);
        while read < PER_TURN && !all {
            let most = BATCH.min(PER_TURN - read);
            match self.read(socket, most, each) {
                Ok(count) => {
                    read += count;
                    all = count < most;
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
        Drained { all, dropped: dropped(socket, read) }
    }

    /// Reads at most `most` packets with one call; returns how many.
    ///
    /// Tries the kernel before tokio: tokio's notification may not have come through yet, and only
    /// a read that finds too little may clear it.
    fn read(&mut self, socket: &PacketSocket, most: usize, each: Each<'_>) -> io::Result<usize> {
        let mut read = None;
        let noticed = socket.socket.try_io(Interest::READABLE, || {
            let count = self.read_now(socket, most, each)?;
            read = Some(count);
            if count < most { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
        });
        match (read, noticed) {
            (Some(count), _) => Ok(count),
            (None, Err(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                self.read_now(socket, most, each)
            }
            (None, noticed) => noticed.map(|()| 0),
        }
    }

    fn read_now(&mut self, socket: &PacketSocket, most: usize, each: Each<'_>) -> io::Result<usize> {
        // Made anew for each call, as nix does not set the lengths in it back.
        let space = cmsg_space!(Timestamps, i32, i32, u32);
        let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(most, Some(space));
        let mut rooms = self.bytes.chunks_mut(LARGEST);
        let mut pieces: [[IoSliceMut<'_>; 1]; BATCH] =
            std::array::from_fn(|_| [IoSliceMut::new(rooms.next().unwrap_or_default())]);
        let fd = socket.socket.as_raw_fd();
        let received = recvmmsg(fd, &mut headers, &mut pieces[..most], MsgFlags::empty(), None)?;
        let (now, wall) = (Instant::now(), since_1970());
        let mut count = 0;
        for packet in received {
            count += 1;
            let message = Message::of(&packet);
            if let Some(dropped) = message.dropped {
                socket.dropped.store(dropped, Ordering::Relaxed);
            }
            let Some(from) = packet.address.as_ref().and_then(address) else { continue };
            let arrival = Arrival { from, ttl: message.ttl, largest_fragment: message.largest_fragment };
            let bytes = packet.iovs().next().unwrap_or_default();
            each(arrival, received_at(message.received, now, wall), bytes);
        }
        Ok(count)
    }
}

/// When the kernel received a packet that it stamped `stamp` by the wall clock. A wall clock that
/// was set meanwhile is noticed where the result would be in the future.
fn received_at(stamp: Option<Duration>, now: Instant, wall: Duration) -> Instant {
    let age = stamp.and_then(|stamp| wall.checked_sub(stamp));
    age.and_then(|age| now.checked_sub(age)).unwrap_or(now)
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// How many packets found the receive buffer full since this was last asked, `read` packets having
/// been read just now.
fn dropped(socket: &PacketSocket, read: usize) -> u32 {
    let told = socket.dropped.load(Ordering::Relaxed);
    if read < FULL {
        socket.reported.fetch_max(told, Ordering::Relaxed);
        return 0;
    }
    // The count that comes with a packet is as old as that packet.
    let now = getsockopt(&socket.socket, MemoryInfo).map_or(told, |info| info[DROPS]);
    now.wrapping_sub(socket.reported.swap(now, Ordering::Relaxed))
}
