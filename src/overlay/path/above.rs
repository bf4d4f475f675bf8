//! What the TCP flows do above the size at which their walk stands.
//!
//! A signal heard on one flow moves the walk of all of them down: routers limit signals, so the silence of
//! others proves nothing. Where underlay legs differ, the signal holds while any flow is signalled, and is
//! over when every flow has answered the size.

use super::probe::FLOWS;
use crate::types::Bytes;

/// Which flows have answered a size.
#[derive(Debug, Clone, Default)]
pub struct Above {
    size: Option<Bytes>,
    whole: [bool; FLOWS as usize],
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
        self.size.filter(|_| self.whole.iter().all(|whole| *whole))
    }

    /// A signal came back.
    pub fn signalled(&mut self, flow: u8) {
        self.whole[usize::from(flow)] = false;
    }

    /// A packet of `size` bytes was answered.
    pub fn answered(&mut self, flow: u8, size: Bytes) {
        if self.size == Some(size) {
            self.whole[usize::from(flow)] = true;
        }
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
}
