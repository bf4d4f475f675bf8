//! What the target takes, as far as the MSS of its SYN-ACK and its replies tell.
//!
//! An MSS bounds what *we* send by TCP. A router on the way may have lowered it (`adjust-mss`), and then it
//! says nothing of what the target sends: that is bounded by the MSS of our own SYN. So where the target names less
//! than our own size, it is asked for replies of our own size. A target whose interface is as small as its MSS says
//! cuts them itself, into pieces of exactly that size; a larger reply in one piece, or a larger piece, proves that
//! its interface is larger.
//!
//! A Linux target that was signalled a path MTU lowers its MSS by it and cuts its replies to it, for ten minutes. Where its MSS names just
//! what is signalled on the way to it too, that is what it remembers, and no silent hole: only a signal teaches it.

use std::time::Duration;

use crate::{
    model::{family::Family, types::Bytes},
    path::{limits::TCP_HEADER, probe::Moment},
};

/// An MSS that was larger within so long stands: Linux lowers it where the route's PMTU cache holds less
/// (`ipv4_default_advmss`), for ten minutes or as long as downloads renew it.
const STANDS: Duration = Duration::from_hours(24);

/// How long what the target was seen to remember counts after it was last seen: as long as it remembers itself (`mtu_expires`).
const REMEMBERED: Duration = Duration::from_mins(10);

/// So many looks above the MSS with DF without any answer are enough to judge without one.
const LOOKS: u32 = 3;

/// So many large replies in a row that did not come take back what the last one told.
const FORGOTTEN_AFTER: u32 = 5;

/// What the replies above the MSS tell of the target's own interface.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Interface {
    /// Nothing yet.
    #[default]
    Unknown,
    /// It cuts where its MSS says.
    AsNamed,
    /// It is larger than its MSS says.
    Larger,
}

/// How the last reply above what the MSS names came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum LastReply {
    /// None has.
    #[default]
    None,
    /// In one piece.
    Whole,
    /// In pieces of at most that many bytes.
    Pieces(Bytes),
}

/// What is known of one target.
#[derive(Debug, Clone, Default)]
pub(crate) struct TargetMtu {
    named: Option<(Bytes, Moment)>,
    /// What the last SYN-ACK named.
    latest: Option<Bytes>,
    interface: Interface,
    last_reply: LastReply,
    unanswered: u32,
    looks: u32,
    /// The last look above the MSS with DF that was answered passed both ways.
    whole: bool,
    /// Looks since then that were not answered.
    missed: u32,
    /// What it names is what a bridge on the way signals: it remembers that, and its interface may be larger.
    remembered: Option<Bytes>,
    /// The last signal for a look above the MSS.
    signalled: Option<(Bytes, Moment)>,
    /// The path MTU that it was seen to keep to on the way back, and when last.
    keeps_to: Option<(Bytes, Moment)>,
}

impl TargetMtu {
    /// A SYN-ACK named this MSS. True if it names another MTU than before.
    pub(crate) fn name(&mut self, family: Family, mss: Bytes, now: Moment) -> bool {
        let mtu = mss + family.header() + TCP_HEADER;
        self.latest = Some(mtu);
        let (known, at) = self.named.unwrap_or_default();
        if mtu < known && now.saturating_sub(at) < STANDS {
            return false;
        }
        self.named = Some((mtu, now));
        if mtu == known {
            return false;
        }
        *self = Self {
            named: self.named,
            latest: self.latest,
            remembered: self.remembered,
            keeps_to: self.keeps_to,
            ..Self::default()
        };
        true
    }

    /// The MTU that the SYN-ACK names, unless the target only remembers it of the path.
    #[must_use]
    pub(crate) fn named(&self) -> Option<Bytes> {
        self.named.map(|(mtu, _)| mtu).filter(|mtu| self.remembered != Some(*mtu))
    }

    /// What the target names and only remembers of the path.
    #[must_use]
    pub(crate) fn remembered(&self) -> Option<Bytes> {
        self.remembered.filter(|mtu| self.named.is_some_and(|(named, _)| named == *mtu))
    }

    /// The target's interface was found to be as its MSS says.
    #[must_use]
    pub(crate) fn is_as_named(&self) -> bool {
        self.interface == Interface::AsNamed
    }

    /// The target's interface was found to be larger than its MSS says.
    #[must_use]
    pub(crate) fn is_larger(&self) -> bool {
        self.interface == Interface::Larger
    }

    /// The last reply above what the MSS names came in one piece of at least `size` bytes.
    #[must_use]
    pub(crate) fn in_one_piece(&self, size: Bytes) -> bool {
        !matches!(self.last_reply, LastReply::Pieces(largest) if largest < size)
    }

    /// The largest piece of a reply of `size` bytes, where the last one above what the MSS names came in several.
    #[must_use]
    pub(crate) fn largest_piece_of(&self, size: Bytes) -> Option<Bytes> {
        match self.last_reply {
            LastReply::Pieces(largest) if self.latest < Some(size) => Some(largest),
            _ => None,
        }
    }

