//! Which peers get a connection of a reflector, and how much each is sent. Pure.
//!
//! Connections are limited in total and per peer, so that a few addresses cannot lock out all
//! others: if all seats are taken, a peer with fewer connections takes one from the peer with the
//! most. With a secret, peers that have proven it have seats of their own that nobody else gets;
//! the others have few, and only for the duration of the greeting. A peer that has proven it within
//! the last hour takes precedence over those that never have.
//!
//! IPv6 peers are counted by /64, as one host may use all of it.

mod allowance;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap},
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

pub use allowance::{Allowance, BYTES, PACKETS};

use crate::{model::types::Bytes, path::probe::Moment};

/// Most simultaneous connections per peer: two per path, for eight paths.
pub(crate) const CONNECTIONS_PER_PEER: usize = 16;
/// Most simultaneous connections in total.
pub(crate) const CONNECTIONS: usize = 256;
/// With a secret: how many of these are for peers that have not proven it yet.
pub(crate) const STRANGERS: usize = 64;
/// With a secret: most connections of one peer that has not proven it yet.
pub(crate) const STRANGERS_PER_PEER: usize = 8;
/// Most peers that are remembered.
const PEERS: usize = 4096;
/// How long it is remembered that a peer has proven the secret.
const KNOWN: Duration = Duration::from_hours(1);

/// Identifies a seat.
pub(crate) type SeatId = u64;

/// A seat that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NewSeat {
    /// Its identifier.
    pub id: SeatId,
    /// The seat it was taken from: that connection must be ended.
    pub evicts: Option<SeatId>,
}

/// No seat is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoSeat;

#[derive(Debug, Clone, Copy)]
struct Holder {
    peer: IpAddr,
    proven: bool,
}

#[derive(Debug, Default)]
struct Peer {
    /// With a secret there are two accounts, so that peers without it cannot use up the allowance
    /// of those with it.
    to_strangers: Allowance,
    to_proven: Allowance,
    proven_at: Option<Moment>,
    /// When it last opened a connection.
    seen: Moment,
}

/// All peers of one reflector.
#[derive(Debug, Default)]
pub(crate) struct ConnectionLimits {
    secret: bool,
    peers: HashMap<IpAddr, Peer>,
    seats: BTreeMap<SeatId, Holder>,
    last: SeatId,
}

impl ConnectionLimits {
    /// Starts without peers. `secret` tells whether there is one to prove.
    #[must_use]
    pub(crate) fn new(secret: bool) -> Self {
        Self { secret, ..Self::default() }
    }

    /// Called when a connection from `address` was accepted, its SYN-ACK sent. `None` means that it
    /// must be closed at once.
    pub(crate) fn open(&mut self, address: IpAddr, now: Moment) -> Option<NewSeat> {
        let peer = key(address);
        self.remember(peer, now);
        let known = self.peers.get_mut(&peer)?;
        known.seen = now;
        let is_known = known.is_known(now);
        known.to_strangers.charge(&[SYN_ACK], now);
        let (total, per_peer) =
            if self.secret { (STRANGERS, STRANGERS_PER_PEER) } else { (CONNECTIONS, CONNECTIONS_PER_PEER) };
        let evicts = self.room(peer, false, total, per_peer, is_known, now).ok()?;
        self.last += 1;
        self.seats.insert(self.last, Holder { peer, proven: false });
        Some(NewSeat { id: self.last, evicts })
    }

    /// Records that the peer in that seat has proven the secret; returns the seat taken from
    /// another peer, if any.
    pub(crate) fn prove(&mut self, id: SeatId, now: Moment) -> Result<Option<SeatId>, NoSeat> {
        let peer = self.seats.get(&id).ok_or(NoSeat)?.peer;
        if let Some(known) = self.peers.get_mut(&peer) {
            known.proven_at = Some(now);
        }
        let evicts = self.room(peer, true, CONNECTIONS - STRANGERS, CONNECTIONS_PER_PEER, false, now)?;
        self.seats.insert(id, Holder { peer, proven: true });
        Ok(evicts)
    }

    /// Makes room for one more seat of that kind; returns the seat that was taken from another
    /// peer, if any.
    fn room(
        &mut self,
        peer: IpAddr,
        proven: bool,
        total: usize,
        per_peer: usize,
        is_known: bool,
        now: Moment,
    ) -> Result<Option<SeatId>, NoSeat> {
        let mut held: BTreeMap<IpAddr, (usize, SeatId)> = BTreeMap::new();
        for (id, seat) in self.seats.iter().filter(|(_, seat)| seat.proven == proven) {
            let (count, newest) = held.entry(seat.peer).or_default();
            (*count, *newest) = (*count + 1, *id);
        }
        let own = held.get(&peer).map_or(0, |(count, _)| *count);
        if own >= per_peer {
            return Err(NoSeat);
        }
        if held.values().map(|(count, _)| count).sum::<usize>() < total {
            return Ok(None);
        }
        let goes_before =
            |other: &IpAddr| is_known && !self.peers.get(other).is_some_and(|it| it.is_known(now));
        let from = held
            .iter()
            .filter(|(other, (count, _))| *count > own + 1 || goes_before(other))
            // Peers that never proved the secret lose theirs first.
            .max_by_key(|(other, (count, _))| (goes_before(other), *count))
            .map(|(_, (_, newest))| *newest);
        let from = from.ok_or(NoSeat)?;
        self.seats.remove(&from);
        Ok(Some(from))
    }

    /// Frees a seat: its connection was closed or evicted.
    pub(crate) fn close(&mut self, id: SeatId) {
        self.seats.remove(&id);
    }

    /// Charges packets of these sizes (bytes), or returns how long to wait; forever if the seat
    /// was taken by another peer.
    pub(crate) fn take(&mut self, id: SeatId, sizes: &[Bytes], now: Moment) -> Result<(), Duration> {
        let Some(seat) = self.seats.get(&id) else { return Err(Duration::MAX) };
        let peer = self.peers.entry(seat.peer).or_default();
        let account = if seat.proven { &mut peer.to_proven } else { &mut peer.to_strangers };
        account.take(sizes, now)
    }

    /// Adds the peer if it is not remembered. If there are too many, peers that were sent nothing
    /// recently are forgotten, then the older half of those without a seat.
    fn remember(&mut self, peer: IpAddr, now: Moment) {
        if self.peers.len() >= PEERS && !self.peers.contains_key(&peer) {
            let held: std::collections::HashSet<IpAddr> = self.seats.values().map(|it| it.peer).collect();
            self.peers.retain(|address, it| held.contains(address) || it.is_known(now) || !it.is_unused(now));
            if self.peers.len() >= PEERS {
                let mut seen: Vec<Moment> = self.peers.values().map(|it| it.seen).collect();
                let (_, middle, _) = seen.select_nth_unstable(PEERS / 2);
                let middle = *middle;
                self.peers.retain(|address, it| held.contains(address) || it.seen > middle);
            }
        }
        self.peers.entry(peer).or_default();
    }
}

impl Peer {
    fn is_known(&self, now: Moment) -> bool {
        self.proven_at.is_some_and(|at| now.saturating_sub(at) < KNOWN)
    }

    fn is_unused(&mut self, now: Moment) -> bool {
        self.to_strangers.is_unused(now) && self.to_proven.is_unused(now)
    }
}

/// Size of a SYN-ACK in bytes of IP packet, with all the options that Linux sends.
pub const SYN_ACK: Bytes = 60;

fn key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}
