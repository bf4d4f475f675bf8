//! Messages within pages: in the language of the page, escaped as everything else.

use maud::{Markup, Render, html};

use crate::language::Said;

/// Stands in a message where markup is to be.
pub(super) const HERE: char = '\u{fffc}';

impl Render for Said {
    fn render_to(&self, buffer: &mut String) {
        self.localized().render_to(buffer);
    }
}

/// A message with markup in the places where it has [`HERE`].
pub(super) fn around(said: &Said, markup: &[Markup]) -> Markup {
    let words = said.localized();
    html! {
        @for (place, part) in words.split(HERE).enumerate() {
            @if let Some(before) = place.checked_sub(1).and_then(|before| markup.get(before)) { (before) }
            (part)
        }
    }
}

/// Words of others, which are English whatever the page is.
pub(super) fn english(words: impl Render) -> Markup {
    html! { span lang="en" { (words) } }
}
