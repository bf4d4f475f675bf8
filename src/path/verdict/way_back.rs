//! The reverse path where the target's MSS announces less than our own size, see `TargetMtu`.

use super::facts::{Facts, HoleFacts};
use crate::model::{family::Family, types::Bytes};

/// What is known about the reverse path for sizes above the target's MSS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beyond {
    /// No obstacle, or the target sends nothing larger.
    Clear,
    /// Not known yet; a test is under way.
    Pending,
    /// Replies are fragmented on the path.
    Cut,
    /// It cannot be measured.
    Unmeasured,
}

impl Facts {
    /// The target's interface is larger than its MSS announces.
    pub(in crate::path) fn shows_larger_target(&self) -> bool {
        self.sizes.names_less().is_some_and(|named| {
            let vanish = self.fragments.hole.is_some_and(|hole| hole.answered > named);
            self.target.is_larger() || vanish
        })
    }

    /// The expected MTU from the target, in bytes of IP packet: our own size if the target's
    /// interface was found to be larger than its MSS announces.
    #[must_use]
    pub(crate) fn expected_reverse(&self) -> Bytes {
        if self.shows_larger_target() { self.sizes.own() } else { self.sizes.expected() }
    }

    /// Replies may be lost above an edge at the target's MSS because the target fragments them
    /// there and the fragments are lost.
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

    /// Whether only the reverse path above the MSS is still to be tested.
    pub(super) fn is_beyond_pending(&self) -> bool {
        self.icmp_usable() && self.echo.passing.is_some() && self.beyond() == Beyond::Pending
    }

    /// The size above the MSS that came back unfragmented.
    pub(super) fn whole_beyond(&self) -> Option<Bytes> {
        self.sizes.names_less()?;
        let size = self.sizes.own();
        let by_fragments = self.fragments.passing == Some(size) && self.target.in_one_piece(size);
        (self.target.is_larger() && (self.target.is_whole() || by_fragments)).then_some(size)
    }

    /// The largest size of a DF echo that came back whole.
    pub(super) fn whole_echo(&self) -> Bytes {
        let own = self.sizes.own();
        let whole = self.sizes.names_less().is_some() && self.target.is_whole();
        if whole && self.target.in_one_piece(own) { own } else { self.sizes.expected() }
    }

    /// The path MTU that the target respects, if discovery on the forward path ended at the same
    /// size: then the reverse path sends signals too.
    pub(super) fn kept_to_by_target(&self) -> Option<Bytes> {
        let kept = self.target.keeps_to(self.now).filter(|mtu| *mtu < self.sizes.ceiling());
        kept.filter(|mtu| self.echo.top == *mtu)
    }
}
