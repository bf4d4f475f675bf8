//! Which size to test next in one direction by a reflector's pairs, and what they have come to.
//!
//! The same rules as for every other way of asking: forty counted pairs prove a hole and nothing cheaper
//! does, eight close a size of the search, a proof in which a control was lost needs a sharp edge, two
//! large arrivals among the last three withdraw the hole.

#[cfg(test)]
mod tests;

use std::{collections::VecDeque, time::Duration};

use super::{
    mtu_search::Search,
    probe::Family,
    proof::{PROOF, PROVISIONAL, PairCount},
    reflection::{Large, Pair, Sizes},
};
use crate::types::Bytes;

/// Pairs after which a burst ends without a decision, and the pause then.
const MOST_PAIRS: usize = 200;
const PAUSE: Duration = Duration::from_secs(30);
/// Between two pairs on a healthy path, and where a hole is known: that one's end should not wait.
const WATCH: Duration = Duration::from_secs(5);
const WATCH_HOLE: Duration = Duration::from_secs(1);
/// Pairs at the largest answered size that show a sharp edge.
const EDGE_PAIRS: usize = 20;

const ARRIVED: Pair = Pair { large: Large::Passed, control: true };

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Next {
    /// Bytes of IP packet.
    pub size: Bytes,
    /// Not before so much time has passed since the last pair.
    pub wait: Duration,
}

/// A proven hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hole {
    size: Bytes,
    proof: PairCount,
    /// No control was lost in the proof, or the edge was seen to be sharp.
    sharp: bool,
}

#[derive(Debug, Clone)]
enum Phase {
    /// Nothing is in doubt; whether a pair has passed yet.
    Watching { passed: bool },
    /// The top is silent so far.
    Proving(PairCount),
    /// The hole is proven, its edge is looked for.
    Searching { hole: Hole, search: Search, count: PairCount },
    /// The edge is exact, but controls were lost: is it sharp?
    Confirming { hole: Hole, answered: Bytes, count: PairCount },
    /// Everything is known.
    Hole { hole: Hole, answered: Bytes, turn: u32, doubt: Doubt },
    /// Large ones are lost more often, without an edge.
    SizeDependent { turn: u32 },
    /// Many pairs without a decision.
    Exhausted(PairCount),
}

/// What speaks against a known edge; it is looked at without waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doubt {
    None,
    /// A size above it has arrived, or the top itself: perhaps the hole is gone. Pairs at the top lost since then.
    Above {
        arrived: Bytes,
        top_lost: usize,
    },
    /// The largest size that arrived does not any more. Pairs that counted since then.
    Below {
        lost: usize,
    },
}

/// The hunt in one direction.
#[derive(Debug, Clone)]
pub struct SizeHunt {
    family: Family,
    top: Bytes,
    phase: Phase,
    /// Large segments of the top, sent since the hole is proven: did they arrive?
    recent: VecDeque<bool>,
}

impl SizeHunt {
    /// A hunt that begins at `top` bytes of IP packet.
    #[must_use]
    pub fn new(family: Family, top: Bytes) -> Self {
        Self { family, top, phase: Phase::Watching { passed: false }, recent: VecDeque::new() }
    }

    /// From now on `top` is the size in question: another one begins anew.
    pub fn stand_at(&mut self, top: Bytes) {
        if top != self.top {
            *self = Self::new(self.family, top);
        }
    }

    /// The pair to send next.
    #[must_use]
    pub fn next(&self) -> Next {
        let at_once = |size| Next { size, wait: Duration::ZERO };
        match &self.phase {
            Phase::Watching { passed: true } => Next { size: self.top, wait: WATCH },
            Phase::SizeDependent { .. } => Next { size: self.top, wait: WATCH_HOLE },
            Phase::Watching { passed: false }
            | Phase::Proving(_)
            | Phase::Hole { doubt: Doubt::Above { .. }, .. } => at_once(self.top),
            Phase::Searching { search, .. } => at_once(search.next().map_or(self.top, |next| next.size)),
            Phase::Confirming { answered, .. } | Phase::Hole { answered, doubt: Doubt::Below { .. }, .. } => {
                at_once(*answered)
            }
            Phase::Hole { answered, turn, doubt: Doubt::None, .. } => {
                let size = match turn % 4 {
                    1 if *answered > 0 => *answered,
                    3 if *answered > 0 => *answered + 1,
                    _ => self.top,
                };
                Next { size, wait: WATCH_HOLE }
            }
            Phase::Exhausted(_) => Next { size: self.top, wait: PAUSE },
        }
    }

