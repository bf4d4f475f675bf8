//! `show interfaces vxlan detail`, `show interfaces vxlan NAME`: VyOS's op-mode text, 1.2 to
//! rolling.
//!
//! It is `ip addr show NAME` without the number, then `Last clear:` and `Description:` if there are
//! any, a blank line, and a table of counters. It has no VNI, remote, port, DF policy or learning.
//! For a missing interface it prints nothing, with exit code 0: empty text means no interface,
//! never one with counters at 0.

use super::{ParseError, error_text, excerpt, links::Links, text};

const COMMAND: &str = "show interfaces vxlan detail";

/// All interfaces.
pub fn links(output: &str) -> Result<Links, ParseError> {
    read(text::Dialect { command: COMMAND, counters: true }, output)
}

/// Reads another dialect of this text. Text without any interface must consist of lines that say
/// nothing.
pub(super) fn read(dialect: text::Dialect, output: &str) -> Result<Links, ParseError> {
    let links = text::links(dialect, output)?;
    if !links.read.is_empty() {
        return Ok(links);
    }
    let Some((index, line)) = output.lines().enumerate().find(|(_, line)| says_something(line)) else {
        return Ok(links);
    };
    let said = error_text::classify(output).map_or_else(|| line.trim().into(), |error| error.message);
    Err(ParseError {
        command: dialect.command,
        line: index + 1,
        message: format!("expected `NAME: <FLAGS> mtu …`, saw `{}`", excerpt(&said)).into(),
    })
}

/// Whether a line has content. Blank lines, VyOS's greeting, its complaint about a stats file and
/// an echoed command have none.
fn says_something(line: &str) -> bool {
    let line = line.trim();
    let prompt = line.ends_with(['$', '#']) || line.contains("$ show ") || line.contains("# run show ");
    !line.is_empty()
        && !prompt
        && line != "[edit]"
        && !line.starts_with("Welcome to VyOS")
        && !line.starts_with("bad magic ")
}
