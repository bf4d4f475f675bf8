//! What is wrong, worst first: what it means, what was seen, the cause, and what to type. The
//! commands are those of `check`, in its order, and once each.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::{table_pages::TablePages, tables::pager, time::since, way};
use crate::{
    language::{Said, say},
    model::{
        picture::FixStep,
        types::{FailureReason, MismatchField, UnknownReason, Verdict},
    },
    report::problem::Problem,
    vendor::Vyos,
    web::{
        mark::Mark,
        view::{View, address},
        words::{HERE, around},
    },
};

/// Problems of one page.
const A_PAGE: usize = 25;

pub(super) fn section(view: &View, problems: &[Problem], asked: &TablePages) -> Markup {
    if problems.is_empty() {
        return html! {};
    }
    let mut said = AlreadyShown::default();
    let skipped = (asked.problems - 1).saturating_mul(A_PAGE);
    html! {
        section aria-labelledby="problems" {
            h2 id="problems" { (say!("Problems")) }
            @for (index, problem) in problems.iter().enumerate().skip(skipped).take(A_PAGE) {
                (card(view, problem, index, &mut said))
            }
            (pager("problems", asked.problems, problems.len(), A_PAGE))
        }
    }
}

/// What earlier problems have shown, so that nothing is repeated.
#[derive(Default)]
struct AlreadyShown<'p> {
    commands: BTreeSet<&'p FixStep>,
    causes: BTreeSet<&'p Said>,
}

/// One problem among others.
fn card<'p>(view: &View, problem: &'p Problem, index: usize, said: &mut AlreadyShown<'p>) -> Markup {
    let before = html! {
        p class="since" {
            @if let Some((path, _)) = (problem.kind == "path").then(|| view.path(&problem.name)).flatten() {
                (way::sites(path)) " "
            }
            @if let Some(at) = view.since(problem.kind, &problem.name) { (since(at, view.now)) }
        }
        p class="meaning" { (meaning(view, problem)) }
    };
    framed(view, problem, index, Some(&before), said)
}

/// The problem of a page of its own, which has said what it means and since when.
pub(super) fn alone(view: &View, problem: &Problem) -> Markup {
    framed(view, problem, 0, None, &mut AlreadyShown::default())
}

fn framed<'p>(
    view: &View,
    problem: &'p Problem,
    index: usize,
    before: Option<&Markup>,
    said: &mut AlreadyShown<'p>,
) -> Markup {
    let is_known = problem.cause.iter().all(|cause| said.causes.contains(cause));
    said.causes.extend(&problem.cause);
    let mark = match problem.rank.exit_code() {
        0 => Mark::Warn,
        code => Mark::of_exit_code(code),
    };
    let id = format!("problem-{}", index + 1);
    let title = html! {
        (mark.icon()) " " (kind(problem.kind)) " "
        a href=(address(problem.kind, &problem.name)) { bdi { (problem.name) } } ": " (problem.what)
    };
    html! {
        article class={ "problem " (mark.class()) } aria-labelledby=(id) {
            @match before {
                Some(before) => { h3 id=(id) { (title) } (before) }
                None => { h2 id=(id) { (title) } }
            }
            div class="columns" {
                @if is_known && !problem.cause.is_empty() {
                    div { p class="sub" { (say!("Cause")) } p { (say!("Named above.")) } }
                } @else if !problem.cause.is_empty() {
                    div { (list(&say!("Cause"), &problem.cause)) }
                }
                @if !problem.fix.is_empty() { div { (fix(&problem.fix, &mut said.commands)) } }
            }
            @if !problem.evidence.is_empty() {
                details id={ (id) "-seen" } open[problem.fix.is_empty()] {
                    summary { (say!("What was seen")) }
                    ul { @for line in &problem.evidence { li { (line) } } }
                }
            }
            @if let Some(runbook) = runbook(view, problem) {
                p { a href=(address("runbooks", runbook)) { (say!("Runbook {name}", name = runbook)) } }
            }
        }
    }
}

fn list(title: &Said, lines: &[Said]) -> Markup {
    html! {
        @if !lines.is_empty() {
            p class="sub" { (title) }
            ul { @for line in lines { li { (line) } } }
        }
    }
}

