//! Writes samples as lines of the text format 0.0.4. Of paths there may be a hundred thousand
//! samples: none is an object of its own, and the labels that a path's samples share are encoded
//! once.

use std::{
    fmt::{Display, Write as _},
    io::{self, Write},
};

use crate::{catalogue::MetricSpec, text::visible};

/// Text is handed on in pieces of about this size.
const PIECE: usize = 64 << 10;

/// Samples on their way to a writer.
pub(crate) struct SampleWriter<'w> {
    text: String,
    to: &'w mut dyn Write,
    outcome: io::Result<()>,
    family: &'static MetricSpec,
    /// Whether the family has a sample by now, and so its comments.
    is_begun: bool,
}

/// The value of a label, escaped.
fn push_escaped(value: &str, to: &mut String) {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    if value.bytes().all(is_plain) {
        return to.push_str(value);
    }
    // A second safeguard: all values already are of checked types.
    for char in visible(value).chars() {
        if matches!(char, '"' | '\\') {
            to.push('\\');
        }
        to.push(char);
    }
}

/// The first labels of a family, encoded for all samples that share them.
pub(crate) fn encoded(family: &'static MetricSpec, values: &[&str]) -> String {
    let mut text = String::new();
    for (label, value) in family.labels().iter().zip(values) {
        let comma = if text.is_empty() { "" } else { "," };
        let _ = write!(text, "{comma}{label}=\"");
        push_escaped(value, &mut text);
        text.push('"');
    }
    text
}

impl<'w> SampleWriter<'w> {
    /// Writes to `to`, samples of `family` first.
    pub(crate) fn new(to: &'w mut dyn Write, family: &'static MetricSpec) -> Self {
        let text = String::with_capacity(PIECE + (PIECE >> 2));
        Self { text, to, outcome: Ok(()), family, is_begun: false }
    }

    /// The next samples are of this family. Without any, nothing is written.
    pub(crate) fn begin(&mut self, family: &'static MetricSpec) {
        (self.family, self.is_begun) = (family, false);
    }

    /// A sample. `first` are the first labels, encoded; `values` those of the labels after them.
    pub(crate) fn put(&mut self, first: &str, values: &[&str], value: impl Display) {
        let labels = self.family.labels();
        let names = &labels[labels.len() - values.len()..];
        self.line("", first, names.iter().copied().zip(values.iter().copied()), value);
    }

    /// A sample of 1 or 0.
    pub(crate) fn put_bool(&mut self, first: &str, values: &[&str], value: bool) {
        self.put(first, values, u8::from(value));
    }

    /// A sample of a histogram, whose name has this ending; `bound` is that of a bucket.
    pub(crate) fn put_part(&mut self, ending: &str, first: &str, bound: Option<&str>, value: impl Display) {
        self.line(ending, first, bound.map(|bound| ("le", bound)).into_iter(), value);
    }

    fn line<'v>(
        &mut self,
        ending: &str,
        first: &str,
        more: impl Iterator<Item = (&'static str, &'v str)>,
        value: impl Display,
    ) {
        let family = self.family;
        if !std::mem::replace(&mut self.is_begun, true) {
            let (name, kind) = (family.name(), family.kind().as_str());
            let _ = writeln!(self.text, "# HELP {name} {}\n# TYPE {name} {kind}", family.help());
        }
        for part in [family.name(), ending, "{", first] {
            self.text.push_str(part);
        }
        for (label, value) in more {
            for part in [",", label, "=\""] {
                self.text.push_str(part);
            }
            push_escaped(value, &mut self.text);
            self.text.push('"');
        }
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "}} {value}");
        if self.text.len() >= PIECE {
            self.hand_on();
        }
    }

    fn hand_on(&mut self) {
        if self.outcome.is_ok() {
            self.outcome = self.to.write_all(self.text.as_bytes());
        }
        self.text.clear();
    }

    /// Hands on the rest.
    pub(crate) fn end(mut self) -> io::Result<()> {
        self.hand_on();
        self.outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{catalogue as c, web::exposition::Exposition};

    /// Word for word what the encoder of the `prometheus` crate writes, also for values that hold
    /// what the format itself uses.
    #[test]
    fn the_same_text_as_the_library_writes() {
        let values = ["plain", "a\"b", "back\\slash", "line\nbreak", "ünï\u{202e}", "\\n", ""];
        let mut bytes = Vec::new();
        let mut lines = SampleWriter::new(&mut bytes, &c::PATH_MTU);
        let mut library = Exposition::default();
        for value in values {
            let labels = [value, "site", value];
            let first = encoded(&c::PATH_MTU, &labels);
            lines.put(&first, &[value], 1454);
            library.put(&c::PATH_MTU, &[value, "site", value, value], 1454.0);
        }
        lines.begin(&c::PATH_EXPECTED_MTU);
        lines.begin(&c::PATH_TESTABLE_MTU);
        let first = encoded(&c::PATH_TESTABLE_MTU, &["a", "b", "c"]);
        lines.put(&first, &[], 0.25);
        library.put(&c::PATH_TESTABLE_MTU, &["a", "b", "c"], 0.25);
        lines.end().expect("written");
        let sorted = |text: &str| {
            let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        let ours = String::from_utf8(bytes).expect("text");
        assert_eq!(sorted(&ours), sorted(&library.encode(vec![]).expect("text")));
    }
}
