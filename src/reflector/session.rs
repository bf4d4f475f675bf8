//! One connection of a reflector, from the hello to its end.
//!
//! It never sends anything that was not requested, never more than was paid for ([`super::ledger`])
//! and never faster than the limits allow. Anything that is not the protocol, comes too slowly or
//! is not acknowledged ends it with a reset. So does a peer with a better claim to its seat
//! ([`super::connection_limits`]).

use std::{
    io,
    time::{Duration, Instant},
};

use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};
use tracing::debug;

use super::{
    inbox::{Ended, FrameBuffer},
    ledger::Ledger,
    own_mtu,
    protocol::{Frame, RefusalReason, SegmentCounts, VERSION, Welcome},
    seal::Seal,
    seats::Seat,
    secret::{NonceHalves, fresh_nonce},
    segment::{self, Tcp},
};
use crate::model::types::Bytes;

/// Timeout of a whole frame, and of an acknowledgement: a prober that has nothing to request closes
/// its connection.
const PATIENCE: Duration = Duration::from_secs(10);
/// Timeout of the whole greeting: three round trips, and repetitions of what is lost. A peer that
/// may not know the secret does not keep its seat for longer.
const GREETING: Duration = Duration::from_secs(5);
/// A request that the limits would delay for longer than this is not answered.
const LONGEST_DELAY: Duration = Duration::from_secs(2);
/// How often an unacknowledged answer is checked; the kernel repeats it after 200 ms at the
/// earliest.
const LOOK: Duration = Duration::from_millis(20);

/// Serves one prepared connection; when this ends it is reset.
pub(super) async fn run(stream: TcpStream, seat: Seat) {
    let peer = seat.peer;
    let evicted = seat.evicted();
    let mut session =
        Session { stream, seat, inbox: FrameBuffer::default(), ledger: Ledger::default(), seal: None };
    let end = tokio::select! {
        end = session.serve() => end,
        () = evicted.notified() => End::Evicted,
    };
    debug!(%peer, "connection ended: {end}");
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error(transparent)]
    Ended(#[from] Ended),
    #[error("no whole frame within {PATIENCE:?}")]
    Slow,
    #[error("no whole greeting within {GREETING:?}")]
    SlowGreeting,
    #[error("another one needs the seat more")]
    Evicted,
    #[error("a frame that only a reflector sends, or out of turn")]
    OutOfTurn,
    #[error("refused: {0}")]
    Refused(RefusalReason),
    #[error("asked for more than it paid for, or did not acknowledge")]
    Unpaid,
    #[error("asked for more than the limits allow")]
    Limits,
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Ended(error.into())
    }
}

struct Session {
    stream: TcpStream,
    seat: Seat,
    inbox: FrameBuffer,
    ledger: Ledger,
    /// Tags frames that are sent, once the secret is proven.
    seal: Option<Seal>,
}

impl Session {
    async fn serve(&mut self) -> End {
        let Err(end) = self.talk().await;
        if let End::Refused(refusal) = end {
            // Sent so that the prober can report the reason.
            let _ = self.answer(&[Frame::Refused(refusal)]).await;
        }
        end
    }

    async fn talk(&mut self) -> Result<std::convert::Infallible, End> {
        match timeout(GREETING, self.greet()).await {
            Ok(greeted) => greeted?,
            Err(_) => return Err(End::SlowGreeting),
        }
        loop {
            let request = self.next().await?;
            match request {
                Frame::Ping { id, .. } => {
                    let counts = self.counts()?;
                    self.answer(&[Frame::Pong { id, counts }]).await?;
                }
                Frame::Send { id, size, large_first } => self.send(id, size, large_first).await?,
                _ => return Err(End::OutOfTurn),
            }
        }
    }

