//! `CAP_NET_RAW` where it is permitted and not effective yet.
//!
//! A binary whose file grants it *effectively* is not started at all where the capability is withheld (`execve` gives EPERM), as in a
//! pod without `NET_RAW`. One whose file only *permits* it starts anywhere, and raises it by itself.

use std::io;

use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

/// Makes it effective for this thread and those it starts, where that is permitted. So this is for the first thing that a process does.
pub fn raise_net_raw() -> io::Result<()> {
    let mut sets = capabilities(None)?;
    if sets.permitted.contains(CapabilitySet::NET_RAW) && !sets.effective.contains(CapabilitySet::NET_RAW) {
        sets.effective |= CapabilitySet::NET_RAW;
        set_capabilities(None, sets)?;
    }
    Ok(())
}
