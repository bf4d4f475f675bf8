//! `/path/NAME`: one path, its sizes, its last 24 hours, what it crosses.

use std::time::{SystemTime, UNIX_EPOCH};

use maud::{Markup, html};

use super::{asked, charts, frame, ladder, not_found, problems, time::since};
use crate::{
    language::{Between, Said, say},
    model::{
        observation::{EchoStats, PathObservation},
        picture::PathPicture,
    },
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
        h1 { (say!("Path")) " " bdi { (path.path) } }
        section class={ "headline " (mark.class()) } aria-label=(say!("State of the path")) {
            p class="state" {
                (mark.icon()) " " strong { (verdict_in_words(path)) }
                @if let Some(at) = view.history.path_since(&path.path) { " " span class="since" { (since(at, view.now)) } }
            }
            p { (problems::sentence(&path.meaning())) }
            (asked::section(path, may, view.now))
        }
        @if let Some(problem) = &problem { (problems::alone(view, problem)) }
        (facts(path))
        section {
            h2 { (say!("Sizes")) }
            (ladder::ladder(path))
            @if problem.is_none() && !path.judgement.evidence.is_empty() {
                ul { @for line in &path.judgement.evidence { li { (line) } } }
            }
        }
        (history(view, path))
        (hops(picture))
    };
    Content::html(frame::page(view, &say!("{name}: {state}", name, state => verdict_in_words(path)), &main))
}

fn facts(path: &PathObservation) -> Markup {
    let echo = path.echo();
    let address = path.address.map(|address| address.to_string()).filter(|address| *address != path.target);
    html! {
        dl class="facts" {
            dt { (say!("From")) } dd { bdi { (path.source) } }
            dt { (say!("To")) }
            dd { bdi { (path.target) } @if let Some(address) = address { " (" (address) ")" } ", " (say!("site")) " " bdi { (path.target_site) } }
            dt { (say!("TCP port")) }
            dd { @match path.tcp_port { Some(port) => (port), None => (say!("none: the directions are told apart less well")) } }
            dt { (say!("Expected MTU")) }
            dd {
                @match &path.expected_mtu {
                    Some(expected) => (say!("{bytes} bytes, by {rule}", bytes = expected.bytes, rule => expected.rule.clone())),
                    None => (say!("not known yet")),
                }
            }
            @if let Some(testable) = path.testable_mtu { dt { (say!("This host can send")) } dd { (say!("{bytes} bytes", bytes = testable)) } }
            @if let Some(reflector) = path.reflector { dt { (say!("Reflector")) } dd { (reflector.said()) } }
            dt { (say!("Echoes")) }
            dd {
                (echoes(&echo))
            }
        }
    }
}

fn echoes(echo: &EchoStats) -> Said {
    let counts = say!(
        "{sent} sent, {lost} lost, {late} late",
        sent = echo.requests,
        lost = echo.lost,
        late = echo.late
    );
    let mean = echo.rtt.mean_seconds().map(|mean| say!("mean RTT {time}", time = milliseconds(mean)));
    Said::joined([counts].into_iter().chain(mean), Between::Semicolon)
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
            h2 id="history" { (say!("Last 24 hours")) }
            (charts::strip(&say!("Verdict, the worst of each five minutes"), now, &verdicts))
            (charts::sparkline(say!("Loss"), now, &of(&|minute| minute.loss), &percent))
            (charts::sparkline(say!("RTT, median"), now, &of(&|minute| minute.rtt_p50), &milliseconds))
            (charts::sparkline(say!("RTT, 99th percentile"), now, &of(&|minute| minute.rtt_p99), &milliseconds))
            h3 { (say!("Changes")) }
            (charts::changes(known.changes().rev()))
        }
    }
}

fn hops(picture: Option<&PathPicture>) -> Markup {
    let hops = picture.map_or(&[][..], |picture| &picture.hops);
    html! {
        section {
            h2 { (say!("What it crosses")) }
            @if hops.is_empty() {
                p { (say!("Not known: no router data tells one way to the target.")) }
            } @else {
                ol {
                    @for hop in hops {
                        li {
                            a href=(address("router", hop.end.router.as_str())) { bdi { (hop.end.router) } }
                            " " (hop.end.interface) ", " (say!("tunnel")) " "
                            a href=(address("tunnel", &hop.tunnel)) { bdi { (hop.tunnel) } }
                        }
                    }
                }
            }
        }
    }
}
