//! What a verdict means for somebody who wants to load a page, in one plain sentence.

use crate::model::{
    observation::PathObservation,
    types::{Bytes, Direction, TcpState, UnknownReason, Verdict},
};

impl PathObservation {
    /// What the path's verdict means for a user.
    #[must_use]
    pub(crate) fn meaning(&self) -> String {
        let judgement = &self.judgement;
        match judgement.verdict {
            Verdict::Ok => {
                let packets = judgement.mtu_forward.map_or("packets of full size".to_owned(), of_size);
                let then = filtered(self).unwrap_or_else(|| "this path will not make HTTPS hang".to_owned());
                format!("{packets} come back whole; {then}")
            }
            Verdict::Reduced => {
                let refused = larger(judgement.mtu_forward);
                format!("HTTPS works: {refused} are rejected with an ICMP message, and TCP adapts to it")
            }
            Verdict::Blackhole if judgement.is_tcp_dead_alone() => tcp_dead(judgement.tcp).to_owned(),
            Verdict::Blackhole if judgement.tcp == Some(TcpState::PayloadDead) => {
                format!("TCP connections carry no payload; in addition, {}", hole(self))
            }
            Verdict::Blackhole if judgement.tcp.is_some_and(TcpState::is_dead) => {
                format!("no TCP connection can be opened; in addition, {}", hole(self))
            }
            Verdict::Blackhole => hole(self),
            Verdict::Lossy => "connections work, but slowly: too many packets are lost on the way".to_owned(),
            Verdict::Unreachable => "nothing works: no packet of any size comes back".to_owned(),
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

fn tcp_dead(tcp: Option<TcpState>) -> &'static str {
    match tcp {
        Some(TcpState::PayloadDead) => {
            "TCP connections open, but nothing sent on them arrives, whatever its size, while ping passes"
        }
        Some(TcpState::KernelDead) => {
            "this machine can open no TCP connection: its kernel's SYNs vanish, while ping and raw SYNs pass"
        }
        _ => "no TCP connection can be opened: TCP packets of any size vanish, while ping passes",
    }
}

/// The sentence for a path whose own TCP port is filtered; the path itself is not to blame.
fn filtered(path: &PathObservation) -> Option<String> {
    let port = path.tcp_port?;
    match path.judgement.tcp? {
        TcpState::Filtered => Some(format!(
            "but port {port} of the target does not answer, while another port does: a firewall drops it"
        )),
        TcpState::PayloadFiltered => Some(format!(
            "but port {port} of the target accepts no payload, while another port does: because of a \
             firewall, or of its server"
        )),
        _ => None,
    }
}

fn hole(path: &PathObservation) -> String {
    let judgement = &path.judgement;
    let has = |direction| judgement.holes.contains(&direction);
    let (forward, reverse) = (judgement.mtu_forward, judgement.mtu_reverse);
    let (what, above, whither) = match (has(Direction::Forward), has(Direction::Reverse)) {
        (true, true) => (
            "HTTPS will hang",
            [forward, reverse].into_iter().flatten().min(),
            "in both directions without a signal",
        ),
        (true, false) if !path.is_reverse_tested() => (
            "HTTPS will hang",
            forward,
            "on the way to the target without a signal (the way back is not measured)",
        ),
        (true, false) => (
            "HTTPS will hang where much is sent (uploads)",
            forward,
            "on the way to the target without a signal",
        ),
        (false, true) if !path.is_forward_tested() => (
            "HTTPS will hang",
            reverse,
            "on the way back without a signal (the way to the target was not tested)",
        ),
        (false, true) => (
            "HTTPS will hang where much is received (pages, downloads)",
            reverse,
            "on the way back without a signal",
        ),
        (false, false) => ("HTTPS will hang", forward, "without a signal"),
    };
    format!("{what}: {} vanish {whither}, while ping and other small packets pass", larger(above))
}

fn of_size(mtu: Bytes) -> String {
    format!("packets of {mtu} bytes")
}

/// Names the packets that are lost, `mtu` being the largest size that passes. Without a known size
/// it says so in general words.
fn larger(mtu: Option<Bytes>) -> String {
    mtu.map_or("packets of full size".to_owned(), |mtu| format!("packets above {mtu} bytes"))
}

fn not_known(path: &PathObservation) -> String {
    match path.judgement.unknown_reason.unwrap_or(UnknownReason::Starting) {
        UnknownReason::LocalLimit => format!(
            "whether HTTPS will hang is not known: this machine's own interface cannot send {}",
            larger(path.testable_mtu)
        ),
        UnknownReason::PeerLimit => {
            "whether HTTPS will hang is not known: the far end cannot receive packets of full size".to_owned()
        }
        UnknownReason::ReverseUnmeasured => {
            "uploads will not hang; whether downloads will is not known: the way back could not be measured"
                .to_owned()
        }
        UnknownReason::LargeIcmpFiltered => {
            "whether HTTPS will hang is not known: a firewall drops large pings, so they prove nothing"
                .to_owned()
        }
        UnknownReason::Starting => "whether HTTPS will hang is not known yet".to_owned(),
        UnknownReason::LocalDown | UnknownReason::LocalSend => {
            "whether HTTPS will hang is not known: this machine itself cannot send or receive".to_owned()
        }
        UnknownReason::OwnAddress => {
            "there is no network to test: the target is this machine's own address".to_owned()
        }
        UnknownReason::Stale => {
            "whether HTTPS will hang is not known: the exporter itself has stopped probing".to_owned()
        }
        UnknownReason::NoProof | UnknownReason::Dns => {
            "whether HTTPS will hang is not known: no proof either way with packets of full size".to_owned()
        }
    }
}
