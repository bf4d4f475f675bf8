//! The languages in which people are told what was found, and which of them a reader wants.
//!
//! What is found is a message ([`Said`]): an English sentence with named places, and what stands in
//! them. It is made where the finding is made, without a language. Words are made at the edge, by a
//! view for its reader; English ones are the sentence itself, others are in a catalogue.
//!
//! - `said`: messages, and `say!` which makes them
//! - `catalogue`: the sentences in other languages, in Fluent's format (`locales/`)
//! - `choice`: what the command line, the environment or a browser asks for
//!
//! Metrics, the log, errors of the configuration and JSON are English whatever the reader wants:
//! `Display` of a message is English.

mod catalogue;
pub mod choice;
mod said;
#[cfg(test)]
pub(crate) mod tests;

use std::{
    cell::Cell,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use clap::ValueEnum;

pub use said::Said;
#[cfg(test)]
pub(crate) use said::lines;
pub(crate) use said::{Between, agree, say};

/// A language in which people are told something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, ValueEnum)]
pub enum Language {
    /// English.
    #[default]
    #[value(name = "en")]
    English,
    /// 日本語
    #[value(name = "ja")]
    Japanese,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::English, Self::Japanese];

    /// The tag of BCP 47.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Japanese => "ja",
        }
    }

    /// Its own name of itself.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Japanese => "日本語",
        }
    }

    /// The language of this tag; the region is of no importance.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or(tag);
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }
}

/// The language of a command that tells one reader; `check` and `probe` set it before they begin.
static COMMAND_IS_JAPANESE: AtomicBool = AtomicBool::new(false);

/// What a reader of a page has asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Choice {
    pub language: Language,
    /// By the address of the page, so the addresses on it ask for it too.
    pub by_address: bool,
}

thread_local! {
    static SPOKEN: Cell<Option<Choice>> = const { Cell::new(None) };
}

/// Tells everything in this language, on all threads, until the process ends.
pub fn tell_in(language: Language) {
    COMMAND_IS_JAPANESE.store(language == Language::Japanese, Relaxed);
}

/// The language in which the present view tells.
#[must_use]
pub(crate) fn spoken() -> Language {
    let of_command =
        || if COMMAND_IS_JAPANESE.load(Relaxed) { Language::Japanese } else { Language::English };
    SPOKEN.get().map_or_else(of_command, |choice| choice.language)
}

/// What is appended to the address of a page, so that it is in the language of the present one.
#[must_use]
pub(crate) fn query() -> &'static str {
    match SPOKEN.get() {
        Some(Choice { language: Language::English, by_address: true }) => "?lang=en",
        Some(Choice { language: Language::Japanese, by_address: true }) => "?lang=ja",
        _ => "",
    }
}

/// Makes a view in this language. It is made on one thread, from start to end.
pub(crate) fn speaking<R>(choice: Choice, view: impl FnOnce() -> R) -> R {
    struct Former(Option<Choice>);
    impl Drop for Former {
        fn drop(&mut self) {
            SPOKEN.set(self.0);
        }
    }
    let _former = Former(SPOKEN.replace(Some(choice)));
    view()
}
