//! What is known of one router now, or why it could not be read.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde::Serialize;

use super::RouterSnapshot;
use crate::{
    model::{
        leg::LegReading,
        types::{Dropped, FailureReason, InterfaceName, RouterName, Site},
    },
    text::Sentence,
};

/// A failed scrape: a reason from a fixed set, and a sentence for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{reason}: {message}")]
pub struct ScrapeError {
    /// The label value.
    pub reason: FailureReason,
    /// What happened, with names and addresses, without secrets.
    pub message: Sentence,
}

impl ScrapeError {
    /// An error of that reason.
    pub(crate) fn new(reason: FailureReason, message: impl Into<Sentence>) -> Self {
        Self { reason, message: message.into() }
    }
}

/// What is known of one router now: the last scrape, and totals since this process started.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RouterReading {
    /// The router.
    pub router: RouterName,
    /// Its site.
    pub site: Site,
    /// Public VTEP addresses from the configuration, beside those the router prints.
    pub extra_addresses: Vec<IpAddr>,
    /// How often it is read; absent where no further reading is scheduled.
    #[serde(skip)]
    pub interval: Option<Duration>,
    /// Number of finished scrapes, successful or failed.
    pub scrapes: u64,
    /// The last scrape, if it succeeded; absent after a failure.
    pub current: Option<Arc<RouterSnapshot>>,
    /// The successful scrape before `current`; after a failure the last successful one.
    pub previous: Option<Arc<RouterSnapshot>>,
    /// Why the last scrape failed, if it did.
    pub failure: Option<ScrapeError>,
    /// How long the last scrape took.
    pub duration: Duration,
    /// When a scrape last succeeded.
    pub last_success: Option<SystemTime>,
    /// Failed scrapes by reason, since this process started.
    pub failures: BTreeMap<FailureReason, u64>,
    /// What was left out of all scrapes, by kind, since this process started.
    pub dropped: Dropped,
    /// What was left out of the last scrape.
    pub left_out: Dropped,
    /// Why the first of these could not be understood, if that is why it was left out.
    pub left_out_why: Option<Sentence>,
    /// What it measured of the underlay to remote VTEPs, by the VTEP.
    pub legs: BTreeMap<IpAddr, LegReading>,
    /// How often each vxlan device was re-created, since this process started.
    pub recreations: BTreeMap<InterfaceName, u64>,
}

impl RouterReading {
    /// A router that has not been read yet.
    #[must_use]
    pub fn new(router: RouterName, site: Site, extra_addresses: Vec<IpAddr>) -> Self {
        Self {
            router,
            site,
            extra_addresses,
            interval: None,
            scrapes: 0,
            current: None,
            previous: None,
            failure: None,
            duration: Duration::ZERO,
            last_success: None,
            failures: BTreeMap::new(),
            dropped: Dropped::new(),
            left_out: Dropped::new(),
            left_out_why: None,
            legs: BTreeMap::new(),
            recreations: BTreeMap::new(),
        }
    }

    /// Whether both join to the same picture of the overlay, but for what it says of counters.
    #[must_use]
    pub(crate) fn joins_like(&self, other: &Self) -> bool {
        let same = match (&self.current, &other.current) {
            (Some(current), Some(other)) => current.joins_like(other),
            (None, None) => self.failure == other.failure,
            _ => false,
        };
        same && self.legs == other.legs
            && self.left_out == other.left_out
            && self.recreations == other.recreations
            && self.extra_addresses == other.extra_addresses
            && (&self.site, self.interval) == (&other.site, other.interval)
    }
}
