//! Whether TCP passes where ping does.
//!
//! A firewall that drops TCP, or a NIC or middlebox that spoils its checksums, does not affect
//! echoes: every size comes back whole, and no connection is ever established. So two small SYNs
//! lost in a row (or eight large ones), while echoes are answered, start a burst of pairs
//! ([`crate::path::pairs`]): one SYN without payload, in question, and one small echo. Forty
//! counted pairs on the path's own port without one answer prove that port silent. Every third pair
//! goes to another port of the target. If these are all silent too, TCP is dead. If one of them
//! answers, by SYN-ACK or RST, TCP passes, and a filter drops that one port, which is reported
//! without an alarm.

#[cfg(test)]
mod tests;

use std::time::Duration;

use fastrand::Rng;

use super::recent::Recent;
use crate::{
    language::{Said, say},
    model::types::TcpState,
    path::{
        limits::{ANSWERED_REST, REST},
        pairs::{Burst, BurstPace, Fate, Half, PairCount},
        probe::Moment,
    },
};

/// Counted pairs that prove the path's own port silent.
const OWN: usize = 40;
/// Counted pairs on other ports that, beside those, prove TCP dead.
const OTHERS: usize = 20;
/// Sixty pairs take nearly five seconds: longer than a burst of other SYNs exhausts a rate limit.
const PACE: BurstPace = BurstPace { spacing: Duration::from_millis(80), at_most: 300 };
/// Two small SYNs lost in a row, or eight large ones, start a burst.
const DOUBT: u32 = 8;
const SMALL: u32 = 4;
/// While the path's own port is silent, every third SYN goes to another port.
const LOOK_ELSEWHERE: usize = 3;
/// Ports tried beside the path's own: those of usual servers, and one that nobody serves.
const ELSEWHERE: [u16; 5] = [443, 22, 80, 6443, 1];

/// What to send now: both halves of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TcpPair {
    /// The burst.
    pub serial: u32,
    /// The pair within the burst.
    pub pair: usize,
    /// The destination port of the SYN.
    pub port: u16,
    /// Which half goes first.
    pub syn_first: bool,
}

/// The numbers of a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Silence {
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
enum PortStanding {
    Open,
    Answers,
    Filtered(Silence, Option<u16>),
    Dead(Silence),
}

/// What becomes of SYNs.
#[derive(Debug, Clone)]
pub(crate) struct TcpLife {
    /// 0 if SYNs are not judged.
    port: u16,
    standing: PortStanding,
    /// The weight of SYNs to the path's own port lost since one was last answered.
    doubt: u32,
    /// Pairs of a SYN to a port, and an echo.
    burst: Option<Burst<u16>>,
    serial: u32,
    rest_until: Moment,
    exhausted: bool,
    /// The last SYNs to the path's own port, and to others, while its own is silent.
    own: Recent,
    others: Recent,
    /// The last other port that answered.
    answered: Option<u16>,
    looks: usize,
}

