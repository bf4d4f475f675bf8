//! A message: what is to be said, without a language.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use super::{Language, catalogue, spoken};

/// What is to be said. `Display`, JSON and comparison with a text are English.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Said(Form);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Form {
    /// An English sentence with places `{name}`, and what stands in them.
    Sentence {
        english: &'static str,
        parts: Box<[(&'static str, Said)]>,
    },
    /// A name, a number, a command, words of others: the same in every language.
    Verbatim(Cow<'static, str>),
    Joined {
        parts: Box<[Said]>,
        between: Between,
    },
}

/// What stands between the parts of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Between {
    Comma,
    Semicolon,
    And,
    CommaAnd,
    Or,
    EitherOr,
}

impl Between {
    fn within(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Comma, Language::English) => ", ",
            (Self::Semicolon, Language::English) => "; ",
            (Self::And, Language::English) => " and ",
            (Self::CommaAnd, Language::English) => ", and ",
            (Self::Or, Language::English) => ", or ",
            (Self::EitherOr, Language::English) => " or ",
            (Self::Comma | Self::And | Self::CommaAnd, Language::Japanese) => "、",
            (Self::Or | Self::EitherOr, Language::Japanese) => "、または ",
            (Self::Semicolon, Language::Japanese) => "。",
        }
    }
}

impl Said {
    /// For [`say!`].
    pub(crate) fn sentence(english: &'static str, parts: Vec<(&'static str, Self)>) -> Self {
        Self(Form::Sentence { english, parts: parts.into_boxed_slice() })
    }

    /// What is the same in every language.
    #[must_use]
    pub fn verbatim(text: impl Into<Cow<'static, str>>) -> Self {
        Self(Form::Verbatim(text.into()))
    }

    /// Several messages as one.
    pub(crate) fn joined(parts: impl IntoIterator<Item = Self>, between: Between) -> Self {
        Self(Form::Joined { parts: parts.into_iter().collect(), between })
    }

    /// Nothing at all.
    pub(crate) fn nothing() -> Self {
        Self::verbatim("")
    }

    /// The words in the language of the present view.
    #[must_use]
    pub fn localized(&self) -> String {
        self.within(spoken())
    }

    /// The words in this language.
    pub(crate) fn within(&self, language: Language) -> String {
        let mut words = String::new();
        self.write(language, &mut words);
        words
    }

    fn write(&self, language: Language, to: &mut String) {
        match &self.0 {
            Form::Verbatim(text) => to.push_str(text),
            Form::Joined { parts, between } => {
                for (place, part) in parts.iter().enumerate() {
                    if place > 0 {
                        to.push_str(between.within(language));
                    }
                    part.write(language, to);
                }
            }
            Form::Sentence { english, parts } => {
                let known = match language {
                    Language::English => None,
                    Language::Japanese => catalogue::japanese(english, parts),
                };
                match known {
                    Some(words) => to.push_str(&words),
                    None => fill(english, parts, language, to),
                }
            }
        }
    }

    /// What stands in a place of a sentence.
    pub(crate) fn part(&self, name: &str) -> Option<&Self> {
        let Form::Sentence { parts, .. } = &self.0 else { return None };
        parts.iter().find(|(known, _)| *known == name).map(|(_, part)| part)
    }

    /// Bytes that it holds.
    pub(crate) fn bytes(&self) -> usize {
        match &self.0 {
            Form::Verbatim(Cow::Borrowed(_)) => 0,
            Form::Verbatim(Cow::Owned(text)) => text.capacity(),
            Form::Joined { parts, .. } => {
                parts.iter().map(|part| size_of::<Self>() + part.bytes()).sum::<usize>()
            }
            Form::Sentence { parts, .. } => {
                parts.iter().map(|(_, part)| size_of::<(&str, Self)>() + part.bytes()).sum::<usize>()
            }
        }
    }

    /// Whether its English words contain these.
    #[cfg(test)]
    pub(crate) fn contains(&self, words: &str) -> bool {
        self.to_string().contains(words)
    }

    /// Whether its English words end with these.
    #[cfg(test)]
    pub(crate) fn ends_with(&self, words: &str) -> bool {
        self.to_string().ends_with(words)
    }

    /// Whether its English words start with these.
    #[cfg(test)]
    pub(crate) fn starts_with(&self, words: &str) -> bool {
        self.to_string().starts_with(words)
    }
}

