//! The way back above what the target's MSS names: asked at our own size, see [`TargetMtu`].
//!
//! [`TargetMtu`]: crate::path::verdict::target_mtu::TargetMtu

use std::time::Duration;

use super::{
    PathProber, Role, Sent,
    sending::{RARE, next_turn},
};
use crate::{
    model::{
        observation::ExpectedMtu,
        types::{Bytes, ProbeSize},
    },
    path::{
        hole::{asking::Asking, lane::Hole},
        probe::{Lane, Moment, Reply, Send},
    },
};

/// Until something is known the looks follow each other so soon.
const SOON: Duration = Duration::from_millis(250);

/// When the next look is due, and how it is asked.
#[derive(Debug, Clone, Copy)]
pub struct Looks {
    at: Moment,
    by_fragments: bool,
}

impl Looks {
    /// The first is due at `at`.
    #[must_use]
    pub fn new(at: Moment) -> Self {
        Self { at, by_fragments: false }
    }

    /// When the next is due.
    #[must_use]
    pub fn next_at(self) -> Moment {
        self.at
    }
}

/// What is known of the way back above what the target's MSS names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beyond {
    /// Nothing stands in the way, or nothing larger is sent.
    Clear,
    /// It will be known in a moment.
    Pending,
    /// Replies are cut on the way.
    Cut,
    /// It cannot be asked.
    Unmeasured,
}

impl PathProber {
    /// What we take ourselves: what our SYNs name to the target.
    fn own_size(&self) -> Bytes {
        self.hosts.hosts.min(self.hosts.testable)
    }

    /// What the target's MSS names, where that is less than our own size.
    fn names_less(&self) -> Option<Bytes> {
        let asked = self.settings.expected_mtu.is_none() && !self.origin.is_foreign();
        self.target.named().filter(|named| asked && *named < self.own_size())
    }

    /// The largest size that is asked of the way back.
    pub(super) fn reverse_ceiling(&self) -> Bytes {
        if self.names_less().is_some() && !self.target.is_as_named() {
            self.own_size()
        } else {
            self.ceiling()
        }
    }

    /// The expected MTU from the target and by which rule: our own size where its interface was found to be larger than
    /// its MSS says.
    #[must_use]
    pub fn expected_reverse(&self) -> ExpectedMtu {
        let shown = |named: &Bytes| {
            let vanish = self.fragments.hole().is_some_and(|hole| hole.answered > *named);
            self.target.is_larger() || vanish
        };
        if !self.names_less().as_ref().is_some_and(shown) {
            return self.expected();
        }
        let rule =
            if self.hosts.hosts <= self.hosts.testable { &self.hosts.rule } else { "our own interface" };
        let rule = format!("{rule}; the target's interface is larger than its MSS says");
        ExpectedMtu { bytes: self.own_size(), rule }
    }

    /// The larger of what is expected to the target and from it.
    #[must_use]
    pub fn expected_either_way(&self) -> ExpectedMtu {
        let (forward, reverse) = (self.expected(), self.expected_reverse());
        if reverse.bytes > forward.bytes { reverse } else { forward }
    }

    /// The largest size that a reflector is asked for: its answers need no inference, whatever the MSS names.
    #[must_use]
    pub fn asked_of_reflector(&self) -> Bytes {
        let expected = self.expected().bytes;
        self.names_less().map_or(expected, |_| expected.max(self.own_size()))
    }

    /// Replies may be silent above an edge just where the target's MSS has it because the target cuts them there and
    /// their pieces are lost.
    pub(in super::super) fn may_be_cut_by_target(&self, hole: &Hole) -> bool {
        self.names_less()
            .is_some_and(|named| !self.target.is_larger() && hole.answered <= named && hole.silent > named)
    }

