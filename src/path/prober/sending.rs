//! Sends what is due: the regular echo, the sentinels, the bursts.

#[cfg(test)]
mod tests;

use std::time::Duration;

use super::{PathProber, Role, Single, beat::next_turn};
use crate::{
    model::types::{Bytes, ProbeProtocol, ProbeSize},
    path::{
        budget::{Budget, Look},
        hole::{
            detect::{Detect, Urgency},
            flow_set::FlowSet,
        },
        probe::{FLOWS, Moment, Probe, ProbeMethod, Send},
        settings::{IcmpProbes, TcpProbes},
        too_big::contest::Entrant,
        verdict::holes::Finding,
    },
};

/// The time between two of a path's TCP sentinels, and between two tests of the reverse direction
/// of a reduced path.
pub(super) const RARE: Duration = Duration::from_secs(5);

/// The time between two sentinels that are sent before their turn.
const SWEEP: Duration = Duration::from_millis(100);

/// While Packet Too Big on TCP is remembered, all flows are tested this often above the size that
/// path MTU discovery has arrived at.
const LOOK_ABOVE: Duration = Duration::from_secs(10);

/// While Packet Too Big is remembered, sizes for which it holds are sent at most this often.
const SINGLE: Duration = Duration::from_secs(2);

impl PathProber {
    /// When the next regular echo is due.
    #[must_use]
    pub(crate) fn echo_due(&self) -> Moment {
        self.due.echo
    }

    /// Does what is due regardless of the budget: expiries, the regular echo, the sentinels.
    pub fn regular(&mut self, now: Moment, out: &mut Vec<Send>) {
        self.now = now;
        self.expire(now);
        self.walks.expire(now);
        self.restand(now);
        self.steer(now);
        if now >= self.due.echo {
            self.due.echo = next_turn(self.due.echo, self.settings.probe_interval * self.pace.echo, now);
            self.send_echo(now, out);
        }
        if self.reach.is_down() {
            return;
        }
        if now >= self.due.sentinel && self.can_size_echo() {
            self.due.sentinel = next_turn(self.due.sentinel, self.sentinel_interval(), now);
            self.send_echo_sentinel(now, out);
        }
        if now >= self.due.look_above {
            self.due.look_above = now + LOOK_ABOVE;
            self.syn.look_above(self.walks.signalled_above(self.ceiling()));
        }
        if self.syn.wants_sentinel() {
            self.due.syn = self.due.syn.min(now + SWEEP);
        }
        let syn_every = if self.echo.is_silent() || self.syn.is_silent() || !self.icmp_usable() {
            self.sentinel_interval()
        } else {
            RARE * self.pace.sentinel
        };
        self.due.syn = self.due.syn.min(now + syn_every);
        if now >= self.due.syn && self.asks_by_syn() {
            self.due.syn = next_turn(self.due.syn, syn_every, now);
            self.send_syn_sentinel(now, out);
        }
        if let Some(every) = self.fragments_every() {
            self.due.fragments = self.due.fragments.min(now + every);
            if now >= self.due.fragments {
                self.due.fragments = next_turn(self.due.fragments, every, now);
                let (size, purpose) = self.fragments.sentinel();
                self.send(ProbeMethod::Fragments, 0, size, purpose, Role::Sentinel, now, out);
            }
        }
        self.look_beyond(now, out);
        self.look_above(now, out);
    }

    /// Whether a burst may need packets now. If not, [`PathProber::burst`] need not be called: most
    /// paths have none under way.
    pub(crate) fn may_burst(&self, now: Moment) -> bool {
        let due = |at: Option<Moment>| at.is_some_and(|at| at <= now);
        due(self.reach.next_at())
            || due(self.tcp.next_at())
            || due(self.pinned.next_at())
            || self.pinned.has_news()
            || due(self.asked_at())
            || due(self.bytes_at())
            || due(self.echo.next_at())
            || due(self.fragments.next_at())
            // A SYN goes as soon as its flow is free.
            || self.syn.next_at().is_some()
            || (!self.walks.is_empty() && due(Some(self.contest.next_at())))
    }

