//! Samples of a router, its vxlan interfaces and the bridges they are in.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use super::{underlay, unix_seconds};
use crate::{
    catalogue as c,
    model::{
        snapshot::{FdbEntry, Link, RouterReading, RouterSnapshot, Vxlan},
        types::{
            Bytes, DfPolicy, DroppedKind, FailureReason, FdbKind, FdbState, InterfaceName, Mac, OperState,
        },
    },
    web::exposition::Exposition,
    work,
};

pub(crate) fn put(out: &mut Exposition, reading: &RouterReading) {
    let router = [reading.router.as_str(), reading.site.as_str()];
    for reason in FailureReason::ALL {
        let count = reading.failures.get(reason).copied().unwrap_or_default();
        out.put_count(&c::ROUTER_SCRAPE_FAILURES, &[router[0], router[1], reason.as_str()], count);
    }
    for kind in DroppedKind::ALL {
        let count = reading.dropped.get(kind).copied().unwrap_or_default();
        out.put_count(&c::ROUTER_DROPPED_ITEMS, &[router[0], router[1], kind.as_str()], count);
    }
    let mismatch = reading.failure.as_ref().is_some_and(|it| it.reason == FailureReason::HostkeyMismatch);
    out.put_bool(&c::ROUTER_HOST_KEY_MISMATCH, &router, mismatch);
    if reading.scrapes > 0 {
        out.put_bool(&c::ROUTER_UP, &router, reading.current.is_some());
        out.put(&c::ROUTER_SCRAPE_DURATION, &router, reading.duration.as_secs_f64());
    }
    if let Some(time) = reading.last_success {
        out.put(&c::ROUTER_LAST_SUCCESS, &router, unix_seconds(time));
    }
    let Some(snapshot) = &reading.current else { return };
    let version = snapshot.version.as_deref().unwrap_or_default();
    out.put(&c::ROUTER_INFO, &[router[0], router[1], version, snapshot.method.as_str()], 1.0);
    for link in snapshot.vxlan_links() {
        put_interface(out, router, snapshot, link);
        // A source without the interface index cannot tell that it changed either.
        if link.ifindex.is_some() {
            let count = reading.recreations.get(&link.name).copied().unwrap_or_default();
            out.put_count(&c::INTERFACE_RECREATIONS, &[router[0], router[1], link.name.as_str()], count);
        }
        if let Some(vxlan) = link.vxlan.as_ref().filter(|_| snapshot.tells_all()) {
            put_fdb(out, router, snapshot, link, vxlan);
        }
    }
    put_bridges(out, router, snapshot);
    underlay::put(out, router, snapshot);
}

fn put_interface(out: &mut Exposition, router: [&str; 2], snapshot: &RouterSnapshot, link: &Link) {
    let not_told = Vxlan::default();
    let vxlan = link.vxlan.as_ref().unwrap_or(&not_told);
    let labels = [router[0], router[1], link.name.as_str()];
    let info = [
        labels[0],
        labels[1],
        labels[2],
        &text(vxlan.vni),
        &text(vxlan.remote),
        &text(vxlan.local),
        &text(vxlan.port),
        snapshot.bridge_of(link).map_or("", InterfaceName::as_str),
        vxlan.df.map_or("", DfPolicy::as_str),
    ];
    out.put(&c::INTERFACE_INFO, &info, 1.0);
    if let Some(admin_up) = link.admin_up {
        let down = matches!(
            link.oper_state,
            Some(OperState::Down | OperState::LowerLayerDown | OperState::NotPresent)
        );
        out.put_bool(&c::INTERFACE_UP, &labels, admin_up && !down);
    }
    if let Some(mtu) = link.mtu {
        out.put(&c::INTERFACE_MTU, &labels, f64::from(mtu));
    }
    if let Some(mtu) = smallest_underlay(snapshot, link, vxlan) {
        out.put(&c::INTERFACE_UNDERLAY_MTU, &labels, f64::from(mtu));
    }
    let counters = &link.counters;
    for (family, value) in [
        (&c::INTERFACE_RX_BYTES, counters.rx_bytes),
        (&c::INTERFACE_RX_PACKETS, counters.rx_packets),
        (&c::INTERFACE_RX_ERRORS, counters.rx_errors),
        (&c::INTERFACE_RX_DROPPED, counters.rx_dropped),
        (&c::INTERFACE_RX_OVERRUNS, counters.rx_over_errors),
        (&c::INTERFACE_RX_MULTICAST, counters.rx_multicast),
        (&c::INTERFACE_TX_BYTES, counters.tx_bytes),
        (&c::INTERFACE_TX_PACKETS, counters.tx_packets),
        (&c::INTERFACE_TX_ERRORS, counters.tx_errors),
        (&c::INTERFACE_TX_DROPPED, counters.tx_dropped),
        (&c::INTERFACE_TX_CARRIER_ERRORS, counters.tx_carrier_errors),
        (&c::INTERFACE_TX_COLLISIONS, counters.tx_collisions),
    ] {
        if let Some(value) = value {
            out.put_count(family, &labels, value);
        }
    }
}

