//! What a verdict rests on: plain, taken from the machine at one moment.

use std::time::Duration;

use super::{expected_mtu::Sizes, target_mtu::TargetMtu};
use crate::{
    model::{
        family::Family,
        types::{Bytes, TcpState},
    },
    path::{
        pairs::PairCount,
        probe::{FLOWS, Moment},
        refusal::Trouble,
        settings::{IcmpProbes, TcpProbes},
    },
};

/// All that a verdict and its evidence rest on.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Facts {
    /// When they were taken, and when the prober began.
    pub now: Moment,
    /// As of [`Facts::now`].
    pub began: Moment,
    /// Of the target's address.
    pub family: Family,
    /// How often a full-size packet is sent while all is well.
    pub sentinel_interval: Duration,
    /// What can be asked by ICMP.
    pub icmp: IcmpProbes,
    /// What can be asked by TCP.
    pub tcp_probes: TcpProbes,
    /// What is expected, and what can be tested.
    pub sizes: Sizes,
    /// What hosts of our site have may still turn out to be more.
    pub awaits_routers: bool,
    /// What keeps packets in our own host.
    pub trouble: Option<Trouble>,
    /// Whether the target answers.
    pub reach: ReachFacts,
    /// Whether TCP lives.
    pub tcp: TcpFacts,
    /// More small echoes are lost than the path is allowed.
    pub lossy: bool,
    /// The target answers only so many echoes a second.
    pub rationed: bool,
    /// Somebody else answers TCP in the target's stead.
    pub foreign: bool,
    /// The MTU in the last signal that came from the target's own address.
    pub told_by_target: Option<Bytes>,
    /// When a signal on the walk was last heard.
    pub signalled_at: Option<Moment>,
    /// The largest fragment of the last reply that came in fragments.
    pub largest_fragment: Option<Bytes>,
    /// What the target's MSS and its replies tell.
    pub target: TargetMtu,
    /// DF echoes.
    pub echo: MethodFacts,
    /// Padded SYNs, on all flows together: the smallest of any.
    pub syn: MethodFacts,
    /// Echo requests in fragments.
    pub fragments: MethodFacts,
    /// Where discovery stands on each TCP flow.
    pub syn_tops: [Bytes; FLOWS as usize],
    /// TCP flows on which the hole was found.
    pub hole_flows: usize,
    /// Since when DF echoes are in doubt: what the others found before does not count.
    pub doubt_since: Option<Moment>,
    /// When fragmented requests last saw a hole end.
    pub reverse_ended_at: Option<Moment>,
    /// What the reflector has measured.
    pub reflected: ReflectedFacts,
}

/// Whether the target answers.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct ReachFacts {
    /// It is unreachable.
    pub down: bool,
    /// It may be.
    pub suspicious: bool,
    /// It has answered ICMP.
    pub icmp_ever: bool,
    /// It has answered TCP.
    pub tcp_ever: bool,
}

/// Whether TCP lives.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct TcpFacts {
    /// What is known of it.
    pub state: Option<TcpState>,
    /// SYNs are silent.
    pub silent: bool,
    /// It is not known yet whether SYNs are answered.
    pub open: bool,
    /// It is not known yet whether payload passes.
    pub awaits_byte: bool,
    /// The last burst of SYNs decided nothing.
    pub exhausted: bool,
    /// The last burst of connections decided nothing.
    pub bytes_exhausted: bool,
    /// A burst is under way.
    pub asking: bool,
}

/// What one probe method has found.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct MethodFacts {
    /// The size at which discovery stands.
    pub top: Bytes,
    /// The size that is known to pass where there is no hole.
    pub passing: Option<Bytes>,
    /// The largest size of which it is known that it passes, whatever lies above.
    pub edge: Option<Bytes>,
    /// The hole, if one may be claimed.
    pub hole: Option<HoleFacts>,
    /// Silence is proven, sharp or not yet.
    pub silent: bool,
    /// The last burst ended without a decision.
    pub exhausted: bool,
    /// Loss grows with size, without an edge.
    pub size_dependent: bool,
    /// A burst is under way.
    pub busy: bool,
    /// Since when what is known is known.
    pub decided_at: Option<Moment>,
}

/// A proven hole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct HoleFacts {
    /// The size that vanishes.
    pub size: Bytes,
    /// The largest size answered.
    pub answered: Bytes,
    /// The smallest size known not to be answered.
    pub silent: Bytes,
    /// `silent` is `answered + 1`.
    pub exact: bool,
    /// Replies came in pieces during the search: the edge tells of the way back, whatever the way there.
    pub in_pieces: bool,
    /// The numbers of the proof.
    pub proof: PairCount,
}

/// What the path's reflector has measured.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ReflectedFacts {
    /// The reverse path MTU where it is known to the byte.
    pub reverse: Option<Bytes>,
    /// Silence is proven forward, and reverse.
    pub holes: [bool; 2],
    /// The MTU of the reflector's own interface.
    pub far_mtu: Option<Bytes>,
}

impl Facts {
    pub(super) fn can_size_echo(&self) -> bool {
        self.icmp >= IcmpProbes::Sized
    }

    pub(super) fn can_fragment(&self) -> bool {
        self.icmp >= IcmpProbes::Fragments
    }

    /// Whether sizes can be judged by ICMP: the target answers it.
    pub(super) fn icmp_usable(&self) -> bool {
        self.can_size_echo() && self.reach.icmp_ever
    }

    /// Whether padded SYNs tell about the way to the target.
    pub(in crate::path) fn syn_usable(&self) -> bool {
        let asked = self.tcp_probes >= TcpProbes::Sized && self.reach.tcp_ever && !self.tcp.silent;
        asked && !self.syn.exhausted && !self.foreign
    }

    /// Whether replies of that size were last seen to come back in one piece.
    pub(super) fn in_one_piece(&self, size: Bytes) -> bool {
        self.largest_fragment.is_none_or(|largest| largest >= size)
    }

    pub(super) fn is_size_dependent(&self) -> bool {
        self.echo.size_dependent || self.syn.size_dependent
    }
}