    /// What became of the pair that [`SizeHunt::next`] asked for.
    pub fn told(&mut self, size: Bytes, pair: Pair) {
        let passed = match pair.large {
            Large::Passed => true,
            Large::Lost => false,
            // The sender's bound has changed: `stand_at` comes next.
            Large::Signalled { .. } | Large::Void => return,
        };
        self.phase = match std::mem::replace(&mut self.phase, Phase::Watching { passed: false }) {
            Phase::Watching { .. } | Phase::Exhausted(_) | Phase::Proving(_) if passed => {
                Phase::Watching { passed: true }
            }
            Phase::Watching { .. } | Phase::Exhausted(_) => {
                let mut count = PairCount::default();
                note(&mut count, pair);
                Phase::Proving(count)
            }
            Phase::Proving(mut count) => {
                note(&mut count, pair);
                if count.counted >= PROOF {
                    self.recent.clear();
                    let hole = Hole { size: self.top, proof: count, sharp: count.control_lost == 0 };
                    search_on(hole, Search::new(self.family, 0, self.top, &[]))
                } else if count.sent >= MOST_PAIRS {
                    Phase::Exhausted(count)
                } else {
                    Phase::Proving(count)
                }
            }
            Phase::Searching { hole, search, count } => searched(hole, search, count, size, pair),
            Phase::Confirming { hole, answered, mut count } => {
                note(&mut count, pair);
                if count.sent < EDGE_PAIRS {
                    Phase::Confirming { hole, answered, count }
                } else if 2 * count.large_answered >= count.control_answered {
                    known(Hole { sharp: true, ..hole }, answered)
                } else {
                    Phase::SizeDependent { turn: 0 }
                }
            }
            Phase::Hole { hole, answered, turn, doubt } => {
                self.watched(hole, answered, turn.wrapping_add(1), doubt, size, pair)
            }
            Phase::SizeDependent { turn } => {
                if self.withdrawn(passed) {
                    Phase::Watching { passed: true }
                } else if turn >= 60 {
                    Phase::Watching { passed: false }
                } else {
                    Phase::SizeDependent { turn: turn + 1 }
                }
            }
        };
    }

    /// A large segment of `size` bytes, told as lost, has arrived later: no hole swallowed it.
    pub fn late(&mut self, size: Bytes) {
        let top = self.top;
        match &mut self.phase {
            Phase::Proving(_) | Phase::Searching { .. } | Phase::Confirming { .. } if size == top => {
                self.phase = Phase::Watching { passed: true };
            }
            Phase::Searching { search, count, .. } => {
                search.passed(size);
                *count = PairCount::default();
            }
            Phase::Hole { .. } if size == top => self.told(size, ARRIVED),
            Phase::Hole { answered, doubt, .. } if size > *answered => {
                *doubt = Doubt::Above { arrived: size, top_lost: 0 };
            }
            _ => {}
        }
    }

