//! The target's own MTU, inferred from the MSS of its SYN-ACK and from its replies.
//!
//! An MSS limits what *we* send by TCP. A router on the path may have lowered it (`adjust-mss`);
//! then it says nothing about what the target sends, which is limited by the MSS of our own SYN. So
//! if the target announces less than our own size, we request replies of our own size. A target
//! whose interface matches its MSS fragments them itself, into fragments of exactly that size. An
//! unfragmented larger reply, or a larger fragment, proves that its interface is larger.
//!
//! A Linux target that received Packet Too Big lowers its MSS accordingly and fragments its replies
//! to that path MTU, for ten minutes. If its MSS announces exactly the MTU signalled on the forward
//! path too, then it remembers that path MTU, and there is no black hole: it can have learned the
//! size only from a signal.

use std::time::Duration;

use crate::{
    model::{family::Family, types::Bytes},
    path::{limits::TCP_HEADER, probe::Moment},
};

/// How long a larger MSS outlasts a smaller one. Linux lowers the MSS while the route's PMTU cache
/// holds less (`ipv4_default_advmss`): for ten minutes, or as long as downloads renew the entry.
const STANDS: Duration = Duration::from_hours(24);

/// How long a remembered path MTU counts after it was last seen: as long as Linux keeps it
/// (`mtu_expires`).
const REMEMBERED: Duration = Duration::from_mins(10);

/// After this many unanswered DF echoes larger than the MSS, judge without an answer.
const LOOKS: u32 = 3;

/// After this many lost large replies in a row, the result of the last one is discarded.
const FORGOTTEN_AFTER: u32 = 5;

/// The target's own interface, inferred from replies larger than the MSS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Interface {
    /// No result yet.
    #[default]
    Unknown,
    /// It fragments at the size that its MSS announces.
    AsNamed,
    /// Its MTU is larger than its MSS announces.
    Larger,
}

/// How the last reply larger than the MSS arrived.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum LastReply {
    /// No such reply yet.
    #[default]
    None,
    /// Unfragmented.
    Whole,
    /// In fragments, the largest of this many bytes.
    Pieces(Bytes),
}

/// What is known about one target; sizes in bytes of IP packet.
#[derive(Debug, Clone, Default)]
pub(crate) struct TargetMtu {
    named: Option<(Bytes, Moment)>,
    /// The MTU announced by the last SYN-ACK.
    latest: Option<Bytes>,
    interface: Interface,
    last_reply: LastReply,
    unanswered: u32,
    looks: u32,
    /// The last answered DF echo larger than the MSS passed both ways.
    whole: bool,
    /// Unanswered DF echoes since then.
    missed: u32,
    /// The MTU it announces is one that a bridge on the path signals: it remembers a path MTU, and
    /// its interface may be larger.
    remembered: Option<Bytes>,
    /// The last signal for a DF echo larger than the MSS.
    signalled: Option<(Bytes, Moment)>,
    /// The path MTU it was seen to respect on the reverse path, and when last.
    keeps_to: Option<(Bytes, Moment)>,
}

impl TargetMtu {
    /// Records the MSS of a SYN-ACK. True if the announced MTU has changed.
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

    /// The MTU announced by the SYN-ACK, unless it is only a path MTU that the target remembers.
    #[must_use]
    pub(crate) fn named(&self) -> Option<Bytes> {
        self.named.map(|(mtu, _)| mtu).filter(|mtu| self.remembered != Some(*mtu))
    }

    /// The announced MTU, if it is only a path MTU that the target remembers.
    #[must_use]
    pub(crate) fn remembered(&self) -> Option<Bytes> {
        self.remembered.filter(|mtu| self.named.is_some_and(|(named, _)| named == *mtu))
    }

    /// The target's interface matches its MSS.
    #[must_use]
    pub(crate) fn is_as_named(&self) -> bool {
        self.interface == Interface::AsNamed
    }

    /// The target's interface is larger than its MSS announces.
    #[must_use]
    pub(crate) fn is_larger(&self) -> bool {
        self.interface == Interface::Larger
    }

