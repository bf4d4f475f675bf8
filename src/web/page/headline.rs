//! The first lines of `/` for somebody who has never heard of path MTU: between which sites, which
//! way, what that means, and where to find what to type.

use std::collections::{BTreeSet, HashMap};

use maud::{Markup, html};

use super::{problems::sentence, way::Way};
use crate::{
    language::{Said, say},
    model::{observation::PathObservation, picture::FixStep, words::number},
    report::problem::Problem,
    vendor::Vyos,
    web::{
        view::View,
        words::{HERE, around},
    },
};

/// So many different meanings are said, the worst first.
const MOST: usize = 3;
/// So many commands are shown, if these are all.
const MOST_COMMANDS: usize = 4;
/// So many pairs of sites are named for each.
const MOST_SITES: usize = 4;

/// What is wrong between which sites, and a link to the commands; nothing where no path is sick.
pub(super) fn in_plain_words(view: &View, problems: &[Problem]) -> Markup {
    let known: HashMap<&str, &PathObservation> =
        view.present.paths.iter().map(|path| (path.path.as_str(), path.as_ref())).collect();
    let sick = problems.iter().filter(|problem| problem.kind == "path" && problem.rank.exit_code() == 1);
    let sick = sick.filter_map(|problem| known.get(problem.name.as_str()).copied());
    let mut groups: Vec<(Said, Vec<(&PathObservation, Way)>)> = Vec::new();
    for path in sick {
        let (means, way) = (path.meaning(), Way::of(path));
        match groups.iter().position(|(known, _)| *known == means) {
            Some(place) => groups[place].1.push((path, way)),
            None if groups.len() < MOST => groups.push((means, vec![(path, way)])),
            None => {}
        }
    }
    html! {
        @for (means, paths) in &groups { p class="plain" { (between(paths)) ": " (sentence(means)) } }
        (to_type(problems))
    }
}

/// `site-a ⇄ dc, site-a ⇄ site-b`
fn between(paths: &[(&PathObservation, Way)]) -> Markup {
    let mut seen = BTreeSet::new();
    let pairs = paths.iter().map(|(path, way)| (&path.source.site, &path.target_site, *way));
    let pairs: Vec<_> = pairs.filter(|pair| seen.insert(*pair)).collect();
    html! {
        @for (index, (from, to, way)) in pairs.iter().take(MOST_SITES).enumerate() {
            @if index > 0 { ", " }
            strong { (way.between(from.as_str(), to.as_str())) }
        }
        @if pairs.len() > MOST_SITES { " " (say!("and {more} more", more = pairs.len() - MOST_SITES)) }
    }
}

/// How many commands there are, and on which routers. A few are shown, each once, in the safe order.
fn to_type(problems: &[Problem]) -> Markup {
    let Some(first) = problems.iter().position(|problem| !problem.fix.is_empty()) else { return html! {} };
    let steps: BTreeSet<_> = problems.iter().flat_map(|problem| &problem.fix).collect();
    let mut routers = Vec::new();
    for step in &problems[first].fix {
        if !routers.contains(&step.router.as_str()) {
            routers.push(step.router.as_str());
        }
    }
    let all: BTreeSet<_> = steps.iter().map(|step| step.router.as_str()).collect();
    let where_to = match all.len() {
        few if few <= routers.len() && few <= MOST_SITES => Said::verbatim(routers.join(", ")),
        many => number::routers(many),
    };
    html! {
        p {
            a href={ "#problem-" (first + 1) } {
                (say!(
                    "What to type: {commands} on {routers}",
                    commands => number::commands(steps.len()),
                    routers => where_to
                ))
            }
        }
        @if steps.len() <= MOST_COMMANDS {
            ul class="typed" {
                @for steps in in_order(problems).chunk_by(|one, next| one.router == next.router) {
                    li {
                        (around(&say!("on {router}", router = HERE), &[html! { strong { (steps[0].router) } }])) ": "
                        kbd { (Vyos::BEFORE) } " "
                        @for step in steps { kbd { (step.command) } " " }
                        @for command in Vyos::AFTER { kbd { (command) } " " }
                    }
                }
            }
        }
    }
}

/// All commands, each where it is named first.
fn in_order(problems: &[Problem]) -> Vec<&FixStep> {
    let mut seen = BTreeSet::new();
    problems.iter().flat_map(|problem| &problem.fix).filter(|step| seen.insert(*step)).collect()
}