/// Puts the parts into their places.
fn fill(english: &str, parts: &[(&'static str, Said)], language: Language, to: &mut String) {
    let mut rest = english;
    while let Some((before, after)) = rest.split_once('{') {
        to.push_str(before);
        let Some((name, after)) = after.split_once('}') else { break };
        if let Some((_, part)) = parts.iter().find(|(known, _)| *known == name) {
            part.write(language, to);
        }
        rest = after;
    }
    to.push_str(rest);
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Verbatim(text) => f.pad(text),
            _ => f.pad(&self.within(Language::English)),
        }
    }
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_string(), f)
    }
}

impl Serialize for Said {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl JsonSchema for Said {
    fn schema_name() -> Cow<'static, str> {
        String::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }

    fn inline_schema() -> bool {
        true
    }
}

impl PartialEq<str> for Said {
    fn eq(&self, other: &str) -> bool {
        let words = self.to_string();
        words == other
    }
}

impl PartialEq<&str> for Said {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

#[cfg(test)]
impl From<String> for Said {
    fn from(words: String) -> Self {
        Self::verbatim(words)
    }
}

#[cfg(test)]
impl From<&str> for Said {
    fn from(words: &str) -> Self {
        Self::verbatim(words.to_owned())
    }
}

#[cfg(test)]
impl PartialEq<String> for Said {
    fn eq(&self, other: &String) -> bool {
        *self == **other
    }
}

/// Messages in English, one a line.
#[cfg(test)]
pub(crate) fn lines(said: &[Said]) -> String {
    said.iter().map(Said::to_string).collect::<Vec<_>>().join("\n")
}

/// Whether the places of a sentence are these names, each of them at least once.
pub(crate) const fn agree(english: &str, names: &[&str]) -> bool {
    let bytes = english.as_bytes();
    let mut used = 0_u64;
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'{' {
            let begin = at + 1;
            while at < bytes.len() && bytes[at] != b'}' {
                at += 1;
            }
            let mut name = 0;
            while name < names.len() && !is_at(bytes, begin, at, names[name].as_bytes()) {
                name += 1;
            }
            if name == names.len() {
                return false;
            }
            used |= 1 << name;
        }
        at += 1;
    }
    used.count_ones() as usize == names.len()
}

const fn is_at(bytes: &[u8], begin: usize, end: usize, name: &[u8]) -> bool {
    if end - begin != name.len() {
        return false;
    }
    let mut at = 0;
    while at < name.len() {
        if bytes[begin + at] != name[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// Makes a message: an English sentence with places, then what stands in them. `name = value` is
/// the same in every language, `name => message` is a message, `name` alone is `name = name`.
/// That places and names agree is checked when this is compiled, that the catalogue has the
/// sentence by a test.
macro_rules! say {
    ($english:literal $(, $name:ident $(= $value:expr)? $(=> $said:expr)?)* $(,)?) => {{
        const { assert!($crate::language::agree($english, &[$(stringify!($name)),*]), "places and names differ") };
        $crate::language::Said::sentence(
            $english,
            vec![$((stringify!($name), $crate::language::say!(@part $name $(= $value)? $(=> $said)?))),*],
        )
    }};
    (@part $name:ident) => { $crate::language::Said::verbatim($name.to_string()) };
    (@part $name:ident = $value:expr) => { $crate::language::Said::verbatim($value.to_string()) };
    (@part $name:ident => $said:expr) => { $said };
}
pub(crate) use say;
