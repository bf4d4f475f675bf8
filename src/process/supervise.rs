//! Watches that everything that should run does run, independently of what is watched.
//!
//! - `keep`: restarts a task that ended or makes no progress, with a counter and a log line
//! - `pulse`: a task reports progress, or until when it will be silent
//! - `watchdog`: an operating system thread that finds silent tasks, even if no task is scheduled
//!   any more, and ends the process if restarting does not help
//! - `door`: answers `vxlan_exporter healthy`
//! - `fault`: how tests make a task fail
//!
//! Time is counted in the watchdog's own turns. After the process was stopped or the machine slept,
//! everything is late, so no task counts as silent until all have had a turn.

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

/// A task silent for this long beyond what it promised is reported.
const SEEN: Duration = Duration::from_secs(5);
/// After this long it is ended and restarted.
const AGAIN: Duration = Duration::from_secs(12);
/// After this long it cannot be ended, so the process ends.
const LOST: Duration = Duration::from_secs(25);

/// Knows all tasks that should run. Cheap to clone; by default there is no watchdog.
#[derive(Debug, Clone, Default)]
pub struct Supervisor(Arc<TaskTable>);

#[derive(Debug, Default)]
struct TaskTable {
    clock: Arc<AtomicU64>,
    entries: Mutex<Vec<Arc<TaskEntry>>>,
    restarts: [AtomicU64; Task::ALL.len()],
}

/// One task that should run.
#[derive(Debug)]
struct TaskEntry {
    task: Task,
    /// Which of several tasks of its kind: a router's name.
    subject: String,
    clock: Arc<AtomicU64>,
    /// When it must next report progress, in milliseconds of the clock.
    due: AtomicU64,
    /// Whether it has ended and is about to be restarted.
    missing: AtomicBool,
    /// Whether its silence has been reported.
    told: AtomicBool,
}

impl TaskEntry {
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
            Some(format!("{} has made no progress for {}", self.name(), seconds(silent)))
        } else {
            None
        }
    }
}

impl Supervisor {
    /// Starts a watchdog, which runs as long as a clone of this exists.
    pub fn start() -> std::io::Result<Self> {
        let supervisor = Self::default();
        watchdog::start(Arc::downgrade(&supervisor.0))?;
        Ok(supervisor)
    }

    /// What is wrong at present; `None` while every task runs and makes progress.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        let troubles: Vec<_> = self.entries().iter().filter_map(|entry| entry.trouble()).collect();
        (!troubles.is_empty()).then(|| troubles.join("; "))
    }

    /// How often tasks of that kind were restarted.
    #[must_use]
    pub fn restarts(&self, task: Task) -> u64 {
        self.0.restarts[task as usize].load(Ordering::Relaxed)
    }

    /// Watches a task that its owner runs itself, until the returned value is dropped.
    #[must_use]
    pub fn watch(&self, task: Task, subject: &str) -> Watched {
        let entry = Arc::new(TaskEntry {
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

    fn entries(&self) -> MutexGuard<'_, Vec<Arc<TaskEntry>>> {
        self.0.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A task that is watched.
#[derive(Debug)]
pub struct Watched {
    supervisor: Supervisor,
    entry: Arc<TaskEntry>,
}

impl Watched {
    /// The pulse by which the task reports progress.
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
