//! The detector of holes by one probe method: does the size at which path MTU discovery stands pass, and if it does
//! not, where exactly is the edge?
//!
//! All probe methods have this detector: ICMP echoes and echoes in fragments one each, TCP flows one for each group
//! that is alike ([`super::flows`]), and a reflector one in each direction ([`crate::path::reflection::size_hunt`]).
//! How they differ stands in [`Rules`].
//!
//! A detector has one of three standings, and works on at most one task at a time:
//!
//! ```text
//!   Untested ──sentinel answered──> Passing
//!      │                              │ sentinel silent
//!      └────────── Prove <────────────┘
//!                    │ 40 counted pairs (and five singles, where other paths hear signals)
//!                    v
//!                  Hole ── Search and Confirm: claimed once its edge is sharp
//!                    │ answer above the edge
//!                    └── Recheck: 2 of 3 answered ──> Passing
//! ```

mod begin;
mod conclude;
mod detect;
mod of_flows;

use super::{
    detect::Detect,
    mtu_search::Search,
    proof::{Halves, SizePairs},
};
use crate::{
    model::{family::Family, types::Bytes},
    path::{hole::flow_set::FlowSet, pairs::PairCount, probe::Moment},
};

/// So many full-size packets answered in a row end size-dependent loss.
const WHOLE: u32 = 30;

/// What a detector knows.
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
    /// A size not far below was found to be answered like a control: an edge, no loss that grows with
    /// size (simulated: under a byte policer forty pairs come together without one lost control).
    pub sharp: bool,
    confirmed_at: Bytes,
    last_edge: Option<Bytes>,
    /// Replies came in pieces during the search: the edge tells of the way back, whatever the way there.
    pub in_pieces: bool,
    proof_serial: u32,
}

/// What a burst has proven.
#[derive(Debug, Clone, Copy)]
struct Proof {
    serial: u32,
    size: Bytes,
    count: PairCount,
}

/// In what a probe method differs from others.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// How the halves of a pair are sent.
    pub halves: Halves,
    /// The smallest size asked for, bytes of IP packet.
    pub smallest: Bytes,
    /// The target may answer others and never this probe method: a proof of which no control is answered
    /// is given up early.
    pub may_be_unanswered: bool,
}

impl Rules {
    /// ICMP echoes.
    #[must_use]
    pub const fn echo(family: Family) -> Self {
        Self { halves: Halves::Together, smallest: family.small(), may_be_unanswered: false }
    }

    /// SYNs on TCP flows.
    #[must_use]
    pub const fn syn(family: Family) -> Self {
        Self { halves: Halves::InTurn, may_be_unanswered: true, ..Self::echo(family) }
    }

    /// Echo requests in fragments.
    #[must_use]
    pub const fn fragments(family: Family) -> Self {
        Self { may_be_unanswered: true, ..Self::echo(family) }
    }
}

/// What a burst is for.
#[derive(Debug, Clone)]
enum Aim {
    Prove,
    Assure(Proof),
    Search(Search),
    Confirm(Option<Search>),
    Recheck,
}

/// A burst under way.
#[derive(Debug, Clone)]
struct Task {
    aim: Aim,
    pairs: SizePairs,
}

/// Detects holes by one probe method.
#[derive(Debug, Clone)]
pub struct Detector {
    family: Family,
    rules: Rules,
    /// The TCP flows it is about, and its name among the detectors of others.
    flows: FlowSet,
    id: u32,
    top: Bytes,
    standing: Standing,
    task: Option<Task>,
    hints: Vec<Bytes>,
    serial: u32,
    turn: usize,
    rest_until: Moment,
    held: bool,
    cautious_until: Moment,
    decided_at: Option<Moment>,
    /// The size and the numbers of the last burst, if it ended without a decision.
    exhausted: Option<(Bytes, PairCount)>,
    unusable: bool,
    /// Set while loss grows with size without an edge: full-size packets answered in a row since.
    whole_in_a_row: Option<u32>,
    /// Flows whose edge is smaller than that of the others, as a search has found.
    torn: Option<FlowSet>,
    /// The edge at which its flows were last compared.
    compared_at: Option<Bytes>,
}

