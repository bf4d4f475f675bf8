//! The way back where the target's MSS names less than our own size, see `TargetMtu`.

use super::facts::{Facts, HoleFacts};
use crate::model::{family::Family, types::Bytes};

/// What is known of the way back above what the target's MSS names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beyond {
    /// Nothing stands in the way, or nothing larger is sent.
    Clear,
    /// It will be known in a moment.
    Pending,
    /// Replies are cut on the way.
    Cut,
    /// It cannot be asked.
    Unmeasured,
}

impl Facts {
    /// The target's interface was found to be larger than its MSS says.
    pub(in crate::path) fn shows_larger_target(&self) -> bool {
        self.sizes.names_less().is_some_and(|named| {
            let vanish = self.fragments.hole.is_some_and(|hole| hole.answered > named);
            self.target.is_larger() || vanish
        })
    }

    /// The expected MTU from the target, bytes of IP packet: our own size where its interface was found to be larger
    /// than its MSS says.
    #[must_use]
    pub(crate) fn expected_reverse(&self) -> Bytes {
        if self.shows_larger_target() { self.sizes.own() } else { self.sizes.expected() }
    }

    /// Replies may be silent above an edge just where the target's MSS has it because the target cuts them there and
    /// their pieces are lost.
    pub(super) fn may_be_cut_by_target(&self, hole: &HoleFacts) -> bool {
        let at = |named: Bytes| hole.answered <= named && hole.silent > named;
        self.sizes.names_less().is_some_and(|named| !self.target.is_larger() && at(named))
    }

    pub(super) fn beyond(&self) -> Beyond {
        if self.sizes.names_less().is_none() {
            return Beyond::Clear;
        }
        if !self.target.has_looked() {
            return Beyond::Pending;
        }
        if self.target.is_as_named() || self.target.is_whole() {
            return Beyond::Clear;
        }
        if let Some(size) = self.fragments.passing {
            let clear = self.family == Family::V6 || self.target.in_one_piece(size);
            return if clear { Beyond::Clear } else { Beyond::Cut };
        }
        let searched = self.fragments.hole.is_some_and(|hole| hole.exact);
        let nothing = self.fragments.exhausted || self.fragments.size_dependent;
        if !self.can_fragment() || nothing || searched || self.pieces_pass() == Some(false) {
            return Beyond::Unmeasured;
        }
        Beyond::Pending
    }

    /// Whether the way back above the MSS will be known in a moment, while all else is.
    pub(super) fn is_beyond_pending(&self) -> bool {
        self.icmp_usable() && self.echo.passing.is_some() && self.beyond() == Beyond::Pending
    }

    /// The size beyond the MSS that came back whole.
    pub(super) fn whole_beyond(&self) -> Option<Bytes> {
        self.sizes.names_less()?;
        let size = self.sizes.own();
        let by_fragments = self.fragments.passing == Some(size) && self.target.in_one_piece(size);
        (self.target.is_larger() && (self.target.is_whole() || by_fragments)).then_some(size)
    }

    /// The largest size of which an echo with DF came back whole.
    pub(super) fn whole_echo(&self) -> Bytes {
        let own = self.sizes.own();
        let whole = self.sizes.names_less().is_some() && self.target.is_whole();
        if whole && self.target.in_one_piece(own) { own } else { self.sizes.expected() }
    }

    /// The path MTU that the target keeps to, where it is what ends discovery on the way there: then the way back is
    /// signalled as the way there is.
    pub(super) fn kept_to_by_target(&self) -> Option<Bytes> {
        let kept = self.target.keeps_to(self.now).filter(|mtu| *mtu < self.sizes.ceiling());
        kept.filter(|mtu| self.echo.top == *mtu)
    }
}
