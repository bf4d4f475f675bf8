//! What a path's reflector has measured, as plain data.
//!
//! A reflector measures each direction by itself, so its findings need no inference. It cannot test
//! sizes above the largest TCP segment that the two kernels send, which cached path MTUs and MSS
//! clamps bound. Then it reports that bound.

pub mod size_hunt;

use std::{collections::VecDeque, time::Duration};

use super::{pairs::PairCount, probe::Moment};
use crate::{language::Said, model::types::Bytes};

/// What became of a pair's large segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Large {
    /// It arrived, whole.
    Passed,
    /// It did not arrive in time.
    Lost,
    /// The sender's kernel learned a smaller path MTU instead.
    Signalled {
        /// That path MTU, bytes.
        mtu: Bytes,
    },
    /// It was not sent.
    Void,
}

/// A large and a small segment sent back to back in one direction, in one flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentPair {
    /// What became of the large one.
    pub large: Large,
    /// Whether the small one arrived.
    pub control: bool,
}

impl SegmentPair {
    /// Nothing was sent.
    pub(crate) const VOID: Self = Self { large: Large::Void, control: false };
}

/// The state of a path's reflector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reflection {
    /// No answer yet.
    Awaited,
    /// It answers.
    Measured(Measured),
    /// It does not answer, so findings about the path are inferred.
    Gone {
        /// Why, in words.
        why: Said,
    },
}

impl Reflection {
    /// Whether more is to come soon: its first answer, or a size being measured.
    #[must_use]
    pub(crate) fn is_under_way(&self) -> bool {
        match self {
            Self::Awaited => true,
            Self::Measured(measured) => {
                [&measured.forward, &measured.reverse].iter().any(|one_way| one_way.sizes.is_under_way())
            }
            Self::Gone { .. } => false,
        }
    }
}

/// What a reflector has measured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Measured {
    /// MTU of the far interface, bytes; absent where the reflector does not know it.
    pub far_mtu: Option<Bytes>,
    /// The direction to the target.
    pub forward: OneWay,
    /// The direction from the target.
    pub reverse: OneWay,
}

/// What was measured in one direction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OneWay {
    /// Which sizes pass.
    pub sizes: Sizes,
    /// Why nothing above a certain size could be tested.
    pub bound: Option<Bound>,
    /// Small segments of the last five minutes.
    pub loss: SegmentLoss,
}

/// Which sizes pass in one direction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Sizes {
    /// Not known yet.
    #[default]
    Starting,
    /// Packets of `size` bytes arrive: the expected MTU, or the bound.
    Passed {
        /// Bytes of IP packet.
        size: Bytes,
    },
    /// Larger packets vanish, as pairs have proven.
    Silent {
        /// The size that was proven silent, bytes of IP packet.
        size: Bytes,
        /// The largest size known to arrive, bytes of IP packet; 0 while none is.
        answered: Bytes,
        /// `answered` + 1 is proven silent too.
        exact: bool,
        /// The numbers of the proof at `size`.
        proof: PairCount,
    },
    /// Large packets are lost more often than small ones, but no size separates them.
    SizeDependent,
    /// Nothing can be concluded.
    NotUsable {
        /// Why, in words.
        why: Said,
    },
}

impl Sizes {
    fn is_under_way(&self) -> bool {
        matches!(self, Self::Starting | Self::Silent { exact: false, .. })
    }
}

/// What keeps a direction from being tested up to the expected MTU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// The sending kernel has cached a smaller path MTU within the last 10 min and obeys it.
    Cached {
        /// Bytes of IP packet.
        mtu: Bytes,
    },
    /// TCP segments are no larger on this path: the interface at one end is smaller, or an MSS
    /// clamp is on the way.
    Segments {
        /// Bytes of IP packet.
        limit: Bytes,
    },
}

impl Bound {
    /// The largest size that can be tested, bytes of IP packet.
    #[must_use]
    pub(crate) fn bytes(self) -> Bytes {
        match self {
            Self::Cached { mtu } => mtu,
            Self::Segments { limit } => limit,
        }
    }

    /// The bound of a sender that assumes `path_mtu` and sends segments up to `limit`, if `wanted`
    /// bytes of IP packet are to be tested.
    #[must_use]
    pub(crate) fn of(wanted: Bytes, path_mtu: Bytes, limit: Bytes, interface: Option<Bytes>) -> Option<Self> {
        let by_interface = interface.is_some_and(|mtu| mtu <= path_mtu);
        if path_mtu < wanted && !by_interface {
            Some(Self::Cached { mtu: path_mtu.min(limit) })
        } else if limit < wanted {
            Some(Self::Segments { limit })
        } else {
            None
        }
    }
}

