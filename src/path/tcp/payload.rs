//! Whether TCP carries anything where SYNs are answered.
//!
//! A SYN of our own making says that SYNs pass, no more. A box that lets a handshake pass and drops what follows, or a NIC
//! that spoils the checksums of the kernel's own segments only, leaves it answered while every page hangs. So the kernel is
//! asked too: a connection of its own, one byte sent on it, closed by RST as soon as the byte is acknowledged. Once soon
//! after the port's first answer, then once a minute.
//!
//! Where that takes longer than three seconds, a burst of such connections begins, and beside them a stream of small SYNs, each
//! from a port never used before, as the kernel's are. The kernel repeats by itself what is lost: a connection fails
//! only where five transmissions in a row got nothing, or four SYNs. It counts where the SYNs sent meanwhile were answered, so an
//! outage proves nothing. Ten counted ones without one success: the port is dead for payload, or for the kernel. Other ports are
//! asked in turn; where one acknowledges a byte, it is that port's own trouble: said, and no alarm.

mod burst;
#[cfg(test)]
mod tests;
mod words;

use std::{collections::BTreeMap, time::Duration};

use fastrand::Rng;

use burst::Burst;
pub use burst::Proof;
pub use words::{LOOK_AT_KERNEL, LOOK_AT_PAYLOAD};

use super::{life::elsewhere, recent::Recent};
use crate::{
    model::types::TcpState,
    path::{
        limits::{ANSWERED_REST, REST},
        pairs::Fate,
        probe::{ByteFate, Moment, ProbeId},
    },
};

/// A connection that takes so long is in doubt.
const DOUBT: Duration = Duration::from_secs(3);
/// A byte is sent so long after the last one, and up to [`SPREAD`] more, so that paths do not ask all at once.
const EVERY: Duration = Duration::from_secs(50);
const SPREAD: Duration = Duration::from_secs(20);
/// While no payload passes.
const WHILE_DEAD: Duration = Duration::from_secs(3);
/// While one port takes none: every sixth asks the one that did.
const WHILE_FILTERED: Duration = Duration::from_secs(10);
const LOOK_ELSEWHERE: usize = 6;
/// One that came to nothing by our own fault is sent again after that.
const AGAIN: Duration = Duration::from_secs(5);
/// What the engine never tells of is given up.
const GIVE_UP: Duration = Duration::from_secs(20);
/// So many in a row that never left our host, and nothing will be known.
const UNABLE: u32 = 2;

/// What to send now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// A connection to that port, and a byte on it.
    Byte {
        /// The target's port.
        port: u16,
        /// Which of which burst.
        of: Option<(u32, usize)>,
    },
    /// A small SYN to the path's own port.
    Control {
        /// Which of which burst.
        of: (u32, usize),
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Open,
    Answers,
    /// RST to the SYN: it passes, and nothing can be sent on it.
    Closed,
    Filtered(Proof),
    Dead(Proof),
}

#[derive(Debug, Clone, Copy)]
struct Asked {
    port: u16,
    at: Moment,
    of: Option<(u32, usize)>,
    /// Something of our own came between: failing says nothing.
    doubtful: bool,
}

/// What becomes of bytes.
#[derive(Debug, Clone)]
pub struct Payload {
    /// 0 where none is asked.
    port: u16,
    standing: Standing,
    asked: BTreeMap<ProbeId, Asked>,
    burst: Option<Burst>,
    serial: u32,
    next_at: Moment,
    rest_until: Moment,
    exhausted: bool,
    /// Those in a row that never left our host.
    unable: u32,
    /// What became of the last ones to the own port, while it is silent.
    last: Recent,
    looks: usize,
    /// While all are dead: another port that was found not to be, and when.
    better: Option<(u16, Moment)>,
    rng: Rng,
}

