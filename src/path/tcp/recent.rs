//! What became of the last few packets to a port that is silent: when the silence is over.

use std::collections::VecDeque;

/// Silence is over at so many answers among the last [`LAST`]: one may be a straggler.
const BACK: usize = 2;
/// So many are remembered.
pub const LAST: usize = 5;

/// Whether each of the last five was answered.
#[derive(Debug, Clone, Default)]
pub struct Recent(VecDeque<bool>);

impl Recent {
    /// One more was answered, or lost.
    pub fn note(&mut self, answered: bool) {
        self.0.push_back(answered);
        if self.0.len() > LAST {
            self.0.pop_front();
        }
    }

    /// Enough were answered to end a silence.
    #[must_use]
    pub fn is_back(&self) -> bool {
        self.0.iter().filter(|answered| **answered).count() >= BACK
    }

    /// One was answered.
    #[must_use]
    pub fn has_answer(&self) -> bool {
        self.0.contains(&true)
    }

    /// As many as are remembered were lost, and none answered.
    #[must_use]
    pub fn all_lost(&self) -> bool {
        self.0.len() == LAST && !self.has_answer()
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}
