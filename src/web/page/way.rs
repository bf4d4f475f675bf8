//! Two sites, and which way packets vanish between them.

use maud::{Markup, html};

use crate::{
    language::say,
    model::{observation::PathObservation, types::Direction},
};

/// Which way packets vanish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    Both,
    There,
    Back,
}

impl Way {
    pub(super) fn of(path: &PathObservation) -> Self {
        match path.judgement.holes.as_slice() {
            [Direction::Forward] => Self::There,
            [Direction::Reverse] => Self::Back,
            _ => Self::Both,
        }
    }

    /// `site-a → dc`: a sign for those who see, a word for those who hear.
    pub(super) fn between(self, from: &str, to: &str) -> Markup {
        let (sign, word) = match self {
            Self::Both => ("⇄", say!("to and from")),
            Self::There => ("→", say!("towards")),
            Self::Back => ("←", say!("from")),
        };
        html! {
            bdi { (from) } " " span aria-hidden="true" { (sign) } span class="sr" { (word) } " " bdi { (to) }
        }
    }
}

/// The sites of a path.
pub(super) fn sites(path: &PathObservation) -> Markup {
    Way::of(path).between(path.source.site.as_str(), path.target_site.as_str())
}
