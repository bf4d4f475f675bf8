//! TCP connections made by the kernel. They need no privilege, and show whether the target is
//! there, or whether it acknowledges a byte.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use futures_util::future::select_all;
use nix::sys::socket::getsockopt;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::{
    net::TcpStream,
    sync::{
        Semaphore,
        mpsc::{self, UnboundedReceiver, UnboundedSender},
    },
    time::{Instant, sleep, timeout},
};

use super::{packet::Incoming, socket::PacketSocket, wire::SocketWait};
use crate::{
    path::probe::{ACKNOWLEDGED_WITHIN, ByteFate, CONNECTS_WITHIN},
    reflector::tcp_info::Info,
};

/// The kernel repeats a SYN after 1 s (RFC 6298 section 2.1). The answer to the copy would be taken
/// for one to the first SYN, which hides a loss.
const ONE_SYN: Duration = Duration::from_millis(950);

/// Most connections in progress that carry a byte, over all paths.
const BYTES: usize = 128;
/// An empty line: it requests nothing in text protocols, and is an incomplete message in others.
const BYTE: &[u8] = b"\n";
/// First interval of checking whether the byte was acknowledged; later checks are further apart.
const FIRST_LOOK: Duration = Duration::from_millis(2);
const SLOWEST_LOOK: Duration = Duration::from_millis(50);
/// `TCP_CLOSE` of the kernel's `tcp_states.h`.
const CLOSED: u8 = 7;

/// Connections in progress, and answers not yet handed over.
#[derive(Debug)]
pub(crate) struct Connections {
    places: Arc<Semaphore>,
    answers: UnboundedSender<Incoming>,
    answered: UnboundedReceiver<Incoming>,
    /// Answers seen while waiting, not yet handed over.
    pending: Vec<Incoming>,
}

impl Connections {
    /// Starts with no connection in progress.
    #[must_use]
    pub(crate) fn new() -> Self {
        let (answers, answered) = mpsc::unbounded_channel();
        Self { places: Arc::new(Semaphore::new(BYTES)), answers, answered, pending: Vec::new() }
    }

    /// Connects, and closes at once; a refused connection is an answer too. `token` identifies the
    /// answer.
    ///
    /// # Errors
    /// Errors that our own host reports at once. Later ones, including "host unreachable", count as
    /// silence.
    pub(crate) fn start(&self, token: u64, to: SocketAddr) -> io::Result<()> {
        let stream = begin(to)?;
        let answers = self.answers.clone();
        tokio::spawn(async move {
            if let Some(reset) = is_reset(stream).await {
                let _ = answers.send(Incoming::Connected { token, reset });
            }
        });
        Ok(())
    }

    /// Connects, sends a byte, and closes when it is acknowledged. The result is reported in any
    /// case; `token` identifies it.
    ///
    /// # Errors
    /// Errors that our own host reports at once, and `ResourceBusy` if too many are in progress.
    pub(crate) fn send_byte(&self, token: u64, to: SocketAddr) -> io::Result<()> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| io::Error::from(io::ErrorKind::ResourceBusy))?;
        let stream = begin(to)?;
        let answers = self.answers.clone();
        tokio::spawn(async move {
            let fate = fate_of_byte(&stream).await;
            close_by_reset(&stream);
            drop((stream, place));
            let _ = answers.send(Incoming::Byte { token, fate });
        });
        Ok(())
    }

    /// Waits for an answer; [`Connections::drain`] must follow.
    pub(crate) async fn readable(&mut self) -> io::Result<()> {
        if let Some(answer) = self.answered.recv().await {
            self.pending.push(answer);
        }
        Ok(())
    }

    /// Hands over all answers.
    pub(crate) fn drain(&mut self, each: &mut dyn FnMut(Incoming, std::time::Instant)) {
        let now = std::time::Instant::now();
        self.pending.drain(..).for_each(|answer| each(answer, now));
        while let Ok(answer) = self.answered.try_recv() {
            each(answer, now);
        }
    }
}

/// Sends one SYN, and closes at once; whether it was answered by a reset, `None` if by nothing.
pub(crate) async fn syn(to: SocketAddr) -> Option<bool> {
    is_reset(begin(to).ok()?).await
}

