//! Which TCP flows stay silent at a size that is signalled to others.
//!
//! The silence of one flow beside the signals of another proves nothing by itself: routers limit signals,
//! and one flow may get all there are. So they compete, round by round: a packet of that size on every flow
//! in question and on one that is known to be signalled, within a millisecond, in random order. Were all of
//! them before the same router, then of two that differ it would be as likely the one as the other that is
//! signalled, whatever the limit and the loss. A round counts against a flow that stayed silent while the
//! one known to be signalled was; one answer or signal ends it. Thirty counted rounds: chance alone does
//! that with 2^-30 = 1e-9. Then the flow is on another leg, where nobody signals, and its silence is proven
//! like any other, by pairs.

use std::time::Duration;

use fastrand::Rng;

use crate::{
    model::types::Bytes,
    path::{
        hole::flow_set::FlowSet,
        limits::REST,
        probe::{FLOWS, Moment},
    },
};

/// Counted rounds that tell a silent leg from luck.
const ENOUGH: u32 = 30;

/// Rounds are so far apart: they take half a minute, so that a leg whose own router seldom signals is heard.
const PACE: Duration = Duration::from_millis(500);

/// After so many rounds in a row without any signal, [`REST`].
const BARREN: u32 = 20;

/// One packet of a round: on a TCP flow, or on ICMP's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entrant {
    /// A TCP flow.
    Tcp(u8),
    /// ICMP's flow.
    Icmp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Waiting,
    Silent,
    Signalled,
    Answered,
}

/// All rounds at one size.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contest {
    size: Bytes,
    counted: [u32; FLOWS as usize],
    round: u32,
    known: Option<Entrant>,
    open: Vec<(Entrant, Fate)>,
    next_at: Moment,
    barren: u32,
}

impl Contest {
    /// When the next round may begin.
    #[must_use]
    pub(crate) fn next_at(&self) -> Moment {
        self.next_at
    }

    /// Begins a round at `now`, if the last one is over: who is to send a packet of `size` bytes, in this order, and
    /// the round's name.
    pub(crate) fn begin(
        &mut self,
        size: Bytes,
        in_question: FlowSet,
        signalled: &[Entrant],
        now: Moment,
        rng: &mut Rng,
    ) -> Option<(u32, Vec<Entrant>)> {
        if self.size != size {
            *self = Self { size, round: self.round, next_at: self.next_at, ..Self::default() };
        }
        let waits = self.open.iter().any(|(_, fate)| *fate == Fate::Waiting);
        if waits || in_question.is_empty() || signalled.is_empty() {
            return None;
        }
        let known = signalled[rng.usize(..signalled.len())];
        let mut all: Vec<Entrant> = in_question.iter().map(Entrant::Tcp).chain([known]).collect();
        rng.shuffle(&mut all);
        self.known = Some(known);
        self.round += 1;
        self.next_at = now + PACE;
        self.open = all.iter().map(|entrant| (*entrant, Fate::Waiting)).collect();
        Some((self.round, all))
    }

    /// There is nothing to ask now.
    pub(crate) fn pause(&mut self, now: Moment) {
        self.next_at = self.next_at.max(now + PACE);
    }

    /// A packet of a round stayed without answer. The flows that are found to be silent by it.
    pub(crate) fn lost(&mut self, round: u32, entrant: Entrant, now: Moment) -> FlowSet {
        self.note(round, entrant, Fate::Silent, now)
    }

    /// One was signalled, be it late.
    pub(crate) fn signalled(&mut self, round: u32, entrant: Entrant, now: Moment) -> FlowSet {
        self.heard(entrant);
        self.note(round, entrant, Fate::Signalled, now)
    }

    /// One was answered, be it late.
    pub(crate) fn answered(&mut self, round: u32, entrant: Entrant, now: Moment) -> FlowSet {
        self.heard(entrant);
        self.note(round, entrant, Fate::Answered, now)
    }

    /// One never left our host.
    pub(crate) fn not_sent(&mut self, round: u32, entrant: Entrant) {
        if round == self.round {
            self.open.retain(|(open, _)| *open != entrant);
        }
    }

    fn heard(&mut self, entrant: Entrant) {
        if let Entrant::Tcp(flow) = entrant {
            self.counted[usize::from(flow)] = 0;
        }
    }

