//! What is not there, and names that are near.

use hyper::StatusCode;
use maud::{Markup, html};
use strsim::jaro_winkler;

use super::frame;
use crate::{
    language::{Said, query, say},
    web::{
        answer::Content,
        view::{View, address},
        words::{HERE, around},
    },
};

/// So many near names are offered.
const MOST: usize = 8;
/// Nearer than this.
const NEAR: f64 = 0.55;
/// Longer names than can be configured are cut before they are compared, which takes the square of
/// their length.
const LONGEST: usize = 255;

/// No page has this address.
pub(crate) fn not_found(revision: &str, version: &str, path: &str) -> Content {
    let pages = ["/", "/metrics", "/runbooks", "/api/v1/overlay", "/-/healthy", "/-/ready"];
    let near = near(path, pages.iter().map(|page| (*page, (*page).to_owned())));
    let main = html! {
        h1 { (say!("Not found")) }
        p { (around(&say!("There is no page {name}.", name = HERE), &[html! { kbd { (shortened(path)) } }])) }
        (offer(&near))
        p { a href=(format!("/{}", query())) { (say!("The overlay")) } }
    };
    Content::html(frame::bare(revision, version, &say!("Not found"), &main)).with(StatusCode::NOT_FOUND)
}

/// No path, tunnel or router has this name.
pub(super) fn no(view: &View, kind: &str, name: &str) -> Content {
    let known: Vec<&str> = match kind {
        "path" => view.present.paths.iter().map(|path| path.path.as_str()).collect(),
        "tunnel" => view.present.overlay.tunnels.iter().map(|tunnel| tunnel.name.as_str()).collect(),
        _ => view.present.routers.iter().map(|reading| reading.router.as_str()).collect(),
    };
    let none = match kind {
        "path" => say!("There is no path {name}.", name = HERE),
        "tunnel" => say!("There is no tunnel {name}.", name = HERE),
        _ => say!("There is no router {name}.", name = HERE),
    };
    none_of_these(view, &none, name, kind, &known)
}

/// None of these names, which are pages under `base`, is the one that was asked for.
pub(super) fn none_of_these(view: &View, none: &Said, name: &str, base: &str, known: &[&str]) -> Content {
    let near = near(name, known.iter().map(|known| (*known, address(base, known))));
    let main = html! {
        h1 { (say!("Not found")) }
        p { (around(none, &[html! { kbd { bdi { (shortened(name)) } } }])) }
        (offer(&near))
        p { a href=(format!("/{}", query())) { (say!("The overlay")) } }
    };
    Content::html(frame::page(view, &say!("Not found"), &main)).with(StatusCode::NOT_FOUND)
}

/// The nearest names, the nearest first.
pub(crate) fn near<'n>(name: &str, known: impl Iterator<Item = (&'n str, String)>) -> Vec<(&'n str, String)> {
    let wanted = shortened(name).to_lowercase();
    let mut near: Vec<_> = known
        .map(|(known, address)| (jaro_winkler(&wanted, &known.to_lowercase()), known, address))
        .filter(|(likeness, ..)| *likeness > NEAR)
        .collect();
    near.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(other.1)));
    near.truncate(MOST);
    near.into_iter().map(|(_, known, address)| (known, address)).collect()
}

fn offer(near: &[(&str, String)]) -> Markup {
    html! {
        @if !near.is_empty() {
            p { (say!("Near it:")) }
            ul { @for (name, address) in near { li { a href=(address) { bdi { (name) } } } } }
        }
    }
}

fn shortened(name: &str) -> &str {
    &name[..name.floor_char_boundary(LONGEST)]
}