    /// Sends the packets that bursts of that urgency need now, within the budget.
    pub fn burst(&mut self, urgency: Urgency, now: Moment, budget: &mut Budget, out: &mut Vec<Send>) {
        let (may, before) = (cfg!(debug_assertions) && self.may_burst(now), out.len());
        self.burst_of(urgency, now, budget, out);
        debug_assert!(may || out.len() == before, "{urgency:?} of which nothing was due: {out:?}");
    }

    fn burst_of(&mut self, urgency: Urgency, now: Moment, budget: &mut Budget, out: &mut Vec<Send>) {
        match urgency {
            Urgency::Unreachable => return self.small_burst(Look::Sure, now, budget, out),
            Urgency::Look => {
                self.small_burst(Look::Spare, now, budget, out);
                return self.send_asked(now, budget, out);
            }
            _ => {}
        }
        if self.reach.is_down() || self.reach.is_suspicious() {
            return;
        }
        if urgency == Urgency::FirstProof {
            self.tcp_pairs(now, budget, out);
            self.bytes(now, budget, out);
            self.old_and_new(now, budget, out);
        }
        let by_syn = self.asks_by_syn();
        for method in ProbeMethod::ALL.into_iter().filter(|method| *method != ProbeMethod::Syn || by_syn) {
            let Some(task) = self.task_of(method, urgency) else { continue };
            while self.detector(method).wants(task)
                && self.detector(method).next_at().is_some_and(|at| at <= now || method == ProbeMethod::Syn)
            {
                let packets = 2 * method.packets(self.settings.family, self.detector(method).top());
                if !budget.take(packets) {
                    return;
                }
                let busy = self.busy_flows();
                let mut rng = self.rng.fork();
                let is_free = |flow| !busy[usize::from(flow)];
                let shots = self.detector_mut(method).shots(task, now, &is_free, &mut rng);
                if shots.is_empty() {
                    budget.give_back(packets);
                    break;
                }
                if shots.len() == 1 {
                    budget.give_back(packets / 2);
                }
                for shot in shots {
                    self.send(method, shot.flow, shot.size, shot.purpose, Role::Shot(shot), now, out);
                }
            }
        }
        if urgency == Urgency::FirstProof {
            self.compete(now, budget, out);
        }
    }

    /// The kind of burst for which a probe method gets packets at that urgency. One probe method is
    /// enough to report a hole. Proofs by the others wait, so that many holes at once are all
    /// reported before each is known in full.
    fn task_of(&self, method: ProbeMethod, urgency: Urgency) -> Option<Urgency> {
        if !matches!(urgency, Urgency::FirstProof | Urgency::Direction) {
            return Some(urgency);
        }
        // An unanswered SYN occupies its flow, so eight flows send few packets and take long to
        // find the edge in the forward direction. That search goes on beside the fragments that
        // test the reverse direction, which would otherwise take the whole budget.
        if urgency == Urgency::Direction
            && method == ProbeMethod::Syn
            && self.detector(method).wants(Urgency::Search)
        {
            return Some(Urgency::Search);
        }
        if !self.detector(method).wants(Urgency::FirstProof) {
            return None;
        }
        // While the search by DF echoes waits for the other probe methods, these go first.
        let leads = self.echo.is_held()
            || ProbeMethod::ALL.into_iter().find(|method| self.detector(*method).wants(Urgency::FirstProof))
                == Some(method);
        let urgent = leads && !matches!(self.facts().finding(), Finding::Hole(_));
        (urgent == (urgency == Urgency::FirstProof)).then_some(Urgency::FirstProof)
    }

