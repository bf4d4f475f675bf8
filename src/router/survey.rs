//! One reading of a router for `init`: what a scrape reads, and who has which address on the
//! router's networks.

use std::time::{Duration, Instant};

use super::{
    bounds, chain::Chain, neighbours::neighbours, parse::neigh::Neighbour, transport::local::LocalShell,
};
use crate::model::{
    plan::RouterPlan,
    snapshot::{RouterSnapshot, ScrapeError},
};

/// How long this machine's own `ip` may take.
const OWN: Duration = Duration::from_secs(5);

/// What one router told.
#[derive(Debug)]
pub(crate) struct Survey {
    pub snapshot: RouterSnapshot,
    pub neighbours: Vec<Neighbour>,
}

/// Logs in to a router once and reads it, until its `scrape_timeout`. Blocks.
pub(crate) fn survey(plan: &RouterPlan) -> Result<Survey, ScrapeError> {
    let deadline = Instant::now() + plan.scrape_timeout;
    let mut chain = Chain::new(plan);
    let (surveyed, _) = bounds::within(plan.limits, deadline, || {
        let snapshot = chain.scrape(deadline)?;
        Ok(Survey { snapshot, neighbours: chain.neighbours(deadline) })
    });
    surveyed
}

/// The neighbours of this machine; none if it has no `ip`. Blocks.
pub(crate) fn own_neighbours() -> Vec<Neighbour> {
    neighbours(&mut LocalShell, Instant::now() + OWN).unwrap_or_default()
}
