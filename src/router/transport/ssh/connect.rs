//! A TCP connection to a router, and the first bytes of the server there.

use std::{
    io::{self, ErrorKind},
    net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::retry_on_intr,
    net::{RecvFlags, recv},
};
use socket2::Socket;

use crate::{
    model::{snapshot::ScrapeError, types::FailureReason},
    router::{
        parse,
        shell::{no_thread, time_left, timed_out},
    },
};

/// A connection, and the address it is connected to.
pub(crate) fn tcp(host: &str, port: u16, deadline: Instant) -> Result<(Socket, String), ScrapeError> {
    let (stream, peer) = first_that_accepts(&resolve(host, port, deadline)?, deadline)?;
    Ok((stream.into(), peer.to_string()))
}

/// The addresses of a name. The system's resolver has no deadline, so it runs on a thread that is
/// abandoned if it takes too long.
fn resolve(host: &str, port: u16, deadline: Instant) -> Result<Vec<SocketAddr>, ScrapeError> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let (tell, told) = mpsc::channel();
    let name = host.to_owned();
    thread::Builder::new()
        .name("resolve".to_owned())
        .spawn(move || {
            // After the deadline nobody receives this.
            let _ = tell.send((name.as_str(), port).to_socket_addrs().map(Vec::from_iter));
        })
        .map_err(|error| no_thread(&error))?;
    let failed = |why: &dyn std::fmt::Display| {
        let message =
            format!("cannot resolve {host}: {why}; use an address, or repair the resolver of this machine");
        ScrapeError::new(FailureReason::Dns, message)
    };
    match told.recv_timeout(time_left(deadline, "resolving the router's name")?) {
        Ok(Ok(addresses)) if addresses.is_empty() => Err(failed(&"no address")),
        Ok(answer) => answer.map_err(|error| failed(&error)),
        Err(RecvTimeoutError::Timeout) => Err(failed(&"no answer within `scrape_timeout`")),
        Err(RecvTimeoutError::Disconnected) => Err(failed(&"the resolver stopped")),
    }
}

/// Connects to the first address that accepts; each gets an equal share of the remaining time.
fn first_that_accepts(
    addresses: &[SocketAddr],
    deadline: Instant,
) -> Result<(TcpStream, SocketAddr), ScrapeError> {
    let mut last = timed_out("connecting to the router");
    for (index, address) in addresses.iter().enumerate() {
        let left = time_left(deadline, "connecting to the router")?;
        let share = left / u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        match TcpStream::connect_timeout(address, share.max(Duration::from_millis(1))) {
            Ok(socket) => return Ok((socket, *address)),
            Err(error) => last = unconnected(&error, *address),
        }
    }
    Err(last)
}

fn unconnected(error: &io::Error, address: SocketAddr) -> ScrapeError {
    if error.kind() == ErrorKind::ConnectionRefused {
        let message = format!("{address} refused the connection: does an SSH server listen there?");
        return ScrapeError::new(FailureReason::Refused, message);
    }
    ScrapeError::new(FailureReason::Connect, format!("cannot connect to {address}: {error}"))
}

/// At most `most` bytes that have arrived, without consuming them; none at the end of the
/// connection.
pub(crate) fn peek(socket: &Socket, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; most];
    let (seen, _) = recv(socket, &mut bytes[..], RecvFlags::PEEK | RecvFlags::DONTWAIT)?;
    bytes.truncate(seen);
    Ok(bytes)
}

/// The first bytes of a server: `SSH-2.0-…`, or the reason why it will not do a handshake.
pub(crate) struct Hello(Vec<u8>);

impl Hello {
    /// Waits for the first bytes without consuming them; empty if none arrive by the deadline.
    pub(crate) fn wait(socket: &Socket, deadline: Instant) -> io::Result<Self> {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = left.try_into().map_err(io::Error::other)?;
        retry_on_intr(|| poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&timeout)))?;
        Ok(Self(peek(socket, 256).unwrap_or_default()))
    }

    /// Why the handshake failed, if the server is not an SSH server or refuses logins at present.
    pub(crate) fn explain(&self, peer: &str) -> Option<ScrapeError> {
        let said = String::from_utf8_lossy(&self.0);
        let first = said.lines().next()?.trim();
        if first.is_empty() || first.starts_with("SSH-") || "SSH-".starts_with(first) {
            return None;
        }
        let said = parse::excerpt(first);
        // sshd.c: what OpenSSH says before it closes a connection that it will not serve.
        if first.starts_with("Not allowed at this time") || first.starts_with("Exceeded MaxStartups") {
            let message = format!(
                "{peer} accepts no login now, it said `{said}`: its SSH server penalises this address or \
                 has too many \
                 logins under way (`PerSourcePenalties`, `MaxStartups`); tried again less and less often"
            );
            return Some(ScrapeError::new(FailureReason::Refused, message));
        }
        let message =
            format!("{peer} is not an SSH server, it said `{said}`: are `address` and `port` right?");
        Some(ScrapeError::new(FailureReason::Connect, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_first_is_shown_and_does_nothing() {
        let said = Hello(b"\x1b[2Jno \xff\xe2\x80\xae\x07SSH\r\n$ set system login".to_vec());
        let error = said.explain("10.0.0.1:22").expect("no SSH server").to_string();
        assert!(error.contains("it said `␛[2Jno \u{fffd}<U+202E>␇SSH`"), "{error}");
    }
}
