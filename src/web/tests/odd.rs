//! Requests that no client sends by mistake: each is answered with an error or the connection is
//! closed, and the next request is answered as usual.

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

fn requests() -> Vec<(Vec<u8>, &'static [u16])> {
    const BAD: &[u16] = &[400];
    let get = |rest: &str| format!("GET /metrics HTTP/1.1\r\nHost: x\r\n{rest}\r\n").into_bytes();
    let path = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").into_bytes();
    let mut odd: Vec<(Vec<u8>, &[u16])> = vec![
        (vec![], &[]),
        (b"\r\n\r\n\r\n\r\n".to_vec(), &[]),
        (b"GET /metrics HTTP/1.1\r\n\r\n".to_vec(), &[200]),
        (b"GET /metrics HTTP/1.0\r\n\r\n".to_vec(), &[200]),
        (b"GET /metrics HTTP/1.1\nHost: x\n\n".to_vec(), &[200]),
        (b"GET /metrics HTTP/9.9\r\n\r\n".to_vec(), BAD),
        (b"GET /metrics\r\n\r\n".to_vec(), BAD),
        (b"GET  /metrics  HTTP/1.1\r\n\r\n".to_vec(), BAD),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), &[400, 505]),
        (b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), &[404, 405]),
        (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), &[404, 405]),
        (b"get /metrics HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), &[405]),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".repeat(60), BAD),
        (b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(), BAD),
        (path("http://elsewhere/metrics"), &[200]),
        (path("/../../etc/passwd"), &[404]),
        (path("/%2e%2e/metrics"), &[404]),
        (path("//metrics"), &[404]),
        (path("/metrics%00"), &[404]),
        (path("/metrics\0"), BAD),
        (path(&format!("/{}", "a".repeat(200_000))), &[414, 431]),
        (get(&format!("X: {}\r\n", "a".repeat(200_000))), &[431]),
        (get(&"X: y\r\n".repeat(1000)), &[431]),
        (get("X: a\r\n b\r\n"), BAD),
        (get("X\0: a\r\n"), BAD),
        (get("Content-Length: 1\r\nContent-Length: 2\r\n"), BAD),
        (get("Content-Length: -1\r\n"), BAD),
        (get("Content-Length: 18446744073709551615\r\n"), &[431]),
        (get("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), &[200, 400]),
        (get("Transfer-Encoding: cow\r\n"), &[200, 400]),
        (get("Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n"), &[200]),
        (get("Authorization: Basic \u{fffd}\u{1}\r\n"), &[200, 400]),
    ];
    let post = |rest: &str| format!("POST /metrics HTTP/1.1\r\nHost: x\r\n{rest}\r\n").into_bytes();
    odd.push((post("Content-Length: 5\r\nExpect: 100-continue\r\n"), &[405]));
    odd.push(([post("Transfer-Encoding: chunked\r\n"), b"zzzz\r\n".to_vec()].concat(), &[400, 405]));
    odd.push(([post("Content-Length: 99999999\r\n"), vec![b'x'; 1 << 20]].concat(), &[405]));
    odd
}

/// The first status it is answered with, once the connection has ended.
async fn status(address: SocketAddr, request: &[u8]) -> Option<u16> {
    let mut stream = TcpStream::connect(address).await.expect("connected");
    let mut answer = Vec::new();
    let (mut read, mut write) = stream.split();
    // It may be refused before it is completely sent.
    let send = write.write_all(request);
    let (_, ended) = timeout(PATIENCE, async { tokio::join!(send, read.read_to_end(&mut answer)) })
        .await
        .unwrap_or_else(|_| panic!("{:?}: never ended", String::from_utf8_lossy(&request[..99])));
    let _ = ended;
    let text = String::from_utf8_lossy(&answer).into_owned();
    text.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()
}

#[tokio::test]
async fn odd_requests() {
    let server = server().await;
    let odd = requests();
    let statuses = join_all(odd.iter().map(|(request, _)| status(server.address, request))).await;
    let other: Vec<_> = odd
        .iter()
        .zip(statuses)
        // If the server did not read everything, a reset may overtake its answer.
        .filter(|((_, expected), status)| match status {
            Some(status) => !expected.contains(status),
            None => expected.contains(&200),
        })
        .map(|((request, _), status)| (String::from_utf8_lossy(&request[..request.len().min(100)]), status))
        .collect();
    assert!(other.is_empty(), "{other:#?}");
    let (head, _) = ask(server.address, "GET /metrics").await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
}
