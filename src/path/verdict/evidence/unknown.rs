//! Evidence for `unknown`: why no verdict is possible.

use super::super::{facts::Facts, way_back::Beyond};
use crate::{
    language::{Said, say},
    model::types::UnknownReason,
    path::settings::IcmpProbes,
};

impl Facts {
    pub(super) fn why_unknown(&self, reason: UnknownReason) -> Said {
        match reason {
            UnknownReason::LocalLimit => say!(
                "can test only up to {testable} bytes, the limit of our own interface: run in the host's network",
                testable = self.sizes.testable
            ),
            UnknownReason::LargeIcmpFiltered => say!(
                "ICMP above {edge} bytes is dropped: a filter of large ICMP hides the path MTU",
                edge = self.echo.hole.map_or(self.family.small(), |hole| hole.answered)
            ),
            UnknownReason::ReverseUnmeasured => self.why_reverse_unmeasured(),
            UnknownReason::NoProof => self.why_no_proof(),
            UnknownReason::Starting => say!("too early to tell"),
            UnknownReason::Dns => say!("the target's name cannot be resolved"),
            UnknownReason::LocalSend if self.deaf_to_full => say!(
                "this process runs too late to hear what becomes of full-size packets: too little CPU, or a flood"
            ),
            UnknownReason::LocalDown | UnknownReason::LocalSend => say!("nothing leaves our own host"),
            UnknownReason::OwnAddress => say!("the target is this machine's own address"),
            UnknownReason::Stale => say!("not probed now"),
            UnknownReason::PeerLimit => say!("the far end cannot take the expected size"),
        }
    }

    fn why_reverse_unmeasured(&self) -> Said {
        if self.reverse_in_doubt() {
            let size = self.echo.top.min(self.syn.top);
            return say!(
                "forward, {size} bytes are answered and larger packets are signalled; larger replies \
                 vanish, but they carry no DF, and packets with DF may be signalled as ours are (over an \
                 IPv6 underlay they are): a reflector at the far end would measure it",
                size
            );
        }
        self.unmeasured_beyond().unwrap_or_else(|| {
            if self.echo.passing.is_some() {
                say!(
                    "replies are fragmented on the way back, which says nothing about packets with DF: a \
                     reflector at the far end would measure it"
                )
            } else {
                say!("padded TCP SYNs pass forward; ICMP is not answered, so reverse cannot be measured")
            }
        })
    }

    fn why_no_proof(&self) -> Said {
        if self.icmp == IcmpProbes::None && self.reach.tcp_ever {
            say!(
                "no ICMP socket: only TCP connections are tried, and they are answered; sizes are not tested"
            )
        } else if self.icmp == IcmpProbes::None {
            say!("no ICMP socket: only TCP connections are tried, and none is answered; sizes are not tested")
        } else if !self.can_size_echo() {
            say!("no ICMP socket for sized echoes: only small echoes are sent, sizes are not tested")
        } else if self.has_no_sizes() {
            say!(
                "the target answers TCP but not ICMP, and here only ICMP can test sizes: sizes are not tested \
                 (padded TCP SYNs require CAP_NET_RAW)"
            )
        } else if self.tcp.open && self.icmp_usable() {
            say!("no SYN to the path's TCP port is answered, and it is not proven whether TCP passes")
        } else if self.tcp.awaits_byte {
            say!("SYNs to the path's TCP port are answered, and it is not proven whether TCP carries payload")
        } else {
            say!("full-size probes are not answered, but there is not enough proof")
        }
    }

    /// Why the reverse path above the target's MSS is unknown.
    fn unmeasured_beyond(&self) -> Option<Said> {
        let named = self.sizes.names_less()?;
        let size = self.sizes.own();
        match self.beyond() {
            Beyond::Clear | Beyond::Pending => None,
            Beyond::Cut => Some(say!(
                "the MSS in the target's SYN-ACK allows {named} bytes, but it sends more: replies of \
                 {size} bytes arrive in fragments, which says nothing about packets with DF: a reflector \
                 at the far end would measure it",
                named,
                size
            )),
            Beyond::Unmeasured if self.fragments.silent => Some(say!(
                "the MSS in the target's SYN-ACK allows {named} bytes, and replies larger than {answered} vanish: \
                 a hole, if the MSS was clamped on the way; lost fragments, if the target's interface is \
                 that small: a reflector at the far end, or `expected_mtu`, would decide it",
                named,
                answered = self.fragments.hole.map_or(named, |hole| hole.answered)
            )),
            Beyond::Unmeasured => Some(say!(
                "the MSS in the target's SYN-ACK allows {named} bytes, which limits what we send; the \
                 target may send {size}, but that cannot be tested: it answers no echo request of that \
                 size, in fragments or whole: a reflector at the far end, or `expected_mtu`, would decide it",
                named,
                size
            )),
        }
    }
}
