//! The capabilities (capabilities(7)) that a process keeps: the one for raw sockets, and one for
//! low ports if it listens on any.

use std::io;

use nix::sys::prctl::set_dumpable;
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, capability_is_in_bounding_set, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities,
};

/// Ports below this need `CAP_NET_BIND_SERVICE` (ip(7), `ip_unprivileged_port_start`).
const FIRST_FREE_PORT: u16 = 1024;

/// Gives up all other capabilities permanently, and prevents others from reading its memory.
pub fn drop_all_but_net_raw(ports: &[u16]) -> io::Result<()> {
    let mut kept = CapabilitySet::NET_RAW;
    if ports.iter().any(|port| (1..FIRST_FREE_PORT).contains(port)) {
        kept |= CapabilitySet::NET_BIND_SERVICE;
    }
    let had = capabilities(None)?;
    // Capabilities that a started program could regain. Removing them needs this capability.
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
    // Memory holds keys: they must not get into a core dump, and processes of the same user must
    // not read them.
    set_dumpable(false)?;
    Ok(())
}
