//! Which of our interfaces can carry packets; the kernel reports changes.
//!
//! Measured, kernel 6.18: when an interface loses its carrier its routes stay and every send still
//! succeeds, but the packets are dropped silently. An interface that is set down loses its routes,
//! and sends fail with `ENETUNREACH`.

use std::{collections::BTreeMap, io, sync::Arc, time::Duration};

use futures_util::StreamExt as _;
use rtnetlink::{
    MulticastGroup, new_multicast_connection,
    packet_core::NetlinkPayload,
    packet_route::{
        RouteNetlinkMessage,
        link::{LinkFlags, LinkMessage},
    },
};
use tokio::sync::watch;
use tracing::debug;

/// Whether an interface can carry packets, by its index, as far as reported since start.
type CarrierStates = BTreeMap<u32, bool>;

/// Shortest time between two checks for changes.
const BREATHE: Duration = Duration::from_millis(50);

/// Changes of all interfaces; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct LinkNews {
    told: watch::Receiver<Arc<CarrierStates>>,
}

impl LinkNews {
    /// Starts to listen for changes.
    pub(crate) fn open() -> io::Result<Self> {
        let (connection, _, mut messages) = new_multicast_connection(&[MulticastGroup::Link])?;
        tokio::spawn(connection);
        let (tell, told) = watch::channel(Arc::new(CarrierStates::new()));
        tokio::spawn(async move {
            while let Some((message, _)) = messages.next().await {
                let (index, carries) = match message.payload {
                    NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(link)) => {
                        (link.header.index, carries(&link))
                    }
                    NetlinkPayload::InnerMessage(RouteNetlinkMessage::DelLink(link)) => {
                        (link.header.index, false)
                    }
                    _ => continue,
                };
                debug!(index, carries, "an interface has changed");
                tell.send_if_modified(|told| Arc::make_mut(told).insert(index, carries) != Some(carries));
            }
        });
        Ok(Self { told })
    }

    /// Waits until the interface with that index is no longer as it was found; without an index,
    /// until any interface changes.
    pub(crate) async fn news(&mut self, found: Option<(u32, bool)>) {
        tokio::time::sleep(BREATHE).await;
        let over = match found {
            Some((index, carries)) => {
                let other = |told: &Arc<CarrierStates>| told.get(&index).is_some_and(|now| *now != carries);
                self.told.wait_for(other).await.is_err()
            }
            None => self.told.changed().await.is_err(),
        };
        if over {
            // The sender is gone: no change will ever be reported.
            std::future::pending::<()>().await;
        }
    }
}

/// Whether a link is up and has a carrier.
#[must_use]
pub(crate) fn carries(link: &LinkMessage) -> bool {
    link.header.flags.contains(LinkFlags::Up | LinkFlags::LowerUp)
}
