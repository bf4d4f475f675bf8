//! The walks of ICMP and of TCP on one path.
//!
//! A signal heard by one protocol vouches for the other too, because routers limit signals: the one may
//! get all there are (simulated at one signal in two seconds: without this, TCP's silence makes a reduced
//! path a hole). But where underlay legs differ, a protocol that is answered above a size signalled to the
//! other goes on above it, until it is in doubt itself.

use std::time::Duration;

use super::{
    probe::{Lane, Moment},
    walk::Walk,
};
use crate::types::Bytes;

/// A flow that is signalled is seen to be several times in so long.
const RENEWED: Duration = Duration::from_secs(45);

/// Both walks, and how far each goes on above the other's signals.
#[derive(Debug, Clone, Default)]
pub struct Walks {
    icmp: Walk,
    tcp: Walk,
    icmp_above: Option<Bytes>,
    tcp_above: Option<Bytes>,
}

impl Walks {
    /// Where the walk of a lane that starts at `start` stands.
    #[must_use]
    pub fn stands_at(&self, lane: Lane, start: Bytes) -> Bytes {
        let (own, other, above) = match lane {
            Lane::Syn => (&self.tcp, &self.icmp, self.tcp_above),
            Lane::Echo | Lane::Fragments => (&self.icmp, &self.tcp, self.icmp_above),
        };
        let mut top = own.stands_at(start);
        // Each step is smaller than the last, so this ends.
        while above.is_none_or(|above| top > above) {
            let next = own.stands_at(other.stands_at(top));
            if next == top {
                break;
            }
            top = next;
        }
        top
    }

    /// The size above where the walk of TCP stands, for which a signal is remembered.
    #[must_use]
    pub fn signalled_above_tcp(&self, start: Bytes) -> Option<Bytes> {
        let top = self.stands_at(Lane::Syn, start);
        [&self.tcp, &self.icmp].into_iter().filter_map(|walk| walk.signalled_above(top)).min()
    }

    /// Takes in a valid signal `mtu` for a packet of `size` bytes. False if `size` is not on the walk.
    /// `other_passes`: the size that the other protocol passes now.
    pub fn hear(
        &mut self,
        lane: Lane,
        start: Bytes,
        size: Bytes,
        mtu: Bytes,
        other_passes: Option<Bytes>,
        now: Moment,
    ) -> bool {
        let start = if size == self.stands_at(lane, start) { size } else { start };
        let other_goes_on = other_passes.filter(|passes| *passes >= size);
        let (own, above, other_above) = match lane {
            Lane::Syn => (&mut self.tcp, &mut self.tcp_above, &mut self.icmp_above),
            Lane::Echo | Lane::Fragments => (&mut self.icmp, &mut self.icmp_above, &mut self.tcp_above),
        };
        let on_walk = own.hear(start, size, mtu, now);
        if on_walk {
            *above = above.filter(|above| *above < size);
            *other_above = (*other_above).max(other_goes_on);
        }
        on_walk
    }

    /// Packets of `size` bytes go through: no signal heard here for this or a smaller size holds any more.
    pub fn passed(&mut self, lane: Lane, size: Bytes) {
        let (own, above) = match lane {
            Lane::Syn => (&mut self.tcp, &mut self.tcp_above),
            Lane::Echo | Lane::Fragments => (&mut self.icmp, &mut self.icmp_above),
        };
        own.passed(size);
        *above = (*above).max(Some(size));
    }

    /// A packet of `size` bytes was lost on a lane that goes on above the other's signal. True if it no
    /// longer does.
    pub fn doubt(&mut self, lane: Lane, start: Bytes, size: Bytes) -> bool {
        let before = self.stands_at(lane, start);
        let above = if lane == Lane::Syn { &mut self.tcp_above } else { &mut self.icmp_above };
        if above.is_none_or(|above| size > above) {
            return false;
        }
        *above = None;
        self.stands_at(lane, start) < before
    }

    /// A single packet above where ICMP's walk stands stayed unanswered while its control was answered.
    /// Where sixty of them end the memory, TCP's goes with it unless it was renewed lately.
    pub fn single_unanswered(&mut self, size: Bytes, now: Moment) {
        self.icmp.single_unanswered(size);
        if !self.icmp.remembers(size) {
            self.tcp.forget_unrenewed(size, now.saturating_sub(RENEWED));
        }
    }

    /// The same on TCP: it counts only where ICMP hears no signals either, which would take them all.
    pub fn tcp_unanswered(&mut self, size: Bytes) {
        if !self.icmp.remembers(size) {
            self.tcp.single_unanswered(size);
        }
    }

    /// Forgets what is older than ten minutes.
    pub fn expire(&mut self, now: Moment) {
        self.icmp.expire(now);
        self.tcp.expire(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Lane::{Echo, Syn};

    const T0: Moment = Moment::ZERO;

    #[test]
    fn a_signal_vouches_for_both_protocols() {
        let mut walks = Walks::default();
        assert!(walks.hear(Echo, 9000, 9000, 1500, None, T0));
        assert!(walks.hear(Syn, 9000, 1500, 1450, None, T0), "1500 is where TCP stands");
        assert_eq!((walks.stands_at(Echo, 9000), walks.stands_at(Syn, 9000)), (1450, 1450));
        assert_eq!(walks.signalled_above_tcp(9000), Some(1500));
    }

    #[test]
    fn where_legs_differ_each_protocol_stands_where_its_own_packets_pass() {
        let mut walks = Walks::default();
        walks.hear(Syn, 1500, 1500, 1450, Some(1500), T0);
        assert_eq!((walks.stands_at(Echo, 1500), walks.stands_at(Syn, 1500)), (1500, 1450));
        assert!(!walks.doubt(Echo, 1500, 1501));
        assert!(walks.doubt(Echo, 1500, 1500));
        assert_eq!(walks.stands_at(Echo, 1500), 1450, "once in doubt, the signal vouches again");
        walks.passed(Echo, 1500);
        assert_eq!((walks.stands_at(Echo, 1500), walks.stands_at(Syn, 1500)), (1500, 1450));
        walks.passed(Syn, 1500);
        assert_eq!(walks.stands_at(Syn, 1500), 1500);
    }

    #[test]
    fn a_signal_of_its_own_ends_going_on() {
        let mut walks = Walks::default();
        walks.hear(Syn, 1500, 1500, 1450, Some(1500), T0);
        walks.hear(Echo, 1500, 1500, 1450, None, T0);
        assert_eq!(walks.stands_at(Echo, 1500), 1450);
    }
}
