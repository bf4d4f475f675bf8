//! That what should run does run, seen by somebody who does not depend on it.
//!
//! - `keep`: whatever ends or makes no progress is started again, with a counter and a log line
//! - `pulse`: a task shows that it makes progress, or says until when it need not
//! - `watchdog`: a thread of the operating system that sees who is silent, also where no task has its turn any more, and ends
//!   the process where starting again does not help
//! - `door`: where `vxlan_exporter healthy` asks
//! - `fault`: how the tests make a task fail
//!
//! Time is counted by the watchdog's own turns: a process that was stopped, or a machine that slept, is behind with everything, and
//! nobody in it is silent until all have had their turn.

pub mod door;
pub(crate) mod fault;
mod keep;
mod pulse;
#[cfg(test)]
mod tests;
mod watchdog;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

pub use crate::model::types::Task;
pub use keep::Kept;
pub use pulse::Pulse;

use crate::text::seconds;

/// Silent so long beyond what was promised: it is seen, and said.
const SEEN: Duration = Duration::from_secs(5);
/// It is ended and started again.
const AGAIN: Duration = Duration::from_secs(12);
/// It cannot be ended: the process ends.
const LOST: Duration = Duration::from_secs(25);

/// Knows all tasks that should run. Cheap to clone; by default nobody looks.
#[derive(Debug, Clone, Default)]
pub struct Supervisor(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    clock: Arc<AtomicU64>,
    entries: Mutex<Vec<Arc<Entry>>>,
    restarts: [AtomicU64; Task::ALL.len()],
}

/// One task that should run.
#[derive(Debug)]
struct Entry {
    task: Task,
    /// Which of several: a router's name.
    subject: String,
    clock: Arc<AtomicU64>,
    /// By when it shows life again, in milliseconds of the clock.
    due: AtomicU64,
    /// It has ended and is about to be started again.
    missing: AtomicBool,
    /// That it is silent was said.
    told: AtomicBool,
}

impl Entry {
    fn silent_for(&self) -> Duration {
        let now = self.clock.load(Ordering::Relaxed);
        Duration::from_millis(now.saturating_sub(self.due.load(Ordering::Relaxed)))
    }

    fn name(&self) -> String {
        if self.subject.is_empty() {
            self.task.to_string()
        } else {
            format!("{} {}", self.task, self.subject)
        }
    }

    /// What is wrong with it.
    fn trouble(&self) -> Option<String> {
        let silent = self.silent_for();
        if self.missing.load(Ordering::Relaxed) {
            Some(format!("{} has ended and is about to be started again", self.name()))
        } else if silent >= SEEN {
            Some(format!("{} makes no progress since {}", self.name(), seconds(silent)))
        } else {
            None
        }
    }
}

impl Supervisor {
    /// With a watchdog, for as long as somebody has it.
    pub fn start() -> std::io::Result<Self> {
        let supervisor = Self::default();
        watchdog::start(Arc::downgrade(&supervisor.0))?;
        Ok(supervisor)
    }

    /// What is wrong now, in words; `None` while every task runs and makes progress.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        let troubles: Vec<_> = self.entries().iter().filter_map(|entry| entry.trouble()).collect();
        (!troubles.is_empty()).then(|| troubles.join("; "))
    }

    /// How often tasks of that kind were started again.
    #[must_use]
    pub fn restarts(&self, task: Task) -> u64 {
        self.0.restarts[task as usize].load(Ordering::Relaxed)
    }

    /// Watches a task that its owner runs itself, until what is handed back is dropped.
    #[must_use]
    pub fn watch(&self, task: Task, subject: &str) -> Watched {
        let entry = Arc::new(Entry {
            task,
            subject: subject.to_owned(),
            clock: Arc::clone(&self.0.clock),
            due: AtomicU64::new(0),
            missing: AtomicBool::new(false),
            told: AtomicBool::new(false),
        });
        self.entries().push(Arc::clone(&entry));
        let watched = Watched { supervisor: self.clone(), entry };
        watched.pulse().beat();
        watched
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Arc<Entry>>> {
        self.0.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A task under watch.
#[derive(Debug)]
pub struct Watched {
    supervisor: Supervisor,
    entry: Arc<Entry>,
}

impl Watched {
    /// By which the task shows life.
    #[must_use]
    pub fn pulse(&self) -> Pulse {
        Pulse::of(Arc::clone(&self.entry))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.supervisor.entries().retain(|entry| !Arc::ptr_eq(entry, &self.entry));
    }
}
