//! `local: {}`: the machine this exporter runs on, read with the same script as any router.
//!
//! The script runs in its own process group, which is killed as a whole at the deadline: a hung
//! `ip` keeps the pipe open, so killing `sh` alone would not end the read.

use std::{
    os::unix::process::CommandExt,
    process::{Command, Stdio},
    time::Instant,
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

use crate::{
    model::{plan::MAX_OUTPUT_BYTES, snapshot::ScrapeError, types::FailureReason},
    router::shell::{Shell, Watchdog, read_capped, timed_out},
};

/// A shell on this machine.
#[derive(Debug, Default)]
pub(crate) struct LocalShell;

impl Shell for LocalShell {
    fn exec(&mut self, script: &str, deadline: Instant) -> Result<String, ScrapeError> {
        let failed = |what: &str, error: &dyn std::fmt::Display| {
            ScrapeError::new(FailureReason::Command, format!("{what} on this machine: {error}"))
        };
        let mut child = Command::new("/bin/sh")
            .args(["-c", script])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|error| failed("cannot run /bin/sh", &error))?;
        // With process_group(0) the group has the child's id.
        let group =
            i32::try_from(child.id()).map(Pid::from_raw).map_err(|error| failed("bad process id", &error))?;
        let end = move || {
            // An error means that the group is already gone.
            let _ = killpg(group, Signal::SIGKILL);
        };
        let watchdog = Watchdog::start(deadline, end).inspect_err(|_| end())?;
        let output = match child.stdout.take() {
            Some(stdout) => read_capped(stdout, MAX_OUTPUT_BYTES)
                .unwrap_or_else(|error| Err(failed("cannot read from sh", &error))),
            None => Err(failed("cannot read from sh", &"no pipe")),
        };
        if output.is_err() {
            end();
        }
        let waited = child.wait();
        if watchdog.fired() {
            return Err(timed_out("reading this machine"));
        }
        waited.map_err(|error| failed("cannot wait for sh", &error))?;
        output
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn exec(script: &str, timeout: Duration) -> Result<String, ScrapeError> {
        LocalShell.exec(script, Instant::now() + timeout)
    }

    #[test]
    fn returns_stdout_only() {
        assert_eq!(exec("echo out; echo err >&2; exit 3", Duration::from_secs(5)).unwrap(), "out\n");
    }

    #[test]
    fn a_hung_grandchild_ends_at_the_deadline() {
        let start = Instant::now();
        let error = exec("(sleep 30; :) & sleep 30", Duration::from_millis(200)).unwrap_err();
        assert_eq!(error.reason, FailureReason::Timeout);
        assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    }

    #[test]
    fn endless_output_is_cut_off() {
        let error = exec("yes vxlan", Duration::from_secs(30)).unwrap_err();
        assert_eq!(error.reason, FailureReason::Truncated);
    }
}
