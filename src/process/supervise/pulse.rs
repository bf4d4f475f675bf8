//! How a task shows that it makes progress.

use std::{
    pin::pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use super::Entry;

/// A task that only waits shows life so often.
const EVERY: Duration = Duration::from_secs(1);

/// A task's sign of life. Cheap to clone; by default nobody looks.
#[derive(Debug, Clone, Default)]
pub struct Pulse(Option<Arc<Entry>>);

impl Pulse {
    pub(super) fn of(entry: Arc<Entry>) -> Self {
        Self(Some(entry))
    }

    /// It makes progress, and will again within a second.
    pub fn beat(&self) {
        self.promise(EVERY);
    }

    /// It makes progress, and will again within `most`.
    pub fn promise(&self, most: Duration) {
        if let Some(entry) = &self.0 {
            let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
            entry.due.store(entry.clock.load(Ordering::Relaxed).saturating_add(most), Ordering::Relaxed);
        }
    }

    /// Waits for something that may take for ever; the wait itself is progress.
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

    /// Does something that bounds itself.
    pub async fn within<F: Future>(&self, most: Duration, work: F) -> F::Output {
        self.promise(most);
        let done = work.await;
        self.beat();
        done
    }
}
