//! Whether a stateful middlebox keeps our flows dead.
//!
//! After a failover, a stateful NAT or firewall may keep an old mapping for as long as packets of
//! that flow arrive. A prober with constant identifiers and ports then sees silence, while every
//! new connection passes. So when five packets of old flows in a row are lost, pairs
//! ([`crate::path::pairs`]) are sent: one packet of an old flow, in question, and one of a new
//! flow. Loss, and an outage that ends, hit both alike, so twenty counted pairs without an answer
//! on an old flow leave chance 2^-20.

use std::time::Duration;

use fastrand::Rng;

use crate::{
    language::{Said, say},
    model::types::ProbeProtocol,
    path::{
        limits::REST,
        pairs::{Burst, BurstPace, Fate, Half},
        probe::{FLOWS, Moment},
    },
};

/// How often one flow, in turn, moves to a new port, and echoes to a new identifier, so that no
/// mapping is kept alive for ever.
pub const MOVE_EVERY: Duration = Duration::from_mins(10);

/// The flow that moves after `last`. A flow with a hole stays, because it is the evidence.
pub fn next_to_move(last: u8, is_silent: impl Fn(u8) -> bool) -> Option<u8> {
    (1..=FLOWS).map(|step| (last + step) % FLOWS).find(|flow| !is_silent(*flow))
}

/// Counted pairs after which old flows are abandoned.
const ENOUGH: usize = 20;
/// Packets of old flows lost in a row that start a burst.
const DOUBT: u32 = 5;
/// Packets of new flows lost, with none answered, that end a burst: new flows do not pass either.
const NOTHING: usize = 20;
const PACE: BurstPace = BurstPace { spacing: Duration::from_millis(100), at_most: 80 };
/// How long the finding stays in the evidence.
const TOLD: Duration = Duration::from_mins(10);

/// A pair to send now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OldAndNew {
    /// ICMP or TCP.
    pub protocol: ProbeProtocol,
    /// The burst.
    pub serial: u32,
    /// The pair within the burst.
    pub pair: usize,
    /// Which half goes first.
    pub new_first: bool,
}

/// What was found.
#[derive(Debug, Clone, Copy)]
struct PinnedProof {
    protocol: ProbeProtocol,
    old_lost: usize,
    new_answered: usize,
    at: Moment,
}

/// Compares old flows with new ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pinned {
    lost_in_a_row: [u32; 2],
    /// Pairs of an old flow, in question, and a new one.
    burst: Option<(ProbeProtocol, Burst<()>)>,
    serial: u32,
    rest_until: [Moment; 2],
    found: Option<PinnedProof>,
    /// The finding has not been acted upon yet.
    is_news: bool,
}

impl Pinned {
    /// A packet of an old flow was lost, outside a burst.
    pub(crate) fn old_lost(&mut self, protocol: ProbeProtocol, may_begin: bool, now: Moment) {
        let lost = &mut self.lost_in_a_row[place(protocol)];
        *lost += 1;
        if may_begin && *lost >= DOUBT && self.burst.is_none() && now >= self.rest_until[place(protocol)] {
            self.serial += 1;
            self.burst = Some((protocol, Burst::new(self.serial, PACE, now)));
        }
    }

    /// A packet of an old flow was answered.
    pub(crate) fn old_answered(&mut self, protocol: ProbeProtocol) {
        self.lost_in_a_row[place(protocol)] = 0;
        if self.burst.as_ref().is_some_and(|(asked, _)| *asked == protocol) {
            self.burst = None;
        }
    }

    /// Discards recent losses: they belong to an outage, or may be our own fault.
    pub(crate) fn calm(&mut self) {
        self.lost_in_a_row = [0; 2];
        self.burst = None;
    }

    /// The pair that is due now. Call [`Pinned::sent`] if it was sent, then this again.
    pub(crate) fn due(&self, now: Moment, rng: &mut Rng) -> Option<OldAndNew> {
        let (protocol, burst) = self.burst.as_ref()?;
        let wanted = ENOUGH.saturating_sub(burst.count().counted);
        burst.is_due(now, wanted).then(|| OldAndNew {
            protocol: *protocol,
            serial: burst.serial(),
            pair: burst.pairs().len(),
            new_first: rng.bool(),
        })
    }

    /// The pair named by [`Pinned::due`] was sent.
    pub(crate) fn sent(&mut self, now: Moment) {
        if let Some((_, burst)) = self.burst.as_mut() {
            burst.begin((), Fate::Waiting, Fate::Waiting, now);
        }
    }

