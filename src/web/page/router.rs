//! `/router/NAME`: how it is read, and its interfaces.

use maud::{Markup, html};

use super::{frame, not_found, tables::or_nothing, time::ago};
use crate::{
    language::{Between, Said, say},
    model::{
        snapshot::{Link, RouterReading},
        types::dropped,
    },
    web::{
        answer::Content,
        mark::{Mark, router_in_words, tunnel_in_words},
        view::{View, address},
        words::english,
    },
};

pub(crate) fn router(view: &View, name: &str) -> Content {
    let Some(reading) = view.router(name) else { return not_found::no(view, "router", name) };
    let mark = Mark::of_router(reading);
    let main = html! {
        h1 { (say!("Router")) " " bdi { (reading.router) } }
        section class={ "headline " (mark.class()) } aria-label=(say!("State of the router")) {
            p class="state" { (mark.icon()) " " strong { (router_in_words(reading)) } }
            @if let Some(failure) = &reading.failure { p { (english(&*failure.message)) } }
            @if !reading.left_out.is_empty() {
                p {
                    (say!(
                        "Left out: {items}. {remedy}",
                        items => dropped::said(&reading.left_out),
                        remedy => dropped::remedy(&reading.left_out, reading.left_out_why.as_ref())
                    ))
                }
            }
        }
        (facts(view, reading))
        (tunnels(view, reading))
        (interfaces(reading))
    };
    Content::html(frame::page(view, &say!("{name}: {state}", name, state => router_in_words(reading)), &main))
}

fn facts(view: &View, reading: &RouterReading) -> Markup {
    let snapshot = reading.current.as_deref();
    let failed = reading.failures.iter();
    let failed = failed.map(|(reason, times)| say!("{reason} {times}", reason => reason.said(), times));
    let failed = Said::joined(failed, Between::Comma);
    html! {
        dl class="facts" {
            dt { (say!("Site")) } dd { bdi { (reading.site) } }
            dt { (say!("Version")) } dd { (or_nothing(snapshot.and_then(|snapshot| snapshot.version.clone()))) }
            dt { (say!("Read by")) } dd { (or_nothing(snapshot.map(|snapshot| snapshot.method))) }
            dt { (say!("Reading took")) } dd { (reading.duration.as_millis()) " ms" }
            @if let Some(at) = reading.last_success { dt { (say!("Last read")) } dd { (ago(at, view.now)) } }
            dt { (say!("Readings")) } dd { (reading.scrapes) @if !reading.failures.is_empty() { (say!(", failed: {reasons}", reasons => failed)) } }
        }
    }
}

fn tunnels(view: &View, reading: &RouterReading) -> Markup {
    let all = &view.present.overlay.tunnels;
    let of_router = all.iter().filter(|tunnel| tunnel.ends.iter().any(|end| end.router == reading.router));
    let of_router: Vec<_> = of_router.collect();
    html! {
        section {
            h2 { (say!("Tunnels")) }
            @if of_router.is_empty() { p { (say!("None that is known.")) } }
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
            td { @match link.admin_up { Some(true) => (say!("up")), Some(false) => (Mark::Bad.with(&say!("down"))), None => (say!("not known")) } }
            td class="number" { (or_nothing(vxlan.and_then(|vxlan| vxlan.vni))) }
            td { (or_nothing(vxlan.and_then(|vxlan| vxlan.remote))) }
            td class="number" { (or_nothing(vxlan.and_then(|vxlan| vxlan.port))) }
            td class="number" { (or_nothing(link.mtu)) }
            td { (or_nothing(link.master.as_ref())) }
            td class="number" { (or_nothing(counters.rx_packets)) }
            td class="number" { (or_nothing(counters.tx_packets)) }
        }
    };
    let header = [
        say!("Interface"),
        say!("Admin"),
        say!("VNI"),
        say!("Remote"),
        say!("Port"),
        say!("MTU"),
        say!("Bridge"),
        say!("Received"),
        say!("Sent"),
    ];
    html! {
        section {
            h2 id="interfaces" { (say!("vxlan interfaces")) }
            div class="scroll" tabindex="0" role="region" aria-labelledby="interfaces" {
                table {
                    thead { tr { @for name in header { th scope="col" { (name) } } } }
                    tbody { @for link in snapshot.vxlan_links() { tr { (row(link)) } } }
                }
            }
        }
    }
}
