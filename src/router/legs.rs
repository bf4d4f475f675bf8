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
    language::{Said, say},
    model::{
        family::Family,
        leg::{LegAsk, LegReading, LegSizes},
        types::Bytes,
    },
    path::{
        probe::Moment,
        reflection::{Large, SegmentPair, Sizes, size_hunt::SizeHunt},
    },
};

/// Most packets of a turn, replies not counted.
const PACKETS: u32 = 60;
/// Longest turn.
pub const TURN: Duration = Duration::from_secs(20);
/// Pairs of a question: enough small pings to see loss, and few enough that the forty of a proof are
/// sent in either order by turns.
const AT_ONCE: u32 = 10;
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
/// Loss and round-trip time are those of this many questions, none older than [`WINDOW_TIME`], and
/// of the last one: a leg that has healed must not be called lossy for hours.
const WINDOW: usize = 40;
const WINDOW_TIME: Duration = Duration::from_mins(10);
/// So long a kernel remembers a path MTU that it was signalled. What one was told is tested anew
/// after that.
const SIGNAL_KEPT: Duration = Duration::from_mins(10);
/// Most legs of one router that are remembered.
const MOST_LEGS: usize = 1024;

/// What is asked of a router at a time: pairs of pings with DF, `count` large and as many small
/// ones, each pair within milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// The large ones, bytes of outer IP packet.
    pub size: Bytes,
    /// How many pairs.
    pub count: u32,
    /// Whether the large one of a pair is sent first. A limit of replies answers the first of two, so that
    /// pairs in one order alone would prove holes that are not there (the simulation shows it).
    pub large_first: bool,
}

/// What became of the pings of a question.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PingReplies {
    /// For each pair: whether the large one was answered, and the small one.
    pub pairs: Vec<(bool, bool)>,
    /// The sum of round-trip times, and the number, of small ones.
    pub rtt: (Duration, u32),
    /// The smallest MTU that was named as too small for the large ones.
    pub too_big: Option<Bytes>,
}

/// Why a question was not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAsked {
    /// Only pings of small size are possible, for a reason.
    Sizes(Said),
    /// None is.
    All(Said),
    /// The session failed.
    Session(Said),
}

/// Sends pairs of pings from a router.
pub trait PingPairs {
    /// Asks and waits for the answers, until `until` at the latest.
    ///
    /// # Errors
    ///
    /// Why the router was not asked.
    fn pairs(&mut self, leg: &LegAsk, question: Question, until: Instant) -> Result<PingReplies, NotAsked>;

    /// The time, which is a simulated network's own.
    fn now(&self) -> Instant {
        Instant::now()
    }

    /// Small pings alone.
    ///
    /// # Errors
    ///
    /// Why the router was not asked.
    fn small(&mut self, leg: &LegAsk, count: u32, until: Instant) -> Result<PingReplies, NotAsked>;
}

/// All legs of a router.
#[derive(Debug, Default)]
pub struct Legs(BTreeMap<IpAddr, Leg>);