    /// Sends the next round between flows that received Packet Too Big and TCP flows that neither
    /// received it nor pass the size now.
    fn compete(&mut self, now: Moment, budget: &mut Budget, out: &mut Vec<Send>) {
        if now < self.contest.next_at() || self.walks.is_empty() || !self.facts().syn_usable() {
            return;
        }
        self.contest.pause(now);
        let Some(relying) = self.walks.relied_on(self.ceiling()) else { return };
        let busy = self.busy_flows();
        let free = |flow: &u8| !busy[usize::from(*flow)];
        let in_question: FlowSet = relying.others.without(self.syn.silent()).iter().filter(free).collect();
        let mut signalled: Vec<Entrant> = relying.flows.iter().filter(free).map(Entrant::Tcp).collect();
        signalled.extend(relying.icmp.then_some(Entrant::Icmp));
        let packets = u32::try_from(in_question.len() + 1).unwrap_or(u32::MAX);
        if !budget.take(packets) {
            return;
        }
        let size = relying.size;
        let Some((round, all)) = self.contest.begin(size, in_question, &signalled, now, &mut self.rng) else {
            budget.give_back(packets);
            return;
        };
        for entrant in all {
            let (method, flow) = match entrant {
                Entrant::Tcp(flow) => (ProbeMethod::Syn, flow),
                Entrant::Icmp => (ProbeMethod::Echo, 0),
            };
            self.send(method, flow, size, ProbeSize::Full, Role::Contest { round }, now, out);
        }
    }

    /// When to call again if nothing comes in.
    #[must_use]
    pub fn next_at(&self) -> Moment {
        let timeout = self.rtt.timeout();
        let by_syn = self.asks_by_syn();
        let methods = ProbeMethod::ALL.into_iter().filter(|method| *method != ProbeMethod::Syn || by_syn);
        self.in_flight
            .next_at(timeout)
            .into_iter()
            .chain(methods.filter_map(|method| self.detector(method).next_at()).map(|at| at.max(self.now)))
            .chain(self.reach.next_at())
            .chain(self.tcp.next_at())
            .chain(self.pinned.next_at())
            .chain(self.bytes_at())
            .chain([self.due.echo, self.due.sentinel])
            .chain(Some(self.contest.next_at()).filter(|at| *at > self.now))
            .chain(by_syn.then_some(self.due.syn))
            .chain(self.fragments_every().map(|_| self.due.fragments))
            .chain(self.beyond_every().map(|_| self.looks.next_at()))
            .chain(self.above_every().map(|_| self.above_at()))
            .chain(self.asked_at())
            .min()
            .unwrap_or(self.due.echo)
    }

    fn send_echo(&mut self, now: Moment, out: &mut Vec<Send>) {
        let first = self.counters.requests() == 0;
        if self.settings.icmp > IcmpProbes::None {
            let seq = self.counters.request();
            self.in_flight.sends_echo(seq, now);
            self.icmp_rate.sent(now);
            out.push(Send::Echo { seq });
        }
        if !self.reach.is_suspicious() {
            self.reach.set_loss(self.icmp_rate.is_limited(), self.loss.count_before_outage());
        }
        let icmp_silent = !self.reach.icmp_ever() && !first;
        if self.settings.tcp > TcpProbes::None
            && !self.reach.is_down()
            && !self.tcp.is_asking()
            && (!self.reach.tcp_ever() || icmp_silent || self.tcp.is_silent() || self.connect_is_due(now))
        {
            self.look_by_syn(now, out);
        }
    }

    pub(super) fn send_small(
        &mut self,
        protocol: ProbeProtocol,
        (burst, fresh): (Option<u32>, bool),
        now: Moment,
        out: &mut Vec<Send>,
    ) -> bool {
        let role = Role::Small { burst, fresh };
        let ceiling = self.ceiling();
        match protocol {
            ProbeProtocol::Icmp => {
                self.send(ProbeMethod::Echo, 0, ceiling, ProbeSize::Control, role, now, out);
                true
            }
            ProbeProtocol::Tcp => {
                let free = if self.is_fresh(role, ProbeMethod::Syn) { Some(0) } else { self.free_flow() };
                let Some(flow) = free else { return false };
                self.send(ProbeMethod::Syn, flow, ceiling, ProbeSize::Control, role, now, out);
                true
            }
        }
    }

