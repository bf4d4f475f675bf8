//! A task that is restarted whenever it ends.

use std::{
    collections::VecDeque,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use tokio::{
    sync::oneshot,
    task::{JoinError, JoinHandle, JoinSet},
    time::{sleep, timeout},
};
use tracing::error;

use super::{AGAIN, Pulse, Supervisor, Task, TaskEntry, Watched, watchdog};

/// Pause between an end and the next start.
const PAUSE: Duration = Duration::from_millis(if cfg!(test) { 20 } else { 1000 });
/// How often its progress is checked.
const LOOK: Duration = Duration::from_millis(if cfg!(test) { 20 } else { 500 });
/// How long a task may take to end when told to.
const LET_GO: Duration = Duration::from_secs(3);
/// If there are more restarts than this within [`WITHIN`], restarting does not help and the process
/// ends.
const MOST: usize = 5;
const WITHIN: Duration = Duration::from_mins(5);

/// A task that is kept running until this is dropped.
#[derive(Debug)]
pub struct Kept {
    stop: Option<oneshot::Sender<()>>,
    keeper: JoinHandle<()>,
}

impl Kept {
    /// Ends the task and waits until it has ended.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        // An error means that the runtime is about to end.
        let _ = (&mut self.keeper).await;
    }

    /// Identifies this run of the keeper: a stop and a start give another id.
    #[cfg(test)]
    pub(crate) fn id(&self) -> tokio::task::Id {
        self.keeper.id()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if self.stop.is_some() {
            self.keeper.abort();
        }
    }
}

impl Supervisor {
    /// Runs the task that `start` makes, and makes it again whenever it ends, panics or makes no
    /// progress. `subject` says which of several tasks it is.
    pub fn keep<S, F>(&self, task: Task, subject: &str, start: S) -> Kept
    where
        S: FnMut(Pulse) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let (stop, stopped) = oneshot::channel();
        let watched = self.watch(task, subject);
        Kept { stop: Some(stop), keeper: tokio::spawn(keep(watched, start, stopped)) }
    }
}

async fn keep<S, F>(watched: Watched, mut start: S, mut stopped: oneshot::Receiver<()>)
where
    S: FnMut(Pulse) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let entry = &watched.entry;
    let mut restarts = VecDeque::new();
    loop {
        watched.pulse().beat();
        entry.missing.store(false, Ordering::Relaxed);
        // The task's own tasks end with it.
        let mut one = JoinSet::new();
        one.spawn(start(watched.pulse()));
        let why = tokio::select! {
            ended = one.join_next() => words(ended),
            () = silent(entry) => {
                one.abort_all();
                if timeout(LET_GO, one.join_next()).await.is_err() {
                    error!(task = %entry.task, subject = entry.subject, "it has stopped making progress \
                        and cannot be ended");
                    // Waits until it ends after all, or the watchdog ends the process.
                    let _ = one.join_next().await;
                }
                "it made no progress".to_owned()
            }
            _ = &mut stopped => {
                one.shutdown().await;
                return;
            }
        };
        entry.missing.store(true, Ordering::Relaxed);
        watched.supervisor.0.restarts[entry.task as usize].fetch_add(1, Ordering::Relaxed);
        error!(task = %entry.task, subject = entry.subject, why, "a task has ended: it is started again");
        if is_too_often(entry.task, &mut restarts) {
            watchdog::end_the_process(&format!("{} was started again {MOST} times: {why}", entry.name()));
        }
        tokio::select! {
            () = sleep(PAUSE) => {}
            _ = &mut stopped => return,
        }
    }
}

/// Whether there are too many restarts. A worker that dies whenever it reads its router does not
/// count: the other routers are still read.
fn is_too_often(task: Task, restarts: &mut VecDeque<Instant>) -> bool {
    restarts.push_back(Instant::now());
    restarts.retain(|when| when.elapsed() < WITHIN);
    task != Task::RouterWorker && restarts.len() > MOST
}

async fn silent(entry: &TaskEntry) {
    while entry.silent_for() < AGAIN {
        sleep(LOOK).await;
    }
}

fn words(ended: Option<Result<(), JoinError>>) -> String {
    match ended {
        Some(Err(error)) if error.is_panic() => "it panicked".to_owned(),
        Some(Err(error)) => error.to_string(),
        Some(Ok(())) | None => "it returned".to_owned(),
    }
}
