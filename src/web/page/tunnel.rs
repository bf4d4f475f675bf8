//! `/tunnel/NAME`: what each end says, side by side; what differs is marked.

use maud::{Markup, html};

use super::{charts, frame, not_found, path::minute, problems, tables, time::since};
use crate::{
    language::{Said, say},
    model::{
        picture::{Tunnel, TunnelEnd},
        snapshot::{Link, RouterSnapshot},
        types::MismatchField,
    },
    report::problem::problems as all_problems,
    web::{
        answer::Content,
        mark::{Mark, tunnel_in_words},
        view::{View, address},
    },
};

pub(crate) fn tunnel(view: &View, name: &str) -> Content {
    let Some(tunnel) = view.tunnel(name) else { return not_found::no(view, "tunnel", name) };
    let mark = Mark::of_tunnel(tunnel);
    let problems = all_problems(&view.present);
    let problem = problems.iter().find(|problem| problem.kind == "tunnel" && problem.name == name);
    let main = html! {
        h1 { (say!("Tunnel")) " " bdi { (tunnel.name) } }
        section class={ "headline " (mark.class()) } aria-label=(say!("State of the tunnel")) {
            p class="state" {
                (mark.icon()) " " strong { (tunnel_in_words(tunnel)) }
                @if let Some(at) = view.history.tunnel_since(name) { " " span class="since" { (since(at, view.now)) } }
            }
            @if let Some(problem) = problem { p { (problems::meaning(view, problem)) } }
        }
        @if let Some(problem) = problem { (problems::alone(view, problem)) }
        @else if !tunnel.evidence.is_empty() { ul { @for line in &tunnel.evidence { li { (line) } } } }
        (ends(view, tunnel))
        (history(view, tunnel))
        (paths(view, tunnel))
    };
    Content::html(frame::page(view, &say!("{name}: {state}", name, state => tunnel_in_words(tunnel)), &main))
}

/// One line of the comparison; `counts` are never alike and not compared.
struct ComparisonRow {
    what: Said,
    values: Vec<Option<String>>,
    differs: bool,
}

fn ends(view: &View, tunnel: &Tunnel) -> Markup {
    html! {
        section {
            h2 id="ends" { @if tunnel.ends.len() == 2 { (say!("Both ends")) } @else { (say!("The end that is known")) } }
            div class="scroll" tabindex="0" role="region" aria-labelledby="ends" {
                table class="compare" {
                    thead {
                        tr {
                            td {}
                            @for end in &tunnel.ends {
                                th scope="col" {
                                    a href=(address("router", end.router.as_str())) { bdi { (end) } }
                                }
                            }
                        }
                    }
                    tbody {
                        @for row in rows(view, tunnel) {
                            tr class=@if row.differs { "differs" } @else { "same" } {
                                th scope="row" {
                                    (row.what)
                                    @if row.differs { " " (Mark::Bad.with(&say!("differs"))) }
                                }
                                @for value in row.values { td { (tables::or_nothing(value)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn rows(view: &View, tunnel: &Tunnel) -> Vec<ComparisonRow> {
    type Tell = fn(&RouterSnapshot, &Link) -> Option<String>;
    let settings: [(Said, Option<MismatchField>, Tell); 13] = [
        (say!("VNI"), Some(MismatchField::Vni), |_, link| Some(link.vxlan.as_ref()?.vni?.to_string())),
        (say!("UDP port"), Some(MismatchField::Port), |_, link| Some(link.vxlan.as_ref()?.port?.to_string())),
        (say!("Remote"), Some(MismatchField::Remote), |_, link| {
            Some(link.vxlan.as_ref()?.remote?.to_string())
        }),
        (say!("Local"), None, |_, link| Some(link.vxlan.as_ref()?.local?.to_string())),
        (say!("MTU"), Some(MismatchField::Mtu), |_, link| Some(link.mtu?.to_string())),
        (say!("Outer DF bit"), Some(MismatchField::Df), |_, link| Some(link.vxlan.as_ref()?.df?.to_string())),
        (say!("Admin state"), None, |_, link| {
            Some(if link.admin_up? { say!("up") } else { say!("down") }.localized())
        }),
        (say!("Bridge"), None, |snapshot, link| Some(snapshot.bridge_of(link)?.to_string())),
        (say!("Widest port of the bridge"), None, |snapshot, link| {
            let (port, mtu) = snapshot.widest_port(snapshot.bridge_of(link)?)?;
            Some(format!("{} MTU {mtu}", port.name))
        }),
        (say!("Underlay carries"), None, |snapshot, link| {
            Some(snapshot.underlay_mtu(link, link.vxlan.as_ref()?.remote?)?.to_string())
        }),
        (say!("Packets received"), None, |_, link| Some(link.counters.rx_packets?.to_string())),
        (say!("Packets sent"), None, |_, link| Some(link.counters.tx_packets?.to_string())),
        (say!("Sent without a route"), None, |_, link| Some(link.counters.tx_carrier_errors?.to_string())),
    ];
    let tell = |end: &TunnelEnd, tell: Tell| {
        let snapshot = view.router(end.router.as_str())?.current.as_deref()?;
        tell(snapshot, snapshot.link(end.interface.as_str())?)
    };
    let row = |(what, field, how): (Said, Option<MismatchField>, Tell)| ComparisonRow {
        what,
        values: tunnel.ends.iter().map(|end| tell(end, how)).collect(),
        differs: field.is_some_and(|field| tunnel.mismatches.contains_key(&field)),
    };
    settings.into_iter().map(row).collect()
}

fn history(view: &View, tunnel: &Tunnel) -> Markup {
    let Some(known) = view.history.tunnel(&tunnel.name) else { return html! {} };
    let now = minute(view.now);
    let minutes: Vec<_> = known.minutes().collect();
    let up = |up: bool| if up { Mark::Good } else { Mark::Bad };
    let states: Vec<_> = minutes.iter().map(|minute| (minute.minute, minute.up.map(up))).collect();
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    html! {
        section aria-labelledby="history" {
            h2 id="history" { (say!("Last 24 hours")) }
            (charts::strip(&say!("Up or down, the worst of each five minutes"), now, &states))
            @if let [one, other] = tunnel.ends.as_slice() {
                @for (place, from, to) in [(0, one, other), (1, other, one)] {
                    @let loss: Vec<_> = minutes.iter().map(|minute| (minute.minute, minute.loss[place])).collect();
                    (charts::sparkline(say!("Loss from {from} to {to}", from, to), now, &loss, &percent))
                }
            }
            h3 { (say!("Changes")) }
            (charts::changes(known.changes().rev()))
        }
    }
}

fn paths(view: &View, tunnel: &Tunnel) -> Markup {
    let crossing = view.present.paths_with_pictures().filter(|(_, picture)| {
        picture.is_some_and(|picture| picture.hops.iter().any(|hop| hop.tunnel == tunnel.name))
    });
    let crossing: Vec<_> = crossing.collect();
    html! {
        section {
            h2 { (say!("Paths over it")) }
            @if crossing.is_empty() { p { (say!("None that is known.")) } }
            ul {
                @for (path, _) in crossing {
                    li {
                        a href=(address("path", path.path.as_str())) { bdi { (path.path) } } " "
                        (Mark::of_path(path).with(&crate::web::mark::verdict_in_words(path)))
                    }
                }
            }
        }
    }
}
