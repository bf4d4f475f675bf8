//! One scrape of one router, as plain data.

pub mod fdb;
pub(crate) mod index;
pub mod ip_stack;
mod reading;
pub(crate) mod route_query;
pub(crate) mod underlay;

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use serde::Serialize;

use crate::{
    model::{
        types::{Bytes, DfPolicy, FdbState, InterfaceName, LinkKind, Mac, Method, OperState, Vni},
        vnis::VniSet,
    },
    text::Text,
};
use fdb::Fdb;
use index::{Index, may_be_bridge};
use ip_stack::IpStack;
pub use reading::{RouterReading, ScrapeError};
use route_query::RouteQuery;

/// Everything that one scrape read. A value that the source cannot tell is absent; nothing is
/// guessed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RouterSnapshot {
    /// The method it was read by.
    pub method: Method,
    /// All links: vxlan devices, bridges, bridge members, underlay.
    pub links: Vec<Link>,
    /// Forwarding entries of the vxlan devices.
    pub fdb: Fdb,
    /// Whether the source lists forwarding entries.
    pub tells_fdb: bool,
    /// The router's own routes to remote VTEPs, as far as they were looked up. Each look-up is the
    /// one that the vxlan device itself makes.
    pub routes: BTreeMap<RouteQuery, Route>,
    /// The router's software version, e.g. `VyOS 1.4.0`.
    pub version: Option<Text>,
    /// `/proc/sys/kernel/random/boot_id`: it changes with every restart.
    pub boot_id: Option<Text>,
    /// When the counters were read, by the router's clock and by ours.
    pub uptime: Option<Uptime>,
    /// Counters of the whole router's IP and UDP, since it started.
    pub stack: IpStack,
    /// Index of the lists above by name. Built at the first look-up; the lists must not change
    /// after that.
    #[serde(skip)]
    pub index: Index,
}

/// When a router's counters were read. The uptimes measure the router's own time between two
/// readings to 10 ms. Our clock places that time, with an error of at most the time the router took
/// to answer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Uptime {
    /// `/proc/uptime` right before the counters, in seconds.
    pub before: f64,
    /// The same right after them.
    pub after: f64,
    /// When the script was sent, as time since this process started.
    pub asked: Duration,
    /// When the whole answer had arrived, as time since this process started.
    pub answered: Duration,
}

impl RouterSnapshot {
    /// The link with that name.
    #[must_use]
    pub fn link(&self, name: &str) -> Option<&Link> {
        self.index.link(self, name)
    }

    /// Whether the source lists everything. Where it does not, a missing route, forwarding entry or
    /// address may exist all the same.
    #[must_use]
    pub(crate) fn tells_all(&self) -> bool {
        self.method == Method::Ip && self.tells_fdb
    }

    /// The vxlan interfaces, including those whose VNI, remote and port the source does not tell.
    pub fn vxlan_links(&self) -> impl Iterator<Item = &Link> {
        self.links.iter().filter(|link| link.is_vxlan())
    }

    /// The vxlan interfaces whose vxlan settings are known.
    pub fn vxlans(&self) -> impl Iterator<Item = (&Link, &Vxlan)> {
        self.links.iter().filter_map(|link| link.vxlan.as_ref().map(|vxlan| (link, vxlan)))
    }

