//! Clients and attackers of the exporter, all at once and for the whole run.

use std::{
    io::{Read as _, Write as _},
    mem::MaybeUninit,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context as _, Result};
use fastrand::Rng;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::world::{World, inside};
use crate::{exporter::LISTEN, numbers::Place};

/// Clients that request again shortly after each answer.
const SCRAPERS: usize = 4;
/// Clients that begin a request and never finish it.
const DAWDLERS: usize = 8;
/// All that may be connected at once, including the judge.
pub const CLIENTS: usize = SCRAPERS + DAWDLERS + 1;
const BREATH: Duration = Duration::from_millis(250);
const PAGES: [&str; 4] = ["/metrics", "/", "/metrics", "/-/healthy"];
/// Forged packets per batch, and the time between batches: 2,000 packets a second.
const GO: usize = 20;
const BETWEEN_GOES: Duration = Duration::from_millis(10);

/// Counts of what all of them have done.
#[derive(Debug, Default)]
pub struct Tally {
    /// Requests that were answered with 200.
    pub answered: AtomicU64,
    /// Requests that were not.
    pub failed: AtomicU64,
    /// Forged packets that were sent.
    pub forged: AtomicU64,
    /// Whether packets are being forged at present.
    pub flood: AtomicBool,
    stop: AtomicBool,
}

/// All clients and attackers; [`Hammers::stop`] ends them.
pub struct Hammers {
    /// Their counts.
    pub tally: Arc<Tally>,
    threads: Vec<JoinHandle<()>>,
}

impl Hammers {
    /// Starts them.
    pub fn start(world: &World, seed: u64) -> Result<Self> {
        let tally = Arc::new(Tally::default());
        let mut threads = Vec::new();
        let here = world.lab.vantage();
        for number in 0..SCRAPERS {
            let tally = Arc::clone(&tally);
            threads.push(inside(here, move || scrape(&tally, number))?);
        }
        for _ in 0..DAWDLERS {
            let tally = Arc::clone(&tally);
            threads.push(inside(here, move || dawdle(&tally))?);
        }
        let victim = world.lab.vantage_address();
        let innocent = world.lab.numbers.dc.host_address;
        let flooding = Arc::clone(&tally);
        threads.push(inside(world.lab.host(Place::Dc), move || {
            if let Err(error) = flood(&flooding, victim, innocent, seed) {
                eprintln!("soak: no flood: {error:#}");
            }
        })?);
        Ok(Self { tally, threads })
    }

    /// Ends them.
    pub fn stop(self) {
        self.tally.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            let _ = thread.join();
        }
    }
}

impl Tally {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }
}

fn scrape(tally: &Tally, number: usize) {
    for turn in number.. {
        if !tally.goes_on() {
            return;
        }
        let answered = get(PAGES[turn % PAGES.len()]).is_ok_and(|answer| answer.starts_with("HTTP/1.0 200"));
        let count = if answered { &tally.answered } else { &tally.failed };
        count.fetch_add(1, Ordering::Relaxed);
        thread::sleep(BREATH);
    }
}

/// The answer to a request, made in the namespace of this thread.
pub fn get(page: &str) -> Result<String> {
    let mut stream = TcpStream::connect_timeout(&LISTEN, Duration::from_secs(5))?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    stream.write_all(format!("GET {page} HTTP/1.0\r\nHost: {LISTEN}\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).with_context(|| page.to_owned())?;
    Ok(answer)
}

fn dawdle(tally: &Tally) {
    while tally.goes_on() {
        if let Ok(mut stream) = TcpStream::connect_timeout(&LISTEN, Duration::from_secs(5)) {
            let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: ");
            for _ in 0..10 {
                if !tally.goes_on() {
                    return;
                }
                thread::sleep(Duration::from_millis(500));
            }
        }
        thread::sleep(BREATH);
    }
}

/// Sends echo replies that nobody requested, signals and unreachables that quote packets never
/// sent, RSTs and SYN-ACKs without a connection; some of them from the target's own address.
fn flood(tally: &Tally, victim: Ipv4Addr, innocent: Ipv4Addr, seed: u64) -> Result<()> {
    let icmp = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4))?;
    let tcp = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::TCP))?;
    let to = SockAddr::from(SocketAddr::from((victim, 0)));
    let mut rng = Rng::with_seed(seed);
    let mut ignored = [MaybeUninit::uninit(); 2048];
    while tally.goes_on() {
        // Packets to this host are read and ignored, so that they do not pile up.
        icmp.set_nonblocking(true)?;
        while icmp.recv(&mut ignored).is_ok() {}
        if tally.flood.load(Ordering::Relaxed) {
            for _ in 0..GO {
                let sent = match rng.u8(..4) {
                    0 => tcp.send_to(&segment(&mut rng, innocent, victim), &to),
                    kind => icmp.send_to(&message(&mut rng, kind, victim, innocent), &to),
                };
                tally.forged.fetch_add(u64::from(sent.is_ok()), Ordering::Relaxed);
            }
        }
        thread::sleep(BETWEEN_GOES);
    }
    Ok(())
}

fn message(rng: &mut Rng, kind: u8, victim: Ipv4Addr, innocent: Ipv4Addr) -> Vec<u8> {
    let mut bytes = match kind {
        1 => vec![0, 0, 0, 0],
        2 => vec![3, 4, 0, 0],
        _ => vec![*rng.choice(&[3, 4, 5, 11, 12]).unwrap_or(&3), rng.u8(..4), 0, 0],
    };
    let word = rng.u32(..);
    bytes.extend(if kind == 2 { 576_u32 } else { word }.to_be_bytes());
    if kind == 1 {
        bytes.extend(std::iter::repeat_with(|| rng.u8(..)).take(40));
    } else {
        let protocol = *rng.choice(&[1, 6]).unwrap_or(&1);
        bytes.extend([0x45, 0, 5, 220, 0, 0, 0x40, 0, 64, protocol, 0, 0]);
        bytes.extend(victim.octets());
        bytes.extend(innocent.octets());
        bytes.extend([8, 0]);
        bytes.extend(std::iter::repeat_with(|| rng.u8(..)).take(26));
    }
    let sum = checksum(&[], &bytes);
    bytes[2..4].copy_from_slice(&sum);
    bytes
}

fn segment(rng: &mut Rng, from: Ipv4Addr, to: Ipv4Addr) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(443_u16.to_be_bytes());
    bytes.extend(rng.u16(32_768..61_000).to_be_bytes());
    bytes.extend(rng.u32(..).to_be_bytes());
    bytes.extend(rng.u32(..).to_be_bytes());
    let flags = *rng.choice(&[0x04, 0x12, 0x14]).unwrap_or(&0x04);
    bytes.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    let mut pseudo = [from.octets(), to.octets()].concat();
    pseudo.extend([0, 6, 0, 20]);
    let sum = checksum(&pseudo, &bytes);
    bytes[16..18].copy_from_slice(&sum);
    bytes
}

/// Internet checksum (RFC 1071) over a pseudo header and a message.
fn checksum(pseudo: &[u8], bytes: &[u8]) -> [u8; 2] {
    let words = |bytes: &[u8]| -> u32 {
        bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0))).sum()
    };
    let mut sum = words(pseudo) + words(bytes);
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (!u16::try_from(sum).unwrap_or(0)).to_be_bytes()
}
