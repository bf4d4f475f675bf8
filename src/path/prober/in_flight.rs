//! Packets sent and not answered yet: their ids, expiry, late answers.

use std::collections::BTreeMap;

use crate::path::{
    hole::proof::Shot,
    loss::probe_timeout::GIVE_UP,
    probe::{FLOWS, Moment, Probe, ProbeId, ProbeMethod},
};

/// What a packet is sent for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A small probe of our own: in a burst that decides whether the target is unreachable, while
    /// it is, or a regular small SYN.
    Small { burst: Option<u32>, fresh: bool },
    /// A SYN to another port than the path's own.
    Elsewhere { port: u16 },
    /// Half of a pair of a SYN and a small echo.
    TcpPair { serial: u32, pair: usize, port: u16, syn: bool },
    /// A SYN beside a connection of the kernel's own.
    BesideBytes { of: (u32, usize) },
    /// Half of a pair of an old flow and a new one.
    OldOrNew { serial: u32, pair: usize, new: bool },
    /// A sentinel of a probe method.
    Sentinel,
    /// A single packet above the size that path MTU discovery has arrived at, or its control.
    Single { serial: u32, large: bool },
    /// Half of a pair.
    Shot(Shot),
    /// A packet of a round between flows that receive Packet Too Big and flows in question.
    Contest { round: u32 },
    /// An echo above the MTU that the target's MSS names.
    Beyond,
    /// An echo above the MTU of a route of our own host.
    Above,
}

/// A packet of ours.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub probe: Probe,
    pub role: Role,
    pub at: Moment,
    /// This process could not listen: the packet's silence says nothing, nor does its round-trip
    /// time.
    pub doubtful: bool,
}

/// A regular small echo.
#[derive(Debug, Clone, Copy)]
pub(super) struct SentEcho {
    pub at: Moment,
    pub expired: bool,
    /// As in [`Sent`].
    pub doubtful: bool,
}

/// All packets sent less than [`GIVE_UP`] ago and not answered.
#[derive(Debug, Clone, Default)]
pub(super) struct InFlight {
    sent: BTreeMap<ProbeId, Sent>,
    /// The first probe whose answer is not late yet.
    in_time: ProbeId,
    echoes: BTreeMap<u64, SentEcho>,
    next_id: u64,
}

impl InFlight {
    /// The next id. Ids are given in the order of sending, also by a prober that takes over.
    pub(crate) fn next_id(&self) -> u64 {
        self.next_id
    }

    /// Continues the ids of a former prober of the same path.
    pub(crate) fn take_over(&mut self, next_id: u64) {
        self.next_id = next_id;
    }

    /// An id never given before.
    pub(crate) fn name(&mut self) -> ProbeId {
        self.next_id += 1;
        ProbeId(self.next_id - 1)
    }

    /// A packet is sent.
    pub(crate) fn sends(&mut self, probe: Probe, role: Role, at: Moment) {
        self.sent.insert(probe.id, Sent { probe, role, at, doubtful: false });
    }

    /// Takes out the packet of that id, which is answered `now`; none if it was given up.
    pub(crate) fn answered(&mut self, id: ProbeId, now: Moment) -> Option<Sent> {
        let in_time = |sent: &Sent| sent.doubtful || now.saturating_sub(sent.at) < GIVE_UP;
        self.sent.get(&id).filter(|sent| in_time(sent))?;
        self.sent.remove(&id)
    }

    /// The next packet that was not answered within `timeout`.
    pub(crate) fn next_late(&mut self, timeout: Moment, now: Moment) -> Option<Sent> {
        // Ids are given in the order of sending, so the oldest packets come first.
        let (id, sent) = self.sent.range(self.in_time..).next()?;
        let late = now.saturating_sub(sent.at) >= timeout;
        late.then(|| {
            self.in_time = ProbeId(id.0 + 1);
            *sent
        })
    }

    /// The next packet that is given up.
    pub(crate) fn next_given_up(&mut self, now: Moment) -> Option<Sent> {
        let oldest = self.sent.first_entry()?;
        (now.saturating_sub(oldest.get().at) >= GIVE_UP).then(|| oldest.remove())
    }

    /// A regular echo is sent.
    pub(crate) fn sends_echo(&mut self, seq: u64, at: Moment) {
        self.echoes.insert(seq, SentEcho { at, expired: false, doubtful: false });
    }

    /// Takes out the echo of that number, answered after `rtt`; none if it was given up.
    pub(crate) fn echo_answered(&mut self, seq: u64, rtt: Moment) -> Option<SentEcho> {
        self.echoes.get(&seq).filter(|echo| echo.doubtful || rtt < GIVE_UP)?;
        self.echoes.remove(&seq)
    }

    /// The echo of that number never left our host. False where it is not in flight.
    pub(crate) fn echo_not_sent(&mut self, seq: u64) -> bool {
        self.echoes.remove(&seq).is_some()
    }

    /// The next echo that was not answered within `timeout`.
    pub(crate) fn next_late_echo(&mut self, timeout: Moment, now: Moment) -> Option<(u64, SentEcho)> {
        let late = |echo: &SentEcho| !echo.expired && now.saturating_sub(echo.at) >= timeout;
        let (seq, echo) = self.echoes.iter_mut().find(|(_, echo)| late(echo))?;
        echo.expired = true;
        Some((*seq, *echo))
    }

    /// The next echo that is given up.
    pub(crate) fn next_given_up_echo(&mut self, now: Moment) -> Option<SentEcho> {
        let oldest = self.echoes.first_entry()?;
        (now.saturating_sub(oldest.get().at) >= GIVE_UP).then(|| oldest.remove())
    }

    /// Gives up all echoes that are not answered; returns how many there were.
    pub(crate) fn give_up_echoes(&mut self) -> u64 {
        std::mem::take(&mut self.echoes).len() as u64
    }

    /// This process could not listen: the silence of every packet in flight says nothing from now
    /// on. Returns what was late already: packets, and numbers of echoes.
    pub(crate) fn doubt_all(&mut self) -> (Vec<Sent>, Vec<u64>) {
        let late = self.sent.range(..self.in_time).map(|(_, sent)| *sent).collect();
        for sent in self.sent.values_mut() {
            sent.doubtful = true;
        }
        for echo in self.echoes.values_mut() {
            echo.doubtful = true;
        }
        (late, self.echoes.iter().filter(|(_, echo)| echo.expired).map(|(seq, _)| *seq).collect())
    }

    /// When the next packet is late or given up.
    pub(crate) fn next_at(&self, timeout: Moment) -> Option<Moment> {
        let expiry = |echo: &SentEcho| echo.at + if echo.expired { GIVE_UP } else { timeout };
        let next_late = self.sent.range(self.in_time..).next().map(|(_, sent)| sent.at + timeout);
        let next_lost = self.sent.first_key_value().map(|(_, sent)| sent.at + GIVE_UP);
        next_late.into_iter().chain(next_lost).chain(self.echoes.values().map(expiry)).min()
    }

    /// TCP flows on which a SYN waits for its answer.
    pub(crate) fn busy_flows(&self) -> [bool; FLOWS as usize] {
        let mut busy = [false; FLOWS as usize];
        for (_, sent) in self.sent.range(self.in_time..) {
            if sent.probe.method == ProbeMethod::Syn && !sent.probe.fresh {
                busy[usize::from(sent.probe.flow)] = true;
            }
        }
        busy
    }
}
