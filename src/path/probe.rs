//! The types for probes to send and the answers to them.
//!
//! A [`Moment`] is the time since the prober was made: the prober has no clock of its own.

use std::time::Duration;

use super::refusal::Refusal;
use crate::model::{
    family::{FRAGMENT_PAYLOAD, Family},
    types::{Bytes, ProbeProtocol, ProbeSize},
};

/// Time since the prober was made.
pub type Moment = Duration;

/// TCP flows per path. VXLAN's outer source port is a hash of the inner flow, so each flow may take
/// a different underlay leg (ECMP).
pub const FLOWS: u8 = 8;

/// A probe method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProbeMethod {
    /// An ICMP echo with DF. A complete reply means that the size passes in both directions.
    Echo,
    /// A padded TCP SYN with DF. Any answer means that the size passes forward.
    Syn,
    /// An echo request in small fragments, whose reply is sent as one packet: tests the reverse
    /// direction.
    Fragments,
}

impl ProbeMethod {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Echo, Self::Syn, Self::Fragments];

    /// The label value of `vxlan_exporter_size_probes_total`.
    #[must_use]
    pub(crate) const fn protocol(self) -> ProbeProtocol {
        match self {
            Self::Echo | Self::Fragments => ProbeProtocol::Icmp,
            Self::Syn => ProbeProtocol::Tcp,
        }
    }

    /// How many packets one probe of `size` bytes puts on the wire.
    #[must_use]
    pub const fn packets(self, family: Family, size: Bytes) -> u32 {
        match self {
            Self::Echo | Self::Syn => 1,
            Self::Fragments => fragments_of(family, size),
        }
    }
}

/// How many fragments an IP packet of `size` bytes is sent in; at least two.
#[must_use]
pub const fn fragments_of(family: Family, size: Bytes) -> u32 {
    let payload = size.saturating_sub(family.header());
    let count = payload.div_ceil(FRAGMENT_PAYLOAD);
    if count < 2 { 2 } else { count }
}

/// Identifies a probe within one path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProbeId(pub u64);

/// One packet to send; with [`ProbeMethod::Fragments`], one datagram sent as fragments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// Its id.
    pub id: ProbeId,
    /// The probe method.
    pub method: ProbeMethod,
    /// The TCP flow, below [`FLOWS`]; 0 for other methods.
    pub flow: u8,
    /// The size being tested, in bytes of IP packet.
    pub size: Bytes,
    /// What it is for. A [`ProbeSize::Control`] is small, but is sent in as many fragments as a
    /// probe of `size`.
    pub purpose: ProbeSize,
    /// The target's TCP port for [`ProbeMethod::Syn`]; 0 for other methods.
    pub port: u16,
    /// A SYN without payload, to test only whether the target answers. The small half of a TCP pair
    /// does carry payload, so that a firewall that drops SYNs with data drops both halves alike.
    pub bare: bool,
    /// Uses an ICMP identifier or local port never used before, so that no middlebox remembers its
    /// flow.
    pub fresh: bool,
}

/// What to send now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Send {
    /// The regular small echo `seq`, which measures round-trip time and loss.
    Echo {
        /// Sequence number, from 0.
        seq: u64,
    },
    /// A probe.
    Probe(Probe),
    /// A connection made by the kernel, with one byte sent on it; its result is a [`ByteFate`].
    Byte {
        /// Its id.
        id: ProbeId,
        /// The target's TCP port.
        port: u16,
    },
    /// Use new local ports for all flows and a new echo identifier from now on: the old flows are
    /// dead.
    Renew,
}

/// How long to wait for the kernel to connect: it sends SYNs after 0, 1, 3 and 7 s.
pub const CONNECTS_WITHIN: Duration = Duration::from_millis(7500);

/// How long to wait for the acknowledgement of the byte, which the kernel sends after 0, 0.2, 0.6,
/// 1.4 and 3 s (`TCP_RTO_MIN`).
pub const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(6);

/// The result of a connection on which one byte was sent. It is always reported, even if nothing
/// came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteFate {
    /// The byte was acknowledged, or the target closed the established connection.
    Passed,
    /// RST in reply to the SYN: the port is closed.
    Refused,
    /// The connection was established, but the byte was not acknowledged within
    /// [`ACKNOWLEDGED_WITHIN`].
    Unacknowledged,
    /// The connection was not established within [`CONNECTS_WITHIN`].
    Unconnected,
    /// Not attempted, because too many connections of all paths were under way.
    Crowded,
    /// It never left our own host.
    NotSent(Refusal),
}

/// Details of an answer; each is none if the socket does not provide it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reply {
    /// The MSS option of a SYN-ACK, in bytes of TCP payload.
    pub mss: Option<u16>,
    /// TTL or hop limit with which it arrived.
    pub ttl: Option<u8>,
    /// For a TCP answer: whether it is an RST rather than a SYN-ACK.
    pub reset: Option<bool>,
    /// The largest fragment of the answer in bytes of IP packet, if it was fragmented
    /// (`IP_RECVFRAGSIZE`): no larger packet comes back unfragmented.
    pub largest_fragment: Option<Bytes>,
}

/// The result of a packet. Silence is not reported: the prober detects it by timeout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The target answered with the whole size.
    Passed(Reply),
    /// A valid Packet Too Big that quotes the packet, with an MTU below its size.
    TooBig {
        /// The reported MTU in bytes of IP packet.
        mtu: Bytes,
        /// Whether its source is the target's own address: it comes from the target (a node for a
        /// pod behind a `NodePort`) or from a bridge on the path.
        by_target: bool,
    },
    /// It never left our own host.
    NotSent(Refusal),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_size_datagram_is_three_fragments_of_576() {
        assert_eq!(fragments_of(Family::V4, 1500), 3);
        assert_eq!(fragments_of(Family::V4, 1124), 2);
        assert_eq!(fragments_of(Family::V4, 1125), 3);
        assert_eq!(fragments_of(Family::V4, 68), 2);
        assert_eq!(fragments_of(Family::V6, 1144), 2);
        assert_eq!(fragments_of(Family::V6, 1145), 3);
    }
}