/// The smallest underlay MTU over all remotes that frames are flooded to, in bytes: its own
/// remotes, and those that EVPN or a person put on its flood list.
fn smallest_underlay(snapshot: &RouterSnapshot, link: &Link, vxlan: &Vxlan) -> Option<Bytes> {
    let flooded = snapshot.entries(link.name.as_str()).filter(|entry| entry.mac == Mac::FLOOD);
    let remotes: BTreeSet<_> =
        vxlan.remote.into_iter().chain(flooded.filter_map(|entry| entry.dst)).collect();
    work::each(remotes).filter_map(|remote| snapshot.underlay_mtu(link, remote)).min()
}

/// Samples of every kind for each remote that is configured or has an entry; a bridge's own entries
/// have no remote.
fn put_fdb(out: &mut Exposition, router: [&str; 2], snapshot: &RouterSnapshot, link: &Link, vxlan: &Vxlan) {
    let mut counts: BTreeMap<(IpAddr, FdbKind), u64> = BTreeMap::new();
    let own = || snapshot.entries(link.name.as_str());
    let remotes: BTreeSet<IpAddr> = own().filter_map(|entry| entry.dst).chain(vxlan.remote).collect();
    for entry in own() {
        if let Some(remote) = entry.dst {
            *counts.entry((remote, fdb_kind(entry))).or_default() += 1;
        }
    }
    for remote in remotes {
        let name = remote.to_string();
        for kind in FdbKind::ALL {
            let labels = [router[0], router[1], link.name.as_str(), &name, kind.as_str()];
            out.put_count(
                &c::FDB_ENTRIES,
                &labels,
                counts.get(&(remote, *kind)).copied().unwrap_or_default(),
            );
        }
    }
}

fn fdb_kind(entry: &FdbEntry) -> FdbKind {
    match entry.state {
        _ if entry.mac == Mac::FLOOD => FdbKind::Flood,
        Some(FdbState::Permanent | FdbState::Static) => FdbKind::Static,
        None => FdbKind::Learned,
    }
}

/// Only bridges with a vxlan port; other bridges of a router are not exported.
fn put_bridges(out: &mut Exposition, router: [&str; 2], snapshot: &RouterSnapshot) {
    let bridges: BTreeSet<&str> = snapshot
        .vxlan_links()
        .filter_map(|link| snapshot.bridge_of(link))
        .map(InterfaceName::as_str)
        .collect();
    for bridge in bridges {
        let Some(link) = snapshot.link(bridge) else { continue };
        if let Some(mtu) = link.mtu {
            out.put(&c::BRIDGE_MTU, &[router[0], router[1], bridge], f64::from(mtu));
        }
        for member in snapshot.members(bridge) {
            if let Some(mtu) = member.mtu {
                let labels = [router[0], router[1], bridge, member.name.as_str()];
                out.put(&c::BRIDGE_PORT_MTU, &labels, f64::from(mtu));
            }
        }
    }
}

/// A label's value; empty where there is none.
fn text(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
