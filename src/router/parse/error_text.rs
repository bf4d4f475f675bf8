//! Errors that a router prints instead of an answer: of VyOS's op-mode and its `vyos-op-run`, the
//! shell, iproute2, the SSH client.
//!
//! Most go to stderr with exit code 1, some to stdout, and for an operator a failing script
//! exits 0. So the text decides, not the exit code.

use super::excerpt;
use crate::model::{
    snapshot::ScrapeError,
    types::FailureReason::{
        self, Auth, Command, Connect, Dns, HostkeyMismatch, HostkeyUnknown, Permission, Refused, Timeout,
    },
};

/// Phrases in lower case and the reason they stand for; the first one found in a line counts.
const WORDS: [(&str, FailureReason); 38] = [
    // The OpenSSH client.
    ("permission denied (", Auth),
    ("permission denied, please try again", Auth),
    ("too many authentication failures", Auth),
    ("remote host identification has changed", HostkeyMismatch),
    ("host key verification failed", HostkeyUnknown),
    ("could not resolve hostname", Dns),
    ("connection refused", Refused),
    ("connection reset by", Refused),
    ("connection closed by", Refused),
    ("timed out during banner exchange", Timeout),
    ("connection timed out", Connect),
    ("no route to host", Connect),
    ("network is unreachable", Connect),
    // The HTTPS API.
    ("valid api key is required", Auth),
    // vyos-op-run of an operator group, then the system's own message.
    ("do not have a permission to execute", Permission),
    ("do not have permission", Permission),
    ("permission denied", Permission),
    ("operation not permitted", Permission),
    ("not in the sudoers file", Permission),
    ("is not allowed to execute", Permission),
    ("is not allowed to run sudo", Permission),
    ("a password is required", Permission),
    ("a terminal is required to read the password", Permission),
    ("restricted: cannot", Permission),
    // Op-mode.
    ("invalid command", Command),
    ("incomplete command", Command),
    ("ambiguous command", Command),
    ("is not a valid argument for command", Command),
    ("possible completions:", Command),
    ("internal error:", Command),
    ("failed to execute unix call", Command),
    ("does not exist", Command),
    ("cannot find device", Command),
    ("no vlan-to-vni mapping found", Command),
    // Shell and Python.
    ("command not found", Command),
    ("no such file or directory", Command),
    ("syntax error", Command),
    ("traceback (most recent call last)", Command),
];

/// The first known error in a text, with the line that says it; `None` if there is none.
#[must_use]
pub(crate) fn classify(text: &str) -> Option<ScrapeError> {
    // ssh prints its general message after the specific one.
    let changed = find(text, |(_, reason)| *reason == HostkeyMismatch);
    let (reason, line) = changed.or_else(|| find(text, |_| true))?;
    // The last line of a traceback holds the error.
    let line = if line.starts_with("Traceback") { last_line(text) } else { line };
    Some(ScrapeError::new(reason, line))
}

/// The reason for a text that is known to be an error.
#[must_use]
pub(crate) fn read(text: &str) -> ScrapeError {
    classify(text).unwrap_or_else(|| {
        let line = text.lines().map(str::trim).find(|line| !line.is_empty());
        let message = line.map_or_else(|| "no reason was given".to_owned(), excerpt);
        ScrapeError::new(Command, message)
    })
}

fn find(text: &str, wanted: impl Fn(&(&str, FailureReason)) -> bool) -> Option<(FailureReason, &str)> {
    text.lines().map(str::trim).find_map(|line| {
        let lower = line.to_ascii_lowercase();
        let (_, reason) =
            WORDS.iter().filter(|known| wanted(known)).find(|(words, _)| lower.contains(words))?;
        Some((*reason, line))
    })
}

fn last_line(text: &str) -> &str {
    text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons() {
        for (text, reason) in [
            ("\n  Incomplete command: show interfaces\n\n", Command),
            ("Invalid command [show x]: \"x\" is not a valid argument for command [show]", Command),
            ("Internal error: Not_found", Command),
            ("vbash: line 1: show: command not found", Command),
            ("Interface vxlan77 does not exist", Command),
            ("sudo: a password is required", Permission),
            ("bash: /usr/sbin/bridge: Permission denied", Permission),
            ("monitor@10.10.0.254: Permission denied (publickey).", Auth),
            ("ssh: connect to host dc port 22: Connection refused", Refused),
            ("Something else", Command),
        ] {
            assert_eq!(read(text).reason, reason, "{text}");
        }
        let changed = "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.";
        assert_eq!(read(changed).reason, HostkeyMismatch);
    }

    #[test]
    fn a_traceback_says_what_was_wrong() {
        let text = "Traceback (most recent call last):\n  File \"x.py\", line 1\nKeyError: 'link_type'\n";
        assert_eq!(read(text).message, "KeyError: 'link_type'");
    }

    #[test]
    fn an_empty_text_gives_no_reason() {
        assert_eq!(classify("\n"), None);
        assert_eq!(read("\n").to_string(), "command: no reason was given");
    }
}
