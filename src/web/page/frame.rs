//! What is around every page: head, navigation, and the foot with what the exporter knows of itself.

use maud::{DOCTYPE, Markup, html};

use super::time::when;
use crate::{
    language::{self, Language, Said, say, spoken},
    web::{
        assets,
        view::View,
        words::{HERE, around},
    },
};

/// A whole page. `main` is what the script replaces when something has changed.
pub(super) fn page(view: &View, title: &Said, main: &Markup) -> String {
    let foot = html! {
        p {
            (around(&say!("As of {time}.", time = HERE), &[when(view.now)]))
            @if let Some(since) = view.history.since() {
                " " (around(&say!("Remembers since {time}.", time = HERE), &[when(since)]))
            }
            @if let Some(loaded) = view.present.config.loaded_at {
                " " (around(&say!("Configuration of {time}.", time = HERE), &[when(loaded)]))
            }
            " vxlan_exporter " (view.version) "."
        }
    };
    whole(&view.revision, title, main, &foot)
}

/// A page that shows nothing of the present state.
pub(super) fn bare(revision: &str, version: &str, title: &Said, main: &Markup) -> String {
    whole(revision, title, main, &html! { p { "vxlan_exporter " (version) "." } })
}

fn whole(revision: &str, title: &Said, main: &Markup, foot: &Markup) -> String {
    let asked = language::query();
    let markup = html! {
        (DOCTYPE)
        html lang=(spoken().tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " – vxlan_exporter" }
                link rel="icon" type="image/svg+xml" href=(assets::address("icon.svg"));
                link rel="stylesheet" href=(assets::address("style.css"));
                noscript { meta http-equiv="refresh" content="30"; }
                script src=(assets::address("page.js")) defer {}
            }
            body data-revision=(revision) data-copy=(say!("Copy")) data-copied=(say!("Copied"))
                data-selected=(say!("Selected: press Ctrl+C"))
                data-silent=(say!("The exporter does not answer. What is shown may be old.")) {
                a class="skip" href="#main" { (say!("Skip to the content")) }
                header {
                    a class="home" href=(format!("/{asked}")) { "vxlan_exporter" }
                    nav aria-label=(say!("Pages")) {
                        a href=(format!("/{asked}")) { (say!("Overlay")) }
                        a href=(format!("/runbooks{asked}")) { (say!("Runbooks")) }
                        a href="/metrics" { (say!("Metrics")) }
                        @for other in Language::ALL.into_iter().filter(|other| *other != spoken()) {
                            a href=(format!("?lang={}", other.tag())) lang=(other.tag()) hreflang=(other.tag()) {
                                (other.name())
                            }
                        }
                    }
                    form method="get" {
                        @if !asked.is_empty() { input type="hidden" name="lang" value=(spoken().tag()); }
                        button type="submit" class="quiet" { (say!("Reload")) }
                    }
                    p class="live" role="status" { "" }
                }
                main id="main" tabindex="-1" { (main) footer { (foot) } }
            }
        }
    };
    markup.into_string()
}
