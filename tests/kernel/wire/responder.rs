//! A target whose echo answers we send ourselves: late, rationed, or preceded by errors.

use std::{
    collections::VecDeque,
    io::Read as _,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::Result;
use pnet::packet::icmpv6::{self, Icmpv6Packet};
use socket2::{Domain, Protocol, Socket, Type};

use super::{
    forged::packet,
    world::{Ip, World, inside},
};

/// How echoes are answered.
#[derive(Debug, Clone, Default)]
pub struct Manner {
    /// Delay of each answer.
    pub delay: Duration,
    /// Shortest time between two answers.
    pub every: Option<Duration>,
    /// ICMP errors sent first, by type, code and the 4 bytes before the quoted packet.
    pub errors: Vec<(u8, u8, [u8; 4])>,
}

/// Answers until it is dropped.
pub struct Responder {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Responder {
    /// Stops the kernel's own answers.
    pub fn start(world: &World, ip: Ip, manner: Manner) -> Result<Self> {
        world.there.sysctl("net/ipv4/icmp_echo_ignore_all", "1")?;
        world.there.sysctl("net/ipv6/icmp/echo_ignore_all", "1")?;
        let (domain, protocol) = match ip {
            Ip::V4 => (Domain::IPV4, Protocol::ICMPV4),
            Ip::V6 => (Domain::IPV6, Protocol::ICMPV6),
        };
        let socket = inside(&world.there, || Ok(Socket::new(domain, Type::RAW, Some(protocol))?))?;
        socket.set_read_timeout(Some(Duration::from_millis(2)))?;
        socket.set_recv_buffer_size(4 << 20)?;
        let over = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&over);
        let thread = thread::spawn(move || answer(&socket, ip, &manner, &ended));
        Ok(Self { over, thread: Some(thread) })
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn answer(mut socket: &Socket, ip: Ip, manner: &Manner, over: &AtomicBool) {
    let mut buffer = vec![0; 65_536];
    let mut due: VecDeque<(Instant, Vec<u8>)> = VecDeque::new();
    let mut answered: Option<Instant> = None;
    let (request, reply) = if ip == Ip::V4 { (8, 0) } else { (128, 129) };
    while !over.load(Ordering::Relaxed) {
        if let Ok(length) = socket.read(&mut buffer) {
            let header = if ip == Ip::V4 { usize::from(buffer[0] & 0x0f) * 4 } else { 0 };
            let message = &buffer[header..length];
            if message.first() == Some(&request) {
                for (kind, code, rest) in &manner.errors {
                    let mut error = vec![*kind, *code, 0, 0];
                    error.extend(rest);
                    let protocol = if ip == Ip::V4 { 1 } else { 58 };
                    let mut quoted = packet(ip.here(), ip.there(), protocol, message);
                    quoted.truncate(500);
                    error.extend(quoted);
                    send(socket, ip, error);
                }
                let may = answered.is_none_or(|at| manner.every.is_none_or(|every| at.elapsed() >= every));
                if may {
                    answered = Some(Instant::now());
                    let mut message = message.to_vec();
                    message[0] = reply;
                    due.push_back((Instant::now() + manner.delay, message));
                }
            }
        }
        while due.front().is_some_and(|(at, _)| *at <= Instant::now()) {
            if let Some((_, message)) = due.pop_front() {
                send(socket, ip, message);
            }
        }
    }
}

fn send(socket: &Socket, ip: Ip, mut message: Vec<u8>) {
    message[2..4].fill(0);
    let checksum = match (ip.there(), ip.here()) {
        (std::net::IpAddr::V6(from), std::net::IpAddr::V6(to)) => {
            Icmpv6Packet::new(&message).map_or(0, |packet| icmpv6::checksum(&packet, &from, &to))
        }
        _ => pnet::packet::util::checksum(&message, 1),
    };
    message[2..4].copy_from_slice(&checksum.to_be_bytes());
    // Errors that the other end sends about our packets are reported here too.
    let _ = socket.send_to(&message, &SocketAddr::from((ip.here(), 0)).into());
}
