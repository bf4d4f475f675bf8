//! What the prober does on Packet Too Big, and on a reply in fragments that shows that the target
//! has received one.

use super::{
    PathProber, Role, Sent,
    answers::{entrant, is_large},
};
use crate::{
    model::{
        family::Family,
        types::{Bytes, ProbeSize},
    },
    path::{
        hole::{detect::Detect, flow_set::FlowSet},
        pairs::Fate,
        probe::{Moment, ProbeMethod, Reply},
    },
};

/// How many bytes more than the MTU of a port a Linux bridge lets pass, for a VLAN tag.
const VLAN_TAG: Bytes = 4;

/// The payload of every fragment but the last is a multiple of this, bytes (RFC 8200, section 4.5).
const PIECE_STEP: Bytes = 8;

impl PathProber {
    /// The largest fragment of a reply that proves nothing, because our own probes made the target
    /// fragment it; bytes of IP packet.
    ///
    /// An IPv6 target that receives Packet Too Big fragments its replies for the next 10 minutes.
    /// After proven silence, our own probes may have provoked that Packet Too Big: a bridge drops
    /// full-size frames in silence, but signals the few bytes that it allows for a VLAN tag. The
    /// hole then still exists for other hosts, although every size comes back.
    pub(super) fn in_pieces(&self, sent: Sent, reply: Reply) -> Option<Bytes> {
        let teaches = if self.can_fragment() { ProbeMethod::Fragments } else { ProbeMethod::Echo };
        let detector = if teaches == ProbeMethod::Fragments { &self.fragments } else { &self.echo };
        let taught = |largest: Bytes| match (detector.silent_from(), detector.last_edge()) {
            // Fragments larger than the edge contradict the hole. Much smaller ones come of a
            // Packet Too Big that others provoked.
            (Some(_), Some(edge)) => largest <= edge && largest + VLAN_TAG + PIECE_STEP > edge,
            (silent, _) => silent.is_some(),
        };
        let asked = sent.probe.method == teaches && is_large(sent.probe);
        reply.largest_fragment.filter(|largest| {
            asked && self.settings.family == Family::V6 && *largest < sent.probe.size && taught(*largest)
        })
    }

    pub(super) fn passed_in_pieces(&mut self, sent: Sent, largest: Bytes, now: Moment) {
        if let Role::Shot(shot) = sent.role {
            if sent.probe.method == ProbeMethod::Echo {
                self.echo.came_in_pieces();
            }
            let detector = self.detector_mut(sent.probe.method);
            detector.resolve(shot, Fate::Void, now);
            detector.signalled(shot, largest, false, now);
        }
    }

    pub(super) fn too_big(&mut self, sent: Sent, mtu: Bytes, now: Moment) {
        let size = sent.probe.size;
        if let Role::Shot(shot) = sent.role {
            self.detector_mut(sent.probe.method).resolve(shot, Fate::Void, now);
        }
        if sent.probe.purpose == ProbeSize::Control || mtu >= size {
            return;
        }
        let (method, ceiling) = (sent.probe.method, self.ceiling());
        let (echo, syn) = (&self.echo, &self.syn);
        let passes =
            |method, flow| if method == ProbeMethod::Syn { syn.passing_on(flow) } else { echo.passing() };
        let on_walk = self.walks.hear((method, sent.probe.flow), ceiling, (size, mtu), passes, now);
        if on_walk {
            self.signalled_at = Some(now);
            self.restand(now);
        }
        if let Role::Contest { round } = sent.role {
            let silent = self.contest.signalled(round, entrant(sent.probe), now);
            self.found_silent(silent, size, now);
        }
        match sent.role {
            Role::Shot(shot) => self.detector_mut(method).signalled(shot, mtu, on_walk, now),
            Role::Sentinel if !on_walk => self.detector_mut(method).refused(sent.probe.flow, size, mtu, now),
            _ => {}
        }
    }

    /// TCP flows that stay silent at a size for which others receive Packet Too Big take an
    /// underlay leg of their own.
    pub(super) fn found_silent(&mut self, flows: FlowSet, size: Bytes, now: Moment) {
        if !flows.is_empty() {
            self.walks.found_silent(flows, size);
            self.restand(now);
            self.syn.look_above(flows.iter().map(|flow| (flow, size)));
        }
    }
}
