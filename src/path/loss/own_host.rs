//! Packets that our own host could not send: they say nothing about the network.

use crate::path::{probe::Moment, refusal::Trouble};

/// After this many consecutive refused packets of one kind, no verdict is possible.
const ENOUGH: u32 = 2;

/// After this many consecutive packets whose answers could not be received, earlier results are
/// stale.
const UNHEARD: u32 = 10;

/// Which packets were refused. Small and full-size packets are tracked separately, because a
/// firewall or a queue may pass only small ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
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

/// Packets that our own host has refused.
#[derive(Debug, Clone, Default)]
pub(crate) struct OwnHost {
    small: Option<Streak>,
    full: Option<Streak>,
    /// Consecutive small packets without an answer while this process could not receive.
    unheard: u32,
}

impl OwnHost {
    /// A packet was refused.
    pub(crate) fn refused(&mut self, kind: Kind, trouble: Trouble, now: Moment) {
        let streak = self.streak(kind);
        let count = streak.map_or(0, |streak| streak.count) + 1;
        *streak = Some(Streak { trouble, count, last: now });
    }

    /// A small packet got no answer, but this process could not receive at that time.
    pub(crate) fn unheard(&mut self) {
        self.unheard += 1;
    }

    /// The result of a packet is known for certain.
    pub(crate) fn decided(&mut self) {
        self.unheard = 0;
    }

    /// A packet sent at `sent` has left this host, whatever its result.
    pub(crate) fn left(&mut self, kind: Kind, sent: Moment) {
        let streak = self.streak(kind);
        if streak.is_some_and(|streak| sent >= streak.last) {
            *streak = None;
        }
    }

    /// Why packets cannot leave this host now, if so.
    #[must_use]
    pub(crate) fn trouble(&self) -> Option<Trouble> {
        let lasting = |streak: &Streak| streak.count >= ENOUGH;
        let streak = self.small.filter(lasting).or_else(|| self.full.filter(lasting));
        streak.map(|streak| streak.trouble).or((self.unheard >= UNHEARD).then_some(Trouble::Late))
    }

    fn streak(&mut self, kind: Kind) -> &mut Option<Streak> {
        match kind {
            Kind::Small => &mut self.small,
            Kind::Full => &mut self.full,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const AT: [Moment; 4] =
        [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(3), Duration::from_secs(4)];

    #[test]
    fn one_packet_refused_is_no_trouble_and_two_in_a_row_are() {
        let mut local = OwnHost::default();
        let refused = Trouble::Refused(libc::ENOBUFS);
        local.refused(Kind::Small, refused, AT[0]);
        assert_eq!(local.trouble(), None);
        local.left(Kind::Small, AT[1]);
        local.refused(Kind::Small, refused, AT[2]);
        assert_eq!(local.trouble(), None, "one left between them");
        local.refused(Kind::Small, Trouble::NoWay(libc::ENETUNREACH), AT[3]);
        assert_eq!(local.trouble(), Some(Trouble::NoWay(libc::ENETUNREACH)));
        local.left(Kind::Small, AT[2]);
        assert!(local.trouble().is_some(), "it had left before that");
        local.left(Kind::Full, AT[3]);
        assert!(local.trouble().is_some());
        local.left(Kind::Small, AT[3]);
        assert_eq!(local.trouble(), None);
    }

    #[test]
    fn words_name_the_errno() {
        let words = Trouble::NoWay(libc::ENETUNREACH).in_words();
        assert_eq!(words, "nothing leaves our own host (ENETUNREACH: Network is unreachable)");
        let words = Trouble::Refused(libc::EPERM).in_words();
        assert_eq!(words, "our own host refuses to send (EPERM: Operation not permitted)");
    }
}
