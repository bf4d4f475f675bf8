//! Text from outside: routers, servers, the resolver, the command line.
//!
//! Such text ends up on a terminal, in a log, on a page and in a label. A line break in it would
//! start a line that the sender made up (a command to type, a log record), an escape sequence would
//! move the cursor, and a right-to-left override would reverse what follows. So a [`Text`] never
//! contains control or format characters of Unicode (general categories Cc and Cf, which include
//! the bidi controls), nor line or paragraph separators (Zl, Zp). Each is replaced by a visible
//! sign.

use std::{borrow::Cow, fmt, ops::Deref, time::Duration};

use crate::language::{Between, Said, say};
use serde::Serialize;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// The greatest length, in bytes, of a sentence of ours that quotes one or two texts.
pub const MOST_OF_SENTENCE: usize = 2048;

/// A sentence of ours that quotes text from outside.
pub type Sentence = Text<MOST_OF_SENTENCE>;

/// At most `MOST` bytes on one line, all visible. The default holds a description of VyOS (255
/// characters of ASCII), and is the longest label value.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Text<const MOST: usize = 256>(String);

impl<const MOST: usize> Text<MOST> {
    /// Replaces what is not visible; cuts what is too long and ends it with `…`.
    #[must_use]
    pub fn new(words: &str) -> Self {
        let mut text = Self::default();
        text.push(words);
        text
    }

    /// Appends as much as fits.
    pub fn push(&mut self, words: &str) {
        const ELLIPSIS: char = '…';
        if self.0.len() + ELLIPSIS.len_utf8() > MOST && self.0.ends_with(ELLIPSIS) {
            return;
        }
        // One character becomes at least one and at most ten bytes (`<U+10FFFF>`), so characters
        // beyond `MOST` need not be looked at.
        for (place, char) in words.char_indices() {
            let before = self.0.len();
            push_visible(&mut self.0, char);
            let room = if place + char.len_utf8() < words.len() { ELLIPSIS.len_utf8() } else { 0 };
            if self.0.len() + room > MOST {
                self.0.truncate(before);
                while self.0.len() + ELLIPSIS.len_utf8() > MOST {
                    self.0.pop();
                }
                self.0.push(ELLIPSIS);
                return;
            }
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MOST: usize> Deref for Text<MOST> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<const MOST: usize> fmt::Display for Text<MOST> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl<const MOST: usize> From<&str> for Text<MOST> {
    fn from(words: &str) -> Self {
        Self::new(words)
    }
}

impl<const MOST: usize> From<String> for Text<MOST> {
    fn from(words: String) -> Self {
        Self::new(&words)
    }
}

impl<const MOST: usize> PartialEq<str> for Text<MOST> {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl<const MOST: usize> PartialEq<&str> for Text<MOST> {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

/// Whether this character has an effect beyond being visible.
#[must_use]
pub fn is_active(char: char) -> bool {
    if char.is_ascii() {
        return char.is_ascii_control();
    }
    matches!(
        char.general_category(),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
    )
}

/// The text with everything visible, of any length.
#[must_use]
pub fn visible(words: &str) -> Cow<'_, str> {
    visible_but_for(words, |_| false)
}

/// The text with everything visible but line breaks, which stay; of any length.
#[must_use]
pub fn visible_lines(words: &str) -> Cow<'_, str> {
    visible_but_for(words, |char| char == '\n')
}

fn visible_but_for(words: &str, keep: impl Fn(char) -> bool) -> Cow<'_, str> {
    let bad = |char| is_active(char) && !keep(char);
    let Some(start) = words.find(bad) else { return Cow::Borrowed(words) };
    let (good, rest) = words.split_at(start);
    let mut all = good.to_owned();
    for char in rest.chars() {
        if keep(char) { all.push(char) } else { push_visible(&mut all, char) }
    }
    Cow::Owned(all)
}

/// `␛` for ESC (Unicode has a picture for each control character of ASCII), `<U+202E>` for others.
fn push_visible(to: &mut String, char: char) {
    use fmt::Write as _;
    match u32::from(char) {
        _ if !is_active(char) => to.push(char),
        code @ ..0x20 => to.extend(char::from_u32(0x2400 + code)),
        0x7f => to.push('␡'),
        // Writing to a String cannot fail.
        code => drop(write!(to, "<U+{code:04X}>")),
    }
}

/// A duration in whole seconds, for a person: `7 s`.
#[must_use]
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.0} s", duration.as_secs_f64())
}

/// The first items of a list as text, with the total if not all are shown.
pub(crate) fn listed<T: ToString>(items: impl ExactSizeIterator<Item = T>) -> Said {
    const MOST: usize = 8;
    let more = items.len().saturating_sub(MOST);
    let shown = items.take(MOST).map(|item| Said::verbatim(item.to_string()));
    let rest = (more > 0).then(|| say!("and {more} more", more));
    Said::joined(shown.chain(rest), Between::Comma)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_does_something_can_be_seen() {
        for (words, seen) in [
            ("to site A, 東京 – é", "to site A, 東京 – é"),
            ("a\u{1b}[2J\u{7}\0\n\r\tb\u{7f}", "a␛[2J␇␀␊␍␉b␡"),
            (
                "x\u{202e}01\u{2066}y\u{9b}\u{2028}\u{2029}\u{feff}",
                "x<U+202E>01<U+2066>y<U+009B><U+2028><U+2029><U+FEFF>",
            ),
            ("\u{e0041}\u{200d}\u{ad}\u{61c}", "<U+E0041><U+200D><U+00AD><U+061C>"),
        ] {
            assert_eq!(Text::<256>::new(words), seen);
            assert_eq!(visible(words), seen);
        }
        assert_eq!(visible_lines("one\ntwo\r\n"), "one\ntwo␍\n");
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        assert_eq!(Text::<256>::new(&"x".repeat(256)).len(), 256);
        let cut = Text::<256>::new(&"京".repeat(12_000_000));
        assert!(cut.len() <= 256 && cut.len() > 250 && cut.ends_with("京…"), "{cut}");
        let mut pushed = Text::<8>::new("1234");
        pushed.push("56789");
        assert_eq!(pushed, "12345…");
        pushed.push("more");
        assert_eq!(pushed, "12345…");
    }

    proptest! {
        #[test]
        fn nothing_active_gets_past_a_text(words in any::<String>(), more in any::<String>()) {
            let mut text = Text::<40>::new(&words);
            text.push(&more);
            prop_assert!(text.len() <= 40 && !text.contains(is_active), "{text:?}");
            prop_assert!(!visible(&words).contains(is_active));
            let once = visible(&words);
            prop_assert_eq!(&visible(&once), &once);
        }
    }
}
