//! Whether TCP carries payload where SYNs are answered.
//!
//! A raw SYN that is answered proves that SYNs pass, and nothing more. A middlebox may let
//! handshakes pass and drop what follows; a NIC may spoil only the checksums of the kernel's own
//! segments. Then raw SYNs are answered while every page hangs. So the kernel opens a connection,
//! sends one byte, and closes it by RST as soon as the byte is acknowledged: once soon after the
//! port's first answer, then once a minute.
//!
//! When that takes longer than three seconds, a burst of such connections begins, beside a stream
//! of small SYNs, each from a port never used before, as the kernel's are. The kernel retransmits
//! what is lost, so a connection fails only after five transmissions of the byte, or four of the
//! SYN, got no answer. It counts if the small SYNs sent meanwhile were answered, so an outage
//! proves nothing. These are no pairs as in [`crate::path::pairs`]: a connection takes 3 s, and is
//! compared with the five or more SYNs of that time. Ten counted connections without one success
//! prove the port dead for payload, or for the kernel. Other ports are tried in turn; if one of
//! them acknowledges a byte, only that one port is affected, which is reported without an alarm.

mod burst;
#[cfg(test)]
mod tests;
mod words;

use std::{collections::BTreeMap, time::Duration};

use fastrand::Rng;

use burst::ConnectionBurst;
pub(crate) use burst::PayloadProof;
pub(crate) use words::{where_payload_is_lost, where_the_kernels_are_lost};

use super::{life::elsewhere, recent::Recent};
use crate::{
    model::types::TcpState,
    path::{
        limits::{ANSWERED_REST, REST},
        pairs::Fate,
        probe::{ByteFate, Moment, ProbeId},
    },
};

/// A connection that takes this long starts a burst.
const DOUBT: Duration = Duration::from_secs(3);
/// The time between two bytes, plus up to [`SPREAD`], so that paths do not send theirs all at once.
const EVERY: Duration = Duration::from_secs(50);
const SPREAD: Duration = Duration::from_secs(20);
/// The same while no payload passes.
const WHILE_DEAD: Duration = Duration::from_secs(3);
/// The same while only the path's own port is dead. Every sixth goes to the port that was not.
const WHILE_FILTERED: Duration = Duration::from_secs(10);
const LOOK_ELSEWHERE: usize = 6;
/// The wait before one that failed by our own fault is repeated.
const AGAIN: Duration = Duration::from_secs(5);
/// A connection that the engine does not report on is dropped after this time.
const GIVE_UP: Duration = Duration::from_secs(20);
/// So many in a row that never left our host: payload cannot be tested.
const UNABLE: u32 = 2;

