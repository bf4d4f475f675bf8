//! Times shared by several parts of the prober, and header sizes.

use std::time::Duration;

use crate::model::types::Bytes;

/// Minimum pause after an inconclusive burst of pairs before the next burst of the same kind; it
/// bounds the cost of a path in doubt.
pub(crate) const REST: Duration = Duration::from_secs(30);

/// Minimum pause after a burst that ended with an answer.
pub(crate) const ANSWERED_REST: Duration = Duration::from_secs(5);

/// Bytes of a TCP header without options, which an MSS does not count (RFC 6691).
pub(crate) const TCP_HEADER: Bytes = 20;

/// Bytes of the TCP header of our SYNs, which carry the MSS option.
pub(crate) const SYN_HEADER: Bytes = TCP_HEADER + 4;
