//! The probes that are running: who asks for an equal one shares it.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared, WeakShared},
};

use super::{NotProbed, ProbeResult};

type Ended = Arc<Result<ProbeResult, NotProbed>>;
type Run = BoxFuture<'static, Ended>;

/// Cheap to clone. A probe for which nobody waits any more ends.
#[derive(Clone, Default)]
pub(super) struct Running {
    runs: Arc<Mutex<BTreeMap<String, WeakShared<Run>>>>,
}

impl Running {
    /// The probe of that name; where none is running, one is started unless there are `most`.
    pub(super) fn join(&self, name: String, most: usize, start: impl FnOnce() -> Run) -> Option<Shared<Run>> {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        runs.retain(|_, run| run.upgrade().is_some());
        if let Some(run) = runs.get(&name).and_then(WeakShared::upgrade) {
            return Some(run);
        }
        if runs.len() >= most {
            return None;
        }
        let run = start().shared();
        runs.extend(run.downgrade().map(|weak| (name, weak)));
        Some(run)
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Running")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn equal_ones_share_a_run_and_there_are_not_more_than_allowed() {
        let running = Running::default();
        let (started, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let ask = |name: &str| {
            let (started, gate) = (Arc::clone(&started), Arc::clone(&gate));
            running.join(name.to_owned(), 2, move || {
                async move {
                    let number = started.fetch_add(1, SeqCst);
                    let _permit = gate.acquire().await;
                    Arc::new(Err(NotProbed::Busy(number)))
                }
                .boxed()
            })
        };
        let first = ask("a").expect("room");
        let second = ask("a").expect("shared");
        let other = ask("b").expect("room");
        assert!(ask("c").is_none(), "two are running");
        gate.add_permits(1);
        let (first, second) = futures_util::future::join(first, second).await;
        assert!(Arc::ptr_eq(&first, &second));
        assert_eq!(started.load(SeqCst), 1, "the other one was not polled yet");
        // Whoever waits no longer leaves room.
        drop(other);
        assert!(ask("c").is_some() && ask("a").is_some());
    }
}
