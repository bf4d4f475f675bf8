//! Peers that take seats and send nothing useful.

use tokio::{net::TcpSocket, time::timeout};

use super::*;
use crate::reflector::{
    connection_limits::{CONNECTIONS_PER_PEER, STRANGERS},
    inbox::FrameBuffer,
    protocol::VERSION,
};

/// A connection from an address of loopback.
async fn dial_from(host: u8, to: SocketAddr) -> TcpStream {
    try_from(host, to).await.expect("connected")
}

/// As [`dial_from`]; but if there is no seat, the reset may arrive before `connect` has returned.
async fn try_from(host: u8, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from(([127, 0, 9, host], 0)))?;
    socket.connect(to).await
}

async fn greets(stream: &TcpStream) -> bool {
    say(stream, &[Frame::Hello { version: VERSION, nonce: [1; 16] }]).await;
    matches!(FrameBuffer::default().next(stream, |_| ()).await, Ok(Frame::Welcome(..)))
}

/// Whether the other end closes it within the test's timeout.
async fn is_closed(stream: &TcpStream) -> bool {
    timeout(PATIENCE, FrameBuffer::default().next(stream, |_| ())).await.is_ok_and(|ended| ended.is_err())
}

#[tokio::test]
async fn sixteen_addresses_that_greet_lock_nobody_out() {
    let (address, _running) = reflector(None).await;
    let mut hogs = Vec::new();
    for host in 1..=16 {
        for _ in 0..CONNECTIONS_PER_PEER {
            let stream = dial_from(host, address).await;
            assert!(greets(&stream).await);
            hogs.push(stream);
        }
    }
    let mut connection = Connection::open(address, None).await.expect("a seat");
    connection.exchange().await.expect("measured");
}

#[tokio::test]
async fn those_without_the_secret_lock_nobody_out_who_has_it() {
    let file = ours();
    let secret = file.secret();
    let (address, _running) = reflector(Some(file.path())).await;
    let mut kept = Connection::open(address, Some(&secret)).await.expect("a seat");
    let mut hogs = Vec::new();
    for host in 1..=64 {
        for _ in 0..2 {
            hogs.push(try_from(host, address).await);
        }
    }
    assert!(hogs.iter().filter(|hog| hog.is_ok()).count() >= STRANGERS);
    let mut fresh = Connection::open(address, Some(&secret)).await.expect("a seat");
    kept.exchange().await.expect("measured");
    fresh.exchange().await.expect("measured");
}

/// A peer that sends nothing, or too little, loses its seat; one that stops after the greeting
/// loses it soon.
#[tokio::test]
async fn the_slow_and_the_idle_are_ended() {
    let file = ours();
    let (address, _running) = reflector(Some(file.path())).await;
    let silent = dial_from(1, address).await;
    let half = dial_from(2, address).await;
    let hello = Frame::Hello { version: VERSION, nonce: [1; 16] }.encode();
    let _ = half.try_write(&hello[..100]);
    assert!(is_closed(&silent).await && is_closed(&half).await);
    let (open, _open_running) = reflector(None).await;
    let idle = dial_from(3, open).await;
    assert!(greets(&idle).await);
    assert!(is_closed(&idle).await);
}
