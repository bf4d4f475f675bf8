//! A reflector: its listening socket, and which peers may use it.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use pnet::ipnetwork::IpNetwork;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinSet,
};
use tracing::{debug, info, warn};

use super::{
    limits::{Limits, NoPlace, Opened, PlaceId},
    secret::Secret,
    segment, session,
};
use crate::{
    listen::{self, ListenAddress},
    model::{plan::ReflectorPlan, types::Bytes},
    path::probe::Moment,
};

/// Pause after a failure to accept, which is mostly a lack of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// A listening reflector.
#[derive(Debug)]
pub struct Reflector {
    listener: TcpListener,
    shared: Arc<Shared>,
}

/// What all its connections share.
#[derive(Debug)]
pub(super) struct Shared {
    allowed: Vec<IpNetwork>,
    pub(super) secret: Option<Secret>,
    limits: Mutex<Limits>,
    /// How to end the connection of each place.
    evictions: Mutex<HashMap<PlaceId, Arc<Notify>>>,
    began: Instant,
}

impl Reflector {
    /// Reads the secret and opens the socket.
    pub async fn open(plan: &ReflectorPlan) -> anyhow::Result<Self> {
        let secret = Secret::of(plan.secret_file.clone()).await?;
        let listener = listen(&plan.listen).await?;
        segment::repeat_syn_ack_once(&listener)
            .and_then(|()| segment::bound_what_waits(&listener))
            .context("setting up the reflector's socket")?;
        let shared = Shared {
            allowed: plan.allowed_sources.clone(),
            limits: Mutex::new(Limits::new(secret.is_some())),
            secret,
            evictions: Mutex::default(),
            began: Instant::now(),
        };
        Ok(Self { listener, shared: Arc::new(shared) })
    }

    /// The address it listens on.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The secret that peers must know.
    #[must_use]
    pub fn secret(&self) -> Option<&Secret> {
        self.shared.secret.as_ref()
    }

    /// Serves for as long as it is polled; its connections end with it.
    pub async fn run(self) {
        let sources = match self.shared.allowed.as_slice() {
            [] => "everyone".to_owned(),
            some => some.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        };
        let address = self.local_addr().map(|address| address.to_string()).unwrap_or_default();
        info!(address, sources, secret = self.shared.secret.is_some(), "reflecting");
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
        let shared = Arc::clone(&self.shared);
        if !shared.allows(peer) {
            debug!(%peer, "not one of the allowed sources");
        } else if let Some(place) = Place::take(shared, peer) {
            sessions.spawn(session::run(stream, place));
        } else {
            debug!(%peer, "too many connections");
        }
    }
}

async fn listen(address: &ListenAddress) -> anyhow::Result<TcpListener> {
    address.bind().await.with_context(|| format!("the reflector cannot listen on {address}"))
}

impl Shared {
    fn allows(&self, peer: IpAddr) -> bool {
        listen::is_among(&self.allowed, peer)
    }

    fn now(&self) -> Moment {
        self.began.elapsed()
    }

    fn limits<T>(&self, use_them: impl FnOnce(&mut Limits) -> T) -> T {
        use_them(&mut self.limits.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn evictions<T>(&self, use_them: impl FnOnce(&mut HashMap<PlaceId, Arc<Notify>>) -> T) -> T {
        use_them(&mut self.evictions.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn evict(&self, place: Option<PlaceId>) {
        if let Some(end) = place.and_then(|place| self.evictions(|all| all.remove(&place))) {
            end.notify_one();
        }
    }
}

/// A connection's place among all others; dropping it frees the place.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) shared: Arc<Shared>,
    pub(super) peer: IpAddr,
    id: PlaceId,
    evicted: Arc<Notify>,
}

impl Place {
    fn take(shared: Arc<Shared>, peer: IpAddr) -> Option<Self> {
        let now = shared.now();
        let Opened { id, evicts } = shared.limits(|limits| limits.open(peer, now))?;
        let evicted = Arc::new(Notify::new());
        shared.evictions(|all| all.insert(id, Arc::clone(&evicted)));
        shared.evict(evicts);
        Some(Self { shared, peer, id, evicted })
    }

    /// Notified when the place is taken by another peer.
    pub(super) fn evicted(&self) -> Arc<Notify> {
        Arc::clone(&self.evicted)
    }

    /// Records that its peer has proven the secret. `false` means that no place is free for another
    /// such peer.
    pub(super) fn prove(&self) -> bool {
        let now = self.shared.now();
        match self.shared.limits(|limits| limits.prove(self.id, now)) {
            Ok(evicts) => {
                self.shared.evict(evicts);
                true
            }
            Err(NoPlace) => false,
        }
    }

    /// Charges packets of these sizes (bytes of IP packet), or returns how long to wait.
    pub(super) fn spend(&self, sizes: &[Bytes]) -> Result<(), Duration> {
        let now = self.shared.now();
        self.shared.limits(|limits| limits.take(self.id, sizes, now))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.limits(|limits| limits.close(self.id));
        self.shared.evictions(|all| all.remove(&self.id));
    }
}
