//! A reflector: its listening socket, and which peers may use it.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use pnet::ipnetwork::IpNetwork;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tracing::{debug, info, warn};

use super::{
    seats::{Seat, Seats},
    secret::Secret,
    segment, session,
};
use crate::{
    listen::{self, ListenAddress},
    model::plan::ReflectorPlan,
};

/// Pause after a failure to accept, which is mostly a lack of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// A listening reflector.
#[derive(Debug)]
pub struct ReflectorServer {
    listener: TcpListener,
    allowed: Vec<IpNetwork>,
    seats: Arc<Seats>,
}

impl ReflectorServer {
    /// Reads the secret and opens the socket.
    pub async fn open(plan: &ReflectorPlan) -> anyhow::Result<Self> {
        let secret = Secret::of(plan.secret_file.clone()).await?;
        let listener = listen(&plan.listen).await?;
        segment::repeat_syn_ack_once(&listener)
            .and_then(|()| segment::bound_what_waits(&listener))
            .context("setting up the reflector's socket")?;
        let seats = Seats::new(secret);
        Ok(Self { listener, allowed: plan.allowed_sources.clone(), seats: Arc::new(seats) })
    }

    /// The address it listens on.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The secret that peers must know.
    #[must_use]
    pub(crate) fn secret(&self) -> Option<&Secret> {
        self.seats.secret()
    }

    /// Serves for as long as it is polled; its connections end with it.
    pub async fn run(self) {
        let sources = match self.allowed.as_slice() {
            [] => "everyone".to_owned(),
            some => some.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        };
        let address = self.local_addr().map(|address| address.to_string()).unwrap_or_default();
        info!(address, sources, secret = self.secret().is_some(), "reflecting");
        let mut sessions = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                Some(_) = sessions.join_next() => continue,
            };
            match accepted {
                Ok((stream, peer)) => self.take(stream, peer.ip().to_canonical(), &mut sessions),
                Err(error) => {
                    warn!(%error, "the reflector cannot accept");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    fn take(&self, stream: TcpStream, peer: IpAddr, sessions: &mut JoinSet<()>) {
        // From here on, dropping the socket resets the connection.
        if let Err(error) = segment::prepare(&stream) {
            debug!(%peer, %error, "setting up a connection");
            return;
        }
        if !listen::is_among(&self.allowed, peer) {
            debug!(%peer, "not one of the allowed sources");
        } else if let Some(seat) = Seat::take(Arc::clone(&self.seats), peer) {
            sessions.spawn(session::run(stream, seat));
        } else {
            debug!(%peer, "too many connections");
        }
    }
}

async fn listen(address: &ListenAddress) -> anyhow::Result<TcpListener> {
    address.bind().await.with_context(|| format!("the reflector cannot listen on {address}"))
}