    /// Sends small probes that decide whether the target is unreachable, or whether an unreachable
    /// one is back.
    fn small_burst(&mut self, look: Look, now: Moment, budget: &mut Budget, out: &mut Vec<Send>) {
        while let Some(due) = self.reach.due(now).filter(|due| due.blind || look == Look::Sure) {
            if !(if due.blind { budget.take_look(look) } else { budget.take(1) }) {
                return;
            }
            if !self.send_small(due.protocol, (due.burst, due.fresh), now, out) {
                if due.blind {
                    budget.give_back_look();
                } else {
                    budget.give_back(1);
                }
                return;
            }
            self.reach.sent(now);
        }
    }

    fn send_echo_sentinel(&mut self, now: Moment, out: &mut Vec<Send>) {
        let ceiling = self.ceiling();
        let above_walk = self.echo.top() < ceiling;
        let single_due = self.due.single.is_none_or(|at| now.saturating_sub(at) >= SINGLE);
        if above_walk && single_due && self.echo.decided_at().is_some() {
            self.due.single = Some(now);
            let serial = self.single.serial + 1;
            self.single = Single { serial, ..Single::default() };
            for (large, purpose) in [(true, ProbeSize::Full), (false, ProbeSize::Control)] {
                self.send(ProbeMethod::Echo, 0, ceiling, purpose, Role::Single { serial, large }, now, out);
            }
            return;
        }
        let (size, purpose) = self.echo.sentinel();
        self.send(ProbeMethod::Echo, 0, size, purpose, Role::Sentinel, now, out);
    }

    fn send_syn_sentinel(&mut self, now: Moment, out: &mut Vec<Send>) {
        let busy = self.busy_flows();
        let is_free = |flow: u8| !busy[usize::from(flow)];
        if let Some((flow, size, purpose)) = self.syn.sentinel(is_free) {
            self.send(ProbeMethod::Syn, flow, size, purpose, Role::Sentinel, now, out);
        }
    }

    /// The time between two fragmented echoes; none if there is no reason to send them.
    pub(super) fn fragments_every(&self) -> Option<Duration> {
        if !self.can_fragment() || self.reach.is_down() {
            return None;
        }
        if self.fragments.is_silent() || (self.echo.is_silent() && self.fragments.passing().is_some()) {
            Some(self.sentinel_interval())
        } else if let Some(every) = self.fragments_beyond_every() {
            Some(every)
        } else {
            let reduced = self.echo.passing().is_some_and(|size| size < self.ceiling());
            reduced.then_some(RARE)
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one door for every packet of our own")]
    pub(super) fn send(
        &mut self,
        method: ProbeMethod,
        flow: u8,
        size: Bytes,
        purpose: ProbeSize,
        role: Role,
        now: Moment,
        out: &mut Vec<Send>,
    ) {
        let id = self.in_flight.name();
        if method != ProbeMethod::Syn {
            self.icmp_rate.sent(now);
        }
        let bare = matches!(
            role,
            Role::Small { .. }
                | Role::Elsewhere { .. }
                | Role::TcpPair { .. }
                | Role::OldOrNew { .. }
                | Role::BesideBytes { .. }
                | Role::Asked { large: false }
        );
        let port = match role {
            _ if method != ProbeMethod::Syn => 0,
            Role::Elsewhere { port } | Role::TcpPair { port, .. } => port,
            _ => self.settings.tcp_port,
        };
        let probe = Probe { id, method, flow, size, purpose, port, bare, fresh: self.is_fresh(role, method) };
        self.in_flight.sends(probe, role, now);
        out.push(Send::Probe(probe));
    }

    pub(super) fn busy_flows(&self) -> [bool; FLOWS as usize] {
        self.in_flight.busy_flows()
    }

    pub(super) fn free_flow(&mut self) -> Option<u8> {
        let busy = self.busy_flows();
        let start = self.rng.u8(0..FLOWS);
        (0..FLOWS).map(|step| (start + step) % FLOWS).find(|flow| !busy[usize::from(*flow)])
    }
}
