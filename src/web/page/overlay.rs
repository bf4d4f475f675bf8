//! `/`: in one look whether something is wrong, where, since when, and what to type.

use maud::{Markup, html};

use super::{abilities, frame, headline, problems, table_pages::TablePages, tables, time::since};
use crate::{
    language::{Said, say},
    report::{
        self,
        problem::{Problem, problems},
    },
    web::{
        answer::Content,
        mark::Mark,
        picture,
        view::View,
        words::{HERE, around, english},
    },
};

/// So many different findings are in the first lines.
const MOST_LINES: usize = 4;

pub(crate) fn overlay(view: &View, asked: &TablePages) -> Content {
    let present = &view.present;
    let problems = problems(present);
    let (code, reasons) = report::verdict(present, &problems);
    let main = html! {
        h1 class="sr" { (say!("Overlay")) }
        (headline(view, &problems, (code, &reasons)))
        @if let Some(error) = &present.config.reload_error {
            p class="alert" role="alert" {
                (Mark::Warn.with(&say!("The new configuration cannot be used, the previous one stays in use:"))) " "
                (english(error))
            }
        }
        @if !present.shard.is_alone() {
            p { (say!("Shard {shard}: other exporters show the rest of this overlay.", shard = present.shard)) }
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
        0 => say!("OK"),
        1 => say!("PROBLEM"),
        _ => say!("UNKNOWN"),
    };
    Content::html(frame::page(view, &title, &main))
}

fn headline(view: &View, problems: &[Problem], (code, lines): (u8, &[Said])) -> Markup {
    let mark = Mark::of_exit_code(code);
    let word = match code {
        0 => say!("Nothing is wrong"),
        1 => say!("Something is wrong"),
        _ => say!("Not known"),
    };
    html! {
        section class={ "headline " (mark.class()) } aria-label=(say!("State of the overlay")) {
            p class="state" {
                (mark.icon()) " " strong { (word) }
                @if let Some(at) = view.history.outcome_since() { " " span class="since" { (since(at, view.now)) } }
            }
            (headline::in_plain_words(view, problems))
            @for line in lines.iter().take(MOST_LINES) { p { (line) } }
            @if lines.len() > MOST_LINES { p { (say!("and {number} more findings below", number = lines.len() - MOST_LINES)) } }
        }
    }
}

fn empty() -> Markup {
    html! {
        section {
            h2 { (say!("Nothing is configured")) }
            p { (say!("No path is configured. No router is configured.")) }
            p {
                (around(
                    &say!(
                        "Write a configuration with the routers and a path for each target that matters: \
                         {example} prints one. For a single target none is needed: {probe}",
                        example = HERE,
                        probe = HERE
                    ),
                    &[
                        html! { kbd { "vxlan_exporter config example" } },
                        html! { kbd { "vxlan_exporter probe HOST:PORT" } },
                    ],
                ))
            }
        }
    }
}
