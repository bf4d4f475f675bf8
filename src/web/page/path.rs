//! `/path/NAME`: one path, its sizes, its last 24 hours, what it crosses.

use std::time::{SystemTime, UNIX_EPOCH};

use maud::{Markup, html};

use super::{asked, charts, frame, ladder, not_found, problems, time::since};
use crate::{
    model::{observation::PathObservation, picture::PathPicture},
    report::{problem::bad_path, tables::milliseconds},
    web::{
        answer::Content,
        mark::{Mark, verdict_in_words},
        view::{View, address},
        wanted::May,
    },
};

pub(crate) fn path(view: &View, name: &str, may: &May) -> Content {
    let Some((path, picture)) = view.path(name) else { return not_found::no(view, "path", name) };
    let mark = Mark::of_path(path);
    let problem = bad_path(path, picture);
    let main = html! {
        h1 { "Path " bdi { (path.path) } }
        section class={ "headline " (mark.class()) } aria-label="State of the path" {
            p class="state" {
                (mark.icon()) " " strong { (verdict_in_words(path)) }
                @if let Some(at) = view.history.path_since(&path.path) { " " span class="since" { (since(at, view.now)) } }
            }
            p { (problems::sentence(&path.meaning())) }
            (asked::section(path, may, view.now))
        }
        (facts(path))
        @if let Some(problem) = &problem { (problems::alone(view, problem)) }
        section {
            h2 { "Sizes" }
            (ladder::ladder(path))
            @if problem.is_none() && !path.judgement.evidence.is_empty() {
                ul { @for line in &path.judgement.evidence { li { (line) } } }
            }
        }
        (history(view, path))
        (hops(picture))
    };
    Content::html(frame::page(view, &format!("{name}: {} – vxlan_exporter", verdict_in_words(path)), &main))
}

fn facts(path: &PathObservation) -> Markup {
    let echo = path.echo();
    let address = path.address.map(|address| address.to_string()).filter(|address| *address != path.target);
    html! {
        dl class="facts" {
            dt { "From" } dd { bdi { (path.source) } }
            dt { "To" }
            dd { bdi { (path.target) } @if let Some(address) = address { " (" (address) ")" } ", site " bdi { (path.target_site) } }
            dt { "TCP port" }
            dd { @match path.tcp_port { Some(port) => (port), None => "none: the directions are told apart less well" } }
            dt { "Expected MTU" }
            dd {
                @match &path.expected_mtu {
                    Some(expected) => { (expected.bytes) " bytes, by " (expected.rule) },
                    None => "not known yet",
                }
            }
            @if let Some(testable) = path.testable_mtu { dt { "We can send" } dd { (testable) " bytes" } }
            @if let Some(reflector) = path.reflector { dt { "Reflector" } dd { (reflector) } }
            dt { "Echoes" }
            dd {
                (echo.requests) " sent, " (echo.lost) " lost, " (echo.late) " late"
                @if let Some(mean) = echo.rtt.mean_seconds() { "; mean RTT " (milliseconds(mean)) }
            }
        }
    }
}

/// Minutes since 1970.
pub(super) fn minute(now: SystemTime) -> u64 {
    now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / 60
}

fn history(view: &View, path: &PathObservation) -> Markup {
    let Some(known) = view.history.path(&path.path) else { return html! {} };
    let now = minute(view.now);
    let minutes: Vec<_> = known.minutes().collect();
    let of = |tell: &dyn Fn(&crate::history::PathMinute) -> Option<f64>| -> Vec<_> {
        minutes.iter().map(|minute| (minute.minute, tell(minute))).collect()
    };
    let verdicts: Vec<_> =
        minutes.iter().map(|minute| (minute.minute, minute.verdict.map(Mark::of_verdict))).collect();
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    html! {
        section aria-labelledby="history" {
            h2 id="history" { "Last 24 hours" }
            (charts::strip("Verdict, the worst of each five minutes", now, &verdicts))
            (charts::sparkline("Loss", now, &of(&|minute| minute.loss), &percent))
            (charts::sparkline("RTT, median", now, &of(&|minute| minute.rtt_p50), &milliseconds))
            (charts::sparkline("RTT, 99th percentile", now, &of(&|minute| minute.rtt_p99), &milliseconds))
            h3 { "Changes" }
            (charts::changes(known.changes().rev()))
        }
    }
}

fn hops(picture: Option<&PathPicture>) -> Markup {
    let hops = picture.map_or(&[][..], |picture| &picture.hops);
    html! {
        section {
            h2 { "What it crosses" }
            @if hops.is_empty() {
                p { "Not known: no router data tells one way to the target." }
            } @else {
                ol {
                    @for hop in hops {
                        li {
                            a href=(address("router", hop.end.router.as_str())) { bdi { (hop.end.router) } }
                            " " (hop.end.interface) ", tunnel "
                            a href=(address("tunnel", &hop.tunnel)) { bdi { (hop.tunnel) } }
                        }
                    }
                }
            }
        }
    }
}
