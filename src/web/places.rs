//! Which connections are kept when there are too many.
//!
//! Every connection holds a place from before the TLS handshake to its end, and the number of
//! places is fixed. Nobody waits for one: a new connection gets a free place, or that of a
//! connection that is ended for it at once, or is turned away. The connection that is ended belongs
//! to the peer with the most connections, and is the one that has been idle the longest: an idle
//! keep-alive, a handshake or head that does not come, an answer that is not read. One peer may
//! hold only a share of the places; beyond it, its own connections are ended. A peer whose idle
//! connection was ended cannot displace others for a while. [`KnownPeers`] keep [`KEPT`]
//! connections whatever happens, so that a Prometheus server that has scraped can scrape again.
//!
//! Answers that wait for slow readers are limited by their bytes in the same way.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use hyper::body::Bytes;
use tokio::sync::Notify;

use super::{
    counts::WebCounters,
    peer::{ClientAddress, KnownPeers},
};
use crate::model::types::TurnedAway;

/// Most places, if there are enough file descriptors.
const MOST: usize = 256;
/// One part in this many of the file descriptors is for places; the rest is for routers, probes and
/// files.
const PART_OF_OPEN_FILES: u64 = 4;
/// One peer may hold one part in this many of the places.
const PART_OF_PEER: usize = 4;
/// This many connections of a known peer are never ended for others.
const KEPT: usize = 2;
/// How long a peer whose idle connection was ended cannot displace others; after that the address
/// may belong to somebody else.
const IN_THE_WAY: Duration = Duration::from_mins(1);
const MOST_IN_THE_WAY: usize = 4096;
/// Most bytes of distinct answers that readers have not taken yet.
const UNREAD_BYTES: usize = 32 << 20;
/// This many distinct answers may wait whatever their size, so that large ones are answered too.
const UNREAD_ANSWERS: usize = 4;
/// Timeout for reading an answer.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_secs(if cfg!(test) { 2 } else { 60 });

/// The places of one listener. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    most: usize,
    counts: Arc<WebCounters>,
    table: Mutex<PlaceTable>,
}

#[derive(Debug, Default)]
struct PlaceTable {
    next: u64,
    taken: BTreeMap<u64, Taken>,
    /// How many places each peer holds.
    counts: BTreeMap<ClientAddress, usize>,
    known: KnownPeers,
    /// Peers with an idle connection that was ended for others, and when.
    in_the_way: BTreeMap<ClientAddress, Instant>,
}

#[derive(Debug)]
struct Taken {
    peer: ClientAddress,
    stage: Stage,
    since: Instant,
    end: Arc<Notify>,
}

/// What a connection is doing.
#[derive(Debug, Clone)]
enum Stage {
    /// Waits for its client: for the handshake or the next request.
    Waiting,
    /// Its request is being answered.
    Working,
    /// Waits for its client to read this answer.
    Sending(Bytes),
    /// Is told of changes as they happen.
    Watching,
}

impl Places {
    /// The number of places follows from the limit of open files.
    #[must_use]
    pub(crate) fn new(open_files: u64, counts: Arc<WebCounters>) -> Self {
        let most = usize::try_from(open_files / PART_OF_OPEN_FILES).unwrap_or(MOST);
        Self::with(most.clamp(PART_OF_PEER, MOST), counts)
    }

    fn with(most: usize, counts: Arc<WebCounters>) -> Self {
        Self { inner: Arc::new(Inner { most, counts, table: Mutex::default() }) }
    }

    /// A place for a connection of this peer, at once or not at all.
    #[must_use]
    pub(crate) fn take(&self, peer: ClientAddress) -> Option<Place> {
        let now = Instant::now();
        let mut table = self.inner.table();
        let of_peer = table.count(peer);
        let gives_way = if of_peer >= (self.inner.most / PART_OF_PEER).max(1) {
            Some(table.idlest_of(peer).ok_or(TurnedAway::PeerShare))
        } else if table.taken.len() >= self.inner.most {
            Some(table.giving_way_to(peer, of_peer, now).ok_or(TurnedAway::Full))
        } else {
            None
        };
        match gives_way {
            Some(Ok(ended)) => {
                table.end_for_need(ended, now);
                self.inner.counts.turned_away(TurnedAway::PlaceNeeded);
            }
            Some(Err(reason)) => {
                self.inner.counts.turned_away(reason);
                return None;
            }
            None => {}
        }
        let id = table.next;
        table.next += 1;
        let end = Arc::new(Notify::new());
        table.taken.insert(id, Taken { peer, stage: Stage::Waiting, since: now, end: Arc::clone(&end) });
        *table.counts.entry(peer).or_default() += 1;
        self.inner.counts.set_places(table.taken.len());
        Some(Place { inner: Arc::clone(&self.inner), id, peer, end })
    }