impl Legs {
    /// Measures the leg that is due and was not measured for the longest time; none may be. Legs
    /// that are no longer asked for are forgotten.
    pub fn turn(&mut self, asks: &[LegAsk], wire: &mut dyn PingPairs, until: Instant) {
        self.keep(asks);
        let now = wire.now();
        let until = until.min(now + TURN);
        if affordable(until.saturating_duration_since(now)) == 0 {
            return;
        }
        let due = |ask: &&LegAsk| self.0.get(&ask.remote).is_none_or(|leg| leg.is_due(ask, now));
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
    #[must_use]
    pub fn readings(&self, now: Instant) -> BTreeMap<IpAddr, LegReading> {
        self.0.iter().map(|(remote, leg)| (*remote, leg.reading(now))).collect()
    }
}

/// One leg.
#[derive(Debug)]
struct Leg {
    hunt: SizeHunt,
    top: Bytes,
    began: Instant,
    last: Instant,
    /// Not asked before that, as it could not be measured.
    rest_until: Instant,
    /// When it had told all that it can.
    settled_at: Option<Instant>,
    large_first: bool,
    probed_at: SystemTime,
    small: VecDeque<SmallPings>,
    /// The smallest MTU that was signalled, and when that was heard first.
    signalled: Option<(Bytes, Instant)>,
    not_measured: Option<Said>,
}

/// The small pings of a question.
#[derive(Debug, Clone, Copy)]
struct SmallPings {
    at: Instant,
    sent: u32,
    lost: u32,
    /// The sum of round-trip times.
    rtt: Duration,
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
            settled_at: None,
            large_first: false,
            probed_at: SystemTime::now(),
            small: VecDeque::new(),
            signalled: None,
            not_measured: None,
        }
    }

    /// Whether its result no longer stands. Trouble that begins shortens the time that one does.
    fn is_due(&self, ask: &LegAsk, now: Instant) -> bool {
        now >= self.rest_until && self.settled_at.is_none_or(|at| now >= at + ask.every)
    }

    fn turn(&mut self, ask: &LegAsk, wire: &mut dyn PingPairs, until: Instant) {
        self.look_at(ask, wire.now());
        let (mut left, mut first) = (PACKETS / 2, true);
        loop {
            let now = wire.now();
            let wanted = if first { AT_ONCE } else { self.hunt.pairs_wanted().min(AT_ONCE) };
            let count = wanted.min(left).min(affordable(until.saturating_duration_since(now)));
            if count == 0 {
                break;
            }
            let question = Question { size: self.hunt.size(), count, large_first: self.large_first };
            self.large_first = !self.large_first;
            match wire.pairs(ask, question, until) {
                Ok(heard) => self.hear(question, &heard, wire.now()),
                Err(NotAsked::Sizes(why)) => {
                    self.not_measured = Some(why);
                    self.only_small(ask, wire, until);
                    break;
                }
                Err(why) => {
                    self.refused(why, wire.now());
                    break;
                }
            }
            left -= count;
            first = false;
            if self.reading(wire.now()).is_settled() {
                break;
            }
        }
        self.last = wire.now();
        let reading = self.reading(self.last);
        let is_settled = reading.is_settled() && reading.sent >= ask.pings;
        self.settled_at = is_settled.then_some(self.last);
    }

    /// Another size may be needed now, other edges be known, and a signal be forgotten.
    fn look_at(&mut self, ask: &LegAsk, now: Instant) {
        let is_past = |(_, since): &mut (Bytes, Instant)| now.duration_since(*since) >= SIGNAL_KEPT;
        let is_forgotten = self.signalled.take_if(is_past).is_some();
        if ask.top != self.top || is_forgotten {
            let bound = self.signalled.map_or(ask.top, |(mtu, _)| mtu.min(ask.top));
            self.top = ask.top;
            self.hunt.stand_at(bound, now.duration_since(self.began));
        }
        self.hunt.hint(ask.hints.clone());
        self.not_measured = None;
    }

    fn only_small(&mut self, ask: &LegAsk, wire: &mut dyn PingPairs, until: Instant) {
        // Without `-i` a ping is sent each second.
        let left = until.saturating_duration_since(wire.now()).saturating_sub(PATIENCE + OVERHEAD);
        let count = u32::try_from(left.as_secs()).unwrap_or(AT_ONCE).min(AT_ONCE / 2);
        if count == 0 {
            return;
        }
        match wire.small(ask, count, until) {
            Ok(heard) => self.count(&heard, wire.now()),
            Err(why) => self.refused(why, wire.now()),
        }
    }

    fn refused(&mut self, why: NotAsked, now: Instant) {
        let (why, rest) = match why {
            NotAsked::Sizes(why) | NotAsked::All(why) => (why, REFUSED_REST),
            NotAsked::Session(why) => (why, FAILED_REST),
        };
        self.not_measured = Some(why);
        self.rest_until = now + rest;
    }

    fn count(&mut self, heard: &PingReplies, at: Instant) {
        let sent = u32::try_from(heard.pairs.len()).unwrap_or(u32::MAX);
        let lost = u32::try_from(heard.pairs.iter().filter(|(_, small)| !small).count()).unwrap_or(u32::MAX);
        self.probed_at = SystemTime::now();
        self.small.push_back(SmallPings { at, sent, lost, rtt: heard.rtt.0 });
        while self.small.len() > WINDOW {
            self.small.pop_front();
        }
    }

    fn hear(&mut self, question: Question, heard: &PingReplies, at: Instant) {
        self.count(heard, at);
        let now: Moment = at.duration_since(self.began);
        if let Some(mtu) = heard.too_big.filter(|mtu| *mtu < question.size) {
            let known = self.signalled.filter(|(known, _)| *known <= mtu);
            self.signalled = known.or(Some((mtu, at)));
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

    fn reading(&self, now: Instant) -> LegReading {
        let newest = self.small.back().map(|newest| newest.at);
        let counts = |it: &&SmallPings| Some(it.at) == newest || now.duration_since(it.at) <= WINDOW_TIME;
        let small = || self.small.iter().filter(counts);
        let (sent, lost): (u32, u32) = (small().map(|it| it.sent).sum(), small().map(|it| it.lost).sum());
        let times: Duration = small().map(|it| it.rtt).sum();
        LegReading {
            top: self.top,
            probed_at: self.probed_at,
            sent,
            lost,
            rtt: sent.checked_sub(lost).filter(|heard| *heard > 0).map(|heard| times / heard),
            sizes: self.sizes(sent > 0 && sent == lost),
            signalled: self.signalled.map(|(mtu, _)| mtu),
        }
    }

    fn sizes(&self, mute: bool) -> LegSizes {
        if let Some(why) = &self.not_measured {
            return LegSizes::NotMeasured { why: why.clone() };
        }
        match self.hunt.sizes() {
            Sizes::Starting if mute => {
                LegSizes::NotMeasured { why: say!("no ping was answered, not even a small one") }
            }
            Sizes::Starting => LegSizes::Starting,
            Sizes::Passed { size } => LegSizes::Passed { size },
            Sizes::Silent { answered, exact, proof, .. } => {
                LegSizes::Silent { answered, exact, pairs: proof.counted }
            }
            Sizes::SizeDependent => LegSizes::SizeDependent,
            Sizes::NotUsable { why } => LegSizes::NotMeasured { why },
        }
    }
}

/// How many pairs a question may have that must be over in that time.
fn affordable(left: Duration) -> u32 {
    let Some(sending) = left.checked_sub(PATIENCE + OVERHEAD) else { return 0 };
    u32::try_from(sending.as_millis() / SPACING.as_millis()).unwrap_or(u32::MAX).saturating_add(1)
}
