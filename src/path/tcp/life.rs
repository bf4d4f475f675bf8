//! Whether TCP passes where ping does.
//!
//! A firewall that drops TCP, a box that loses its checksums or a NIC that never makes them leave echoes alone: every size comes
//! back whole, and no connection is ever made. So two small SYNs lost in a row (or eight large ones), while echoes are answered, start a burst of pairs: one
//! SYN without payload and one small echo, in random order. A pair counts when the SYN is lost and the echo is answered, so loss
//! that hits both alike proves nothing ([`crate::path::pairs`]). Forty such pairs on the path's own port without one answer:
//! that port is silent. Every third pair asks another port of the target, all of them in vain: TCP is dead. If one of them
//! answers, by SYN-ACK or by RST, TCP passes, and the silence of one port is a filter: said, and no alarm.

#[cfg(test)]
mod tests;

use std::time::Duration;

use fastrand::Rng;

use super::recent::Recent;
use crate::{
    model::types::TcpState,
    path::{
        limits::{ANSWERED_REST, REST},
        pairs::{Burst, Fate, Half, Pace, PairCount},
        probe::Moment,
    },
};

/// Counted pairs that prove the path's own port silent.
const OWN: usize = 40;
/// Counted pairs on other ports that, beside those, prove TCP dead.
const OTHERS: usize = 20;
/// Sixty pairs take nearly five seconds: longer than a limit of SYNs is exhausted by a burst of others.
const PACE: Pace = Pace { spacing: Duration::from_millis(80), at_most: 300 };
/// Two small SYNs lost in a row, or eight large ones, start a burst.
const DOUBT: u32 = 8;
const SMALL: u32 = 4;
/// While a port is silent, every so many-th look asks another port.
const LOOK_ELSEWHERE: usize = 3;
/// What is asked beside the path's own port: servers of the kind that paths lead to, and a port that nobody serves.
const ELSEWHERE: [u16; 5] = [443, 22, 80, 6443, 1];

/// What to send now: both halves of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TcpPair {
    /// Names the burst.
    pub serial: u32,
    /// The pair.
    pub pair: usize,
    /// The port that the SYN asks.
    pub port: u16,
    /// Which half goes first.
    pub syn_first: bool,
}

/// The numbers of a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silence {
    /// Pairs on the path's own port whose SYN was lost and whose echo was answered.
    pub own: usize,
    /// The same on other ports.
    pub others: usize,
    /// Echoes lost beside SYNs.
    pub controls_lost: usize,
    /// How long that took.
    pub took: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Open,
    Answers,
    Filtered(Silence, Option<u16>),
    Dead(Silence),
}

/// What becomes of SYNs.
#[derive(Debug, Clone)]
pub struct TcpLife {
    /// 0 where none is asked.
    port: u16,
    standing: Standing,
    /// What SYNs to the own port that were lost since one was answered weigh.
    doubt: u32,
    /// Pairs of a SYN to a port, and an echo.
    burst: Option<Burst<u16>>,
    serial: u32,
    rest_until: Moment,
    exhausted: bool,
    /// What became of the last SYNs to the own port, and to others, while the own port is silent.
    own: Recent,
    others: Recent,
    /// The last other port that answered.
    answered: Option<u16>,
    looks: usize,
}

impl TcpLife {
    /// `port` is the path's own; 0 where there is none, or no echo to compare SYNs with.
    #[must_use]
    pub fn new(port: u16) -> Self {
        Self {
            port,
            standing: Standing::Open,
            doubt: 0,
            burst: None,
            serial: 0,
            rest_until: Moment::ZERO,
            exhausted: false,
            own: Recent::default(),
            others: Recent::default(),
            answered: None,
            looks: 0,
        }
    }

    /// What is known.
    #[must_use]
    pub fn state(&self) -> Option<TcpState> {
        match self.standing {
            Standing::Open => None,
            Standing::Answers => Some(TcpState::Answers),
            Standing::Filtered(..) => Some(TcpState::Filtered),
            Standing::Dead(_) => Some(TcpState::Dead),
        }
    }

