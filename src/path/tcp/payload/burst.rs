//! A burst of connections, and the small SYNs beside them.

use std::time::Duration;

use fastrand::Rng;

use super::{super::life::elsewhere, PayloadProbe};
use crate::{
    language::{Said, say},
    path::{
        pairs::Fate,
        probe::{ByteFate, Moment},
    },
};

/// Counted connections to the path's own port that prove it dead.
const OWN: usize = 10;
/// Connections to other ports beside them: two to each.
const OTHERS: usize = 10;
/// Connections to the own port after which a burst ends without a decision.
const MOST: usize = 30;
/// The same, including void ones and those to other ports.
const MOST_TRIED: usize = 200;
/// The longest time between two connections: 20 take up to five seconds.
const SPACING_MS: u64 = 250;
/// Between two SYNs.
const CONTROL_SPACING: Duration = Duration::from_millis(300);
/// The kernel retransmits a byte after 0.2, 0.6, 1.4 and 3 s, a SYN after 1, 3 and 7 s. A
/// connection is compared with the SYNs sent during this time.
const COMPARED: Duration = Duration::from_secs(3);
/// A failed connection counts if at least so many of those SYNs were sent, and two in five were
/// answered.
const CONTROLS: usize = 5;
const ANSWERED_OF_FIVE: usize = 2;

#[derive(Debug, Clone, Copy)]
struct ByteConnection {
    port: u16,
    at: Moment,
    fate: Waiting,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waiting {
    Open,
    Void,
    Done(ByteFate),
}

#[derive(Debug, Clone, Copy)]
struct Control {
    at: Moment,
    fate: Fate,
}

/// One burst.
#[derive(Debug, Clone)]
pub(super) struct ConnectionBurst {
    serial: u32,
    port: u16,
    began: Moment,
    connections: Vec<ByteConnection>,
    controls: Vec<Control>,
    connection_at: Moment,
    control_at: Moment,
}

/// The numbers of a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PayloadProof {
    /// Counted connections to the own port.
    pub own: usize,
    /// How many of them were established.
    pub connected: usize,
    /// Another port that acknowledged a byte.
    pub passed: Option<u16>,
    /// SYNs sent beside them.
    pub controls: usize,
    /// How many of them were answered.
    pub answered: usize,
    /// How long that took.
    pub took: Duration,
}

impl ConnectionBurst {
    pub(super) fn new(serial: u32, port: u16, now: Moment) -> Self {
        Self {
            serial,
            port,
            began: now,
            connections: Vec::new(),
            controls: Vec::new(),
            connection_at: now,
            control_at: now,
        }
    }

    pub(super) fn serial(&self) -> u32 {
        self.serial
    }

    pub(super) fn due(&self, now: Moment) -> Option<PayloadProbe> {
        // The connection first: it is compared with SYNs sent after it.
        if now >= self.connection_at
            && let Some(port) = self.next_port()
        {
            return Some(PayloadProbe::Byte { port, of: Some((self.serial, self.connections.len())) });
        }
        let due = now >= self.control_at && self.is_compared(now);
        due.then_some(PayloadProbe::Control { of: (self.serial, self.controls.len()) })
    }

    /// The port of the next connection; none if enough are in flight.
    fn next_port(&self) -> Option<u16> {
        if self.connections.len() >= MOST_TRIED {
            return None;
        }
        let (own, others) = (self.tried(true), self.tried(false));
        let open =
            self.of(true).filter(|one| one.fate == Waiting::Open || self.counts(one).is_none()).count();
        let wants_own = own < MOST && open + self.counted() < OWN;
        let elsewhere: Vec<u16> = elsewhere(self.port).collect();
        let other = (others < OTHERS).then(|| elsewhere[others % elsewhere.len()]);
        if wants_own && (own <= others || other.is_none()) { Some(self.port) } else { other }
    }

    /// Whether a connection still needs SYNs to be compared with.
    fn is_compared(&self, now: Moment) -> bool {
        self.of(true).any(|one| now < one.at + COMPARED)
    }

    pub(super) fn sent(&mut self, due: PayloadProbe, now: Moment, rng: &mut Rng) {
        match due {
            PayloadProbe::Byte { port, .. } => {
                self.connections.push(ByteConnection { port, at: now, fate: Waiting::Open });
                self.connection_at = now + Duration::from_millis(rng.u64(SPACING_MS / 2..=SPACING_MS));
            }
            PayloadProbe::Control { .. } => {
                self.controls.push(Control { at: now, fate: Fate::Waiting });
                self.control_at = now + CONTROL_SPACING;
            }
        }
    }

