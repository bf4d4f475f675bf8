//! What a verdict means for somebody who wants to load a page, in one plain sentence.

use crate::{
    language::{Said, say},
    model::{
        observation::PathObservation,
        types::{Bytes, Direction, TcpState, UnknownReason, Verdict},
    },
};

impl PathObservation {
    /// What the path's verdict means for a user.
    #[must_use]
    pub(crate) fn meaning(&self) -> Said {
        let judgement = &self.judgement;
        match judgement.verdict {
            Verdict::Ok => {
                let packets = judgement.mtu_forward.map_or(say!("packets of full size"), of_size);
                let then = filtered(self).unwrap_or_else(|| say!("this path will not make HTTPS hang"));
                say!("{packets} come back whole; {then}", packets => packets, then => then)
            }
            Verdict::Reduced => say!(
                "HTTPS works: {refused} are rejected with an ICMP message, and TCP adapts to it",
                refused => larger(judgement.mtu_forward)
            ),
            Verdict::Blackhole if judgement.is_tcp_dead_alone() => tcp_dead(judgement.tcp),
            Verdict::Blackhole if judgement.tcp == Some(TcpState::PayloadDead) => {
                say!("TCP connections carry no payload; in addition, {hole}", hole => hole(self))
            }
            Verdict::Blackhole if judgement.tcp.is_some_and(TcpState::is_dead) => {
                say!("no TCP connection can be opened; in addition, {hole}", hole => hole(self))
            }
            Verdict::Blackhole => hole(self),
            Verdict::Lossy => say!("connections work, but slowly: too many packets are lost on the way"),
            Verdict::Unreachable => say!("nothing works: no packet of any size comes back"),
            Verdict::Unknown => not_known(self),
        }
    }

    /// Whether a hole's edge is known to be that of the forward direction. Where SYNs have not
    /// tested forward separately, an echo that is silent above the edge may have been lost on the
    /// way back.
    #[must_use]
    pub(crate) fn is_forward_tested(&self) -> bool {
        let judgement = &self.judgement;
        let either_way = self.expected_mtu.as_ref().map(|expected| expected.bytes);
        let expected = judgement.forward_expected.or(either_way);
        let full = expected.is_some() && judgement.mtu_forward >= expected;
        judgement.verdict != Verdict::Blackhole || judgement.holes.contains(&Direction::Forward) || full
    }

    /// Whether packets of the expected size are known to come back in one piece. Fragments prove
    /// nothing about a hole: they may be sent without DF.
    #[must_use]
    pub(crate) fn is_reverse_tested(&self) -> bool {
        let judgement = &self.judgement;
        let expected = self.expected_mtu.as_ref().map(|expected| expected.bytes);
        expected.is_some() && judgement.mtu_reverse.max(judgement.reverse_at_least) >= expected
    }
}

fn tcp_dead(tcp: Option<TcpState>) -> Said {
    match tcp {
        Some(TcpState::PayloadDead) => say!(
            "TCP connections open, but nothing sent on them arrives, whatever its size, while ping passes"
        ),
        Some(TcpState::KernelDead) => say!(
            "this machine can open no TCP connection: its kernel's SYNs vanish, while ping and raw SYNs pass"
        ),
        _ => say!("no TCP connection can be opened: TCP packets of any size vanish, while ping passes"),
    }
}

/// The sentence for a path whose own TCP port is filtered; the path itself is not to blame.
fn filtered(path: &PathObservation) -> Option<Said> {
    let port = path.tcp_port?;
    match path.judgement.tcp? {
        TcpState::Filtered => Some(say!(
            "but port {port} of the target does not answer, while another port does: a firewall drops it",
            port
        )),
        TcpState::PayloadFiltered => Some(say!(
            "but port {port} of the target accepts no payload, while another port does: because of a \
             firewall, or of its server",
            port
        )),
        _ => None,
    }
}

fn hole(path: &PathObservation) -> Said {
    let judgement = &path.judgement;
    let has = |direction| judgement.holes.contains(&direction);
    let (forward, reverse) = (judgement.mtu_forward, judgement.mtu_reverse);
    match (has(Direction::Forward), has(Direction::Reverse)) {
        (true, true) => say!(
            "HTTPS will hang: {packets} vanish in both directions without a signal, while ping and other small \
             packets pass",
            packets => larger([forward, reverse].into_iter().flatten().min())
        ),
        (true, false) if !path.is_reverse_tested() => say!(
            "HTTPS will hang: {packets} vanish on the way to the target without a signal (the way back is not \
             measured), while ping and other small packets pass",
            packets => larger(forward)
        ),
        (true, false) => say!(
            "HTTPS will hang where much is sent (uploads): {packets} vanish on the way to the target without a \
             signal, while ping and other small packets pass",
            packets => larger(forward)
        ),
        (false, true) if !path.is_forward_tested() => say!(
            "HTTPS will hang: {packets} vanish on the way back without a signal (the way to the target was not \
             tested), while ping and other small packets pass",
            packets => larger(reverse)
        ),
        (false, true) => say!(
            "HTTPS will hang where much is received (pages, downloads): {packets} vanish on the way back without a \
             signal, while ping and other small packets pass",
            packets => larger(reverse)
        ),
        (false, false) => say!(
            "HTTPS will hang: {packets} vanish without a signal, while ping and other small packets pass",
            packets => larger(forward)
        ),
    }
}

fn of_size(mtu: Bytes) -> Said {
    say!("packets of {mtu} bytes", mtu)
}

/// Names the packets that are lost, `mtu` being the largest size that passes. Without a known size
/// it says so in general words.
fn larger(mtu: Option<Bytes>) -> Said {
    mtu.map_or(say!("packets of full size"), |mtu| say!("packets above {mtu} bytes", mtu))
}

fn not_known(path: &PathObservation) -> Said {
    match path.judgement.unknown_reason.unwrap_or(UnknownReason::Starting) {
        UnknownReason::LocalLimit => say!(
            "whether HTTPS will hang is not known: this machine's own interface cannot send {packets}",
            packets => larger(path.testable_mtu)
        ),
        UnknownReason::PeerLimit => {
            say!("whether HTTPS will hang is not known: the far end cannot receive packets of full size")
        }
        UnknownReason::ReverseUnmeasured => say!(
            "uploads will not hang; whether downloads will is not known: the way back could not be measured"
        ),
        UnknownReason::LargeIcmpFiltered => {
            say!("whether HTTPS will hang is not known: a firewall drops large pings, so they prove nothing")
        }
        UnknownReason::Starting => say!("whether HTTPS will hang is not known yet"),
        UnknownReason::LocalDown | UnknownReason::LocalSend => {
            say!("whether HTTPS will hang is not known: this machine itself cannot send or receive")
        }
        UnknownReason::OwnAddress => {
            say!("there is no network to test: the target is this machine's own address")
        }
        UnknownReason::Stale => {
            say!("whether HTTPS will hang is not known: the exporter itself has stopped probing")
        }
        UnknownReason::NoProof | UnknownReason::Dns => {
            say!("whether HTTPS will hang is not known: no proof either way with packets of full size")
        }
    }
}
