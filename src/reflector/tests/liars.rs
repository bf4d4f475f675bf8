//! False reflectors: without the secret, man in the middle, flooding.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    time::timeout,
};

use super::*;
use crate::{
    path::reflection::Reflection,
    reflector::{
        inbox::{Ended, FrameBuffer},
        keep_measuring::{Measurand, ReflectorEndpoint, keep_measuring},
        protocol::{RefusalReason, SegmentCounts, VERSION, Welcome},
        segment,
    },
};

const WELCOME: Welcome = Welcome { interface_mtu: 1500, limit: 1500, path_mtu: 1500 };

/// Listens, and runs `lie` for each connection.
async fn liar<F: Future<Output = ()> + Send>(
    lie: impl Fn(TcpStream) -> F + Clone + Send + 'static,
) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&accepted);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::Relaxed);
            let lie = lie.clone();
            tokio::spawn(async move { lie(stream).await });
        }
    });
    (address, accepted)
}

async fn next(inbox: &mut FrameBuffer, stream: &TcpStream) -> Frame {
    inbox.next(stream, |_| ()).await.unwrap_or(Frame::Refused(RefusalReason::Other))
}

/// Greets a prober that has a secret, with a proof of its own, or with the prober's proof sent
/// back.
async fn pretend(stream: &TcpStream, inbox: &mut FrameBuffer, returned: bool) {
    next(inbox, stream).await;
    say(stream, &[Frame::Challenge { nonce: [9; 16] }]).await;
    let Frame::Proof(proof) = next(inbox, stream).await else { return };
    let proof = if returned { proof } else { [0; 32] };
    say(stream, &[Frame::Welcome(WELCOME, proof)]).await;
}

#[tokio::test]
async fn who_does_not_prove_the_secret_is_not_believed() {
    for returned in [false, true] {
        let (address, _) = liar(move |stream| async move {
            let mut inbox = FrameBuffer::default();
            pretend(&stream, &mut inbox, returned).await;
            next(&mut inbox, &stream).await;
        })
        .await;
        let opened = Connection::open(address, Some(&ours().secret())).await;
        assert!(matches!(opened, Err(Unusable::FalseProof)), "{opened:?}");
    }
}

#[tokio::test]
async fn who_just_welcomes_one_with_a_secret_is_not_believed() {
    let (address, _) = liar(|stream| async move {
        let mut inbox = FrameBuffer::default();
        next(&mut inbox, &stream).await;
        say(&stream, &[Frame::Welcome(WELCOME, [0; 32])]).await;
        next(&mut inbox, &stream).await;
    })
    .await;
    let opened = Connection::open(address, Some(&ours().secret())).await;
    assert!(matches!(opened, Err(Unusable::NoProof)), "{opened:?}");
}

/// It relays everything between a prober and the true reflector, but answers pings itself.
#[tokio::test]
async fn who_hands_on_the_greeting_cannot_speak_in_the_session() {
    let file = ours();
    let (true_one, _running) = reflector(Some(file.path())).await;
    let (address, _) = liar(move |stream| async move {
        let (mut inbox, mut behind_inbox) = (FrameBuffer::default(), FrameBuffer::default());
        let Ok(behind) = TcpStream::connect(true_one).await else { return };
        for _ in 0..2 {
            let asked = next(&mut inbox, &stream).await;
            say(&behind, &[asked]).await;
            let answer = next(&mut behind_inbox, &behind).await;
            say(&stream, &[answer]).await;
        }
        let Frame::Ping { id, .. } = next(&mut inbox, &stream).await else { return };
        say(&stream, &[Frame::Pong { id, counts: SegmentCounts::default() }]).await;
        next(&mut inbox, &stream).await;
    })
    .await;
    let mut connection = Connection::open(address, Some(&file.secret())).await.expect("greeted");
    let ended = connection.exchange().await;
    assert!(matches!(ended, Err(Ended::Forged)), "{ended:?}");
}

