//! The peer of a connection, as far as clients can be told apart, and which peers are known.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::{Duration, Instant},
};

/// One client's address. For IPv6 the first 64 bits, as any host may choose the rest (RFC 8981).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ClientAddress {
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 /64 network.
    V6(u64),
}

impl From<IpAddr> for ClientAddress {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => Self::V6((address.to_bits() >> 64) as u64),
        }
    }
}

impl ClientAddress {
    /// Whether it is this machine by its usual loopback address; the rest of 127.0.0.0/8 are
    /// ordinary peers.
    pub(crate) fn is_this_machine(self) -> bool {
        self == Self::V4(Ipv4Addr::LOCALHOST) || self == Self::from(IpAddr::V6(Ipv6Addr::LOCALHOST))
    }
}

/// Peers that have recently logged in or, if there are no users, have received the metrics.
///
/// Those that came first are kept: a crowd of new addresses displaces nobody.
#[derive(Debug, Default)]
pub(crate) struct KnownPeers {
    seen: BTreeMap<ClientAddress, Instant>,
}

impl KnownPeers {
    /// Most known peers: Prometheus servers, and a few people.
    pub(crate) const MOST: usize = 32;
    /// How long a peer stays known: longer than any interval between scrapes.
    pub(crate) const LATELY: Duration = Duration::from_mins(10);

    /// Records that a peer has logged in or received the metrics.
    pub(crate) fn greet(&mut self, peer: ClientAddress, now: Instant) {
        self.seen.retain(|_, seen| now.saturating_duration_since(*seen) < Self::LATELY);
        if self.seen.len() < Self::MOST || self.seen.contains_key(&peer) {
            self.seen.insert(peer, now);
        }
    }

    /// Whether a peer is known; this machine always is.
    #[must_use]
    pub(crate) fn knows(&self, peer: ClientAddress, now: Instant) -> bool {
        let seen = self.seen.get(&peer);
        peer.is_this_machine() || seen.is_some_and(|seen| now.saturating_duration_since(*seen) < Self::LATELY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(text: &str) -> ClientAddress {
        text.parse::<IpAddr>().expect(text).into()
    }

    #[test]
    fn one_client_is_one_peer() {
        assert_eq!(peer("2001:db8::1"), peer("2001:db8::ffff:1:2:3"));
        assert_ne!(peer("2001:db8::1"), peer("2001:db8:0:1::1"));
        assert_eq!(peer("::ffff:192.0.2.1"), peer("192.0.2.1"));
        assert_ne!(peer("192.0.2.2"), peer("192.0.2.1"));
    }

    #[test]
    fn who_comes_first_is_known_until_it_stays_away() {
        let now = Instant::now();
        let mut known = KnownPeers::default();
        for machine in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            assert!(known.knows(peer(machine), now), "{machine}");
        }
        let first = peer("192.0.2.1");
        assert!(!known.knows(first, now) && !known.knows(peer("127.0.0.2"), now));
        known.greet(first, now);
        for host in 0..1000 {
            known.greet(ClientAddress::V6(host + 1), now);
        }
        assert!(known.knows(first, now) && !known.knows(ClientAddress::V6(1000), now));
        let later = now + KnownPeers::LATELY;
        assert!(!known.knows(first, later));
        known.greet(ClientAddress::V6(1000), later);
        assert!(known.knows(ClientAddress::V6(1000), later) && known.seen.len() == 1);
    }
}
