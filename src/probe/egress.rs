//! Which of our interfaces a packet leaves by, as the kernel says over rtnetlink.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use futures_util::TryStreamExt;
use rtnetlink::{
    Handle, RouteMessageBuilder,
    packet_route::{
        link::{AfSpecInet6, AfSpecUnspec, LinkAttribute, LinkMessage},
        route::{RouteAddress, RouteAttribute, RouteFlags, RouteMessage, RouteMetric},
    },
};
use tokio::sync::Semaphore;
use tracing::debug;

use super::{
    link_news::{self, LinkNews},
    neighbours::Neighbours,
    route_news::RouteNews,
};
use crate::model::types::{Bytes, Mac};

/// How our host sends to one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Egress {
    /// The interface.
    pub interface: String,
    /// Its index.
    pub index: u32,
    /// Whether it is up and has a carrier.
    pub carries: bool,
    /// The largest packet we send, in bytes of IP packet: the MTU of the interface (for IPv6 the
    /// one a router on the link has advertised, if smaller), or that of the route, if smaller. TCP
    /// keeps to it, and so do we.
    pub mtu: Bytes,
    /// The MTU without that of the route, in bytes of IP packet.
    pub interface_mtu: Bytes,
    /// The source address.
    pub source: IpAddr,
}

impl Egress {
    /// Whether packets stay on this host.
    #[must_use]
    pub(crate) fn is_loopback(&self) -> bool {
        self.interface == "lo"
    }
}

/// Queries the kernel; cheap to clone.
#[derive(Clone)]
pub struct Routes {
    handle: Handle,
    neighbours: Neighbours,
    links: LinkNews,
    changes: Option<RouteNews>,
    /// Questions that may be asked at a time: the answers to a thousand would not fit into the
    /// socket's buffer, and those that do not are lost.
    turns: Arc<Semaphore>,
}

/// Most paths whose route is asked for at a time.
const ASKING: usize = 16;
/// The kernel answers within microseconds, or its answer was lost.
const ANSWERED_WITHIN: Duration = Duration::from_secs(2);

impl Routes {
    /// Opens a netlink socket.
    pub fn open() -> io::Result<Self> {
        let (connection, handle, _) = rtnetlink::new_connection()?;
        tokio::spawn(connection);
        let neighbours = Neighbours::new(handle.clone());
        let changes = RouteNews::open();
        if let Err(error) = &changes {
            debug!(%error, "changes of routes are not reported");
        }
        let turns = Arc::new(Semaphore::new(ASKING));
        Ok(Self { neighbours, handle, links: LinkNews::open()?, changes: changes.ok(), turns })
    }

    /// How many changes of routes and interfaces the kernel has reported; none if it reports none.
    pub(crate) fn changes(&self) -> Option<u64> {
        self.changes.as_ref()?.count()
    }

    /// Waits for a change of the interface of `found`, or of any interface if there is no route.
    pub(crate) async fn news(&mut self, found: Option<&Egress>) {
        self.links.news(found.map(|egress| (egress.index, egress.carries))).await;
    }

    /// The MAC of a host on our own network, if the kernel knows it.
    pub(crate) async fn mac(&self, address: IpAddr) -> Option<Mac> {
        self.neighbours.mac(address).await
    }

    /// How our host would send to `target` at present.
    pub async fn to(&self, target: IpAddr) -> anyhow::Result<Egress> {
        let _turn = self.turns.acquire().await?;
        let answer = tokio::time::timeout(ANSWERED_WITHIN, self.ask(target)).await;
        answer.with_context(|| format!("the kernel does not tell its route to {target}"))?
    }

    async fn ask(&self, target: IpAddr) -> anyhow::Result<Egress> {
        let (index, source) = self.way_out(target).await?;
        let link = self.link(index).await?;
        let mut egress = Egress {
            interface: String::new(),
            index,
            carries: link_news::carries(&link),
            mtu: 0,
            interface_mtu: 0,
            source,
        };
        let mut ipv6 = None;
        for attribute in link.attributes {
            match attribute {
                LinkAttribute::IfName(name) => egress.interface = name,
                LinkAttribute::Mtu(mtu) => egress.mtu = mtu,
                LinkAttribute::AfSpecUnspec(families) if target.is_ipv6() => ipv6 = ipv6_mtu(&families),
                _ => {}
            }
        }
        egress.interface_mtu = ipv6.map_or(egress.mtu, |mtu| mtu.min(egress.mtu));
        let route = self.configured_mtu(target).await;
        egress.mtu = route.map_or(egress.interface_mtu, |mtu| mtu.min(egress.interface_mtu));
        Ok(egress)
    }

    /// The interface and the source address of the route to `target`.
    async fn way_out(&self, target: IpAddr) -> anyhow::Result<(u32, IpAddr)> {
        let mut routes = self.handle.route().get(question(target)).execute();
        let no_route = || format!("no route to {target}");
        let route = routes.try_next().await.with_context(no_route)?.with_context(no_route)?;
        let (mut index, mut source) = (None, None);
        for attribute in route.attributes {
            match attribute {
                RouteAttribute::PrefSource(RouteAddress::Inet(address)) => source = Some(address.into()),
                RouteAttribute::PrefSource(RouteAddress::Inet6(address)) => source = Some(address.into()),
                RouteAttribute::Oif(oif) => index = Some(oif),
                _ => {}
            }
        }
        let index = index.with_context(|| format!("the route to {target} names no interface"))?;
        let source = source.with_context(|| format!("the route to {target} names no source address"))?;
        Ok((index, source))
    }

    async fn link(&self, index: u32) -> anyhow::Result<LinkMessage> {
        let mut links = self.handle.link().get().match_index(index).execute();
        let link = links.try_next().await.with_context(|| format!("reading interface {index}"))?;
        link.with_context(|| format!("interface {index} is gone"))
    }

    /// The MTU configured on the route to `target` (`ip route … mtu`), in bytes. A path MTU that
    /// the kernel has learnt is left out, because the query returns the entry of the routing table
    /// instead of the cached route.
    async fn configured_mtu(&self, target: IpAddr) -> Option<Bytes> {
        let mut ask = question(target);
        ask.header.flags |= RouteFlags::FibMatch;
        let route = self.handle.route().get(ask).execute().try_next().await.ok()??;
        let metrics = route.attributes.into_iter().find_map(|attribute| match attribute {
            RouteAttribute::Metrics(metrics) => Some(metrics),
            _ => None,
        })?;
        metrics.into_iter().find_map(|metric| match metric {
            RouteMetric::Mtu(mtu) if mtu > 0 => Some(mtu),
            _ => None,
        })
    }
}

fn question(target: IpAddr) -> RouteMessage {
    match target {
        IpAddr::V4(target) => RouteMessageBuilder::<Ipv4Addr>::new().destination_prefix(target, 32).build(),
        IpAddr::V6(target) => RouteMessageBuilder::<Ipv6Addr>::new().destination_prefix(target, 128).build(),
    }
}

/// The IPv6 MTU of a link (RFC 4861 section 4.6.4), which hosts keep to, and so do we.
fn ipv6_mtu(families: &[AfSpecUnspec]) -> Option<Bytes> {
    families.iter().find_map(|family| match family {
        AfSpecUnspec::Inet6(told) => told.iter().find_map(|told| match told {
            AfSpecInet6::DevConf(settings) => Bytes::try_from(settings.mtu6).ok(),
            _ => None,
        }),
        _ => None,
    })
}
