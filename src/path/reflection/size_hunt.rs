//! Which size to test next in one direction by a reflector's pairs, and what they have come to.
//!
//! The same rules as for every other probe method: forty counted pairs prove silence and nothing cheaper
//! does, eight close a size of the search, only a sharp edge ([`edge`]) makes a hole of silence, two large
//! arrivals among the last three withdraw the hole.

#[cfg(test)]
mod tests;

use std::{collections::VecDeque, time::Duration};

use crate::{
    model::{family::Family, types::Bytes},
    path::{
        hole::{
            edge::{self, Finding},
            mtu_search::{Search, Try},
            proof::{PROOF, PROVISIONAL, PairCount},
        },
        reflection::{Large, Pair, Sizes},
    },
};

/// Pairs after which a burst ends without a decision, and the pause then.
const MOST_PAIRS: usize = 200;
const PAUSE: Duration = Duration::from_secs(30);
/// Between two pairs on a healthy path, and where a hole is known: that one's end should not wait.
const WATCH: Duration = Duration::from_secs(5);
const WATCH_HOLE: Duration = Duration::from_secs(1);
/// The smallest size asked for, bytes of IP packet: the control is nearly as large.
const SMALLEST: Bytes = 128;

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
    /// A size not far below was found to arrive as its controls do. Nothing is claimed before.
    sharp: bool,
    /// The answered size at which that was last asked.
    confirmed_at: Bytes,
}

