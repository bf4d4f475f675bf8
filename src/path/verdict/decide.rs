//! The verdict: a function of facts.

use std::time::Duration;

use super::{Known, facts::Facts, holes::Finding, way_back::Beyond};
use crate::{
    model::{
        family::Family,
        types::{Bytes, TcpState, UnknownReason, Verdict},
    },
    path::{refusal::Trouble, settings::TcpProbes},
};

/// How long the last certain verdict is kept once it is in doubt.
const DOUBT: Duration = Duration::from_secs(10);

/// A target that has answered TCP but no echo for this long is taken not to answer ICMP.
const NO_ICMP: Duration = Duration::from_secs(10);

/// By this time it is normally known whether the TCP port answers.
const TCP_DECIDED: Duration = Duration::from_secs(30);

/// A verdict, and the reason if it is `unknown`.
pub(super) type Decision = (Verdict, Option<UnknownReason>);

fn unknown(reason: UnknownReason) -> Decision {
    (Verdict::Unknown, Some(reason))
}

/// The verdict, worst first. `known` is the last verdict that did not depend on a pending finding.
pub(super) fn decide(facts: &Facts, finding: &Finding, known: &Known) -> Decision {
    if let Some(trouble) = facts.trouble {
        return unknown(trouble.reason());
    }
    if facts.reach.down {
        return (Verdict::Unreachable, None);
    }
    if matches!(finding, Finding::Hole(_)) || facts.tcp.state.is_some_and(TcpState::is_dead) {
        return (Verdict::Blackhole, None);
    }
    if (facts.lossy && !facts.rationed) || facts.is_size_dependent() {
        return (Verdict::Lossy, None);
    }
    if facts.deaf_to_full {
        // What passed earlier may pass no more.
        return unknown(Trouble::Late.reason());
    }
    match finding {
        Finding::Filtered => unknown(UnknownReason::LargeIcmpFiltered),
        Finding::Pending => before_doubt(facts, known),
        Finding::None | Finding::Hole(_) => facts.cannot_tell().map_or_else(|| facts.by_sizes(), unknown),
    }
}

/// Until the silence is attributed to a direction, keep the last verdict for [`DOUBT`].
fn before_doubt(facts: &Facts, known: &Known) -> Decision {
    let lately = facts.now.saturating_sub(known.at) < DOUBT;
    match known.verdict {
        Verdict::Blackhole | Verdict::Unreachable => unknown(UnknownReason::NoProof),
        verdict if lately => (verdict, known.reason),
        _ => unknown(UnknownReason::NoProof),
    }
}

impl Facts {
    /// Why sizes cannot be judged even though no size is silent.
    fn cannot_tell(&self) -> Option<UnknownReason> {
        let tcp_open = (self.tcp.open && self.icmp_usable()) || self.tcp.awaits_byte;
        if tcp_open {
            let exhausted = self.tcp.exhausted || self.tcp.bytes_exhausted;
            let late = exhausted || self.now >= self.began + TCP_DECIDED;
            return Some(if late { UnknownReason::NoProof } else { UnknownReason::Starting });
        }
        let expected = self.sizes.expected();
        if self.awaits_routers {
            Some(UnknownReason::Starting)
        } else if self.sizes.testable < expected {
            Some(UnknownReason::LocalLimit)
        } else if !self.can_size_echo() {
            Some(UnknownReason::NoProof)
        } else if self.reflected.far_mtu.is_some_and(|mtu| mtu < expected) || self.limited_by_target() {
            Some(UnknownReason::PeerLimit)
        } else {
            None
        }
    }

    /// The verdict from the sizes that pass.
    fn by_sizes(&self) -> Decision {
        let expected = self.sizes.expected();
        if let Some(size) = self.echo.passing {
            let lower = size < expected || self.is_lower_on_flows();
            if self.is_reverse_unmeasured(size, lower) {
                return unknown(UnknownReason::ReverseUnmeasured);
            }
            let whole = !lower && self.in_one_piece(expected);
            return (if whole { Verdict::Ok } else { Verdict::Reduced }, None);
        }
        if self.icmp_usable() && self.is_lower_on_flows() && self.syn.passing.is_some() {
            // The ICMP walk has only just been lowered.
            return (Verdict::Reduced, None);
        }
        if let Some(size) = self.syn.passing.filter(|_| !self.icmp_usable() && self.syn_usable()) {
            return match self.reflected.reverse {
                Some(_) if size >= expected => (Verdict::Ok, None),
                Some(_) => (Verdict::Reduced, None),
                None => unknown(UnknownReason::ReverseUnmeasured),
            };
        }
        let nothing = self.echo.exhausted || self.syn.exhausted || self.has_no_sizes();
        unknown(if nothing { UnknownReason::NoProof } else { UnknownReason::Starting })
    }

    /// Echoes of `size` pass, but they do not measure the reverse path.
    fn is_reverse_unmeasured(&self, size: Bytes, lower: bool) -> bool {
        let cut = (!lower && self.is_cut_on_the_way_back(size))
            || matches!(self.beyond(), Beyond::Cut | Beyond::Unmeasured);
        (cut || self.reverse_in_doubt()) && self.reflected.reverse.is_none()
    }

    /// A router on the reverse path fragments IPv4 replies, which carry no DF. It may or may not
    /// send Packet Too Big for packets with DF (measured: with `bridge-nf-call-iptables=1` it does
    /// not).
    fn is_cut_on_the_way_back(&self, size: Bytes) -> bool {
        self.family == Family::V4 && !self.in_one_piece(size)
    }

    /// The target's own address signals the same smaller MTU to all TCP flows, while the target
    /// itself answers larger echoes. So the small link lies behind that address (a pod behind a
    /// `NodePort`). The source address alone proves nothing: a Linux bridge on the path also
    /// signals from the target's address, but then echoes are signalled too.
    fn limited_by_target(&self) -> bool {
        self.mtu_from_target.is_some_and(|mtu| {
            self.syn_usable()
                && self.syn_tops.iter().all(|top| *top == mtu)
                && self.echo.passing.is_some_and(|passing| passing > mtu)
        })
    }

    /// Sizes can be tested by ICMP only, and the target answers no ICMP.
    pub(super) fn has_no_sizes(&self) -> bool {
        let only_icmp = self.can_size_echo() && self.tcp_probes < TcpProbes::Sized;
        only_icmp && !self.reach.icmp_ever && self.reach.tcp_ever && self.now >= self.began + NO_ICMP
    }

    /// Whether no pending probe can change the verdict.
    pub(super) fn is_settled(&self) -> bool {
        let busy = self.echo.busy || self.syn.busy || self.fragments.busy;
        let decided = self.echo.decided_at.is_some()
            || self.reach.down
            || self.trouble.is_some()
            || (!self.can_size_echo() && (self.reach.icmp_ever || self.reach.tcp_ever))
            || self.has_no_sizes();
        let tcp_decided = !(self.tcp.open && self.icmp_usable()) || self.tcp.exhausted;
        let byte_decided = !self.tcp.awaits_byte || self.tcp.bytes_exhausted;
        let decided = decided && tcp_decided && byte_decided && !self.is_beyond_pending();
        decided && !self.reach.suspicious && !self.tcp.asking && !busy
    }
}