    /// A reply larger than what the MSS names has come, in pieces of at most that many bytes; `full`: of our own size.
    ///
    /// Only one of our own size shows that the target cuts where its MSS says. Of smaller ones a tunnel may cut just those few, and drop what
    /// is larger: 1,451 to 1,454 bytes at a vxlan device of 1,450 under a bridge (measured, 6.18).
    pub(crate) fn replied(&mut self, family: Family, largest: Option<Bytes>, full: bool) {
        let Some(named) = self.named() else { return };
        let own = largest_piece(family, named);
        let as_named = largest.is_some_and(|largest| largest <= own);
        if as_named && !full {
            return;
        }
        self.last_reply = largest.map_or(LastReply::Whole, LastReply::Pieces);
        self.unanswered = 0;
        self.interface = if as_named { Interface::AsNamed } else { Interface::Larger };
    }

    /// A reply of `size` bytes has come, where the target's own address signals `signalled`: whether that is what the target keeps to.
    pub(crate) fn compare(
        &mut self,
        family: Family,
        (size, largest): (Bytes, Option<Bytes>),
        signalled: Option<Bytes>,
        now: Moment,
    ) {
        let Some(latest) = self.latest.filter(|latest| size > *latest) else { return };
        let own_cut = largest.is_some_and(|largest| largest <= largest_piece(family, latest));
        if own_cut && signalled == Some(latest) {
            self.keeps_to = Some((latest, now));
        } else if !own_cut {
            self.keeps_to = None;
        }
    }

    /// The path MTU that the target keeps to on the way back because it was signalled it.
    #[must_use]
    pub(crate) fn keeps_to(&self, now: Moment) -> Option<Bytes> {
        self.keeps_to.filter(|(_, at)| now.saturating_sub(*at) < REMEMBERED).map(|(mtu, _)| mtu)
    }

    /// A large request of our own size was not answered. True if what the last reply told is forgotten.
    pub(crate) fn unanswered(&mut self) -> bool {
        self.unanswered += 1;
        let forgotten = self.unanswered >= FORGOTTEN_AFTER && self.is_as_named();
        if forgotten {
            self.interface = Interface::Unknown;
            self.last_reply = LastReply::None;
        }
        forgotten
    }

    /// What became of a look above the MSS with DF is known; [`TargetMtu::replied`] came first. No router cuts a packet of
    /// IPv6: where the target does, it knows how much passes.
    pub(crate) fn looked(&mut self, answered: bool, family: Family) {
        if answered {
            self.looks = LOOKS;
            self.whole = family == Family::V6 || self.last_reply == LastReply::Whole;
            self.missed = 0;
        } else {
            self.looks = self.looks.saturating_add(1);
            self.missed = self.missed.saturating_add(1);
            self.whole &= self.missed < LOOKS;
        }
    }

    /// Packets of our own size with DF come back, whole or in pieces that the target has cut.
    #[must_use]
    pub(crate) fn is_whole(&self) -> bool {
        self.whole
    }

    /// They did, but the last ones not.
    #[must_use]
    pub(crate) fn is_missed(&self) -> bool {
        self.whole && self.missed > 0
    }

    /// Whether a look above the MSS with DF has told something, or has told nothing several times.
    #[must_use]
    pub(crate) fn has_looked(&self) -> bool {
        self.looks >= LOOKS
    }

    /// A look above the MSS was signalled. A bridge on the way signs with the target's own address: where the target
    /// names just what is signalled, it has heard the same.
    pub(crate) fn signalled(&mut self, mtu: Bytes, by_target: bool, now: Moment) {
        self.looks = LOOKS;
        self.whole = false;
        self.signalled = Some((mtu, now));
        if by_target && self.named.is_some_and(|(named, _)| named == mtu) {
            self.remembered = Some(mtu);
        }
    }

    /// What looks above the MSS were signalled since `since`.
    #[must_use]
    pub(crate) fn signalled_since(&self, since: Moment) -> Option<Bytes> {
        self.signalled.filter(|(_, at)| *at >= since).map(|(mtu, _)| mtu)
    }
}

