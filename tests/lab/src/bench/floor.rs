//! The floor: the same packets at the same rate, sent and received by a bare loop of `sendmmsg` and
//! `recvmmsg`, which judges nothing, remembers nothing and reads no answer.

use std::{
    io::{IoSlice, IoSliceMut},
    net::SocketAddrV4,
    os::fd::AsRawFd,
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;
use nix::{
    errno::Errno,
    sys::socket::{MsgFlags, MultiHeaders, SockaddrIn, recvmmsg, sendmmsg},
};
use socket2::{Domain, Protocol, Socket, Type};

use super::pair::target;

/// How long packets may be held back to leave together.
const TICK: Duration = Duration::from_millis(4);
/// Packets a system call.
const BATCH: usize = 64;
/// Bytes of ICMP: a small echo, and one that fills a packet of 1500 bytes.
const SIZES: [usize; 2] = [16, 1480];

/// One small and one full-size echo a second to each target, spread over the second, until the
/// process is ended.
pub fn run(paths: usize) -> Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4))?;
    socket.set_nonblocking(true)?;
    socket.set_recv_buffer_size(8 << 20)?;
    let addresses: Vec<_> =
        (0..paths).map(|path| SockaddrIn::from(SocketAddrV4::new(target(path), 0))).collect();
    let packets = SIZES.map(request);
    let each_second = paths * SIZES.len();
    let mut sender = Sender { socket: &socket, headers: MultiHeaders::preallocate(BATCH, None) };
    let mut receiver = Receiver::new(&socket);
    let began = Instant::now();
    let mut sent = 0_usize;
    loop {
        let due = usize::try_from(began.elapsed().as_micros() * each_second as u128 / 1_000_000)?;
        while sent < due {
            let batch: Vec<usize> = (sent..due.min(sent + BATCH)).collect();
            sender.send(&batch, &packets, &addresses)?;
            sent += batch.len();
        }
        receiver.drain()?;
        // The end of the tick in which the next packet is due.
        let next = Duration::from_nanos(u64::try_from((sent + 1) * 1_000_000_000 / each_second)?);
        let ticks = next.as_nanos() / TICK.as_nanos() + 1;
        let wake = TICK * u32::try_from(ticks)?;
        thread::sleep(wake.saturating_sub(began.elapsed()));
    }
}

/// An echo request of zeros, with its checksum.
fn request(size: usize) -> Vec<u8> {
    let mut packet = vec![0; size];
    packet[0] = 8;
    packet[2..4].copy_from_slice(&(!0x0800_u16).to_be_bytes());
    packet
}

struct Sender<'s> {
    socket: &'s Socket,
    headers: MultiHeaders<SockaddrIn>,
}

impl Sender<'_> {
    fn send(&mut self, batch: &[usize], packets: &[Vec<u8>; 2], to: &[SockaddrIn]) -> Result<()> {
        let slices: Vec<[IoSlice<'_>; 1]> =
            batch.iter().map(|number| [IoSlice::new(&packets[number % 2])]).collect();
        let addresses: Vec<Option<SockaddrIn>> =
            batch.iter().map(|number| Some(to[number / 2 % to.len()])).collect();
        let nothing = MsgFlags::empty();
        sendmmsg(self.socket.as_raw_fd(), &mut self.headers, &slices, addresses, [], nothing)?;
        Ok(())
    }
}

struct Receiver<'s> {
    socket: &'s Socket,
    headers: MultiHeaders<SockaddrIn>,
    buffers: Vec<[u8; 2048]>,
}

impl<'s> Receiver<'s> {
    fn new(socket: &'s Socket) -> Self {
        Self { socket, headers: MultiHeaders::preallocate(BATCH, None), buffers: vec![[0; 2048]; BATCH] }
    }

    /// Takes everything that has arrived.
    fn drain(&mut self) -> Result<()> {
        loop {
            let mut slices: Vec<[IoSliceMut<'_>; 1]> =
                self.buffers.iter_mut().map(|buffer| [IoSliceMut::new(buffer)]).collect();
            let at_once = MsgFlags::MSG_DONTWAIT;
            let taken = recvmmsg(self.socket.as_raw_fd(), &mut self.headers, &mut slices, at_once, None);
            match taken.map(Iterator::count) {
                Ok(BATCH) => {}
                Ok(_) | Err(Errno::EAGAIN) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }
}
