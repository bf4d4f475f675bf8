//! Detects holes by one probe method: whether the size that path MTU discovery has arrived at
//! passes, and if not, the exact edge below it.
//!
//! Every probe method uses this detector: DF echoes and echoes in fragments have one each, TCP
//! flows one for each group ([`super::flows`]), a reflector one for each direction
//! ([`crate::path::reflection::size_hunt`]). `Rules` holds their differences.
//!
//! A detector has one of three standings and works on at most one task at a time:
//!
//! ```text
//!   Untested ──sentinel answered──> Passing
//!      │                              │ sentinel silent
//!      └────────── Prove <────────────┘
//!                    │ 40 counted pairs (and 5 single ones, if other paths receive Packet Too Big)
//!                    v
//!                  Hole ── Search and Confirm: claimed once its edge is sharp
//!                    │ answer above the edge
//!                    └── Recheck: 2 of 3 answered ──> Passing
//! ```

mod begin;
mod conclude;
mod detect;
mod of_flows;
mod rules;

pub(crate) use rules::Rules;

use super::{detect::Detect, mtu_search::Search, proof::SizePairs};
use crate::{
    model::{family::Family, types::Bytes},
    path::{hole::flow_set::FlowSet, pairs::PairCount, probe::Moment},
};

/// Full-size packets answered in a row that end size-dependent loss.
const WHOLE: u32 = 30;

/// What a detector has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing yet.
    Untested,
    /// A packet of that size was answered.
    Passing {
        /// Bytes of IP packet.
        size: Bytes,
    },
    /// Silence at the size that path MTU discovery had arrived at is proven.
    Hole(Hole),
}

/// A proven hole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hole {
    /// The size that was proven silent, bytes of IP packet.
    pub size: Bytes,
    /// The largest size answered.
    pub answered: Bytes,
    /// The smallest size known not to be answered.
    pub silent: Bytes,
    /// The search for the edge has ended: `silent` is `answered + 1`.
    pub exact: bool,
    /// The numbers of the proof.
    pub proof: PairCount,
    /// A size not far below was answered as often as its controls, so this is an edge and not loss
    /// that grows with size ([`super::edge`]). Only then a hole may be claimed.
    pub sharp: bool,
    confirmed_at: Bytes,
    last_edge: Option<Bytes>,
    /// Replies came back fragmented during the search, so the edge is that of the reverse
    /// direction, whatever passes forward.
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
pub(crate) struct Detector {
    family: Family,
    rules: Rules,
    /// The TCP flows it probes, and its id among the detectors of TCP flows.
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
    /// Size and counts of the last burst, if it ended without a decision.
    exhausted: Option<(Bytes, PairCount)>,
    unusable: bool,
    /// Full-size packets answered in a row, while loss is known to grow with size without an edge.
    whole_in_a_row: Option<u32>,
    /// Flows that a search has found to have a smaller edge than the others.
    torn: Option<FlowSet>,
    /// The edge at which its flows were last compared.
    compared_at: Option<Bytes>,
}

