//! One lane of a path: does the size at which discovery stands pass this way of asking, and if it
//! does not, where exactly is the edge?
//!
//! A lane is in one of three standings, and works on at most one task at a time:
//!
//! ```text
//!   Untested ──sentinel answered──> Passing
//!      │                              │ sentinel silent
//!      └────────── Prove <────────────┘
//!                    │ 40 counted pairs
//!                    v
//!                  Hole ── Search ── Confirm (only if a control was lost during the proof)
//!                    │ answer above the edge
//!                    └── Recheck: 2 of 3 answered ──> Passing
//! ```

mod conclude;

use std::time::Duration;

use fastrand::Rng;

use super::{
    mtu_search::Search,
    probe::{Family, Lane, Moment},
    proof::{Fate, PROOF, PROVISIONAL, PairCount, Pairs, Shot},
};
use crate::types::{Bytes, ProbeSize};

/// After 200 pairs without a decision, and after size-dependent loss, so long no further burst.
const REST: Duration = Duration::from_secs(30);

/// Pairs at the largest answered size that tell a sharp edge from size-dependent loss.
const EDGE_PAIRS: usize = 20;

/// What a lane knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nothing yet.
    Untested,
    /// A packet of that size was answered.
    Passing {
        /// Bytes of IP packet.
        size: Bytes,
    },
    /// Silence at a size of the walk is proven.
    Hole(Hole),
}

/// A proven hole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hole {
    /// The size of the walk that vanishes.
    pub size: Bytes,
    /// The largest size answered.
    pub answered: Bytes,
    /// The smallest size known not to be answered.
    pub silent: Bytes,
    /// The search for the edge has ended: `silent` is `answered + 1`.
    pub exact: bool,
    /// The numbers of the proof.
    pub proof: PairCount,
    /// No control was lost during the proof, or the edge was found to be sharp.
    pub sharp: bool,
    proof_serial: u32,
}

#[derive(Debug, Clone)]
enum Task {
    Prove(Pairs),
    Search(Search, Pairs),
    Confirm(Pairs),
    Recheck(Pairs),
}

/// In which order tasks of all paths get packets of the budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Is the target reachable at all?
    Unreachable,
    /// Is there a hole?
    FirstProof,
    /// Is a hole over?
    Withdrawal,
    /// Where exactly is the edge?
    Search,
}

impl Urgency {
    /// The most urgent first.
    pub const ALL: [Self; 4] = [Self::Unreachable, Self::FirstProof, Self::Withdrawal, Self::Search];
}

/// One way of asking, for one path.
#[derive(Debug, Clone)]
pub struct LaneProber {
    family: Family,
    lane: Lane,
    top: Bytes,
    standing: Standing,
    task: Option<Task>,
    hints: Vec<Bytes>,
    serial: u32,
    turn: usize,
    rest_until: Moment,
    decided_at: Option<Moment>,
    exhausted: bool,
    size_dependent: bool,
}

impl LaneProber {
    /// A lane that is to test `top` bytes.
    #[must_use]
    pub fn new(family: Family, lane: Lane, top: Bytes) -> Self {
        Self {
            family,
            lane,
            top,
            standing: Standing::Untested,
            task: None,
            hints: Vec::new(),
            serial: 0,
            turn: 0,
            rest_until: Moment::ZERO,
            decided_at: None,
            exhausted: false,
            size_dependent: false,
        }
    }

    /// Which lane this is.
    #[must_use]
    pub fn lane(&self) -> Lane {
        self.lane
    }

    /// The size at which discovery stands.
    #[must_use]
    pub fn top(&self) -> Bytes {
        self.top
    }

    /// What is known.
    #[must_use]
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// The hole, if one may be claimed.
    #[must_use]
    pub fn hole(&self) -> Option<&Hole> {
        match &self.standing {
            Standing::Hole(hole) if hole.sharp => Some(hole),
            _ => None,
        }
    }

