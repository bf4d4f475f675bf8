//! The neighbours that a shell's machine knows, by `ip -j neigh`.

use std::time::Instant;

use super::{
    parse::neigh::{self, Neighbour},
    script::{self, Failed, misread},
    shell::Shell,
};

/// What `ip -j neigh` shows.
pub(super) fn neighbours(shell: &mut dyn Shell, deadline: Instant) -> Result<Vec<Neighbour>, Failed> {
    script::run(shell, "s neigh ip -j neigh show\n", deadline, |output| {
        let text = output.must("neigh", "ip -j neigh show", "it needs iproute2 4.18 or later")?;
        neigh::neighbours(text).map_err(|error| misread(&error))
    })
}
