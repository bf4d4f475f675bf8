//! `ip addr show`, `ip -s -s -d link show` without `-j`: iproute2's text.
//!
//! Counters are there only with `-s`, the vxlan settings only with `-d`; a policy `df unset` is
//! not printed, and so is what a vxlan without a policy has.

use super::{ParseError, links::Links, show_text, text};

const COMMAND: &str = "ip -s -s -d addr show";

/// All interfaces.
pub fn links(output: &str) -> Result<Links, ParseError> {
    show_text::read(text::Dialect { command: COMMAND, counters: false }, output)
}
