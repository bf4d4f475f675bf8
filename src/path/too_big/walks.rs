//! The walks of all flows of one path: one for ICMP, and one per TCP flow.
//!
//! A signal received by one flow counts for the others too: routers rate-limit signals, and one
//! flow may receive all of them. (Simulation with one signal per two seconds: otherwise the silence
//! of TCP makes a reduced path look like a black hole.) But underlay legs may differ. A flow that
//! is answered above a size signalled to others therefore stays at its larger size. If its packets
//! are lost there, ICMP's flow gives up that size after `GIVEN_UP` losses in a row, and a TCP flow
//! competes for signals again (see `contest`). A TCP flow found silent at a size that others
//! receive signals for stays at that size too.

use std::time::Duration;

use super::walk::Walk;
use crate::{
    model::types::Bytes,
    path::{
        hole::{flow_set::FlowSet, flows::Tops},
        probe::{FLOWS, Moment, ProbeMethod},
    },
};

/// A flow that receives signals receives several within this time.
const RENEWED: Duration = Duration::from_secs(45);

/// If ICMP's flow was answered above a size signalled to others, it stays there until this many
/// consecutive packets are lost. At 20 % loss each way that happens by chance with 0.36^10 = 4e-5.
const GIVEN_UP: u32 = 10;

/// The index of ICMP's flow, after those of TCP.
const ICMP: usize = FLOWS as usize;

/// The walks of all flows of one path.
#[derive(Debug, Clone, Default)]
pub(crate) struct Walks {
    flows: [FlowWalk; ICMP + 1],
}

#[derive(Debug, Clone, Default)]
struct FlowWalk {
    own: Walk,
    /// It ignores signals of other flows up to this size, because it was answered there.
    answered: Option<Bytes>,
    /// Consecutive packets lost at that size.
    unanswered: u32,
    /// It ignores signals of other flows up to this size, because it is silent there while others
    /// receive signals.
    silent: Option<Bytes>,
}

impl FlowWalk {
    fn goes_on_at(&self, size: Bytes) -> bool {
        self.answered.max(self.silent) >= Some(size)
    }
}

/// A size for which some flows have received a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signalled {
    /// Bytes of IP packet.
    pub size: Bytes,
    /// TCP flows that remember a signal for it.
    pub flows: FlowSet,
    /// ICMP's flow remembers one too.
    pub icmp: bool,
    /// TCP flows that neither received a signal nor pass the size now: only signals of other flows
    /// apply.
    pub others: FlowSet,
}

