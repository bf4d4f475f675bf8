//! MAC addresses of hosts on our own network, from the kernel's neighbour table (ARP, neighbour
//! discovery).
//!
//! The whole table is read at most once in a few seconds for all paths together: a node of a
//! cluster may have thousands of entries.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::TryStreamExt;
use rtnetlink::{
    Handle,
    packet_route::neighbour::{NeighbourAddress, NeighbourAttribute, NeighbourMessage},
};
use tokio::sync::Mutex;

use crate::model::types::Mac;

const READ_AGAIN: Duration = Duration::from_secs(4);

/// Queries the kernel; cheap to clone.
#[derive(Clone)]
pub(crate) struct Neighbours {
    handle: Handle,
    table: Arc<Mutex<MacTable>>,
}

#[derive(Default)]
struct MacTable {
    read: Option<Instant>,
    macs: HashMap<IpAddr, Mac>,
}

impl Neighbours {
    /// Reads the table over a netlink socket.
    #[must_use]
    pub(crate) fn new(handle: Handle) -> Self {
        Self { handle, table: Arc::default() }
    }

    /// The MAC of `address`, if the kernel knows it; `None` too if the table cannot be read.
    pub(crate) async fn mac(&self, address: IpAddr) -> Option<Mac> {
        let mut table = self.table.lock().await;
        if table.read.is_none_or(|read| read.elapsed() >= READ_AGAIN) {
            let entries = self.handle.neighbours().get().execute();
            let entries: Vec<NeighbourMessage> = entries.try_collect().await.unwrap_or_default();
            table.macs = entries.into_iter().filter_map(entry).collect();
            table.read = Some(Instant::now());
        }
        table.macs.get(&address).copied()
    }
}

/// An entry with a known MAC; the kernel gives no MAC for entries that failed.
fn entry(message: NeighbourMessage) -> Option<(IpAddr, Mac)> {
    let (mut address, mut mac) = (None, None);
    for attribute in message.attributes {
        match attribute {
            NeighbourAttribute::Destination(NeighbourAddress::Inet(ip)) => address = Some(IpAddr::V4(ip)),
            NeighbourAttribute::Destination(NeighbourAddress::Inet6(ip)) => address = Some(IpAddr::V6(ip)),
            // The peer of a tunnel has no MAC.
            NeighbourAttribute::LinkLayerAddress(bytes) => mac = <[u8; 6]>::try_from(bytes).ok().map(Mac),
            _ => {}
        }
    }
    address.zip(mac)
}
