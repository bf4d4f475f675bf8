//! What a prober needs at its start: available probes, expected sizes, and counters to continue.

use std::{sync::Arc, time::Duration};

use crate::{
    language::Said,
    model::{family::Family, observation::PathCounters, types::Bytes},
};

/// The ICMP probes that our sockets can send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IcmpProbes {
    /// None: no ICMP socket.
    None,
    /// DF echoes of any size: a ping socket, no privilege needed.
    Sized,
    /// Fragmented echo requests as well: needs `CAP_NET_RAW`.
    Fragments,
}

/// The TCP probes that our sockets can send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TcpProbes {
    /// None: the path has no port.
    None,
    /// Small probes: SYNs sent by the kernel, no privilege needed.
    Small,
    /// SYNs padded to any size: needs `CAP_NET_RAW`.
    Sized,
}

/// How often regular packets are sent: each interval is multiplied by this, while this process
/// cannot keep up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Multiplies the interval of sentinels.
    pub sentinel: u32,
    /// Multiplies the interval of the small echo.
    pub echo: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { sentinel: 1, echo: 1 }
    }
}

/// The settings of one path's prober.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Interval between small echoes.
    pub probe_interval: Duration,
    /// Interval between sentinels, the regular full-size packets.
    pub sentinel_interval: Duration,
    /// The expected MTU in bytes of IP packet, if configured.
    pub expected_mtu: Option<Bytes>,
    /// Round-trip loss, 0 to 1, above which the path is lossy.
    pub loss_threshold: f64,
    /// IPv4 or IPv6.
    pub family: Family,
    /// The ICMP probes available.
    pub icmp: IcmpProbes,
    /// The TCP probes available.
    pub tcp: TcpProbes,
    /// The target's TCP port; 0 if there is none.
    pub tcp_port: u16,
    /// The path has no port of its own and uses the reflector's, whose silence proves nothing about
    /// TCP.
    pub borrows_port: bool,
}

/// What continues when a path's target address or configuration changes.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// The counters.
    pub counters: Arc<PathCounters>,
    /// The next probe's id. Ids must not repeat one in flight; those of an engine that died are in
    /// flight no more.
    pub(super) next_id: u64,
}

impl Counts {
    /// Continues with these counters.
    #[must_use]
    pub(crate) fn with(counters: Arc<PathCounters>) -> Self {
        Self { counters, next_id: 0 }
    }
}

/// The MTU of our own host and of other hosts of our site, in bytes of IP packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostMtu {
    /// The MTU of our own egress interface: the largest size that can be tested.
    pub testable: Bytes,
    /// The MTU of hosts of our site: at least `testable`.
    pub hosts: Bytes,
    /// Where `hosts` comes from.
    pub rule: Said,
    /// A router of our site has not been read yet and may raise `hosts`.
    pub pending: bool,
    /// The interface's own MTU, if a route on our own host allows less.
    pub above: Option<Bytes>,
}
