//! A network as seen from the prober: plain data, written in a scenario or generated from a seed.
//! Sizes are bytes of IP packet.

use serde::Deserialize;
use vxlan_exporter::{model::family::Family, path::probe::FLOWS};

use super::{
    bucket::{Limit, Policer},
    loss::Loss,
};

/// One network between our host and the target, and the target itself.
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each of which a file may name")]
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// Shortest round trip, in ms.
    pub rtt_ms: f64,
    /// Up to this much is added to each, in ms.
    pub jitter_ms: f64,
    /// Whether nothing gets through.
    pub down: bool,
    /// Whether the target answers echo requests.
    pub icmp: bool,
    /// Whether the target reassembles echo requests that arrive in fragments.
    pub fragments: bool,
    /// How the target reacts to a SYN.
    pub tcp: Tcp,
    /// MSS of the SYN-ACK; absent for a closed port, which answers RST.
    pub mss: Option<u16>,
    /// MTU of the target's own interface, which accepts no larger packets; absent if it follows
    /// from its MSS.
    pub target_mtu: Option<u32>,
    /// If set, a router on the way lowers the MSS of our SYN to that of this MTU, so that the
    /// target sends no larger TCP segments. Only the target sees that; a clamp of its SYN-ACK is in
    /// `mss`.
    pub clamps_us: Option<u32>,
    /// A path MTU that the target remembers: it lowers its MSS, and its replies are cut to it.
    pub remembers: Option<u32>,
    /// Whether signals carry the target's own address, as a Linux bridge on the way makes them.
    pub bridge_signals: bool,
    /// Whether a box before all bottlenecks answers SYNs instead of the target.
    pub other_box: bool,
    /// If set, a firewall drops ICMP packets larger than this in both directions.
    pub icmp_filter: Option<u32>,
    /// Rate limit of "too big" signals; absent for none.
    pub signal_limit: Option<Limit>,
    /// Rate limit of echo answers; absent for none.
    pub echo_limit: Option<Limit>,
    /// A stateful box on the way.
    pub nat: Option<Nat>,
    /// Whether both hosts are on one segment and resolve each other's MAC over it.
    pub neighbours: bool,
    /// To the target.
    pub forward: Way,
    /// From the target.
    pub reverse: Way,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            rtt_ms: 2.0,
            jitter_ms: 0.0,
            down: false,
            icmp: true,
            fragments: true,
            tcp: Tcp::Answers,
            mss: Some(1460),
            target_mtu: None,
            clamps_us: None,
            remembers: None,
            bridge_signals: false,
            other_box: false,
            icmp_filter: None,
            signal_limit: None,
            echo_limit: None,
            nat: None,
            neighbours: false,
            forward: Way::default(),
            reverse: Way::default(),
        }
    }
}

impl Network {
    /// MTU of the target's own interface.
    pub fn interface(&self, family: Family) -> u32 {
        let named = || self.mss.map(|mss| u32::from(mss) + family.header() + 20);
        self.target_mtu.or_else(named).unwrap_or(u32::MAX)
    }
}

/// A box that remembers flows by ports and identifiers.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nat {
    /// Seconds without a packet after which it forgets a flow.
    pub timeout_s: f64,
    /// Whether it has switched to another route, so that its old flows lead nowhere.
    #[serde(default)]
    pub failover: bool,
    /// Whether it accepts no new flows.
    #[serde(default)]
    pub full: bool,
}

/// How a target reacts to a SYN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tcp {
    /// Answers it, with SYN-ACK or RST.
    Answers,
    /// Answers it unless it carries data.
    BareOnly,
    /// It does not answer, whatever the port.
    Silent,
    /// It does not answer on the path's port, but on others.
    Filtered,
    /// It answers, but what connections carry is lost, whatever the port.
    PayloadSilent,
    /// It answers, but what connections to the path's port carry is lost.
    PayloadFiltered,
    /// It answers, but SYNs of the kernel's connections are lost.
    KernelSilent,
}

