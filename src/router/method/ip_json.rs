//! The best method: iproute2's JSON, which shows everything there is.
//!
//! `ip -j` costs a VyOS router about 2 ms, VyOS's own op-mode about 550 ms. `/proc/uptime` is read
//! right before and right after the counters, so that two routers' counters can be compared over
//! the same seconds.
//!
//! Routes that were looked up in the last scrape are looked up again in the same exec. A second
//! exec follows only if a new route is needed, so that even the first scrape has underlay MTUs.
//! Each look-up is the one that the vxlan device itself makes: `model::snapshot::route_query`.
//!
//! One query covers devices of every type: bridge ports, bonds and underlay devices are needed, and
//! a query per type would cost the router one command each. Where one unrelated device makes the
//! output unreadable, the parser mends it or leaves that device out. Only links are required:
//! without forwarding entries, VNI filters or routes the rest is kept, and the gap is reported.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    hash::{BuildHasher as _, RandomState},
    net::IpAddr,
    sync::LazyLock,
    time::Instant,
};

use crate::{
    model::{
        snapshot::{
            Link, Route, RouterSnapshot, ScrapeError, Vxlan, fdb::Fdb, index::Index, ip_stack::IpStack,
            route_query::RouteQuery,
        },
        types::{DroppedKind, FailureReason, InterfaceName, Method},
    },
    router::{
        bounds, parse,
        script::{Failed, Output, SYSTEM, System, UPTIME_AFTER, UPTIME_BEFORE, misread, run},
        shell::Shell,
    },
    vendor::Vyos,
};

/// Bytes of script for route look-ups; further routes are left out. The script must fit into one
/// SSH packet (about 32 kB).
const MAX_ROUTE_BYTES: usize = 28_000;

const LINK: &str = "s link ip -j -s -s -d addr show\n";
/// Counters of the whole router, some 8 kB. A router that does not let them be read lacks them, and
/// nothing else.
const STACK: &str = "s snmp head -c 65536 /proc/net/snmp\ns snmp6 head -c 65536 /proc/net/snmp6\n";
const FORWARDING: &str = "s fdb bridge -j fdb show\ns vni bridge -j -s vni show\n";
const NEEDS: &str = "it needs iproute2 4.18 or later";

/// Reads one router repeatedly by iproute2's JSON.
#[derive(Debug, Default)]
pub struct Reader {
    /// Routes to look up in the first exec.
    known: BTreeSet<RouteQuery>,
    /// The forwarding entries that were read last.
    forwarding: Option<Forwarding>,
}

/// Forwarding entries, and what they were read from.
#[derive(Debug)]
struct Forwarding {
    /// A hash of the text by a secret key of this process, and its length.
    text: (u64, usize),
    vxlans: BTreeSet<InterfaceName>,
    entries: Fdb,
}

impl Reader {
    /// One scrape, finished before `deadline`. Blocks; never retries.
    pub fn scrape(&mut self, shell: &mut dyn Shell, deadline: Instant) -> Result<RouterSnapshot, Failed> {
        let state =
            [UPTIME_BEFORE, LINK, STACK, UPTIME_AFTER, FORWARDING, SYSTEM, Vyos::VERSION_FILES].concat();
        let body = state + &ask_routes(&self.known);
        let mut snapshot = run(shell, &body, deadline, |output| {
            let mut snapshot = snapshot(output, &mut self.forwarding)?;
            snapshot.routes = routes(output, &self.known);
            Ok(snapshot)
        })?;
        let queries = queries(&snapshot);
        let new: BTreeSet<_> = queries.difference(&self.known).cloned().collect();
        if !new.is_empty() {
            let found = run(shell, &ask_routes(&new), deadline, |output| Ok(routes(output, &new)))?;
            snapshot.routes.extend(found);
        }
        snapshot.routes.retain(|query, _| queries.contains(query));
        snapshot.routes.extend(multicast_routes(&snapshot));
        self.known = queries;
        Ok(snapshot)
    }
}

/// Script lines that look up routes: one loop for all queries with the same conditions.
fn ask_routes(queries: &BTreeSet<RouteQuery>) -> String {
    let mut script = String::new();
    let mut last = None;
    for query in queries {
        let conditions = query.conditions();
        if last.as_ref() != Some(&conditions) {
            script.extend(last.as_deref().map(ask));
            script += "for r in";
        }
        let _ = write!(script, " {}", query.remote());
        last = Some(conditions);
    }
    script.extend(last.as_deref().map(ask));
    script
}

/// The end of a loop over remotes.
fn ask(conditions: &str) -> String {
    format!("; do s \"route $r{conditions}\" ip -j route get \"$r\"{conditions}; done\n")
}

/// The look-ups that vxlan devices make for the remotes they send to: their `remote` and those of
/// their forwarding entries.
fn queries(snapshot: &RouterSnapshot) -> BTreeSet<RouteQuery> {
    let unicast = |remote: &IpAddr| !remote.is_multicast() && !remote.is_unspecified();
    let of_device = |(link, vxlan): (&Link, &Vxlan)| {
        let entries = snapshot.entries(link.name.as_str()).filter_map(|entry| entry.dst);
        let remotes: BTreeSet<_> = vxlan.remote.into_iter().chain(entries).filter(unicast).collect();
        let asked = remotes.into_iter().filter_map(|remote| RouteQuery::new(snapshot, link, vxlan, remote));
        asked.collect::<Vec<_>>()
    };
    let mut queries: BTreeSet<_> = snapshot.vxlans().flat_map(of_device).collect();
    while ask_routes(&queries).len() > MAX_ROUTE_BYTES {
        // Rarely needed, so it need not be exact: each round drops the last quarter.
        let keep = queries.len() - queries.len().div_ceil(4);
        queries = queries.into_iter().take(keep).collect();
    }
    queries
}

