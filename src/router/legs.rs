//! The underlay measured by its own ends: a router pings the VTEPs its tunnels send to.
//!
//! - which sizes pass is decided by the detector of every other probe method
//!   ([`crate::path::reflection::size_hunt`]); this is only another way to send a pair: `wire` is
//!   asked for pairs of a large and a small ping, and tells what became of them. Nothing here
//!   knows of a shell, so that tests can play the router
//! - `ping` asks a router over the session that is kept for reading it
//!
//! One leg is measured at a time, in a turn between two scrapes: at most sixty packets and twenty
//! seconds. A proof takes several turns. A router that cannot ping is left alone for five minutes.

pub(crate) mod ping;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::IpAddr,
    time::{Duration, Instant, SystemTime},
};

use crate::{
    model::{
        family::Family,
        leg::{LegAsk, LegReading, LegSizes},
        types::Bytes,
    },
    path::{
        probe::Moment,
        reflection::{Large, SegmentPair, Sizes, size_hunt::SizeHunt},
    },
    text::Sentence,
};

/// Most packets of a turn, replies not counted.
const PACKETS: u32 = 60;
/// Longest turn.
pub(crate) const TURN: Duration = Duration::from_secs(20);
/// Pairs of the first question of a turn: enough small pings to see loss.
const FIRST: u32 = 10;
/// Time between two pings of a question; iputils allows a user no less.
pub(super) const SPACING: Duration = Duration::from_millis(200);
/// How long an answer is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);
/// Time for the session and for starting two processes.
const OVERHEAD: Duration = Duration::from_millis(300);
/// A busy router's answer may come this much later than planned; beyond that its session is cut.
pub(crate) const LATE: Duration = Duration::from_secs(2);
/// A leg that could not be measured is asked again after this; sooner if only the session failed.
const REFUSED_REST: Duration = Duration::from_mins(5);
const FAILED_REST: Duration = Duration::from_mins(1);
/// Loss and round-trip time are those of this many questions.
const WINDOW: usize = 40;
/// Most legs of one router that are remembered.
const MOST_LEGS: usize = 1024;

/// What is asked of a router at a time: pairs of pings with DF, `count` large and as many small
/// ones, each pair within milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Question {
    /// The large ones, bytes of outer IP packet.
    pub size: Bytes,
    /// How many pairs.
    pub count: u32,
}

/// What became of the pings of a question.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Heard {
    /// For each pair: whether the large one was answered, and the small one.
    pub pairs: Vec<(bool, bool)>,
    /// The sum of round-trip times, and the number, of small ones.
    pub rtt: (Duration, u32),
    /// The smallest MTU that was named as too small for the large ones.
    pub too_big: Option<Bytes>,
}

/// Why a question was not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotAsked {
    /// Only pings of small size are possible, for a reason.
    Sizes(Sentence),
    /// None is.
    All(Sentence),
    /// The session failed.
    Session(Sentence),
}

/// Sends pairs of pings from a router.
pub(crate) trait Wire {
    /// Asks and waits for the answers, until `until` at the latest.
    fn pairs(&mut self, leg: &LegAsk, question: Question, until: Instant) -> Result<Heard, NotAsked>;

    /// Small pings alone.
    fn small(&mut self, leg: &LegAsk, count: u32, until: Instant) -> Result<Heard, NotAsked>;
}

/// All legs of a router.
#[derive(Debug, Default)]
pub(crate) struct Legs(BTreeMap<IpAddr, Leg>);

impl Legs {
    /// Measures the leg that is due and was not measured for the longest time; none may be. Legs
    /// that are no longer asked for are forgotten.
    pub(crate) fn turn(&mut self, asks: &[LegAsk], wire: &mut dyn Wire, until: Instant) {
        self.keep(asks);
        let now = Instant::now();
        let until = until.min(now + TURN);
        if affordable(until.saturating_duration_since(now)) == 0 {
            return;
        }
        let due = |ask: &&LegAsk| self.0.get(&ask.remote).is_none_or(|leg| leg.is_due(now));
        let waits = |ask: &&LegAsk| self.0.get(&ask.remote).map(|leg| leg.last);
        let Some(ask) = asks.iter().filter(due).min_by_key(waits) else { return };
        if self.0.len() < MOST_LEGS || self.0.contains_key(&ask.remote) {
            self.0.entry(ask.remote).or_insert_with(|| Leg::new(ask, now)).turn(ask, wire, until);
        }
    }

    /// Forgets legs that are not among these.
    pub(crate) fn keep(&mut self, asks: &[LegAsk]) {
        let asked: BTreeSet<_> = asks.iter().map(|ask| ask.remote).collect();
        self.0.retain(|remote, _| asked.contains(remote));
    }

    /// What is known of each.
    pub(crate) fn readings(&self) -> BTreeMap<IpAddr, LegReading> {
        self.0.iter().map(|(remote, leg)| (*remote, leg.reading())).collect()
    }
}

/// One leg.
#[derive(Debug)]
struct Leg {
    hunt: SizeHunt,
    top: Bytes,
    began: Instant,
    last: Instant,
    rest_until: Instant,
    probed_at: SystemTime,
    /// Small pings of each question: sent, lost, the sum of round-trip times.
    small: VecDeque<(u32, u32, Duration)>,
    signalled: Option<Bytes>,
    not_measured: Option<Sentence>,
}

