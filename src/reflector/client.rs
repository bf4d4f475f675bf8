//! A prober's connection to a reflector.

use std::{
    collections::VecDeque,
    fmt, io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    net::{TcpSocket, TcpStream},
    time::{sleep, timeout, timeout_at},
};

use super::{
    inbox::{Ended, FrameBuffer},
    outstanding::Outstanding,
    protocol::{Frame, PADDING_SEGMENT, RefusalReason, SMALL, SegmentCounts, VERSION, Welcome},
    seal::Seal,
    secret::{NonceHalves, Secret, fresh_nonce},
    segment::{self, Tcp},
};
use crate::{
    language::{Said, say},
    model::types::Bytes,
};

/// Timeout of the TCP handshake and of the protocol's own, each: a lost SYN is repeated after one
/// second.
const PATIENCE: Duration = Duration::from_secs(3);
/// Number of round trips remembered; each connection measures its own.
const ROUND_TRIPS: usize = 50;

/// Why a reflector cannot be used.
#[derive(Debug)]
pub enum Unusable {
    /// No TCP connection.
    Connect {
        /// The port.
        port: u16,
        /// The error.
        error: io::Error,
    },
    /// The connection ended during the greeting, or the peer does not speak the protocol.
    Greeting(Ended),
    /// Nothing was received.
    Mute,
    /// It refused.
    Refused(RefusalReason),
    /// It requires a secret and none is configured.
    SecretWanted,
    /// Our secret cannot be read.
    Secret(String),
    /// We have a secret and it does not ask for one.
    NoProof,
    /// Its own proof is wrong.
    FalseProof,
    /// Its values in the greeting are impossible.
    Impossible(Welcome),
    /// It broke the protocol while measuring.
    Misbehaved(Ended),
    /// It completes the greeting, but ends each connection before anything is measured.
    Unsteady(u32, Ended),
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.said(), f)
    }
}

impl std::error::Error for Unusable {}

impl Unusable {
    /// The same for a reader of any language; what the peer or the kernel says stays as it is.
    #[must_use]
    pub(crate) fn said(&self) -> Said {
        match self {
            Self::Connect { port, error } => say!("no connection to port {port}: {error}", port, error),
            Self::Greeting(ended) => say!(
                "the peer ended the greeting ({ended}): not a reflector, or our address is not in its \
                 allowed_sources",
                ended
            ),
            Self::Mute => say!("the peer accepts the connection and does not answer"),
            Self::Refused(reason) => say!("the reflector refuses: {reason}", reason),
            Self::SecretWanted => say!("the reflector requires a secret: set `reflector_secret_file`"),
            Self::Secret(error) => Said::verbatim(error.clone()),
            Self::NoProof => say!(
                "the reflector has no secret and so proves nothing: give it the same one, `secret_file`, or leave \
                 out `reflector_secret_file`"
            ),
            Self::FalseProof => {
                say!("what answers does not prove that it knows the secret: it is not our reflector")
            }
            Self::Impossible(welcome) => say!(
                "what answers describes itself as no host can be ({welcome}): it is not our reflector",
                welcome = format_args!("{welcome:?}")
            ),
            Self::Misbehaved(ended) => say!("the reflector {ended}: it is given up", ended),
            Self::Unsteady(connections, ended) => say!(
                "the reflector ended {connections} connections one after the other before anything was measured, \
                 last: {ended}",
                connections,
                ended
            ),
        }
    }

    /// Whether trying again at once may help: after lost packets, but not after a refusal.
    #[must_use]
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Connect { error, .. } => error.kind() == io::ErrorKind::TimedOut,
            Self::Mute => true,
            _ => false,
        }
    }

    /// Whether it is not our reflector, or lies: it is not tried again soon.
    #[must_use]
    pub(crate) fn is_misbehaviour(&self) -> bool {
        match self {
            Self::FalseProof | Self::Impossible(_) | Self::Misbehaved(_) => true,
            Self::Greeting(ended) => ended.is_misbehaviour(),
            _ => false,
        }
    }
}

/// An open connection, ready to measure. Dropping it resets it, so that a segment stuck in a hole
/// is not sent any more.
#[derive(Debug)]
pub struct Connection {
    pub(super) stream: TcpStream,
    inbox: FrameBuffer,
    /// The reflector's values from the greeting.
    pub welcome: Welcome,
    asked: Outstanding,
    /// Tags frames that are sent, once the secret is proven.
    seal: Option<Seal>,
    last_id: u32,
    round_trips: VecDeque<Duration>,
}

impl Connection {
    /// Connects and completes the greeting.
    pub async fn open(address: SocketAddr, secret: Option<&Secret>) -> Result<Self, Unusable> {
        let port = address.port();
        let began = Instant::now();
        let stream = connect(address).await.map_err(|error| match error.kind() {
            // The peer accepted and closed at once: the reset may arrive before `connect` returns.
            io::ErrorKind::ConnectionReset => Unusable::Greeting(error.into()),
            _ => Unusable::Connect { port, error },
        })?;
        let mut connection = Self {
            stream,
            inbox: FrameBuffer::default(),
            welcome: Welcome::default(),
            asked: Outstanding::default(),
            seal: None,
            last_id: 0,
            round_trips: VecDeque::from([began.elapsed()]),
        };
        match timeout(PATIENCE, connection.greet(secret)).await {
            Ok(Ok(())) => Ok(connection),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(Unusable::Mute),
        }
    }

