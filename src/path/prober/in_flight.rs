//! Packets sent and not answered yet: their ids, expiry, late answers.

use std::collections::VecDeque;

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
    /// Sent because somebody asked.
    Asked { large: bool },
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

/// All packets sent less than [`GIVE_UP`] ago and not answered, in the order of sending.
#[derive(Debug, Clone, Default)]
pub(super) struct InFlight {
    sent: VecDeque<Sent>,
    /// The first probe whose answer is not late yet.
    in_time: ProbeId,
    /// Each with its sequence number.
    echoes: VecDeque<(u64, SentEcho)>,
    next_id: u64,
}

/// So many packets of a path are in flight while all is well; the room that a burst took is given
/// back after it.
const USUAL: usize = 4;

/// Takes out the element at `place`.
fn take<T>(queue: &mut VecDeque<T>, place: usize) -> Option<T> {
    let taken = queue.remove(place);
    if queue.is_empty() && queue.capacity() > 4 * USUAL {
        queue.shrink_to(USUAL);
    }
    taken
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
        debug_assert!(self.sent.back().is_none_or(|last| last.probe.id < probe.id), "out of order");
        self.sent.push_back(Sent { probe, role, at, doubtful: false });
    }

    /// Takes out the packet of that id, which is answered `now`; none if it was given up.
    pub(crate) fn answered(&mut self, id: ProbeId, now: Moment) -> Option<Sent> {
        let place = self.sent.binary_search_by_key(&id, |sent| sent.probe.id).ok()?;
        let sent = &self.sent[place];
        let in_time = sent.doubtful || now.saturating_sub(sent.at) < GIVE_UP;
        if in_time { take(&mut self.sent, place) } else { None }
    }

    /// The next packet that was not answered within `timeout`.
    pub(crate) fn next_late(&mut self, timeout: Moment, now: Moment) -> Option<Sent> {
        let sent = *self.not_late().next()?;
        let late = now.saturating_sub(sent.at) >= timeout;
        late.then(|| {
            self.in_time = ProbeId(sent.probe.id.0 + 1);
            sent
        })
    }

    /// The next packet that is given up.
    pub(crate) fn next_given_up(&mut self, now: Moment) -> Option<Sent> {
        let oldest = self.sent.front()?;
        if now.saturating_sub(oldest.at) >= GIVE_UP { take(&mut self.sent, 0) } else { None }
    }

    /// The packets whose answers are not late yet.
    fn not_late(&self) -> impl Iterator<Item = &Sent> {
        self.sent.range(self.sent.partition_point(|sent| sent.probe.id < self.in_time)..)
    }

    /// A regular echo is sent.
    pub(crate) fn sends_echo(&mut self, seq: u64, at: Moment) {
        self.echoes.push_back((seq, SentEcho { at, expired: false, doubtful: false }));
    }

    /// Takes out the echo of that number, answered after `rtt`; none if it was given up.
    pub(crate) fn echo_answered(&mut self, seq: u64, rtt: Moment) -> Option<SentEcho> {
        let place = self.place_of(seq)?;
        let in_time = self.echoes[place].1.doubtful || rtt < GIVE_UP;
        if in_time { take(&mut self.echoes, place).map(|(_, echo)| echo) } else { None }
    }

    /// The echo of that number never left our host. False where it is not in flight.
    pub(crate) fn echo_not_sent(&mut self, seq: u64) -> bool {
        self.place_of(seq).and_then(|place| take(&mut self.echoes, place)).is_some()
    }

    fn place_of(&self, seq: u64) -> Option<usize> {
        self.echoes.binary_search_by_key(&seq, |(seq, _)| *seq).ok()
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
        let (_, oldest) = self.echoes.front()?;
        let given_up = now.saturating_sub(oldest.at) >= GIVE_UP;
        if given_up { take(&mut self.echoes, 0).map(|(_, echo)| echo) } else { None }
    }

    /// Gives up all echoes that are not answered; returns how many there were.
    pub(crate) fn give_up_echoes(&mut self) -> u64 {
        std::mem::take(&mut self.echoes).len() as u64
    }

    /// This process could not listen: the silence of every packet in flight says nothing from now
    /// on. Returns what was late already: packets, and numbers of echoes.
    pub(crate) fn doubt_all(&mut self) -> (Vec<Sent>, Vec<u64>) {
        let late = self.sent.iter().take_while(|sent| sent.probe.id < self.in_time).copied().collect();
        for sent in &mut self.sent {
            sent.doubtful = true;
        }
        for (_, echo) in &mut self.echoes {
            echo.doubtful = true;
        }
        (late, self.echoes.iter().filter(|(_, echo)| echo.expired).map(|(seq, _)| *seq).collect())
    }

    /// When the next packet is late or given up.
    pub(crate) fn next_at(&self, timeout: Moment) -> Option<Moment> {
        let expiry = |(_, echo): &(u64, SentEcho)| echo.at + if echo.expired { GIVE_UP } else { timeout };
        let next_late = self.not_late().next().map(|sent| sent.at + timeout);
        let next_lost = self.sent.front().map(|sent| sent.at + GIVE_UP);
        next_late.into_iter().chain(next_lost).chain(self.echoes.iter().map(expiry)).min()
    }

    /// TCP flows on which a SYN waits for its answer.
    pub(crate) fn busy_flows(&self) -> [bool; FLOWS as usize] {
        let mut busy = [false; FLOWS as usize];
        for sent in self.not_late() {
            if sent.probe.method == ProbeMethod::Syn && !sent.probe.fresh {
                busy[usize::from(sent.probe.flow)] = true;
            }
        }
        busy
    }
}