/// Routes to multicast groups: sent through the device that the vxlan is tied to, where `route get`
/// may find no route.
fn multicast_routes(snapshot: &RouterSnapshot) -> Vec<(RouteQuery, Route)> {
    let tied = snapshot.vxlans().filter_map(|(link, vxlan)| {
        let group = vxlan.remote.filter(IpAddr::is_multicast)?;
        let query = RouteQuery::new(snapshot, link, vxlan, group)?;
        Some((
            query,
            Route { dev: vxlan.link.clone()?, gateway: None, mtu: None, source: vxlan.local, expires: None },
        ))
    });
    tied.collect()
}

fn snapshot(output: &Output<'_>, forwarding: &mut Option<Forwarding>) -> Result<RouterSnapshot, ScrapeError> {
    let links = output.must("link", "ip -j -s -s -d addr show", NEEDS)?;
    let mut links = parse::link::links(links).map_err(|error| misread(&error))?;
    bounds::few_addresses(&mut links);
    let vxlans = links.iter().filter(|link| link.vxlan.is_some()).map(|link| link.name.clone()).collect();
    let fdb = optional(DroppedKind::Fdb, || {
        let text = output.must("fdb", "bridge -j fdb show", NEEDS)?;
        entries(text, vxlans, forwarding)
    })?;
    put_filters(output, &mut links)?;
    let System { version, boot_id, uptime } = output.system();
    let text = |section| output.may(section).unwrap_or_default();
    let stack = parse::ip_stack::stack(text("snmp"), text("snmp6"));
    Ok(RouterSnapshot { version, boot_id, uptime, stack, ..of_parts(links, fdb) })
}

/// The forwarding entries of these devices. Most of a router's output are entries that were there in
/// the last scrape too: the same text is not parsed again.
fn entries(
    text: &str,
    vxlans: BTreeSet<InterfaceName>,
    last: &mut Option<Forwarding>,
) -> Result<Fdb, ScrapeError> {
    static SECRET: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    let known = (SECRET.hash_one(text), text.len());
    if let Some(last) = last.as_ref().filter(|last| last.text == known && last.vxlans == vxlans) {
        return Ok(last.entries.clone());
    }
    let before = bounds::left_out();
    let read = parse::fdb::entries_of(text, |name| vxlans.contains(name)).map_err(|error| misread(&error))?;
    let entries = Fdb::from(read);
    // What was left out is counted in each scrape.
    let is_whole = bounds::left_out() == before;
    *last = is_whole.then(|| Forwarding { text: known, vxlans, entries: entries.clone() });
    Ok(entries)
}

/// A snapshot with these links and entries and nothing else yet.
pub(in crate::router) fn of_parts(links: Vec<Link>, fdb: Option<Fdb>) -> RouterSnapshot {
    RouterSnapshot {
        method: Method::Ip,
        tells_fdb: fdb.is_some(),
        fdb: fdb.unwrap_or_default(),
        links,
        routes: BTreeMap::new(),
        version: None,
        boot_id: None,
        uptime: None,
        stack: IpStack::default(),
        index: Index::default(),
    }
}

/// For parts that a scrape can do without: a part that is not understood is reported, and the rest
/// is kept.
fn optional<T>(
    kind: DroppedKind,
    read: impl FnOnce() -> Result<T, ScrapeError>,
) -> Result<Option<T>, ScrapeError> {
    match read() {
        Ok(read) => Ok(Some(read)),
        Err(error) if error.reason == FailureReason::Timeout => Err(error),
        Err(error) => {
            bounds::leave_out_for(kind, error.message);
            Ok(None)
        }
    }
}

/// Adds VNI filters. `bridge vni` does not exist before VyOS 1.4; then no device has a filter.
fn put_filters(output: &Output<'_>, links: &mut [Link]) -> Result<(), ScrapeError> {
    let has_filter = links.iter().filter_map(|link| link.vxlan.as_ref()).any(|vxlan| vxlan.vnifilter);
    if !has_filter && output.may("vni").is_none() {
        return Ok(());
    }
    let filters = optional(DroppedKind::VniFilters, || {
        let text = output.must("vni", "bridge -j -s vni show", "it needs iproute2 5.19 or later")?;
        parse::vni::filters(text).map_err(|error| misread(&error))
    })?;
    let mut filters = filters.unwrap_or_default();
    for link in links {
        if let (Some(vxlan), Some(filter)) = (&mut link.vxlan, filters.remove(&link.name)) {
            (vxlan.vnis, vxlan.vni_counters) = (filter.vnis, filter.counters);
        }
    }
    Ok(())
}

/// The routes found. A remote without one is missing, as `ip route get` fails for it.
fn routes(output: &Output<'_>, queries: &BTreeSet<RouteQuery>) -> BTreeMap<RouteQuery, Route> {
    let mut routes = BTreeMap::new();
    for query in queries {
        let Some(text) = output.may(&format!("route {query}")) else { continue };
        match parse::route::route(text) {
            Ok(route) => routes.extend(route.map(|route| (query.clone(), route))),
            Err(error) => bounds::leave_out_for(DroppedKind::Route, error.to_string()),
        }
    }
    routes
}

#[cfg(test)]
mod tests;