impl Tcp {
    /// Whether SYNs are answered but something else about TCP fails.
    pub fn is_of_payload(self) -> bool {
        matches!(self, Self::PayloadSilent | Self::PayloadFiltered | Self::KernelSilent)
    }
}

/// One direction.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Way {
    /// Random loss.
    pub loss: Loss,
    /// A byte policer, shared with the traffic of others.
    pub policer: Option<Policer>,
    /// The outer packets that a frame is cut into.
    pub frames: Option<Frames>,
    /// In the order in which packets meet them.
    pub bottlenecks: Vec<Bottleneck>,
    /// A second underlay leg beside the first.
    pub leg: Option<Leg>,
}

impl Way {
    /// The bottlenecks of a packet of `flow`; `None` is ICMP's only flow.
    pub fn bottlenecks(&self, flow: Option<u8>) -> &[Bottleneck] {
        match (&self.leg, flow) {
            (Some(leg), Some(flow)) if leg.flows.contains(&flow) => &leg.bottlenecks,
            _ => &self.bottlenecks,
        }
    }

    /// Every flow a prober may use.
    pub fn flows() -> impl Iterator<Item = Option<u8>> {
        std::iter::once(None).chain((0..FLOWS).map(Some))
    }
}

/// A link that larger packets do not pass in one piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bottleneck {
    /// The largest packet that passes.
    pub above: u32,
    /// The MTU with which packets with DF are answered "fragmentation needed" (a lie, if it is not
    /// `above`); packets without DF are cut. Absent: all larger packets are lost.
    pub signals: Option<u32>,
    /// Whether packets without DF are lost instead of cut (a vxlan over an IPv6 underlay that is
    /// too small, measured).
    #[serde(default)]
    pub cuts_none: bool,
}

impl Bottleneck {
    /// All larger packets are lost.
    pub fn silent(above: u32) -> Self {
        Self { above, signals: None, cuts_none: false }
    }

    /// Larger packets are signalled or cut, as the RFCs say.
    pub fn signalled(above: u32, claim: u32) -> Self {
        Self { above, signals: Some(claim), cuts_none: false }
    }
}

/// A second underlay leg for some TCP flows; the others and ICMP use the first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leg {
    /// The TCP flows that hash to it.
    pub flows: Vec<u8>,
    /// The bottlenecks on it.
    #[serde(default)]
    pub bottlenecks: Vec<Bottleneck>,
}

/// A frame crosses the underlay in several outer packets, each of which may be lost.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frames {
    /// Bytes per outer packet.
    pub bytes: u32,
    /// Loss of each outer packet, 0..1.
    pub loss: f64,
}

impl Frames {
    /// Chance that a packet of `size` bytes is lost.
    pub fn loss_of(self, size: u32) -> f64 {
        let pieces = i32::try_from(size.div_ceil(self.bytes.max(1))).unwrap_or(i32::MAX);
        1.0 - (1.0 - self.loss).powi(pieces)
    }
}

/// For a datagram that is cut for links which carry `mtu`: the bytes of its largest fragment.
pub fn largest_piece(family: Family, size: u32, mtu: u32) -> u32 {
    let header = match family {
        Family::V4 => 20,
        // Including the fragment extension header.
        Family::V6 => 48,
    };
    if size <= mtu { size } else { header + mtu.saturating_sub(header).max(8) / 8 * 8 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_multiples_of_eight_behind_their_header() {
        assert_eq!(largest_piece(Family::V4, 1500, 1400), 1396);
        assert_eq!(largest_piece(Family::V4, 1400, 1400), 1400);
        assert_eq!(largest_piece(Family::V6, 1500, 1400), 1400);
    }

    #[test]
    fn loss_of_a_frame_grows_with_its_pieces() {
        let frames = Frames { bytes: 250, loss: 0.1 };
        assert!((frames.loss_of(68) - 0.1).abs() < 1e-9);
        assert!((frames.loss_of(1500) - (1.0 - 0.9_f64.powi(6))).abs() < 1e-9);
    }
}