impl Detector {
    /// A detector that tests `top` bytes.
    #[must_use]
    pub(crate) fn new(family: Family, rules: Rules, top: Bytes) -> Self {
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

    /// What it has found.
    #[must_use]
    pub(crate) fn standing(&self) -> &Standing {
        &self.standing
    }

    /// The hole, if one may be claimed.
    #[must_use]
    pub(crate) fn hole(&self) -> Option<&Hole> {
        match &self.standing {
            Standing::Hole(hole) if hole.sharp => Some(hole),
            _ => None,
        }
    }

    /// The edge of a hole, once it is exact.
    #[must_use]
    pub(crate) fn edge(&self) -> Option<Bytes> {
        match &self.standing {
            Standing::Hole(hole) if hole.exact => Some(hole.answered),
            _ => None,
        }
    }

    /// The edge of its hole when it was last exact.
    #[must_use]
    pub(crate) fn last_edge(&self) -> Option<Bytes> {
        match &self.standing {
            Standing::Hole(hole) => hole.last_edge,
            _ => None,
        }
    }

    /// The smallest size known not to pass, where there is a hole.
    #[must_use]
    pub(crate) fn silent_from(&self) -> Option<Bytes> {
        match &self.standing {
            Standing::Hole(hole) => Some(hole.silent),
            _ => None,
        }
    }

    /// Whether an answer of `size` bytes means that the hole may be over, and is not just a step of
    /// the search for its edge.
    #[must_use]
    pub(crate) fn is_over(&self, size: Bytes) -> bool {
        let Standing::Hole(hole) = &self.standing else { return false };
        let searching = matches!(self.aim(), Some(Aim::Search(_) | Aim::Confirm(Some(_))));
        size >= if searching { hole.size } else { hole.silent }
    }

    /// When a burst or an answered sentinel last confirmed the standing.
    #[must_use]
    pub(crate) fn decided_at(&self) -> Option<Moment> {
        self.decided_at
    }

    /// The last burst ended without a decision.
    #[must_use]
    pub(crate) fn is_exhausted(&self) -> bool {
        self.exhausted.is_some()
    }

    /// Size and counts of the last burst, if it ended without a decision.
    #[must_use]
    pub(crate) fn exhausted(&self) -> Option<(Bytes, PairCount)> {
        self.exhausted
    }

    /// When the next burst may begin.
    #[must_use]
    pub(crate) fn rests_until(&self) -> Moment {
        self.rest_until
    }

    /// The last burst had no answered control, although the target answers other probes.
    #[must_use]
    pub(crate) fn is_unusable(&self) -> bool {
        self.unusable
    }

    /// The last proof found loss that grows with size, but no edge.
    #[must_use]
    pub(crate) fn is_size_dependent(&self) -> bool {
        self.whole_in_a_row.is_some()
    }

    /// Whether no burst is under way and none is resting.
    #[must_use]
    pub(crate) fn is_idle(&self, now: Moment) -> bool {
        self.task.is_none() && now >= self.rest_until
    }

    /// A burst is under way.
    #[must_use]
    pub(crate) fn is_busy(&self) -> bool {
        self.task.is_some()
    }

    /// A first proof is under way.
    #[must_use]
    pub(crate) fn is_proving(&self) -> bool {
        matches!(self.aim(), Some(Aim::Prove | Aim::Assure(_))) && !self.is_silent()
    }

    /// Holds back the search for the edge. The Packet Too Big it provokes may change the path MTU
    /// that an IPv6 target assumes, before another probe method has tested a target that assumes
    /// none.
    pub(crate) fn hold(&mut self, held: bool) {
        self.held = held;
    }

    /// Its flows have moved to new ports: discards the burst under way and what was found unusable.
    pub(crate) fn stop_for_new_flow(&mut self) {
        self.task = None;
        self.rest_until = Moment::ZERO;
        self.exhausted = None;
        self.unusable = false;
    }

    /// Whether its search is held back.
    #[must_use]
    pub(crate) fn is_held(&self) -> bool {
        self.held && self.is_silent()
    }

    /// Replies come back fragmented.
    pub(crate) fn came_in_pieces(&mut self) {
        if let Standing::Hole(hole) = &mut self.standing {
            hole.in_pieces = true;
        }
    }

    /// A size above the edge was answered: searches the edge above it.
    pub(crate) fn move_edge(&mut self, answered: Bytes, now: Moment) {
        if let Standing::Hole(hole) = &mut self.standing {
            let size = hole.size;
            hole.exact = false;
            self.search_below(answered, size, &[], now);
        }
    }

    /// Rechecks its hole, if it has one.
    pub(crate) fn recheck_hole(&mut self, now: Moment) {
        if let Standing::Hole(hole) = &self.standing {
            self.recheck(hole.size, now);
        }
    }

    /// Packet Too Big is received on other paths: until `until`, a first proof takes longer.
    pub(crate) fn be_cautious(&mut self, until: Moment) {
        self.cautious_until = until;
    }

    /// Sizes that another probe method has found, to be tried first.
    pub(crate) fn hint(&mut self, hints: Vec<Bytes>) {
        self.hints = hints;
    }

    /// Path MTU discovery has arrived at `top`.
    pub(crate) fn stand_at(&mut self, top: Bytes, now: Moment) {
        if top == self.top {
            return;
        }
        self.top = top;
        self.turn = 0;
        self.task = None;
        self.rest_until = Moment::ZERO;
        match &self.standing {
            // The silent size is signalled now, so discovery went on below it.
            Standing::Hole(hole) if hole.size > top => {
                self.standing = Standing::Untested;
                self.prove(now);
            }
            // Discovery is above the hole: only a proof at the new size tells.
            Standing::Hole(_) => self.prove(now),
            // It passed before the signal, which says nothing about now.
            Standing::Passing { size } if *size > top => self.standing = Standing::Untested,
            Standing::Passing { .. } | Standing::Untested => {}
        }
    }

    /// Another probe method has shown that full-size packets pass.
    pub(crate) fn clear(&mut self) {
        self.standing = Standing::Untested;
        self.task = None;
        self.decided_at = None;
        self.rest_until = Moment::ZERO;
        self.exhausted = None;
        self.unusable = false;
    }

    /// The target has answered some probe method.
    pub(crate) fn heard(&mut self) {
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
