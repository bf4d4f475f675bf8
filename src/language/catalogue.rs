//! The sentences in languages other than English.
//!
//! A message's identifier is made from its English sentence; above each message of a file stands
//! that sentence, so that a change of it is noticed (`tests`).

use std::sync::LazyLock;

use fluent_bundle::{FluentArgs, FluentResource, concurrent::FluentBundle};

use super::{Language, Said};

/// The file for Japanese.
pub(super) const JAPANESE: &str = include_str!("locales/ja.ftl");
/// Bytes of the longest identifier.
const LONGEST: usize = 96;

static BUNDLE: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| {
    let mut bundle = FluentBundle::new_concurrent(vec![Language::Japanese.tag().parse().unwrap_or_default()]);
    // Names come from the configuration and from routers, which `text` has made visible.
    bundle.set_use_isolating(false);
    // What a file has in error is left out; a test finds none.
    let resource = FluentResource::try_new(JAPANESE.to_owned()).unwrap_or_else(|(resource, _)| resource);
    bundle.add_resource_overriding(resource);
    bundle
});

/// The sentence in Japanese, if the catalogue has it.
pub(super) fn japanese(english: &str, parts: &[(&'static str, Said)]) -> Option<String> {
    let pattern = BUNDLE.get_message(&identifier(english))?.value()?;
    let mut places = FluentArgs::with_capacity(parts.len());
    for (name, part) in parts {
        places.set(*name, part.within(Language::Japanese));
    }
    let mut errors = Vec::new();
    let words = BUNDLE.format_pattern(pattern, Some(&places), &mut errors).into_owned();
    errors.is_empty().then_some(words)
}

/// `DF echoes of {size} bytes come back whole` is `DF-echoes-of-size-bytes-come-back-whole`.
pub(super) fn identifier(english: &str) -> String {
    let mut name = String::with_capacity(LONGEST + 2);
    for char in english.chars() {
        if char.is_ascii_alphanumeric() {
            name.push(char);
        } else if char == '_' {
            name.push('_');
        } else if !name.is_empty() && !name.ends_with('-') {
            if name.len() >= LONGEST {
                break;
            }
            name.push('-');
        }
    }
    let name = name.trim_end_matches('-');
    if name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        name.to_owned()
    } else {
        format!("n-{name}")
    }
}