impl Leg {
    fn new(ask: &LegAsk, now: Instant) -> Self {
        let mut hunt = SizeHunt::new(Family::of(ask.remote), ask.top);
        hunt.hint(ask.hints.clone());
        Self {
            hunt,
            top: ask.top,
            began: now,
            last: now,
            rest_until: now,
            probed_at: SystemTime::now(),
            small: VecDeque::new(),
            signalled: None,
            not_measured: None,
        }
    }

    fn is_due(&self, now: Instant) -> bool {
        now >= self.rest_until
    }

    fn turn(&mut self, ask: &LegAsk, wire: &mut dyn Wire, until: Instant) {
        self.look_at(ask);
        let (mut left, mut first) = (PACKETS / 2, true);
        loop {
            let now = Instant::now();
            let wanted = if first { FIRST } else { self.hunt.pairs_wanted() };
            let count = wanted.min(left).min(affordable(until.saturating_duration_since(now)));
            if count == 0 {
                break;
            }
            let question = Question { size: self.hunt.size(), count };
            match wire.pairs(ask, question, until) {
                Ok(heard) => self.hear(question, &heard),
                Err(NotAsked::Sizes(why)) => {
                    self.not_measured = Some(why);
                    self.only_small(ask, wire, until);
                    break;
                }
                Err(why) => {
                    self.refused(why);
                    break;
                }
            }
            left -= count;
            first = false;
            if self.reading().is_settled() {
                break;
            }
        }
        self.last = Instant::now();
        self.probed_at = SystemTime::now();
        let reading = self.reading();
        if reading.is_settled() && reading.sent >= ask.pings {
            self.rest_until = self.rest_until.max(self.last + ask.every);
        }
    }

    /// Another size may be needed now, and other edges be known.
    fn look_at(&mut self, ask: &LegAsk) {
        if ask.top != self.top {
            let bound = self.signalled.map_or(ask.top, |mtu| mtu.min(ask.top));
            self.top = ask.top;
            self.hunt.stand_at(bound, self.began.elapsed());
        }
        self.hunt.hint(ask.hints.clone());
        self.not_measured = None;
    }

    fn only_small(&mut self, ask: &LegAsk, wire: &mut dyn Wire, until: Instant) {
        // Without `-i` a ping is sent each second.
        let left = until.saturating_duration_since(Instant::now()).saturating_sub(PATIENCE + OVERHEAD);
        let count = u32::try_from(left.as_secs()).unwrap_or(FIRST).min(FIRST / 2);
        if count == 0 {
            return;
        }
        match wire.small(ask, count, until) {
            Ok(heard) => self.count(&heard),
            Err(why) => self.refused(why),
        }
    }

    fn refused(&mut self, why: NotAsked) {
        let (why, rest) = match why {
            NotAsked::Sizes(why) | NotAsked::All(why) => (why, REFUSED_REST),
            NotAsked::Session(why) => (why, FAILED_REST),
        };
        self.not_measured = Some(why);
        self.rest_until = Instant::now() + rest;
    }

    fn count(&mut self, heard: &Heard) {
        let sent = u32::try_from(heard.pairs.len()).unwrap_or(u32::MAX);
        let lost = u32::try_from(heard.pairs.iter().filter(|(_, small)| !small).count()).unwrap_or(u32::MAX);
        self.small.push_back((sent, lost, heard.rtt.0));
        while self.small.len() > WINDOW {
            self.small.pop_front();
        }
    }

    fn hear(&mut self, question: Question, heard: &Heard) {
        self.count(heard);
        let now: Moment = self.began.elapsed();
        if let Some(mtu) = heard.too_big.filter(|mtu| *mtu < question.size) {
            self.signalled = Some(self.signalled.map_or(mtu, |known| known.min(mtu)));
            self.hunt.stand_at(mtu, now);
            return;
        }
        for (large, small) in &heard.pairs {
            if self.hunt.size() != question.size {
                break;
            }
            let large = if *large { Large::Passed } else { Large::Lost };
            self.hunt.resolve(SegmentPair { large, control: *small }, now);
        }
    }

    fn reading(&self) -> LegReading {
        let sum = |part: fn(&(u32, u32, Duration)) -> u32| self.small.iter().map(part).sum::<u32>();
        let (sent, lost) = (sum(|it| it.0), sum(|it| it.1));
        let times: Duration = self.small.iter().map(|it| it.2).sum();
        LegReading {
            top: self.top,
            probed_at: self.probed_at,
            sent,
            lost,
            rtt: sent.checked_sub(lost).filter(|heard| *heard > 0).map(|heard| times / heard),
            sizes: self.sizes(sent > 0 && sent == lost),
            signalled: self.signalled,
        }
    }

    fn sizes(&self, mute: bool) -> LegSizes {
        if let Some(why) = &self.not_measured {
            return LegSizes::NotMeasured { why: why.clone() };
        }
        match self.hunt.sizes() {
            Sizes::Starting if mute => {
                LegSizes::NotMeasured { why: "no ping was answered, not even a small one".into() }
            }
            Sizes::Starting => LegSizes::Starting,
            Sizes::Passed { size } => LegSizes::Passed { size },
            Sizes::Silent { answered, exact, proof, .. } => {
                LegSizes::Silent { answered, exact, pairs: proof.counted }
            }
            Sizes::SizeDependent => LegSizes::SizeDependent,
            Sizes::NotUsable { why } => LegSizes::NotMeasured { why: why.into() },
        }
    }
}

/// How many pairs a question may have that must be over in that time.
fn affordable(left: Duration) -> u32 {
    let Some(sending) = left.checked_sub(PATIENCE + OVERHEAD) else { return 0 };
    u32::try_from(sending.as_millis() / SPACING.as_millis()).unwrap_or(u32::MAX).saturating_add(1)
}
