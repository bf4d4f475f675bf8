//! A connection of the kernel's own, and one byte on it: what is lost is sent again, as Linux does.

use std::time::Duration;

use fastrand::Rng;
use vxlan_exporter::path::probe::{ACKNOWLEDGED_WITHIN, ByteFate, CONNECTS_WITHIN, FLOWS};

use super::{
    network::{Network, Tcp},
    play::PORT,
    way::WayState,
};

/// A SYN is sent again after 1, 3 and 7 seconds (RFC 6298, doubling).
const SYNS: [f64; 4] = [0.0, 1.0, 3.0, 7.0];
/// A byte is sent again after that, and twice that, and so on (`TCP_RTO_MIN`); after a SYN that had to be repeated, after
/// three seconds (`TCP_TIMEOUT_FALLBACK`).
const RTO: f64 = 0.2;
const FALLBACK: f64 = 3.0;
/// Beside the path's own port this one is served, all others are closed.
const OPEN: u16 = 22;

/// How far it has come.
#[derive(Debug, Clone, Copy)]
pub struct Byte {
    /// The target's port.
    pub port: u16,
    flow: u8,
    began: Duration,
    syns: usize,
    /// Since when it stands, and how often the byte was sent.
    stands: Option<(Duration, u32)>,
    /// Known, and told when it is due.
    fate: Option<ByteFate>,
}

/// What comes next.
#[derive(Debug, Clone, Copy)]
pub enum Next {
    /// This, at that time.
    At(Duration, Byte),
    /// The end.
    Told(ByteFate),
}

impl Byte {
    /// Begins now.
    pub fn new(port: u16, now: Duration, rng: &mut Rng) -> Self {
        Self { port, flow: rng.u8(..FLOWS), began: now, syns: 0, stands: None, fate: None }
    }

    /// The handshake is over.
    pub fn stands(&self) -> bool {
        self.stands.is_some()
    }

    /// Nothing of it ever leaves.
    pub fn vanishes(self) -> (Duration, Self) {
        (self.began + CONNECTS_WITHIN, Self { fate: Some(ByteFate::Unconnected), ..self })
    }
}

/// The ways as such connections meet them: with chances of their own, so that all else is as without them.
#[derive(Debug)]
pub struct Bytes {
    pub forward: WayState,
    pub reverse: WayState,
    pub rng: Rng,
}

impl Bytes {
    /// As at the beginning.
    pub fn new(network: &Network, seed: u64, now: Duration) -> Self {
        Self {
            forward: WayState::new(&network.forward, now),
            reverse: WayState::new(&network.reverse, now),
            rng: Rng::with_seed(seed),
        }
    }
}

/// One packet of it is sent; `there_and_back` says whether it is answered, given whether the target answers it.
pub fn step(
    byte: Byte,
    network: &Network,
    rtt: Duration,
    now: Duration,
    there_and_back: &mut dyn FnMut(u8) -> bool,
) -> Next {
    let tell = |fate, at| Next::At(at, Byte { fate: Some(fate), ..byte });
    if let Some(fate) = byte.fate {
        return Next::Told(fate);
    }
    let Some((since, sent)) = byte.stands else {
        let passes = there_and_back(byte.flow);
        if passes && answers_syn(network, byte.port) {
            if is_closed(network, byte.port) {
                return tell(ByteFate::Refused, now + rtt);
            }
            return Next::At(now + rtt, Byte { stands: Some((now + rtt, 0)), syns: byte.syns + 1, ..byte });
        }
        let again = SYNS.get(byte.syns + 1).map(|after| byte.began + Duration::from_secs_f64(*after));
        return match again {
            Some(at) => Next::At(at, Byte { syns: byte.syns + 1, ..byte }),
            None => tell(ByteFate::Unconnected, byte.began + CONNECTS_WITHIN),
        };
    };
    if there_and_back(byte.flow) && takes_payload(network, byte.port) {
        return tell(ByteFate::Passed, now + rtt);
    }
    let first = if byte.syns > 1 { FALLBACK } else { RTO.max(3.0 * rtt.as_secs_f64()) };
    let after = first * (2.0_f64.powi(i32::try_from(sent + 1).unwrap_or(i32::MAX)) - 1.0);
    let at = since + Duration::from_secs_f64(after);
    if at >= since + ACKNOWLEDGED_WITHIN {
        return tell(ByteFate::Unacknowledged, since + ACKNOWLEDGED_WITHIN);
    }
    Next::At(at, Byte { stands: Some((since, sent + 1)), ..byte })
}

fn answers_syn(network: &Network, port: u16) -> bool {
    match network.tcp {
        Tcp::Silent | Tcp::KernelSilent => network.other_box,
        Tcp::Filtered => port != PORT || network.other_box,
        Tcp::Answers | Tcp::BareOnly | Tcp::PayloadSilent | Tcp::PayloadFiltered => true,
    }
}

fn is_closed(network: &Network, port: u16) -> bool {
    let open = if port == PORT { network.mss.is_some() } else { port == OPEN };
    network.other_box || !open
}

fn takes_payload(network: &Network, port: u16) -> bool {
    match network.tcp {
        Tcp::PayloadSilent => false,
        Tcp::PayloadFiltered => port != PORT,
        _ => true,
    }
}