    /// Whether the last reply larger than the MSS arrived unfragmented, or with a fragment of at
    /// least `size` bytes.
    #[must_use]
    pub(crate) fn in_one_piece(&self, size: Bytes) -> bool {
        !matches!(self.last_reply, LastReply::Pieces(largest) if largest < size)
    }

    /// The largest fragment of a reply of `size` bytes, if the last reply larger than the MSS was
    /// fragmented.
    #[must_use]
    pub(crate) fn largest_piece_of(&self, size: Bytes) -> Option<Bytes> {
        match self.last_reply {
            LastReply::Pieces(largest) if self.latest < Some(size) => Some(largest),
            _ => None,
        }
    }

    /// Records a reply larger than the MSS. `largest` is its largest fragment, none if
    /// unfragmented; `full`: the reply has our own size.
    ///
    /// Only a reply of our own size shows that the target fragments at its MSS. A tunnel may
    /// fragment just a few smaller sizes and drop larger ones: it fragments 1,451 to 1,454 bytes at
    /// a vxlan device of 1,450 under a bridge (measured on Linux 6.18).
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

    /// Records whether the target respects a signalled path MTU: a reply of `size` bytes has
    /// arrived, and `signalled` is the MTU signalled from the target's own address.
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

    /// The path MTU that the target respects on the reverse path because it was signalled to it.
    #[must_use]
    pub(crate) fn keeps_to(&self, now: Moment) -> Option<Bytes> {
        self.keeps_to.filter(|(_, at)| now.saturating_sub(*at) < REMEMBERED).map(|(mtu, _)| mtu)
    }

    /// Records that a large request of our own size got no answer. True if the result of the last
    /// reply is now discarded.
    pub(crate) fn unanswered(&mut self) -> bool {
        self.unanswered += 1;
        let forgotten = self.unanswered >= FORGOTTEN_AFTER && self.is_as_named();
        if forgotten {
            self.interface = Interface::Unknown;
            self.last_reply = LastReply::None;
        }
        forgotten
    }

    /// Records the outcome of a DF echo larger than the MSS, after [`TargetMtu::replied`]. Routers
    /// do not fragment IPv6 packets: if the target does, it knows the path MTU.
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

    /// Packets of our own size with DF come back, unfragmented or in fragments made by the target.
    #[must_use]
    pub(crate) fn is_whole(&self) -> bool {
        self.whole
    }

    /// They came back before, but the last ones did not.
    #[must_use]
    pub(crate) fn is_missed(&self) -> bool {
        self.whole && self.missed > 0
    }

    /// Whether DF echoes larger than the MSS have given a result, or several have gone unanswered.
    #[must_use]
    pub(crate) fn has_looked(&self) -> bool {
        self.looks >= LOOKS
    }

    /// Records a signal for a DF echo larger than the MSS. A bridge on the path signals from the
    /// target's own address. If the target announces exactly the signalled MTU, it has received the
    /// same signal.
    pub(crate) fn signalled(&mut self, mtu: Bytes, by_target: bool, now: Moment) {
        self.looks = LOOKS;
        self.whole = false;
        self.signalled = Some((mtu, now));
        if by_target && self.named.is_some_and(|(named, _)| named == mtu) {
            self.remembered = Some(mtu);
        }
    }

    /// The MTU signalled for DF echoes larger than the MSS since `since`.
    #[must_use]
    pub(crate) fn signalled_since(&self, since: Moment) -> Option<Bytes> {
        self.signalled.filter(|(_, at)| *at >= since).map(|(mtu, _)| mtu)
    }
}

/// The largest fragment that a host with an interface of `mtu` bytes makes: all fragments but the
/// last carry a multiple of 8 bytes (RFC 791 section 3.2, RFC 8200 section 4.5).
fn largest_piece(family: Family, mtu: Bytes) -> Bytes {
    let header = match family {
        Family::V4 => family.header(),
        // Plus 8 bytes of fragment header.
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