    /// The bridge that a link is a port of: its master, unless that is known to be a VRF or a bond.
    #[must_use]
    pub(crate) fn bridge_of<'a>(&self, link: &'a Link) -> Option<&'a InterfaceName> {
        link.master.as_ref().filter(|master| may_be_bridge(self.link(master.as_str())))
    }

    /// Whether a link's traffic is routed by the router itself instead of bridged: the link has no
    /// master, or its master is a VRF. With a source that does not list everything, a missing
    /// master proves nothing.
    #[must_use]
    pub(crate) fn is_routed(&self, link: &Link) -> bool {
        match &link.master {
            None => self.method == Method::Ip,
            Some(master) => self.link(master.as_str()).is_some_and(|link| link.kind == Some(LinkKind::Vrf)),
        }
    }

    /// The members of a bridge, vxlan or not. A VRF has none.
    pub fn members<'a>(&'a self, bridge: &str) -> impl Iterator<Item = &'a Link> {
        self.index.members(self, bridge)
    }

    /// The bridge port with the largest MTU that is not a vxlan interface, and that MTU in bytes of
    /// IP packet.
    #[must_use]
    pub(crate) fn widest_port(&self, bridge: &str) -> Option<(&Link, Bytes)> {
        self.index.widest_port(self, bridge)
    }

    /// Whether both join to the same picture of the overlay, but for what it says of counters.
    fn joins_like(&self, other: &Self) -> bool {
        // Names every field, so that a new one cannot be forgotten.
        let Self { method, links, fdb, tells_fdb, routes, version, boot_id, uptime: _, stack: _, index: _ } =
            self;
        (method, fdb, tells_fdb) == (&other.method, &other.fdb, &other.tells_fdb)
            && (routes, version, boot_id) == (&other.routes, &other.version, &other.boot_id)
            && links.len() == other.links.len()
            && links.iter().zip(&other.links).all(|(link, other)| link.joins_like(other))
    }

    /// The forwarding entries of one interface.
    pub(crate) fn entries<'a>(&'a self, interface: &str) -> impl Iterator<Item = &'a FdbEntry> {
        self.fdb.of_interface(interface)
    }

    /// The underlay device that the forwarding entries of an interface tie a remote to.
    #[must_use]
    pub(crate) fn via(&self, interface: &str, remote: IpAddr) -> Option<&InterfaceName> {
        self.fdb.via(interface, remote)
    }

    /// The route by which a vxlan interface reaches a remote.
    #[must_use]
    pub(crate) fn route(&self, link: &Link, remote: IpAddr) -> Option<&Route> {
        self.routes.get(&RouteQuery::new(self, link, link.vxlan.as_ref()?, remote)?)
    }

    /// The MTU in bytes of the link through which a vxlan interface reaches `remote`; that of the
    /// route where it is smaller.
    #[must_use]
    pub fn underlay_mtu(&self, link: &Link, remote: IpAddr) -> Option<Bytes> {
        let route = self.route(link, remote)?;
        let link = self.link(&route.dev)?.mtu?;
        Some(route.mtu.map_or(link, |mtu| mtu.min(link)))
    }
}

/// One network interface of a router.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Link {
    /// The interface's name.
    pub name: InterfaceName,
    /// The kernel's interface index: a re-created device gets a new one.
    pub ifindex: Option<u32>,
    /// Interface MTU, bytes of IP packet.
    pub mtu: Option<Bytes>,
    /// Administrative state (flag `UP`); `None` where the source hides the flags.
    pub admin_up: Option<bool>,
    /// Operational state.
    pub oper_state: Option<OperState>,
    /// MAC address.
    pub mac: Option<Mac>,
    /// The bridge (or bond, VRF) this link belongs to.
    pub master: Option<InterfaceName>,
    /// The link that this VLAN or MAC VLAN is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<InterfaceName>,
    /// Interface description (`ifalias`).
    pub description: Option<Text>,
    /// All addresses of the interface.
    pub addresses: Vec<IpAddr>,
    /// `linkinfo.info_kind`.
    pub kind: Option<LinkKind>,
    /// Settings that only a vxlan device has.
    pub vxlan: Option<Vxlan>,
    /// Kernel counters; they restart with the device.
    pub counters: Counters,
}

impl Link {
    /// Whether all is equal but counters.
    fn joins_like(&self, other: &Self) -> bool {
        let Self { counters: _, vxlan, .. } = self;
        let settings = |vxlan: &Option<Vxlan>| {
            vxlan.as_ref().map(|vxlan| Vxlan { vni_counters: BTreeMap::new(), ..vxlan.clone() })
        };
        let bare = |link: &Self, vxlan| Self { counters: Counters::default(), vxlan, ..link.clone() };
        bare(self, settings(vxlan)) == bare(other, settings(&other.vxlan))
    }

    /// Whether it is a vxlan interface, even if its vxlan settings are not known.
    #[must_use]
    pub(crate) fn is_vxlan(&self) -> bool {
        self.vxlan.is_some() || self.kind == Some(LinkKind::Vxlan)
    }
}

