//! Work that many ask for at once and that one doing serves: printing the metrics, reading the file of users again.
//!
//! Whoever asks gets what was begun after he asked, so nothing is older than his request. One doing at a time, off the
//! async threads, then a pause: however many ask and however fast, it takes a bounded part of one CPU.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use tokio::{sync::Mutex, task::spawn_blocking, time::sleep_until};

/// Doing it takes at most one part in so many of a CPU.
const SHARE: u32 = 4;
/// Nobody waits longer than this only because somebody else has just asked.
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// The last outcome of one kind of work.
#[derive(Debug)]
pub struct Coalesced<T> {
    /// How often it was begun.
    begun: Arc<AtomicU64>,
    last: Arc<Mutex<Last<T>>>,
}

#[derive(Debug)]
struct Last<T> {
    /// Which beginning it was.
    number: u64,
    outcome: Option<T>,
    /// When it may be begun again.
    next: Instant,
}

impl<T> Default for Coalesced<T> {
    fn default() -> Self {
        let last = Last { number: 0, outcome: None, next: Instant::now() };
        Self { begun: Arc::default(), last: Arc::new(Mutex::new(last)) }
    }
}

impl<T: Clone + Send + 'static> Coalesced<T> {
    /// What `work` brings, or the same work of somebody who asked at the same time; nothing where it panics.
    ///
    /// Whoever asked may go away: what has been begun is brought to its end before it is begun again.
    pub async fn get(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let came_after = self.begun.load(SeqCst);
        let mut last = Arc::clone(&self.last).lock_owned().await;
        if last.number > came_after {
            return last.outcome.clone();
        }
        if last.next > Instant::now() {
            sleep_until(last.next.into()).await;
        }
        let began = Instant::now();
        last.number = self.begun.fetch_add(1, SeqCst) + 1;
        last.outcome = None;
        let done = spawn_blocking(move || {
            let outcome = work();
            let pause = (began.elapsed() * (SHARE - 1)).min(LONGEST_PAUSE);
            last.next = Instant::now() + pause;
            last.outcome = Some(outcome.clone());
            outcome
        });
        done.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Barrier, atomic::AtomicUsize};

    use futures_util::future::join_all;

    use super::*;

    #[tokio::test]
    async fn a_hundred_share_what_is_begun_after_they_came() {
        let work = Coalesced::default();
        let done = Arc::new(AtomicUsize::new(0));
        let gate = Arc::new(Barrier::new(2));
        let first = {
            let (done, gate) = (Arc::clone(&done), Arc::clone(&gate));
            work.get(move || {
                gate.wait();
                done.fetch_add(1, SeqCst)
            })
        };
        let hundred = (0..100).map(|_| {
            let done = Arc::clone(&done);
            work.get(move || done.fetch_add(1, SeqCst))
        });
        let hundred: Vec<_> = hundred.collect();
        let open = async {
            // Polled after the hundred, which all wait by now.
            spawn_blocking(move || gate.wait()).await.expect("open");
        };
        let (first, hundred, ()) = futures_util::future::join3(first, join_all(hundred), open).await;
        assert_eq!(first, Some(0));
        assert_eq!(hundred, [Some(1); 100], "the first was begun before they came, one more serves all");
        assert_eq!(done.load(SeqCst), 2);
    }

    #[tokio::test]
    async fn who_goes_away_leaves_no_second_one_beside_the_first() {
        let work = Coalesced::default();
        let (running, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Barrier::new(2)));
        let one = |gate: Option<Arc<Barrier>>| {
            let running = Arc::clone(&running);
            move || {
                let beside = running.fetch_add(1, SeqCst);
                gate.map(|gate| gate.wait());
                running.fetch_sub(1, SeqCst);
                beside
            }
        };
        {
            let gone = std::pin::pin!(work.get(one(Some(Arc::clone(&gate)))));
            assert!(tokio::time::timeout(Duration::from_millis(50), gone).await.is_err());
        }
        let next = work.get(one(None));
        let open = async { spawn_blocking(move || gate.wait()).await.expect("open") };
        let (next, _) = futures_util::future::join(next, open).await;
        assert_eq!(next, Some(0));
        assert_eq!(work.get(|| panic!("as work may")).await, None);
        assert_eq!(work.get(|| 7).await, Some(7), "a panic is not for ever");
    }
}
