//! Limits the cost of a configuration before anything in it is parsed.
//!
//! The scanner examines every open bracket for every token, so 200 kB of `[` took 20 s of CPU
//! (measured). An alias is expanded wherever it is used, so a megabyte of text can become gigabytes
//! of values.

use std::{cell::Cell, path::Path};

use super::ConfigError;

/// Most brackets open at a time. The known keys nest four deep.
const MOST_BRACKETS: usize = 64;
/// Longest value in bytes: no longer file name is accepted by the kernel (`PATH_MAX`).
const MOST_SCALAR: usize = 4096;
/// Most bytes of all values together; an alias counts at each use.
const MOST_EXPANDED: usize = 32 << 20;
/// Cost of a value in bytes besides its text.
const SCALAR_COST: usize = 64;

thread_local! {
    /// Bytes left for the values that are still to be parsed.
    static LEFT: Cell<usize> = const { Cell::new(MOST_EXPANDED) };
}

/// Refuses text that would take the parser long; must be called before each parse on this thread.
pub(crate) fn admit(text: &str, path: &Path) -> Result<(), ConfigError> {
    LEFT.set(MOST_EXPANDED);
    admit_too(text, path)
}

/// Like [`admit`], for a file that shares the bounds of the one before.
pub(crate) fn admit_too(text: &str, path: &Path) -> Result<(), ConfigError> {
    match too_deep(text) {
        None => Ok(()),
        Some(position) => Err(ConfigError::new(
            path,
            Some(position),
            "",
            format!(
                "more than {MOST_BRACKETS} brackets are open here (those in comments and strings count \
                 too): close some"
            ),
        )),
    }
}

/// The position where too many brackets are open. Brackets in quotes count too: skipping quoted
/// text would let a stray quote hide the rest.
fn too_deep(text: &str) -> Option<(usize, usize)> {
    let mut open = 0_usize;
    for (line, text) in (1..).zip(text.split('\n')) {
        for (column, character) in (1..).zip(text.chars()) {
            match character {
                '[' | '{' => open += 1,
                ']' | '}' => open = open.saturating_sub(1),
                _ => {}
            }
            if open > MOST_BRACKETS {
                return Some((line, column));
            }
        }
    }
    None
}

/// Counts a value when the parser reaches it.
pub(crate) fn count(value: &str) -> Result<(), String> {
    if value.len() > MOST_SCALAR {
        return Err(format!("longer than {MOST_SCALAR} bytes: is it the content of a file?"));
    }
    let left = LEFT.get().checked_sub(value.len() + SCALAR_COST);
    LEFT.set(left.unwrap_or(0));
    match left {
        Some(_) => Ok(()),
        None => Err(format!("aliases expand this file to more than {} MiB: use fewer", MOST_EXPANDED >> 20)),
    }
}
