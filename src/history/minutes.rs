//! A ring of minutes, `N` bytes each, that grows only as far as it is filled.

use std::collections::VecDeque;

/// A day.
pub(crate) const MINUTES: usize = 24 * 60;
/// So many minutes are allocated at a time.
const GROWTH: usize = 60;
/// A clock that is set back by more minutes than this begins anew.
const SET_BACK: u64 = 2;

/// The last minutes, oldest first.
#[derive(Debug, Clone)]
pub(super) struct Minutes<const N: usize> {
    /// The minute of the last entry, since 1970.
    last: u64,
    ring: VecDeque<[u8; N]>,
}

impl<const N: usize> Default for Minutes<N> {
    fn default() -> Self {
        Self { last: 0, ring: VecDeque::new() }
    }
}

impl<const N: usize> Minutes<N> {
    /// Appends what a minute has shown; minutes left out between are `empty`.
    pub(super) fn push(&mut self, minute: u64, entry: [u8; N], empty: [u8; N]) {
        if minute + SET_BACK < self.last {
            self.ring.clear();
        } else if minute <= self.last && !self.ring.is_empty() {
            return;
        }
        let left_out = if self.ring.is_empty() { 0 } else { minute - self.last - 1 };
        for _ in 0..left_out.min(MINUTES as u64) {
            self.append(empty);
        }
        self.append(entry);
        self.last = minute;
    }

    fn append(&mut self, entry: [u8; N]) {
        if self.ring.len() == MINUTES {
            self.ring.pop_front();
        } else if self.ring.len() == self.ring.capacity() {
            self.ring.reserve_exact(GROWTH.min(MINUTES - self.ring.len()));
        }
        self.ring.push_back(entry);
    }

    /// Each entry with its minute since 1970, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, [u8; N])> {
        let first = (self.last + 1).saturating_sub(self.ring.len() as u64);
        (first..).zip(self.ring.iter().copied())
    }

    /// Bytes that it holds.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.ring.capacity() * N
    }
}