    async fn greet(&mut self, secret: Option<&Secret>) -> Result<(), Unusable> {
        let ended = |error: io::Error| Unusable::Greeting(error.into());
        let nonce = fresh_nonce().map_err(ended)?;
        self.send_padded(&Frame::Hello { version: VERSION, nonce }).await.map_err(ended)?;
        let mut answer = self.frame().await.map_err(Unusable::Greeting)?;
        let mut halves = None;
        if let Frame::Challenge { nonce: reflector } = answer {
            let secret = secret.ok_or(Unusable::SecretWanted)?;
            let both = NonceHalves { prober: nonce, reflector };
            self.send_padded(&Frame::Proof(secret.prove(&both))).await.map_err(ended)?;
            answer = self.frame().await.map_err(Unusable::Greeting)?;
            halves = Some(both);
        }
        let (welcome, proof) = match answer {
            Frame::Welcome(welcome, proof) => (welcome, proof),
            Frame::Refused(refusal) => return Err(Unusable::Refused(refusal)),
            _ => return Err(Unusable::Greeting(Ended::Unasked)),
        };
        match (secret, halves) {
            (Some(secret), Some(halves)) if secret.accepts_welcome(&proof, &halves, &welcome) => {
                let (ours, theirs) = secret.seals(&halves);
                self.seal = Some(ours);
                self.inbox.seal(theirs);
            }
            (Some(_), Some(_)) => return Err(Unusable::FalseProof),
            (Some(_), None) => return Err(Unusable::NoProof),
            (None, _) => {}
        }
        if !welcome.is_possible() {
            return Err(Unusable::Impossible(welcome));
        }
        self.welcome = welcome;
        Ok(())
    }

    /// A number that was not yet used on this connection.
    pub(super) fn new_id(&mut self) -> u32 {
        self.last_id = self.last_id.wrapping_add(1);
        self.last_id
    }

    /// The kernel's data about the connection.
    pub(crate) fn tcp(&self) -> io::Result<Tcp> {
        Tcp::of(&self.stream)
    }

    /// Timeout of an answer: max(200 ms, 4 x the longest of the last round trips), at most 2 s.
    #[must_use]
    pub(crate) fn patience(&self) -> Duration {
        let longest = self.round_trips.iter().max().copied().unwrap_or_default();
        (longest * 4).clamp(Duration::from_millis(200), Duration::from_secs(2))
    }

    /// Sends a ping whose segment has `size` bytes of IP packet, at least the size of a small one.
    pub(super) async fn ping(&mut self, id: u32, size: Bytes) -> io::Result<()> {
        let header = self.tcp()?.header;
        let len = usize::try_from(size.saturating_sub(header)).unwrap_or(0).max(SMALL);
        let bytes = self.sealed(&Frame::Ping { id, len });
        self.asked.pong(id);
        segment::write_segment(&self.stream, &bytes).await
    }

    /// Sends a small ping and returns the reflector's counts from its pong, without a timeout.
    pub async fn exchange(&mut self) -> Result<SegmentCounts, Ended> {
        let id = self.new_id();
        let began = Instant::now();
        self.ping(id, 0).await?;
        loop {
            if let Frame::Pong { id: answered, counts } = self.next().await?
                && answered == id
            {
                self.round_trips.push_back(began.elapsed());
                if self.round_trips.len() > ROUND_TRIPS {
                    self.round_trips.pop_front();
                }
                return Ok(counts);
            }
        }
    }

    /// Sends a small ping and returns the counts from its pong, within the timeout of an answer.
    pub(super) async fn small_exchange(&mut self) -> Result<SegmentCounts, Ended> {
        let patience = self.patience();
        timeout(patience, self.exchange())
            .await
            .unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
    }

    /// Requests a segment of `size` bytes of IP packet and a small one.
    pub(super) async fn ask(&mut self, id: u32, size: Bytes, large_first: bool) -> io::Result<()> {
        self.asked.large(id, size);
        self.asked.pong(id);
        self.send_padded(&Frame::Send { id, size, large_first }).await
    }

    /// Sends a padded request in small segments.
    async fn send_padded(&mut self, frame: &Frame) -> io::Result<()> {
        let bytes = self.sealed(frame);
        segment::write_segments(&self.stream, &bytes, PADDING_SEGMENT).await
    }

    fn sealed(&mut self, frame: &Frame) -> Vec<u8> {
        let mut bytes = frame.encode();
        if let Some(seal) = &mut self.seal {
            seal.stamp(&mut bytes);
        }
        bytes
    }

    /// Waits until the reflector's kernel has everything; `false` at the deadline.
    pub(super) async fn until_acknowledged(&self, deadline: Instant) -> io::Result<bool> {
        let mut pause = Duration::from_millis(1);
        while self.tcp()?.unacknowledged > 0 {
            if Instant::now() >= deadline {
                return Ok(false);
            }
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(10));
        }
        Ok(true)
    }

    /// The next frame; an error if it was not requested.
    async fn next(&mut self) -> Result<Frame, Ended> {
        let frame = self.frame().await?;
        if self.asked.takes(&frame) { Ok(frame) } else { Err(Ended::Unasked) }
    }

    async fn frame(&mut self) -> Result<Frame, Ended> {
        segment::acknowledge_quickly(&self.stream);
        self.inbox.next(&self.stream, |_| ()).await
    }

    /// The next frame, or `None` at the deadline.
    pub(super) async fn next_until(&mut self, deadline: Instant) -> Result<Option<Frame>, Ended> {
        timeout_at(deadline.into(), self.next()).await.ok().transpose()
    }
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    segment::prepare(&socket)?;
    segment::bound_what_waits(&socket)?;
    timeout(PATIENCE, socket.connect(address)).await.unwrap_or_else(|_| {
        Err(io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {PATIENCE:?}")))
    })
}
