//! What a network is like, as seen from the prober: plain data, written in a scenario or made up from a
//! seed. Sizes are bytes of IP packet.

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
    /// Shortest round trip.
    pub rtt_ms: f64,
    /// Up to so much is added to each.
    pub jitter_ms: f64,
    /// Nothing gets through.
    pub down: bool,
    /// The target answers echo requests.
    pub icmp: bool,
    /// The target puts echo requests together that come in fragments.
    pub fragments: bool,
    /// What the target makes of a SYN.
    pub tcp: Tcp,
    /// MSS of the SYN-ACK; absent: a closed port, which answers RST.
    pub mss: Option<u16>,
    /// MTU of the target's own interface, which takes no larger packets; absent: what its MSS says.
    pub target_mtu: Option<u32>,
    /// A router on the way lowers the MSS of our SYN to that of this MTU: the target sends no larger TCP segments. It alone sees that; a
    /// clamp of its SYN-ACK is in `mss`.
    pub clamps_us: Option<u32>,
    /// A path MTU that the target remembers: its MSS is lowered by it, and its replies are cut to it.
    pub remembers: Option<u32>,
    /// Signals bear the target's own address, as a Linux bridge on the way makes them.
    pub bridge_signals: bool,
    /// A box before all bottlenecks answers SYNs in the target's stead.
    pub other_box: bool,
    /// A firewall drops ICMP packets larger than this, both ways.
    pub icmp_filter: Option<u32>,
    /// How often "too big" is signalled; absent: always.
    pub signal_limit: Option<Limit>,
    /// How often echoes are answered; absent: always.
    pub echo_limit: Option<Limit>,
    /// A stateful box on the way.
    pub nat: Option<Nat>,
    /// Both hosts are on one segment and ask for each other's MAC over it.
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

/// A box that remembers flows, by ports and identifiers.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nat {
    /// It forgets a flow of which no packet came for so long.
    pub timeout_s: f64,
    /// It has moved to another way, and what it remembers of before leads nowhere.
    #[serde(default)]
    pub failover: bool,
    /// It takes no flow that it does not know.
    #[serde(default)]
    pub full: bool,
}

/// What a target makes of a SYN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tcp {
    /// Answers it, with SYN-ACK or RST.
    Answers,
    /// Answers it unless it carries data.
    BareOnly,
    /// Says nothing, whatever the port.
    Silent,
    /// Says nothing on the path's port, and answers on others.
    Filtered,
    /// Answers it, and what connections carry vanishes, whatever the port.
    PayloadSilent,
    /// Answers it, and what connections to the path's port carry vanishes.
    PayloadFiltered,
    /// Answers it, but SYNs of the kernel's own vanish.
    KernelSilent,
}

impl Tcp {
    /// SYNs are answered, and that is not all.
    pub fn is_of_payload(self) -> bool {
        matches!(self, Self::PayloadSilent | Self::PayloadFiltered | Self::KernelSilent)
    }
}

/// One direction.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Way {
    /// What is lost by chance.
    pub loss: Loss,
    /// A byte policer, with the traffic of others.
    pub policer: Option<Policer>,
    /// The outer packets a frame is cut into.
    pub frames: Option<Frames>,
    /// In the order in which packets meet them.
    pub bottlenecks: Vec<Bottleneck>,
    /// A second underlay leg beside the first.
    pub leg: Option<Leg>,
}

impl Way {
    /// What a packet of `flow` meets; `None` is ICMP's only flow.
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
    /// The largest that passes.
    pub above: u32,
    /// Packets with DF are answered "fragmentation needed" with this MTU (a lie, if it is not `above`),
    /// others are cut; absent: all vanish.
    pub signals: Option<u32>,
    /// Packets without DF are not cut but vanish (a vxlan over an IPv6 underlay that is too small, measured).
    #[serde(default)]
    pub cuts_none: bool,
}

impl Bottleneck {
    /// All larger packets vanish.
    pub fn silent(above: u32) -> Self {
        Self { above, signals: None, cuts_none: false }
    }

    /// Larger ones are signalled, or cut, by the rules.
    pub fn signalled(above: u32, claim: u32) -> Self {
        Self { above, signals: Some(claim), cuts_none: false }
    }
}

/// An underlay leg taken by some TCP flows; the others and ICMP take the first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leg {
    /// Which TCP flows hash to it.
    pub flows: Vec<u8>,
    /// What they meet there.
    #[serde(default)]
    pub bottlenecks: Vec<Bottleneck>,
}

/// A frame crosses the underlay in several outer packets, each of which may be lost.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frames {
    /// Bytes of one outer packet.
    pub bytes: u32,
    /// Loss of each, 0..1.
    pub loss: f64,
}

impl Frames {
    /// Chance that a packet of `size` bytes is lost.
    pub fn loss_of(self, size: u32) -> f64 {
        let pieces = i32::try_from(size.div_ceil(self.bytes.max(1))).unwrap_or(i32::MAX);
        1.0 - (1.0 - self.loss).powi(pieces)
    }
}

/// A datagram cut into pieces for links that carry `mtu`: the bytes of its largest piece.
pub fn largest_piece(family: Family, size: u32, mtu: u32) -> u32 {
    let header = match family {
        Family::V4 => 20,
        // The fragment extension header.
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