impl Detector {
    /// A detector that is to test `top` bytes.
    #[must_use]
    pub fn new(family: Family, rules: Rules, top: Bytes) -> Self {
        Self {
            family,
            rules,
            flows: FlowSet::ALL,
            id: 0,
            top,
            standing: Standing::Untested,
            task: None,
            hints: Vec::new(),
            serial: 0,
            turn: 0,
            rest_until: Moment::ZERO,
            held: false,
            cautious_until: Moment::ZERO,
            decided_at: None,
            exhausted: None,
            unusable: false,
            whole_in_a_row: None,
            torn: None,
            compared_at: None,
        }
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

    /// The edge of a hole, once it is exact.
    #[must_use]
    pub fn edge(&self) -> Option<Bytes> {
        match &self.standing {
            Standing::Hole(hole) if hole.exact => Some(hole.answered),
            _ => None,
        }
    }

    /// The edge of its hole when it was last exact.
    #[must_use]
    pub fn last_edge(&self) -> Option<Bytes> {
        match &self.standing {
            Standing::Hole(hole) => hole.last_edge,
            _ => None,
        }
    }

    /// The smallest size known not to pass, where there is a hole.
    #[must_use]
    pub fn silent_from(&self) -> Option<Bytes> {
        match &self.standing {
            Standing::Hole(hole) => Some(hole.silent),
            _ => None,
        }
    }

    /// Whether an answer of `size` bytes means that the hole may be over, and is not just a step of the
    /// search for its edge.
    #[must_use]
    pub fn is_over(&self, size: Bytes) -> bool {
        let Standing::Hole(hole) = &self.standing else { return false };
        let searching = matches!(self.aim(), Some(Aim::Search(_) | Aim::Confirm(Some(_))));
        size >= if searching { hole.size } else { hole.silent }
    }

    /// When the standing was last found by a burst, or by an answered sentinel.
    #[must_use]
    pub fn decided_at(&self) -> Option<Moment> {
        self.decided_at
    }

    /// The last burst ended without a decision.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.exhausted.is_some()
    }

    /// The size and the numbers of the last burst, if it ended without a decision.
    #[must_use]
    pub fn exhausted(&self) -> Option<(Bytes, PairCount)> {
        self.exhausted
    }

    /// Until when nothing new is begun.
    #[must_use]
    pub fn rests_until(&self) -> Moment {
        self.rest_until
    }

    /// In the last burst no control was answered, although the target is there.
    #[must_use]
    pub fn is_unusable(&self) -> bool {
        self.unusable
    }

    /// The last proof found loss that grows with size, but no edge.
    #[must_use]
    pub fn is_size_dependent(&self) -> bool {
        self.whole_in_a_row.is_some()
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
        matches!(self.aim(), Some(Aim::Prove | Aim::Assure(_))) && !self.is_silent()
    }

    /// No search for the edge while held: its replies may teach an IPv6 target another path MTU, before
    /// another probe method has shown what a target does that knows nothing.
    pub fn hold(&mut self, held: bool) {
        self.held = held;
    }

    /// Packets go by another flow from now on: what did not pass, or could not be told, on the former one may do so now.
    pub fn stop_for_new_flow(&mut self) {
        self.task = None;
        self.rest_until = Moment::ZERO;
        self.exhausted = None;
        self.unusable = false;
    }

    /// Its search waits.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.held && self.is_silent()
    }

    /// Replies come in pieces.
    pub fn came_in_pieces(&mut self) {
        if let Standing::Hole(hole) = &mut self.standing {
            hole.in_pieces = true;
        }
    }

    /// A size above the edge of its hole was answered: the edge has moved up, and is searched anew.
    pub fn move_edge(&mut self, answered: Bytes, now: Moment) {
        if let Standing::Hole(hole) = &mut self.standing {
            let size = hole.size;
            hole.exact = false;
            self.search_below(answered, size, &[], now);
        }
    }

    /// Begins to see whether its hole, if it has one, is over.
    pub fn recheck_hole(&mut self, now: Moment) {
        if let Standing::Hole(hole) = &self.standing {
            self.recheck(hole.size, now);
        }
    }

    /// Signals are heard on other paths: until then a first proof takes longer.
    pub fn be_cautious(&mut self, until: Moment) {
        self.cautious_until = until;
    }

    /// Sizes another probe method has found, to be tried first.
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
        match &self.standing {
            // The size that was silent is signalled now: discovery goes on.
            Standing::Hole(hole) if hole.size > top => {
                self.standing = Standing::Untested;
                self.prove(now);
            }
            // The walk goes on past the hole, or begins above it: only a proof at the new place tells.
            Standing::Hole(_) => self.prove(now),
            // What passed before a signal says nothing of now.
            Standing::Passing { size } if *size > top => self.standing = Standing::Untested,
            Standing::Passing { .. } | Standing::Untested => {}
        }
    }

    /// The path is known to be whole by other means.
    pub fn clear(&mut self) {
        self.standing = Standing::Untested;
        self.task = None;
        self.decided_at = None;
        self.rest_until = Moment::ZERO;
        self.exhausted = None;
        self.unusable = false;
    }

    /// The target has answered something, be it asked in another way.
    pub fn heard(&mut self) {
        if let Some(task) = &mut self.task {
            task.pairs.heard();
        }
    }

    /// A full-size packet outside a burst was answered, or lost.
    fn count_whole(&mut self, answered: bool) {
        if let Some(row) = &mut self.whole_in_a_row {
            *row = if answered { *row + 1 } else { 0 };
            if *row >= WHOLE {
                self.whole_in_a_row = None;
            }
        }
    }

    fn now_passing(&mut self, size: Bytes, now: Moment) {
        self.standing = Standing::Passing { size };
        self.decided_at = Some(now);
        self.exhausted = None;
        self.unusable = false;
    }
}
