//! Every metric family, declared once: name, type, unit, help, labels and the values a label may
//! take.
//!
//! Only families declared here reach `/metrics`: a [`MetricSpec`] can be made nowhere else, and
//! samples are made only from families. docs/metrics.md is generated from this catalogue.

use crate::model::{
    family::Family,
    types::{
        BlackholeReason, Capability, Direction, DroppedKind, FailureReason, FdbKind, LoginRefusal, Method,
        MismatchField, ProbeProtocol, ProbeResult, ProbeSize, SandboxLayer, SendError, Task, TransitionState,
        TunnelState, TurnedAway, UnknownReason, Verdict,
    },
};

/// The families of `/metrics`, then those of `/probe`.
pub fn every() -> impl Iterator<Item = &'static MetricSpec> {
    ALL.iter().chain(on_demand::ALL).copied()
}

/// The family of that name, if there is one.
#[must_use]
pub fn find(name: &str) -> Option<&'static MetricSpec> {
    every().find(|family| family.name == name)
}

macro_rules! families {
    ($(
        $id:ident = $kind:ident $name:literal in $unit:literal, [$($label:literal $(: $set:ident)?),*], $help:literal;
    )+) => {
        $(
            #[doc = concat!("`", $name, "`: ", $help)]
            pub static $id: MetricSpec = MetricSpec {
                name: $name,
                kind: MetricKind::$kind,
                unit: $unit,
                help: $help,
                labels: &[$($label),*],
                value_sets: &[$($(ValueSet {
                    label: $label,
                    values: || $set::ALL.iter().map(|value| value.as_str()).collect(),
                },)?)*],
            };
        )+

        /// All families, in the order of docs/metrics.md.
        pub static ALL: &[&MetricSpec] = &[$(&$id),+];
    };
}

pub(crate) mod manual;
pub(crate) mod on_demand;
mod spec;

pub use manual::manual;
pub use spec::{MetricKind, MetricSpec, ValueSet};