impl Walks {
    /// Whether no signal is remembered.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.flows.iter().all(|walk| walk.own.is_empty())
    }

    /// The size that path MTU discovery from `start` has arrived at on ICMP's flow.
    #[must_use]
    pub(crate) fn icmp_path_mtu(&self, start: Bytes) -> Bytes {
        self.path_mtu(ICMP, start)
    }

    /// The size that path MTU discovery from `start` has arrived at on each TCP flow.
    #[must_use]
    pub(crate) fn tcp_path_mtus(&self, start: Bytes) -> Tops {
        if self.is_empty() {
            return [start; ICMP];
        }
        std::array::from_fn(|flow| self.path_mtu(flow, start))
    }

    /// For each TCP flow that remembers a signal for a size above the one that its path MTU
    /// discovery has arrived at: the smallest such size.
    pub(crate) fn signalled_above(&self, start: Bytes) -> impl Iterator<Item = (u8, Bytes)> + '_ {
        let flows = if self.is_empty() { 0..0 } else { 0..FLOWS };
        flows.filter_map(move |flow| {
            let place = usize::from(flow);
            let size = self.flows[place].own.signalled_above(self.path_mtu(place, start))?;
            Some((flow, size))
        })
    }

    /// The smallest size for which ICMP's flow remembers a signal of its own, and the MTU in it.
    #[must_use]
    pub(crate) fn told_to_icmp(&self) -> Option<(Bytes, Bytes)> {
        self.flows[ICMP].own.smallest()
    }

    /// The smallest size for which one of these TCP flows remembers a signal of its own, and the MTU
    /// in it.
    #[must_use]
    pub(crate) fn told_to_tcp(&self, flows: FlowSet) -> Option<(Bytes, Bytes)> {
        flows.iter().filter_map(|flow| self.flows[usize::from(flow)].own.smallest()).min()
    }

    /// The largest size at which a TCP flow relies on the signals of other flows.
    #[must_use]
    pub(crate) fn relied_on(&self, start: Bytes) -> Option<Signalled> {
        let relying = |flow: usize| {
            let walk = &self.flows[flow];
            let size = walk.own.path_mtu(start);
            let known = walk.silent >= Some(size) || (walk.answered >= Some(size) && walk.unanswered == 0);
            (!known && self.claim_of_others(flow, size).is_some()).then_some(size)
        };
        let size = (0..ICMP).filter_map(relying).max()?;
        let others: FlowSet = (0..FLOWS).filter(|flow| relying(usize::from(*flow)) == Some(size)).collect();
        let flows = (0..FLOWS).filter(|flow| self.flows[usize::from(*flow)].own.remembers(size)).collect();
        Some(Signalled { size, flows, icmp: self.flows[ICMP].own.remembers(size), others })
    }

    /// Records a valid signal `mtu` for a packet of `size` bytes. False if `size` is not on the
    /// walk. `passes` returns the size that ICMP's flow or a TCP flow passes now.
    pub(crate) fn hear(
        &mut self,
        (method, flow): (ProbeMethod, u8),
        start: Bytes,
        (size, mtu): (Bytes, Bytes),
        passes: impl Fn(ProbeMethod, u8) -> Option<Bytes>,
        now: Moment,
    ) -> bool {
        let place = place_of(method, flow);
        if !self.steps(place, start).any(|step| step == size) {
            return false;
        }
        let hearer = &mut self.flows[place];
        hearer.own.hear(size, mtu, now);
        hearer.answered = hearer.answered.filter(|answered| *answered < size);
        hearer.unanswered = 0;
        hearer.silent = hearer.silent.filter(|silent| *silent < size);
        for (other, walk) in self.flows.iter_mut().enumerate().filter(|(other, _)| *other != place) {
            if place != ICMP && other != ICMP {
                walk.own.heard_elsewhere(size);
                continue;
            }
            // The other protocol ignores this signal up to the size it passes.
            let (method, flow) =
                if other == ICMP { (ProbeMethod::Echo, 0) } else { (ProbeMethod::Syn, number(other)) };
            walk.answered = walk.answered.max(passes(method, flow).filter(|passes| *passes >= size));
        }
        true
    }

    /// Packets of `size` bytes pass: signals to this flow for this and smaller sizes no longer
    /// hold.
    pub(crate) fn passed(&mut self, method: ProbeMethod, flow: u8, size: Bytes) {
        let walk = &mut self.flows[place_of(method, flow)];
        walk.own.passed(size);
        walk.answered = walk.answered.max(Some(size));
        walk.unanswered = 0;
        walk.silent = walk.silent.filter(|silent| *silent > size);
    }

    /// A packet of `size` bytes was answered, no larger than the walk's current size.
    pub(crate) fn answered(&mut self, method: ProbeMethod, flow: u8, size: Bytes) {
        let walk = &mut self.flows[place_of(method, flow)];
        if walk.answered <= Some(size) {
            walk.unanswered = 0;
        }
    }

    /// A packet of `size` bytes was lost. True if others receive signals at that size, so that the
    /// loss does not count; a TCP flow then competes with them again.
    pub(crate) fn doubt(&mut self, method: ProbeMethod, flow: u8, size: Bytes) -> bool {
        let place = place_of(method, flow);
        let relying = self.claim_of_others(place, size).is_some();
        let walk = &mut self.flows[place];
        if !relying || walk.silent >= Some(size) || walk.answered < Some(size) {
            return false;
        }
        walk.unanswered += 1;
        if place == ICMP && walk.unanswered >= GIVEN_UP {
            (walk.answered, walk.unanswered) = (None, 0);
        }
        true
    }

    /// These TCP flows are silent at `size`, for which others receive signals.
    pub(crate) fn found_silent(&mut self, flows: FlowSet, size: Bytes) {
        for flow in flows.iter() {
            let silent = &mut self.flows[usize::from(flow)].silent;
            *silent = (*silent).max(Some(size));
        }
    }

    /// A single packet larger than the ICMP walk's current size was lost while its control was
    /// answered. When sixty such losses end ICMP's memory of the signal, TCP's ends too unless it
    /// was renewed lately.
    pub(crate) fn single_unanswered(&mut self, size: Bytes, now: Moment) {
        self.flows[ICMP].own.single_unanswered(size);
        if !self.flows[ICMP].own.remembers(size) {
            let since = now.saturating_sub(RENEWED);
            self.flows[..ICMP].iter_mut().for_each(|walk| walk.own.forget_unrenewed(size, since));
        }
    }

    /// The same for TCP. The loss counts only if ICMP remembers no signal for the size, since ICMP
    /// might otherwise take all signals.
    pub(crate) fn tcp_unanswered(&mut self, size: Bytes) {
        if !self.flows[ICMP].own.remembers(size) {
            self.flows[..ICMP].iter_mut().for_each(|walk| walk.own.single_unanswered(size));
        }
    }

    /// Forgets signals older than ten minutes.
    pub(crate) fn expire(&mut self, now: Moment) {
        for walk in self.flows.iter_mut().filter(|walk| !walk.own.is_empty()) {
            walk.own.expire(now);
        }
    }

    fn path_mtu(&self, place: usize, start: Bytes) -> Bytes {
        if self.is_empty() {
            return start;
        }
        self.steps(place, start).last().unwrap_or(start)
    }

    /// All sizes of a flow's walk from `start`; the last is the size that discovery has arrived at.
    fn steps(&self, place: usize, start: Bytes) -> impl Iterator<Item = Bytes> + '_ {
        let walk = &self.flows[place];
        let next = move |size: &Bytes| {
            walk.own.claim(*size).or_else(|| {
                let relying = !walk.goes_on_at(*size);
                self.claim_of_others(place, *size).filter(|_| relying)
            })
        };
        // Each step is smaller than the last (`Walk::hear` accepts no other), so this ends.
        std::iter::successors(Some(start), next)
    }

    /// The smallest MTU that other flows remember from a signal for `size`.
    fn claim_of_others(&self, place: usize, size: Bytes) -> Option<Bytes> {
        let others = self.flows.iter().enumerate().filter(|(other, _)| *other != place);
        others.filter_map(|(_, walk)| walk.own.claim(size)).min()
    }
}