/// The commands by router, in the safe order, each router's with a button that copies them.
fn fix<'p>(steps: &'p [FixStep], typed: &mut BTreeSet<&'p FixStep>) -> Markup {
    if steps.is_empty() {
        return html! {};
    }
    if steps.iter().all(|step| typed.contains(step)) {
        return html! { p class="sub" { (say!("What to type")) } p { (say!("The commands above.")) } };
    }
    typed.extend(steps);
    let several = steps.iter().any(|step| step.router != steps[0].router);
    html! {
        p class="sub" { @if several { (say!("What to type, in this order")) } @else { (say!("What to type")) } }
        ol class="fix" {
            @for of_router in steps.chunk_by(|one, next| one.router == next.router) {
                li {
                    p class="router" {
                        (around(&say!("on {router}", router = HERE), &[html! { strong { (of_router[0].router) } }]))
                        button type="button" class="copy" hidden { (say!("Copy")) }
                    }
                    pre tabindex="0" {
                        (Vyos::BEFORE) "\n"
                        @for step in of_router { code { (step.command) } "\n" }
                        (Vyos::AFTER.join("\n"))
                    }
                }
            }
        }
    }
}

/// What a problem of a list means for whoever uses the network.
pub(super) fn meaning(view: &View, problem: &Problem) -> Said {
    match problem.kind {
        "path" => view.path(&problem.name).map_or_else(Said::nothing, |(path, _)| sentence(&path.meaning())),
        "tunnel" => match view.tunnel(&problem.name) {
            Some(tunnel)
                if tunnel.mismatches.keys().any(|field| stops_all(*field)) || tunnel.up == Some(false) =>
            {
                say!("Hosts behind its two ends do not reach each other over it.")
            }
            Some(tunnel) if !tunnel.small_ends.is_empty() => {
                say!(
                    "Large packets vanish there without a message, small ones pass: connections open and then hang."
                )
            }
            Some(tunnel) if !tunnel.mismatches.is_empty() => {
                say!("Traffic passes, but its two ends treat large packets differently.")
            }
            _ => say!("Only one end of it is known, so nobody can tell whether traffic passes."),
        },
        _ => say!("Its tunnels cannot be judged, and no cause or command on it can be named."),
    }
}

const fn stops_all(field: MismatchField) -> bool {
    matches!(field, MismatchField::Vni | MismatchField::Port | MismatchField::Remote)
}

/// A sentence of its own.
pub(super) fn sentence(said: &Said) -> Said {
    let words = said.localized();
    let mut rest = words.chars();
    let first = rest.next().map_or_else(String::new, |first| first.to_uppercase().to_string());
    say!("{sentence}.", sentence = format_args!("{first}{}", rest.as_str()))
}

fn kind(kind: &str) -> Said {
    match kind {
        "path" => say!("path"),
        "tunnel" => say!("tunnel"),
        _ => say!("router"),
    }
}

/// The runbook of a problem's alert.
fn runbook(view: &View, problem: &Problem) -> Option<&'static str> {
    match problem.kind {
        "path" => {
            let judgement = &view.path(&problem.name)?.0.judgement;
            Some(match (judgement.verdict, judgement.unknown_reason) {
                (Verdict::Blackhole, _) if judgement.is_tcp_dead_alone() => "VxlanPathTcpDead",
                (Verdict::Blackhole, _) => "VxlanMtuBlackHole",
                (Verdict::Lossy, _) => "VxlanPathLossy",
                (Verdict::Reduced, _) => "VxlanPathMtuReduced",
                (Verdict::Unreachable, _) => "VxlanPathUnreachable",
                (Verdict::Unknown, Some(UnknownReason::LocalLimit)) => "VxlanPathUntestable",
                (Verdict::Unknown, Some(UnknownReason::Stale)) => "VxlanProbeStale",
                (Verdict::Unknown, _) => "VxlanPathUnknown",
                (Verdict::Ok, _) => return None,
            })
        }
        "tunnel" => {
            let tunnel = view.tunnel(&problem.name)?;
            Some(match tunnel.mismatches.keys().next() {
                Some(MismatchField::Vni) => "VxlanVniMismatch",
                Some(MismatchField::Port) => "VxlanPortMismatch",
                Some(MismatchField::Remote) => "VxlanRemoteMismatch",
                _ if tunnel.up == Some(false) => "VxlanTunnelDown",
                Some(MismatchField::Mtu) => "VxlanMtuMismatch",
                Some(MismatchField::Df) => "VxlanDfMismatch",
                None if !tunnel.small_ends.is_empty() => "VxlanMtuBelowBridgePort",
                None => return None,
            })
        }
        _ => {
            let reading = view.router(&problem.name)?;
            match reading.failure.as_ref().map(|failure| failure.reason) {
                Some(FailureReason::HostkeyMismatch) => Some("VxlanHostKeyMismatch"),
                Some(_) => Some("VxlanRouterScrapeFailing"),
                None if reading.current.is_some() => Some("VxlanRouterSaysTooMuch"),
                None => None,
            }
        }
    }
}
