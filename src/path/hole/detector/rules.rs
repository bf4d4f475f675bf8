//! How probe methods differ.

use crate::{
    model::{family::Family, types::Bytes},
    path::hole::proof::Halves,
};

/// How a probe method differs from the others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// How the halves of a pair are sent.
    pub halves: Halves,
    /// The smallest size asked for, bytes of IP packet.
    pub smallest: Bytes,
    /// Whether a target may answer other probe methods and never this one. If so, a proof without
    /// an answered control is given up early.
    pub may_be_unanswered: bool,
}

impl Rules {
    /// ICMP echoes.
    #[must_use]
    pub(crate) const fn echo(family: Family) -> Self {
        Self { halves: Halves::Together, smallest: family.small(), may_be_unanswered: false }
    }

    /// SYNs on TCP flows.
    #[must_use]
    pub(crate) const fn syn(family: Family) -> Self {
        Self { halves: Halves::InTurn, may_be_unanswered: true, ..Self::echo(family) }
    }

    /// Echo requests in fragments.
    #[must_use]
    pub(crate) const fn fragments(family: Family) -> Self {
        Self { may_be_unanswered: true, ..Self::echo(family) }
    }
}