#[derive(Debug, Clone)]
enum Phase {
    /// Nothing is in doubt; whether a pair has passed yet.
    Watching { passed: bool },
    /// The top is silent so far.
    Proving(PairCount),
    /// Silence is proven, its edge is looked for.
    Searching { hole: Hole, search: Search, attempt: Try, count: PairCount },
    /// Is the edge sharp? The search goes on afterwards, unless it has ended.
    Confirming { hole: Hole, search: Option<Search>, answered: Bytes, count: PairCount },
    /// Everything is known.
    Hole { hole: Hole, answered: Bytes, turn: u32, doubt: Doubt },
    /// Large ones are lost more often, without an edge.
    SizeDependent { turn: u32 },
    /// Many pairs of that size without a decision.
    Exhausted { size: Bytes, count: PairCount },
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
            Phase::Searching { attempt, .. } => at_once(attempt.size),
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
            Phase::Exhausted { .. } => Next { size: self.top, wait: PAUSE },
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
            Phase::Watching { .. } | Phase::Exhausted { .. } | Phase::Proving(_) if passed => {
                Phase::Watching { passed: true }
            }
            Phase::Watching { .. } | Phase::Exhausted { .. } => {
                let mut count = PairCount::default();
                note(&mut count, pair);
                Phase::Proving(count)
            }
            Phase::Proving(count) => self.proven(count, pair),
            Phase::Searching { hole, search, attempt, count } => searched(hole, search, attempt, count, pair),
            Phase::Confirming { hole, search, answered, count } => {
                confirmed(hole, search, answered, count, pair)
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

    fn proven(&mut self, mut count: PairCount, pair: Pair) -> Phase {
        note(&mut count, pair);
        if count.counted >= PROOF {
            self.recent.clear();
            let hole = Hole { size: self.top, proof: count, sharp: false, confirmed_at: 0 };
            search_on(hole, search(self.family, 0, self.top), None)
        } else if count.sent >= MOST_PAIRS {
            Phase::Exhausted { size: self.top, count }
        } else {
            Phase::Proving(count)
        }
    }

    /// A large segment of `size` bytes, told as lost, has arrived later: no hole swallowed it.
    pub fn late(&mut self, size: Bytes) {
        let (top, family) = (self.top, self.family);
        self.phase = match std::mem::replace(&mut self.phase, Phase::Watching { passed: true }) {
            Phase::Proving(_) | Phase::Searching { .. } | Phase::Confirming { .. } if size == top => {
                Phase::Watching { passed: true }
            }
            Phase::Searching { hole, mut search, .. } => {
                search.passed(size);
                search_on(hole, search, None)
            }
            Phase::Confirming { hole, search, answered, mut count } if size == answered => {
                count.large_answered += 1;
                Phase::Confirming { hole, search, answered, count }
            }
            Phase::Confirming { hole, search: former, answered, .. } if size > answered => {
                let mut again = former.unwrap_or_else(|| search(family, answered, top));
                again.passed(size);
                search_on(hole, again, None)
            }
            Phase::Hole { hole, answered, turn, .. } if size > answered && size < top => {
                Phase::Hole { hole, answered, turn, doubt: Doubt::Above { arrived: size, top_lost: 0 } }
            }
            Phase::Hole { hole, answered, turn, doubt } if size == top => {
                self.watched(hole, answered, turn.wrapping_add(1), doubt, size, ARRIVED)
            }
            other => other,
        };
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
                silent(hole, if answered > SMALLEST { answered } else { 0 }, false)
            }
            Phase::Confirming { hole, answered, .. } => silent(hole, *answered, false),
            Phase::Hole { hole, answered, .. } => silent(hole, *answered, *answered > 0),
            Phase::SizeDependent { .. } => Sizes::SizeDependent,
            Phase::Exhausted { size, count } => Sizes::NotUsable {
                why: format!(
                    "{} pairs at {size} bytes without a decision: {}",
                    count.sent,
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
        let again = |from| search_on(hole, search(family, from, top), None);
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

fn search(family: Family, answered: Bytes, silent: Bytes) -> Search {
    Search::new(family, answered.max(SMALLEST), silent, &[])
}

/// What comes next; `last` are pairs of the size asked for last, which go on counting for it.
fn search_on(hole: Hole, search: Search, last: Option<(Bytes, PairCount)>) -> Phase {
    let (answered, silent) = (search.answered(), search.edge());
    let confirm = |search| Phase::Confirming {
        hole: Hole { confirmed_at: answered, ..hole },
        search,
        answered,
        count: PairCount::default(),
    };
    let Some(next) = search.next() else {
        return if hole.sharp { known(hole, answered) } else { confirm(None) };
    };
    let near = edge::is_near(answered, silent) && answered > hole.confirmed_at;
    let attempt = if hole.sharp || !near {
        next
    } else if search.closed_by() < edge::SILENT {
        Try { size: silent, need: edge::SILENT }
    } else {
        return confirm(Some(search));
    };
    let count = last.filter(|(size, _)| *size == attempt.size).map(|(_, count)| count).unwrap_or_default();
    Phase::Searching { hole, search, attempt, count }
}

fn known(hole: Hole, answered: Bytes) -> Phase {
    Phase::Hole { hole, answered, turn: 0, doubt: Doubt::None }
}

fn searched(hole: Hole, mut search: Search, attempt: Try, mut count: PairCount, pair: Pair) -> Phase {
    note(&mut count, pair);
    if count.large_answered > 0 {
        search.passed(attempt.size);
    } else if count.counted >= attempt.need {
        search.silent(attempt.size, count.counted);
        return search_on(hole, search, Some((attempt.size, count)));
    } else if count.sent < MOST_PAIRS {
        return Phase::Searching { hole, search, attempt, count };
    } else {
        // Nothing small passes either: not now.
        return Phase::Watching { passed: false };
    }
    search_on(hole, search, None)
}

fn confirmed(hole: Hole, search: Option<Search>, answered: Bytes, mut count: PairCount, pair: Pair) -> Phase {
    note(&mut count, pair);
    if count.control_answered < edge::CONTROLS && count.sent < edge::PAIRS {
        return Phase::Confirming { hole, search, answered, count };
    }
    let finding = edge::judge(count, search.is_none());
    let hole = Hole { sharp: finding == Finding::Sharp, ..hole };
    match (finding, search) {
        (Finding::TooFew, _) => Phase::Exhausted { size: answered, count },
        (Finding::NoEdge, _) => Phase::SizeDependent { turn: 0 },
        (Finding::Unsure | Finding::Sharp, Some(search)) => search_on(hole, search, None),
        (Finding::Unsure | Finding::Sharp, None) => known(hole, answered),
    }
}

fn note(count: &mut PairCount, pair: Pair) {
    let passed = pair.large == Large::Passed;
    count.sent += 1;
    count.large_answered += usize::from(passed);
    count.control_answered += usize::from(pair.control);
    count.control_lost += usize::from(!pair.control);
    count.counted += usize::from(!passed && pair.control);
}