impl Payload {
    /// `port` is the path's own; 0 where there is none.
    #[must_use]
    pub fn new(port: u16, seed: u64) -> Self {
        Self {
            port,
            standing: Standing::Open,
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

    /// What is known.
    #[must_use]
    pub fn state(&self) -> Option<TcpState> {
        match self.standing {
            Standing::Open => None,
            Standing::Answers | Standing::Closed => Some(TcpState::Answers),
            Standing::Filtered(_) => Some(TcpState::PayloadFiltered),
            Standing::Dead(proof) if proof.connected > 0 => Some(TcpState::PayloadDead),
            Standing::Dead(_) => Some(TcpState::KernelDead),
        }
    }

    /// A port is asked.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.port != 0
    }

    /// It is not known yet whether a byte passes, and will be.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.is_asked() && self.standing == Standing::Open && self.unable < UNABLE
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

    /// The failures of late are those of an outage, or may be of our own making.
    pub fn calm(&mut self) {
        self.burst = None;
        self.interrupted();
    }

    /// Nobody could listen: failing says nothing of those under way.
    pub fn interrupted(&mut self) {
        for asked in self.asked.values_mut() {
            asked.doubtful = true;
        }
    }

    /// Begins a burst where one under way takes too long.
    pub fn look(&mut self, now: Moment) {
        self.asked.retain(|_, asked| now.saturating_sub(asked.at) < GIVE_UP);
        let late = |asked: &Asked| asked.of.is_none() && !asked.doubtful && now >= asked.at + DOUBT;
        if self.asked.values().any(|asked| late(asked) && self.is_telling(asked.port)) {
            self.begin(now);
        }
    }

    /// Whether failing on that port means anything new.
    fn is_telling(&self, port: u16) -> bool {
        match self.standing {
            Standing::Open | Standing::Answers | Standing::Closed => port == self.port,
            Standing::Filtered(proof) => Some(port) == proof.passed,
            Standing::Dead(_) => false,
        }
    }

    fn begin(&mut self, now: Moment) {
        if self.burst.is_none() && now >= self.rest_until {
            self.serial += 1;
            self.burst = Some(Burst::new(self.serial, self.port, now));
        }
    }

    /// What is due now; [`Payload::sent`] must follow, or nothing.
    pub fn due(&mut self, now: Moment) -> Option<Due> {
        if let Some(burst) = &self.burst {
            return burst.due(now);
        }
        let steady = self.asked.values().any(|asked| asked.of.is_none() && asked.port == self.port);
        if now < self.next_at || steady && !self.is_silent() {
            return None;
        }
        Some(Due::Byte { port: self.next_port(), of: None })
    }

    fn is_silent(&self) -> bool {
        matches!(self.standing, Standing::Filtered(_) | Standing::Dead(_))
    }

    fn next_port(&self) -> u16 {
        if !self.is_silent() || !self.looks.is_multiple_of(LOOK_ELSEWHERE) {
            return self.port;
        }
        if let Standing::Filtered(Proof { passed: Some(port), .. }) = self.standing {
            return port;
        }
        let others: Vec<u16> = elsewhere(self.port).collect();
        others[self.looks / LOOK_ELSEWHERE % others.len()]
    }

    /// What [`Payload::due`] named was sent; `id` names a connection.
    pub fn sent(&mut self, due: Due, id: Option<ProbeId>, now: Moment) {
        if let Some(burst) = &mut self.burst {
            burst.sent(due, now, &mut self.rng);
        } else {
            self.looks += 1;
            self.next_at = now
                + match self.standing {
                    Standing::Dead(_) => WHILE_DEAD,
                    Standing::Filtered(_) => WHILE_FILTERED,
                    _ => EVERY + SPREAD * self.rng.u32(0..100) / 100,
                };
        }
        if let (Due::Byte { port, of }, Some(id)) = (due, id) {
            self.asked.insert(id, Asked { port, at: now, of, doubtful: false });
        }
    }

    /// When [`Payload::due`] or [`Payload::look`] may next have something.
    #[must_use]
    pub fn next_at(&self, now: Moment) -> Moment {
        let rested = self.rest_until;
        let steady = self.asked.values().filter(|asked| asked.of.is_none() && !asked.doubtful);
        let doubt = steady.filter(|asked| self.is_telling(asked.port));
        let doubt = doubt.map(|asked| (asked.at + DOUBT).max(rested)).min();
        match &self.burst {
            Some(burst) => burst.next_at(now),
            None => doubt.map_or(self.next_at, |doubt| doubt.min(self.next_at)),
        }
    }

    /// What became of a SYN of the burst; also called again when an answer takes back a loss.
    pub fn resolve_control(&mut self, (serial, control): (u32, usize), fate: Fate, now: Moment) {
        if let Some(burst) = self.burst.as_mut().filter(|burst| burst.serial() == serial) {
            burst.resolve_control(control, fate);
            self.conclude(now);
        }
    }

    /// What became of a connection.
    pub fn told(&mut self, id: ProbeId, fate: ByteFate, now: Moment) {
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

    /// A look at the own port that came to nothing, or one at another.
    fn failed_or_elsewhere(&mut self, asked: Asked, fate: ByteFate, now: Moment) {
        if asked.port == self.port {
            self.last.note(false);
        }
        if let Standing::Dead(proof) = self.standing {
            // All may be over: it is a filter only where the own port still takes nothing.
            if asked.port != self.port && proof.fares_better(fate) {
                self.better = Some((asked.port, now));
            } else if let Some((port, _)) = self.better.filter(|(_, at)| asked.at >= *at)
                && asked.port == self.port
            {
                self.standing = Standing::Filtered(Proof { passed: Some(port), ..proof });
            }
        }
        let failed = matches!(fate, ByteFate::Unacknowledged | ByteFate::Unconnected);
        if failed && self.is_telling(asked.port) {
            self.begin(now);
        }
    }

    /// The own port has taken a byte, or refused to.
    fn alive(&mut self, fate: ByteFate, now: Moment) {
        self.last.note(true);
        if self.is_silent() && !self.last.is_back() {
            return;
        }
        self.standing = if fate == ByteFate::Passed { Standing::Answers } else { Standing::Closed };
        self.exhausted = false;
        if self.burst.take().is_some() {
            self.rest_until = now + ANSWERED_REST;
        }
        self.next_at = self.next_at.max(now + EVERY);
    }

    fn conclude(&mut self, now: Moment) {
        let Some(burst) = &self.burst else { return };
        if let Some(proof) = burst.proof(now) {
            self.standing =
                if proof.is_of_one_port() { Standing::Filtered(proof) } else { Standing::Dead(proof) };
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