impl OneWay {
    /// The path MTU of this direction, at most `expected`, if it is known to the byte.
    #[must_use]
    pub(crate) fn exact_mtu(&self, expected: Bytes) -> Option<Bytes> {
        match self.sizes {
            Sizes::Passed { size } if size >= expected => Some(expected),
            Sizes::Silent { answered, exact: true, .. } if answered > 0 => Some(answered.min(expected)),
            _ => None,
        }
    }
}

/// Data segments that one end has sent and the other has not received.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SegmentLoss {
    /// Sent, retransmissions included.
    pub sent: u64,
    /// Of these, lost.
    pub lost: u64,
}

/// The last five minutes of a counter.
#[derive(Debug, Clone, Default)]
pub(crate) struct LossWindow {
    /// The total of former connections.
    before: SegmentLoss,
    latest: SegmentLoss,
    samples: VecDeque<(Moment, SegmentLoss)>,
}

impl LossWindow {
    const WINDOW: Duration = Duration::from_mins(5);
    /// The time between samples.
    const STEP: Duration = Duration::from_secs(1);

    /// The connection's count so far.
    pub(crate) fn count(&mut self, connection: SegmentLoss, now: Moment) {
        self.latest = SegmentLoss {
            sent: self.before.sent + connection.sent,
            lost: self.before.lost + connection.lost,
        };
        if self.samples.back().is_none_or(|(at, _)| now.saturating_sub(*at) >= Self::STEP) {
            self.samples.push_back((now, self.latest));
        }
        // The window starts at the oldest sample.
        while self.samples.get(1).is_some_and(|(at, _)| now.saturating_sub(*at) >= Self::WINDOW) {
            self.samples.pop_front();
        }
    }

    /// The next count comes from a fresh connection.
    pub(crate) fn reconnect(&mut self) {
        self.before = self.latest;
    }

    /// Sent and lost in the window.
    #[must_use]
    pub(crate) fn loss(&self) -> SegmentLoss {
        let start = match self.samples.front() {
            Some((_, start)) if self.samples.len() > 1 && self.is_full() => *start,
            _ => SegmentLoss::default(),
        };
        SegmentLoss {
            sent: self.latest.sent.saturating_sub(start.sent),
            lost: self.latest.lost.saturating_sub(start.lost),
        }
    }

    /// Whether the samples span the whole window.
    fn is_full(&self) -> bool {
        match (self.samples.front(), self.samples.back()) {
            (Some((first, _)), Some((last, _))) => last.saturating_sub(*first) >= Self::WINDOW,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smaller_interface_is_no_cache() {
        assert_eq!(Bound::of(1500, 1500, 1500, Some(1500)), None);
        assert_eq!(Bound::of(1500, 1450, 1450, Some(1500)), Some(Bound::Cached { mtu: 1450 }));
        assert_eq!(Bound::of(1500, 1450, 1450, Some(1450)), Some(Bound::Segments { limit: 1450 }));
        assert_eq!(Bound::of(1500, 1500, 1410, Some(1500)), Some(Bound::Segments { limit: 1410 }));
    }

    #[test]
    fn an_mtu_is_exact_at_the_expected_size_or_at_a_proven_edge() {
        let one_way = |sizes| OneWay { sizes, ..OneWay::default() };
        let silent = |exact| Sizes::Silent { size: 1500, answered: 1454, exact, proof: PairCount::default() };
        assert_eq!(one_way(Sizes::Passed { size: 1500 }).exact_mtu(1500), Some(1500));
        assert_eq!(one_way(Sizes::Passed { size: 1450 }).exact_mtu(1500), None);
        assert_eq!(one_way(silent(true)).exact_mtu(1500), Some(1454));
        assert_eq!(one_way(silent(false)).exact_mtu(1500), None);
    }

    #[test]
    fn a_window_forgets_and_outlives_connections() {
        let mut window = LossWindow::default();
        let at = Duration::from_secs;
        for second in 0..100 {
            window.count(SegmentLoss { sent: second * 5, lost: second }, at(second));
        }
        assert_eq!(window.loss(), SegmentLoss { sent: 495, lost: 99 });
        window.reconnect();
        for second in 0..400 {
            window.count(SegmentLoss { sent: second * 5, lost: 0 }, at(100 + second));
        }
        assert_eq!(window.loss(), SegmentLoss { sent: 1500, lost: 0 });
    }
}
