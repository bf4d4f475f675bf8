//! `/`: in one look whether something is wrong, where, since when, and what to type.

use maud::{Markup, html};

use super::{abilities, frame, headline, problems, tables, time::since};
use crate::{
    report::{
        self,
        problem::{Problem, problems},
    },
    web::{answer::Content, mark::Mark, picture, view::View},
};

/// So many different findings are in the first lines.
const MOST_LINES: usize = 4;

/// Which part of the long tables is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Pages from 1.
    pub paths: usize,
    pub tunnels: usize,
    pub routers: usize,
    pub problems: usize,
}

impl Asked {
    /// From the query of an address; whatever else it says is left out.
    pub(crate) fn read(query: &str) -> Self {
        let page = |key: &str| {
            let values = query.split('&').filter_map(|pair| pair.split_once('='));
            let value = values.filter(|(name, _)| *name == key).find_map(|(_, value)| value.parse().ok());
            value.unwrap_or(1).clamp(1, 1_000_000)
        };
        Self {
            paths: page("paths"),
            tunnels: page("tunnels"),
            routers: page("routers"),
            problems: page("problems"),
        }
    }
}

pub(crate) fn overlay(view: &View, asked: &Asked) -> Content {
    let present = &view.present;
    let problems = problems(present);
    let (code, reason) = report::verdict(present, &problems);
    let main = html! {
        h1 class="sr" { "Overlay" }
        (headline(view, &problems, (code, &reason)))
        @if let Some(error) = &present.config.reload_error {
            p class="alert" role="alert" {
                (Mark::Warn.with("The new configuration cannot be used, the previous one stays in use:")) " " (error)
            }
        }
        @if !present.shard.is_alone() {
            p { "Shard " (present.shard) ": other exporters show the rest of this overlay." }
        }
        @if present.routers.is_empty() && present.paths.is_empty() {
            (empty())
        }
        (picture::overlay(view))
        (problems::section(view, &problems, asked))
        div id="tables" {
            (tables::paths(view, asked))
            (tables::tunnels(view, asked))
            (tables::legs(view, asked))
            (tables::routers(view, asked))
        }
        (abilities::section(view))
    };
    let title = match code {
        0 => "OK – vxlan_exporter",
        1 => "PROBLEM – vxlan_exporter",
        _ => "UNKNOWN – vxlan_exporter",
    };
    Content::html(frame::page(view, title, &main))
}

fn headline(view: &View, problems: &[Problem], (code, reason): (u8, &str)) -> Markup {
    let mark = Mark::of_exit_code(code);
    let word = match code {
        0 => "Nothing is wrong",
        1 => "Something is wrong",
        _ => "Not known",
    };
    let lines: Vec<&str> = reason.split("; ").collect();
    html! {
        section class={ "headline " (mark.class()) } aria-label="State of the overlay" {
            p class="state" {
                (mark.icon()) " " strong { (word) }
                @if let Some(at) = view.history.outcome_since() { " " span class="since" { (since(at, view.now)) } }
            }
            (headline::in_plain_words(view, problems))
            @for line in lines.iter().take(MOST_LINES) { p { (line) } }
            @if lines.len() > MOST_LINES { p { "and " (lines.len() - MOST_LINES) " more findings below" } }
        }
    }
}

fn empty() -> Markup {
    html! {
        section {
            h2 { "Nothing is configured" }
            p { "No path is configured. No router is configured." }
            p {
                "Write a configuration with the routers and a path for each target that matters: "
                kbd { "vxlan_exporter config example" }
                " prints one. For a single target none is needed: "
                kbd { "vxlan_exporter probe HOST:PORT" }
            }
        }
    }
}
