//! Proof that packets of one size are never answered.
//!
//! Pairs as in [`crate::path::pairs`]: the packet in question has the size in question, the control
//! is small and has the same protocol, flow and number of fragments. Forty pairs must count,
//! without one large answer. Independent loss of 20 % each way does that with probability 0.26^40,
//! bursts of loss that hit both sizes alike with at most 2^-40.

use std::time::Duration;

use fastrand::Rng;

use crate::{
    model::types::{Bytes, ProbeSize},
    path::{
        hole::flow_set::FlowSet,
        pairs::{Burst, BurstPace, Fate, Half, PairCount},
        probe::{FLOWS, Moment},
    },
};

/// Counted pairs that prove silence.
pub(crate) const PROOF: usize = 40;

/// Counted pairs that exclude a size during a search, until the edge is proven.
pub(crate) const PROVISIONAL: usize = 8;

/// Controls lost, with none answered, after which the target is taken not to answer this probe
/// method.
const UNUSABLE: usize = 20;

const PACE: BurstPace = BurstPace { spacing: Duration::from_millis(20), at_most: 200 };

/// How the halves of a pair are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Halves {
    /// Together.
    Together,
    /// One after the other, on one of the TCP flows: a flow has one packet in flight at a time.
    InTurn,
}

/// What a pair is about.
#[derive(Debug, Clone, Copy)]
struct Sending {
    flow: u8,
    large_first: bool,
}

/// What a burst of pairs has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Not enough yet.
    Pending,
    /// A large packet was answered.
    Passed,
    /// Proven silence: enough pairs counted.
    Silent,
    /// Two hundred pairs without a decision.
    Exhausted,
}

/// One packet of a burst: which pair it belongs to, and which half of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shot {
    /// The burst.
    pub serial: u32,
    /// The pair within the burst.
    pub pair: usize,
    /// The large half, or the control.
    pub large: bool,
    /// The TCP flow.
    pub flow: u8,
    /// The id of the detector, among those of the path's TCP flows.
    pub asker: u32,
    /// Bytes of IP packet in question.
    pub size: Bytes,
    /// What the large half is for.
    pub purpose: ProbeSize,
}

impl Shot {
    /// The serial of a packet outside any burst: those of bursts begin at 1.
    const OUTSIDE: u32 = 0;

    /// A large packet outside any burst.
    #[must_use]
    pub(crate) fn outside(size: Bytes) -> Self {
        let purpose = ProbeSize::Full;
        Self { serial: Self::OUTSIDE, pair: 0, large: true, flow: 0, asker: 0, size, purpose }
    }
}

/// A burst of pairs at one size.
#[derive(Debug, Clone)]
pub(crate) struct SizePairs {
    burst: Burst<Sending>,
    halves: Halves,
    size: Bytes,
    purpose: ProbeSize,
    need: usize,
    asker: u32,
    flows: FlowSet,
    /// The target has answered some probe method since the burst began.
    target_answers: bool,
}

impl SizePairs {
    /// A burst that ends when `need` pairs count.
    #[must_use]
    pub(crate) fn new(
        serial: u32,
        halves: Halves,
        size: Bytes,
        purpose: ProbeSize,
        need: usize,
        now: Moment,
    ) -> Self {
        Self {
            burst: Burst::new(serial, PACE, now),
            halves,
            size,
            purpose,
            need,
            asker: 0,
            flows: FlowSet::ALL,
            target_answers: false,
        }
    }

    /// Limits the burst to these TCP flows, for the detector of that id.
    #[must_use]
    pub(crate) fn on_flows(mut self, flows: FlowSet, asker: u32) -> Self {
        (self.flows, self.asker) = (flows, asker);
        self
    }

    /// Sends a pair every `spacing`, the first one after that time.
    #[must_use]
    pub(crate) fn spaced(mut self, spacing: Duration) -> Self {
        self.burst.space_by(spacing);
        self
    }

    /// Sends at most `limit` pairs.
    #[must_use]
    pub(crate) fn at_most(mut self, limit: usize) -> Self {
        self.burst.end_after(limit);
        self
    }

    /// The burst's serial, which its shots carry.
    #[must_use]
    pub(crate) fn serial(&self) -> u32 {
        self.burst.serial()
    }

    /// The size in question.
    #[must_use]
    pub(crate) fn size(&self) -> Bytes {
        self.size
    }

    /// Changes how many pairs must count. Those counted stay counted, those in flight are waited
    /// for.
    pub(crate) fn set_need(&mut self, need: usize) {
        self.need = need;
    }

    /// How many more pairs must count.
    #[must_use]
    pub(crate) fn still_needed(&self) -> usize {
        self.need.saturating_sub(self.count().counted)
    }

    /// When the next pair may go out.
    #[must_use]
    pub(crate) fn next_at(&self) -> Moment {
        self.burst.next_at()
    }

