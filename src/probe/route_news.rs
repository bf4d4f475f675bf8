//! Whether routes, addresses, rules or interfaces of our host have changed; the kernel reports
//! changes. So the route of each path needs to be looked up only after one.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use futures_util::StreamExt as _;
use rtnetlink::{MulticastGroup, new_multicast_connection};
use tracing::debug;

const GROUPS: [MulticastGroup; 9] = [
    MulticastGroup::Link,
    MulticastGroup::Ipv4Ifaddr,
    MulticastGroup::Ipv4Route,
    MulticastGroup::Ipv4Rule,
    MulticastGroup::Ipv6Ifaddr,
    MulticastGroup::Ipv6Ifinfo,
    MulticastGroup::Ipv6Route,
    MulticastGroup::Ipv6Rule,
    MulticastGroup::Nexthop,
];
/// In place of a count: changes are not reported.
const DEAF: u64 = u64::MAX;

/// How many changes were reported; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct RouteNews(Arc<AtomicU64>);

impl RouteNews {
    /// Starts to listen for changes.
    pub(crate) fn open() -> io::Result<Self> {
        let (connection, _, mut messages) = new_multicast_connection(&GROUPS)?;
        tokio::spawn(connection);
        let count = Arc::new(AtomicU64::new(0));
        let told = Arc::clone(&count);
        tokio::spawn(async move {
            while messages.next().await.is_some() {
                told.fetch_add(1, Relaxed);
            }
            debug!("changes of routes are no longer reported");
            told.store(DEAF, Relaxed);
        });
        Ok(Self(count))
    }

    /// How many changes were reported since start; none if changes are not reported.
    #[must_use]
    pub(crate) fn count(&self) -> Option<u64> {
        Some(self.0.load(Relaxed)).filter(|count| *count != DEAF)
    }
}
