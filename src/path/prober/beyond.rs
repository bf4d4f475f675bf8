//! Tests of the reverse direction above the MTU that the target's MSS names, at our own size: see
//! [`TargetMtu`].
//!
//! [`TargetMtu`]: crate::path::verdict::target_mtu::TargetMtu

use std::time::Duration;

use super::{PathProber, Role, Sent, beat::next_turn, sending::RARE};
use crate::{
    model::types::{Bytes, ProbeSize},
    path::{
        hole::detect::Detect,
        probe::{Moment, ProbeMethod, Reply, Send},
    },
};

/// The time between two of these tests until there is a result.
const SOON: Duration = Duration::from_millis(250);

/// When the next of these tests is due, and whether the last one was sent in fragments.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Looks {
    at: Moment,
    by_fragments: bool,
}

impl Looks {
    /// The first test is due at `at`.
    #[must_use]
    pub(crate) fn new(at: Moment) -> Self {
        Self { at, by_fragments: false }
    }

    /// When the next test is due.
    #[must_use]
    pub(crate) fn next_at(self) -> Moment {
        self.at
    }
}

impl PathProber {
    /// Records the largest fragment of a large reply. True if the reply shows only the MTU of the
    /// target's own interface.
    pub(super) fn see_pieces(&mut self, sent: Sent, reply: Reply, now: Moment) -> bool {
        let size = sent.probe.size;
        let family = self.settings.family;
        self.target.compare(family, (size, reply.largest_fragment), self.mtu_from_target, now);
        if self.sizes().names_less().is_some_and(|named| size > named) {
            self.target.replied(family, reply.largest_fragment, size == self.sizes().own());
            self.restand(now);
            return self.target.is_as_named() && sent.probe.method == ProbeMethod::Fragments;
        }
        if size >= self.echo.top() {
            self.largest_fragment = reply.largest_fragment;
        }
        false
    }

    /// The time between two fragmented echoes that test the reverse direction above the MSS; none
    /// if that needs no test.
    pub(super) fn fragments_beyond_every(&self) -> Option<Duration> {
        let asked = self.icmp_usable() && self.target.has_looked() && !self.target.is_whole();
        if !asked || self.reverse_ceiling() <= self.ceiling() {
            return None;
        }
        Some(if self.fragments.passing().is_none() { self.settings.sentinel_interval } else { RARE })
    }

    /// The time between two tests above what the target's MSS names; none if no test is needed.
    pub(super) fn beyond_every(&self) -> Option<Duration> {
        if self.sizes().names_less().is_none() || !self.icmp_usable() || self.reach.is_down() {
            return None;
        }
        Some(if !self.target.has_looked() {
            SOON
        } else if self.target.is_missed() {
            self.settings.sentinel_interval
        } else {
            RARE
        })
    }

    pub(super) fn look_beyond(&mut self, now: Moment, out: &mut Vec<Send>) {
        let Some(every) = self.beyond_every() else { return };
        self.looks.at = self.looks.at.min(now + every);
        if now < self.looks.at {
            return;
        }
        self.looks.at = next_turn(self.looks.at, every, now);
        self.looks.by_fragments =
            !self.looks.by_fragments && self.can_fragment() && self.target.is_as_named();
        let by_fragments = self.looks.by_fragments;
        let method = if by_fragments { ProbeMethod::Fragments } else { ProbeMethod::Echo };
        self.send(method, 0, self.sizes().own(), ProbeSize::Full, Role::Beyond, now, out);
    }

    pub(super) fn beyond_passed(&mut self, method: ProbeMethod, size: Bytes, now: Moment) {
        if method == ProbeMethod::Echo {
            self.target.looked(true, self.settings.family);
            if size == self.reverse_ceiling() && self.fragments.is_silent() && self.target.in_one_piece(size)
            {
                self.fragments.large_passed(0, size, now);
            }
        }
    }

    pub(super) fn beyond_lost(&mut self, method: ProbeMethod, now: Moment) {
        if method == ProbeMethod::Echo {
            self.target.looked(false, self.settings.family);
        } else if self.target.unanswered() {
            self.restand(now);
        }
    }
}
