//! The tables: paths, tunnels, legs, routers; worst first, a part of them at a time.

use maud::{Markup, html};

use super::table_pages::TablePages;
use crate::{
    language::{Said, query, say},
    model::{
        picture::{Tunnel, TunnelEnd},
        snapshot::{Link, RouterReading},
        words::number::vxlan_interfaces,
    },
    report::tables::{PathMtu, milliseconds},
    web::{
        mark::{Mark, router_in_words, tunnel_in_words, verdict_in_words},
        view::{View, address},
    },
};

/// Rows of one page.
const A_PAGE: usize = 100;
const NOTHING: &str = "–";

/// The heading of a column.
enum Column {
    Words(Said),
    Numbers(Said),
}

use Column::{Numbers, Words};

/// A table with a heading, and the way to its other pages, whose rows are not made.
fn table(
    key: &str,
    title: &Said,
    header: &[Column],
    page: usize,
    rows: impl ExactSizeIterator<Item = Markup>,
) -> Markup {
    let all = rows.len();
    let skipped = (page - 1).saturating_mul(A_PAGE);
    html! {
        section {
            h2 id=(key) { (title) }
            div class="scroll" tabindex="0" role="region" aria-labelledby=(key) {
                table {
                    thead {
                        tr {
                            @for name in header {
                                @match name {
                                    Numbers(name) => { th scope="col" class="number" { (name) } }
                                    Words(name) => { th scope="col" { (name) } }
                                }
                            }
                        }
                    }
                    tbody { @for row in rows.skip(skipped).take(A_PAGE) { tr { (row) } } }
                }
            }
            (pager(key, page, all, A_PAGE))
        }
    }
}

/// Links to the other pages of a long list.
pub(super) fn pager(key: &str, page: usize, all: usize, of_page: usize) -> Markup {
    if all <= of_page {
        return html! {};
    }
    let last = all.div_ceil(of_page);
    let other = |page: usize| match query() {
        "" => format!("?{key}={page}#{key}"),
        asked => format!("{asked}&{key}={page}#{key}"),
    };
    html! {
        nav class="pager" aria-label=(say!("Pages of {table}", table => title(key))) {
            @if page > 1 { a href=(other(page - 1)) { (say!("Previous")) } }
            span { (say!("Page {page} of {last} ({all})", page, last, all)) }
            @if page < last { a href=(other(page + 1)) { (say!("Next")) } }
        }
    }
}

fn title(key: &str) -> Said {
    match key {
        "paths" => say!("paths"),
        "tunnels" => say!("tunnels"),
        "legs" => say!("legs"),
        "routers" => say!("routers"),
        _ => say!("problems"),
    }
}

pub(super) fn paths(view: &View, asked: &TablePages) -> Markup {
    let mut paths: Vec<_> = view.present.paths.iter().collect();
    if paths.is_empty() {
        return html! {};
    }
    // Worst first; equal ones in the order of the configuration.
    paths.sort_by_key(|path| path.judgement.verdict);
    let row = |path: &std::sync::Arc<crate::model::observation::PathObservation>| {
        let echo = path.echo();
        let decided = echo.replies + echo.lost;
        let [forward, reverse] = PathMtu::of(path).map(PathMtu::cell);
        html! {
            th scope="row" { a href=(address("path", path.path.as_str())) { bdi { (path.path) } } }
            td { (Mark::of_path(path).with(&verdict_in_words(path))) }
            td { bdi { (path.source) } " → " bdi { (path.target_site) } }
            td { bdi { (path.target) } }
            td class="number" { (dash(&forward)) }
            td class="number" { (dash(&reverse)) }
            td class="number" { (or_nothing(path.expected_mtu.as_ref().map(|expected| expected.bytes))) }
            td class="number" { (or_nothing((decided > 0).then(|| say!("{lost} of {all}", lost = echo.lost, all = decided).localized()))) }
            td class="number" { (or_nothing(echo.rtt.mean_seconds().map(milliseconds))) }
        }
    };
    let rows = paths.into_iter().map(row);
    let header = [
        Words(say!("Path")),
        Words(say!("Verdict")),
        Words(say!("Sites")),
        Words(say!("Target")),
        Numbers(say!("MTU there")),
        Numbers(say!("MTU back")),
        Numbers(say!("Expected")),
        Numbers(say!("Echoes lost")),
        Numbers(say!("Mean RTT")),
    ];
    table("paths", &say!("Paths"), &header, asked.paths, rows)
}

pub(super) fn link<'v>(view: &'v View, end: &TunnelEnd) -> Option<&'v Link> {
    view.router(end.router.as_str())?.current.as_ref()?.link(end.interface.as_str())
}