/// Whether the SYN of this connection is answered by a reset.
async fn is_reset(stream: TcpStream) -> Option<bool> {
    timeout(ONE_SYN, stream.writable()).await.ok()?.ok()?;
    match stream.take_error() {
        Ok(None) => {
            close_by_reset(&stream);
            Some(false)
        }
        Ok(Some(error)) if error.kind() == io::ErrorKind::ConnectionRefused => Some(true),
        Ok(Some(error)) if is_hung_up(&error) => Some(false),
        _ => None,
    }
}

async fn fate_of_byte(stream: &TcpStream) -> ByteFate {
    let connected = timeout(CONNECTS_WITHIN, stream.writable()).await;
    match stream.take_error() {
        Ok(None) if matches!(connected, Ok(Ok(()))) => {}
        Ok(Some(error)) if error.kind() == io::ErrorKind::ConnectionRefused => return ByteFate::Refused,
        Ok(Some(error)) if is_hung_up(&error) => return ByteFate::Passed,
        _ => return ByteFate::Unconnected,
    }
    if stream.try_write(BYTE).is_err() {
        // The target has already ended the connection.
        return ByteFate::Passed;
    }
    let (until, mut wait) = (Instant::now() + ACKNOWLEDGED_WITHIN, FIRST_LOOK);
    loop {
        sleep(wait).await;
        // Checked once more after the time limit, as this process may have been stopped meanwhile.
        match getsockopt(stream, Info) {
            Ok(info) if info.state == CLOSED => return ended(stream),
            Ok(info) if info.unacked == 0 && info.notsent_bytes == 0 => return ByteFate::Passed,
            _ if Instant::now() >= until => return ByteFate::Unacknowledged,
            _ => wait = (wait * 2).min(SLOWEST_LOOK),
        }
    }
}

/// The connection has ended: by the target, unless the kernel gave it up.
fn ended(stream: &TcpStream) -> ByteFate {
    match stream.take_error() {
        Ok(Some(error)) if !is_hung_up(&error) => ByteFate::Unacknowledged,
        _ => ByteFate::Passed,
    }
}

/// Whether the connection was reset after it was established (`tcp_reset`). After a FIN the error
/// is `EPIPE`, before it was established `ECONNREFUSED`.
fn is_hung_up(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
}

/// Closes by RST, which leaves no state at either end.
fn close_by_reset(stream: &TcpStream) {
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
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

/// Waits until one of the sockets is readable or a connection is answered.
pub(super) fn any_readable<'a>(
    sockets: impl Iterator<Item = &'a PacketSocket>,
    connections: &'a mut Connections,
) -> SocketWait<'a> {
    let mut waits: Vec<SocketWait<'a>> = sockets.map(|socket| Box::pin(socket.readable()) as _).collect();
    waits.push(Box::pin(connections.readable()));
    Box::pin(async { select_all(waits).await.0 })
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn fate(to: SocketAddr) -> ByteFate {
        let mut connections = Connections::new();
        connections.send_byte(7, to).expect("it leaves");
        connections.readable().await.expect("it is told");
        let mut told = None;
        connections.drain(&mut |incoming, _| told = Some(incoming));
        assert_eq!(connections.places.available_permits(), BYTES, "its place is free again");
        match told {
            Some(Incoming::Byte { token: 7, fate }) => fate,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_byte_is_acknowledged_by_the_kernel_whether_its_server_looks_at_it_or_not() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let to = listener.local_addr().expect("bound");
        assert_eq!(fate(to).await, ByteFate::Passed);
        assert_eq!(fate(to).await, ByteFate::Passed);
        drop(listener);
        assert_eq!(fate(to).await, ByteFate::Refused);
    }

    #[tokio::test]
    async fn a_server_that_hangs_up_at_once_is_alive() {
        for by_reset in [true, false] {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
            let to = listener.local_addr().expect("bound");
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    if by_reset {
                        close_by_reset(&stream);
                    }
                }
            });
            for _ in 0..20 {
                assert_eq!(fate(to).await, ByteFate::Passed);
            }
        }
    }

    /// With `tcp_abort_on_overflow=0` the kernel does not answer SYNs while the accept queue is
    /// full, so the port looks silent.
    #[tokio::test]
    async fn a_full_accept_queue_answers_no_syn() {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("opened");
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("bound");
        socket.listen(1).expect("listening");
        let to = socket.local_addr().expect("bound").as_socket().expect("of IPv4");
        // One more than the length of the queue.
        let queued = [fate(to).await, fate(to).await];
        assert_eq!(queued, [ByteFate::Passed; 2]);
        assert_eq!(fate(to).await, ByteFate::Unconnected);
    }
}
