//! When the silence of a port is over: what became of the last few packets to it.

use std::collections::VecDeque;

/// Answers among the last [`LAST`] that end a silence. A single one may be late.
const BACK: usize = 2;
/// How many are remembered.
pub(crate) const LAST: usize = 5;

/// Whether each of the last five was answered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recent(VecDeque<bool>);

impl Recent {
    /// Records one more.
    pub(crate) fn note(&mut self, answered: bool) {
        self.0.push_back(answered);
        if self.0.len() > LAST {
            self.0.pop_front();
        }
    }

    /// Whether enough were answered to end a silence.
    #[must_use]
    pub(crate) fn is_back(&self) -> bool {
        self.0.iter().filter(|answered| **answered).count() >= BACK
    }

    /// Whether one was answered.
    #[must_use]
    pub(crate) fn has_answer(&self) -> bool {
        self.0.contains(&true)
    }

    /// Whether all that can be remembered were lost.
    #[must_use]
    pub(crate) fn all_lost(&self) -> bool {
        self.0.len() == LAST && !self.has_answer()
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
