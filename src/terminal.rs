//! What a terminal can show.

use std::{
    io::{ErrorKind, IsTerminal, Write},
    os::fd::AsFd,
};

use anyhow::Context;
use rustix::termios::tcgetwinsize;

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

/// Writes to standard output. Who has closed it wants no more: that is no error.
///
/// # Errors
/// Any other: a full disk, above all.
pub fn say(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("writing to standard output"),
    }
}
