//! `/router/NAME`: how it is read, and its interfaces.

use maud::{Markup, html};

use super::{frame, not_found, tables::or_nothing, time::since};
use crate::{
    model::{
        snapshot::{Link, RouterReading},
        types::dropped,
    },
    web::{
        answer::Content,
        mark::{Mark, router_in_words, tunnel_in_words},
        view::{View, address},
    },
};

pub(crate) fn router(view: &View, name: &str) -> Content {
    let Some(reading) = view.router(name) else { return not_found::no(view, "router", name) };
    let mark = Mark::of_router(reading);
    let main = html! {
        h1 { "Router " bdi { (reading.router) } }
        section class={ "headline " (mark.class()) } aria-label="State of the router" {
            p class="state" { (mark.icon()) " " strong { (router_in_words(reading)) } }
            @if let Some(failure) = &reading.failure { p { (failure.message) } }
            @if !reading.left_out.is_empty() {
                p { "Left out: " (dropped::in_words(&reading.left_out)) ". " (dropped::remedy(&reading.left_out, reading.left_out_why.as_ref())) }
            }
        }
        (facts(view, reading))
        (tunnels(view, reading))
        (interfaces(reading))
    };
    Content::html(frame::page(view, &format!("{name}: {} – vxlan_exporter", router_in_words(reading)), &main))
}

fn facts(view: &View, reading: &RouterReading) -> Markup {
    let snapshot = reading.current.as_deref();
    let failures: Vec<_> =
        reading.failures.iter().map(|(reason, times)| format!("{reason} {times}")).collect();
    html! {
        dl class="facts" {
            dt { "Site" } dd { bdi { (reading.site) } }
            dt { "Version" } dd { (or_nothing(snapshot.and_then(|snapshot| snapshot.version.clone()))) }
            dt { "Read by" } dd { (or_nothing(snapshot.map(|snapshot| snapshot.method))) }
            dt { "Reading took" } dd { (reading.duration.as_millis()) " ms" }
            @if let Some(at) = reading.last_success { dt { "Last read" } dd { (since(at, view.now)) } }
            dt { "Readings" } dd { (reading.scrapes) @if !failures.is_empty() { ", failed: " (failures.join(", ")) } }
        }
    }
}

fn tunnels(view: &View, reading: &RouterReading) -> Markup {
    let all = &view.present.overlay.tunnels;
    let of_router = all.iter().filter(|tunnel| tunnel.ends.iter().any(|end| end.router == reading.router));
    let of_router: Vec<_> = of_router.collect();
    html! {
        section {
            h2 { "Tunnels" }
            @if of_router.is_empty() { p { "None that is known." } }
            ul {
                @for tunnel in of_router {
                    li {
                        a href=(address("tunnel", &tunnel.name)) { bdi { (tunnel.name) } } " "
                        (Mark::of_tunnel(tunnel).with(&tunnel_in_words(tunnel)))
                    }
                }
            }
        }
    }
}

fn interfaces(reading: &RouterReading) -> Markup {
    let Some(snapshot) = reading.current.as_deref() else { return html! {} };
    let row = |link: &Link| {
        let vxlan = link.vxlan.as_ref();
        let counters = &link.counters;
        html! {
            th scope="row" { (link.name) }
            td { @match link.admin_up { Some(true) => "up", Some(false) => (Mark::Bad.with("down")), None => "not known" } }
            td class="number" { (or_nothing(vxlan.and_then(|vxlan| vxlan.vni))) }
            td { (or_nothing(vxlan.and_then(|vxlan| vxlan.remote))) }
            td class="number" { (or_nothing(vxlan.and_then(|vxlan| vxlan.port))) }
            td class="number" { (or_nothing(link.mtu)) }
            td { (or_nothing(link.master.as_ref())) }
            td class="number" { (or_nothing(counters.rx_packets)) }
            td class="number" { (or_nothing(counters.tx_packets)) }
        }
    };
    let header = ["Interface", "Admin", "VNI", "Remote", "Port", "MTU", "Bridge", "Received", "Sent"];
    html! {
        section {
            h2 id="interfaces" { "vxlan interfaces" }
            div class="scroll" tabindex="0" role="region" aria-labelledby="interfaces" {
                table {
                    thead { tr { @for name in header { th scope="col" { (name) } } } }
                    tbody { @for link in snapshot.vxlan_links() { tr { (row(link)) } } }
                }
            }
        }
    }
}
