//! Servers that behave as no sshd does. Each listens on a port of its own in the test's namespace.

use std::{
    io::Write,
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// A server; it lives as long as the test's process.
pub struct Server {
    /// The port it listens on.
    pub port: u16,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// Runs `serve` for each connection, on a thread of its own.
    pub fn start(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1:0", serve)
    }

    /// Listens on that address.
    pub fn start_at(address: &str, serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(address).expect("listen");
        let port = listener.local_addr().expect("an address").port();
        let connections = Arc::new(AtomicUsize::new(0));
        let (count, serve) = (Arc::clone(&connections), Arc::new(serve));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                count.fetch_add(1, Ordering::SeqCst);
                let serve = Arc::clone(&serve);
                thread::spawn(move || serve(stream));
            }
        });
        Self { port, connections }
    }

    /// Sends this and closes.
    pub fn saying(words: impl Into<Vec<u8>>) -> Self {
        let words = words.into();
        Self::start(move |mut stream| {
            // The client may hang up before it has read this.
            let _ = stream.write_all(&words);
        })
    }

    /// The number of connections so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}