impl TcpLife {
    /// `port` is the path's own; 0 if there is none, or no echo to compare SYNs with.
    #[must_use]
    pub(crate) fn new(port: u16) -> Self {
        Self {
            port,
            standing: PortStanding::Open,
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

    /// The finding, if there is one.
    #[must_use]
    pub(crate) fn state(&self) -> Option<TcpState> {
        match self.standing {
            PortStanding::Open => None,
            PortStanding::Answers => Some(TcpState::Answers),
            PortStanding::Filtered(..) => Some(TcpState::Filtered),
            PortStanding::Dead(_) => Some(TcpState::Dead),
        }
    }

    /// Whether the path's own port is proven silent, so that TCP can test nothing.
    #[must_use]
    pub(crate) fn is_silent(&self) -> bool {
        matches!(self.standing, PortStanding::Filtered(..) | PortStanding::Dead(_))
    }

    /// Whether a finding is still to come.
    #[must_use]
    pub(crate) fn is_open(&self) -> bool {
        self.port != 0 && self.standing == PortStanding::Open
    }

    /// The last burst ended without a decision.
    #[must_use]
    pub(crate) fn is_exhausted(&self) -> bool {
        self.exhausted
    }

    /// A burst is under way.
    #[must_use]
    pub(crate) fn is_asking(&self) -> bool {
        self.burst.is_some()
    }

    /// A SYN to that port outside a burst was lost. A large one weighs less, because it may have
    /// met a hole.
    pub(crate) fn lost(&mut self, port: u16, is_small: bool, may_begin: bool, now: Moment) {
        if port != self.port {
            self.others.note(false);
            if self.others.all_lost() && matches!(self.standing, PortStanding::Filtered(..)) {
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

    /// The target has answered on that port.
    pub(crate) fn heard(&mut self, port: u16, now: Moment) {
        if port != self.port {
            self.elsewhere(Some(port));
            return;
        }
        self.doubt = 0;
        self.own.note(true);
        if !self.is_silent() || self.own.is_back() {
            self.standing = PortStanding::Answers;
            self.exhausted = false;
            if self.burst.take().is_some() {
                self.rest_until = now + ANSWERED_REST;
            }
        }
    }

    /// The target has answered on another port, perhaps to another path.
    pub(crate) fn elsewhere(&mut self, port: Option<u16>) {
        self.others.note(true);
        self.answered = port.or(self.answered);
        if let PortStanding::Dead(silence) = self.standing
            && self.others.is_back()
        {
            self.standing = PortStanding::Filtered(silence, self.answered);
        }
    }

    /// Discards recent losses: they belong to an outage, or may be our own fault.
    pub(crate) fn calm(&mut self) {
        self.doubt = 0;
        self.burst = None;
    }

    /// The pair that is due now. Call [`TcpLife::sent`] if it was sent, then this again.
    #[must_use]
    pub(crate) fn due(&self, now: Moment, rng: &mut Rng) -> Option<TcpPair> {
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
    pub(crate) fn sent(&mut self, pair: TcpPair, now: Moment) {
        if let Some(burst) = self.burst.as_mut() {
            burst.begin(pair.port, Fate::Waiting, Fate::Waiting, now);
        }
    }

    /// When [`TcpLife::due`] is next to be called.
    #[must_use]
    pub(crate) fn next_at(&self) -> Option<Moment> {
        self.burst.as_ref().filter(|burst| burst.has_room()).map(Burst::next_at)
    }

    /// The port of the next SYN outside a burst.
    pub(crate) fn look(&mut self) -> u16 {
        self.looks += 1;
        if self.is_silent() && self.looks.is_multiple_of(LOOK_ELSEWHERE) {
            self.other(self.looks / LOOK_ELSEWHERE)
        } else {
            self.port
        }
    }

    /// Records the fate of half of a pair; called again when a late answer takes back a loss.
    pub(crate) fn resolve(&mut self, serial: u32, pair: usize, syn: bool, fate: Fate, now: Moment) {
        let Some(burst) = self.burst.as_mut().filter(|burst| burst.serial() == serial) else { return };
        burst.resolve(pair, if syn { Half::Asked } else { Half::Control }, fate);
        self.conclude(now);
    }

    /// The evidence of the finding.
    #[must_use]
    pub(crate) fn in_words(&self) -> Vec<Said> {
        match self.standing {
            PortStanding::Open | PortStanding::Answers => Vec::new(),
            PortStanding::Filtered(silence, by) => {
                let by = by.map_or(say!("another port"), |port| say!("port {port}", port));
                vec![say!(
                    "TCP port {port} of the target does not answer while {other} does ({silence}): that port is \
                     filtered, the path is fine; sizes are not tested by TCP there",
                    port = self.port,
                    other => by,
                    silence => silence.said(self.port)
                )]
            }
            PortStanding::Dead(silence) => vec![
                say!("TCP does not pass though ping does: {silence}", silence => silence.said(self.port)),
                where_to_look(),
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
            PortStanding::Answers
        } else if own.counted >= OWN && (others.answered > 0 || self.others.has_answer()) {
            PortStanding::Filtered(silence, self.answered)
        } else if own.counted >= OWN && others.counted >= OTHERS {
            PortStanding::Dead(silence)
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

    /// The counts of the path's own port, and of others.
    fn counts(&self, burst: &Burst<u16>) -> (PairCount, PairCount) {
        (burst.count_of(|port| port == self.port), burst.count_of(|port| port != self.port))
    }

    fn other(&self, number: usize) -> u16 {
        let others: Vec<u16> = elsewhere(self.port).collect();
        others[number % others.len()]
    }
}

/// Where to look, for evidence and for causes.
pub(crate) fn where_to_look() -> Said {
    say!(
        "look for a firewall that drops TCP, at the target or on the way, and at checksum offload: on both \
         routers and hosts `ethtool -K DEV tx-checksum-ip-generic off` (DEV: the underlay's interface, then the \
         vxlan one)"
    )
}

impl Silence {
    fn said(self, port: u16) -> Said {
        let ports: Vec<String> = elsewhere(port).map(|port| port.to_string()).collect();
        let took = format!("{:.1}", self.took.as_secs_f64());
        let (own, lost) = (self.own, self.controls_lost);
        match self.others {
            0 => say!(
                "{own} SYNs to port {port} within {took} s all unanswered, each beside a small echo that was \
                 answered; {lost} echoes lost",
                own,
                port,
                took,
                lost
            ),
            others => say!(
                "{own} SYNs to port {port} and {others} to ports {ports} within {took} s all unanswered, each \
                 beside a small echo that was answered; {lost} echoes lost",
                own,
                port,
                others,
                ports = ports.join(", "),
                took,
                lost
            ),
        }
    }
}

/// The ports tried beside the path's own.
pub(super) fn elsewhere(own: u16) -> impl Iterator<Item = u16> {
    ELSEWHERE.into_iter().filter(move |port| *port != own)
}