/// The vxlan settings of a link.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Vxlan {
    /// Network identifier; absent on `external` devices.
    pub vni: Option<Vni>,
    /// First remote VTEP or multicast group.
    pub remote: Option<IpAddr>,
    /// Further remotes that are part of the configuration; other sources list them as entries of
    /// the flood list.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub more_remotes: Vec<IpAddr>,
    /// Source address, often unset.
    pub local: Option<IpAddr>,
    /// UDP destination port.
    pub port: Option<u16>,
    /// Outer DF-bit policy; absent on old iproute2.
    pub df: Option<DfPolicy>,
    /// Outer TTL; `None` means inherit, auto or not known.
    pub ttl: Option<u32>,
    /// Whether the device learns remote MACs.
    pub learning: Option<bool>,
    /// The underlay device it is tied to.
    pub link: Option<InterfaceName>,
    /// `external` (collect metadata) devices carry many VNIs.
    pub external: bool,
    /// Whether VNI filtering is on.
    pub vnifilter: bool,
    /// The VNIs let through by the filter; empty on devices without one.
    pub vnis: VniSet,
    /// Counters of single VNIs of the filter, where the source tells them. Their sent bytes count
    /// whole Ethernet frames; a device's sent bytes start at the IP header (measured, 6.18).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub vni_counters: BTreeMap<Vni, Counters>,
}

/// Kernel counters of a link (`struct rtnl_link_stats64`), or of one VNI of it. A counter that the
/// source does not tell, or that cannot be believed, is absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Bytes received.
    pub rx_bytes: Option<u64>,
    /// Packets received.
    pub rx_packets: Option<u64>,
    /// Receive errors.
    pub rx_errors: Option<u64>,
    /// Received packets dropped.
    pub rx_dropped: Option<u64>,
    /// Received packets of a wrong length, for example larger than the MTU; printed only with
    /// `-s -s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rx_length_errors: Option<u64>,
    /// Receiver overruns (`over_errors`).
    pub rx_over_errors: Option<u64>,
    /// `missed_errors`, which is not the same counter as overruns; printed only with `-s -s`.
    pub rx_missed_errors: Option<u64>,
    /// Multicast packets received.
    pub rx_multicast: Option<u64>,
    /// Bytes transmitted.
    pub tx_bytes: Option<u64>,
    /// Packets transmitted.
    pub tx_packets: Option<u64>,
    /// Transmit errors.
    pub tx_errors: Option<u64>,
    /// Packets dropped before transmission.
    pub tx_dropped: Option<u64>,
    /// On a vxlan device: packets without a route to the remote VTEP (measured).
    pub tx_carrier_errors: Option<u64>,
    /// On a vxlan device: packets in a routing loop (kernel source).
    pub tx_collisions: Option<u64>,
}

#[cfg(test)]
impl Counters {
    /// All counters at 0, as of a new device.
    pub(crate) const ZERO: Self = Self {
        rx_bytes: Some(0),
        rx_packets: Some(0),
        rx_errors: Some(0),
        rx_dropped: Some(0),
        rx_length_errors: Some(0),
        rx_over_errors: Some(0),
        rx_missed_errors: Some(0),
        rx_multicast: Some(0),
        tx_bytes: Some(0),
        tx_packets: Some(0),
        tx_errors: Some(0),
        tx_dropped: Some(0),
        tx_carrier_errors: Some(0),
        tx_collisions: Some(0),
    };
}

/// One forwarding entry that names a remote VTEP or a learned MAC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FdbEntry {
    /// The device that holds the entry.
    pub interface: InterfaceName,
    /// MAC address; [`Mac::FLOOD`] is the flood list.
    pub mac: Mac,
    /// The remote VTEP; absent on a bridge's own entries.
    pub dst: Option<IpAddr>,
    /// `None` for learned entries.
    pub state: Option<FdbState>,
    /// The VNI, where the entry names one.
    pub vni: Option<Vni>,
    /// The underlay device that the entry is tied to.
    pub via: Option<InterfaceName>,
    /// Whether a routing daemon set it (`extern_learn`), as EVPN does.
    pub extern_learn: bool,
}

/// How a router reaches a remote VTEP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Route {
    /// Egress device.
    pub dev: InterfaceName,
    /// Next hop, absent on a connected network.
    pub gateway: Option<IpAddr>,
    /// The `mtu` metric of the route, or a cached path MTU, in bytes of IP packet.
    pub mtu: Option<Bytes>,
    /// The source address the router would use.
    pub source: Option<IpAddr>,
    /// For how many more seconds `mtu` is remembered, if it is a cached path MTU: one that a signal
    /// named, and not a setting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<u32>,
}
