//! How a task reports progress.

use std::{
    pin::pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use super::TaskEntry;

/// How often a task that only waits reports progress.
const EVERY: Duration = Duration::from_secs(1);

/// The pulse of a task. Cheap to clone; by default nobody watches it.
#[derive(Debug, Clone, Default)]
pub struct Pulse(Option<Arc<TaskEntry>>);

impl Pulse {
    pub(super) fn of(entry: Arc<TaskEntry>) -> Self {
        Self(Some(entry))
    }

    /// Reports progress; the next report is due within a second.
    pub fn beat(&self) {
        self.promise(EVERY);
    }

    /// Reports progress; the next report is due within `most`.
    pub fn promise(&self, most: Duration) {
        if let Some(entry) = &self.0 {
            let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
            entry.due.store(entry.clock.load(Ordering::Relaxed).saturating_add(most), Ordering::Relaxed);
        }
    }

    /// Awaits something that may take forever; waiting counts as progress.
    pub async fn during<F: Future>(&self, wait: F) -> F::Output {
        let mut wait = pin!(wait);
        loop {
            self.beat();
            tokio::select! {
                done = &mut wait => {
                    self.beat();
                    return done;
                }
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    /// Awaits something that takes at most `most`.
    pub async fn within<F: Future>(&self, most: Duration, work: F) -> F::Output {
        self.promise(most);
        let done = work.await;
        self.beat();
        done
    }
}
