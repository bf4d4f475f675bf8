//! Work that many request at the same time and one execution serves: printing the metrics, reading
//! the file of users again.
//!
//! A caller gets the result of an execution that began after its request, so no result is older
//! than the request. There is one execution at a time, off the async threads, and a pause after it:
//! however many callers there are, it takes a bounded part of one CPU.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use tokio::{sync::Mutex, task::spawn_blocking, time::sleep_until};

/// The work takes at most one part in this many of a CPU.
const SHARE: u32 = 4;
/// Longest pause after an execution.
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// The last result of one kind of work.
#[derive(Debug)]
pub(crate) struct Coalesced<T> {
    /// The number of executions begun.
    begun: Arc<AtomicU64>,
    last: Arc<Mutex<Last<T>>>,
}

#[derive(Debug)]
struct Last<T> {
    /// The number of the execution that gave the result.
    number: u64,
    /// What that execution was asked for.
    name: String,
    outcome: Option<T>,
    /// When the next execution may begin.
    next: Instant,
}

impl<T> Default for Coalesced<T> {
    fn default() -> Self {
        let last = Last { number: 0, name: String::new(), outcome: None, next: Instant::now() };
        Self { begun: Arc::default(), last: Arc::new(Mutex::new(last)) }
    }
}

impl<T: Clone + Send + 'static> Coalesced<T> {
    /// The result of `work`, or of the work of the same name for a caller at the same time; `None`
    /// if it panics.
    ///
    /// The caller may stop waiting: an execution that has begun is finished before the next begins.
    pub(crate) async fn get(&self, name: &str, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let came_after = self.begun.load(SeqCst);
        let mut last = Arc::clone(&self.last).lock_owned().await;
        if last.number > came_after && last.name == name {
            return last.outcome.clone();
        }
        if last.next > Instant::now() {
            sleep_until(last.next.into()).await;
        }
        let began = Instant::now();
        last.number = self.begun.fetch_add(1, SeqCst) + 1;
        last.outcome = None;
        name.clone_into(&mut last.name);
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
            work.get("", move || {
                gate.wait();
                done.fetch_add(1, SeqCst)
            })
        };
        let hundred = (0..100).map(|_| {
            let done = Arc::clone(&done);
            work.get("", move || done.fetch_add(1, SeqCst))
        });
        let hundred: Vec<_> = hundred.collect();
        let open = async {
            // Polled after the hundred, which all wait by then.
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
            let gone = std::pin::pin!(work.get("", one(Some(Arc::clone(&gate)))));
            assert!(tokio::time::timeout(Duration::from_millis(50), gone).await.is_err());
        }
        let next = work.get("", one(None));
        let open = async { spawn_blocking(move || gate.wait()).await.expect("open") };
        let (next, _) = futures_util::future::join(next, open).await;
        assert_eq!(next, Some(0));
        assert_eq!(work.get("", || panic!("as work may")).await, None);
        assert_eq!(work.get("", || 7).await, Some(7), "a panic is not for ever");
    }
}
