//! `ip addr show`, `ip -s -s -d link show` without `-j`: iproute2's text.
//!
//! Counters are there only with `-s`, the vxlan settings only with `-d`; the JSON has more (a policy `df unset`, for
//! one, is not printed).

use super::{ParseError, links::Links, show_text, text};

const COMMAND: &str = "ip -s -s -d addr show";

/// All interfaces.
pub fn links(output: &str) -> Result<Links, ParseError> {
    show_text::read(text::Dialect { command: COMMAND, counters: false }, output)
}
