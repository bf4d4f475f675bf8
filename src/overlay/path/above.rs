//! What the TCP flows do above the size at which their walk stands.
//!
//! A signal heard on one flow moves the walk of all of them down. Where underlay legs differ, others may
//! still pass the signalled size, or be silent about it: only a look at each flow tells.

use super::probe::FLOWS;
use crate::types::Bytes;

/// Looks in a row that a flow stayed silent in, before it is worth a proof of its own: a router may have
/// reached its limit of signals in one of them.
const SILENT_LOOKS: u8 = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    NotSeen,
    Signalled,
    Whole,
    Silent(u8),
}

/// The fates of all flows at one size.
#[derive(Debug, Clone)]
pub struct Above {
    size: Option<Bytes>,
    fates: [Fate; FLOWS as usize],
}

impl Default for Above {
    fn default() -> Self {
        Self { size: None, fates: [Fate::NotSeen; FLOWS as usize] }
    }
}

impl Above {
    /// Another look is taken at the size for which a signal is remembered.
    pub fn look_at(&mut self, size: Option<Bytes>) {
        if self.size != size {
            *self = Self { size, ..Self::default() };
        }
    }

    /// That size, if all flows pass it.
    #[must_use]
    pub fn whole(&self) -> Option<Bytes> {
        self.size.filter(|_| self.fates.iter().all(|fate| *fate == Fate::Whole))
    }

    /// A signal came back.
    pub fn signalled(&mut self, flow: u8) {
        self.fates[usize::from(flow)] = Fate::Signalled;
    }

    /// A packet of `size` bytes was answered.
    pub fn answered(&mut self, flow: u8, size: Bytes) {
        if self.size == Some(size) {
            self.fates[usize::from(flow)] = Fate::Whole;
        }
    }

    /// A packet of `size` bytes was lost. True if the flow is to be proven silent.
    pub fn lost(&mut self, flow: u8, size: Bytes) -> bool {
        let fate = &mut self.fates[usize::from(flow)];
        if self.size != Some(size) {
            return false;
        }
        let looks = if let Fate::Silent(looks) = fate { looks.saturating_add(1) } else { 1 };
        *fate = Fate::Silent(looks);
        looks >= SILENT_LOOKS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_whole_when_every_flow_has_answered_it() {
        let mut above = Above::default();
        above.look_at(Some(1500));
        for flow in 0..FLOWS {
            assert_eq!(above.whole(), None);
            above.answered(flow, 1500);
        }
        assert_eq!(above.whole(), Some(1500));
        above.signalled(3);
        assert_eq!(above.whole(), None);
    }

    #[test]
    fn one_silent_look_is_not_enough_and_an_answer_starts_over() {
        let mut above = Above::default();
        above.look_at(Some(1500));
        assert!(!above.lost(2, 1500));
        above.answered(2, 1500);
        assert!(!above.lost(2, 1500));
        assert!(above.lost(2, 1500));
        assert!(!above.lost(3, 1400), "another size");
    }
}