    pub(in super::super) fn beyond(&self) -> Beyond {
        if self.names_less().is_none() || self.target.is_as_named() || self.target.is_whole() {
            return if self.names_less().is_some() && !self.target.has_looked() {
                Beyond::Pending
            } else {
                Beyond::Clear
            };
        }
        if !self.target.has_looked() {
            return Beyond::Pending;
        }
        if let Some(size) = self.fragments.passing() {
            let clear = self.is_v6() || self.target.in_one_piece(size);
            return if clear { Beyond::Clear } else { Beyond::Cut };
        }
        let searched = self.fragments.hole().is_some_and(|hole| hole.exact);
        let nothing = self.fragments.is_exhausted() || self.fragments.is_size_dependent();
        if !self.can_fragment() || nothing || searched || self.pieces_pass() == Some(false) {
            return Beyond::Unmeasured;
        }
        Beyond::Pending
    }

    /// Whether the way back above the MSS will be known in a moment, while all else is.
    pub(in super::super) fn is_beyond_pending(&self) -> bool {
        self.icmp_usable() && self.echo.passing().is_some() && self.beyond() == Beyond::Pending
    }

    /// The size beyond the MSS that came back whole.
    pub(in super::super) fn whole_beyond(&self) -> Option<Bytes> {
        self.names_less()?;
        let size = self.own_size();
        let by_fragments = self.fragments.passing() == Some(size) && self.target.in_one_piece(size);
        (self.target.is_larger() && (self.target.is_whole() || by_fragments)).then_some(size)
    }

    /// Notes in how many pieces a large reply came. True if it tells of the target's own interface and of nothing else.
    pub(super) fn see_pieces(&mut self, sent: Sent, reply: Reply, now: Moment) -> bool {
        let size = sent.probe.size;
        let family = self.settings.family;
        self.target.compare(family, (size, reply.largest_fragment), self.told_by_target, now);
        if self.names_less().is_some_and(|named| size > named) {
            self.target.replied(family, reply.largest_fragment);
            self.restand(now);
            return self.target.is_as_named() && sent.probe.lane == Lane::Fragments;
        }
        if size >= self.echo.top() {
            self.largest_fragment = reply.largest_fragment;
        }
        false
    }

    /// How often the fragment lane looks at the way back above the MSS, if it has to.
    pub(super) fn fragments_beyond_every(&self) -> Option<Duration> {
        let asked = self.icmp_usable() && self.target.has_looked() && !self.target.is_whole();
        if !asked || self.reverse_ceiling() <= self.ceiling() {
            return None;
        }
        Some(if self.fragments.passing().is_none() { self.settings.sentinel_interval } else { RARE })
    }