/// The largest piece of what a host with an interface of `mtu` bytes has to cut: all but the last carry a multiple
/// of 8 bytes (RFC 791 section 3.2, RFC 8200 section 4.5).
fn largest_piece(family: Family, mtu: Bytes) -> Bytes {
    let header = match family {
        Family::V4 => family.header(),
        // And 8 of the fragment header.
        Family::V6 => family.header() + 8,
    };
    header + mtu.saturating_sub(header) / 8 * 8
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Moment = Duration::ZERO;

    fn clamped() -> TargetMtu {
        let mut target = TargetMtu::default();
        assert!(target.name(Family::V4, 1360, T0));
        target
    }

    #[test]
    fn pieces_of_just_that_size_are_the_targets_own() {
        for (largest, as_named) in
            [(Some(1396), true), (Some(1276), true), (Some(1397), false), (None, false)]
        {
            let mut target = clamped();
            assert!(!target.is_as_named() && !target.is_larger());
            target.replied(Family::V4, largest, true);
            assert_eq!((target.is_as_named(), target.is_larger()), (as_named, !as_named), "{largest:?}");
        }
        assert_eq!(largest_piece(Family::V6, 1400), 1400);
    }

    #[test]
    fn pieces_of_a_reply_below_our_own_size_are_nobodys() {
        let mut target = clamped();
        target.replied(Family::V4, Some(1396), false);
        assert!(!target.is_as_named() && !target.is_larger());
        target.replied(Family::V4, Some(1404), false);
        assert!(target.is_larger(), "the target would cut to 1396");
    }

    #[test]
    fn replies_that_no_longer_come_take_back_what_they_told() {
        let mut target = clamped();
        target.replied(Family::V4, Some(1396), true);
        for _ in 1..FORGOTTEN_AFTER {
            assert!(!target.unanswered());
        }
        assert!(target.unanswered() && !target.is_as_named());
    }

    #[test]
    fn what_the_path_signals_is_only_remembered() {
        let mut target = clamped();
        target.signalled(1450, true, T0);
        assert_eq!((target.named(), target.remembered()), (Some(1400), None));
        target.signalled(1400, false, T0);
        assert_eq!(target.named(), Some(1400), "as well a router before the target's own link");
        target.signalled(1400, true, T0);
        assert_eq!((target.named(), target.remembered()), (None, Some(1400)));
    }

    #[test]
    fn it_keeps_to_what_is_signalled_where_it_cuts_and_names_just_that() {
        let mut target = TargetMtu::default();
        target.name(Family::V4, 1460, T0);
        target.name(Family::V4, 1410, T0);
        let mut after = |size, largest, signalled| {
            target.compare(Family::V4, (size, largest), signalled, T0);
            target.keeps_to(T0)
        };
        assert_eq!(after(1500, Some(1444), Some(1400)), None, "another size is signalled");
        assert_eq!(after(1500, Some(1444), Some(1450)), Some(1450));
        assert_eq!(after(1450, None, Some(1450)), Some(1450), "no larger than that");
        assert_eq!(after(1500, Some(1448), Some(1450)), None, "larger pieces than its own");
        assert_eq!(after(1500, Some(1444), Some(1450)), Some(1450));
        assert_eq!(target.keeps_to(REMEMBERED), None);
    }

    #[test]
    fn a_smaller_mss_than_before_is_what_the_target_remembers() {
        let mut target = TargetMtu::default();
        assert!(target.name(Family::V4, 1460, T0));
        assert!(!target.name(Family::V4, 1410, Duration::from_mins(10)));
        assert_eq!(target.named(), Some(1500));
        assert!(target.name(Family::V4, 1410, Duration::from_hours(24)));
        assert_eq!(target.named(), Some(1450));
    }

    #[test]
    fn an_mss_stands_from_when_it_was_last_named() {
        let mut target = TargetMtu::default();
        target.name(Family::V4, 1460, T0);
        target.name(Family::V4, 1460, Duration::from_hours(23));
        assert!(!target.name(Family::V4, 1410, Duration::from_hours(46)));
        assert!(target.name(Family::V4, 1410, Duration::from_hours(47)));
    }

    #[test]
    fn a_larger_reply_is_whole_or_in_pieces() {
        let mut target = clamped();
        assert!(target.in_one_piece(1500), "none has come");
        target.replied(Family::V4, Some(1452), true);
        let of = |target: &TargetMtu, size| (target.in_one_piece(size), target.largest_piece_of(size));
        assert_eq!(of(&target, 1452), (true, Some(1452)));
        assert_eq!(of(&target, 1453), (false, Some(1452)));
        assert_eq!(of(&target, 1401), (true, Some(1452)));
        assert_eq!(of(&target, 1400), (true, None), "no larger than what the MSS names");
        target.replied(Family::V4, None, true);
        assert_eq!(of(&target, 1500), (true, None));
    }

    #[test]
    fn looks_with_df_tell_whether_packets_of_our_size_come_back() {
        let of = |target: &TargetMtu| (target.has_looked(), target.is_whole(), target.is_missed());
        let mut target = clamped();
        for looks in 0..LOOKS {
            assert_eq!(of(&target), (false, false, false), "{looks} not answered");
            target.looked(false, Family::V4);
        }
        assert_eq!(of(&target), (true, false, false), "nothing was told, several times");
        target.replied(Family::V4, None, true);
        target.looked(true, Family::V4);
        assert_eq!(of(&target), (true, true, false));
        for _ in 1..LOOKS {
            target.looked(false, Family::V4);
            assert_eq!(of(&target), (true, true, true));
        }
        target.looked(false, Family::V4);
        assert_eq!(of(&target), (true, false, false), "they come no more");
        target.looked(true, Family::V4);
        assert_eq!(of(&target), (true, true, false), "they come again");
        target.replied(Family::V4, Some(1452), true);
        target.looked(true, Family::V4);
        assert_eq!(of(&target), (true, false, false), "a router has cut the reply");
        target.looked(true, Family::V6);
        assert_eq!(of(&target), (true, true, false), "no router cuts packets of IPv6");
    }
}
