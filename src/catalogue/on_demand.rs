//! The families of `/probe`: the names of `blackbox_exporter` where it has one, and ours.
//!
//! None has a label made from the request.

use super::{MetricKind, MetricSpec, ValueSet};
use crate::model::types::{Direction, UnknownReason, Verdict};

families! {
    SUCCESS = Gauge "probe_success" in "0 or 1", [],
        "Whether the probe succeeded: an echo was answered, a connection was made, or the verdict is ok or \
         reduced.";
    DURATION = Gauge "probe_duration_seconds" in "seconds", [],
        "How long the probe took, with the look-up of the name.";
    LOOKUP = Gauge "probe_dns_lookup_time_seconds" in "seconds", [],
        "How long the look-up of the name took.";
    IP_PROTOCOL = Gauge "probe_ip_protocol" in "4 or 6", [],
        "The IP version that was probed; absent if the name has no address.";

    RTT = Gauge "vxlan_probe_rtt_seconds" in "seconds", [],
        "Mean round-trip time of the small echoes; absent if none was answered.";
    ECHO_REQUESTS = Gauge "vxlan_probe_echo_requests" in "packets", [],
        "Small echoes that were sent.";
    ECHO_LOST = Gauge "vxlan_probe_echo_lost" in "packets", [],
        "Small echoes that were not answered within 5 s.";
    VERDICT = Gauge "vxlan_probe_verdict" in "0 or 1", ["verdict": Verdict],
        "With the prober path_mtu: what a host that does path MTU discovery experiences; exactly one verdict is 1.";
    UNKNOWN_REASON = Gauge "vxlan_probe_unknown_reason" in "always 1 when present", ["reason": UnknownReason],
        "With the prober path_mtu: why the verdict is unknown.";
    BLACKHOLE = Gauge "vxlan_probe_blackhole" in "0 or 1", ["direction": Direction],
        "With the prober path_mtu: whether a black hole is proven in that direction.";
    MTU = Gauge "vxlan_probe_mtu_bytes" in "bytes of IP packet", ["direction"],
        "With the prober path_mtu: the path MTU, at most the expected one; absent while it is not known.";
    EXPECTED_MTU = Gauge "vxlan_probe_expected_mtu_bytes" in "bytes of IP packet", [],
        "With the prober path_mtu: the MTU that the path should have.";
    TESTABLE_MTU = Gauge "vxlan_probe_testable_mtu_bytes" in "bytes of IP packet", [],
        "With the prober path_mtu: the largest packet that this machine's own interface can send.";
}
