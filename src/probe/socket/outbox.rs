//! Packets to send, several per system call.

use std::{
    io::{self, IoSlice},
    net::{IpAddr, SocketAddr},
    ops::Range,
    sync::Arc,
    time::Instant,
};

use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, SocketAddrAny, sendmmsg};

use super::PacketSocket;
use crate::probe::refusal::TRIES;

/// Most packets per `sendmmsg`. More would save little, and the time at which each one left would
/// be known less exactly.
const BATCH: usize = 16;

/// Packets in the order in which they are to leave, over whatever sockets.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    packets: Vec<Packet>,
}

#[derive(Debug)]
struct Packet {
    /// Which probe it belongs to.
    ticket: usize,
    socket: Arc<PacketSocket>,
    to: SocketAddrAny,
    at: Range<usize>,
}

impl Outbox {
    /// Adds a packet of the probe `ticket`, which `write` appends to the bytes.
    pub(crate) fn push(
        &mut self,
        ticket: usize,
        socket: &Arc<PacketSocket>,
        to: IpAddr,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        let begin = self.bytes.len();
        write(&mut self.bytes);
        let to = SocketAddrAny::from(SocketAddr::from((to, 0)));
        self.packets.push(Packet { ticket, socket: Arc::clone(socket), to, at: begin..self.bytes.len() });
    }

    /// Sends everything. Tells of each probe when its last packet left, or why one of them did not.
    pub(crate) fn flush(&mut self, told: &mut dyn FnMut(usize, io::Result<Instant>)) {
        let (mut rest, mut tries) = (self.packets.as_slice(), 0);
        while let Some(first) = rest.first() {
            let same = |packet: &&Packet| Arc::ptr_eq(&packet.socket, &first.socket);
            let run = rest.iter().take(BATCH).take_while(same).count();
            let began = Instant::now();
            match send(&self.bytes, &rest[..run]) {
                Ok(sent) => {
                    let took = began.elapsed();
                    let halves = u32::try_from(2 * sent).unwrap_or(u32::MAX).max(1);
                    for (number, packet) in (0_u32..).zip(&rest[..sent]) {
                        let next = rest.get(number as usize + 1);
                        if next.is_none_or(|next| next.ticket != packet.ticket) {
                            // In the middle of the time that the packet took.
                            told(packet.ticket, Ok(began + took * (2 * number + 1) / halves));
                        }
                    }
                    rest = &rest[sent..];
                    tries = 0;
                }
                Err(error) => {
                    tries += 1;
                    if tries < TRIES && error.kind() != io::ErrorKind::WouldBlock {
                        continue;
                    }
                    told(first.ticket, Err(error));
                    let pieces = rest.iter().take_while(|packet| packet.ticket == first.ticket).count();
                    rest = &rest[pieces..];
                    tries = 0;
                }
            }
        }
        self.bytes.clear();
        self.packets.clear();
    }
}

/// Sends packets over the socket of the first, not through tokio, which reports a socket as full
/// until its first turn. Returns how many were sent; an error is that of the first packet.
fn send(bytes: &[u8], packets: &[Packet]) -> io::Result<usize> {
    let Some(last) = packets.len().checked_sub(1) else { return Ok(0) };
    let pieces: [[IoSlice<'_>; 1]; BATCH] =
        std::array::from_fn(|number| [IoSlice::new(&bytes[packets[number.min(last)].at.clone()])]);
    let mut controls: [_; BATCH] = std::array::from_fn(|_| SendAncillaryBuffer::default());
    let mut number = 0;
    let mut messages = controls.each_mut().map(|control| {
        let packet = number.min(last);
        number += 1;
        MMsgHdr::new_with_addr(&packets[packet].to, &pieces[packet], control)
    });
    Ok(sendmmsg(&packets[0].socket.socket, &mut messages[..=last], SendFlags::empty())?)
}