    /// What is known.
    #[must_use]
    pub fn sizes(&self) -> Sizes {
        let silent = |hole: &Hole, answered, exact| Sizes::Silent {
            size: hole.size,
            answered,
            exact,
            proof: hole.proof,
        };
        match &self.phase {
            Phase::Watching { passed: true } => Sizes::Passed { size: self.top },
            Phase::Watching { passed: false } | Phase::Proving(_) => Sizes::Starting,
            Phase::Searching { hole, .. } | Phase::Confirming { hole, .. } if !hole.sharp => Sizes::Starting,
            Phase::Searching { hole, search, .. } => {
                let answered = search.answered();
                silent(hole, if answered > self.family.small() { answered } else { 0 }, false)
            }
            Phase::Confirming { hole, answered, .. } => silent(hole, *answered, false),
            Phase::Hole { hole, answered, .. } => silent(hole, *answered, *answered > 0),
            Phase::SizeDependent { .. } => Sizes::SizeDependent,
            Phase::Exhausted(count) => Sizes::NotUsable {
                why: format!(
                    "{} pairs at {} bytes without a decision: {}",
                    count.sent,
                    self.top,
                    count.lost_in_words()
                ),
            },
        }
    }

    fn watched(
        &mut self,
        hole: Hole,
        answered: Bytes,
        turn: u32,
        doubt: Doubt,
        size: Bytes,
        pair: Pair,
    ) -> Phase {
        let passed = pair.large == Large::Passed;
        let (family, top) = (self.family, self.top);
        let again = |from| search_on(hole, Search::new(family, from, top, &[]));
        let doubt = if size == self.top {
            if self.withdrawn(passed) {
                return Phase::Watching { passed: true };
            }
            match doubt {
                _ if passed => Doubt::Above { arrived: answered, top_lost: 0 },
                Doubt::Above { arrived, top_lost: 2 } if arrived > answered => return again(arrived),
                Doubt::Above { top_lost: 2, .. } => Doubt::None,
                Doubt::Above { arrived, top_lost } => Doubt::Above { arrived, top_lost: top_lost + 1 },
                doubt => doubt,
            }
        } else if size > answered {
            if passed { Doubt::Above { arrived: size, top_lost: 0 } } else { doubt }
        } else {
            match (doubt, passed, pair.control) {
                (_, true, _) => Doubt::None,
                (Doubt::Below { lost }, false, true) if lost + 1 >= PROVISIONAL => return again(0),
                (Doubt::Below { lost }, false, true) => Doubt::Below { lost: lost + 1 },
                (doubt, false, false) => doubt,
                (_, false, true) => Doubt::Below { lost: 1 },
            }
        };
        Phase::Hole { hole, answered, turn, doubt }
    }

    /// Two arrivals among the last three at the top.
    fn withdrawn(&mut self, passed: bool) -> bool {
        self.recent.push_back(passed);
        if self.recent.len() > 3 {
            self.recent.pop_front();
        }
        let withdrawn = self.recent.iter().filter(|passed| **passed).count() >= 2;
        if withdrawn {
            self.recent.clear();
        }
        withdrawn
    }
}

fn search_on(hole: Hole, search: Search) -> Phase {
    if search.next().is_some() {
        return Phase::Searching { hole, search, count: PairCount::default() };
    }
    let answered = search.answered();
    if hole.sharp {
        known(hole, answered)
    } else {
        Phase::Confirming { hole, answered, count: PairCount::default() }
    }
}

fn known(hole: Hole, answered: Bytes) -> Phase {
    Phase::Hole { hole, answered, turn: 0, doubt: Doubt::None }
}

fn searched(hole: Hole, mut search: Search, mut count: PairCount, size: Bytes, pair: Pair) -> Phase {
    let need = search.next().map_or(PROOF, |next| next.need);
    note(&mut count, pair);
    if count.large_answered > 0 {
        search.passed(size);
    } else if count.counted >= need {
        search.silent(size, count.counted);
    } else if count.sent < MOST_PAIRS {
        return Phase::Searching { hole, search, count };
    } else {
        // Nothing small passes either: not now.
        return Phase::Watching { passed: false };
    }
    search_on(hole, search)
}

fn note(count: &mut PairCount, pair: Pair) {
    let passed = pair.large == Large::Passed;
    count.sent += 1;
    count.large_answered += usize::from(passed);
    count.control_answered += usize::from(pair.control);
    count.control_lost += usize::from(!pair.control);
    count.counted += usize::from(!passed && pair.control);
}
