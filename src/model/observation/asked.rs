//! Packets that were sent because somebody asked for them.

use std::time::{Duration, SystemTime};

use crate::model::types::Bytes;

/// What came of it when somebody wanted a path probed at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// When somebody asked.
    pub at: SystemTime,
    /// Small packets.
    pub small: AskedCount,
    /// Packets of the size that path MTU discovery has arrived at.
    pub large: AskedCount,
    /// That size, bytes of IP packet; absent until one was sent.
    pub size: Option<Bytes>,
    /// Sum of the round-trip times of small packets.
    pub rtt_sum: Duration,
    /// Whether nothing more will be sent, and no answer is awaited.
    pub is_over: bool,
}

/// Packets of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AskedCount {
    /// Sent.
    pub sent: u32,
    /// Answered by the target.
    pub answered: u32,
    /// Answered by Packet Too Big.
    pub too_big: u32,
    /// Never left our host, or sent while this process could not listen.
    pub void: u32,
}

impl Asked {
    /// Nothing was sent yet.
    #[must_use]
    pub(crate) fn at(at: SystemTime) -> Self {
        let (small, large) = Default::default();
        Self { at, small, large, size: None, rtt_sum: Duration::ZERO, is_over: false }
    }

    /// Mean round-trip time of the small packets.
    #[must_use]
    pub(crate) fn mean_rtt(&self) -> Option<Duration> {
        (self.small.answered > 0).then(|| self.rtt_sum / self.small.answered)
    }

    /// Grows with everything that becomes known.
    #[must_use]
    pub(crate) fn progress(&self) -> u32 {
        let of = |count: AskedCount| count.sent + count.answered + count.too_big + count.void;
        of(self.small) + of(self.large) + u32::from(self.is_over)
    }
}

impl AskedCount {
    /// Those whose fate says something.
    #[must_use]
    pub(crate) fn counted(self) -> u32 {
        self.sent.saturating_sub(self.void)
    }
}