    /// Whether the own port is proven silent: nothing can be asked by TCP.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        matches!(self.standing, Standing::Filtered(..) | Standing::Dead(_))
    }

    /// A port is asked, has never answered, and is not proven silent.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.port != 0 && self.standing == Standing::Open
    }

    /// The last burst ended without a decision.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.exhausted
    }

    /// A burst is under way.
    #[must_use]
    pub fn is_asking(&self) -> bool {
        self.burst.is_some()
    }

    /// A SYN outside a burst was lost, to that port. A large one may have met a hole: it says little.
    pub fn lost(&mut self, port: u16, is_small: bool, may_begin: bool, now: Moment) {
        if port != self.port {
            self.others.note(false);
            if self.others.all_lost() && matches!(self.standing, Standing::Filtered(..)) {
                self.begin(may_begin, now);
            }
            return;
        }
        self.doubt += if is_small { SMALL } else { 1 };
        self.own.note(false);
        if self.doubt >= DOUBT && !self.is_silent() {
            self.begin(may_begin, now);
        }
    }

    /// That port of the target has answered.
    pub fn heard(&mut self, port: u16, now: Moment) {
        if port != self.port {
            self.elsewhere(Some(port));
            return;
        }
        self.doubt = 0;
        self.own.note(true);
        if !self.is_silent() || self.own.is_back() {
            self.standing = Standing::Answers;
            self.exhausted = false;
            if self.burst.take().is_some() {
                self.rest_until = now + ANSWERED_REST;
            }
        }
    }

    /// Some other port of the target has answered, another path's perhaps.
    pub fn elsewhere(&mut self, port: Option<u16>) {
        self.others.note(true);
        self.answered = port.or(self.answered);
        if let Standing::Dead(silence) = self.standing
            && self.others.is_back()
        {
            self.standing = Standing::Filtered(silence, self.answered);
        }
    }

    /// The losses of late are those of an outage, or may be of our own making.
    pub fn calm(&mut self) {
        self.doubt = 0;
        self.burst = None;
    }

    /// The pair that is due now; call again after it was sent.
    #[must_use]
    pub fn due(&self, now: Moment, rng: &mut Rng) -> Option<TcpPair> {
        let burst = self.burst.as_ref()?;
        let (own, others) = self.counts(burst);
        let (own, others) = (OWN.saturating_sub(own.counted), OTHERS.saturating_sub(others.counted));
        if !burst.is_due(now, own + others) {
            return None;
        }
        let pair = burst.pairs().len();
        let asks_own = pair % 3 != 2 && own > 0 || others == 0;
        let port = if asks_own { self.port } else { self.other(pair / 3) };
        Some(TcpPair { serial: burst.serial(), pair, port, syn_first: rng.bool() })
    }

    /// The pair named by [`TcpLife::due`] was sent.
    pub fn sent(&mut self, pair: TcpPair, now: Moment) {
        if let Some(burst) = self.burst.as_mut() {
            burst.begin(pair.port, Fate::Waiting, Fate::Waiting, now);
        }
    }

    /// When [`TcpLife::due`] may next have something.
    #[must_use]
    pub fn next_at(&self) -> Option<Moment> {
        self.burst.as_ref().filter(|burst| burst.has_room()).map(Burst::next_at)
    }

    /// Which port the next look asks while the own one is silent.
    pub fn look(&mut self) -> u16 {
        self.looks += 1;
        if self.is_silent() && self.looks.is_multiple_of(LOOK_ELSEWHERE) {
            self.other(self.looks / LOOK_ELSEWHERE)
        } else {
            self.port
        }
    }

    /// What became of half of a pair; also called again when an answer takes back a loss.
    pub fn resolve(&mut self, serial: u32, pair: usize, syn: bool, fate: Fate, now: Moment) {
        let Some(burst) = self.burst.as_mut().filter(|burst| burst.serial() == serial) else { return };
        burst.resolve(pair, if syn { Half::Asked } else { Half::Control }, fate);
        self.conclude(now);
    }

    /// What is proven, and when it was begun to be looked for, in words.
    #[must_use]
    pub fn in_words(&self) -> Vec<String> {
        match self.standing {
            Standing::Open | Standing::Answers => Vec::new(),
            Standing::Filtered(silence, by) => {
                let by = by.map_or("another port".to_owned(), |port| format!("port {port}"));
                vec![format!(
                    "TCP port {} of the target does not answer while {by} does ({}): a filter of that port, no trouble of the \
                     path; sizes are not asked by TCP there",
                    self.port,
                    silence.in_words(self.port)
                )]
            }
            Standing::Dead(silence) => vec![
                format!("TCP does not pass though ping does: {}", silence.in_words(self.port)),
                LOOK_AT.to_owned(),
            ],
        }
    }

    fn begin(&mut self, may_begin: bool, now: Moment) {
        if may_begin && self.port != 0 && self.burst.is_none() && now >= self.rest_until {
            self.serial += 1;
            self.answered = None;
            self.others.clear();
            self.burst = Some(Burst::new(self.serial, PACE, now));
        }
    }

    fn conclude(&mut self, now: Moment) {
        let Some(burst) = &self.burst else { return };
        let (own, others) = self.counts(burst);
        let silence = Silence {
            own: own.counted,
            others: others.counted,
            controls_lost: own.control_lost + others.control_lost,
            took: now.saturating_sub(burst.began()),
        };
        let standing = if own.answered > 0 {
            Standing::Answers
        } else if own.counted >= OWN && (others.answered > 0 || self.others.has_answer()) {
            Standing::Filtered(silence, self.answered)
        } else if own.counted >= OWN && others.counted >= OTHERS {
            Standing::Dead(silence)
        } else if burst.is_exhausted() {
            self.exhausted = true;
            self.standing
        } else {
            return;
        };
        if standing != self.standing {
            self.exhausted = false;
            self.own.clear();
            self.others.clear();
        }
        self.standing = standing;
        self.doubt = 0;
        self.rest_until = now + REST;
        self.burst = None;
    }

    /// The numbers of the own port, and of others.
    fn counts(&self, burst: &Burst<u16>) -> (PairCount, PairCount) {
        (burst.count_of(|port| port == self.port), burst.count_of(|port| port != self.port))
    }

    fn other(&self, number: usize) -> u16 {
        let others: Vec<u16> = elsewhere(self.port).collect();
        others[number % others.len()]
    }
}

/// Where to look, for evidence and for causes.
pub const LOOK_AT: &str = "look for a firewall that drops TCP, at the target or on the way, and at checksum offload: on both \
                           routers and hosts `ethtool -K DEV tx-checksum-ip-generic off` (DEV: the underlay's interface, then \
                           the vxlan one)";

impl Silence {
    fn in_words(self, port: u16) -> String {
        let others: Vec<String> = elsewhere(port).map(|port| port.to_string()).collect();
        let others = match self.others {
            0 => String::new(),
            count => format!(" and {count} to ports {}", others.join(", ")),
        };
        format!(
            "{} SYNs to port {port}{others} within {:.1} s all unanswered, each beside a small echo that was answered; {} echoes \
             lost",
            self.own,
            self.took.as_secs_f64(),
            self.controls_lost
        )
    }
}

/// Which ports are asked beside the path's own.
pub(super) fn elsewhere(own: u16) -> impl Iterator<Item = u16> {
    ELSEWHERE.into_iter().filter(move |port| *port != own)
}
