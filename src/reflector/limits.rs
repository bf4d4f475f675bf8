//! How much a reflector sends to one peer, and how many connections it keeps. Pure.
//!
//! Both limits hold for any window, not on average: no second with more than 20 packets, no minute with
//! more than 200 kB. Counted are the packets the reflector sends: the SYN-ACK of each connection and every
//! segment with data. The kernel's bare acknowledgements are answers to the peer's own packets.
//! An IPv6 peer is its /64, which one host may use as a whole.

use std::{
    collections::{HashMap, VecDeque},
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use crate::{overlay::path::probe::Moment, types::Bytes};

/// Packets per second and peer.
pub const PACKETS: usize = 20;
/// Bytes of IP packet per minute and peer.
pub const BYTES: Bytes = 200_000;
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);

/// Connections at a time per peer: two per path, for eight paths.
pub const CONNECTIONS_PER_PEER: usize = 16;
/// Connections at a time in total.
pub const CONNECTIONS: usize = 256;
/// Peers remembered; more within one minute are not served.
const PEERS: usize = 4096;

/// What was sent to one peer within the last minute.
#[derive(Debug, Clone, Default)]
pub struct Allowance {
    packets: VecDeque<Moment>,
    bytes: VecDeque<(Moment, Bytes)>,
    sum: Bytes,
}

impl Allowance {
    /// Takes what `sizes` (bytes of IP packet each) cost, or says how long to wait.
    pub fn take(&mut self, sizes: &[Bytes], now: Moment) -> Result<(), Duration> {
        self.forget(now);
        let wait = self.wait(sizes, now);
        if !wait.is_zero() {
            return Err(wait);
        }
        self.charge(sizes, now);
        Ok(())
    }

    /// Counts what has been sent already.
    pub fn charge(&mut self, sizes: &[Bytes], now: Moment) {
        for size in sizes {
            self.packets.push_back(now);
            self.bytes.push_back((now, *size));
            self.sum = self.sum.saturating_add(*size);
        }
        while self.packets.len() > PACKETS {
            self.packets.pop_front();
        }
    }

    fn wait(&self, sizes: &[Bytes], now: Moment) -> Duration {
        let until = |at: Moment, window: Duration| (at + window).saturating_sub(now);
        let excess = (self.packets.len() + sizes.len()).saturating_sub(PACKETS);
        let for_packets = match excess.checked_sub(1) {
            Some(last) => self.packets.get(last).map_or(SECOND, |at| until(*at, SECOND)),
            None => Duration::ZERO,
        };
        let mut over = (self.sum + sizes.iter().sum::<Bytes>()).saturating_sub(BYTES);
        let mut for_bytes = Duration::ZERO;
        for (at, size) in &self.bytes {
            if over == 0 {
                break;
            }
            over = over.saturating_sub(*size);
            for_bytes = until(*at, MINUTE);
        }
        for_packets.max(for_bytes)
    }

    fn forget(&mut self, now: Moment) {
        while self.packets.front().is_some_and(|at| now.saturating_sub(*at) >= SECOND) {
            self.packets.pop_front();
        }
        while let Some((at, size)) = self.bytes.front().copied()
            && now.saturating_sub(at) >= MINUTE
        {
            self.bytes.pop_front();
            self.sum = self.sum.saturating_sub(size);
        }
    }
}

#[derive(Debug, Default)]
struct Peer {
    connections: usize,
    allowance: Allowance,
}

/// All peers of one reflector.
#[derive(Debug, Default)]
pub struct Limits {
    peers: HashMap<IpAddr, Peer>,
    connections: usize,
}

impl Limits {
    /// A connection of `address` has been accepted, its SYN-ACK sent. `false`: it must be closed at once.
    pub fn open(&mut self, address: IpAddr, now: Moment) -> bool {
        if self.peers.len() >= PEERS {
            self.peers.retain(|_, peer| {
                peer.allowance.forget(now);
                peer.connections > 0 || peer.allowance.sum > 0
            });
        }
        let key = key(address);
        if self.connections >= CONNECTIONS || (self.peers.len() >= PEERS && !self.peers.contains_key(&key)) {
            return false;
        }
        let peer = self.peers.entry(key).or_default();
        if peer.connections >= CONNECTIONS_PER_PEER {
            return false;
        }
        peer.allowance.charge(&[SYN_ACK], now);
        peer.connections += 1;
        self.connections += 1;
        true
    }

    /// A connection that was opened is closed.
    pub fn close(&mut self, address: IpAddr) {
        if let Some(peer) = self.peers.get_mut(&key(address)) {
            peer.connections = peer.connections.saturating_sub(1);
            self.connections = self.connections.saturating_sub(1);
        }
    }

    /// Takes what packets of these sizes cost, or says how long to wait.
    pub fn take(&mut self, address: IpAddr, sizes: &[Bytes], now: Moment) -> Result<(), Duration> {
        self.peers.entry(key(address)).or_default().allowance.take(sizes, now)
    }
}

/// Bytes of IP packet, with all the options Linux sends.
pub const SYN_ACK: Bytes = 60;

fn key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 100, 10));
    const MS: Duration = Duration::from_millis(1);

    proptest! {
        /// Whoever asks as often as possible, waiting as long as told or less, gets no more in any window.
        #[test]
        fn no_window_holds_more(steps in prop::collection::vec((60..1500_u32, 1..3_usize, 0..80_u32), 1..900)) {
            let mut allowance = Allowance::default();
            let mut now = Duration::ZERO;
            let mut sent: Vec<(Moment, Bytes)> = Vec::new();
            for (size, count, pause) in steps {
                let sizes = vec![size; count];
                match allowance.take(&sizes, now) {
                    Ok(()) => sent.extend(sizes.iter().map(|size| (now, *size))),
                    Err(wait) => {
                        prop_assert!(wait <= MINUTE);
                        now += wait;
                        prop_assert_eq!(allowance.take(&sizes, now), Ok(()));
                        sent.extend(sizes.iter().map(|size| (now, *size)));
                    }
                }
                now += MS * pause;
            }
            for (index, (at, _)) in sent.iter().enumerate() {
                let within = |window: Duration| {
                    sent[index..].iter().take_while(move |(other, _)| other.saturating_sub(*at) < window)
                };
                prop_assert!(within(SECOND).count() <= PACKETS);
                prop_assert!(within(MINUTE).map(|(_, size)| size).sum::<Bytes>() <= BYTES);
            }
        }
    }

    #[test]
    fn connections_are_bounded_per_peer_and_in_total() {
        let mut limits = Limits::default();
        let opened = (0..40).filter(|_| limits.open(PEER, Duration::ZERO)).count();
        assert_eq!(opened, CONNECTIONS_PER_PEER);
        let others = (1..=255_u8)
            .flat_map(|host| std::iter::repeat_n(IpAddr::from([10, 0, 0, host]), 3))
            .filter(|address| limits.open(*address, Duration::ZERO))
            .count();
        assert_eq!(others, CONNECTIONS - CONNECTIONS_PER_PEER);
        limits.close(PEER);
        assert!(limits.open(PEER, Duration::ZERO));
    }

    #[test]
    fn a_64_of_ipv6_is_one_peer() {
        let mut limits = Limits::default();
        let host = |host: u16| IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 1, 0, 0, 0, host));
        let opened = (0..40).filter(|number| limits.open(host(*number), Duration::ZERO)).count();
        assert_eq!(opened, CONNECTIONS_PER_PEER);
    }
}