fn sorted(view: &View) -> Vec<&Tunnel> {
    let mut tunnels: Vec<_> = view.present.overlay.tunnels.iter().collect();
    tunnels.sort_by_key(|tunnel| Mark::of_tunnel(tunnel));
    tunnels
}

pub(super) fn tunnels(view: &View, asked: &TablePages) -> Markup {
    let tunnels = sorted(view);
    if tunnels.is_empty() {
        return html! {};
    }
    let row = |tunnel: &Tunnel| {
        let both = |tell: &dyn Fn(&Link) -> Option<u32>| {
            let told = |end| or_nothing(link(view, end).and_then(tell));
            let mut told: Vec<_> = tunnel.ends.iter().map(told).collect();
            told.dedup();
            told.join(" ≠ ")
        };
        html! {
            th scope="row" { a href=(address("tunnel", &tunnel.name)) { bdi { (tunnel.name) } } }
            td { (Mark::of_tunnel(tunnel).with(&tunnel_in_words(tunnel))) }
            td class="number" { (both(&|link| Some(link.vxlan.as_ref()?.vni?.0))) }
            td class="number" { (both(&|link| link.mtu)) }
        }
    };
    let rows = tunnels.into_iter().map(row);
    let header = [Words(say!("Tunnel")), Words(say!("State")), Numbers(say!("VNI")), Numbers(say!("MTU"))];
    table("tunnels", &say!("Tunnels"), &header, asked.tunnels, rows)
}

/// Each direction of each tunnel.
pub(super) fn legs(view: &View, asked: &TablePages) -> Markup {
    let tunnels = sorted(view);
    let pairs = tunnels.into_iter().filter(|tunnel| tunnel.ends.len() == 2);
    let legs: Vec<_> = pairs.flat_map(|tunnel| [(tunnel, 0), (tunnel, 1)]).collect();
    let row = |(tunnel, from): (&Tunnel, usize)| {
        let (from, to) = (&tunnel.ends[from], &tunnel.ends[1 - from]);
        let loss = tunnel.loss.iter().find(|loss| loss.from == *from);
        let sender = link(view, from);
        let underlay = || {
            let snapshot = view.router(from.router.as_str())?.current.as_ref()?;
            let link = snapshot.link(from.interface.as_str())?;
            snapshot.underlay_mtu(link, link.vxlan.as_ref()?.remote?)
        };
        html! {
            th scope="row" { bdi { (from) } " → " bdi { (to) } }
            td class="number" { (or_nothing(loss.map(|loss| format!("{:.1} %", loss.ratio * 100.0)))) }
            td class="number" { (or_nothing(sender.and_then(|link| link.mtu))) }
            td class="number" { (or_nothing(underlay())) }
        }
    };
    if legs.is_empty() {
        return html! {};
    }
    let header = [
        Words(say!("From → to")),
        Numbers(say!("Loss")),
        Numbers(say!("MTU of the sender")),
        Numbers(say!("Underlay carries")),
    ];
    table("legs", &say!("Legs"), &header, asked.tunnels, legs.into_iter().map(row))
}

pub(super) fn routers(view: &View, asked: &TablePages) -> Markup {
    let mut routers: Vec<&RouterReading> = view.present.own_routers().collect();
    if routers.is_empty() {
        return html! {};
    }
    routers.sort_by_key(|reading| Mark::of_router(reading));
    let row = |reading: &RouterReading| {
        let snapshot = reading.current.as_deref();
        html! {
            th scope="row" { a href=(address("router", reading.router.as_str())) { bdi { (reading.router) } } }
            td {
                (Mark::of_router(reading).with(&router_in_words(reading)))
                @if let Some(failure) = &reading.failure { " " span class="note" lang="en" { (failure.message) } }
            }
            td { bdi { (reading.site) } }
            td { (or_nothing(snapshot.and_then(|snapshot| snapshot.version.clone()))) }
            td { (or_nothing(snapshot.map(|snapshot| vxlan_interfaces(snapshot.vxlan_links().count()).localized()))) }
            td class="number" { (reading.duration.as_millis()) " ms" }
        }
    };
    let rows = routers.into_iter().map(row);
    let header = [
        Words(say!("Router")),
        Words(say!("State")),
        Words(say!("Site")),
        Words(say!("Version")),
        Words(say!("Interfaces")),
        Numbers(say!("Reading took")),
    ];
    table("routers", &say!("Routers"), &header, asked.routers, rows)
}

/// `check` writes `-` for nothing.
fn dash(cell: &str) -> String {
    match cell.strip_prefix(">=") {
        Some(least) => format!("≥ {least}"),
        None if cell == "-" => NOTHING.to_owned(),
        None => cell.to_owned(),
    }
}

pub(super) fn or_nothing<T: ToString>(value: Option<T>) -> String {
    value.map_or(NOTHING.to_owned(), |value| value.to_string())
}
