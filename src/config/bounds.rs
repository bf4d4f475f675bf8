//! What a configuration may cost before anything in it is understood.
//!
//! The scanner looks at every open bracket for every token, so 200 kB of `[` took 20 s of CPU (measured); and an alias is read
//! again wherever it stands, so that a megabyte of text can mean gigabytes of values.

use std::{cell::Cell, path::Path};

use super::ConfigError;

/// Brackets open at a time. The keys known here nest four deep.
const MOST_BRACKETS: usize = 64;
/// Bytes of one value: no file name that the kernel takes is longer (`PATH_MAX`).
const MOST_SCALAR: usize = 4096;
/// Bytes of all values, each alias counted wherever it stands.
const MOST_EXPANDED: usize = 32 << 20;
/// What a value takes beside its text.
const SCALAR_COST: usize = 64;

thread_local! {
    /// Bytes that the values still to be read may have.
    static LEFT: Cell<usize> = const { Cell::new(MOST_EXPANDED) };
}

/// Refuses what would take the parser long; to be called before each parse on this thread.
pub fn admit(text: &str, path: &Path) -> Result<(), ConfigError> {
    LEFT.set(MOST_EXPANDED);
    match too_deep(text) {
        None => Ok(()),
        Some(position) => Err(ConfigError::new(
            path,
            Some(position),
            "",
            format!(
                "more than {MOST_BRACKETS} brackets are open here, in comments and texts too: close some"
            ),
        )),
    }
}

/// Brackets count wherever they stand. What is skipped in quotes could hide the rest behind a quote of its own.
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

/// Counts a value that the parser comes to.
pub fn count(value: &str) -> Result<(), String> {
    if value.len() > MOST_SCALAR {
        return Err(format!("longer than {MOST_SCALAR} bytes: is it the content of a file?"));
    }
    let left = LEFT.get().checked_sub(value.len() + SCALAR_COST);
    LEFT.set(left.unwrap_or(0));
    match left {
        Some(_) => Ok(()),
        None => Err(format!(
            "aliases make more than {} MiB of this file: write less of them",
            MOST_EXPANDED >> 20
        )),
    }
}
