//! Packets that our own host could not send, or whose answers it could not hear: they say nothing
//! about the network.

use std::time::Duration;

use crate::path::{probe::Moment, refusal::Trouble};

/// After this many consecutive refused packets of one kind, no verdict is possible.
const ENOUGH: u32 = 2;

/// After this many packets whose answers could not be received, earlier results are stale.
const UNHEARD: u32 = 10;

/// So many are enough if the first was long ago.
const UNHEARD_LONG: u32 = 2;

/// Which packets were refused. Small and full-size packets are tracked separately, because a
/// firewall or a queue may pass only small ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SizeClass {
    /// Small packets.
    Small,
    /// Full-size packets.
    Full,
}

/// Consecutive refused packets.
#[derive(Debug, Clone, Copy)]
struct Streak {
    trouble: Trouble,
    count: u32,
    last: Moment,
}

/// Packets without an answer while this process could not receive.
#[derive(Debug, Clone, Copy, Default)]
struct Unheard {
    count: u32,
    /// How many packets have been lost for certain since the last of them.
    lost: u32,
    /// When the first was given up.
    since: Moment,
}

impl Unheard {
    fn add(&mut self, now: Moment) {
        if self.count == 0 {
            self.since = now;
        }
        self.count += 1;
        self.lost = 0;
    }

    /// A packet was lost for certain: after two in a row this process can hear.
    fn end_soon(&mut self) {
        self.lost += 1;
        if self.lost >= ENOUGH {
            *self = Self::default();
        }
    }

    fn is_long(self, patience: Duration, now: Moment) -> bool {
        self.count >= UNHEARD_LONG && now.saturating_sub(self.since) >= patience
    }
}

/// Packets that our own host has refused, or whose answers this process could not receive.
#[derive(Debug, Clone, Default)]
pub(crate) struct OwnHost {
    small: Option<Streak>,
    full: Option<Streak>,
    small_unheard: Unheard,
    full_unheard: Unheard,
}

impl OwnHost {
    /// A packet was refused.
    pub(crate) fn refused(&mut self, kind: SizeClass, trouble: Trouble, now: Moment) {
        let streak = self.streak(kind);
        let count = streak.map_or(0, |streak| streak.count) + 1;
        *streak = Some(Streak { trouble, count, last: now });
    }

    /// A packet got no answer, but this process could not receive at that time.
    pub(crate) fn unheard(&mut self, kind: SizeClass, now: Moment) {
        self.unheard_of(kind).add(now);
    }

    /// A packet was lost for certain.
    pub(crate) fn lost(&mut self, kind: SizeClass) {
        self.unheard_of(kind).end_soon();
    }

    /// A packet was answered, so this process can hear; by a full-size packet it hears those too.
    pub(crate) fn answered(&mut self, kind: SizeClass) {
        self.small_unheard = Unheard::default();
        if kind == SizeClass::Full {
            self.full_unheard = Unheard::default();
        }
    }

    /// A packet sent at `sent` has left this host, whatever its result.
    pub(crate) fn left(&mut self, kind: SizeClass, sent: Moment) {
        let streak = self.streak(kind);
        if streak.is_some_and(|streak| sent >= streak.last) {
            *streak = None;
        }
    }

    /// Why packets cannot leave this host now, or no answer is heard, if so. `patience` is how long
    /// results count while this process is too late to get others.
    #[must_use]
    pub(crate) fn trouble(&self, patience: Duration, now: Moment) -> Option<Trouble> {
        let lasting = |streak: &Streak| streak.count >= ENOUGH;
        let streak = self.small.filter(lasting).or_else(|| self.full.filter(lasting));
        let unheard = self.small_unheard;
        let late = unheard.count >= UNHEARD || unheard.is_long(patience, now);
        streak.map(|streak| streak.trouble).or(late.then_some(Trouble::Late))
    }

    /// Whether this process is too late to know what full-size packets do, while small ones may
    /// still be heard.
    #[must_use]
    pub(crate) fn is_deaf_to_full(&self, patience: Duration, now: Moment) -> bool {
        self.full_unheard.is_long(patience, now)
    }

