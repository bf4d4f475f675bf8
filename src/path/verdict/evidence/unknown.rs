//! Evidence for `unknown`: why no verdict is possible.

use super::super::{facts::Facts, way_back::Beyond};
use crate::{model::types::UnknownReason, path::settings::IcmpProbes};

impl Facts {
    pub(super) fn why_unknown(&self, reason: UnknownReason) -> String {
        match reason {
            UnknownReason::LocalLimit => format!(
                "can test only up to {} bytes, the limit of our own interface: run in the host's network",
                self.sizes.testable
            ),
            UnknownReason::LargeIcmpFiltered => {
                let edge = self.echo.hole.map_or(self.family.small(), |hole| hole.answered);
                format!("ICMP above {edge} bytes is dropped: a filter of large ICMP hides the path MTU")
            }
            UnknownReason::ReverseUnmeasured => self.why_reverse_unmeasured(),
            UnknownReason::NoProof => self.why_no_proof(),
            UnknownReason::Starting => "too early to tell".to_owned(),
            UnknownReason::Dns => "the target's name cannot be resolved".to_owned(),
            UnknownReason::LocalSend if self.deaf_to_full => {
                "this process runs too late to hear what becomes of full-size packets: too little CPU, or a \
                 flood"
                    .to_owned()
            }
            UnknownReason::LocalDown | UnknownReason::LocalSend => "nothing leaves our own host".to_owned(),
            UnknownReason::OwnAddress => "the target is this machine's own address".to_owned(),
            UnknownReason::Stale => "not probed now".to_owned(),
            UnknownReason::PeerLimit => "the far end cannot take the expected size".to_owned(),
        }
    }

    fn why_reverse_unmeasured(&self) -> String {
        if self.reverse_in_doubt() {
            let size = self.echo.top.min(self.syn.top);
            return format!(
                "forward, {size} bytes are answered and larger packets are signalled; larger replies \
                 vanish, but they carry no DF, and packets with DF may be signalled as ours are (over an \
                 IPv6 underlay they are): a reflector at the far end would measure it"
            );
        }
        self.unmeasured_beyond().unwrap_or_else(|| {
            if self.echo.passing.is_some() {
                "replies are fragmented on the way back, which says nothing about packets with DF: a \
                 reflector at the far end would measure it"
            } else {
                "padded TCP SYNs pass forward; ICMP is not answered, so reverse cannot be measured"
            }
            .to_owned()
        })
    }

    fn why_no_proof(&self) -> String {
        let why = if self.icmp == IcmpProbes::None {
            let answered = if self.reach.tcp_ever { "and they are" } else { "and none is" };
            return format!(
                "no ICMP socket: only TCP connections are tried, {answered} answered; sizes are not tested"
            );
        } else if !self.can_size_echo() {
            "no ICMP socket for sized echoes: only small echoes are sent, sizes are not tested"
        } else if self.has_no_sizes() {
            "the target answers TCP but not ICMP, and here only ICMP can test sizes: sizes are not tested \
             (padded TCP SYNs require CAP_NET_RAW)"
        } else if self.tcp.open && self.icmp_usable() {
            "no SYN to the path's TCP port is answered, and it is not proven whether TCP passes"
        } else if self.tcp.awaits_byte {
            "SYNs to the path's TCP port are answered, and it is not proven whether TCP carries payload"
        } else {
            "full-size probes are not answered, but there is not enough proof"
        };
        why.to_owned()
    }

    /// Why the reverse path above the target's MSS is unknown.
    fn unmeasured_beyond(&self) -> Option<String> {
        let named = self.sizes.names_less()?;
        let size = self.sizes.own();
        match self.beyond() {
            Beyond::Clear | Beyond::Pending => None,
            Beyond::Cut => Some(format!(
                "the MSS in the target's SYN-ACK allows {named} bytes, but it sends more: replies of \
                 {size} bytes arrive in fragments, which says nothing about packets with DF: a reflector \
                 at the far end would measure it"
            )),
            Beyond::Unmeasured if self.fragments.silent => Some(format!(
                "the MSS in the target's SYN-ACK allows {named} bytes, and replies larger than {} vanish: \
                 a hole, if the MSS was clamped on the way; lost fragments, if the target's interface is \
                 that small: a reflector at the far end, or `expected_mtu`, would decide it",
                self.fragments.hole.map_or(named, |hole| hole.answered)
            )),
            Beyond::Unmeasured => Some(format!(
                "the MSS in the target's SYN-ACK allows {named} bytes, which limits what we send; the \
                 target may send {size}, but that cannot be tested: it answers no echo request of that \
                 size, in fragments or whole: a reflector at the far end, or `expected_mtu`, would decide it"
            )),
        }
    }
}
