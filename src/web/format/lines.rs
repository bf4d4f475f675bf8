//! Writes samples as lines of the text format 0.0.4 or of OpenMetrics 1.0. Of paths there may be a
//! hundred thousand samples: none is an object of its own, and the labels that a path's samples
//! share are encoded once.

use std::{
    io::{self, Write},
    iter,
    time::{SystemTime, UNIX_EPOCH},
};

use super::{BucketCounts, SampleValue, SampleWriter, SharedLabels};
use crate::{
    catalogue::{MetricKind, MetricSpec},
    text::visible,
};

/// Text is handed on in pieces of about this size.
const PIECE: usize = 64 << 10;

/// Samples on their way to a writer.
pub(super) struct SampleLines<'w> {
    text: Vec<u8>,
    to: &'w mut dyn Write,
    outcome: io::Result<()>,
    is_open_metrics: bool,
    /// The present family, once it has a sample and so its comments.
    family: Option<&'static MetricSpec>,
    next: Option<&'static MetricSpec>,
    /// When the next counters began, in milliseconds since 1970.
    began: Option<u64>,
}

/// The value of a label, escaped.
fn push_escaped(value: &str, to: &mut Vec<u8>) {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    if value.bytes().all(is_plain) {
        return to.extend_from_slice(value.as_bytes());
    }
    // A second safeguard: all values already are of checked types.
    for char in visible(value).chars() {
        if matches!(char, '"' | '\\') {
            to.push(b'\\');
        }
        to.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// A label, after those that are there.
fn push_label(label: &str, value: &str, to: &mut Vec<u8>) {
    to.extend_from_slice(label.as_bytes());
    to.extend_from_slice(b"=\"");
    push_escaped(value, to);
    to.push(b'"');
}

impl<'w> SampleLines<'w> {
    pub(super) fn new(to: &'w mut dyn Write, is_open_metrics: bool) -> Self {
        let text = Vec::with_capacity(PIECE + (PIECE >> 2));
        Self { text, to, outcome: Ok(()), is_open_metrics, family: None, next: None, began: None }
    }

    /// The family of the next sample, after its comments.
    fn family(&mut self) -> Option<&'static MetricSpec> {
        if let Some(family) = self.next.take() {
            self.family = Some(family);
            self.comment(family);
        }
        self.family
    }

    fn comment(&mut self, family: &MetricSpec) {
        // Writing to a Vec cannot fail.
        if self.is_open_metrics {
            let name = family.open_metrics_name();
            let _ = writeln!(self.text, "# TYPE {name} {}", family.open_metrics_type());
            if let Some(unit) = family.base_unit() {
                let _ = writeln!(self.text, "# UNIT {name} {unit}");
            }
            let help = family.help().replace('\\', "\\\\").replace('"', "\\\"");
            let _ = writeln!(self.text, "# HELP {name} {help}");
        } else {
            let (name, kind, help) = (family.name(), family.kind().as_str(), family.help());
            let help = help.replace('\\', "\\\\");
            let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        }
    }

    /// A line, with what its name ends in after that of the family.
    fn line<'v>(
        &mut self,
        (name, ending): (&str, &str),
        first: &SharedLabels,
        more: impl Iterator<Item = (&'static str, &'v str)>,
        value: SampleValue,
    ) {
        self.text.extend_from_slice(name.as_bytes());
        self.text.extend_from_slice(ending.as_bytes());
        let mut separator = b'{';
        if !first.0.is_empty() {
            self.text.push(separator);
            self.text.extend_from_slice(&first.0);
            separator = b',';
        }
        for (label, value) in more {
            self.text.push(separator);
            push_label(label, value, &mut self.text);
            separator = b',';
        }
        if separator == b',' {
            self.text.push(b'}');
        }
        let _ = writeln!(self.text, " {value}");
        if self.text.len() >= PIECE {
            self.hand_on();
        }
    }

    /// When it began, where the form has a place for that.
    fn created(&mut self, family: &MetricSpec, first: &SharedLabels, more: &[&str]) {
        let Some(began) = self.began.filter(|_| self.is_open_metrics) else { return };
        #[allow(clippy::cast_precision_loss)]
        let seconds = began as f64 / 1000.0;
        let labels = after(family, more);
        self.line((family.open_metrics_name(), "_created"), first, labels, seconds.into());
    }

    fn hand_on(&mut self) {
        if self.outcome.is_ok() {
            self.outcome = self.to.write_all(&self.text);
        }
        self.text.clear();
    }
}

/// The last labels of a family with these values.
fn after<'v>(family: &MetricSpec, values: &'v [&'v str]) -> impl Iterator<Item = (&'static str, &'v str)> {
    let labels = family.labels();
    let names = &labels[labels.len() - values.len()..];
    names.iter().copied().zip(values.iter().copied())
}

impl SampleWriter for SampleLines<'_> {
    fn shared(&self, family: &MetricSpec, values: &[&str]) -> SharedLabels {
        let mut text = Vec::new();
        for (label, value) in family.labels().iter().zip(values) {
            if !text.is_empty() {
                text.push(b',');
            }
            push_label(label, value, &mut text);
        }
        SharedLabels(text)
    }

    fn begin(&mut self, family: &'static MetricSpec) {
        (self.family, self.next) = (None, Some(family));
    }

    fn since(&mut self, began: Option<SystemTime>) {
        let since_1970 = began.and_then(|began| began.duration_since(UNIX_EPOCH).ok());
        self.began = since_1970.and_then(|time| u64::try_from(time.as_millis()).ok());
    }

    fn put(&mut self, first: &SharedLabels, more: &[&str], value: SampleValue) {
        let Some(family) = self.family() else { return };
        self.line((family.name(), ""), first, after(family, more), value);
        if family.kind() == MetricKind::Counter {
            self.created(family, first, more);
        }
    }

    fn put_buckets(&mut self, first: &SharedLabels, more: &[&str], buckets: &BucketCounts<'_>) {
        let Some(family) = self.family() else { return };
        let (name, count) = (family.name(), buckets.count());
        let all = iter::once(("+Inf", count));
        for (bound, count) in buckets.cumulative().map(|((_, text), count)| (text, count)).chain(all) {
            let labels = after(family, more).chain([("le", bound)]);
            self.line((name, "_bucket"), first, labels, count.into());
        }
        self.line((name, "_sum"), first, after(family, more), buckets.sum.into());
        self.line((name, "_count"), first, after(family, more), count.into());
        self.created(family, first, more);
    }

    fn end(&mut self) -> io::Result<()> {
        if self.is_open_metrics {
            self.text.extend_from_slice(b"# EOF\n");
        }
        self.hand_on();
        std::mem::replace(&mut self.outcome, Ok(()))
    }
}
