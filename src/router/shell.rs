//! The only interface between a scrape and the machine it reads: "run this script, before this
//! deadline".
//!
//! Calls block; a worker makes them on a thread of their own. No call may outlive its deadline by
//! more than a moment, whatever the router does. libssh2's timeout applies to single reads, so a
//! router that sends a byte now and then would never run into it. A watchdog therefore cuts the
//! connection (or kills the process).

use std::{
    io::{self, Read},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use crate::model::{snapshot::ScrapeError, types::FailureReason};

/// Runs scripts on one router.
pub trait Shell: Send {
    /// Runs a POSIX shell script and returns its standard output.
    ///
    /// Fails with `timeout` when `deadline` passes, with `truncated` above the limit of output,
    /// otherwise with the reason why the router could not be reached. The script's exit code is
    /// ignored.
    fn exec(&mut self, script: &str, deadline: Instant) -> Result<String, ScrapeError>;

    /// Ends the session that is kept between scripts: rights and settings that were changed on the
    /// router apply to new logins only.
    fn hang_up(&mut self) {}
}

/// Calls a function at a deadline, unless it is disarmed or dropped before.
#[derive(Debug)]
pub(super) struct Watchdog {
    fired: Arc<AtomicBool>,
    _disarm: mpsc::Sender<()>,
}

impl Watchdog {
    /// Calls `act` at `deadline`.
    pub(super) fn start(deadline: Instant, act: impl FnOnce() + Send + 'static) -> Result<Self, ScrapeError> {
        let (disarm, disarmed) = mpsc::channel();
        let fired = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&fired);
        thread::Builder::new()
            .name("deadline".to_owned())
            .spawn(move || {
                let left = deadline.saturating_duration_since(Instant::now());
                if disarmed.recv_timeout(left) == Err(RecvTimeoutError::Timeout) {
                    flag.store(true, Ordering::SeqCst);
                    act();
                }
            })
            .map_err(|error| no_thread(&error))?;
        Ok(Self { fired, _disarm: disarm })
    }

    /// Whether the deadline passed.
    pub(super) fn fired(&self) -> bool {
        self.fired.load(Ordering::SeqCst)
    }
}

/// Reads to the end of `source`, at most `limit` bytes.
pub(super) fn read_capped(source: impl Read, limit: u64) -> io::Result<Result<String, ScrapeError>> {
    let mut bytes = Vec::new();
    source.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        let limit = if limit.is_multiple_of(1 << 20) {
            format!("{} MiB", limit >> 20)
        } else {
            format!("{} KiB", limit >> 10)
        };
        return Ok(Err(ScrapeError::new(
            FailureReason::Truncated,
            format!("the output is larger than {limit} and was cut off"),
        )));
    }
    Ok(
        Ok(String::from_utf8(bytes)
            .unwrap_or_else(|bad| String::from_utf8_lossy(bad.as_bytes()).into_owned())),
    )
}

/// The time left until `deadline`; an error once it has passed.
pub(super) fn time_left(deadline: Instant, doing: &str) -> Result<Duration, ScrapeError> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(timed_out(doing)) } else { Ok(left) }
}

pub(super) fn timed_out(doing: &str) -> ScrapeError {
    ScrapeError::new(FailureReason::Timeout, format!("the deadline (`scrape_timeout`) passed while {doing}"))
}

pub(super) fn no_thread(error: &io::Error) -> ScrapeError {
    ScrapeError::new(FailureReason::Command, format!("cannot start a thread on this machine: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::plan::MAX_OUTPUT_BYTES;

    #[test]
    fn a_watchdog_acts_at_its_deadline_and_not_when_disarmed() {
        let (told, heard) = mpsc::channel();
        let quiet = told.clone();
        let soon = Instant::now() + Duration::from_millis(20);
        let dropped = Watchdog::start(soon, move || quiet.send("dropped").unwrap()).unwrap();
        drop(dropped);
        let armed = Watchdog::start(soon, move || told.send("armed").unwrap()).unwrap();
        assert_eq!(heard.iter().collect::<Vec<_>>(), ["armed"]);
        assert!(armed.fired());
    }

    #[test]
    fn output_is_capped_and_bad_utf8_survives() {
        let error = read_capped(io::repeat(b'x'), MAX_OUTPUT_BYTES).unwrap().unwrap_err();
        assert_eq!(error.reason, FailureReason::Truncated);
        assert_eq!(error.message, "the output is larger than 16 MiB and was cut off");
        let error = read_capped(io::repeat(b'x'), 64 << 10).unwrap().unwrap_err();
        assert_eq!(error.message, "the output is larger than 64 KiB and was cut off");
        assert_eq!(read_capped(&b"a\xffb"[..], 3).unwrap().unwrap(), "a\u{fffd}b");
    }
}
