//! Which probe method is used next: while DF echoes are in doubt, padded SYNs and fragmented echoes
//! find the direction of the hole.

use super::PathProber;
use crate::{
    model::types::Bytes,
    path::{
        hole::detect::Detect,
        probe::{Moment, ProbeMethod},
        verdict::{facts::MethodFacts, holes::pieces_pass},
    },
};

/// What is remembered of a doubt about DF echoes, and of holes that ended.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Doubt {
    /// Since when DF echoes are in doubt. Earlier findings of the other probe methods do not count.
    pub since: Option<Moment>,
    /// When a hole of fragmented echoes last ended.
    pub reverse_ended_at: Option<Moment>,
    reverse_was_silent: bool,
    /// Whether DF echoes had a hole during the present doubt.
    echo_was_silent: bool,
    /// Whether sentinels on all TCP flows were requested during the present doubt.
    looked_around: bool,
}

impl PathProber {
    /// Starts the other probe methods while DF echoes are in doubt, and clears their findings when
    /// the doubt ends.
    pub(super) fn steer(&mut self, now: Moment) {
        if self.reach.is_down() || self.reach.is_suspicious() {
            return;
        }
        if self.echo.is_silent() || self.echo.is_proving() {
            self.ask_the_others(now);
        } else {
            self.end_doubt(now);
        }
        self.hold_for_fragments();
        for method in ProbeMethod::ALL {
            self.detector_mut(method).resume(now);
        }
        if self.has_silence() {
            // Caution applies to the first proof only. What follows finds direction and edge.
            self.be_cautious(Moment::ZERO);
        }
        let silent = self.fragments.is_silent();
        let was_silent = std::mem::replace(&mut self.doubt.reverse_was_silent, silent);
        if was_silent && !silent && self.echo.is_silent() {
            self.doubt.reverse_ended_at = Some(now);
        }
        if self.echo.is_silent() && self.echo.is_idle(now) && !self.facts().echo_is_fresh() {
            self.echo.recheck(self.echo.top(), now);
        }
        let facts = self.facts();
        self.memory.note(&facts);
    }

    /// DF echoes pass: findings of the other probe methods during the doubt no longer count.
    fn end_doubt(&mut self, now: Moment) {
        self.doubt.looked_around = false;
        if self.doubt.since.take().is_none() {
            return;
        }
        let ceiling = self.ceiling();
        let whole = self.echo.passing() == Some(ceiling)
            && self.largest_fragment.is_none_or(|largest| largest >= ceiling);
        if whole && self.reverse_ceiling() <= ceiling {
            // An unfragmented reply at full size has passed in both directions.
            self.fragments.clear();
        }
        let hole_ended = std::mem::take(&mut self.doubt.echo_was_silent);
        if hole_ended && self.echo.passing().is_some() && self.syn.is_silent() {
            self.syn.recheck(now);
        }
    }

    /// DF echoes are in doubt: SYNs test the forward direction, then fragmented echoes the reverse
    /// direction.
    fn ask_the_others(&mut self, now: Moment) {
        self.doubt.echo_was_silent |= self.echo.is_silent();
        let since = *self.doubt.since.get_or_insert(now);
        let after = |at: Option<Moment>| at.is_some_and(|at| at >= since);
        let syn_fresh = after(self.syn.decided_at()) || self.syn.is_silent();
        if self.asks_by_syn() && !syn_fresh && self.syn.is_idle(now) {
            self.syn.hint(&self.edge_of_echo());
            self.syn.prove(now);
        }
        let forward_passes = self.syn.passing().is_some() && after(self.syn.decided_at());
        if self.echo.is_silent() && forward_passes && !self.doubt.looked_around {
            // Some TCP flows pass, but those on the same underlay leg as ICMP may not.
            self.doubt.looked_around = true;
            self.syn.hint(&self.edge_of_echo());
            self.syn.look_around();
        }
        let wanted = self.echo.is_silent() || forward_passes;
        let fragments_fresh = after(self.fragments.decided_at()) || self.fragments.is_silent();
        let pieces = self.pieces_pass();
        let wanted = wanted && (pieces == Some(true) || (pieces.is_none() && self.is_v6()));
        if self.can_fragment() && wanted && !fragments_fresh && self.fragments.is_idle(now) {
            self.fragments.hint(self.edge_of_echo());
            self.fragments.prove(now);
        }
    }

    /// An IPv6 target fragments its replies once it has received Packet Too Big, so the search by
    /// DF echoes waits until fragmented echoes have decided.
    fn hold_for_fragments(&mut self) {
        let pieces_die = self.pieces_pass() == Some(false);
        if pieces_die {
            // The fragments are lost in the forward direction, so silence says nothing of the
            // reverse.
            self.fragments.clear();
        }
        let fragments_decide = self.can_fragment() && !self.fragments.is_exhausted();
        let decided = self.fragments.is_silent()
            || self.fragments.decided_at().is_some_and(|at| Some(at) >= self.doubt.since);
        self.echo.hold(self.is_v6() && fragments_decide && !decided && !pieces_die);
    }

    /// Whether the fragments of a large echo request pass in the forward direction; none if that is
    /// not known.
    fn pieces_pass(&self) -> Option<bool> {
        let syn = MethodFacts::of_flows(&self.syn, self.syn.hole());
        let echo = MethodFacts::from(&self.echo);
        pieces_pass(self.settings.family, [&syn, &echo])
    }

    fn edge_of_echo(&self) -> Vec<Bytes> {
        self.echo.hole().map(|hole| vec![hole.answered]).unwrap_or_default()
    }
}
