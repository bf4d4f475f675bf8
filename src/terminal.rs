//! What a terminal can show.

use std::{io::IsTerminal, os::fd::AsFd};

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
