//! Answers other processes on this machine that ask whether the exporter is healthy, above all a
//! kubelet's `exec` probe.
//!
//! It is an abstract Unix socket, served by an operating system thread. It needs no TLS, no user
//! and no HTTP connection, so that neither a lock nor too many HTTP clients make an exporter look
//! dead. Its name contains the HTTP port and the process's PID namespace, so that two pods in one
//! node's network do not collide.

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

/// Timeout at either end.
const PATIENCE: Duration = Duration::from_secs(3);
/// Pause after a failure to accept.
const PAUSE: Duration = Duration::from_millis(100);
const WELL: &str = "healthy\n";

fn name(port: u16) -> io::Result<SocketAddr> {
    let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    SocketAddr::from_abstract_name(format!("vxlan_exporter:{port}:{}", namespace.display()))
}

/// Answers for the exporter on that port as long as the process lives. A failure is only logged, as
/// nothing else depends on it.
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
        // The other end may be gone; a few bytes always fit into the socket's buffer.
        let _ = stream.write_all(words.as_bytes());
    }
}

/// The answer of the exporter on that port, and whether it is healthy. Only a process of the same
/// user or of root is believed.
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
        // No exporter that a test starts uses this port.
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
        assert_eq!(told, (false, "not healthy: probes has made no progress for 9 s\n".to_owned()));
    }
}