    /// The greeting: hello, challenge and proof if there is a secret, welcome.
    async fn greet(&mut self) -> Result<(), End> {
        let Frame::Hello { version, nonce } = self.next().await? else { return Err(End::OutOfTurn) };
        if version != VERSION {
            return Err(End::Refused(RefusalReason::Version));
        }
        let mut halves = None;
        if let Some(secret) = self.seat.secret().cloned() {
            let both = NonceHalves { prober: nonce, reflector: fresh_nonce()? };
            self.answer(&[Frame::Challenge { nonce: both.reflector }]).await?;
            let Frame::Proof(proof) = self.next().await? else { return Err(End::OutOfTurn) };
            if !secret.accepts(&proof, &both) {
                return Err(End::Refused(RefusalReason::Secret));
            }
            if !self.seat.prove() {
                return Err(End::Refused(RefusalReason::Full));
            }
            halves = Some((secret, both));
        }
        let welcome = self.welcome()?;
        let proof = halves.as_ref().map(|(secret, halves)| secret.prove_welcome(halves, &welcome));
        self.answer(&[Frame::Welcome(welcome, proof.unwrap_or_default())]).await?;
        if let Some((secret, halves)) = halves {
            let (theirs, ours) = secret.seals(&halves);
            self.inbox.seal(theirs);
            self.seal = Some(ours);
        }
        Ok(())
    }

    fn welcome(&self) -> io::Result<Welcome> {
        let tcp = Tcp::of(&self.stream)?;
        let address = self.stream.local_addr()?.ip();
        let interface_mtu = own_mtu::mtu_of(address).unwrap_or(0);
        Ok(Welcome { interface_mtu, limit: tcp.limit, path_mtu: tcp.path_mtu })
    }

    /// Sends one segment of `size` bytes of IP packet and a small one, in the requested order.
    async fn send(&mut self, id: u32, size: Bytes, large_first: bool) -> Result<(), End> {
        let tcp = Tcp::of(&self.stream)?;
        let control = Frame::Pong { id, counts: self.counts()? };
        if size > tcp.limit {
            // The control alone tells the prober the present path MTU.
            return self.answer(&[control]).await;
        }
        let len = usize::try_from(size.saturating_sub(tcp.header)).unwrap_or(0);
        let large = Frame::Large { id, len };
        let both = if large_first { [large, control] } else { [control, large] };
        self.answer(&both).await
    }

    async fn next(&mut self) -> Result<Frame, End> {
        let Self { stream, inbox, ledger, .. } = self;
        match timeout(PATIENCE, inbox.next(stream, |bytes| ledger.read(bytes))).await {
            Ok(frame) => Ok(frame?),
            Err(_) => Err(End::Slow),
        }
    }

    /// Sends frames, each as one segment, and waits until they are acknowledged or given up.
    async fn answer(&mut self, frames: &[Frame]) -> Result<(), End> {
        let tcp = Tcp::of(&self.stream)?;
        let mut segments: Vec<Vec<u8>> = frames.iter().map(Frame::encode).collect();
        let sizes: Vec<Bytes> = segments
            .iter()
            .map(|payload| tcp.header + Bytes::try_from(payload.len()).unwrap_or(Bytes::MAX / 4))
            .collect();
        if !self.ledger.covers(&sizes, &tcp) {
            return Err(End::Unpaid);
        }
        self.keep_to_the_limits(&sizes).await?;
        self.ledger.wrote(&sizes);
        for payload in &mut segments {
            if let Some(seal) = &mut self.seal {
                seal.stamp(payload);
            }
            segment::write_segment(&self.stream, payload).await?;
        }
        self.until_acknowledged().await
    }

    async fn keep_to_the_limits(&self, sizes: &[Bytes]) -> Result<(), End> {
        let began = Instant::now();
        while let Err(wait) = self.seat.spend(sizes) {
            if wait > LONGEST_DELAY.saturating_sub(began.elapsed()) {
                return Err(End::Limits);
            }
            sleep(wait.max(Duration::from_millis(1))).await;
        }
        Ok(())
    }

    async fn until_acknowledged(&mut self) -> Result<(), End> {
        let began = Instant::now();
        let mut pause = Duration::from_millis(1);
        loop {
            let tcp = Tcp::of(&self.stream)?;
            if tcp.closed || began.elapsed() > PATIENCE || !self.ledger.observe(&tcp) {
                return Err(End::Unpaid);
            }
            if tcp.unacknowledged == 0 {
                return Ok(());
            }
            sleep(pause).await;
            pause = (pause * 2).min(LOOK);
        }
    }

    fn counts(&self) -> io::Result<SegmentCounts> {
        let tcp = Tcp::of(&self.stream)?;
        Ok(SegmentCounts { received: tcp.data_received, sent: tcp.data_sent, path_mtu: tcp.path_mtu })
    }
}
