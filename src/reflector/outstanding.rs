//! What a prober has requested from its reflector on one connection. Pure.
//!
//! A reflector never sends anything that was not requested. One that does is not used any more:
//! frames beyond the requested ones are not even parsed, so they cost no more than that.

use super::protocol::Frame;
use crate::model::types::Bytes;

/// Most outstanding answers that are remembered; older ones are forgotten.
const MOST: usize = 16;

/// The expected answers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outstanding(Vec<ExpectedFrame>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ExpectedFrame {
    Pong { id: u32 },
    Large { id: u32, most: usize },
}

impl Outstanding {
    /// Expects the answer to that ping, or the control beside a large segment.
    pub(crate) fn pong(&mut self, id: u32) {
        self.ask(ExpectedFrame::Pong { id });
    }

    /// Expects a segment of `size` bytes of IP packet.
    pub(crate) fn large(&mut self, id: u32, size: Bytes) {
        self.ask(ExpectedFrame::Large { id, most: usize::try_from(size).unwrap_or(usize::MAX) });
    }

    fn ask(&mut self, answer: ExpectedFrame) {
        if self.0.len() >= MOST {
            self.0.remove(0);
        }
        self.0.push(answer);
    }

    /// Checks a frame off; `false` if it was not requested.
    #[must_use]
    pub(crate) fn takes(&mut self, frame: &Frame) -> bool {
        let place = self.0.iter().position(|answer| match (answer, frame) {
            (ExpectedFrame::Pong { id }, Frame::Pong { id: answered, .. }) => id == answered,
            (ExpectedFrame::Large { id, most }, Frame::Large { id: answered, len }) => {
                id == answered && len <= most
            }
            _ => false,
        });
        place.map(|place| self.0.remove(place)).is_some()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reflector::protocol::{RefusalReason, SMALL, SegmentCounts};

    fn pong(id: u32) -> Frame {
        Frame::Pong { id, counts: SegmentCounts::default() }
    }

    #[test]
    fn each_answer_is_taken_once_and_no_other() {
        let mut asked = Outstanding::default();
        assert!(!asked.takes(&pong(1)));
        asked.pong(1);
        asked.large(2, 1500);
        assert!(!asked.takes(&Frame::Large { id: 2, len: 1501 }), "larger than asked for");
        assert!(!asked.takes(&Frame::Large { id: 1, len: 1448 }));
        assert!(
            !asked.takes(&Frame::Refused(RefusalReason::Other))
                && !asked.takes(&Frame::Ping { id: 1, len: SMALL })
        );
        assert!(asked.takes(&Frame::Large { id: 2, len: 1448 }) && asked.takes(&pong(1)));
        assert!(!asked.takes(&pong(1)));
    }

    proptest! {
        /// However much it sends, no more is accepted than was requested.
        #[test]
        fn no_more_is_taken_than_was_asked_for(
            asks in prop::collection::vec(0..8_u32, 0..40), flood in prop::collection::vec(0..8_u32, 0..200)
        ) {
            let mut asked = Outstanding::default();
            for id in &asks {
                asked.pong(*id);
            }
            let taken = flood.iter().filter(|id| asked.takes(&pong(**id))).count();
            prop_assert!(taken <= asks.len().min(MOST));
        }
    }
}