    /// Ends an idle connection when file descriptors are short.
    pub(crate) fn end_one(&self) {
        let now = Instant::now();
        let mut table = self.inner.table();
        let idlest = table.by_need(Taken::stands_still, now);
        if let Some(id) = idlest {
            table.end_for_need(id, now);
            self.inner.counts.turned_away(TurnedAway::PlaceNeeded);
        }
    }
}

impl Inner {
    fn table(&self) -> MutexGuard<'_, PlaceTable> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PlaceTable {
    /// Notifies its task; the place is free from now on.
    fn end(&mut self, id: u64) -> Option<Taken> {
        let taken = self.remove(id)?;
        taken.end.notify_one();
        Some(taken)
    }

    fn end_for_need(&mut self, id: u64, now: Instant) {
        let Some(taken) = self.end(id).filter(Taken::stands_still) else { return };
        if self.in_the_way.len() >= MOST_IN_THE_WAY {
            self.in_the_way.retain(|_, since| now.saturating_duration_since(*since) < IN_THE_WAY);
        }
        if self.in_the_way.len() < MOST_IN_THE_WAY {
            self.in_the_way.insert(taken.peer, now);
        }
    }

    fn remove(&mut self, id: u64) -> Option<Taken> {
        let taken = self.taken.remove(&id)?;
        if let Entry::Occupied(mut count) = self.counts.entry(taken.peer) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
        Some(taken)
    }

    fn count(&self, peer: ClientAddress) -> usize {
        self.counts.get(&peer).copied().unwrap_or_default()
    }

    fn is_in_the_way(&self, peer: ClientAddress, now: Instant) -> bool {
        let since = self.in_the_way.get(&peer);
        since.is_some_and(|since| now.saturating_duration_since(*since) < IN_THE_WAY)
    }

    fn idlest_of(&self, peer: ClientAddress) -> Option<u64> {
        let idle = self.taken.iter().filter(|(_, taken)| taken.peer == peer && taken.stands_still());
        idle.min_by_key(|(_, taken)| taken.since).map(|(id, _)| *id)
    }

    /// The connection to end for a peer that has `of_peer` connections.
    fn giving_way_to(&self, peer: ClientAddress, of_peer: usize, now: Instant) -> Option<u64> {
        let has_right = of_peer < KEPT && self.known.knows(peer, now);
        let is_in_the_way = !has_right && self.is_in_the_way(peer, now);
        self.by_need(
            |taken| {
                let theirs = self.count(taken.peer);
                // The other peer must not end up with fewer. A peer that was recently in the way
                // itself needs a larger difference, except against others like it.
                let may = !is_in_the_way || self.is_in_the_way(taken.peer, now);
                has_right || theirs > of_peer + 1 || (theirs > of_peer && may)
            },
            now,
        )
        .or_else(|| self.idlest_of(peer))
    }

    /// Chooses among those that may be ended: of the peer with the most connections, idle before
    /// busy, peers that were in the way before others, then the oldest.
    fn by_need(&self, gives_way: impl Fn(&Taken) -> bool, now: Instant) -> Option<u64> {
        let is_kept = |taken: &Taken| self.count(taken.peer) <= KEPT && self.known.knows(taken.peer, now);
        let candidates = self.taken.iter().filter(|(_, taken)| gives_way(taken) && !is_kept(taken));
        let first = candidates.min_by_key(|(_, taken)| {
            let few = usize::MAX - self.count(taken.peer);
            (few, !taken.stands_still(), !self.is_in_the_way(taken.peer, now), taken.since)
        });
        first.map(|(id, _)| *id)
    }

