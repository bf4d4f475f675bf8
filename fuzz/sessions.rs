//! Both ends of a reflector's connection, each against a peer that sends anything. Shared like
//! `doors.rs`.
#![allow(dead_code)]

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket, TcpStream},
    runtime::Runtime,
    time::timeout,
};
use vxlan_exporter::{
    model::plan::ReflectorPlan,
    reflector::{
        client::Connection,
        protocol::{Frame, VERSION},
        secret::Secret,
        server::ReflectorServer,
    },
};

/// Longer than any timeout of either end, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

struct Ends {
    runtime: Runtime,
    secret: Secret,
    /// One without a secret, one with a secret.
    reflectors: [SocketAddr; 2],
}

static ENDS: LazyLock<Ends> = LazyLock::new(|| {
    let runtime = Runtime::new().expect("a runtime");
    let file = std::env::temp_dir().join(format!("reflector-secret-{}", std::process::id()));
    fs::write(&file, "correct-horse-battery").expect("a file");
    let secret = Secret::load(&file).expect("a secret");
    let reflectors = [None, Some(file.clone())].map(|file| runtime.block_on(reflector(file)));
    let _ = fs::remove_file(file);
    Ends { runtime, secret, reflectors }
});

async fn reflector(secret_file: Option<PathBuf>) -> SocketAddr {
    let listen = "127.0.0.1:0".parse().expect("an address");
    let plan = ReflectorPlan { listen, allowed_sources: Vec::new(), secret_file };
    let reflector = ReflectorServer::open(&plan).await.expect("it listens");
    let address = reflector.local_addr().expect("an address");
    tokio::spawn(reflector.run());
    address
}

/// Connects from another host each time, so that no connection uses up the allowance of the others.
async fn stranger(to: SocketAddr) -> TcpStream {
    static LAST: AtomicU32 = AtomicU32::new(0);
    let [_, a, b, c] = (LAST.fetch_add(1, Ordering::Relaxed) % 0x00ff_fffe + 1).to_be_bytes();
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((Ipv4Addr::new(127, a, b, c), 0).into()).expect("all of 127/8 is ours");
    socket.connect(to).await.expect("it listens")
}

async fn say(stream: &mut TcpStream, bytes: &[u8]) -> Vec<u8> {
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    answer
}

/// A reflector that receives this ends the connection, and measures with the next prober.
async fn as_prober(reflector: SocketAddr, bytes: &[u8]) {
    say(&mut stranger(reflector).await, bytes).await;
    let hello = Frame::Hello { version: VERSION, nonce: [7; 16] }.encode();
    let answer = say(&mut stranger(reflector).await, &hello).await;
    let greeted = Frame::decode(&answer);
    assert!(
        matches!(greeted, Ok(Some((Frame::Welcome(..) | Frame::Challenge { .. }, _)))),
        "the next prober hears {greeted:?}"
    );
}

/// A prober that receives this measures something or gives up.
async fn as_reflector(secret: Option<&Secret>, bytes: &[u8]) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let lie = async {
        if let Ok((mut stream, _)) = listener.accept().await {
            say(&mut stream, bytes).await;
        }
    };
    let measure = async {
        let Ok(mut connection) = Connection::open(address, secret).await else { return };
        let _ = connection.exchange().await;
        let _ = connection.pair_forward(1500, true).await;
        let _ = connection.pair_reverse(1500, false).await;
    };
    tokio::join!(lie, measure);
}

/// Sends the bytes to either end, with and without a secret.
pub fn reflector_sessions(bytes: &[u8]) {
    let ends = &*ENDS;
    let all = async {
        for reflector in ends.reflectors {
            as_prober(reflector, bytes).await;
        }
        for secret in [None, Some(&ends.secret)] {
            as_reflector(secret, bytes).await;
        }
    };
    let ended = ends.runtime.block_on(async { timeout(PATIENCE, all).await });
    assert!(ended.is_ok(), "one of them goes on for longer than {PATIENCE:?}");
}
