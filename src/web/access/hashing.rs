//! Checks passwords against bcrypt hashes, on threads of their own.
//!
//! By design, a check costs up to seconds of CPU. So few run at a time, at low priority. The queue
//! is bounded and ordered by trust: known peers first, then those that were wrong least often; the
//! second job of a peer comes after the first job of every other.

use std::{
    collections::BTreeMap,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use anyhow::Context as _;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use crate::{config::password_hash::PasswordHash, web::peer::ClientAddress};

/// One CPU in this many is used for passwords; a smaller machine has one thread, which gives way to
/// all others.
const CPUS_TO_ONE: usize = 4;
const MOST_THREADS: usize = 4;
const MOST_WAITING: usize = 32;
/// Most jobs waiting for one peer.
const MOST_OF_PEER: usize = 4;
/// Niceness of the threads: when both want the CPU, a tenth of what the probes get (sched(7)). With
/// less nobody could log in on a busy machine.
const NICE: i32 = 10;

/// The peer whose password is checked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker {
    /// Its address.
    pub peer: ClientAddress,
    /// Whether it was admitted recently.
    pub known: bool,
    /// How often it was wrong recently.
    pub wrong: u32,
}

/// Too many jobs are waiting already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// Of this peer.
    OfPeer,
    /// In total.
    OfAll,
}

/// The threads that check passwords. They end when this is dropped.
pub(crate) struct Hashing {
    shared: Arc<HashingQueue>,
}

type Check = dyn Fn(&PasswordHash, &[u8]) -> bool + Send + Sync;

struct HashingQueue {
    check: Box<Check>,
    queue: Mutex<JobQueue>,
    changed: Condvar,
}

#[derive(Default)]
struct JobQueue {
    next: u64,
    waiting: BTreeMap<JobRank, Job>,
    is_closed: bool,
}

/// Order in the queue; the lowest comes first.
type JobRank = (Stranger, WrongCount, Ahead, ArrivalNumber);
type Stranger = bool;
type WrongCount = u32;
/// How many jobs of the same peer are before it.
type Ahead = usize;
type ArrivalNumber = u64;

struct Job {
    peer: ClientAddress,
    hash: PasswordHash,
    password: Zeroizing<Vec<u8>>,
    tell: oneshot::Sender<bool>,
}

impl fmt::Debug for Hashing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hashing").field("waiting", &self.shared.queue().waiting.len()).finish_non_exhaustive()
    }
}

impl Hashing {
    /// Starts the threads.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let cpus = thread::available_parallelism().map_or(1, usize::from);
        Self::with((cpus / CPUS_TO_ONE).clamp(1, MOST_THREADS), PasswordHash::is_of)
    }

    /// Starts this many threads, which use `check`.
    pub(crate) fn with(
        threads: usize,
        check: impl Fn(&PasswordHash, &[u8]) -> bool + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        let shared = Arc::new(HashingQueue {
            check: Box::new(check),
            queue: Mutex::default(),
            changed: Condvar::new(),
        });
        let hashing = Self { shared };
        for _ in 0..threads {
            let shared = Arc::clone(&hashing.shared);
            let thread = thread::Builder::new().name("passwords".to_owned());
            thread.spawn(move || shared.work()).context("starting a thread that checks passwords")?;
        }
        Ok(hashing)
    }

    /// Whether the password matches the hash, once its turn has come. A caller that stops waiting
    /// causes no further cost.
    pub(crate) async fn check(
        &self,
        asker: Asker,
        hash: PasswordHash,
        password: impl Into<Zeroizing<Vec<u8>>>,
    ) -> Result<bool, Full> {
        let (tell, told) = oneshot::channel();
        self.shared.queue().put(asker, Job { peer: asker.peer, hash, password: password.into(), tell })?;
        self.shared.changed.notify_one();
        told.await.map_err(|_| Full::OfAll)
    }
}

impl Drop for Hashing {
    fn drop(&mut self) {
        self.shared.queue().is_closed = true;
        self.shared.changed.notify_all();
    }
}

impl JobQueue {
    fn put(&mut self, asker: Asker, job: Job) -> Result<(), Full> {
        self.waiting.retain(|_, job| !job.tell.is_closed());
        let ahead = self.waiting.values().filter(|job| job.peer == asker.peer).count();
        if ahead >= MOST_OF_PEER {
            return Err(Full::OfPeer);
        }
        let rank = (!asker.known, asker.wrong, ahead, self.next);
        if self.waiting.len() >= MOST_WAITING {
            // Dropping a job notifies its caller.
            match self.waiting.last_entry() {
                Some(last) if rank < *last.key() => drop(last.remove()),
                _ => return Err(Full::OfAll),
            }
        }
        self.next += 1;
        self.waiting.insert(rank, job);
        Ok(())
    }
}

