//! What each parser of outside data must do with any bytes; shared by the fuzz targets and by
//! `tests/plain/doors_fuzz.rs`, which plays their seeds.
#![allow(dead_code)]

use std::{
    io::{Read, Write},
    net::{IpAddr, Shutdown, SocketAddr, TcpStream},
    path::Path,
    sync::OnceLock,
    time::{Duration, Instant},
};

use pnet::packet::ip::IpNextHeaderProtocols as Protocols;
use tokio::{runtime::Runtime, sync::watch};
use vxlan_exporter::{
    config::{self, web_file},
    model::snapshot::ScrapeError,
    probe::packet::{Arrival, Quoted, read_icmp, read_icmpv6, read_tcp},
    reflector::protocol::{Frame, LONGEST},
    router::{method::ip_json::Reader, shell::Shell},
    web::{Access, Pages, serve},
};

/// What a raw socket delivers, from behind the IP header on, and what an error queue quotes.
pub fn packets(body: &[u8]) {
    for from in ["10.0.0.1", "fd00::1"] {
        let from: IpAddr = from.parse().expect("an address");
        let arrival = Arrival { from, ttl: Some(64), largest_fragment: None };
        for read in [read_icmp, read_icmpv6, read_tcp] {
            let _ = read(arrival, body);
        }
        for protocol in [Protocols::Icmp, Protocols::Icmpv6, Protocols::Tcp, Protocols::Udp] {
            let _ = Quoted::read(from, protocol, body);
        }
    }
}

/// What either side of a reflector reads from a connection: one frame after the other, until one is
/// malformed or incomplete.
pub fn reflector_frames(bytes: &[u8]) {
    let mut rest = bytes;
    while let Ok(Some((frame, length))) = Frame::decode(rest) {
        assert!((1..=LONGEST.min(rest.len())).contains(&length), "{frame:?}: {length}");
        // What we would send must be accepted by the other side.
        let again = frame.encode();
        let taken = Frame::decode(&again);
        assert!(matches!(taken, Ok(Some((_, length))) if length == again.len()), "{frame:?}: {taken:?}");
        rest = &rest[length..];
    }
}

/// A configuration gives a plan or an error with a message.
pub fn configuration(text: &str) {
    match config::parse(text, Path::new("/etc/vxlan_exporter/config.yml")) {
        Ok(config) => drop(config.plan()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// The same for the web configuration.
pub fn web_configuration(text: &[u8]) {
    if let Err(error) = web_file::parse(text, Path::new("/etc/vxlan_exporter/web.yml")) {
        assert!(!error.to_string().is_empty());
    }
}

/// A router that always gives the same output; `@` at the start of a line stands for the marker,
/// which it cannot guess.
struct Router<'a>(&'a str);

impl Shell for Router<'_> {
    fn exec(&mut self, script: &str, _: Instant) -> Result<String, ScrapeError> {
        let marker = script.lines().next().and_then(|line| line.strip_prefix("M=")).unwrap_or_default();
        let text = format!("\n{}", self.0);
        Ok(text.replace("\n@", &format!("\n{marker}")))
    }
}

/// From the output of an SSH session to a snapshot: framing, and every parser behind it.
pub fn scrape(text: &str) {
    let mut reader = Reader::default();
    for _ in 0..2 {
        let _ = reader.scrape(&mut Router(text), Instant::now() + Duration::from_secs(10));
    }
}

/// The real server, on loopback.
fn server() -> SocketAddr {
    static SERVER: OnceLock<(Runtime, SocketAddr)> = OnceLock::new();
    let (_, address) = SERVER.get_or_init(|| {
        let runtime = Runtime::new().expect("a runtime");
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("an address");
        let access = Access::new(watch::channel(Vec::new()).1, None);
        runtime.spawn(serve(vec![listener], Pages::default(), access, std::future::pending::<()>()));
        (runtime, address)
    });
    *address
}

/// Any bytes as a request: they get an HTTP answer or none, and the next client is served.
pub fn http_request(request: &[u8]) {
    // hyper drops a request whose client has closed its sending side, so only the arbitrary
    // request, which may never end, closes it.
    let ask = |bytes: &[u8], close: bool| {
        let mut stream = TcpStream::connect(server()).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(15))).expect("a timeout");
        let _ = stream.write_all(bytes);
        if close {
            let _ = stream.shutdown(Shutdown::Write);
        }
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        answer
    };
    let answer = ask(request, true);
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1."), "{:?}", String::from_utf8_lossy(&answer));
    let ready = ask(b"GET /metrics HTTP/1.0\r\n\r\n", false);
    assert!(ready.starts_with(b"HTTP/1.0 200"), "{:?}", String::from_utf8_lossy(&ready));
}
