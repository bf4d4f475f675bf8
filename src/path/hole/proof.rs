//! Proof by pairs: how silence at one size becomes a fact.
//!
//! A pair is one packet of the size in question and one small control, same protocol, same flow,
//! same number of fragments, within a few milliseconds, in random order. It counts when the large
//! one is lost and the control is answered, so loss that hits both alike proves nothing. Forty
//! counted pairs without one large answer: independent loss of 20 % each way reaches that with
//! 0.26^40, bursts that hit both sizes alike with at most 2^-40.
//!
//! A pair's fate may change: an answer that comes after the probe timeout takes back the loss.

use std::time::Duration;

use fastrand::Rng;

use crate::{
    model::types::{Bytes, ProbeSize},
    path::{
        hole::flow_set::FlowSet,
        probe::{FLOWS, Lane, Moment},
    },
};

/// Counted pairs that prove silence.
pub const PROOF: usize = 40;

/// Counted pairs that close a size of a search for the time being.
pub const PROVISIONAL: usize = 8;

/// So many controls lost and none answered: what is asked here is not answered at all.
const UNUSABLE: usize = 20;

/// Pairs after which a burst ends without a decision.
const MOST_PAIRS: usize = 200;
const SPACING: Duration = Duration::from_millis(20);

/// What became of one packet of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Its turn has not come (only in a TCP flow, where one packet at a time is in flight).
    Unsent,
    /// In flight.
    Waiting,
    /// Answered.
    Answered,
    /// Unanswered after the probe timeout.
    Lost,
    /// Never left our host: says nothing.
    Void,
}

#[derive(Debug, Clone, Copy)]
struct Pair {
    flow: u8,
    large_first: bool,
    large: Fate,
    control: Fate,
}

impl Pair {
    fn is_open(self) -> bool {
        [self.large, self.control].iter().any(|fate| matches!(fate, Fate::Unsent | Fate::Waiting))
    }
}

/// What a burst of pairs has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Not enough yet.
    Pending,
    /// A large packet was answered.
    Passed,
    /// Proven silence: enough pairs counted.
    Silent,
    /// Two hundred pairs without a decision.
    Exhausted,
}

/// One packet a burst wants sent: which pair it belongs to, and which half of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shot {
    /// Names the burst.
    pub serial: u32,
    /// The pair.
    pub pair: usize,
    /// The large half, or the control.
    pub large: bool,
    /// The TCP flow.
    pub flow: u8,
    /// Names the lane prober that asks, among those of the path's TCP flows.
    pub asker: u32,
    /// Bytes of IP packet in question.
    pub size: Bytes,
    /// What the large half is for.
    pub purpose: ProbeSize,
}

/// Numbers of a burst, for evidence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PairCount {
    /// Pairs sent.
    pub sent: usize,
    /// Pairs whose large packet was lost and whose control was answered.
    pub counted: usize,
    /// Large packets answered.
    pub large_answered: usize,
    /// Controls answered.
    pub control_answered: usize,
    /// Controls lost.
    pub control_lost: usize,
}

impl PairCount {
    /// "2 controls lost".
    #[must_use]
    pub fn lost_in_words(&self) -> String {
        let controls = if self.control_lost == 1 { "control" } else { "controls" };
        format!("{} {controls} lost", self.control_lost)
    }
}

/// A burst of pairs at one size.
#[derive(Debug, Clone)]
pub struct Pairs {
    serial: u32,
    lane: Lane,
    size: Bytes,
    purpose: ProbeSize,
    need: usize,
    limit: usize,
    asker: u32,
    flows: FlowSet,
    spacing: Duration,
    /// The target has answered something since the burst began, be it asked in another way.
    target_answers: bool,
    sent: Vec<Pair>,
    next_at: Moment,
}

impl Pairs {
    /// A burst that ends when `need` pairs count.
    #[must_use]
    pub fn new(serial: u32, lane: Lane, size: Bytes, purpose: ProbeSize, need: usize, now: Moment) -> Self {
        Self {
            serial,
            lane,
            size,
            purpose,
            need,
            limit: MOST_PAIRS,
            asker: 0,
            flows: FlowSet::ALL,
            spacing: SPACING,
            target_answers: false,
            sent: Vec::new(),
            next_at: now,
        }
    }

    /// The same on these TCP flows alone, asked by that lane prober.
    #[must_use]
    pub fn on_flows(mut self, flows: FlowSet, asker: u32) -> Self {
        (self.flows, self.asker) = (flows, asker);
        self
    }

    /// The same with a pair only every `spacing`, the first one after that time.
    #[must_use]
    pub fn spaced(mut self, spacing: Duration) -> Self {
        self.spacing = spacing;
        self.next_at += spacing;
        self
    }

