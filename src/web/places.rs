//! Who may stay connected when not all can.
//!
//! Every connection has a place, from before the TLS handshake to its end, and there are so many. Nobody waits for one: a newcomer is
//! given a free one, or that of a connection which is ended for it at once, or is sent away. Ended is, of the peer with the most
//! connections, the one that has stood still the longest: an idle keep-alive, a handshake or a head that does not come, an answer that is
//! not taken. One peer gets a share, and takes from itself what it wants beyond it. Who has been ended so is not let in again at the expense of others
//! for a while. [`Known`] peers keep [`KEPT`] connections whatever happens, so a
//! Prometheus server that has scraped scrapes again.
//!
//! Answers that wait for slow readers are bounded by their bytes in the same way.

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
    counts::Counts,
    peer::{Known, Peer},
};
use crate::model::types::TurnedAway;

/// Places, where there are file descriptors for them.
const MOST: usize = 256;
/// The rest is for routers, probes and files.
const PART_OF_OPEN_FILES: u64 = 4;
/// One peer's part of the places.
const PART_OF_PEER: usize = 4;
/// Connections of a known peer that are ended for nobody.
const KEPT: usize = 2;
/// Who has been in the way so long ago may be another by now.
const IN_THE_WAY: Duration = Duration::from_mins(1);
const MOST_IN_THE_WAY: usize = 4096;
/// Of different answers that readers have not taken yet.
const UNREAD_BYTES: usize = 32 << 20;
/// As many different answers are let wait whatever their size: large ones are answered too.
const UNREAD_ANSWERS: usize = 4;
/// For taking an answer.
pub const READ_TIMEOUT: Duration = Duration::from_secs(if cfg!(test) { 2 } else { 60 });

/// The places of one listener. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Places {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    most: usize,
    counts: Arc<Counts>,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    taken: BTreeMap<u64, Taken>,
    /// How many of them each peer has.
    counts: BTreeMap<Peer, usize>,
    known: Known,
    /// Peers that have stood still when others needed their places, and when.
    in_the_way: BTreeMap<Peer, Instant>,
}

#[derive(Debug)]
struct Taken {
    peer: Peer,
    stage: Stage,
    since: Instant,
    end: Arc<Notify>,
}

/// What a connection is at.
#[derive(Debug, Clone)]
enum Stage {
    /// Its client's turn: to shake hands, to ask, to ask again.
    Waiting,
    /// Ours: its request is being answered.
    Working,
    /// Its client's turn to take this answer.
    Sending(Bytes),
}

impl Places {
    /// By the limit of open files.
    #[must_use]
    pub fn new(open_files: u64, counts: Arc<Counts>) -> Self {
        let most = usize::try_from(open_files / PART_OF_OPEN_FILES).unwrap_or(MOST);
        Self::with(most.clamp(PART_OF_PEER, MOST), counts)
    }

    fn with(most: usize, counts: Arc<Counts>) -> Self {
        Self { inner: Arc::new(Inner { most, counts, table: Mutex::default() }) }
    }

    /// A place for a connection from there, at once or not at all.
    #[must_use]
    pub fn take(&self, peer: Peer) -> Option<Place> {
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

    /// Ends a connection that stands still, where descriptors are short.
    pub fn end_one(&self) {
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
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Its task hears of it; the place is free from now on.
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

    fn count(&self, peer: Peer) -> usize {
        self.counts.get(&peer).copied().unwrap_or_default()
    }

    fn is_in_the_way(&self, peer: Peer, now: Instant) -> bool {
        let since = self.in_the_way.get(&peer);
        since.is_some_and(|since| now.saturating_duration_since(*since) < IN_THE_WAY)
    }

    fn idlest_of(&self, peer: Peer) -> Option<u64> {
        let idle = self.taken.iter().filter(|(_, taken)| taken.peer == peer && taken.stands_still());
        idle.min_by_key(|(_, taken)| taken.since).map(|(id, _)| *id)
    }

    /// What gives way to a peer that has so many.
    fn giving_way_to(&self, peer: Peer, of_peer: usize, now: Instant) -> Option<u64> {
        let has_right = of_peer < KEPT && self.known.knows(peer, now);
        let is_in_the_way = !has_right && self.is_in_the_way(peer, now);
        self.by_need(
            |taken| {
                let theirs = self.count(taken.peer);
                // Never so that the other has fewer then; for who has just been in the way, of his like alone.
                let may = !is_in_the_way || self.is_in_the_way(taken.peer, now);
                has_right || theirs > of_peer + 1 || (theirs > of_peer && may)
            },
            now,
        )
        .or_else(|| self.idlest_of(peer))
    }

    /// Of those that give way: of the peer with the most, what stands still before what is at work, who has been in the way
    /// before, the oldest.
    fn by_need(&self, gives_way: impl Fn(&Taken) -> bool, now: Instant) -> Option<u64> {
        let is_kept = |taken: &Taken| self.count(taken.peer) <= KEPT && self.known.knows(taken.peer, now);
        let candidates = self.taken.iter().filter(|(_, taken)| gives_way(taken) && !is_kept(taken));
        let first = candidates.min_by_key(|(_, taken)| {
            let few = usize::MAX - self.count(taken.peer);
            (few, !taken.stands_still(), !self.is_in_the_way(taken.peer, now), taken.since)
        });
        first.map(|(id, _)| *id)
    }

    /// How many different answers are not taken yet, and their bytes.
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
    /// Whether it waits for its client: to shake hands, to ask, to take its answer.
    fn stands_still(&self) -> bool {
        !matches!(self.stage, Stage::Working)
    }
}

/// One connection's place, until it is dropped or needed for another.
#[derive(Debug)]
pub struct Place {
    inner: Arc<Inner>,
    id: u64,
    /// Whose it is.
    pub peer: Peer,
    end: Arc<Notify>,
}

impl Place {
    /// Completes when another needs it, or when an answer is not taken in time: the connection must end at once.
    pub async fn ended(&self) {
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

    /// A request has come.
    pub fn works(&self) {
        self.enter(Stage::Working);
    }

    /// This is its answer; `false` where too much waits for readers already, and nothing of it may end.
    #[must_use]
    pub fn sends(&self, answer: &Bytes) -> bool {
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
            // Known or not: a reader that is known has had the time to read.
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

    /// All that was to be sent is in the kernel's hands.
    pub fn flushed(&self) {
        let mut table = self.inner.table();
        let Some(mine) = table.taken.get_mut(&self.id) else { return };
        if let Stage::Sending(_) = mine.stage {
            (mine.stage, mine.since) = (Stage::Waiting, Instant::now());
            table.in_the_way.remove(&self.peer);
        }
    }

    /// Its client belongs here: it has logged in, or has been given what needs no login.
    pub fn greet(&self) {
        self.inner.table().known.greet(self.peer, Instant::now());
    }

    /// Whether it has been greeted lately.
    #[must_use]
    pub fn is_known(&self) -> bool {
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
