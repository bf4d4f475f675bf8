//! The overlay as a picture: sites as boxes, routers and targets in them, tunnels and paths as
//! lines. Everything here is pure and gives the same picture for the same state.
//!
//! - `scene`: what is to be seen, from the present state; `suspects`: on which leg a sick path is
//!   sick; `fold`: healthy sites of a large overlay as one mark
//! - `star`: one site in the middle, as most overlays are; `ring`: all others; `stack`: for a narrow
//!   screen
//! - `drawing`: shapes with places, and their SVG; `letters`: how wide a text may be

mod drawing;
mod fold;
mod letters;
mod ring;
mod scene;
mod sitebox;
mod stack;
mod star;
mod suspects;
#[cfg(test)]
mod tests;

use maud::{Markup, html};

use super::view::View;
use crate::language::say;
use scene::DrawnOverlay;

/// Above this many sites, those with nothing wrong are one mark.
const MOST_SITES: usize = 60;
/// A ring of more boxes cannot be read.
const MOST_IN_RING: usize = 24;
/// A stack of more is too long.
const MOST_IN_STACK: usize = 12;

/// The picture for a wide screen and the one for a narrow screen; nothing where there is no site.
pub(super) fn overlay(view: &View) -> Markup {
    let scene = DrawnOverlay::of(&view.present);
    if scene.sites.is_empty() {
        return html! {};
    }
    let words = scene.in_words();
    let is_star = scene.hub().is_some();
    let narrow = fold::folded(scene.clone(), MOST_IN_STACK);
    let scene = fold::folded(scene, if is_star { MOST_SITES } else { MOST_IN_RING });
    let wide = match scene.hub() {
        Some(hub) => star::drawing(&scene, hub),
        None => ring::drawing(&scene),
    };
    html! {
        figure class="picture" {
            div class="scroll wide" tabindex="0" role="region" aria-label=(say!("Picture of the overlay")) {
                (wide.svg(&words))
            }
            div class="scroll narrow" tabindex="0" role="region" aria-label=(say!("Picture of the overlay, narrow")) {
                (stack::drawing(&narrow).svg(&words))
            }
            figcaption { (words) }
        }
    }
}