    /// What to send now: both halves of a new pair, or one packet for a free flow where halves go
    /// in turn. Empty if nothing is due. No more pairs are open than still have to count.
    pub(crate) fn shots(
        &mut self,
        now: Moment,
        flow_is_free: impl Fn(u8) -> bool,
        rng: &mut Rng,
    ) -> Vec<Shot> {
        if let Some(shot) = self.second_half(&flow_is_free) {
            return vec![shot];
        }
        if !self.burst.is_due(now, self.need.saturating_sub(self.count().counted)) {
            return Vec::new();
        }
        let flow = match self.halves {
            Halves::Together => 0,
            Halves::InTurn => {
                let Some(flow) = self.next_flow(flow_is_free) else { return Vec::new() };
                flow
            }
        };
        let large_first = rng.bool();
        let (large, control) = match (self.halves, large_first) {
            (Halves::InTurn, true) => (Fate::Waiting, Fate::Unsent),
            (Halves::InTurn, false) => (Fate::Unsent, Fate::Waiting),
            (Halves::Together, _) => (Fate::Waiting, Fate::Waiting),
        };
        let pair = self.burst.begin(Sending { flow, large_first }, large, control, now);
        let first = self.shot(pair, large_first);
        match self.halves {
            Halves::InTurn => vec![first],
            Halves::Together => vec![first, self.shot(pair, !large_first)],
        }
    }

    /// The next flow in turn that is free and has no pair under way.
    fn next_flow(&self, is_free: impl Fn(u8) -> bool) -> Option<u8> {
        let pairs = self.burst.pairs();
        let taken = |flow| pairs.iter().any(|pair| pair.about.flow == flow && pair.is_open());
        let start = u8::try_from(pairs.len() % usize::from(FLOWS)).unwrap_or(0);
        (0..FLOWS)
            .map(|step| (start + step) % FLOWS)
            .filter(|flow| self.flows.contains(*flow))
            .find(|flow| is_free(*flow) && !taken(*flow))
    }

    /// Records the fate of a shot of this burst. A late answer replaces a loss.
    pub(crate) fn resolve(&mut self, pair: usize, large: bool, fate: Fate) {
        let flow = self.burst.pairs().get(pair).map(|pair| pair.about.flow);
        if flow.is_some_and(|flow| self.flows.contains(flow)) {
            self.burst.resolve(pair, if large { Half::Asked } else { Half::Control }, fate);
        }
    }

    /// The outcome of the pairs so far.
    #[must_use]
    pub(crate) fn outcome(&self) -> Outcome {
        let count = self.count();
        if count.answered > 0 {
            Outcome::Passed
        } else if count.counted >= self.need {
            Outcome::Silent
        } else if self.burst.is_exhausted() {
            Outcome::Exhausted
        } else {
            Outcome::Pending
        }
    }

    /// Whether two of three consecutive large packets were answered, which withdraws a hole.
    #[must_use]
    pub(crate) fn two_of_three_passed(&self) -> bool {
        let fates: Vec<bool> = self
            .burst
            .pairs()
            .iter()
            .filter(|pair| matches!(pair.asked, Fate::Answered | Fate::Lost))
            .map(|pair| pair.asked == Fate::Answered)
            .collect();
        fates.windows(3).any(|three| three.iter().filter(|passed| **passed).count() >= 2)
            || fates.windows(2).any(|two| two == [true, true])
    }

    /// The numbers.
    #[must_use]
    pub(crate) fn count(&self) -> PairCount {
        self.burst.count()
    }

    /// Stops probing these TCP flows and discards their pairs.
    pub(crate) fn leave_out(&mut self, flows: FlowSet) {
        self.flows = self.flows.without(flows);
        for pair in self.burst.pairs_mut().iter_mut().filter(|pair| flows.contains(pair.about.flow)) {
            (pair.asked, pair.control) = (Fate::Void, Fate::Void);
        }
    }

    /// Probes these TCP flows too.
    pub(crate) fn take_in(&mut self, flows: FlowSet) {
        self.flows = self.flows.with(flows);
    }

    /// The target has answered some probe method.
    pub(crate) fn heard(&mut self) {
        self.target_answers = true;
    }

    /// Whether no control of this burst is answered although the target answers other probes.
    #[must_use]
    pub(crate) fn is_unusable(&self) -> bool {
        let count = self.count();
        self.target_answers && count.control_answered == 0 && count.control_lost >= UNUSABLE
    }

    /// The numbers of one TCP flow.
    #[must_use]
    pub(crate) fn count_of(&self, flow: u8) -> PairCount {
        self.burst.count_of(|sending| sending.flow == flow)
    }

    /// Whether every pair sent is decided.
    #[must_use]
    pub(crate) fn all_decided(&self) -> bool {
        self.burst.all_decided()
    }

    fn second_half(&mut self, flow_is_free: &impl Fn(u8) -> bool) -> Option<Shot> {
        let pair = self.burst.pairs().iter().position(|pair| {
            let (first, second) =
                if pair.about.large_first { (pair.asked, pair.control) } else { (pair.control, pair.asked) };
            first != Fate::Waiting && second == Fate::Unsent && flow_is_free(pair.about.flow)
        })?;
        let large = !self.burst.pairs()[pair].about.large_first;
        self.resolve(pair, large, Fate::Waiting);
        Some(self.shot(pair, large))
    }

    fn shot(&self, pair: usize, large: bool) -> Shot {
        Shot {
            serial: self.serial(),
            pair,
            large,
            flow: self.burst.pairs()[pair].about.flow,
            asker: self.asker,
            size: self.size,
            purpose: if large { self.purpose } else { ProbeSize::Control },
        }
    }
}

#[cfg(test)]
mod tests;
