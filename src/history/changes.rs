//! The last changes of one verdict, bounded in number and in words.

use std::{collections::VecDeque, time::SystemTime};

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::scale::unix;

/// So many are kept.
const MOST: usize = 24;
/// So many bytes of a change's evidence are kept.
const MOST_WORDS: usize = 160;

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Change {
    /// When, in seconds since 1970.
    #[serde(rename = "at_seconds", serialize_with = "seconds")]
    #[schemars(with = "f64")]
    pub at: SystemTime,
    /// What it became: a verdict with its reason, or a state of a tunnel.
    pub what: Box<str>,
    /// The first sentence of the evidence of that time.
    pub evidence: Box<str>,
}

fn seconds<S: Serializer>(at: &SystemTime, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(unix(*at))
}

/// The last changes, oldest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Changes(VecDeque<Change>);

impl Changes {
    /// Appends a change.
    pub(super) fn push(&mut self, at: SystemTime, what: String, evidence: &str) {
        if self.0.len() == MOST {
            self.0.pop_front();
        } else if self.0.len() == self.0.capacity() {
            self.0.reserve_exact(2.min(MOST - self.0.len()));
        }
        let end = evidence.floor_char_boundary(MOST_WORDS);
        let cut = if end < evidence.len() { "…" } else { "" };
        let evidence = format!("{}{cut}", &evidence[..end]).into_boxed_str();
        self.0.push_back(Change { at, what: what.into_boxed_str(), evidence });
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
        let words = |change: &Change| change.what.len() + change.evidence.len();
        self.0.capacity() * size_of::<Change>() + self.0.iter().map(words).sum::<usize>()
    }
}
