//! Times that are one promise wherever they are kept, and header sizes.

use std::time::Duration;

use crate::model::types::Bytes;

/// After a burst of pairs that decided nothing, so long no further one of that kind: a path in doubt costs no more than that.
pub(crate) const REST: Duration = Duration::from_secs(30);

/// After a burst that found an answer after all.
pub(crate) const ANSWERED_REST: Duration = Duration::from_secs(5);

/// Bytes of a TCP header without options, which an MSS does not count (RFC 6691).
pub(crate) const TCP_HEADER: Bytes = 20;

/// Bytes of the header of our SYNs, which carry the MSS option.
pub(crate) const SYN_HEADER: Bytes = TCP_HEADER + 4;
