//! Where a process on the same machine asks whether all parts of the exporter run: a kubelet's `exec` probe, above all.
//!
//! An abstract Unix socket, answered by a thread of the operating system. It needs no TLS, no user and no place among the
//! connections over HTTP, so that neither a lock nor a crowd at that door makes an exporter look dead. Its name has the port of
//! HTTP and the process's PID namespace: two pods in one node's network do not meet.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    os::{
        linux::net::SocketAddrExt as _,
        unix::net::{SocketAddr, UnixListener, UnixStream},
    },
    thread,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use nix::{
    sys::socket::{getsockopt, sockopt::PeerCredentials},
    unistd::geteuid,
};
use tracing::warn;

use super::Supervisor;

/// How long either end waits for the other.
const PATIENCE: Duration = Duration::from_secs(3);
/// After an attempt to accept that failed.
const PAUSE: Duration = Duration::from_millis(100);
const WELL: &str = "healthy\n";

fn name(port: u16) -> io::Result<SocketAddr> {
    let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    SocketAddr::from_abstract_name(format!("vxlan_exporter:{port}:{}", namespace.display()))
}

/// Answers for the exporter at that port, for as long as the process lives. Where that cannot be, it is said: nothing else needs it.
pub fn open(supervisor: Supervisor, port: u16) {
    let opened = name(port).and_then(|name| UnixListener::bind_addr(&name)).and_then(|listener| {
        thread::Builder::new().name("healthy".to_owned()).spawn(move || answer(&listener, &supervisor))
    });
    if let Err(error) = opened {
        warn!(%error, port, "`vxlan_exporter healthy` cannot ask here");
    }
}

fn answer(listener: &UnixListener, supervisor: &Supervisor) {
    loop {
        let Ok((mut stream, _)) = listener.accept() else {
            thread::sleep(PAUSE);
            continue;
        };
        let words = supervisor
            .trouble()
            .map_or_else(|| WELL.to_owned(), |trouble| format!("not healthy: {trouble}\n"));
        // Whoever asked may have gone; a few bytes always find a place in the socket's buffer.
        let _ = stream.write_all(words.as_bytes());
    }
}

/// What the exporter at that port says of itself, and whether that is good. Only one of the same user, or root's, is believed.
pub fn ask(port: u16) -> anyhow::Result<(bool, String)> {
    let stream = name(port)
        .and_then(|name| UnixStream::connect_addr(&name))
        .with_context(|| format!("no vxlan_exporter in this PID namespace answers at port {port}"))?;
    let peer = getsockopt(&stream, PeerCredentials)?.uid();
    ensure!(peer == 0 || peer == geteuid().as_raw(), "user {peer} answers in the exporter's place");
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut words = String::new();
    stream.take(4096).read_to_string(&mut words).context("the exporter does not answer")?;
    Ok((words == WELL, words))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::supervise::Task;

    #[test]
    fn who_asks_is_told_what_is_wrong() {
        // No port of an exporter that a test starts.
        let port = 1;
        assert!(ask(port).is_err());
        let supervisor = Supervisor::default();
        open(supervisor.clone(), port);
        assert_eq!(ask(port).expect("an answer"), (true, WELL.to_owned()));
        let _silent = supervisor.watch(Task::Probes, "");
        for _ in 0..40 {
            supervisor.look(Duration::from_millis(250));
        }
        let told = ask(port).expect("an answer");
        assert_eq!(told, (false, "not healthy: probes makes no progress since 9 s\n".to_owned()));
    }
}