    /// The same, but never more than `limit` pairs.
    #[must_use]
    pub fn at_most(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// The burst's name, carried by its shots.
    #[must_use]
    pub fn serial(&self) -> u32 {
        self.serial
    }

    /// The size in question.
    #[must_use]
    pub fn size(&self) -> Bytes {
        self.size
    }

    /// Asks for another number of pairs; those counted stay counted, and those under way are waited for.
    pub fn set_need(&mut self, need: usize) {
        self.need = need;
    }

    /// When the next pair may go out.
    #[must_use]
    pub fn next_at(&self) -> Moment {
        self.next_at
    }

    /// What to send now: both halves of a new pair, or on [`Lane::Syn`] one packet for a free flow.
    /// Empty if nothing is due. At most `need` minus the counted pairs are open.
    pub fn shots(&mut self, now: Moment, flow_is_free: impl Fn(u8) -> bool, rng: &mut Rng) -> Vec<Shot> {
        if let Some(shot) = self.second_half(&flow_is_free) {
            return vec![shot];
        }
        let open = self.sent.iter().filter(|pair| pair.is_open()).count();
        let wanted = self.need.saturating_sub(self.count().counted);
        if now < self.next_at || open >= wanted || self.sent.len() >= self.limit {
            return Vec::new();
        }
        let flow = match self.lane {
            Lane::Echo | Lane::Fragments => 0,
            Lane::Syn => {
                let taken = |flow| self.sent.iter().any(|pair| pair.flow == flow && pair.is_open());
                let start = u8::try_from(self.sent.len() % usize::from(FLOWS)).unwrap_or(0);
                let free = (0..FLOWS)
                    .map(|step| (start + step) % FLOWS)
                    .filter(|flow| self.flows.contains(*flow))
                    .find(|flow| flow_is_free(*flow) && !taken(*flow));
                let Some(flow) = free else { return Vec::new() };
                flow
            }
        };
        // On the beat, but never a burst to catch up.
        self.next_at = (self.next_at + self.spacing).max(now);
        let large_first = rng.bool();
        let (large, control) = match (self.lane, large_first) {
            (Lane::Syn, true) => (Fate::Waiting, Fate::Unsent),
            (Lane::Syn, false) => (Fate::Unsent, Fate::Waiting),
            _ => (Fate::Waiting, Fate::Waiting),
        };
        self.sent.push(Pair { flow, large_first, large, control });
        let pair = self.sent.len() - 1;
        let first = self.shot(pair, large_first);
        if self.lane == Lane::Syn { vec![first] } else { vec![first, self.shot(pair, !large_first)] }
    }

    /// Takes in what became of a shot of this burst. A late answer replaces a loss.
    pub fn resolve(&mut self, pair: usize, large: bool, fate: Fate) {
        if let Some(pair) = self.sent.get_mut(pair).filter(|pair| self.flows.contains(pair.flow)) {
            *if large { &mut pair.large } else { &mut pair.control } = fate;
        }
    }

    /// What the pairs so far come to.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let count = self.count();
        if count.large_answered > 0 {
            Outcome::Passed
        } else if count.counted >= self.need {
            Outcome::Silent
        } else if self.sent.len() >= self.limit && !self.sent.iter().any(|pair| pair.is_open()) {
            Outcome::Exhausted
        } else {
            Outcome::Pending
        }
    }

    /// Two large answers among three large packets sent one after the other: what withdraws a hole.
    #[must_use]
    pub fn two_of_three_passed(&self) -> bool {
        let fates: Vec<bool> = self
            .sent
            .iter()
            .filter(|pair| matches!(pair.large, Fate::Answered | Fate::Lost))
            .map(|pair| pair.large == Fate::Answered)
            .collect();
        fates.windows(3).any(|three| three.iter().filter(|passed| **passed).count() >= 2)
            || fates.windows(2).any(|two| two == [true, true])
    }

    /// The numbers.
    #[must_use]
    pub fn count(&self) -> PairCount {
        count(self.sent.iter())
    }

    /// These TCP flows are asked no more, and what became of their pairs does not count.
    pub fn leave_out(&mut self, flows: FlowSet) {
        self.flows = self.flows.without(flows);
        for pair in self.sent.iter_mut().filter(|pair| flows.contains(pair.flow)) {
            (pair.large, pair.control) = (Fate::Void, Fate::Void);
        }
    }

    /// These TCP flows are asked too.
    pub fn take_in(&mut self, flows: FlowSet) {
        self.flows = self.flows.with(flows);
    }

    /// The target has answered something, be it asked in another way.
    pub fn heard(&mut self) {
        self.target_answers = true;
    }

    /// Not one control of this burst is answered, although the target is there.
    #[must_use]
    pub fn is_unusable(&self) -> bool {
        let count = self.count();
        self.target_answers && count.control_answered == 0 && count.control_lost >= UNUSABLE
    }

    /// The numbers of one TCP flow.
    #[must_use]
    pub fn count_of(&self, flow: u8) -> PairCount {
        count(self.sent.iter().filter(|pair| pair.flow == flow))
    }

    /// Whether every pair sent is decided.
    #[must_use]
    pub fn all_decided(&self) -> bool {
        !self.sent.iter().any(|pair| pair.is_open())
    }

    fn second_half(&mut self, flow_is_free: &impl Fn(u8) -> bool) -> Option<Shot> {
        let pair = self.sent.iter().position(|pair| {
            let (first, second) =
                if pair.large_first { (pair.large, pair.control) } else { (pair.control, pair.large) };
            first != Fate::Waiting && second == Fate::Unsent && flow_is_free(pair.flow)
        })?;
        let large = !self.sent[pair].large_first;
        self.resolve(pair, large, Fate::Waiting);
        Some(self.shot(pair, large))
    }

    fn shot(&self, pair: usize, large: bool) -> Shot {
        Shot {
            serial: self.serial,
            pair,
            large,
            flow: self.sent[pair].flow,
            asker: self.asker,
            size: self.size,
            purpose: if large { self.purpose } else { ProbeSize::Control },
        }
    }
}

fn count<'a>(pairs: impl Iterator<Item = &'a Pair>) -> PairCount {
    let mut count = PairCount::default();
    for pair in pairs {
        count.sent += 1;
        count.counted += usize::from(pair.large == Fate::Lost && pair.control == Fate::Answered);
        count.large_answered += usize::from(pair.large == Fate::Answered);
        count.control_answered += usize::from(pair.control == Fate::Answered);
        count.control_lost += usize::from(pair.control == Fate::Lost);
    }
    count
}

#[cfg(test)]
mod tests;
