//! One plain sentence: what a verdict means for somebody who wants to load a page.

use super::tables::{is_forward_tested, is_reverse_tested};
use crate::model::{
    observation::PathObservation,
    types::{Bytes, Direction, TcpState, UnknownReason, Verdict},
};

/// What the path's verdict means for a user.
#[must_use]
pub(super) fn meaning(path: &PathObservation) -> String {
    let judgement = &path.judgement;
    match judgement.verdict {
        Verdict::Ok => {
            let packets = judgement.mtu_forward.map_or("packets of full size".to_owned(), of_size);
            let then = filtered(path).unwrap_or_else(|| "this path will not make HTTPS hang".to_owned());
            format!("{packets} come back whole; {then}")
        }
        Verdict::Reduced => {
            let refused = larger(judgement.mtu_forward);
            format!("HTTPS works: {refused} are refused with a signal, and TCP adapts to it")
        }
        Verdict::Blackhole if judgement.is_tcp_dead_alone() => {
            "no TCP connection comes about: TCP vanishes, whatever the size, while ping passes".to_owned()
        }
        Verdict::Blackhole if judgement.tcp == Some(TcpState::Dead) => {
            format!("no TCP connection comes about, and beyond that {}", hole(path))
        }
        Verdict::Blackhole => hole(path),
        Verdict::Lossy => "connections work, but slowly: too many packets are lost on the way".to_owned(),
        Verdict::Unreachable => "nothing works: no packet of any size comes back".to_owned(),
        Verdict::Unknown => not_known(path),
    }
}

/// Where the path's own port is silent, of which the path is not to blame.
fn filtered(path: &PathObservation) -> Option<String> {
    let port = path.tcp_port.filter(|_| path.judgement.tcp == Some(TcpState::Filtered))?;
    Some(format!(
        "but port {port} of the target says nothing, while another port answers: a firewall drops it"
    ))
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
        (true, false) if !is_reverse_tested(path) => (
            "HTTPS will hang",
            forward,
            "on the way to the target without a signal (the way back is not measured)",
        ),
        (true, false) => (
            "HTTPS will hang where much is sent (uploads)",
            forward,
            "on the way to the target without a signal",
        ),
        (false, true) if !is_forward_tested(path) => {
            ("HTTPS will hang", reverse, "on the way back without a signal (the way there was not tested)")
        }
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

/// Those that do not pass where `mtu` is the most that does; no headline says what is not known.
fn larger(mtu: Option<Bytes>) -> String {
    mtu.map_or("packets of full size".to_owned(), |mtu| format!("packets above {mtu} bytes"))
}

fn not_known(path: &PathObservation) -> String {
    match path.judgement.unknown_reason.unwrap_or(UnknownReason::Starting) {
        UnknownReason::LocalLimit => format!(
            "whether HTTPS will hang is not known: this machine's own interface lets no {} out",
            larger(path.testable_mtu)
        ),
        UnknownReason::PeerLimit => {
            "whether HTTPS will hang is not known: the far end takes no packets of full size".to_owned()
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
            "whether HTTPS will hang is not known: this machine itself cannot send, or cannot hear".to_owned()
        }
        UnknownReason::OwnAddress => {
            "nothing lies between to hang: the target is this machine's own address".to_owned()
        }
        UnknownReason::Stale => {
            "whether HTTPS will hang is not known: the exporter's own probing stands still".to_owned()
        }
        UnknownReason::NoProof | UnknownReason::Dns => {
            "whether HTTPS will hang is not known: no proof either way with packets of full size".to_owned()
        }
    }
}
