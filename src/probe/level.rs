//! The levels of privilege: [`Raw`] with `CAP_NET_RAW`, [`Unprivileged`] without.

use super::{raw::Raw, unprivileged::Unprivileged, wire::Wire};

/// Opens the best level that this process is allowed.
#[must_use]
pub(crate) fn open() -> Box<dyn Wire> {
    match Raw::open() {
        Ok(raw) => Box::new(raw),
        Err(error) => Box::new(Unprivileged::open(&error)),
    }
}
