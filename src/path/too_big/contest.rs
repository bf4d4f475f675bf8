//! Which TCP flows stay silent at a size for which other flows receive Packet Too Big.
//!
//! The silence of one flow next to the signals of another proves nothing by itself: routers
//! rate-limit signals, and one flow may receive all of them. So the flows compete in rounds. In
//! each round a packet of that size is sent on every flow in question and on one flow known to
//! receive signals, within a millisecond and in random order. If all of them crossed the same
//! router, either flow of a pair would be equally likely to be the only one that receives a signal,
//! whatever the rate limit and the loss. A round counts against a flow that stayed silent while the
//! known flow received a signal; a single answer or signal clears the flow. Chance alone produces
//! thirty counted rounds with 2^-30 = 1e-9. A flow with thirty is on another underlay leg, which
//! sends no signals, and its silence is then proven by pairs as usual.

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

/// Counted rounds that prove a silent leg.
const ENOUGH: u32 = 30;

/// Interval between rounds. Thirty take at least 15 s, so that a leg whose own router
/// seldom signals is noticed.
const PACE: Duration = Duration::from_millis(500);

/// After this many consecutive rounds without any signal or answer, pause for [`REST`].
const BARREN: u32 = 20;

/// A participant in a round, which sends one packet: a TCP flow, or ICMP's flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entrant {
    /// A TCP flow.
    Tcp(u8),
    /// ICMP's flow.
    Icmp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RoundFate {
    Waiting,
    Silent,
    Signalled,
    Answered,
}

/// The state of all rounds at one size.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contest {
    size: Bytes,
    counted: [u32; FLOWS as usize],
    round: u32,
    known: Option<Entrant>,
    open: Vec<(Entrant, RoundFate)>,
    next_at: Moment,
    barren: u32,
}

impl Contest {
    /// The earliest time of the next round.
    #[must_use]
    pub(crate) fn next_at(&self) -> Moment {
        self.next_at
    }

    /// Begins a round at `now` if the last one has ended. Returns its number, and the participants
    /// in the order in which each must send a packet of `size` bytes.
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
        let waits = self.open.iter().any(|(_, fate)| *fate == RoundFate::Waiting);
        if waits || in_question.is_empty() || signalled.is_empty() {
            return None;
        }
        let known = signalled[rng.usize(..signalled.len())];
        let mut all: Vec<Entrant> = in_question.iter().map(Entrant::Tcp).chain([known]).collect();
        rng.shuffle(&mut all);
        self.known = Some(known);
        self.round += 1;
        self.next_at = now + PACE;
        self.open = all.iter().map(|entrant| (*entrant, RoundFate::Waiting)).collect();
        Some((self.round, all))
    }

    /// Nothing needs testing now: delays the next round.
    pub(crate) fn pause(&mut self, now: Moment) {
        self.next_at = self.next_at.max(now + PACE);
    }

    /// A packet of a round was lost. Returns the flows that this proves silent.
    pub(crate) fn lost(&mut self, round: u32, entrant: Entrant, now: Moment) -> FlowSet {
        self.note(round, entrant, RoundFate::Silent, now)
    }

    /// A packet of a round received a signal, possibly late.
    pub(crate) fn signalled(&mut self, round: u32, entrant: Entrant, now: Moment) -> FlowSet {
        self.heard(entrant);
        self.note(round, entrant, RoundFate::Signalled, now)
    }

    /// A packet of a round was answered, possibly late.
    pub(crate) fn answered(&mut self, round: u32, entrant: Entrant, now: Moment) -> FlowSet {
        self.heard(entrant);
        self.note(round, entrant, RoundFate::Answered, now)
    }

    /// A packet of a round never left our host.
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

    fn note(&mut self, round: u32, entrant: Entrant, fate: RoundFate, now: Moment) -> FlowSet {
        let open =
            self.open.iter_mut().find(|(open, noted)| *open == entrant && *noted == RoundFate::Waiting);
        let Some(open) = open.filter(|_| round == self.round) else { return FlowSet::default() };
        open.1 = fate;
        if self.open.iter().any(|(_, fate)| *fate == RoundFate::Waiting) {
            return FlowSet::default();
        }
        self.settle(now)
    }

    /// Evaluates the round once the result of every packet is known.
    fn settle(&mut self, now: Moment) -> FlowSet {
        let round = std::mem::take(&mut self.open);
        let fruitful = round.iter().any(|(_, fate)| *fate != RoundFate::Silent);
        self.barren = if fruitful { 0 } else { self.barren + 1 };
        if self.barren >= BARREN {
            (self.barren, self.next_at) = (0, now + REST);
        }
        if !round.iter().any(|(entrant, fate)| Some(*entrant) == self.known && *fate == RoundFate::Signalled)
        {
            return FlowSet::default();
        }
        let silent = |(entrant, fate): &(Entrant, RoundFate)| match entrant {
            Entrant::Tcp(flow) if *fate == RoundFate::Silent => Some(*flow),
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

    /// Plays rounds between flow 0, which is in question, and ICMP, which receives signals.
    /// `signalled(first)` tells which of the two receives a signal, given whether flow 0 sends
    /// first. Returns the round in which flow 0 is found silent.
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
