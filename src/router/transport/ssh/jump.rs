//! A connection through another router: `direct-tcpip` (RFC 4254 section 7.2).
//!
//! libssh2 needs a kernel socket, and a channel is none. So a thread copies bytes between the
//! channel and one end of a socket pair; the session to the far router uses the other end. Each
//! router behind a jump has its own connection to the jump router, so that one that hangs does not
//! hold up the others: libssh2 opens one channel of a session at a time, and a dead target keeps it
//! waiting for minutes.
//!
//! The thread waits in `poll` and nowhere else. It ends when either side closes: cutting the near
//! socket at a deadline ends the far one, and the other way round.

use std::{
    io::{self, ErrorKind, Read, Write},
    os::unix::net::UnixStream,
    thread,
    time::Instant,
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::retry_on_intr,
};
use socket2::Socket;
use ssh2::{BlockDirections, Channel};

use super::{LiveSession, failure};
use crate::{
    model::{
        plan::{JumpPlan, SshPlan},
        snapshot::ScrapeError,
        types::FailureReason,
    },
    router::shell::no_thread,
};

/// Bytes copied at a time, in each direction.
const CARRIED: usize = 32 << 10;

/// A socket that leads through `jump` to the router of `plan`, and its name for messages.
pub(crate) fn through(
    jump: &JumpPlan,
    plan: &SshPlan,
    deadline: Instant,
) -> Result<(Socket, String), ScrapeError> {
    let gate = LiveSession::connect(&jump.ssh, deadline).map_err(|error| on_the_way(jump, &error))?;
    let target = format!("{}:{}", plan.address, plan.port);
    let channel = gate.guarded(deadline, "connecting through the jump router", || {
        let opened = gate.session.channel_direct_tcpip(&plan.address, plan.port, None);
        opened.map_err(|error| failure::forwarding(&error, jump.router.as_str(), &target))
    })?;
    let peer = format!("{target} through {}", jump.router);
    let unusable = |error: io::Error| failure::unusable(&peer, &error);
    let (near, far) = UnixStream::pair().map_err(unusable)?;
    far.set_nonblocking(true).map_err(unusable)?;
    gate.session.set_blocking(false);
    thread::Builder::new()
        .name("jump".to_owned())
        .spawn(move || {
            // However it ended, both sides are closed now, and the session over this socket
            // notices.
            let _ = Carrier { gate: &gate, channel, far }.carry();
        })
        .map_err(|error| no_thread(&error))?;
    Ok((near.into(), peer))
}

/// The error for a fault at the jump router. It must not read as one of the router behind: that
/// router's own host key, login and commands have not been tried.
fn on_the_way(jump: &JumpPlan, error: &ScrapeError) -> ScrapeError {
    let reason = match error.reason {
        reason @ (FailureReason::Timeout | FailureReason::Config) => reason,
        _ => FailureReason::Connect,
    };
    ScrapeError::new(reason, format!("cannot go through router {}: {error}", jump.router))
}

struct Carrier<'a> {
    gate: &'a LiveSession,
    channel: Channel,
    far: UnixStream,
}

impl Carrier<'_> {
    /// Copies until either side ends.
    fn carry(mut self) -> io::Result<()> {
        let (mut out, mut back) = (Buffer::default(), Buffer::default());
        loop {
            let mut moved = false;
            if out.is_empty() {
                moved |= out.fill(|space| self.far.read(space))?;
            }
            if !out.is_empty() {
                moved |= out.drain(|bytes| self.sending(|channel| channel.write(bytes)))?;
            }
            if back.is_empty() {
                moved |= back.fill(|space| self.sending(|channel| channel.read(space)))?;
            }
            if !back.is_empty() {
                moved |= back.drain(|bytes| self.far.write(bytes))?;
            }
            if !moved {
                self.wait(&out, &back)?;
            }
        }
    }

    /// Repeats a call of libssh2 while it is in the middle of sending a packet: nothing else may be
    /// sent before that is finished, and even a read may have to send.
    fn sending(&mut self, mut call: impl FnMut(&mut Channel) -> io::Result<usize>) -> io::Result<usize> {
        loop {
            match call(&mut self.channel) {
                Err(error) if error.kind() == ErrorKind::WouldBlock && self.is_sending() => {
                    let far = PollFd::new(&self.far, PollFlags::empty());
                    Self::until(&mut [PollFd::new(&self.gate.socket, PollFlags::OUT), far])?;
                }
                outcome => return outcome,
            }
        }
    }

    fn is_sending(&self) -> bool {
        matches!(self.gate.session.block_directions(), BlockDirections::Outbound | BlockDirections::Both)
    }

    /// Waits until something can be copied again. A side whose bytes cannot be taken is not read
    /// from.
    fn wait(&self, out: &Buffer, back: &Buffer) -> io::Result<()> {
        let mut far = PollFlags::empty();
        far.set(PollFlags::IN, out.is_empty());
        far.set(PollFlags::OUT, !back.is_empty());
        let mut gate = PollFlags::empty();
        gate.set(PollFlags::IN, back.is_empty() || !out.is_empty());
        Self::until(&mut [PollFd::new(&self.gate.socket, gate), PollFd::new(&self.far, far)])
    }

    /// Waits for `sockets`, of which the last is the far one; a far socket that was cut ends the
    /// copying.
    fn until(sockets: &mut [PollFd<'_>]) -> io::Result<()> {
        retry_on_intr(|| poll(sockets, None))?;
        let cut = sockets.iter().any(|socket| socket.revents().intersects(PollFlags::HUP | PollFlags::ERR));
        // What the jump router sent before it closed must still be read.
        let unread = sockets.iter().any(|socket| socket.revents().contains(PollFlags::IN));
        if cut && !unread { Err(ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }
}

/// Bytes in transit. They stay in place until they are sent: libssh2 requires the same bytes when a
/// call is repeated.
#[derive(Default)]
struct Buffer {
    bytes: Vec<u8>,
    gone: usize,
}

impl Buffer {
    fn is_empty(&self) -> bool {
        self.gone == self.bytes.len()
    }

    /// Whether anything was read. The end of the source is an error, as there is nothing left to
    /// copy.
    fn fill(&mut self, read: impl FnOnce(&mut [u8]) -> io::Result<usize>) -> io::Result<bool> {
        self.gone = 0;
        self.bytes.resize(CARRIED, 0);
        let read = read(&mut self.bytes);
        self.bytes.truncate(*read.as_ref().unwrap_or(&0));
        match moved(read)? {
            Some(0) => Err(ErrorKind::UnexpectedEof.into()),
            came => Ok(came.is_some()),
        }
    }

    /// Whether anything was written.
    fn drain(&mut self, write: impl FnOnce(&[u8]) -> io::Result<usize>) -> io::Result<bool> {
        let went = moved(write(&self.bytes[self.gone..]))?;
        self.gone += went.unwrap_or(0);
        Ok(went.is_some())
    }
}

/// `None` if the call would have to wait.
fn moved(outcome: io::Result<usize>) -> io::Result<Option<usize>> {
    match outcome {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(None),
        Err(error) => Err(error),
    }
}
