//! One script in one exec, and its output split into sections.
//!
//! Everything goes into one exec, because each costs two round trips or more over a WAN. PATH is
//! set because a non-root exec on VyOS lacks /usr/sbin, where `bridge` is.

use std::{
    collections::BTreeMap,
    sync::LazyLock,
    time::{Duration, Instant},
};

use super::{
    bounds,
    parse::{
        self, ParseError,
        sections::{self, FrameError, Section},
        terminal,
    },
    shell::{Shell, timed_out},
};
use crate::{
    model::{
        snapshot::{Link, RouterSnapshot, ScrapeError, Uptime, fdb::Fdb, index::Index, ip_stack::IpStack},
        types::{FailureReason, Method},
    },
    text::Text,
};

/// The origin of the times at which routers were asked.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// `s NAME COMMAND…` prints one section. A command that failed is run once more to show why: mixing
/// its stderr into its stdout would spoil the JSON, and a full stderr pipe that nobody reads would
/// block it.
const PRELUDE: &str = r#"export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
s() {
n=$1; shift; echo "$M begin $n"
"$@" 2>/dev/null; r=$?
if [ $r -ne 0 ]; then echo; echo "$M err"; "$@" 2>&1 >/dev/null | head -c 400; fi
echo; echo "$M rc=$r"
}
"#;

/// Sections with the system's version and boot id; a vendor may add a more exact version.
pub(crate) const SYSTEM: &str = "s boot cat /proc/sys/kernel/random/boot_id
s os cat /etc/os-release
";

/// Seconds since boot, read right before the counters; `uptime-after` is read right after them.
pub(crate) const UPTIME_BEFORE: &str = "s uptime-before cat /proc/uptime\n";
/// See [`UPTIME_BEFORE`].
pub(crate) const UPTIME_AFTER: &str = "s uptime-after cat /proc/uptime\n";

/// Why a method failed, which decides what is tried next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failed {
    /// The router was reached, but does not answer this method: another may work on the same
    /// session.
    Method(ScrapeError),
    /// The router could not be reached: other methods over the same transport would fail too.
    Way(ScrapeError),
}

/// Runs `body` and passes its output to `read`.
pub(crate) fn run<T>(
    shell: &mut dyn Shell,
    body: &str,
    deadline: Instant,
    read: impl FnOnce(&Output<'_>) -> Result<T, ScrapeError>,
) -> Result<T, Failed> {
    let marker = format!("vxlan-exporter-{:032x}", fastrand::u128(..));
    let asked = START.elapsed();
    let printed = shell.exec(&framed(&marker, body), deadline).map_err(Failed::Way)?;
    let answered = START.elapsed();
    let text = terminal::clean(&printed);
    let sections = sections::split(&text, &marker).map_err(|error| Failed::Way(unframed(&error, &text)))?;
    read(&Output { sections, asked, answered }).map_err(Failed::Method)
}

fn framed(marker: &str, body: &str) -> String {
    format!("M={marker}\n{PRELUDE}{body}echo \"$M end\"\n")
}

fn unframed(error: &FrameError, output: &str) -> ScrapeError {
    if bounds::is_late() {
        return timed_out("reading what the router printed");
    }
    match error {
        FrameError::CutOff { section } => ScrapeError::new(
            FailureReason::Truncated,
            format!("the output ended in section `{section}`, before its end marker"),
        ),
        FrameError::NotStarted if output.trim().is_empty() => ScrapeError::new(
            FailureReason::Truncated,
            "the router printed nothing: does the user have a login shell that runs commands?",
        ),
        FrameError::NotStarted => {
            let reason = denied_or(FailureReason::Command, output);
            let seen = parse::excerpt(output.trim());
            ScrapeError::new(
                reason,
                format!("the router's shell did not run the script; it printed `{seen}`"),
            )
        }
    }
}

fn denied_or(otherwise: FailureReason, message: &str) -> FailureReason {
    let message = message.to_ascii_lowercase();
    let denied = ["permission denied", "not permitted", "a permission to", "restricted"];
    if denied.iter().any(|words| message.contains(words)) { FailureReason::Permission } else { otherwise }
}

/// The error for output that a parser did not understand.
#[must_use]
pub(crate) fn misread(error: &ParseError) -> ScrapeError {
    if bounds::is_late() {
        return timed_out("reading what the router printed");
    }
    ScrapeError::new(FailureReason::Parse, error.to_string())
}

/// What identifies the system that was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct System {
    /// The software version.
    pub version: Option<Text>,
    /// The boot id.
    pub boot_id: Option<Text>,
    /// When the counters were read.
    pub uptime: Option<Uptime>,
}

