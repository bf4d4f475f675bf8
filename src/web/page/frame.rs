//! What is around every page: head, navigation, and the foot with what the exporter knows of itself.

use maud::{DOCTYPE, Markup, html};

use super::time::when;
use crate::web::{assets, view::View};

/// A whole page. `main` is what the script replaces when something has changed.
pub(super) fn page(view: &View, title: &str, main: &Markup) -> String {
    let foot = html! {
        p {
            "As of " (when(view.now)) "."
            @if let Some(since) = view.history.since() { " Remembers since " (when(since)) "." }
            @if let Some(loaded) = view.present.config.loaded_at { " Configuration of " (when(loaded)) "." }
            " vxlan_exporter " (view.version) "."
        }
    };
    whole(&view.revision, title, main, &foot)
}

/// A page that shows nothing of the present state.
pub(super) fn bare(revision: &str, version: &str, title: &str, main: &Markup) -> String {
    whole(revision, title, main, &html! { p { "vxlan_exporter " (version) "." } })
}

fn whole(revision: &str, title: &str, main: &Markup, foot: &Markup) -> String {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="icon" type="image/svg+xml" href=(assets::address("icon.svg"));
                link rel="stylesheet" href=(assets::address("style.css"));
                noscript { meta http-equiv="refresh" content="30"; }
                script src=(assets::address("page.js")) defer {}
            }
            body data-revision=(revision) {
                a class="skip" href="#main" { "Skip to the content" }
                header {
                    a class="home" href="/" { "vxlan_exporter" }
                    nav aria-label="Pages" {
                        a href="/" { "Overlay" }
                        a href="/runbooks" { "Runbooks" }
                        a href="/metrics" { "Metrics" }
                    }
                    form method="get" { button type="submit" class="quiet" { "Reload" } }
                    p class="live" role="status" { "" }
                }
                main id="main" tabindex="-1" { (main) footer { (foot) } }
            }
        }
    };
    markup.into_string()
}