    /// The number and bytes of distinct answers that are not read yet.
    fn unread(&self) -> (usize, usize) {
        let mut answers = BTreeSet::new();
        for taken in self.taken.values() {
            if let Stage::Sending(answer) = &taken.stage {
                answers.insert((answer.as_ptr(), answer.len()));
            }
        }
        (answers.len(), answers.iter().map(|(_, length)| length).sum())
    }
}

impl Taken {
    /// Whether it waits for its client: for the handshake, a request, or the reading of an answer.
    fn stands_still(&self) -> bool {
        !matches!(self.stage, Stage::Working)
    }
}

/// One connection's place, until it is dropped or needed for another.
#[derive(Debug)]
pub(crate) struct Place {
    inner: Arc<Inner>,
    id: u64,
    /// Its peer.
    pub peer: ClientAddress,
    end: Arc<Notify>,
}

impl Place {
    /// Completes when another connection needs the place, or an answer is not read in time: the
    /// connection must end at once.
    pub(crate) async fn ended(&self) {
        loop {
            if tokio::time::timeout(READ_TIMEOUT / 4, self.end.notified()).await.is_ok() {
                return;
            }
            let is_slow =
                matches!(self.now(), Some((Stage::Sending(_), since)) if since.elapsed() > READ_TIMEOUT);
            if is_slow {
                self.inner.counts.turned_away(TurnedAway::SlowReader);
                return;
            }
        }
    }

    /// Called when a request has arrived.
    pub(crate) fn works(&self) {
        self.enter(Stage::Working);
    }

    /// Called with an answer that goes on: from now on it waits for its client's convenience, as it
    /// can connect again at any time.
    pub(crate) fn watches(&self) {
        self.enter(Stage::Watching);
    }

    /// Called with its answer; `false` if too many answers wait for readers already and none of
    /// them may be ended.
    #[must_use]
    pub(crate) fn sends(&self, answer: &Bytes) -> bool {
        let now = Instant::now();
        let mut table = self.inner.table();
        let Some(mine) = table.taken.get_mut(&self.id) else { return true };
        (mine.stage, mine.since) = (Stage::Sending(answer.clone()), now);
        loop {
            let (answers, bytes) = table.unread();
            if answers <= UNREAD_ANSWERS || bytes <= UNREAD_BYTES {
                return true;
            }
            let is_slow = |taken: &Taken| matches!(taken.stage, Stage::Sending(_)) && taken.since < now;
            // Known peers are not spared: they have had the time to read as well.
            let slowest = table.taken.iter().filter(|(id, taken)| **id != self.id && is_slow(taken));
            let Some(slowest) = slowest.min_by_key(|(_, taken)| taken.since).map(|(id, _)| *id) else {
                drop(table);
                self.works();
                return false;
            };
            table.end(slowest);
            self.inner.counts.turned_away(TurnedAway::SlowReader);
        }
    }

    /// Called when the whole answer has been handed to the kernel.
    pub(crate) fn flushed(&self) {
        let mut table = self.inner.table();
        let Some(mine) = table.taken.get_mut(&self.id) else { return };
        if let Stage::Sending(_) = mine.stage {
            (mine.stage, mine.since) = (Stage::Waiting, Instant::now());
            table.in_the_way.remove(&self.peer);
        }
    }

    /// Makes its peer known: it has logged in, or has received what needs no login.
    pub(crate) fn greet(&self) {
        self.inner.table().known.greet(self.peer, Instant::now());
    }

    /// Whether its peer is known.
    #[must_use]
    pub(crate) fn is_known(&self) -> bool {
        self.inner.table().known.knows(self.peer, Instant::now())
    }

    fn enter(&self, stage: Stage) {
        if let Some(mine) = self.inner.table().taken.get_mut(&self.id) {
            (mine.stage, mine.since) = (stage, Instant::now());
        }
    }

    fn now(&self) -> Option<(Stage, Instant)> {
        self.inner.table().taken.get(&self.id).map(|mine| (mine.stage.clone(), mine.since))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.inner.table();
        table.remove(self.id);
        self.inner.counts.set_places(table.taken.len());
    }
}
