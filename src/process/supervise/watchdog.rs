//! A thread that checks whether tasks make progress. It needs no runtime.

use std::{
    io, process,
    sync::{Weak, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use tracing::{error, info};

use super::{LOST, SEEN, Supervisor, TaskTable};
use crate::logging;

/// Time between two checks.
const TURN: Duration = Duration::from_millis(250);
/// A turn counts as this long at most: if it took longer the process was stopped, or the machine
/// slept or was too busy, which affected all tasks.
const MOST: Duration = Duration::from_millis(500);
/// Exit code of the process if restarting a task does not help.
pub const EXIT_CODE: i32 = 3;
/// How long the end of the process may take.
const LAST_WORDS: Duration = Duration::from_secs(3);

pub fn start(supervised: Weak<TaskTable>) -> io::Result<()> {
    let look = move || {
        let mut last = Instant::now();
        loop {
            thread::sleep(TURN);
            let Some(shared) = supervised.upgrade() else { return };
            let since = last.elapsed();
            last += since;
            if let Some(why) = Supervisor(shared).look(since) {
                end_the_process(&why);
            }
        }
    };
    thread::Builder::new().name("watchdog".to_owned()).spawn(look)?;
    Ok(())
}

impl Supervisor {
    /// Advances the clock and reports silent tasks; returns why the process must end, if it must.
    pub(super) fn look(&self, since: Duration) -> Option<String> {
        let turn = u64::try_from(since.min(MOST).as_millis()).unwrap_or(u64::MAX);
        self.0.clock.fetch_add(turn, Ordering::Relaxed);
        let entries = self.entries().clone();
        for entry in &entries {
            let is_silent = entry.silent_for() >= SEEN;
            let task = entry.task;
            match (is_silent, entry.told.swap(is_silent, Ordering::Relaxed)) {
                (true, false) => error!(%task, subject = entry.subject, "a task makes no progress"),
                (false, true) => info!(%task, subject = entry.subject, "the task makes progress again"),
                _ => {}
            }
        }
        let lost = entries.iter().find(|entry| entry.silent_for() >= LOST)?;
        Some(format!("{} makes no progress and cannot be started again", lost.name()))
    }
}

/// Ends the process, whatever else hangs, so that its service manager starts it again.
pub fn end_the_process(why: &str) -> ! {
    // What runs at exit may wait for whatever hangs.
    let _ = thread::Builder::new().spawn(|| {
        thread::sleep(LAST_WORDS);
        process::abort();
    });
    logging::say_and_end(&format!("vxlan_exporter: {why}: this is a bug, please report it with the log\n"));
    process::exit(EXIT_CODE)
}
