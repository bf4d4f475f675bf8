//! The seats of a reflector: each connection has one until it is dropped, or until another peer
//! needs it more.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use super::{
    connection_limits::{ConnectionLimits, NewSeat, NoSeat, SeatId},
    secret::Secret,
};
use crate::{model::types::Bytes, path::probe::Moment};

/// All seats of one reflector.
#[derive(Debug)]
pub(super) struct Seats {
    secret: Option<Secret>,
    limits: Mutex<ConnectionLimits>,
    /// How to end the connection of each seat.
    evictions: Mutex<HashMap<SeatId, Arc<Notify>>>,
    began: Instant,
}

impl Seats {
    pub(super) fn new(secret: Option<Secret>) -> Self {
        Self {
            limits: Mutex::new(ConnectionLimits::new(secret.is_some())),
            secret,
            evictions: Mutex::default(),
            began: Instant::now(),
        }
    }

    /// The secret that peers must know.
    pub(super) fn secret(&self) -> Option<&Secret> {
        self.secret.as_ref()
    }

    fn now(&self) -> Moment {
        self.began.elapsed()
    }

    fn limits<T>(&self, use_them: impl FnOnce(&mut ConnectionLimits) -> T) -> T {
        use_them(&mut self.limits.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn evictions<T>(&self, use_them: impl FnOnce(&mut HashMap<SeatId, Arc<Notify>>) -> T) -> T {
        use_them(&mut self.evictions.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn evict(&self, seat: Option<SeatId>) {
        if let Some(end) = seat.and_then(|seat| self.evictions(|all| all.remove(&seat))) {
            end.notify_one();
        }
    }
}

/// A connection's seat among all others; dropping it frees the seat.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Arc<Seats>,
    pub(super) peer: IpAddr,
    id: SeatId,
    evicted: Arc<Notify>,
}

impl Seat {
    pub(super) fn take(seats: Arc<Seats>, peer: IpAddr) -> Option<Self> {
        let now = seats.now();
        let NewSeat { id, evicts } = seats.limits(|limits| limits.open(peer, now))?;
        let evicted = Arc::new(Notify::new());
        seats.evictions(|all| all.insert(id, Arc::clone(&evicted)));
        seats.evict(evicts);
        Some(Self { seats, peer, id, evicted })
    }

    /// The secret that its peer must know.
    pub(super) fn secret(&self) -> Option<&Secret> {
        self.seats.secret()
    }

    /// Notified when the seat is taken by another peer.
    pub(super) fn evicted(&self) -> Arc<Notify> {
        Arc::clone(&self.evicted)
    }

    /// Records that its peer has proven the secret. `false` means that no seat is free for another
    /// such peer.
    pub(super) fn prove(&self) -> bool {
        let now = self.seats.now();
        match self.seats.limits(|limits| limits.prove(self.id, now)) {
            Ok(evicts) => {
                self.seats.evict(evicts);
                true
            }
            Err(NoSeat) => false,
        }
    }

    /// Charges packets of these sizes (bytes of IP packet), or returns how long to wait.
    pub(super) fn spend(&self, sizes: &[Bytes]) -> Result<(), Duration> {
        let now = self.seats.now();
        self.seats.limits(|limits| limits.take(self.id, sizes, now))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.limits(|limits| limits.close(self.id));
        self.seats.evictions(|all| all.remove(&self.id));
    }
}
