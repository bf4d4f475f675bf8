//! Both ends over loopback, and each against a peer that lies.

mod liars;
mod seats;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use tempfile::TempDir;
use tokio::{net::TcpStream, task::JoinHandle};

use super::{
    client::{Connection, Unusable},
    protocol::Frame,
    secret::Secret,
    server::ReflectorServer,
};
use crate::model::plan::ReflectorPlan;

/// Generous, as the machine may be busy.
const PATIENCE: Duration = Duration::from_mins(1);

struct SecretFile(TempDir);

impl SecretFile {
    fn new(text: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("secret"), text).expect("written");
        Self(directory)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("secret")
    }

    fn secret(&self) -> Secret {
        Secret::load(&self.path()).expect("a secret")
    }
}

fn ours() -> SecretFile {
    SecretFile::new("correct-horse-battery")
}

/// A real reflector on its own port.
async fn reflector(secret_file: Option<PathBuf>) -> (SocketAddr, JoinHandle<()>) {
    let listen = "127.0.0.1:0".parse().expect("an address");
    let plan = ReflectorPlan { listen, allowed_sources: Vec::new(), secret_file };
    let reflector = ReflectorServer::open(&plan).await.expect("it listens");
    let address = reflector.local_addr().expect("an address");
    (address, tokio::spawn(reflector.run()))
}

/// Sends frames unchanged.
async fn say(stream: &TcpStream, frames: &[Frame]) {
    for frame in frames {
        let bytes = frame.encode();
        let mut sent = 0;
        while sent < bytes.len() && stream.writable().await.is_ok() {
            match stream.try_write(&bytes[sent..]) {
                Ok(count) => sent += count,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    }
}

#[tokio::test]
async fn both_ends_prove_the_secret_and_then_measure() {
    let file = ours();
    let (address, running) = reflector(Some(file.path())).await;
    let mut connection = Connection::open(address, Some(&file.secret())).await.expect("proven");
    for _ in 0..3 {
        connection.exchange().await.expect("a pong");
    }
    for large_first in [true, false] {
        let (pair, _) = connection.pair_forward(1500, large_first).await.expect("a pair");
        assert!(pair.control, "{pair:?}");
        let (pair, _) = connection.pair_reverse(1500, large_first).await.expect("a pair");
        assert!(pair.control, "{pair:?}");
    }
    running.abort();
}

#[tokio::test]
async fn each_end_refuses_another_secret_and_none() {
    let (right, wrong) = (ours(), SecretFile::new("another-horse-battery"));
    let (with, with_running) = reflector(Some(right.path())).await;
    let (without, without_running) = reflector(None).await;
    let open = async |address, secret: Option<Secret>| Connection::open(address, secret.as_ref()).await;
    let error = open(with, Some(wrong.secret())).await.expect_err("another secret");
    assert!(error.to_string().contains("another secret"), "{error}");
    assert!(matches!(open(with, None).await, Err(Unusable::SecretWanted)));
    assert!(matches!(open(without, Some(right.secret())).await, Err(Unusable::NoProof)));
    assert!(open(without, None).await.is_ok());
    for running in [with_running, without_running] {
        running.abort();
    }
}
