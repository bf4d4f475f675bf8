//! Clients that take places and send nothing useful: many at once, each from an address of
//! 127.0.0.0/8, and each back soon after its connection was closed.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use openssl::base64;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    runtime::{Builder, Runtime},
    time::sleep,
};

/// What such a client does with its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Habit {
    /// Connects and sends nothing.
    Mute,
    /// Requests once, reads the answer, and requests again after this long.
    AsksEvery(Duration),
    /// Sends the head of a request byte by byte.
    Slowloris,
    /// Requests much and reads one byte of it per second.
    SlowReader,
    /// Logs in as `prometheus` with a new password each time.
    Guesser,
}

/// Attackers that run until this is dropped.
pub struct Attackers {
    _runtime: Runtime,
    connected: Arc<AtomicUsize>,
}

impl Attackers {
    /// Starts `count` of them from this many addresses, 127.9.0.1 and up.
    pub fn start(port: u16, count: usize, addresses: usize, habit: Habit) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let connected = Arc::new(AtomicUsize::new(0));
        for number in 0..count {
            let host = u16::try_from(number % addresses).expect("a /16") + 1;
            let from = Ipv4Addr::new(127, 9, host.to_be_bytes()[0], host.to_be_bytes()[1]);
            let connected = Arc::clone(&connected);
            runtime.spawn(async move {
                loop {
                    if let Ok(stream) = connect(from, port).await {
                        connected.fetch_add(1, Ordering::Relaxed);
                        let _ = attack(stream, habit).await;
                    }
                    sleep(Duration::from_secs(10)).await;
                }
            });
        }
        Self { _runtime: runtime, connected }
    }

    /// Waits until there were this many connections, repeated ones included.
    pub fn wait_for(&self, connections: usize) {
        let end = Instant::now() + Duration::from_mins(1);
        while self.connected.load(Ordering::Relaxed) < connections {
            assert!(Instant::now() < end, "only {} connections", self.connected.load(Ordering::Relaxed));
            thread::sleep(Duration::from_millis(20));
        }
    }
}

async fn connect(from: Ipv4Addr, port: u16) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(4096)?;
    socket.bind(SocketAddr::from((from, 0)))?;
    socket.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await
}

const REQUEST: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";

async fn attack(mut stream: TcpStream, habit: Habit) -> std::io::Result<()> {
    let mut buffer = [0; 4096];
    match habit {
        Habit::Mute => while stream.read(&mut buffer).await? > 0 {},
        Habit::AsksEvery(pause) => loop {
            stream.write_all(REQUEST).await?;
            let next = sleep(pause);
            tokio::pin!(next);
            loop {
                tokio::select! {
                    () = &mut next => break,
                    read = stream.read(&mut buffer) => if read? == 0 { return Ok(()) },
                }
            }
        },
        Habit::Slowloris => {
            stream.write_all(b"GET /metrics HTTP/1.1\r\nX: ").await?;
            loop {
                stream.write_all(b"x").await?;
                sleep(Duration::from_millis(500)).await;
            }
        }
        Habit::SlowReader => {
            stream.write_all(&REQUEST.repeat(200)).await?;
            while stream.read(&mut buffer[..1]).await? > 0 {
                sleep(Duration::from_secs(1)).await;
            }
        }
        Habit::Guesser => {
            for number in 0_u64.. {
                let guess = format!("prometheus:{}-{number}", stream.local_addr()?);
                let guess = base64::encode_block(guess.as_bytes());
                let request =
                    format!("GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {guess}\r\n\r\n");
                stream.write_all(request.as_bytes()).await?;
                if stream.read(&mut buffer).await? == 0 {
                    break;
                }
            }
        }
    }
    Ok(())
}
