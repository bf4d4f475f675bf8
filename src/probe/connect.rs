//! The kernel's own TCP connections: they need no privilege, and tell only whether the target is there.

use std::{io, net::SocketAddr, time::Duration};

use futures_util::future::select_all;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::{
    net::TcpStream,
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
};

use super::{packet::Incoming, socket::PacketSocket, wire::Waiting};

/// The kernel sends a SYN again after 1 s (RFC 6298 section 2.1), whose answer would pass for the first one's:
/// a loss would go unseen.
const ONE_SYN: Duration = Duration::from_millis(950);

/// Connections under way, and those answered.
#[derive(Debug)]
pub struct Connections {
    answers: UnboundedSender<Incoming>,
    answered: UnboundedReceiver<Incoming>,
    /// Seen while waiting, not yet handed over.
    pending: Vec<Incoming>,
}

impl Connections {
    /// None is under way.
    #[must_use]
    pub fn new() -> Self {
        let (answers, answered) = mpsc::unbounded_channel();
        Self { answers, answered, pending: Vec::new() }
    }

    /// Connects, and closes at once: refused is an answer too. `token` names the answer.
    ///
    /// # Errors
    /// What our own host says at once; what comes later, "host unreachable" too, is silence.
    pub fn start(&self, token: u64, to: SocketAddr) -> io::Result<()> {
        let stream = begin(to)?;
        let answers = self.answers.clone();
        tokio::spawn(async move {
            let Ok(Ok(())) = tokio::time::timeout(ONE_SYN, stream.writable()).await else { return };
            let reset = match stream.take_error() {
                Ok(None) => {
                    // Closed by RST: leaves nothing behind at either end.
                    let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
                    false
                }
                Ok(Some(error)) if error.kind() == io::ErrorKind::ConnectionRefused => true,
                _ => return,
            };
            let _ = answers.send(Incoming::Connected { token, reset });
        });
        Ok(())
    }

    /// Waits for an answer; [`Connections::drain`] must follow.
    pub async fn readable(&mut self) -> io::Result<()> {
        if let Some(answer) = self.answered.recv().await {
            self.pending.push(answer);
        }
        Ok(())
    }

    /// Hands over all answers.
    pub fn drain(&mut self, each: &mut dyn FnMut(Incoming)) {
        self.pending.drain(..).for_each(&mut *each);
        while let Ok(answer) = self.answered.try_recv() {
            each(answer);
        }
    }
}

/// Sends the SYN.
fn begin(to: SocketAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    match socket.connect(&to.into()) {
        Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => return Err(error),
        _ => {}
    }
    TcpStream::from_std(socket.into())
}

impl Default for Connections {
    fn default() -> Self {
        Self::new()
    }
}

/// Waits until one of the sockets can be read or a connection is answered.
pub(super) fn any_readable<'a>(
    sockets: impl Iterator<Item = &'a PacketSocket>,
    connections: &'a mut Connections,
) -> Waiting<'a> {
    let mut waits: Vec<Waiting<'a>> = sockets.map(|socket| Box::pin(socket.readable()) as _).collect();
    waits.push(Box::pin(connections.readable()));
    Box::pin(async { select_all(waits).await.0 })
}