    /// When [`Pinned::due`] is next to be called.
    #[must_use]
    pub(crate) fn next_at(&self) -> Option<Moment> {
        self.burst.as_ref().filter(|(_, burst)| burst.has_room()).map(|(_, burst)| burst.next_at())
    }

    /// Records the fate of half of a pair. True if that proves that only new flows pass.
    pub(crate) fn resolve(&mut self, serial: u32, pair: usize, new: bool, fate: Fate, now: Moment) -> bool {
        let Some((protocol, burst)) = self.burst.as_mut().filter(|(_, burst)| burst.serial() == serial)
        else {
            return false;
        };
        burst.resolve(pair, if new { Half::Control } else { Half::Asked }, fate);
        let (protocol, count) = (*protocol, burst.count());
        let nothing = count.control_answered == 0 && count.control_lost >= NOTHING;
        let found = count.counted >= ENOUGH;
        if !(found || nothing || burst.is_exhausted()) {
            return false;
        }
        if found {
            let (old_lost, new_answered) = (count.lost, count.control_answered);
            self.found = Some(PinnedProof { protocol, old_lost, new_answered, at: now });
            self.is_news = true;
        }
        self.lost_in_a_row[place(protocol)] = 0;
        self.rest_until[place(protocol)] = now + REST;
        self.burst = None;
        found
    }

    /// Whether [`Pinned::take_news`] is to be called.
    #[must_use]
    pub(crate) fn has_news(&self) -> bool {
        self.is_news
    }

    /// Whether all flows must move to new ports; true once for each finding.
    pub(crate) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.is_news)
    }

    /// The recent finding, if there is one, as evidence.
    #[must_use]
    pub(crate) fn in_words(&self, now: Moment) -> Option<Said> {
        let PinnedProof { protocol, old_lost, new_answered, at } = self.found?;
        let ago = now.saturating_sub(at);
        let ago_s = ago.as_secs();
        (ago < TOLD).then(|| match protocol {
            ProbeProtocol::Icmp => say!(
                "old flows were dead, new ones pass: a stateful box remembers ({lost} echoes of the old identifier \
                 lost and none answered, {answered} of new ones sent beside them answered, {ago} s ago); switched \
                 to new ones",
                lost = old_lost,
                answered = new_answered,
                ago = ago_s
            ),
            ProbeProtocol::Tcp => say!(
                "old flows were dead, new ones pass: a stateful box remembers ({lost} SYNs from the old ports lost \
                 and none answered, {answered} of new ones sent beside them answered, {ago} s ago); switched to \
                 new ones",
                lost = old_lost,
                answered = new_answered,
                ago = ago_s
            ),
        })
    }
}

fn place(protocol: ProbeProtocol) -> usize {
    match protocol {
        ProbeProtocol::Icmp => 0,
        ProbeProtocol::Tcp => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::types::ProbeProtocol::Icmp;

    /// Plays a burst; whether it proves that only new flows pass.
    fn play(old: Fate, new: impl Fn(usize) -> Fate) -> (bool, Pinned) {
        let (mut pinned, mut now, mut rng) = (Pinned::default(), PACE.spacing, Rng::with_seed(7));
        for _ in 0..DOUBT {
            assert!(pinned.due(now, &mut rng).is_none());
            pinned.old_lost(Icmp, true, now);
        }
        let mut proven = false;
        while pinned.next_at().is_some() {
            now += PACE.spacing;
            let Some(pair) = pinned.due(now, &mut rng) else { continue };
            pinned.sent(now);
            if old == Fate::Answered {
                pinned.old_answered(Icmp);
            }
            proven |= pinned.resolve(pair.serial, pair.pair, false, old, now);
            proven |= pinned.resolve(pair.serial, pair.pair, true, new(pair.pair), now);
        }
        (proven, pinned)
    }

    #[test]
    fn twenty_pairs_of_which_only_the_new_half_is_answered_prove_it() {
        let (proven, pinned) = play(Fate::Lost, |_| Fate::Answered);
        assert!(proven);
        let said = pinned.in_words(Duration::from_secs(10)).unwrap();
        assert!(
            said.contains("old flows were dead, new ones pass: a stateful box remembers (20 echoes"),
            "{said}"
        );
        assert_eq!(pinned.in_words(Duration::from_hours(1)), None);
    }

    #[test]
    fn half_of_the_new_ones_lost_it_takes_twice_as_long() {
        assert!(play(Fate::Lost, |pair| [Fate::Lost, Fate::Answered][pair % 2]).0);
    }

    #[test]
    fn an_answer_on_an_old_flow_or_none_at_all_ends_it() {
        assert!(!play(Fate::Answered, |_| Fate::Answered).0);
        assert!(!play(Fate::Lost, |_| Fate::Lost).0);
    }
}