    fn unheard_of(&mut self, kind: SizeClass) -> &mut Unheard {
        match kind {
            SizeClass::Small => &mut self.small_unheard,
            SizeClass::Full => &mut self.full_unheard,
        }
    }

    fn streak(&mut self, kind: SizeClass) -> &mut Option<Streak> {
        match kind {
            SizeClass::Small => &mut self.small,
            SizeClass::Full => &mut self.full,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const AT: [Moment; 4] =
        [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(3), Duration::from_secs(4)];

    const PATIENCE: Duration = Duration::from_secs(10);

    #[test]
    fn one_packet_refused_is_no_trouble_and_two_in_a_row_are() {
        let mut local = OwnHost::default();
        let refused = Trouble::Refused(libc::ENOBUFS);
        local.refused(SizeClass::Small, refused, AT[0]);
        assert_eq!(local.trouble(PATIENCE, AT[3]), None);
        local.left(SizeClass::Small, AT[1]);
        local.refused(SizeClass::Small, refused, AT[2]);
        assert_eq!(local.trouble(PATIENCE, AT[3]), None, "one left between them");
        local.refused(SizeClass::Small, Trouble::CannotLeave(libc::ENETUNREACH), AT[3]);
        assert_eq!(local.trouble(PATIENCE, AT[3]), Some(Trouble::CannotLeave(libc::ENETUNREACH)));
        local.left(SizeClass::Small, AT[2]);
        assert!(local.trouble(PATIENCE, AT[3]).is_some(), "it had left before that");
        local.left(SizeClass::Full, AT[3]);
        assert!(local.trouble(PATIENCE, AT[3]).is_some());
        local.left(SizeClass::Small, AT[3]);
        assert_eq!(local.trouble(PATIENCE, AT[3]), None);
    }

    #[test]
    fn what_is_not_heard_makes_results_stale_at_once_if_it_is_much_and_with_time_if_it_is_little() {
        let late = |local: &OwnHost, now| local.trouble(PATIENCE, now) == Some(Trouble::Late);
        let mut local = OwnHost::default();
        (0..UNHEARD).for_each(|_| local.unheard(SizeClass::Small, AT[0]));
        assert!(late(&local, AT[0]));
        local.answered(SizeClass::Small);
        assert!(!late(&local, AT[0]));
        local.unheard(SizeClass::Small, AT[0]);
        assert!(!late(&local, AT[0] + PATIENCE * 9), "one alone is an accident");
        local.unheard(SizeClass::Small, AT[3]);
        assert!(!late(&local, AT[3]) && late(&local, AT[0] + PATIENCE));
        local.lost(SizeClass::Small);
        assert!(late(&local, AT[0] + PATIENCE), "one result is an accident too");
        local.unheard(SizeClass::Small, AT[3]);
        local.lost(SizeClass::Small);
        assert!(late(&local, AT[0] + PATIENCE));
        local.lost(SizeClass::Small);
        assert!(!late(&local, AT[0] + PATIENCE), "two in a row are known");
    }

    #[test]
    fn small_packets_that_are_heard_say_nothing_of_full_ones() {
        let mut local = OwnHost::default();
        (0..2 * UNHEARD).for_each(|_| local.unheard(SizeClass::Full, AT[0]));
        local.answered(SizeClass::Small);
        assert!(!local.is_deaf_to_full(PATIENCE, AT[3]), "many at once are one burst");
        assert!(local.is_deaf_to_full(PATIENCE, AT[0] + PATIENCE));
        assert_eq!(local.trouble(PATIENCE, AT[0] + PATIENCE), None);
        local.answered(SizeClass::Full);
        assert!(!local.is_deaf_to_full(PATIENCE, AT[0] + PATIENCE));
    }

    #[test]
    fn words_name_the_errno() {
        let words = Trouble::CannotLeave(libc::ENETUNREACH).said();
        assert_eq!(words, "nothing leaves our own host (ENETUNREACH: Network is unreachable)");
        let words = Trouble::Refused(libc::EPERM).said();
        assert_eq!(words, "our own host refuses to send (EPERM: Operation not permitted)");
    }
}
