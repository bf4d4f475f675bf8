//! Capabilities (capabilities(7)) that a process keeps: the one that raw sockets take, and one for low ports where it listens there.

use std::io;

use nix::sys::prctl::set_dumpable;
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, capability_is_in_bounding_set, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities,
};

/// Below, a port takes `CAP_NET_BIND_SERVICE` (ip(7), `ip_unprivileged_port_start`).
const FIRST_FREE_PORT: u16 = 1024;

/// Gives up all others for good, and with them memory that others could read.
pub fn drop_all_but_net_raw(ports: &[u16]) -> io::Result<()> {
    let mut kept = CapabilitySet::NET_RAW;
    if ports.iter().any(|port| (1..FIRST_FREE_PORT).contains(port)) {
        kept |= CapabilitySet::NET_BIND_SERVICE;
    }
    let had = capabilities(None)?;
    // What a program that is started could get back; without this capability it is none of ours to take.
    if had.effective.contains(CapabilitySet::SETPCAP) {
        for capability in CapabilitySet::all().difference(kept).iter() {
            if capability_is_in_bounding_set(capability).unwrap_or(false) {
                remove_capability_from_bounding_set(capability)?;
            }
        }
    }
    clear_ambient_capability_set()?;
    set_capabilities(
        None,
        CapabilitySets {
            effective: had.effective & kept,
            permitted: had.permitted & kept,
            inheritable: CapabilitySet::empty(),
        },
    )?;
    // Keys are in memory: no core dump has them, and no process of the same user reads them there.
    set_dumpable(false)?;
    Ok(())
}
