//! What a prober is told when it begins: what can be asked, what is expected, what was counted before.

use std::{collections::BTreeMap, time::Duration};

use crate::model::{
    family::Family,
    observation::{EchoStats, PathObservation},
    types::{Bytes, ProbeProtocol, ProbeResult, ProbeSize, SendError},
};

/// What our sockets can ask by ICMP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IcmpProbes {
    /// Nothing: no ICMP socket.
    None,
    /// DF echoes of any size: a ping socket, no privilege.
    Sized,
    /// Echo requests in fragments too: `CAP_NET_RAW`.
    Fragments,
}

/// What our sockets can ask by TCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TcpProbes {
    /// Nothing: the path has no port.
    None,
    /// Small probes: the kernel's own SYN, no privilege.
    Small,
    /// SYNs padded to any size: `CAP_NET_RAW`.
    Sized,
}

/// What one path's prober needs to know.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Time between two small echoes.
    pub probe_interval: Duration,
    /// Time between two sentinels.
    pub sentinel_interval: Duration,
    /// The expected MTU, if configured.
    pub expected_mtu: Option<Bytes>,
    /// Round-trip loss above which the path is lossy, 0..1.
    pub loss_threshold: f64,
    /// IPv4 or IPv6.
    pub family: Family,
    /// What can be asked by ICMP.
    pub icmp: IcmpProbes,
    /// What can be asked by TCP.
    pub tcp: TcpProbes,
    /// The target's port that is asked; 0 where there is none.
    pub tcp_port: u16,
    /// That port is the reflector's, as the path has none of its own: its silence is no finding.
    pub borrows_port: bool,
}

/// What a path has counted; it goes on where its target's address or its configuration changes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counts {
    /// The regular small echo.
    pub stats: EchoStats,
    /// Size probes by protocol, purpose and result.
    pub size_probes: BTreeMap<(ProbeProtocol, ProbeSize, ProbeResult), u64>,
    /// Packets that our own host refused to send.
    pub send_errors: BTreeMap<SendError, u64>,
    pub(super) next_id: u64,
}

impl Counts {
    /// What an observation tells: all but the number of the next probe, which only has to be no earlier one in flight.
    #[must_use]
    pub(crate) fn told(observation: &PathObservation) -> Self {
        Self {
            stats: observation.echo.clone(),
            size_probes: observation.size_probes.clone(),
            send_errors: observation.send_errors.clone(),
            next_id: 0,
        }
    }
}

/// What the hosts at both ends can take, as far as known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostMtu {
    /// The MTU of our own egress interface: what can be tested.
    pub testable: Bytes,
    /// What hosts of our site have: at least `testable`.
    pub hosts: Bytes,
    /// Where `hosts` comes from.
    pub rule: String,
    /// A router of our site has not been read yet, and may raise `hosts`.
    pub pending: bool,
    /// What our interface would let out, where a route of our own host allows less.
    pub above: Option<Bytes>,
}
