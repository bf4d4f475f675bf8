//! Makes `CAP_NET_RAW` effective if it is permitted.
//!
//! A binary whose file grants the capability as *effective* cannot be started at all where it is
//! withheld (`execve` gives EPERM), as in a pod without `NET_RAW`. A binary whose file only
//! *permits* it starts anywhere and raises it itself.

use std::io;

use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

/// Makes the capability effective for this thread and those it starts, if it is permitted. So this
/// must be the first action of the process.
pub fn raise_net_raw() -> io::Result<()> {
    let mut sets = capabilities(None)?;
    if sets.permitted.contains(CapabilitySet::NET_RAW) && !sets.effective.contains(CapabilitySet::NET_RAW) {
        sets.effective |= CapabilitySet::NET_RAW;
        set_capabilities(None, sets)?;
    }
    Ok(())
}
