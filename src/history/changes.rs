//! The last changes of one verdict, bounded in number and in words.

use std::{collections::VecDeque, time::SystemTime};

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::scale::unix;
use crate::language::Said;

/// So many are kept.
const MOST: usize = 24;
/// So many bytes of a change's evidence are kept; longer ones only in English, and cut.
const MOST_WORDS: usize = 160;
/// So many bytes of the parts of such a sentence.
const MOST_PARTS: usize = 640;

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Change {
    /// When, in seconds since 1970.
    #[serde(rename = "at_seconds", serialize_with = "seconds")]
    #[schemars(with = "f64")]
    pub at: SystemTime,
    /// What it became: a verdict with its reason, or a state of a tunnel.
    pub what: Said,
    /// The first sentence of the evidence of that time.
    pub evidence: Said,
}

fn seconds<S: Serializer>(at: &SystemTime, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(unix(*at))
}

/// The evidence, cut where it is long.
fn bounded(evidence: Said) -> Said {
    let words = evidence.to_string();
    let end = words.floor_char_boundary(MOST_WORDS);
    if end == words.len() && evidence.bytes() <= MOST_PARTS {
        return evidence;
    }
    let cut = if end < words.len() { "…" } else { "" };
    Said::verbatim(format!("{}{cut}", &words[..end]))
}

/// The last changes, oldest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Changes(VecDeque<Change>);

impl Changes {
    /// Appends a change.
    pub(super) fn push(&mut self, at: SystemTime, what: Said, evidence: Said) {
        if self.0.len() == MOST {
            self.0.pop_front();
        } else if self.0.len() == self.0.capacity() {
            self.0.reserve_exact(2.min(MOST - self.0.len()));
        }
        self.0.push_back(Change { at, what, evidence: bounded(evidence) });
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Change> {
        self.0.iter()
    }

    /// When the last change came.
    pub(super) fn last(&self) -> Option<SystemTime> {
        self.0.back().map(|change| change.at)
    }

    /// Bytes that it holds.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        let words = |change: &Change| change.what.bytes() + change.evidence.bytes();
        self.0.capacity() * size_of::<Change>() + self.0.iter().map(words).sum::<usize>()
    }
}
