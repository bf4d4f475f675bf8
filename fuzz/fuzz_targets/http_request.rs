#![no_main]

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    sync::OnceLock,
    time::Duration,
};

use libfuzzer_sys::fuzz_target;
use tokio::{runtime::Runtime, sync::watch};
use vxlan_exporter::{
    state::State,
    web::{Access, Lifecycle, Pages, SelfInfo, serve},
};

/// The real server, on loopback.
fn server() -> SocketAddr {
    static SERVER: OnceLock<(Runtime, SocketAddr)> = OnceLock::new();
    SERVER
        .get_or_init(|| {
            let runtime = Runtime::new().unwrap();
            let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
            let address = listener.local_addr().unwrap();
            let pages = Pages {
                state: State::default(),
                self_info: SelfInfo::new(),
                lifecycle: Lifecycle::default(),
            };
            let access = Access::new(watch::channel(Vec::new()).1, None);
            runtime.spawn(serve(listener, pages, access, std::future::pending::<()>()));
            (runtime, address)
        })
        .1
}

// A request of any bytes: an answer of HTTP or none, and the next client is served.
fuzz_target!(|request: &[u8]| {
    let ask = |bytes: &[u8]| {
        let mut stream = TcpStream::connect(server()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        answer
    };
    let answer = ask(request);
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1."), "{:?}", String::from_utf8_lossy(&answer));
    let healthy = ask(b"GET /-/ready HTTP/1.0\r\n\r\n");
    assert!(healthy.starts_with(b"HTTP/1.0 200"), "{:?}", String::from_utf8_lossy(&healthy));
});
