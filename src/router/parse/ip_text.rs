//! `ip addr show`, `ip -s -s -d link show` without `-j`: iproute2's text.
//!
//! Counters need `-s`, vxlan settings need `-d`. `df unset` is not printed, so it looks the same as
//! a device without a policy.

use super::{ParseError, links::Links, show_text, text};

const COMMAND: &str = "ip -s -s -d addr show";

/// All interfaces.
pub(crate) fn links(output: &str) -> Result<Links, ParseError> {
    show_text::read(text::Dialect { command: COMMAND, counters: false }, output)
}
