//! Whether this host's padded SYNs are answered at all: tried over loopback, where no network can
//! be at fault.

use std::{
    io::{self, Read},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    thread,
    time::{Duration, Instant},
};

use pnet::packet::ipv4::Ipv4Packet;
use socket2::Socket;
use tracing::debug;

use super::Ports;
use crate::{
    model::family::Family,
    probe::{
        packet::{self, Arrival, Incoming},
        random::random,
    },
};

const SIZE: u16 = 1000;
const TRIES: u32 = 3;
/// An answer over loopback arrives within microseconds; a busy host may need longer.
const PATIENCE: Duration = Duration::from_millis(150);

/// Sends a padded SYN to one of our own ports, where nobody listens, so the kernel's RST must come
/// back. Returns why padded SYNs do not work if it does not. A loopback that is down or has no
/// address proves nothing.
pub(crate) fn answered(family: Family, sender: &Socket, receiver: &Socket, ports: &Ports) -> Option<String> {
    let ip = match family {
        Family::V4 => IpAddr::V4(Ipv4Addr::LOCALHOST),
        Family::V6 => IpAddr::V6(Ipv6Addr::LOCALHOST),
    };
    let (from, to) = (SocketAddr::from((ip, ports[0])), SocketAddr::from((ip, ports[1])));
    for _ in 0..TRIES {
        let sequence: u32 = random();
        let segment = packet::syn(usize::from(SIZE), from, to, sequence, SIZE.into(), 0);
        if let Err(error) = sender.send_to(&segment, &SocketAddr::from((ip, 0)).into()) {
            debug!(%error, "no self-test of padded SYNs over loopback");
            return None;
        }
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if drained_answer(family, receiver, sequence) {
                return None;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
    let number = if family == Family::V4 { 4 } else { 6 };
    Some(format!(
        "a local firewall drops answers: a padded SYN over loopback (IPv{number}) was not answered by RST"
    ))
}

/// Reads everything that has arrived; whether the answer is among it.
fn drained_answer(family: Family, mut receiver: &Socket, sequence: u32) -> bool {
    let mut buffer = [0; 2048];
    loop {
        let length = match receiver.read(&mut buffer) {
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return false,
        };
        let bytes = &buffer[..length];
        let header = match family {
            Family::V4 => Ipv4Packet::new(bytes).map_or(0, |packet| packet.get_header_length()),
            Family::V6 => 0,
        };
        let body = bytes.get(usize::from(header) * 4..).unwrap_or_default();
        let arrival = Arrival { from: IpAddr::V4(Ipv4Addr::LOCALHOST), ttl: None, largest_fragment: None };
        if let Some(Incoming::Tcp { acknowledgement, reset: true, .. }) = packet::read_tcp(arrival, body)
            && acknowledgement.wrapping_sub(sequence) <= u32::from(SIZE)
        {
            return true;
        }
    }
}
