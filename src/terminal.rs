//! Output that is safe for a terminal.

use std::{
    borrow::Cow,
    io::{ErrorKind, IsTerminal, Write},
    os::fd::AsFd,
};

use anyhow::Context;
use rustix::termios::tcgetwinsize;

use crate::text::{visible, visible_lines};

/// Columns of a terminal; `None` without a terminal, or if it does not report them.
#[must_use]
pub fn width(of: &(impl IsTerminal + AsFd)) -> Option<usize> {
    let size = of.is_terminal().then(|| tcgetwinsize(of).ok())??;
    // Some terminals report 0.
    Some(usize::from(size.ws_col)).filter(|width| *width > 0)
}

/// Whether output is coloured there (<https://no-color.org>).
#[must_use]
pub fn color(of: &impl IsTerminal) -> bool {
    of.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty())
}

/// Returns to the first column and clears the rest of the line.
pub const REWRITE: &str = "\r\x1b[K";

/// Our own colours and [`REWRITE`]: the only escape sequences that a terminal receives.
const OURS: [&str; 5] = ["\x1b[1;31m", "\x1b[1;32m", "\x1b[1;33m", "\x1b[0m", REWRITE];

/// The last safeguard: passes lines and our own colours, and replaces everything else that a
/// terminal would act on by a visible sign.
#[must_use]
pub fn shown(text: &str) -> Cow<'_, str> {
    let begins = ['\x1b', '\r'];
    let Some(first) = text.find(begins) else { return visible_lines(text) };
    let (mut all, mut rest) = (visible_lines(&text[..first]).into_owned(), &text[first..]);
    while !rest.is_empty() {
        let ours = OURS.iter().find(|ours| rest.starts_with(**ours));
        let length = ours.map_or(1, |ours| ours.len());
        let next = rest[length..].find(begins).map_or(rest.len(), |next| length + next);
        all.push_str(&ours.map_or_else(|| visible(&rest[..1]), |ours| Cow::Borrowed(*ours)));
        all.push_str(&visible_lines(&rest[length..next]));
        rest = &rest[next..];
    }
    Cow::Owned(all)
}

/// Ends the program like clap, but what was typed is repeated with visible signs only.
pub fn refuse(error: &clap::Error) -> ! {
    let plain = error.render().to_string();
    let Cow::Owned(shown) = visible_lines(&plain) else { error.exit() };
    // If stderr is closed nobody can be told.
    let _ = std::io::stderr().write_all(shown.as_bytes());
    std::process::exit(error.exit_code())
}

/// Writes to standard output, made printable by [`shown`]. If its reader has closed it, that is not
/// an error.
///
/// # Errors
/// Any other failure, above all a full disk.
pub fn say(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(shown(text).as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("writing to standard output"),
    }
}