    pub(super) fn next_at(&self, now: Moment) -> Moment {
        let connection = self.next_port().map(|_| self.connection_at);
        let control = Some(self.control_at.max(now)).filter(|at| self.is_compared(*at));
        connection.into_iter().chain(control).min().unwrap_or(Moment::MAX)
    }

    pub(super) fn resolve_control(&mut self, control: usize, fate: Fate) {
        if let Some(control) = self.controls.get_mut(control) {
            control.fate = fate;
        }
    }

    /// Records the fate of a connection; `None` if it is void.
    pub(super) fn resolve(&mut self, connection: usize, fate: Option<ByteFate>) {
        if let Some(connection) = self.connections.get_mut(connection) {
            connection.fate = fate.map_or(Waiting::Void, Waiting::Done);
        }
    }

    fn of(&self, own: bool) -> impl Iterator<Item = &ByteConnection> {
        self.connections.iter().filter(move |one| (one.port == self.port) == own)
    }

    /// Connections that are not void.
    fn tried(&self, own: bool) -> usize {
        self.of(own).filter(|one| one.fate != Waiting::Void).count()
    }

    /// Whether a failed connection counts; `None` if that is not known yet.
    fn counts(&self, one: &ByteConnection) -> Option<bool> {
        let Waiting::Done(ByteFate::Unacknowledged | ByteFate::Unconnected) = one.fate else {
            return Some(false);
        };
        let compared =
            self.controls.iter().filter(|control| (one.at..one.at + COMPARED).contains(&control.at));
        let (mut sent, mut answered) = (0, 0);
        for control in compared {
            match control.fate {
                Fate::Waiting | Fate::Unsent => return None,
                Fate::Answered => (sent, answered) = (sent + 1, answered + 1),
                Fate::Lost => sent += 1,
                Fate::Void => {}
            }
        }
        Some(sent >= CONTROLS && answered * 5 >= sent * ANSWERED_OF_FIVE)
    }

    fn counted(&self) -> usize {
        self.of(true).filter(|one| self.counts(one) == Some(true)).count()
    }

    /// The proof, if it is complete and no connection to the path's own port succeeded.
    pub(super) fn proof(&self, now: Moment) -> Option<PayloadProof> {
        let own = self.counted();
        let asked = self.of(false).filter(|one| matches!(one.fate, Waiting::Done(_))).count();
        if own < OWN || asked < OTHERS {
            return None;
        }
        let unacknowledged = |one: &&ByteConnection| one.fate == Waiting::Done(ByteFate::Unacknowledged);
        let connected = self.of(true).filter(unacknowledged).count();
        let proof = PayloadProof {
            own,
            connected,
            passed: None,
            controls: self.controls.len(),
            answered: self.controls.iter().filter(|control| control.fate == Fate::Answered).count(),
            took: now.saturating_sub(self.began),
        };
        let better =
            |one: &&ByteConnection| matches!(one.fate, Waiting::Done(fate) if proof.fares_better(fate));
        let passed = self.of(false).find(better).map(|one| one.port);
        Some(PayloadProof { passed, ..proof })
    }

    pub(super) fn is_exhausted(&self) -> bool {
        let open = |one: &ByteConnection| one.fate == Waiting::Open || self.counts(one).is_none();
        let all = self.tried(true) >= MOST || self.connections.len() >= MOST_TRIED;
        all && !self.connections.iter().any(open)
    }
}

impl PayloadProof {
    /// Whether a connection to another port got further. Where the kernel's SYNs get no answer, a
    /// refusal is further too.
    pub(super) fn fares_better(self, fate: ByteFate) -> bool {
        match fate {
            ByteFate::Passed => true,
            ByteFate::Refused | ByteFate::Unacknowledged => self.connected == 0,
            ByteFate::Unconnected | ByteFate::Crowded | ByteFate::NotSent(_) => false,
        }
    }

    /// Whether only the path's own port is affected.
    pub(super) fn is_of_one_port(self) -> bool {
        self.passed.is_some()
    }

    pub(super) fn said(self, port: u16) -> Said {
        let (own, controls, answered) = (self.own, self.controls, self.answered);
        let took = format!("{:.1}", self.took.as_secs_f64());
        if self.connected > 0 {
            return say!(
                "{own} connections to TCP port {port} acknowledged no byte within {took} s, while {answered} of \
                 {controls} small SYNs beside them were answered",
                own,
                port,
                took,
                answered,
                controls
            );
        }
        say!(
            "{own} connections to TCP port {port} could not be opened within {took} s, while {answered} of \
             {controls} small SYNs beside them were answered",
            own,
            port,
            took,
            answered,
            controls
        )
    }
}
