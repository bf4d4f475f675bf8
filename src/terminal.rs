//! What a terminal can show.

use std::{
    borrow::Cow,
    io::{ErrorKind, IsTerminal, Write},
    os::fd::AsFd,
};

use anyhow::Context;
use rustix::termios::tcgetwinsize;

use crate::text::{visible, visible_lines};

/// Columns of a terminal; `None` where there is no terminal, or one that does not say.
#[must_use]
pub fn width(of: &(impl IsTerminal + AsFd)) -> Option<usize> {
    let size = of.is_terminal().then(|| tcgetwinsize(of).ok())??;
    // Some terminals say 0.
    Some(usize::from(size.ws_col)).filter(|width| *width > 0)
}

/// Whether a person sees colours there and wants them (<https://no-color.org>).
#[must_use]
pub fn color(of: &impl IsTerminal) -> bool {
    of.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty())
}

/// Back to the first column, and everything after it blank.
pub const REWRITE: &str = "\r\x1b[K";

/// Our own colours, and [`REWRITE`]: all that a terminal is told but text.
const OURS: [&str; 5] = ["\x1b[1;31m", "\x1b[1;32m", "\x1b[1;33m", "\x1b[0m", REWRITE];

/// The last line of defence: lines, our own colours, and all else that a terminal would act on as a sign that shows.
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

/// Ends the program as clap would, but that what was typed is repeated as signs that show.
pub fn refuse(error: &clap::Error) -> ! {
    let plain = error.render().to_string();
    let Cow::Owned(shown) = visible_lines(&plain) else { error.exit() };
    // Nobody is left to tell that stderr is closed.
    let _ = std::io::stderr().write_all(shown.as_bytes());
    std::process::exit(error.exit_code())
}

/// Writes to standard output, as [`shown`]. Who has closed it wants no more: that is no error.
///
/// # Errors
/// Any other: a full disk, above all.
pub fn say(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(shown(text).as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("writing to standard output"),
    }
}
