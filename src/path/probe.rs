//! The words in which the pure machine asks for packets and is told what came back.
//!
//! A [`Moment`] is the time since the prober was made: the machine has no clock of its own.

use std::time::Duration;

use super::refusal::Refusal;
use crate::model::{
    family::{FRAGMENT_PAYLOAD, Family},
    types::{Bytes, ProbeProtocol, ProbeSize},
};

/// Time since the prober was made.
pub type Moment = Duration;

/// TCP flows of a path; VXLAN's outer source port hashes the inner flow, so each may take another leg.
pub const FLOWS: u8 = 8;

/// A probe method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProbeMethod {
    /// An ICMP echo with DF: a whole reply means the size passes both ways.
    Echo,
    /// A TCP SYN with DF, padded: any answer means the size passes forward.
    Syn,
    /// An echo request in small fragments, whose reply comes back whole: reverse.
    Fragments,
}

impl ProbeMethod {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Echo, Self::Syn, Self::Fragments];

    /// The label value of `vxlan_path_size_probes_total`.
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

/// How many fragments an IP packet of `size` bytes becomes; at least two, or it would be no fragment.
#[must_use]
pub const fn fragments_of(family: Family, size: Bytes) -> u32 {
    let payload = size.saturating_sub(family.header());
    let count = payload.div_ceil(FRAGMENT_PAYLOAD);
    if count < 2 { 2 } else { count }
}

/// Names one probe within one path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProbeId(pub u64);

/// One packet to send (or, on [`ProbeMethod::Fragments`], one datagram in fragments).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// Its name.
    pub id: ProbeId,
    /// How to ask.
    pub method: ProbeMethod,
    /// Which TCP flow, below [`FLOWS`]; 0 elsewhere.
    pub flow: u8,
    /// Bytes of IP packet that the question is about.
    pub size: Bytes,
    /// What it is for. A [`ProbeSize::Control`] is sent small, in as many fragments as one of `size`.
    pub purpose: ProbeSize,
    /// The target's TCP port, on [`ProbeMethod::Syn`]; 0 elsewhere.
    pub port: u16,
    /// Asks only whether the target is there: a SYN without any payload. The small half of a TCP pair
    /// carries some, so that a firewall that drops SYNs with data drops both halves alike.
    pub bare: bool,
    /// With an identifier, or from a local port, that was never used before: no box on the way remembers its flow.
    pub fresh: bool,
}

/// Something to send now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Send {
    /// The regular small echo number `seq`, which decides round-trip time and loss.
    Echo {
        /// Counts from 0.
        seq: u64,
    },
    /// A packet of our own.
    Probe(Probe),
    /// A connection of the kernel's own, and one byte on it; [`ByteFate`] tells of it.
    Byte {
        /// Its name.
        id: ProbeId,
        /// The target's port.
        port: u16,
    },
    /// From now on all flows have other ports, and echoes another identifier: the former ones are dead.
    Renew,
}

/// The kernel's SYNs are waited for so long: those sent after 0, 1, 3 and 7 s.
pub const CONNECTS_WITHIN: Duration = Duration::from_millis(7500);

/// The acknowledgement of a byte is waited for so long: it is sent after 0, 0.2, 0.6, 1.4 and 3 s (`TCP_RTO_MIN`).
pub const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(6);

/// What became of a connection on which one byte was sent. This is always told, silence too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteFate {
    /// The byte was acknowledged, or the target ended the connection after it stood.
    Passed,
    /// RST to the SYN: nobody listens.
    Refused,
    /// It stood, and the byte was not acknowledged within [`ACKNOWLEDGED_WITHIN`].
    Unacknowledged,
    /// It did not stand within [`CONNECTS_WITHIN`].
    Unconnected,
    /// Too many of all paths were under way: it was not even tried.
    Crowded,
    /// It never left our own host.
    NotSent(Refusal),
}

/// What an answer tells beside the fact that it came. All absent where the socket does not show it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reply {
    /// The MSS option of a SYN-ACK, bytes of TCP payload.
    pub mss: Option<u16>,
    /// TTL or hop limit with which it arrived.
    pub ttl: Option<u8>,
    /// Of a TCP answer: RST, not SYN-ACK.
    pub reset: Option<bool>,
    /// The largest fragment it came in, bytes of IP packet, where it came in fragments
    /// (`IP_RECVFRAGSIZE`): what comes back whole is at most this.
    pub largest_fragment: Option<Bytes>,
}

/// What became of a packet. Silence is told by nobody: the machine sees it by the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The target answered, the whole size.
    Passed(Reply),
    /// A valid "fragmentation needed" that quotes the packet, for an MTU smaller than it.
    TooBig {
        /// The MTU it claims, bytes.
        mtu: Bytes,
        /// Whether it is signed with the target's own address: by the target (a node for a pod behind a `NodePort`), or
        /// by a bridge on the way.
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
