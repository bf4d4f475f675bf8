//! The search for the exact MTU below a proven hole, in the manner of RFC 4821 section 7.3 and RFC
//! 8899.
//!
//! Bisection among the MTUs at which tunnels usually end comes first. When one of them is answered,
//! the next try is one byte above it, because most often the edge is there. After that, plain
//! bisection. Eight counted pairs exclude a size provisionally; the final edge + 1 takes forty. If
//! that size answers after all, every provisional bound is dropped. (Simulated: the exact edge in
//! 2.7 s instead of 6.6, and none wrong.)

use super::proof::{PROOF, PROVISIONAL};
use crate::model::{family::Family, types::Bytes};

/// IP packet sizes at which tunnels usually end: Ethernet, VXLAN over it with and without the
/// bridge's 4 bytes for a VLAN tag, GRE and `IPsec` leftovers, IPv6's least, jumbo frames.
const LIKELY: [Bytes; 10] = [1280, 1380, 1400, 1420, 1430, 1450, 1454, 1500, 8950, 9000];

/// A search between an answered and a silent size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Search {
    answered: Bytes,
    silent: Bytes,
    /// Counted pairs that excluded `silent`. Forty prove it, and so does a Packet Too Big.
    closed_by: usize,
    /// The smallest size that forty pairs have proven silent; all smaller bounds are provisional.
    proven: Bytes,
    try_next: Option<Bytes>,
    /// Sizes that other probe methods have found, the best first.
    hints: Vec<Bytes>,
}

/// What to try next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Try {
    /// Bytes of IP packet.
    pub size: Bytes,
    /// Counted pairs that exclude it.
    pub need: usize,
}

impl Search {
    /// A search below `silent`, which is proven. `answered` is known to pass. `hints` are tried
    /// first: sizes that another probe method has found.
    #[must_use]
    pub(crate) fn new(family: Family, answered: Bytes, silent: Bytes, hints: &[Bytes]) -> Self {
        let answered = answered.max(family.small());
        Self { answered, silent, closed_by: PROOF, proven: silent, try_next: None, hints: hints.to_vec() }
    }

    /// The size to try, or `None` when the edge is exact.
    #[must_use]
    pub(crate) fn next(&self) -> Option<Try> {
        if self.answered + 1 >= self.silent {
            return (self.closed_by < PROOF).then_some(Try { size: self.silent, need: PROOF });
        }
        let inside = |size: &Bytes| self.answered < *size && *size < self.silent;
        let size = self
            .try_next
            .filter(inside)
            .or_else(|| self.hints.iter().copied().find(inside))
            .or_else(|| {
                // The middle one: a silent size costs eight pairs, an answered one only a round
                // trip.
                let likely: Vec<Bytes> = LIKELY.into_iter().filter(inside).collect();
                likely.get(likely.len() / 2).copied()
            })
            .unwrap_or_else(|| self.answered.midpoint(self.silent));
        Some(Try { size, need: PROVISIONAL })
    }

    /// `size` was answered.
    pub(crate) fn passed(&mut self, size: Bytes) {
        if size >= self.silent {
            // A size excluded provisionally has answered: drop every provisional bound.
            if size >= self.proven {
                return;
            }
            self.silent = self.proven;
            self.closed_by = PROOF;
        }
        if size > self.answered {
            let was_likely = LIKELY.contains(&size) || self.hints.contains(&size);
            self.try_next = was_likely.then_some(size + 1);
            self.answered = size;
        }
    }

    /// `counted` pairs at `size` counted, and it was never answered.
    pub(crate) fn silent(&mut self, size: Bytes, counted: usize) {
        if size <= self.silent {
            self.silent = size;
            self.closed_by = counted;
            if counted >= PROOF {
                self.proven = size;
            }
        }
    }

    /// A Packet Too Big naming `mtu` came back for `size`, which is proof enough that it does not
    /// pass.
    pub(crate) fn signalled(&mut self, size: Bytes, mtu: Bytes) {
        if size <= self.silent {
            self.silent = size;
            self.closed_by = PROOF;
            self.proven = size;
            self.try_next = Some(mtu);
        }
    }

    /// Counted pairs that excluded the smallest silent size.
    #[must_use]
    pub(crate) fn closed_by(&self) -> usize {
        self.closed_by
    }

    /// The largest size answered so far.
    #[must_use]
    pub(crate) fn answered(&self) -> Bytes {
        self.answered
    }

    /// The smallest size excluded so far, proven or provisional.
    #[must_use]
    pub(crate) fn edge(&self) -> Bytes {
        self.silent
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Plays a search against a path whose largest size is `edge`; returns the sizes tried.
    fn play(mut search: Search, edge: Bytes) -> (Search, Vec<Bytes>) {
        let mut tried = Vec::new();
        while let Some(attempt) = search.next() {
            tried.push(attempt.size);
            assert!(tried.len() < 64, "{tried:?}");
            if attempt.size <= edge {
                search.passed(attempt.size);
            } else {
                search.silent(attempt.size, attempt.need);
            }
        }
        (search, tried)
    }

    #[test]
    fn the_articles_edge_takes_seven_tries() {
        let (search, tried) = play(Search::new(Family::V4, 0, 1500, &[]), 1454);
        assert_eq!((search.answered(), search.edge()), (1454, 1455));
        assert_eq!(tried, [1420, 1421, 1450, 1451, 1454, 1455, 1455]);
    }

    #[test]
    fn a_hint_comes_first() {
        let (_, tried) = play(Search::new(Family::V4, 0, 1500, &[1411]), 1411);
        assert_eq!(tried, [1411, 1412, 1412]);
    }

    #[test]
    fn a_signal_closes_a_size_at_once_and_names_the_next() {
        let mut search = Search::new(Family::V4, 0, 1500, &[]);
        search.passed(1430);
        search.passed(1431);
        assert_eq!(search.next(), Some(Try { size: 1454, need: PROVISIONAL }));
        search.signalled(1454, 1450);
        assert_eq!(search.next(), Some(Try { size: 1450, need: PROVISIONAL }));
        search.passed(1450);
        assert_eq!(search.next(), Some(Try { size: 1451, need: PROVISIONAL }));
        search.signalled(1451, 1450);
        assert_eq!(search.next(), None);
        assert_eq!((search.answered(), search.edge()), (1450, 1451));
    }

    #[test]
    fn an_answer_at_the_final_edge_reopens_every_provisional_bound() {
        let mut search = Search::new(Family::V4, 0, 1500, &[]);
        search.silent(1454, PROVISIONAL); // eight unlucky pairs
        search.passed(1450);
        search.silent(1451, PROVISIONAL);
        assert_eq!(search.next(), Some(Try { size: 1451, need: PROOF }));
        search.passed(1451);
        let (search, _) = play(search, 1454);
        assert_eq!((search.answered(), search.edge()), (1454, 1455));
    }

    #[test]
    fn an_edge_below_the_least_mtu_of_ipv6_is_found_too() {
        let (search, _) = play(Search::new(Family::V6, 0, 1500, &[]), 1200);
        assert_eq!((search.answered(), search.edge()), (1200, 1201));
    }

    proptest! {
        #[test]
        fn every_edge_is_found_to_the_byte(edge in Family::V4.small()..9215, above in 1..4000_u32) {
            let (search, _) = play(Search::new(Family::V4, 0, (edge + above).min(9216), &[]), edge);
            prop_assert_eq!((search.answered(), search.edge()), (edge, edge + 1));
        }
    }
}
