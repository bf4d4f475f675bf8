//! The inputs of a verdict: plain data, a snapshot of the prober at one moment.

use std::time::Duration;

use super::{expected_mtu::MtuBounds, target_mtu::TargetMtu};
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

/// All inputs of a verdict and its evidence.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Facts {
    /// When the snapshot was taken.
    pub now: Moment,
    /// When the prober began, on the same clock as [`Facts::now`].
    pub began: Moment,
    /// Address family of the target.
    pub family: Family,
    /// How often a full-size packet is sent while no problem is suspected.
    pub sentinel_interval: Duration,
    /// The ICMP probes available.
    pub icmp: IcmpProbes,
    /// The TCP probes available.
    pub tcp_probes: TcpProbes,
    /// Expected and testable sizes.
    pub sizes: MtuBounds,
    /// A router of our site has not been read yet, so the expected MTU may still rise.
    pub awaits_routers: bool,
    /// Why packets cannot leave our own host, if so.
    pub trouble: Option<Trouble>,
    /// This process is too late to know what full-size packets do; small ones may be heard.
    pub deaf_to_full: bool,
    /// Whether the target answers.
    pub reach: ReachFacts,
    /// Whether TCP works.
    pub tcp: TcpFacts,
    /// More small echoes are lost than the path's limit allows.
    pub lossy: bool,
    /// The target rate-limits its echo replies.
    pub rationed: bool,
    /// A middlebox answers TCP in the target's place.
    pub foreign: bool,
    /// The MTU in the last Packet Too Big from the target's own address.
    pub mtu_from_target: Option<Bytes>,
    /// When a signal that affects the walk was last received.
    pub signalled_at: Option<Moment>,
    /// The largest fragment of the last reply, if that reply was fragmented.
    pub largest_fragment: Option<Bytes>,
    /// What the target's MSS and replies show about its MTU.
    pub target: TargetMtu,
    /// Results of DF echoes.
    pub echo: MethodFacts,
    /// Results of padded SYNs over all flows: the smallest of any flow.
    pub syn: MethodFacts,
    /// Results of fragmented echo requests.
    pub fragments: MethodFacts,
    /// The size at which discovery currently stands on each TCP flow.
    pub syn_tops: [Bytes; FLOWS as usize],
    /// Number of TCP flows on which the hole was found.
    pub hole_flows: usize,
    /// Since when DF echoes have been in doubt: earlier results of other methods do not count.
    pub doubt_since: Option<Moment>,
    /// When fragmented requests last found that a hole had ended.
    pub reverse_ended_at: Option<Moment>,
    /// What the reflector has measured.
    pub reflected: ReflectedFacts,
}

/// Whether the target answers.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct ReachFacts {
    /// The target is unreachable.
    pub down: bool,
    /// The target may be unreachable.
    pub suspicious: bool,
    /// The target has answered ICMP at some time.
    pub icmp_ever: bool,
    /// The target has answered TCP at some time.
    pub tcp_ever: bool,
}

/// Whether TCP works.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct TcpFacts {
    /// What is known about TCP; none before the first result.
    pub state: Option<TcpState>,
    /// SYNs are silent.
    pub silent: bool,
    /// Whether SYNs are answered is not known yet.
    pub open: bool,
    /// Whether payload passes is not known yet.
    pub awaits_byte: bool,
    /// The last burst of SYNs was inconclusive.
    pub exhausted: bool,
    /// The last burst of connections was inconclusive.
    pub bytes_exhausted: bool,
    /// A burst of SYNs or connections is under way.
    pub asking: bool,
}

/// Results of one probe method.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct MethodFacts {
    /// The size at which path MTU discovery currently stands.
    pub top: Bytes,
    /// The size known to pass, if the method sees no hole.
    pub passing: Option<Bytes>,
    /// The largest size known to pass, even if larger sizes are silent or untested.
    pub edge: Option<Bytes>,
    /// The hole, once it may be reported.
    pub hole: Option<HoleFacts>,
    /// Silence is proven, whether or not its edge is sharp.
    pub silent: bool,
    /// The last burst was inconclusive.
    pub exhausted: bool,
    /// Loss grows with packet size, without a sharp edge.
    pub size_dependent: bool,
    /// A burst is under way.
    pub busy: bool,
    /// When the current result was reached.
    pub decided_at: Option<Moment>,
}

/// A proven black hole; sizes in bytes of IP packet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct HoleFacts {
    /// The size that is lost.
    pub size: Bytes,
    /// The largest size that was answered.
    pub answered: Bytes,
    /// The smallest size known to get no answer.
    pub silent: Bytes,
    /// `silent` is `answered + 1`.
    pub exact: bool,
    /// Replies arrived fragmented during the search: the edge describes the reverse path, not the
    /// forward path.
    pub in_pieces: bool,
    /// The counts behind the proof.
    pub proof: PairCount,
}

/// What the path's reflector has measured.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ReflectedFacts {
    /// The reverse path MTU, if known to the byte.
    pub reverse: Option<Bytes>,
    /// Whether silence is proven: forward, reverse.
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

    /// Whether ICMP can test sizes: sized echoes are available and the target answers ICMP.
    pub(super) fn icmp_usable(&self) -> bool {
        self.can_size_echo() && self.reach.icmp_ever
    }

    /// Whether padded SYNs can measure the path to the target.
    pub(in crate::path) fn syn_usable(&self) -> bool {
        let asked = self.tcp_probes >= TcpProbes::Sized && self.reach.tcp_ever && !self.tcp.silent;
        asked && !self.syn.exhausted && !self.foreign
    }

    /// Whether the last replies of `size` bytes arrived unfragmented.
    pub(super) fn in_one_piece(&self, size: Bytes) -> bool {
        self.largest_fragment.is_none_or(|largest| largest >= size)
    }

    pub(super) fn is_size_dependent(&self) -> bool {
        self.echo.size_dependent || self.syn.size_dependent
    }
}