fn place_of(method: ProbeMethod, flow: u8) -> usize {
    if method == ProbeMethod::Syn { usize::from(flow) } else { ICMP }
}

fn number(place: usize) -> u8 {
    u8::try_from(place).unwrap_or(FLOWS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ProbeMethod::{Echo, Syn};

    const T0: Moment = Moment::ZERO;

    fn hear(walks: &mut Walks, method: ProbeMethod, size: Bytes, mtu: Bytes, other: Option<Bytes>) -> bool {
        walks.hear((method, 0), 9000, (size, mtu), |_, _| other, T0)
    }

    fn stand(walks: &Walks) -> (Bytes, Bytes, Bytes) {
        let tcp = walks.tcp_path_mtus(9000);
        (walks.icmp_path_mtu(9000), tcp[0], tcp[1])
    }

    #[test]
    fn a_signal_vouches_for_all_flows() {
        let mut walks = Walks::default();
        assert!(hear(&mut walks, Echo, 9000, 1500, None));
        assert!(hear(&mut walks, Syn, 1500, 1450, None), "1500 is where TCP stands");
        assert_eq!(stand(&walks), (1450, 1450, 1450));
        assert!(!hear(&mut walks, Syn, 1452, 1450, None), "no host on this walk sends 1452");
        assert_eq!(walks.signalled_above(9000).collect::<Vec<_>>(), [(0, 1500)]);
    }

    #[test]
    fn where_legs_differ_each_flow_stands_where_its_own_packets_pass() {
        let mut walks = Walks::default();
        hear(&mut walks, Syn, 9000, 1450, Some(9000));
        assert_eq!(stand(&walks), (9000, 1450, 1450), "ICMP passes, the other TCP flow is not known to");
        walks.passed(Syn, 1, 9000);
        assert_eq!(stand(&walks), (9000, 1450, 9000));
        assert!(!walks.doubt(Echo, 0, 9001));
        assert!(walks.doubt(Echo, 0, 9000));
        walks.answered(Echo, 0, 9000);
        (0..GIVEN_UP).for_each(|_| assert!(walks.doubt(Echo, 0, 9000)));
        assert_eq!(stand(&walks), (1450, 1450, 9000), "no longer answered, the signal vouches again");
        walks.passed(Echo, 0, 9000);
        walks.passed(Syn, 0, 9000);
        assert_eq!(stand(&walks), (9000, 9000, 9000));
    }

    #[test]
    fn a_tcp_flow_that_falls_silent_above_a_signal_is_in_question_and_stays_where_it_is() {
        let mut walks = Walks::default();
        hear(&mut walks, Syn, 9000, 1450, None);
        (1..FLOWS).for_each(|flow| walks.passed(Syn, flow, 9000));
        assert_eq!(walks.relied_on(9000), None);
        assert!(walks.doubt(Syn, 3, 9000));
        assert_eq!(walks.relied_on(9000).unwrap().others, FlowSet::of(3));
        assert_eq!(walks.tcp_path_mtus(9000)[3], 9000);
        walks.answered(Syn, 3, 9000);
        assert_eq!(walks.relied_on(9000), None);
    }

    #[test]
    fn flows_that_hear_different_claims_part() {
        let mut walks = Walks::default();
        hear(&mut walks, Echo, 9000, 971, None);
        hear(&mut walks, Syn, 9000, 1449, None);
        assert_eq!(stand(&walks), (971, 1449, 971));
    }

    #[test]
    fn a_flow_found_silent_stands_there_until_it_is_signalled_itself() {
        let mut walks = Walks::default();
        hear(&mut walks, Echo, 9000, 1450, None);
        hear(&mut walks, Syn, 9000, 1450, None);
        let relying = walks.relied_on(9000).unwrap();
        assert_eq!((relying.size, relying.flows, relying.icmp), (9000, FlowSet::of(0), true));
        assert_eq!(relying.others, FlowSet::ALL.without(FlowSet::of(0)));
        walks.found_silent(relying.others, 9000);
        assert_eq!(stand(&walks), (1450, 1450, 9000));
        assert!(!walks.doubt(Syn, 1, 9000));
        assert_eq!(walks.relied_on(9000), None);
        walks.hear((Syn, 1), 9000, (9000, 1400), |_, _| None, T0);
        assert_eq!(stand(&walks), (1450, 1450, 1400));
    }
}
