//! What this process can do, and what the rest would need: the texts of `vxlan_exporter_capability`
//! and the log.

use tracing::warn;

use super::wire::MissingCapabilities;
use crate::{
    model::{state::CapabilityState, types::Capability},
    process::open_files,
};

/// How to gain the missing capability.
const REMEDY: &str =
    "run as root, or `setcap cap_net_raw+p` on the binary; in Kubernetes add the capability NET_RAW";

/// One state for each capability.
#[must_use]
pub(crate) fn states(missing: MissingCapabilities) -> Vec<CapabilityState> {
    let state = |capability, missing| CapabilityState { capability, missing };
    vec![
        state(Capability::IcmpSocket, missing.icmp_socket),
        state(Capability::NetRaw, missing.net_raw.clone()),
        state(Capability::TcpSyn, missing.tcp_syn),
        state(Capability::Fragments, missing.net_raw),
        state(Capability::Reflector, Some("no `reflector` is configured".to_owned())),
    ]
}

/// Warns once at start about what cannot be measured, and how to change that.
pub(crate) fn warn_of(missing: &MissingCapabilities) {
    match missing {
        MissingCapabilities { net_raw: Some(reason), .. } if open_files::is_limit(reason) => {
            warn!(reason, "some sockets for probing could not be opened: {}", open_files::REMEDY);
        }
        MissingCapabilities { icmp_socket: Some(reason), .. } => warn!(
            reason,
            "no ICMP socket at all: sizes and black holes are not tested, and a path without `tcp_port` not at \
             all; {REMEDY}, or allow ping sockets: `sysctl net.ipv4.ping_group_range=\"0 2147483647\"`"
        ),
        MissingCapabilities { net_raw: Some(reason), .. } => warn!(
            reason,
            "no raw sockets: black holes are found, but not their direction, and of TCP only whether it \
             answers; {REMEDY}"
        ),
        MissingCapabilities { tcp_syn: Some(reason), .. } => {
            warn!(
                reason,
                "no padded SYNs: black holes are found, but TCP does not test the forward direction"
            );
        }
        MissingCapabilities { icmp_socket: None, net_raw: None, tcp_syn: None } => {}
    }
}