    /// Whether silence is proven, sharp or not yet.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        matches!(self.standing, Standing::Hole(_))
    }

    /// The size that is known to pass where there is no hole.
    #[must_use]
    pub fn passing(&self) -> Option<Bytes> {
        match self.standing {
            Standing::Passing { size } => Some(size),
            _ => None,
        }
    }

    /// When the standing was last found by a burst, or by an answered sentinel.
    #[must_use]
    pub fn decided_at(&self) -> Option<Moment> {
        self.decided_at
    }

    /// The last burst ended after 200 pairs without a decision.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.exhausted
    }

    /// The last proof found loss that grows with size, but no edge.
    #[must_use]
    pub fn is_size_dependent(&self) -> bool {
        self.size_dependent
    }

    /// Nothing is under way, and nothing forbids to begin.
    #[must_use]
    pub fn is_idle(&self, now: Moment) -> bool {
        self.task.is_none() && now >= self.rest_until
    }

    /// A burst is under way.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.task.is_some()
    }

    /// A first proof is under way.
    #[must_use]
    pub fn is_proving(&self) -> bool {
        matches!(self.task, Some(Task::Prove(_))) && !self.is_silent()
    }

    /// Sizes another lane has found, to be tried first.
    pub fn hint(&mut self, hints: Vec<Bytes>) {
        self.hints = hints;
    }

    /// Discovery now stands at `top`.
    pub fn stand_at(&mut self, top: Bytes, now: Moment) {
        if top == self.top {
            return;
        }
        self.top = top;
        self.turn = 0;
        self.task = None;
        self.rest_until = Moment::ZERO;
        if self.is_silent() {
            // The walk goes on past the hole, or begins above it: only a proof at the new place tells.
            self.prove(now);
        }
    }

    /// The path is known to be whole by other means.
    pub fn clear(&mut self) {
        self.standing = Standing::Untested;
        self.task = None;
        self.decided_at = None;
        self.rest_until = Moment::ZERO;
        self.exhausted = false;
    }

    /// Stops what is under way; the standing stays.
    pub fn stop(&mut self) {
        self.task = None;
    }

    /// The size the next sentinel tests: the top, and around a known edge in turn the largest
    /// answered, one above it, and the top.
    pub fn sentinel(&mut self) -> (Bytes, ProbeSize) {
        self.turn += 1;
        match &self.standing {
            Standing::Hole(hole) if hole.exact => match self.turn % 3 {
                0 => (hole.answered, ProbeSize::Edge),
                1 if hole.silent < self.top => (hole.silent, ProbeSize::Edge),
                _ => (self.top, ProbeSize::Full),
            },
            _ => (self.top, ProbeSize::Full),
        }
    }

    /// A sentinel of `size` was lost.
    pub fn sentinel_lost(&mut self, size: Bytes, now: Moment) {
        match &self.standing {
            Standing::Untested | Standing::Passing { .. } if size == self.top => self.prove(now),
            Standing::Hole(hole) if hole.exact && size == hole.answered && size < self.top => {
                self.prove_at(size, ProbeSize::Edge, now);
            }
            _ => {}
        }
    }

    /// Begins a proof at the top, unless something is under way or rests.
    pub fn prove(&mut self, now: Moment) {
        self.prove_at(self.top, ProbeSize::Full, now);
    }

    /// Begins to see whether `size` passes now: two answers of three.
    pub fn recheck(&mut self, size: Bytes, now: Moment) {
        if !matches!(self.task, Some(Task::Recheck(_))) {
            let pairs = self.pairs(size, ProbeSize::Full, PROVISIONAL, now);
            self.task = Some(Task::Recheck(pairs));
        }
    }

    /// Takes up a search that ended without the exact edge.
    pub fn resume(&mut self, now: Moment) {
        if let Standing::Hole(hole) = &self.standing
            && !hole.exact
            && self.is_idle(now)
        {
            let (answered, silent) = (hole.answered, hole.silent);
            self.search_below(answered, silent, &[], now);
        }
    }

    /// How urgent the task under way is.
    #[must_use]
    pub fn urgency(&self) -> Option<Urgency> {
        match &self.task {
            None => None,
            Some(Task::Prove(_)) if !self.is_silent() => Some(Urgency::FirstProof),
            Some(Task::Recheck(_)) => Some(Urgency::Withdrawal),
            Some(_) => Some(Urgency::Search),
        }
    }

    /// When the task under way may next send.
    #[must_use]
    pub fn next_at(&self) -> Option<Moment> {
        self.burst().map(Pairs::next_at)
    }

    /// What the task wants sent now.
    pub fn shots(&mut self, now: Moment, flow_is_free: impl Fn(u8) -> bool, rng: &mut Rng) -> Vec<Shot> {
        match &mut self.task {
            Some(
                Task::Prove(pairs) | Task::Search(_, pairs) | Task::Confirm(pairs) | Task::Recheck(pairs),
            ) => pairs.shots(now, flow_is_free, rng),
            None => Vec::new(),
        }
    }

    /// What became of a shot; also called again when an answer takes back a loss.
    pub fn resolve(&mut self, shot: Shot, fate: Fate, now: Moment) {
        let is_current = self.burst().is_some_and(|pairs| pairs.serial() == shot.serial);
        if is_current && let Some(pairs) = self.burst_mut() {
            pairs.resolve(shot.pair, shot.large, fate);
            self.conclude(now);
        } else if shot.large && fate == Fate::Answered {
            let breaks_proof =
                matches!(&self.standing, Standing::Hole(hole) if hole.proof_serial == shot.serial);
            if breaks_proof {
                // The proof rested on a packet that was only late.
                self.clear();
                self.prove(now);
            } else {
                self.large_passed(shot.size, now);
            }
        }
    }

    /// Something on the way signalled "too big" for a shot of the burst under way. On the walk that is
    /// an answer, and where discovery stands has been moved already; beside it, it only closes a size.
    pub fn signalled(&mut self, shot: Shot, mtu: Bytes, on_walk: bool, now: Moment) {
        if self.burst().is_none_or(|pairs| pairs.serial() != shot.serial) {
            return;
        }
        match self.task.take() {
            Some(Task::Search(mut search, _)) => {
                search.signalled(shot.size, mtu);
                self.go_on_searching(search, None, now);
            }
            Some(Task::Prove(_)) if self.is_silent() && !on_walk => {
                self.search_below(0, shot.size, &[mtu], now);
            }
            Some(Task::Recheck(_)) => {}
            task => self.task = task,
        }
    }

    /// A large packet of `size` was answered outside the burst under way (a sentinel, or late).
    pub fn large_passed(&mut self, size: Bytes, now: Moment) {
        match &mut self.standing {
            Standing::Untested if size >= self.top => self.now_passing(self.top, now),
            Standing::Untested => {}
            Standing::Passing { size: known } => {
                let known = *known;
                if size > known && size > self.top {
                    self.recheck(size, now);
                } else if size == self.top {
                    self.now_passing(size, now);
                }
            }
            Standing::Hole(hole) => {
                if let Some(Task::Search(search, _)) = &mut self.task
                    && size < hole.size
                {
                    search.passed(size);
                    hole.answered = search.answered();
                    hole.silent = search.edge();
                } else if size >= hole.silent {
                    if size < hole.size {
                        hole.answered = size;
                        hole.silent = hole.size;
                        hole.exact = false;
                    }
                    self.recheck(self.top, now);
                }
            }
        }
    }

    fn prove_at(&mut self, size: Bytes, purpose: ProbeSize, now: Moment) {
        if self.is_idle(now) {
            let pairs = self.pairs(size, purpose, PROOF, now);
            self.task = Some(Task::Prove(pairs));
        }
    }

    fn pairs(&mut self, size: Bytes, purpose: ProbeSize, need: usize, now: Moment) -> Pairs {
        self.serial += 1;
        Pairs::new(self.serial, self.lane, size, purpose, need, now)
    }

    fn burst(&self) -> Option<&Pairs> {
        match &self.task {
            Some(
                Task::Prove(pairs) | Task::Search(_, pairs) | Task::Confirm(pairs) | Task::Recheck(pairs),
            ) => Some(pairs),
            None => None,
        }
    }

    fn burst_mut(&mut self) -> Option<&mut Pairs> {
        match &mut self.task {
            Some(
                Task::Prove(pairs) | Task::Search(_, pairs) | Task::Confirm(pairs) | Task::Recheck(pairs),
            ) => Some(pairs),
            None => None,
        }
    }

    fn now_passing(&mut self, size: Bytes, now: Moment) {
        self.standing = Standing::Passing { size };
        self.decided_at = Some(now);
        self.exhausted = false;
        self.size_dependent = false;
    }
}