/// What to send now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PayloadProbe {
    /// A connection to that port, and a byte on it.
    Byte {
        /// The target's port.
        port: u16,
        /// The burst, and its place there; none outside a burst.
        of: Option<(u32, usize)>,
    },
    /// A small SYN to the path's own port.
    Control {
        /// The burst, and its place there.
        of: (u32, usize),
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PayloadStanding {
    Open,
    Answers,
    /// The SYN is answered by RST: TCP passes, and payload cannot be tested.
    Closed,
    Filtered(PayloadProof),
    Dead(PayloadProof),
}

#[derive(Debug, Clone, Copy)]
struct SegmentSent {
    port: u16,
    at: Moment,
    of: Option<(u32, usize)>,
    /// It may have failed by our own fault, which says nothing of the path.
    doubtful: bool,
}

/// What becomes of payload.
#[derive(Debug, Clone)]
pub(crate) struct Payload {
    /// 0 if payload is not tested.
    port: u16,
    standing: PayloadStanding,
    asked: BTreeMap<ProbeId, SegmentSent>,
    burst: Option<ConnectionBurst>,
    serial: u32,
    next_at: Moment,
    rest_until: Moment,
    exhausted: bool,
    /// Connections in a row that never left our host.
    unable: u32,
    /// The last connections to the path's own port, while it is dead.
    last: Recent,
    looks: usize,
    /// While all ports are taken for dead: another port that was not, and when that was found.
    better: Option<(u16, Moment)>,
    rng: Rng,
}

impl Payload {
    /// `port` is the path's own; 0 if there is none.
    #[must_use]
    pub(crate) fn new(port: u16, seed: u64) -> Self {
        Self {
            port,
            standing: PayloadStanding::Open,
            asked: BTreeMap::new(),
            burst: None,
            serial: 0,
            next_at: Moment::ZERO,
            rest_until: Moment::ZERO,
            exhausted: false,
            unable: 0,
            last: Recent::default(),
            looks: 0,
            better: None,
            rng: Rng::with_seed(seed),
        }
    }

    /// The finding, if there is one.
    #[must_use]
    pub(crate) fn state(&self) -> Option<TcpState> {
        match self.standing {
            PayloadStanding::Open => None,
            PayloadStanding::Answers | PayloadStanding::Closed => Some(TcpState::Answers),
            PayloadStanding::Filtered(_) => Some(TcpState::PayloadFiltered),
            PayloadStanding::Dead(proof) if proof.connected > 0 => Some(TcpState::PayloadDead),
            PayloadStanding::Dead(_) => Some(TcpState::KernelDead),
        }
    }

    /// Whether payload is tested at all.
    #[must_use]
    pub(crate) fn is_asked(&self) -> bool {
        self.port != 0
    }

    /// Whether a finding is still to come.
    #[must_use]
    pub(crate) fn is_open(&self) -> bool {
        self.is_asked() && self.standing == PayloadStanding::Open && self.unable < UNABLE
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

    /// Discards recent failures: they belong to an outage, or may be our own fault.
    pub(crate) fn calm(&mut self) {
        self.burst = None;
        self.interrupted();
    }

    /// The process was stopped: connections in flight that fail do not count.
    pub(crate) fn interrupted(&mut self) {
        for asked in self.asked.values_mut() {
            asked.doubtful = true;
        }
    }

    /// Begins a burst if a connection takes too long.
    pub(crate) fn look(&mut self, now: Moment) {
        self.asked.retain(|_, asked| now.saturating_sub(asked.at) < GIVE_UP);
        let late = |asked: &SegmentSent| asked.of.is_none() && !asked.doubtful && now >= asked.at + DOUBT;
        if self.asked.values().any(|asked| late(asked) && self.is_telling(asked.port)) {
            self.begin(now);
        }
    }

    /// Whether a failure on that port would change the finding.
    fn is_telling(&self, port: u16) -> bool {
        match self.standing {
            PayloadStanding::Open | PayloadStanding::Answers | PayloadStanding::Closed => port == self.port,
            PayloadStanding::Filtered(proof) => Some(port) == proof.passed,
            PayloadStanding::Dead(_) => false,
        }
    }

    fn begin(&mut self, now: Moment) {
        if self.burst.is_none() && now >= self.rest_until {
            self.serial += 1;
            self.burst = Some(ConnectionBurst::new(self.serial, self.port, now));
        }
    }

    /// What is due now. Call [`Payload::sent`] if it was sent.
    pub(crate) fn due(&mut self, now: Moment) -> Option<PayloadProbe> {
        if let Some(burst) = &self.burst {
            return burst.due(now);
        }
        let steady = self.asked.values().any(|asked| asked.of.is_none() && asked.port == self.port);
        if now < self.next_at || steady && !self.is_silent() {
            return None;
        }
        Some(PayloadProbe::Byte { port: self.next_port(), of: None })
    }

    fn is_silent(&self) -> bool {
        matches!(self.standing, PayloadStanding::Filtered(_) | PayloadStanding::Dead(_))
    }

    fn next_port(&self) -> u16 {
        if !self.is_silent() || !self.looks.is_multiple_of(LOOK_ELSEWHERE) {
            return self.port;
        }
        if let PayloadStanding::Filtered(PayloadProof { passed: Some(port), .. }) = self.standing {
            return port;
        }
        let others: Vec<u16> = elsewhere(self.port).collect();
        others[self.looks / LOOK_ELSEWHERE % others.len()]
    }

    /// The packet named by [`Payload::due`] was sent; `id` is that of a connection.
    pub(crate) fn sent(&mut self, due: PayloadProbe, id: Option<ProbeId>, now: Moment) {
        if let Some(burst) = &mut self.burst {
            burst.sent(due, now, &mut self.rng);
        } else {
            self.looks += 1;
            self.next_at = now
                + match self.standing {
                    PayloadStanding::Dead(_) => WHILE_DEAD,
                    PayloadStanding::Filtered(_) => WHILE_FILTERED,
                    _ => EVERY + SPREAD * self.rng.u32(0..100) / 100,
                };
        }
        if let (PayloadProbe::Byte { port, of }, Some(id)) = (due, id) {
            self.asked.insert(id, SegmentSent { port, at: now, of, doubtful: false });
        }
    }

    /// When [`Payload::due`] or [`Payload::look`] is next to be called.
    #[must_use]
    pub(crate) fn next_at(&self, now: Moment) -> Moment {
        let rested = self.rest_until;
        let steady = self.asked.values().filter(|asked| asked.of.is_none() && !asked.doubtful);
        let doubt = steady.filter(|asked| self.is_telling(asked.port));
        let doubt = doubt.map(|asked| (asked.at + DOUBT).max(rested)).min();
        match &self.burst {
            Some(burst) => burst.next_at(now),
            None => doubt.map_or(self.next_at, |doubt| doubt.min(self.next_at)),
        }
    }

    /// Records the fate of a SYN of the burst; called again when a late answer takes back a loss.
    pub(crate) fn resolve_control(&mut self, (serial, control): (u32, usize), fate: Fate, now: Moment) {
        if let Some(burst) = self.burst.as_mut().filter(|burst| burst.serial() == serial) {
            burst.resolve_control(control, fate);
            self.conclude(now);
        }
    }

    /// Records the fate of a connection.
    pub(crate) fn learn_fate(&mut self, id: ProbeId, fate: ByteFate, now: Moment) {
        let Some(asked) = self.asked.remove(&id) else { return };
        let alive = matches!(fate, ByteFate::Passed | ByteFate::Refused);
        let untried = matches!(fate, ByteFate::NotSent(_) | ByteFate::Crowded);
        let void = untried || (asked.doubtful && !alive);
        match fate {
            ByteFate::NotSent(_) => self.unable += 1,
            ByteFate::Crowded => {}
            _ => self.unable = 0,
        }
        if let Some((serial, connection)) = asked.of
            && let Some(burst) = self.burst.as_mut().filter(|burst| burst.serial() == serial)
        {
            burst.resolve(connection, (!void).then_some(fate));
        }
        if void {
            self.next_at = self.next_at.min(now + AGAIN);
        } else if alive && asked.port == self.port {
            self.alive(fate, now);
        } else if asked.of.is_none() {
            self.failed_or_elsewhere(asked, fate, now);
        }
        self.conclude(now);
    }

    /// A connection outside a burst failed on the path's own port, or ended on another.
    fn failed_or_elsewhere(&mut self, asked: SegmentSent, fate: ByteFate, now: Moment) {
        if asked.port == self.port {
            self.last.note(false);
        }
        if let PayloadStanding::Dead(proof) = self.standing {
            // All may be well again: it is a filter only if the path's own port still takes
            // nothing.
            if asked.port != self.port && proof.fares_better(fate) {
                self.better = Some((asked.port, now));
            } else if let Some((port, _)) = self.better.filter(|(_, at)| asked.at >= *at)
                && asked.port == self.port
            {
                self.standing = PayloadStanding::Filtered(PayloadProof { passed: Some(port), ..proof });
            }
        }
        let failed = matches!(fate, ByteFate::Unacknowledged | ByteFate::Unconnected);
        if failed && self.is_telling(asked.port) {
            self.begin(now);
        }
    }

    /// The path's own port has acknowledged a byte, or refused the connection.
    fn alive(&mut self, fate: ByteFate, now: Moment) {
        self.last.note(true);
        if self.is_silent() && !self.last.is_back() {
            return;
        }
        self.standing =
            if fate == ByteFate::Passed { PayloadStanding::Answers } else { PayloadStanding::Closed };
        self.exhausted = false;
        if self.burst.take().is_some() {
            self.rest_until = now + ANSWERED_REST;
        }
        self.next_at = self.next_at.max(now + EVERY);
    }

    fn conclude(&mut self, now: Moment) {
        let Some(burst) = &self.burst else { return };
        if let Some(proof) = burst.proof(now) {
            self.standing = if proof.is_of_one_port() {
                PayloadStanding::Filtered(proof)
            } else {
                PayloadStanding::Dead(proof)
            };
            self.exhausted = false;
            self.last.clear();
            self.looks = 0;
            self.better = None;
            self.next_at = now + WHILE_DEAD;
        } else if burst.is_exhausted() {
            self.exhausted = true;
        } else {
            return;
        }
        self.burst = None;
        self.rest_until = now + REST;
    }
}
