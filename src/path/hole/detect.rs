//! The interface of a detector to the prober of its path: one detector, or those of all TCP flows together.

use fastrand::Rng;

use super::proof::Shot;
use crate::{
    model::types::Bytes,
    path::{pairs::Fate, probe::Moment},
};

/// In which order tasks of all paths get packets of the budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Is the target reachable at all?
    Unreachable,
    /// Is there a hole? Silence and its edge, by the probe method that is nearest to an answer.
    FirstProof,
    /// Is a hole over?
    Withdrawal,
    /// Which way does it lead? What the other probe methods have to prove where one has told, or is about to.
    Direction,
    /// Where exactly is the edge?
    Search,
    /// Is an unreachable target back of which nothing was heard?
    Look,
}

impl Urgency {
    /// The most urgent first.
    pub const ALL: [Self; 6] =
        [Self::Unreachable, Self::FirstProof, Self::Withdrawal, Self::Direction, Self::Search, Self::Look];
}

/// Detects whether sizes pass: takes in what came back, and says what to send.
pub trait Detect {
    /// The size at which discovery stands.
    fn top(&self) -> Bytes;

    /// The size that is known to pass where there is no hole.
    fn passing(&self) -> Option<Bytes>;

    /// Whether silence is proven, sharp or not yet.
    fn is_silent(&self) -> bool;

    /// Whether a task of that urgency is under way.
    fn wants(&self, urgency: Urgency) -> bool;

    /// When a task under way may next send.
    fn next_at(&self) -> Option<Moment>;

    /// What a task of that urgency wants sent now.
    fn shots(
        &mut self,
        urgency: Urgency,
        now: Moment,
        is_free: &dyn Fn(u8) -> bool,
        rng: &mut Rng,
    ) -> Vec<Shot>;

    /// What became of a shot; also called again when an answer takes back a loss.
    fn resolve(&mut self, shot: Shot, fate: Fate, now: Moment);

    /// Something on the way signalled "too big" for a shot of the burst under way. On the walk that is
    /// an answer, and where discovery stands has been moved already; beside it, it only closes a size.
    fn signalled(&mut self, shot: Shot, mtu: Bytes, on_walk: bool, now: Moment);

    /// A sentinel was answered "too big" for a size beside the walk: it does not pass, `mtu` may.
    fn refused(&mut self, flow: u8, size: Bytes, mtu: Bytes, now: Moment);

    /// A sentinel of `size` was lost.
    fn sentinel_lost(&mut self, flow: u8, size: Bytes, now: Moment);

    /// A large packet of `size` was answered outside the burst under way (a sentinel, or late).
    fn large_passed(&mut self, flow: u8, size: Bytes, now: Moment);

    /// Stops what is under way; what is known stays.
    fn stop(&mut self);

    /// Takes up a search that ended without the exact edge.
    fn resume(&mut self, now: Moment);
}
