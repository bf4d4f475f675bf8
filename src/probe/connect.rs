//! The kernel's own TCP connections: they need no privilege, and tell only whether the target is there.

use std::{io, net::SocketAddr, time::Duration};

use socket2::SockRef;
use tokio::{
    net::TcpStream,
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
};

use super::packet::Incoming;

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
    pub fn start(&self, token: u64, to: SocketAddr) {
        let answers = self.answers.clone();
        tokio::spawn(async move {
            let Ok(connected) = tokio::time::timeout(ONE_SYN, TcpStream::connect(to)).await else { return };
            let reset = match connected {
                Ok(stream) => {
                    // Closed by RST: leaves nothing behind at either end.
                    let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
                    false
                }
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => true,
                Err(_) => return,
            };
            let _ = answers.send(Incoming::Connected { token, reset });
        });
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

impl Default for Connections {
    fn default() -> Self {
        Self::new()
    }
}
