//! Which language a reader wants.

use super::{Choice, Language};
use crate::weighted;

/// What the environment asks for (POSIX: `LC_ALL`, else `LC_MESSAGES`, else `LANG`). A terminal
/// that does not take UTF-8 gets English.
#[must_use]
pub fn of_environment(get: impl Fn(&str) -> Option<String>) -> Language {
    let set = |name: &&str| get(name).filter(|value| !value.is_empty());
    let Some(locale) = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(set) else {
        return Language::English;
    };
    let (name, charset) = locale.split_once('.').unwrap_or((&locale, "UTF-8"));
    let charset = charset.split('@').next().unwrap_or(charset);
    let is_utf8 = charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8");
    Language::of_tag(name).filter(|_| is_utf8).unwrap_or_default()
}

/// What a browser asks for: of the languages that we have the one with the greatest `q`, the first
/// of equal ones.
pub(super) fn of_browser(accept_language: &str) -> Language {
    let wanted = weighted::items(std::iter::once(accept_language));
    wanted.iter().find_map(|item| Language::of_tag(item.name)).unwrap_or_default()
}

/// What a request asks for, by its address or its headers.
pub(crate) fn of_request(query: &str, accept_language: &str) -> Choice {
    match of_query(query) {
        Some(language) => Choice { language, by_address: true },
        None => Choice { language: of_browser(accept_language), by_address: false },
    }
}

/// What `?lang=` asks for, if we have it.
pub(super) fn of_query(query: &str) -> Option<Language> {
    let values = query.split('&').filter_map(|pair| pair.strip_prefix("lang="));
    values.filter_map(Language::of_tag).next_back()
}
