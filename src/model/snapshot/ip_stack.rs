//! Counters of a router's IP and UDP, from `/proc/net/snmp` and `/proc/net/snmp6`. They count all
//! traffic of the router since it started, not that of a tunnel.

use serde::Serialize;

use crate::model::family::Family;

/// The counters of both families.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct IpStack {
    /// IPv4.
    pub v4: IpCounters,
    /// IPv6.
    pub v6: IpCounters,
}

impl IpStack {
    /// The counters of a family.
    #[must_use]
    pub(crate) const fn of(&self, family: Family) -> &IpCounters {
        match family {
            Family::V4 => &self.v4,
            Family::V6 => &self.v6,
        }
    }
}

/// The counters of one family; one that the source does not tell is absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct IpCounters {
    /// `FragCreates`: fragments made.
    pub fragments_created: Option<u64>,
    /// `FragOKs`: packets that were sent in fragments.
    pub fragmented: Option<u64>,
    /// `FragFails`: packets that were too large and were not sent, for example because of DF.
    pub fragmentation_failures: Option<u64>,
    /// `ReasmReqds`: fragments received for the router itself.
    pub fragments_received: Option<u64>,
    /// `ReasmOKs`: packets put together from fragments.
    pub reassemblies: Option<u64>,
    /// `ReasmFails`: packets given up because a fragment was missing or there was no room.
    pub reassembly_failures: Option<u64>,
    /// `ReasmTimeout`: those of the failures whose missing fragment did not come in time.
    pub reassembly_timeouts: Option<u64>,
    /// UDP `NoPorts`: packets to a port at which nobody listens.
    pub udp_no_ports: Option<u64>,
    /// UDP `InErrors`.
    pub udp_errors: Option<u64>,
    /// UDP `RcvbufErrors`: packets dropped because a receive buffer was full.
    pub udp_buffer_errors: Option<u64>,
    /// UDP `InCsumErrors`.
    pub udp_checksum_errors: Option<u64>,
}