    /// How often the target is asked for more than its MSS names, if it has to be.
    pub(super) fn beyond_every(&self) -> Option<Duration> {
        if self.names_less().is_none() || !self.icmp_usable() || self.reach.is_down() {
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
        let lane = if by_fragments { Lane::Fragments } else { Lane::Echo };
        self.send(lane, 0, self.own_size(), ProbeSize::Full, Role::Beyond, now, out);
    }

    pub(super) fn beyond_passed(&mut self, lane: Lane, size: Bytes, now: Moment) {
        if lane == Lane::Echo {
            self.target.looked(true, self.settings.family);
            if size == self.reverse_ceiling() && self.fragments.is_silent() && self.target.in_one_piece(size)
            {
                self.fragments.large_passed(0, size, now);
            }
        }
    }

    pub(super) fn beyond_lost(&mut self, lane: Lane, now: Moment) {
        if lane == Lane::Echo {
            self.target.looked(false, self.settings.family);
        } else if self.target.unanswered() {
            self.restand(now);
        }
    }

    /// The largest size of which an echo with DF came back whole.
    pub(in super::super) fn whole_echo(&self, expected: Bytes) -> Bytes {
        let whole = self.names_less().is_some() && self.target.is_whole();
        if whole && self.target.in_one_piece(self.own_size()) { self.own_size() } else { expected }
    }

    /// What is expected in each direction.
    pub(in super::super) fn expected_in_words(&self) -> Vec<String> {
        let (forward, reverse) = (self.expected(), self.expected_reverse());
        if forward.bytes == reverse.bytes {
            let mut said = vec![format!("expected MTU {} bytes ({})", forward.bytes, forward.rule)];
            let kept = self.kept_to_by_target();
            let remembered = kept.or(self.target.remembered().filter(|mtu| *mtu < forward.bytes));
            said.extend(remembered.map(|mtu| {
                format!(
                    "the target's MSS names {mtu} bytes, just what is signalled on the way: it remembers that path MTU, and that \
                     is no expectation"
                )
            }));
            said.extend(kept.map(|mtu| {
                format!(
                    "reverse: the target cuts larger replies itself, to {mtu} bytes, which nothing but a signal teaches it: the way \
                     back is signalled too"
                )
            }));
            said.extend(kept.and_then(|mtu| self.without_df_in_words(mtu)));
            said.extend(self.names_less().filter(|_| self.target.is_as_named()).map(|named| {
                format!(
                    "larger replies come in pieces of just {named} bytes: by the target's own interface or route, or what it remembers of \
                     the path; a router that cuts them there would look the same"
                )
            }));
            return said;
        }
        let mut said = vec![
            format!(
                "expected MTU to the target {} bytes ({}: TCP sends no more)",
                forward.bytes, forward.rule
            ),
            format!("expected MTU from the target {} bytes ({})", reverse.bytes, reverse.rule),
        ];
        if let Some(size) = self.whole_beyond() {
            said.push(format!("reverse: replies of {size} bytes come back whole"));
        } else if self.reverse_hole().is_some() {
            said.push(
                "if the MSS of our own SYN is clamped on the way too, which only the target sees, TCP escapes that hole, and nothing \
                 else does: `expected_mtu` would say so"
                    .to_owned(),
            );
        }
        said
    }

    /// The path MTU that the target keeps to, where it is what ends discovery on the way there: then the way back is
    /// signalled as the way there is.
    pub(in super::super) fn kept_to_by_target(&self) -> Option<Bytes> {
        let kept = self.target.keeps_to(self.now).filter(|mtu| *mtu < self.ceiling());
        kept.filter(|mtu| self.echo.top() == *mtu)
    }

    /// What the way back does with packets that carry no DF, where the target is known to be signalled those that do.
    fn without_df_in_words(&self, kept: Bytes) -> Option<String> {
        let hole = self.fragments.hole().filter(|hole| hole.exact && hole.answered == kept)?;
        Some(format!(
            "reverse: replies of {} bytes without DF vanish ({} pairs, {}), those of {kept} come: in outer fragments, if the tunnel \
             cuts them, and those are lost",
            hole.size,
            hole.proof.counted,
            hole.proof.lost_in_words()
        ))
    }

    /// Why nothing is known of the way back above what the target's MSS names.
    pub(in super::super) fn unmeasured_beyond(&self) -> Option<String> {
        let named = self.names_less()?;
        let size = self.own_size();
        match self.beyond() {
            Beyond::Clear | Beyond::Pending => None,
            Beyond::Cut => Some(format!(
                "the MSS in the target's SYN-ACK names {named} bytes, but it sends more: replies of {size} bytes come in \
                 fragments, which says nothing of packets with DF: a reflector at the far end would tell"
            )),
            Beyond::Unmeasured if self.fragments.is_silent() => Some(format!(
                "the MSS in the target's SYN-ACK names {named} bytes, and replies larger than {} vanish: a hole, if the MSS \
                 was clamped on the way; if the target's interface is that small, their pieces are lost: a reflector at the \
                 far end, or `expected_mtu`, would tell",
                self.fragments.hole().map_or(named, |hole| hole.answered)
            )),
            Beyond::Unmeasured => Some(format!(
                "the MSS in the target's SYN-ACK names {named} bytes, which bounds what we send; what the target sends may be \
                 {size}, and that cannot be asked: it answers no echo request of that size, in fragments or whole: a \
                 reflector at the far end, or `expected_mtu`, would tell"
            )),
        }
    }
}