impl HashingQueue {
    fn queue(&self) -> MutexGuard<'_, JobQueue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        // On Linux this affects this thread alone. Raising niceness is always permitted; a thread
        // that is nicer already stays so.
        let own = rustix::process::getpriority_process(None).unwrap_or(0);
        if let Err(error) = rustix::process::setpriority_process(None, own.max(NICE)) {
            tracing::debug!(%error, "passwords are checked at the priority of all else");
        }
        while let Some(job) = self.next() {
            if !job.tell.is_closed() {
                let is_right = catch_unwind(AssertUnwindSafe(|| (self.check)(&job.hash, &job.password)));
                let _ = job.tell.send(is_right.unwrap_or(false));
            }
        }
    }

    fn next(&self) -> Option<Job> {
        let mut queue = self.queue();
        loop {
            if queue.is_closed {
                return None;
            }
            if let Some((_, job)) = queue.waiting.pop_first() {
                return Some(job);
            }
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        net::Ipv4Addr,
        sync::{
            Mutex,
            mpsc::{Receiver, Sender, channel},
        },
        time::Duration,
    };

    use futures_util::future::{join_all, join3};

    use super::*;

    const HASH: &str = "$2y$04$UuTkLRZZ6QofpDOlMz32Mu.Q0RxchGgVsgfueU0KqnX6uL.WE/FNe";

    fn hash() -> PasswordHash {
        HASH.parse().expect("a hash")
    }

    fn asker(host: u32, known: bool, wrong: u32) -> Asker {
        Asker { peer: ClientAddress::V4(Ipv4Addr::from_bits(host)), known, wrong }
    }

    /// One thread that reports each check, and starts each one only when told.
    fn one_at_a_time() -> (Hashing, Sender<()>, Receiver<Vec<u8>>) {
        let ((go, gate), (tell, told)) = (channel(), channel());
        let gate = Mutex::new(gate);
        let hashing = Hashing::with(1, move |_, password: &[u8]| {
            tell.send(password.to_vec()).expect("heard");
            gate.lock().expect("one at a time").recv_timeout(Duration::from_secs(30)).expect("let");
            false
        });
        (hashing.expect("started"), go, told)
    }

    #[tokio::test]
    async fn right_wrong_and_a_check_that_panics() {
        let hashing = Hashing::start().expect("started");
        assert_eq!(hashing.check(asker(1, false, 0), hash(), b"secret".to_vec()).await, Ok(true));
        assert_eq!(hashing.check(asker(1, false, 0), hash(), b"Secret".to_vec()).await, Ok(false));
        let panics = Hashing::with(1, |_, password: &[u8]| password[0] == 1).expect("started");
        assert_eq!(panics.check(asker(1, false, 0), hash(), vec![]).await, Ok(false));
        assert_eq!(panics.check(asker(1, false, 0), hash(), vec![1]).await, Ok(true), "its thread lives");
    }

    #[tokio::test]
    async fn passwords_take_what_others_leave() {
        let nice = |_: &PasswordHash, _: &[u8]| rustix::process::getpriority_process(None) == Ok(NICE);
        let before = rustix::process::getpriority_process(None);
        let hashing = Hashing::with(1, nice).expect("started");
        assert_eq!(hashing.check(asker(1, false, 0), hash(), vec![]).await, Ok(true));
        assert_eq!(rustix::process::getpriority_process(None), before, "this thread is as it was");
        let cpus = thread::available_parallelism().map_or(1, usize::from);
        let threads = (cpus / CPUS_TO_ONE).clamp(1, MOST_THREADS);
        assert!(threads == 1 || threads * 4 <= cpus, "{threads} of {cpus}");
    }

    #[tokio::test]
    async fn whom_we_know_first_then_who_was_wrong_the_least_and_everyone_once_before_anyone_twice() {
        let (hashing, go, told) = one_at_a_time();
        let ask = |host, known, wrong, name: &'static str| {
            hashing.check(asker(host, known, wrong), hash(), name.as_bytes().to_vec())
        };
        let mut running = Box::pin(ask(1, false, 0, "running"));
        assert!(futures_util::poll!(&mut running).is_pending());
        assert_eq!(told.recv_timeout(Duration::from_secs(30)).expect("it is being checked"), b"running");
        let asked = join_all([
            ask(1, false, 2, "guess 1"),
            ask(1, false, 2, "guess 2"),
            ask(2, false, 2, "other's guess"),
            ask(3, false, 0, "new"),
            ask(4, true, 1, "known"),
        ]);
        let let_all = async {
            for _ in 0..6 {
                go.send(()).expect("waiting");
            }
        };
        let (running, asked, ()) = join3(running, asked, let_all).await;
        assert_eq!((running, asked), (Ok(false), vec![Ok(false); 5]));
        let order: Vec<_> = told.try_iter().map(|it| String::from_utf8(it).expect("text")).collect();
        assert_eq!(order, ["known", "new", "guess 1", "other's guess", "guess 2"]);
    }

    #[tokio::test]
    async fn what_waits_is_bounded_and_gives_way_to_who_is_trusted_more() {
        let (hashing, go, told) = one_at_a_time();
        let ask = |host, known, wrong| hashing.check(asker(host, known, wrong), hash(), vec![]);
        let mut first = Box::pin(ask(1, false, 0));
        assert!(futures_util::poll!(&mut first).is_pending());
        told.recv_timeout(Duration::from_secs(30)).expect("it is being checked");
        let mut of_one: Vec<_> = (0..=MOST_OF_PEER).map(|_| Box::pin(ask(1, false, 1))).collect();
        let last = of_one.pop().expect("one more");
        for waiting in &mut of_one {
            assert!(futures_util::poll!(waiting).is_pending());
        }
        assert_eq!(last.await, Err(Full::OfPeer));
        let mut of_all: Vec<_> =
            (2..).take(MOST_WAITING - MOST_OF_PEER).map(|host| Box::pin(ask(host, false, 3))).collect();
        for waiting in &mut of_all {
            assert!(futures_util::poll!(waiting).is_pending());
        }
        assert_eq!(ask(999, false, 3).await, Err(Full::OfAll));
        let mut known = Box::pin(ask(999, true, 3));
        assert!(futures_util::poll!(&mut known).is_pending(), "it has a place in the queue");
        assert_eq!(of_all.pop().expect("the last").await, Err(Full::OfAll), "that of the last");
        // A job whose caller has gone is not checked.
        drop((of_one, of_all));
        for _ in 0..2 {
            go.send(()).expect("waiting");
        }
        assert_eq!((first.await, known.await), (Ok(false), Ok(false)));
        assert_eq!(told.try_iter().count(), 1);
    }
}