impl System {
    /// A snapshot of a method that shows links, but neither forwarding entries nor routes.
    pub(super) fn with_links(self, method: Method, links: Vec<Link>) -> RouterSnapshot {
        let Self { version, boot_id, uptime } = self;
        RouterSnapshot {
            method,
            links,
            fdb: Fdb::default(),
            tells_fdb: false,
            routes: BTreeMap::new(),
            version,
            boot_id,
            uptime,
            stack: IpStack::default(),
            index: Index::default(),
        }
    }
}

/// One script's output, split into sections.
#[derive(Debug)]
pub(crate) struct Output<'a> {
    sections: BTreeMap<&'a str, Section<'a>>,
    /// When the script was sent and when its output had arrived, since [`START`].
    asked: Duration,
    answered: Duration,
}

impl<'a> Output<'a> {
    /// The text of a section; `None` if its command failed.
    #[must_use]
    pub(crate) fn may(&self, name: &str) -> Option<&'a str> {
        self.sections.get(name).filter(|section| section.exit_code == 0).map(|section| section.text)
    }

    /// The text of a section without which there is no snapshot; `needs` says what the command
    /// requires.
    pub(crate) fn must(&self, name: &str, command: &str, needs: &str) -> Result<&'a str, ScrapeError> {
        let Some(section) = self.sections.get(name) else {
            let message = format!("the output has no section `{name}`");
            return Err(ScrapeError::new(FailureReason::Truncated, message));
        };
        if section.exit_code == 0 {
            return Ok(section.text);
        }
        // VyOS's op-mode scripts print their errors to stdout.
        let said = if section.stderr.is_empty() { section.text.trim() } else { section.stderr };
        let code = section.exit_code;
        let reason = if code == 126 { FailureReason::Permission } else { FailureReason::Command };
        let reason = denied_or(reason, said);
        let remedy = if reason == FailureReason::Permission { "let the user run it" } else { needs };
        let said = parse::excerpt(said);
        Err(ScrapeError::new(reason, format!("`{command}` failed with exit code {code}: `{said}`; {remedy}")))
    }

    /// The results of [`SYSTEM`], `Vyos::VERSION_FILES` and the two uptimes.
    #[must_use]
    pub(crate) fn system(&self) -> System {
        let uptime = |section| parse::system::uptime_seconds(self.may(section)?);
        let text = |section| self.may(section).unwrap_or_default();
        System {
            version: parse::system::version(text("vyos"), text("vyos-json"), text("os")),
            boot_id: parse::system::boot_id(text("boot")),
            uptime: uptime("uptime-before").zip(uptime("uptime-after")).map(|(before, after)| Uptime {
                before,
                after,
                asked: self.asked,
                answered: self.answered,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn the_script_shows_why_a_command_failed() {
        let script = framed("M", "s good echo fine\ns bad sh -c \"echo out; echo why >&2; exit 3\"\n");
        for shell in ["sh", "bash"] {
            let output = Command::new(shell).args(["-c", &script]).output().unwrap();
            assert!(output.stderr.is_empty());
            let text = String::from_utf8(output.stdout).unwrap();
            let sections = sections::split(&text, "M").unwrap();
            assert_eq!((sections["good"].text.trim(), sections["good"].exit_code), ("fine", 0));
            let bad = &sections["bad"];
            assert_eq!((bad.text.trim(), bad.stderr, bad.exit_code), ("out", "why", 3));
        }
    }

    /// A shell that always gives the same output.
    struct Says(&'static str);

    impl Shell for Says {
        fn exec(&mut self, _script: &str, _deadline: Instant) -> Result<String, ScrapeError> {
            Ok(self.0.to_owned())
        }
    }

    #[test]
    fn a_shell_that_does_not_run_the_script_is_named() {
        for (text, reason) in [
            ("", FailureReason::Truncated),
            ("This account is currently not available.\n", FailureReason::Command),
            ("You do not have a permission to execute VyOS command [x]\n", FailureReason::Permission),
        ] {
            let outcome = run(&mut Says(text), "", Instant::now(), |_| Ok(()));
            assert!(matches!(&outcome, Err(Failed::Way(error)) if error.reason == reason), "{outcome:?}");
        }
    }
}