families! {
    ROUTER_UP = Gauge "vxlan_router_up" in "0 or 1", ["router", "site"],
        "Whether the last attempt to read the router succeeded; absent before the first attempt has ended.";
    ROUTER_INFO = Gauge "vxlan_router_info" in "always 1", ["router", "site", "version", "method": Method],
        "Software version of the router and the method that reads it; only while it can be read.";
    ROUTER_HOST_KEY_MISMATCH = Gauge "vxlan_router_host_key_mismatch" in "0 or 1", ["router", "site"],
        "Whether the last attempt failed because the router's host key or certificate is not the \
         configured one.";
    ROUTER_SCRAPE_DURATION = Gauge "vxlan_router_scrape_duration_seconds" in "seconds", ["router", "site"],
        "How long the last attempt to read the router took.";
    ROUTER_SCRAPE_FAILURES = Counter "vxlan_router_scrape_failures_total" in "attempts",
        ["router", "site", "reason": FailureReason],
        "Failed attempts to read the router, by reason.";
    ROUTER_DROPPED_ITEMS = Counter "vxlan_router_dropped_items_total" in "items",
        ["router", "site", "kind": DroppedKind],
        "Items in the router's output that the exporter left out, because they exceed a limit or could not \
         be parsed.";
    ROUTER_LAST_SUCCESS = Gauge "vxlan_router_last_success_timestamp_seconds" in "seconds since 1970",
        ["router", "site"],
        "When the router was last read successfully.";

    ROUTER_FRAGMENTS_CREATED = Counter "vxlan_router_ip_fragments_created_total" in "packets",
        ["router", "site", "family": Family],
        "Fragments that the router made of packets too large for their route: of all its traffic, not a \
         tunnel's; since it started.";
    ROUTER_FRAGMENTATION_FAILURES = Counter "vxlan_router_ip_fragmentation_failures_total" in "packets",
        ["router", "site", "family": Family],
        "Packets too large for their route that the router did not send in fragments, for example because of \
         DF: of all its traffic, not a tunnel's; since it started.";
    ROUTER_FRAGMENTS_RECEIVED = Counter "vxlan_router_ip_fragments_received_total" in "fragments",
        ["router", "site", "family": Family],
        "Fragments to the router: all of them, not a tunnel's; since it started.";
    ROUTER_REASSEMBLIES = Counter "vxlan_router_ip_reassemblies_total" in "packets",
        ["router", "site", "family": Family],
        "Packets to the router that it put together from fragments: all of them, not a tunnel's; since it \
         started.";
    ROUTER_REASSEMBLY_FAILURES = Counter "vxlan_router_ip_reassembly_failures_total" in "packets",
        ["router", "site", "family": Family],
        "Packets to the router that it gave up because a fragment did not come (after 30 s) or there was no \
         room: all of them, not a tunnel's; since it started.";
    ROUTER_REASSEMBLY_TIMEOUTS = Counter "vxlan_router_ip_reassembly_timeouts_total" in "packets",
        ["router", "site", "family": Family],
        "Packets to the router that it gave up because a fragment did not come in time: part of the failures, \
         and none of them while there is no room; since it started.";
    ROUTER_UDP_NO_PORTS = Counter "vxlan_router_udp_no_ports_total" in "packets",
        ["router", "site", "family": Family],
        "UDP packets to a port at which nobody listens on the router, as VXLAN to a wrong port is: all of \
         them, not a tunnel's; since it started.";
    ROUTER_UDP_ERRORS = Counter "vxlan_router_udp_receive_errors_total" in "packets",
        ["router", "site", "family": Family],
        "UDP packets to the router that it received and dropped, for any reason: of all its traffic, not a \
         tunnel's; since it started.";
    ROUTER_UDP_BUFFER_ERRORS = Counter "vxlan_router_udp_receive_buffer_errors_total" in "packets",
        ["router", "site", "family": Family],
        "Those of the receive errors that were due to a full receive buffer.";
    ROUTER_UDP_CHECKSUM_ERRORS = Counter "vxlan_router_udp_checksum_errors_total" in "packets",
        ["router", "site", "family": Family],
        "Those of the receive errors that were due to a wrong checksum.";

    UNDERLAY_MTU = Gauge "vxlan_underlay_interface_mtu_bytes" in "bytes of IP packet", ["router", "site", "interface"],
        "MTU of a device that carries the route to a remote VTEP, whatever its type; each device once, \
         however many tunnels leave by it. The links that a VLAN is on, and its VRF, are included.";
    UNDERLAY_RX_BYTES = Counter "vxlan_underlay_interface_receive_bytes_total" in "bytes",
        ["router", "site", "interface"],
        "Bytes received by such a device, of all traffic.";
    UNDERLAY_RX_PACKETS = Counter "vxlan_underlay_interface_receive_packets_total" in "packets",
        ["router", "site", "interface"],
        "Packets received by such a device.";
    UNDERLAY_RX_ERRORS = Counter "vxlan_underlay_interface_receive_errors_total" in "packets",
        ["router", "site", "interface"],
        "Packets received by such a device with an error.";
    UNDERLAY_RX_DROPPED = Counter "vxlan_underlay_interface_receive_dropped_total" in "packets",
        ["router", "site", "interface"],
        "Packets received by such a device and dropped.";
    UNDERLAY_RX_LENGTH_ERRORS = Counter "vxlan_underlay_interface_receive_length_errors_total" in "packets",
        ["router", "site", "interface"],
        "Packets received by such a device that were too long or too short: above 0, another device of its \
         segment may have a larger MTU.";
    UNDERLAY_RX_OVERRUNS = Counter "vxlan_underlay_interface_receive_overruns_total" in "packets",
        ["router", "site", "interface"],
        "Packets lost to a full receive queue of such a device.";
    UNDERLAY_RX_MISSED = Counter "vxlan_underlay_interface_receive_missed_errors_total" in "packets",
        ["router", "site", "interface"],
        "Packets that such a device missed for lack of buffers.";
    UNDERLAY_TX_BYTES = Counter "vxlan_underlay_interface_transmit_bytes_total" in "bytes",
        ["router", "site", "interface"],
        "Bytes transmitted by such a device, of all traffic.";
    UNDERLAY_TX_PACKETS = Counter "vxlan_underlay_interface_transmit_packets_total" in "packets",
        ["router", "site", "interface"],
        "Packets transmitted by such a device.";
    UNDERLAY_TX_ERRORS = Counter "vxlan_underlay_interface_transmit_errors_total" in "packets",
        ["router", "site", "interface"],
        "Packets that such a device could not transmit.";
    UNDERLAY_TX_DROPPED = Counter "vxlan_underlay_interface_transmit_dropped_total" in "packets",
        ["router", "site", "interface"],
        "Packets that such a device dropped before transmission.";

    INTERFACE_INFO = Gauge "vxlan_interface_info" in "always 1",
        ["router", "site", "interface", "vni", "remote", "local", "port", "bridge", "df"],
        "Settings of a vxlan interface; a label is empty if it is not set or not known.";
    INTERFACE_UP = Gauge "vxlan_interface_up" in "0 or 1", ["router", "site", "interface"],
        "Whether the vxlan interface is administratively up and not operationally down (UNKNOWN is its normal state).";
    INTERFACE_MTU = Gauge "vxlan_interface_mtu_bytes" in "bytes of IP packet", ["router", "site", "interface"],
        "MTU of the vxlan interface.";
    INTERFACE_UNDERLAY_MTU = Gauge "vxlan_interface_underlay_mtu_bytes" in "bytes of IP packet",
        ["router", "site", "interface"],
        "Smallest MTU of the routes to the remote VTEPs that frames are flooded to; VXLAN adds 50 bytes over IPv4, 70 over IPv6.";
    INTERFACE_RX_BYTES = Counter "vxlan_interface_receive_bytes_total" in "bytes", ["router", "site", "interface"],
        "Bytes received, counted by the router's kernel; reset when the device is recreated.";
    INTERFACE_RX_PACKETS = Counter "vxlan_interface_receive_packets_total" in "packets", ["router", "site", "interface"],
        "Packets received.";
    INTERFACE_RX_ERRORS = Counter "vxlan_interface_receive_errors_total" in "packets", ["router", "site", "interface"],
        "Packets received with an error.";
    INTERFACE_RX_DROPPED = Counter "vxlan_interface_receive_dropped_total" in "packets",
        ["router", "site", "interface"],
        "Packets received and dropped.";
    INTERFACE_RX_OVERRUNS = Counter "vxlan_interface_receive_overruns_total" in "packets",
        ["router", "site", "interface"],
        "Packets lost to a full receive queue.";
    INTERFACE_RX_MULTICAST = Counter "vxlan_interface_receive_multicast_packets_total" in "packets",
        ["router", "site", "interface"],
        "Multicast packets received.";
    INTERFACE_TX_BYTES = Counter "vxlan_interface_transmit_bytes_total" in "bytes", ["router", "site", "interface"],
        "Bytes transmitted.";
    INTERFACE_TX_PACKETS = Counter "vxlan_interface_transmit_packets_total" in "packets",
        ["router", "site", "interface"],
        "Packets transmitted.";
    INTERFACE_TX_ERRORS = Counter "vxlan_interface_transmit_errors_total" in "packets", ["router", "site", "interface"],
        "Packets that could not be transmitted.";
    INTERFACE_TX_DROPPED = Counter "vxlan_interface_transmit_dropped_total" in "packets",
        ["router", "site", "interface"],
        "Packets dropped before transmission.";
    INTERFACE_TX_CARRIER_ERRORS = Counter "vxlan_interface_transmit_carrier_errors_total" in "packets",
        ["router", "site", "interface"],
        "Packets for which the router had no route to the remote VTEP: a sign of a dead underlay.";
    INTERFACE_TX_COLLISIONS = Counter "vxlan_interface_transmit_collisions_total" in "packets",
        ["router", "site", "interface"],
        "Packets whose route to the remote VTEP led back into the vxlan interface: a routing loop.";
    INTERFACE_RECREATIONS = Counter "vxlan_interface_recreations_total" in "devices", ["router", "site", "interface"],
        "How often the device was recreated, which resets its counters, since the exporter started.";
    FDB_ENTRIES = Gauge "vxlan_fdb_entries" in "entries",
        ["router", "site", "interface", "remote", "kind": FdbKind],
        "Forwarding entries of a vxlan interface that name the remote VTEP: flood list, learned or static.";

    TUNNEL_INFO = Gauge "vxlan_tunnel_info" in "always 1", ["tunnel", "state": TunnelState],
        "Whether both ends of the tunnel are known: paired, half or ambiguous.";
    TUNNEL_UP = Gauge "vxlan_tunnel_up" in "0 or 1", ["tunnel"],
        "Whether the tunnel works according to both routers; absent while one of them is not read.";
    TUNNEL_MISMATCH = Gauge "vxlan_tunnel_mismatch" in "0 or 1", ["tunnel", "field": MismatchField],
        "Whether the two ends disagree on a setting; absent while one of them is not read.";
    TUNNEL_LOSS = Gauge "vxlan_tunnel_loss_ratio" in "0 to 1", ["tunnel", "from", "to"],
        "Share of the packets sent at one end that the other did not receive, by both ends' counters over \
         the last two minutes. The tunnel's evidence states the possible error, because two routers are \
         never read at the same moment. Absent below 100 packets, if the error may exceed 5 percentage \
         points, and if a counter includes other traffic than this tunnel's.";
    TUNNEL_FRAGMENTS = Gauge "vxlan_tunnel_outer_fragments_per_second" in "packets per second", ["tunnel", "from", "to"],
        "Fragments that the router of one end makes of the tunnel's outer packets, by its IP counters over \
         the last minutes; only while they rise in step with the tunnel's large packets (docs/underlay.md).";
    TUNNEL_REASSEMBLIES_FAILED = Gauge "vxlan_tunnel_reassembly_failure_ratio" in "0 to 1", ["tunnel", "from", "to"],
        "Share of the reassemblies at the other end's router that fail while such fragments are made: \
         fragments get lost on the way.";
    TUNNEL_UNHEARD = Gauge "vxlan_tunnel_unheard_packets_per_second" in "packets per second",
        ["tunnel", "from", "to"],
        "Packets that arrive at a UDP port of the other router where nobody listens; only while they are as \
         many as the end sends, and its port is not known to differ.";
    TUNNEL_UNDERLAY_MTU = Gauge "vxlan_tunnel_underlay_mtu_bytes" in "bytes of IP packet", ["tunnel", "from", "to"],
        "Largest outer packet with DF that the router of one end can ping the other VTEP with, at most what \
         the tunnel and the route need; only while the underlay is measured (docs/underlay.md), and only \
         where it is known exactly.";
    TUNNEL_UNDERLAY_LOSS = Gauge "vxlan_tunnel_underlay_loss_ratio" in "0 to 1", ["tunnel", "from", "to"],
        "Share of the small pings of that router that were not answered within a second.";
    TUNNEL_UNDERLAY_RTT = Gauge "vxlan_tunnel_underlay_rtt_seconds" in "seconds", ["tunnel", "from", "to"],
        "Mean round-trip time of these pings.";
    TUNNEL_UNDERLAY_PROBED = Gauge "vxlan_tunnel_underlay_probed_timestamp_seconds" in "seconds since 1970",
        ["tunnel", "from", "to"],
        "When that router was last asked to ping.";
    TUNNEL_TRANSITIONS = Counter "vxlan_tunnel_transitions_total" in "changes", ["tunnel", "state": TransitionState],
        "How often the tunnel went up and went down, as far as was seen.";

    BRIDGE_MTU = Gauge "vxlan_bridge_mtu_bytes" in "bytes of IP packet", ["router", "site", "bridge"],
        "MTU of a bridge that has a vxlan port.";
    BRIDGE_PORT_MTU = Gauge "vxlan_bridge_port_mtu_bytes" in "bytes of IP packet",
        ["router", "site", "bridge", "interface"],
        "MTU of each port of a bridge that has a vxlan port; a frame larger than its outgoing port's MTU \
         is dropped silently.";

    PATH_INFO = Gauge "vxlan_path_info" in "always 1",
        ["path", "target_site", "source", "address", "tcp_port", "reflector"],
        "What is probed; address is empty while the name cannot be resolved. `reflector` is `used` or \
         `gone`; empty without a reflector, and before it was tried.";
    PATH_RTT = Histogram "vxlan_path_rtt_seconds" in "seconds", ["path", "target_site", "source"],
        "Round-trip time of the small echo.";
    PATH_ECHO_REQUESTS = Counter "vxlan_path_echo_requests_total" in "packets", ["path", "target_site", "source"],
        "Small echo requests sent: the sum of replies, lost, void and in flight.";
    PATH_ECHO_REPLIES = Counter "vxlan_path_echo_replies_total" in "packets", ["path", "target_site", "source"],
        "Small echo requests answered within 5 s.";
    PATH_ECHO_LOST = Counter "vxlan_path_echo_lost_total" in "packets", ["path", "target_site", "source"],
        "Small echo requests not answered within 5 s.";
    PATH_ECHO_LATE = Counter "vxlan_path_echo_late_total" in "packets", ["path", "target_site", "source"],
        "Replies to small echoes that came after the probe timeout (0.2 to 2 s, by round-trip time).";
    PATH_ECHO_VOID = Counter "vxlan_path_echo_void_total" in "packets", ["path", "target_site", "source"],
        "Small echo requests that say nothing about the network: refused by this host, or in flight while \
         this process did not run, its interface went down or its target changed. Counted neither as \
         replies nor as lost.";
    PATH_SEND_ERRORS = Counter "vxlan_path_send_errors_total" in "packets",
        ["path", "target_site", "source", "reason": SendError],
        "Packets that this host itself refused to send, by reason.";
    PATH_MTU = Gauge "vxlan_path_mtu_bytes" in "bytes of IP packet",
        ["path", "target_site", "source", "direction"],
        "Largest IP packet that is answered, forward or reverse, at most the expected MTU; absent while not known exactly.";
    PATH_EXPECTED_MTU = Gauge "vxlan_path_expected_mtu_bytes" in "bytes of IP packet", ["path", "target_site", "source"],
        "MTU the path should have: configured, or derived from both ends.";
    PATH_TESTABLE_MTU = Gauge "vxlan_path_testable_mtu_bytes" in "bytes of IP packet", ["path", "target_site", "source"],
        "Largest IP packet that the exporter's own interface can send.";
    PATH_BLACKHOLE = Gauge "vxlan_path_blackhole" in "0 or 1",
        ["path", "target_site", "source", "direction": Direction],
        "Whether packets above the path MTU are proven to vanish silently in this direction; unknown: \
         proven, but the direction is not known.";
    PATH_BLACKHOLE_REASON = Gauge "vxlan_path_blackhole_reason" in "0 or 1",
        ["path", "target_site", "source", "reason": BlackholeReason],
        "What vanishes if the verdict is blackhole: packets above some size (size), TCP of any size \
         (tcp_dead), or both; all 0 for other verdicts.";
    PATH_VERDICT = Gauge "vxlan_path_verdict" in "0 or 1", ["path", "target_site", "source", "verdict": Verdict],
        "What a host that does path MTU discovery experiences; exactly one verdict is 1.";
    PATH_UNKNOWN_REASON = Gauge "vxlan_path_unknown_reason" in "1",
        ["path", "target_site", "source", "reason": UnknownReason],
        "Why the verdict is unknown; only while it is, and only the reason that holds.";
    PATH_LAST_PROBE = Gauge "vxlan_path_last_probe_timestamp_seconds" in "seconds since 1970",
        ["path", "target_site", "source"],
        "When the last probe was sent.";
    PATH_HOP_INFO = Gauge "vxlan_path_hop_info" in "always 1",
        ["path", "target_site", "source", "tunnel", "router", "interface"],
        "Tunnel ends that the path crosses, if router data shows them.";
    PATH_FIX_INFO = Gauge "vxlan_path_fix_info" in "always 1",
        ["path", "target_site", "source", "session", "step", "router", "command"],
        "VyOS commands that fix the path, in the order that is safe to type; `session` counts the routers in that \
         order, each with its own configure, commit and save. Only while the path is not ok.";

    BUILD_INFO = Gauge "vxlan_exporter_build_info" in "always 1", ["version", "revision", "branch", "rustversion"],
        "Version of the exporter, what it was built from, and the compiler.";
    CONFIG_RELOAD_SUCCESSFUL = Gauge "vxlan_exporter_config_last_reload_successful" in "0 or 1", [],
        "Whether the last reload of the configuration succeeded.";
    CONFIG_RELOAD_TIMESTAMP = Gauge "vxlan_exporter_config_last_reload_success_timestamp_seconds"
        in "seconds since 1970", [],
        "When the configuration in use was loaded.";
    SIZE_PROBES = Counter "vxlan_exporter_size_probes_total" in "packets",
        ["protocol": ProbeProtocol, "size": ProbeSize, "result": ProbeResult],
        "Probes of a given size on all paths, by purpose and result.";
    CAPABILITY = Gauge "vxlan_exporter_capability" in "0 or 1", ["name": Capability],
        "Whether the exporter can do this: its privileges, the kernel and the configuration allow it.";
    WEB_REQUESTS = Counter "vxlan_exporter_web_requests_total" in "requests", ["code"],
        "Requests answered, by status code: 200, 500 and 503 from the start, another from its first answer.";
    WEB_REQUEST_DURATION = Histogram "vxlan_exporter_web_request_duration_seconds" in "seconds", ["code"],
        "How long it took until the answer could be sent, by status code.";
    WEB_CONNECTIONS = Gauge "vxlan_exporter_web_connections" in "connections", [],
        "Connections to the web server; at most 256, or a quarter of `process_max_fds`.";
    WEB_CONNECTIONS_TURNED_AWAY = Counter "vxlan_exporter_web_connections_turned_away_total" in "connections",
        ["reason": TurnedAway],
        "Connections refused, or ended by the exporter before the client ended them, by reason \
         (docs/web.md).";
    WEB_LOGINS_REFUSED = Counter "vxlan_exporter_web_logins_refused_total" in "requests", ["reason": LoginRefusal],
        "Requests refused because of a missing or wrong password, by reason (docs/web.md).";
    SANDBOX = Gauge "vxlan_exporter_sandbox" in "0 or 1", ["layer": SandboxLayer],
        "Whether this layer of the sandbox is in force, which limits the damage of a flaw in the exporter.";
    TASK_RESTARTS = Counter "vxlan_exporter_task_restarts_total" in "restarts", ["task": Task],
        "How often a part of the exporter ended or stopped making progress, and was restarted.";
    LATE = Histogram "vxlan_exporter_late_seconds" in "seconds", [],
        "How long after they were due small echoes left this host. Lateness is never counted as loss \
         (docs/limits.md).";
    RECEIVE_DROPPED = Counter "vxlan_exporter_receive_dropped_total" in "packets", [],
        "Answers that found a receive buffer of the exporter full. What was in flight then is counted neither \
         as answered nor as lost.";
    OVERLOADED = Gauge "vxlan_exporter_overloaded" in "0 or 1", [],
        "Whether the exporter cannot keep up: it sends sentinels, or even echoes, less often than configured, or \
         was stopped or starved or lost answers within the last minute.";
    LOG_MESSAGES_DROPPED = Counter "vxlan_exporter_log_messages_dropped_total" in "messages", [],
        "Log messages that could not be written: stderr was not read, its disk was full, or its reader was \
         gone.";

    PROCESS_CPU = Counter "process_cpu_seconds_total" in "seconds", [],
        "Total user and system CPU time spent in seconds.";
    PROCESS_OPEN_FDS = Gauge "process_open_fds" in "descriptors", [],
        "Number of open file descriptors.";
    PROCESS_MAX_FDS = Gauge "process_max_fds" in "descriptors", [],
        "Maximum number of open file descriptors.";
    PROCESS_VIRTUAL_MEMORY = Gauge "process_virtual_memory_bytes" in "bytes", [],
        "Virtual memory size in bytes.";
    PROCESS_RESIDENT_MEMORY = Gauge "process_resident_memory_bytes" in "bytes", [],
        "Resident memory size in bytes.";
    PROCESS_START_TIME = Gauge "process_start_time_seconds" in "seconds since 1970", [],
        "Start time of the process since unix epoch in seconds.";
    PROCESS_THREADS = Gauge "process_threads" in "threads", [],
        "Number of OS threads in the process.";
}

