//! A connection made by the kernel, and one byte on it: lost packets are repeated as Linux does.

use std::time::Duration;

use fastrand::Rng;
use vxlan_exporter::path::probe::{ACKNOWLEDGED_WITHIN, ByteFate, CONNECTS_WITHIN, FLOWS};

use super::{
    network::{Network, Tcp},
    play::PORT,
    way::WayState,
};

/// Seconds at which a SYN is sent and repeated (RFC 6298, doubling).
const SYNS: [f64; 4] = [0.0, 1.0, 3.0, 7.0];
/// Seconds until a byte is repeated, then twice that, and so on (`TCP_RTO_MIN`); after a SYN that
/// had to be repeated, three seconds (`TCP_TIMEOUT_FALLBACK`).
const RTO: f64 = 0.2;
const FALLBACK: f64 = 3.0;
/// The only open port besides the path's own; all others are closed.
const OPEN: u16 = 22;

/// The state of the connection.
#[derive(Debug, Clone, Copy)]
pub struct Byte {
    /// The target's port.
    pub port: u16,
    flow: u8,
    began: Duration,
    syns: usize,
    /// When it was established, and how often the byte was sent.
    stands: Option<(Duration, u32)>,
    /// The result, reported once it is due.
    fate: Option<ByteFate>,
}

/// The next step.
#[derive(Debug, Clone, Copy)]
pub enum Next {
    /// The next packet is due at this time.
    At(Duration, Byte),
    /// The connection has ended with this result.
    Told(ByteFate),
}

impl Byte {
    /// Starts a connection now.
    pub fn new(port: u16, now: Duration, rng: &mut Rng) -> Self {
        Self { port, flow: rng.u8(..FLOWS), began: now, syns: 0, stands: None, fate: None }
    }

    /// Whether the handshake is complete.
    pub fn stands(&self) -> bool {
        self.stands.is_some()
    }

    /// The same connection, of which no packet ever leaves.
    pub fn vanishes(self) -> (Duration, Self) {
        (self.began + CONNECTS_WITHIN, Self { fate: Some(ByteFate::Unconnected), ..self })
    }
}

/// The network for such connections. It has random numbers of its own, so that everything else is
/// the same as without them.
#[derive(Debug)]
pub struct Bytes {
    pub forward: WayState,
    pub reverse: WayState,
    pub rng: Rng,
}

impl Bytes {
    /// The initial state.
    pub fn new(network: &Network, seed: u64, now: Duration) -> Self {
        Self {
            forward: WayState::new(&network.forward, now),
            reverse: WayState::new(&network.reverse, now),
            rng: Rng::with_seed(seed),
        }
    }
}

/// Sends one packet of a connection; `there_and_back` tells whether it is answered, given whether
/// the target would answer.
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
