//! The interface of detectors to the prober of their path: a single one, or those of all TCP flows
//! together.

use fastrand::Rng;

use super::proof::Shot;
use crate::{
    model::types::Bytes,
    path::{pairs::Fate, probe::Moment},
};

/// The order in which bursts of all paths are served from the packet budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// To decide whether the target is reachable.
    Unreachable,
    /// To decide whether there is a hole (silence, then its edge), by the probe method closest to a
    /// decision.
    FirstProof,
    /// To decide whether a hole is over.
    Withdrawal,
    /// To find the direction of a hole: proofs by the other probe methods.
    Direction,
    /// To find the exact edge.
    Search,
    /// To see whether an unreachable target is back.
    Look,
}

impl Urgency {
    /// Most urgent first.
    pub const ALL: [Self; 6] =
        [Self::Unreachable, Self::FirstProof, Self::Withdrawal, Self::Direction, Self::Search, Self::Look];
}

/// Detects which sizes pass: takes in what became of packets, and names the ones to send.
pub(crate) trait Detect {
    /// The size that path MTU discovery has arrived at, bytes of IP packet.
    fn top(&self) -> Bytes;

    /// The size that is known to pass; none where there is a hole.
    fn passing(&self) -> Option<Bytes>;

    /// Whether silence is proven, with a sharp edge or without one yet.
    fn is_silent(&self) -> bool;

    /// Whether a burst of that urgency is under way.
    fn wants(&self, urgency: Urgency) -> bool;

    /// When the burst under way may next send.
    fn next_at(&self) -> Option<Moment>;

    /// The packets that a burst of that urgency sends now.
    fn shots(
        &mut self,
        urgency: Urgency,
        now: Moment,
        is_free: &dyn Fn(u8) -> bool,
        rng: &mut Rng,
    ) -> Vec<Shot>;

    /// Records the fate of a shot; called again when a late answer takes back a loss.
    fn resolve(&mut self, shot: Shot, fate: Fate, now: Moment);

    /// A shot of the burst under way was answered by Packet Too Big. At the size that discovery
    /// tests (`on_walk`), discovery has moved to `mtu` already; at any other size it only excludes
    /// that size.
    fn signalled(&mut self, shot: Shot, mtu: Bytes, on_walk: bool, now: Moment);

    /// A sentinel below the size that discovery tests was answered by Packet Too Big: `size` does
    /// not pass, `mtu` may.
    fn refused(&mut self, flow: u8, size: Bytes, mtu: Bytes, now: Moment);

    /// A sentinel of `size` was lost.
    fn sentinel_lost(&mut self, flow: u8, size: Bytes, now: Moment);

    /// A large packet of `size` outside the burst under way was answered: a sentinel, or a late
    /// one.
    fn large_passed(&mut self, flow: u8, size: Bytes, now: Moment);

    /// Ends the burst under way and keeps the findings.
    fn stop(&mut self);

    /// Resumes a search that ended without an exact edge.
    fn resume(&mut self, now: Moment);
}