/// Everything that a prober has sent is sent again on another connection.
#[tokio::test]
async fn a_recorded_session_proves_nothing_later() {
    let file = ours();
    let (true_one, _running) = reflector(Some(file.path())).await;
    let recorded: Arc<Mutex<Vec<Frame>>> = Arc::default();
    let record = Arc::clone(&recorded);
    let (address, _) = liar(move |stream| {
        let record = Arc::clone(&record);
        async move {
            let (mut inbox, mut behind_inbox) = (FrameBuffer::default(), FrameBuffer::default());
            let Ok(behind) = TcpStream::connect(true_one).await else { return };
            for _ in 0..2 {
                let asked = next(&mut inbox, &stream).await;
                record.lock().expect("unpoisoned").push(asked.clone());
                say(&behind, &[asked]).await;
                let answer = next(&mut behind_inbox, &behind).await;
                say(&stream, &[answer]).await;
            }
        }
    })
    .await;
    Connection::open(address, Some(&file.secret())).await.expect("greeted");
    let frames = recorded.lock().expect("unpoisoned").clone();
    assert!(matches!(frames[..], [Frame::Hello { .. }, Frame::Proof(_)]), "{frames:?}");
    let again = TcpStream::connect(true_one).await.expect("connected");
    let mut inbox = FrameBuffer::default();
    say(&again, &frames[..1]).await;
    assert!(matches!(next(&mut inbox, &again).await, Frame::Challenge { .. }));
    say(&again, &frames[1..]).await;
    assert_eq!(next(&mut inbox, &again).await, Frame::Refused(RefusalReason::Secret));
}

#[tokio::test]
async fn another_version_is_said_clearly_by_either_end() {
    let (address, _) = liar(|stream| async move {
        let mut inbox = FrameBuffer::default();
        next(&mut inbox, &stream).await;
        say(&stream, &[Frame::Refused(RefusalReason::Version)]).await;
        next(&mut inbox, &stream).await;
    })
    .await;
    let error = Connection::open(address, None).await.expect_err("another version").to_string();
    assert!(error.contains("the same version of vxlan_exporter at both ends"), "{error}");
    let (true_one, _running) = reflector(None).await;
    let stream = TcpStream::connect(true_one).await.expect("connected");
    say(&stream, &[Frame::Hello { version: VERSION - 1, nonce: [1; 16] }]).await;
    assert_eq!(next(&mut FrameBuffer::default(), &stream).await, Frame::Refused(RefusalReason::Version));
}

#[tokio::test]
async fn what_no_host_says_of_itself_is_not_believed() {
    let (address, _) = liar(|stream| async move {
        let mut inbox = FrameBuffer::default();
        next(&mut inbox, &stream).await;
        say(&stream, &[Frame::Welcome(Welcome { limit: 0, ..WELCOME }, [0; 32])]).await;
        next(&mut inbox, &stream).await;
    })
    .await;
    assert!(matches!(Connection::open(address, None).await, Err(Unusable::Impossible(_))));
}

/// It completes the greeting, answers nothing and sends as fast as it can.
#[tokio::test]
async fn who_floods_is_given_up_at_once_and_left_alone() {
    let flooded = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&flooded);
    let (address, accepted) = liar(move |stream| {
        let count = Arc::clone(&count);
        async move {
            // Data still in our own send queue was not read by the prober.
            let _ = segment::prepare(&stream);
            let mut inbox = FrameBuffer::default();
            next(&mut inbox, &stream).await;
            say(&stream, &[Frame::Welcome(WELCOME, [0; 32])]).await;
            let flood = Frame::Pong { id: u32::MAX, counts: SegmentCounts::default() }.encode();
            while stream.writable().await.is_ok() {
                match stream.try_write(&flood) {
                    Ok(bytes) => count.fetch_add(bytes, Ordering::Relaxed),
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
                    Err(_) => return,
                };
            }
        }
    })
    .await;
    let (_wanted, told) = watch::channel(Some(Measurand { address: address.ip(), expected: 1500 }));
    let (_reread, asked) = watch::channel(());
    let (news, mut hears) = mpsc::unbounded_channel();
    let tell = move |reflection| {
        let _ = news.send(reflection);
    };
    let access = ReflectorEndpoint { port: address.port(), secret_file: None };
    let following = tokio::spawn(keep_measuring(access, told, asked, tell));
    let why = timeout(PATIENCE, async {
        loop {
            if let Some(Reflection::Gone { why }) = hears.recv().await {
                break why;
            }
        }
    })
    .await
    .expect("it is given up");
    assert!(why.contains("data that was not requested") && why.contains("tried again after 30 s"), "{why}");
    // One connection for sizes, one for loss.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (connections, bytes) = (accepted.load(Ordering::Relaxed), flooded.load(Ordering::Relaxed));
    println!("a flood: {connections} connections, {bytes} bytes until it was given up");
    assert!(connections <= 2, "{connections}");
    // Both kernels' queues, filled before the first read.
    assert!(bytes < 16 << 20, "{bytes}");
    following.abort();
}