#[cfg(test)]
mod tests {
    use super::{spec::ALWAYS_ONE, *};
    use std::collections::BTreeSet;

    #[test]
    fn names_follow_the_rules() {
        let names: BTreeSet<_> = every().map(|family| family.name).collect();
        assert_eq!(names.len(), every().count(), "a name is declared twice");
        for family in every() {
            let name = family.name;
            assert_eq!(family.kind == MetricKind::Counter, name.ends_with("_total"), "{name}");
            assert_eq!(family.unit == ALWAYS_ONE, name.ends_with("_info"), "{name}");
            assert!(family.help.ends_with('.'), "{name}: {}", family.help);
            let labels: BTreeSet<_> = family.labels.iter().collect();
            assert_eq!(labels.len(), family.labels.len(), "{name}");
            assert!(std::ptr::eq(find(name).expect(name), family));
            assert!(family.help.chars().all(|char| !char.is_control()), "{name}");
        }
        assert!(find("vxlan_path_loss_ratio").is_none());
    }

    /// No two families of OpenMetrics have a sample of the same name.
    #[test]
    fn names_stay_apart_in_open_metrics() {
        let mut names = BTreeSet::new();
        for family in every() {
            let endings: &[&str] = match family.open_metrics_type() {
                "counter" => &["", "_total", "_created"],
                "info" => &["", "_info"],
                "histogram" => &["", "_bucket", "_sum", "_count", "_created"],
                _ => &[""],
            };
            for ending in endings {
                let name = family.open_metrics_name().to_owned() + ending;
                assert!(names.insert(name.clone()), "{name} is twice");
            }
        }
        let said = |name| {
            let family: &MetricSpec = find(name).expect(name);
            (family.open_metrics_name(), family.open_metrics_type(), family.base_unit())
        };
        assert_eq!(said("vxlan_path_info"), ("vxlan_path", "info", None));
        assert_eq!(said("process_cpu_seconds_total"), ("process_cpu_seconds", "counter", Some("seconds")));
        assert_eq!(said("vxlan_path_mtu_bytes"), ("vxlan_path_mtu_bytes", "gauge", Some("bytes")));
        assert_eq!(said("vxlan_path_verdict"), ("vxlan_path_verdict", "gauge", None));
    }
}