    fn note(&mut self, round: u32, entrant: Entrant, fate: Fate, now: Moment) -> FlowSet {
        let open = self.open.iter_mut().find(|(open, noted)| *open == entrant && *noted == Fate::Waiting);
        let Some(open) = open.filter(|_| round == self.round) else { return FlowSet::default() };
        open.1 = fate;
        if self.open.iter().any(|(_, fate)| *fate == Fate::Waiting) {
            return FlowSet::default();
        }
        self.settle(now)
    }

    /// Every packet of the round is decided.
    fn settle(&mut self, now: Moment) -> FlowSet {
        let round = std::mem::take(&mut self.open);
        let fruitful = round.iter().any(|(_, fate)| *fate != Fate::Silent);
        self.barren = if fruitful { 0 } else { self.barren + 1 };
        if self.barren >= BARREN {
            (self.barren, self.next_at) = (0, now + REST);
        }
        if !round.iter().any(|(entrant, fate)| Some(*entrant) == self.known && *fate == Fate::Signalled) {
            return FlowSet::default();
        }
        let silent = |(entrant, fate): &(Entrant, Fate)| match entrant {
            Entrant::Tcp(flow) if *fate == Fate::Silent => Some(*flow),
            _ => None,
        };
        let silent: Vec<u8> = round.iter().filter_map(silent).collect();
        for flow in &silent {
            self.counted[usize::from(*flow)] += 1;
        }
        silent.into_iter().filter(|flow| self.counted[usize::from(*flow)] >= ENOUGH).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays rounds between flow 0, in question, and ICMP, signalled. `signalled(first)`: which of the two
    /// hears a signal, when flow 0 is the first or not. The rounds until flow 0 is found silent.
    fn play(rounds: u32, mut signalled: impl FnMut(bool) -> (bool, bool)) -> Option<u32> {
        let (mut contest, mut rng) = (Contest::default(), Rng::with_seed(7));
        let mut question = FlowSet::of(0);
        for number in 1..=rounds {
            let now = PACE * number;
            let (round, order) = contest.begin(1500, question, &[Entrant::Icmp], now, &mut rng)?;
            let (tcp, icmp) = signalled(order[0] == Entrant::Tcp(0));
            let mut found = FlowSet::default();
            for (entrant, heard) in [(Entrant::Tcp(0), tcp), (Entrant::Icmp, icmp)] {
                found = if heard {
                    contest.signalled(round, entrant, now)
                } else {
                    contest.lost(round, entrant, now)
                };
            }
            if tcp {
                question = FlowSet::default();
            }
            if !found.is_empty() {
                return Some(number);
            }
        }
        None
    }

    #[test]
    fn a_leg_that_never_signals_is_found_in_thirty_rounds() {
        assert_eq!(play(100, |_| (false, true)), Some(ENOUGH));
        assert_eq!(play(100, |_| (false, false)), None, "nobody is signalled");
    }

    #[test]
    fn where_one_signal_is_all_there_is_both_get_it_in_turn() {
        assert_eq!(play(100, |first| (first, !first)), None);
    }

    #[test]
    fn a_late_signal_takes_back_what_was_counted() {
        let (mut contest, mut rng) = (Contest::default(), Rng::with_seed(7));
        let mut found = 0;
        for number in 1..=45 {
            let now = PACE * number;
            let (round, _) = contest.begin(1500, FlowSet::of(0), &[Entrant::Icmp], now, &mut rng).unwrap();
            contest.lost(round, Entrant::Tcp(0), now);
            found += contest.signalled(round, Entrant::Icmp, now).len();
            if number == 29 {
                contest.signalled(round, Entrant::Tcp(0), now);
            }
        }
        assert_eq!(found, 0);
    }

    #[test]
    fn where_nobody_is_signalled_any_more_there_is_a_rest() {
        let (mut contest, mut rng) = (Contest::default(), Rng::with_seed(7));
        for number in 1..=BARREN {
            let now = PACE * number;
            let (round, _) = contest.begin(1500, FlowSet::of(0), &[Entrant::Icmp], now, &mut rng).unwrap();
            contest.lost(round, Entrant::Tcp(0), now);
            contest.lost(round, Entrant::Icmp, now);
        }
        assert_eq!(contest.next_at(), PACE * BARREN + REST);
    }
}
