//! Names that come and go: of the absent ones only the most recent are remembered.

use std::collections::BTreeMap;

/// Most absent names remembered.
pub(crate) const GONE: usize = 256;

/// When each name was last present.
#[derive(Debug)]
pub(crate) struct Recency<K> {
    turn: u64,
    seen: BTreeMap<K, u64>,
}

impl<K> Default for Recency<K> {
    fn default() -> Self {
        Self { turn: 0, seen: BTreeMap::new() }
    }
}

impl<K: Ord + Clone> Recency<K> {
    /// Records which of the remembered names are present; returns those to forget, absent the
    /// longest.
    pub(crate) fn see<'k>(
        &mut self,
        there: impl Iterator<Item = &'k K>,
        remembered: impl Iterator<Item = &'k K>,
    ) -> Vec<K>
    where
        K: 'k,
    {
        self.turn += 1;
        for name in there {
            match self.seen.get_mut(name) {
                Some(turn) => *turn = self.turn,
                None => drop(self.seen.insert(name.clone(), self.turn)),
            }
        }
        for name in remembered {
            if !self.seen.contains_key(name) {
                self.seen.insert(name.clone(), self.turn - 1);
            }
        }
        let gone = || self.seen.iter().filter(|(_, turn)| **turn != self.turn);
        let over = gone().count().saturating_sub(GONE);
        if over == 0 {
            return Vec::new();
        }
        let mut oldest: Vec<_> = gone().map(|(name, turn)| (*turn, name.clone())).collect();
        oldest.sort_unstable();
        oldest.truncate(over);
        for (_, name) in &oldest {
            self.seen.remove(name);
        }
        oldest.into_iter().map(|(_, name)| name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_gone_are_forgotten_and_what_is_there_never_is() {
        let mut recency = Recency::default();
        let mut remembered = std::collections::BTreeSet::from([0_usize]);
        for turn in 1..10_000 {
            remembered.insert(turn);
            for name in recency.see([0, turn].iter(), remembered.clone().iter()) {
                remembered.remove(&name);
            }
            assert!(remembered.len() <= GONE + 2, "{}", remembered.len());
        }
        assert!(
            remembered.contains(&0) && remembered.contains(&9_999) && remembered.contains(&(9_999 - GONE))
        );
        assert!(!remembered.contains(&(9_999 - GONE - 1)));
        let all: Vec<_> = (0..5_000).collect();
        assert!(recency.see(all.iter(), all.iter()).len() <= GONE, "what is there is not bounded here");
    }
}
