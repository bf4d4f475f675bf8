//! The best method: iproute2's JSON, which tells all there is to know.
//!
//! `ip -j` costs a VyOS router about 2 ms, VyOS's own op-mode about 550 ms. `/proc/uptime` is read right
//! before and right after the counters, so that two routers' counters can be compared over the same seconds.
//!
//! Routes to the remotes of the last scrape are asked again in the same exec; only where a remote appears
//! that was not known, a second exec asks for its route, so that the very first scrape has underlay MTUs.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    net::IpAddr,
    time::Instant,
};

use super::{
    bounds,
    index::Index,
    parse,
    script::{Failed, Output, SYSTEM, System, UPTIME_AFTER, UPTIME_BEFORE, misread, run},
    shell::Shell,
    snapshot::{Route, RouterSnapshot, ScrapeError},
};
use crate::types::Method;

/// More remotes than this get no route: the script must fit one SSH packet (about 32 kB).
const MAX_ROUTES: usize = 700;

const LINK: &str = "s link ip -j -s -s -d addr show\n";
const FORWARDING: &str = "s fdb bridge -j fdb show\ns vni bridge -j -s vni show\n";
const NEEDS: &str = "it needs iproute2 4.18 or later";

/// Reads one router again and again by iproute2's JSON.
#[derive(Debug, Default)]
pub struct Reader {
    /// Remotes whose route is asked for in the first exec.
    known: BTreeSet<IpAddr>,
}

impl Reader {
    /// One scrape, over before `deadline`. Blocks; never retries.
    pub fn scrape(&mut self, shell: &mut dyn Shell, deadline: Instant) -> Result<RouterSnapshot, Failed> {
        let state = [UPTIME_BEFORE, LINK, UPTIME_AFTER, FORWARDING, SYSTEM].concat();
        let body = state + &ask_routes(&self.known);
        let mut snapshot = run(shell, &body, deadline, |output| {
            let mut snapshot = snapshot(output)?;
            snapshot.routes = routes(output, &self.known)?;
            Ok(snapshot)
        })?;
        let remotes = unicast_remotes(&snapshot);
        let new: BTreeSet<_> = remotes.difference(&self.known).copied().collect();
        if !new.is_empty() {
            let found = run(shell, &ask_routes(&new), deadline, |output| routes(output, &new))?;
            snapshot.routes.extend(found);
        }
        snapshot.routes.retain(|remote, _| remotes.contains(remote));
        snapshot.routes.extend(multicast_routes(&snapshot));
        self.known = remotes;
        Ok(snapshot)
    }
}

/// Only typed addresses reach the script: a router's text cannot put a command into it.
fn ask_routes(remotes: &BTreeSet<IpAddr>) -> String {
    if remotes.is_empty() {
        return String::new();
    }
    let mut script = String::from("for r in");
    for remote in remotes {
        let _ = write!(script, " {remote}");
    }
    script + "; do s \"route $r\" ip -j route get \"$r\"; done\n"
}

/// The VTEPs that vxlan devices send to: their `remote` and those of their forwarding entries.
fn unicast_remotes(snapshot: &RouterSnapshot) -> BTreeSet<IpAddr> {
    let devices = snapshot.vxlans().filter_map(|(_, vxlan)| vxlan.remote);
    let entries = snapshot.fdb.iter().filter_map(|entry| entry.dst);
    let unicast = |remote: &IpAddr| !remote.is_multicast() && !remote.is_unspecified();
    devices.chain(entries).filter(unicast).take(MAX_ROUTES).collect()
}

/// A multicast group is sent out of the device that the vxlan is tied to; `route get` may know no route.
fn multicast_routes(snapshot: &RouterSnapshot) -> Vec<(IpAddr, Route)> {
    let tied = snapshot.vxlans().filter_map(|(_, vxlan)| {
        let group = vxlan.remote.filter(IpAddr::is_multicast)?;
        Some((group, Route { dev: vxlan.link.clone()?, gateway: None, mtu: None, source: vxlan.local }))
    });
    tied.collect()
}

fn snapshot(output: &Output<'_>) -> Result<RouterSnapshot, ScrapeError> {
    let links = output.must("link", "ip -j -s -s -d addr show", NEEDS)?;
    let mut links = parse::link::links(links).map_err(|error| misread(&error))?;
    bounds::few_addresses(&mut links);
    let fdb = output.must("fdb", "bridge -j fdb show", NEEDS)?;
    let vxlans: BTreeSet<_> =
        links.iter().filter(|link| link.vxlan.is_some()).map(|link| &link.name).collect();
    let fdb = parse::fdb::entries_of(fdb, |name| vxlans.contains(name)).map_err(|error| misread(&error))?;
    // Before VyOS 1.4 `bridge vni` does not exist: no VNI filter then.
    let mut filters = match output.may("vni") {
        Some(text) => parse::vni::filters(text).map_err(|error| misread(&error))?,
        None => BTreeMap::new(),
    };
    for link in &mut links {
        if let (Some(vxlan), Some(filter)) = (&mut link.vxlan, filters.remove(&link.name)) {
            (vxlan.vnis, vxlan.vni_counters) = (filter.vnis, filter.counters);
        }
    }
    let System { version, boot_id, uptime } = output.system();
    Ok(RouterSnapshot {
        method: Method::Ip,
        fdb,
        links,
        routes: BTreeMap::new(),
        version,
        boot_id,
        uptime,
        index: Index::default(),
    })
}

/// A remote without a route is left out: `ip route get` fails then.
fn routes(output: &Output<'_>, remotes: &BTreeSet<IpAddr>) -> Result<BTreeMap<IpAddr, Route>, ScrapeError> {
    let mut routes = BTreeMap::new();
    for remote in remotes {
        let Some(text) = output.may(&format!("route {remote}")) else { continue };
        if let Some(route) = parse::route::route(text).map_err(|error| misread(&error))? {
            routes.insert(*remote, route);
        }
    }
    Ok(routes)
}

#[cfg(test)]
mod tests;
