//! Recent wrong passwords by peer: from the fifth on, a peer must wait before its next password is
//! checked, twice as long each time.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use crate::web::peer::ClientAddress;

/// Wrong passwords without a wait: somebody who mistypes does not notice.
const FREE: u32 = 5;
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// Wrong passwords are forgotten after this long without another one.
const FORGIVEN: Duration = Duration::from_mins(10);
/// Most peers remembered; the one whose last wrong password is the oldest is forgotten.
const MOST_PEERS: usize = 1024;

/// Wrong passwords by peer.
#[derive(Debug, Default)]
pub(crate) struct BackOff {
    peers: BTreeMap<ClientAddress, WrongPasswords>,
}

#[derive(Debug)]
struct WrongPasswords {
    times: u32,
    last: Instant,
}

impl WrongPasswords {
    fn wait(&self) -> Duration {
        match self.times.checked_sub(FREE) {
            Some(doubled) => FIRST_WAIT.saturating_mul(1 << doubled.min(16)).min(LONGEST_WAIT),
            None => Duration::ZERO,
        }
    }
}

impl BackOff {
    /// How often the peer was wrong recently, or how long it must wait.
    pub(crate) fn ask(&self, peer: ClientAddress, now: Instant) -> Result<u32, Duration> {
        let Some(wrong) = self.peers.get(&peer) else { return Ok(0) };
        let since = now.saturating_duration_since(wrong.last);
        match wrong.wait().checked_sub(since) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ if since >= FORGIVEN => Ok(0),
            _ => Ok(wrong.times),
        }
    }

    /// Records a wrong password.
    pub(crate) fn wrong(&mut self, peer: ClientAddress, now: Instant) {
        self.peers.retain(|_, wrong| now.saturating_duration_since(wrong.last) < FORGIVEN);
        if self.peers.len() >= MOST_PEERS && !self.peers.contains_key(&peer) {
            let oldest = self.peers.iter().min_by_key(|(_, wrong)| wrong.last).map(|(peer, _)| *peer);
            oldest.and_then(|oldest| self.peers.remove(&oldest));
        }
        let wrong = self.peers.entry(peer).or_insert(WrongPasswords { times: 0, last: now });
        (wrong.times, wrong.last) = (wrong.times.saturating_add(1), now);
    }

    /// Records that a check found the password right.
    pub(crate) fn right(&mut self, peer: ClientAddress) {
        self.peers.remove(&peer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_for_nothing_then_twice_as_long_each_time() {
        let (mut back_off, peer, mut now) = (BackOff::default(), ClientAddress::V6(1), Instant::now());
        let mut waits = Vec::new();
        for _ in 0..14 {
            back_off.wrong(peer, now);
            let wait = back_off.ask(peer, now).err().unwrap_or_default();
            now += wait;
            assert!(back_off.ask(peer, now).is_ok());
            waits.push(wait.as_secs());
        }
        assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
        assert_eq!(back_off.ask(peer, now), Ok(14));
        assert_eq!(back_off.ask(ClientAddress::V6(2), now), Ok(0), "another is not meant");
        assert_eq!(back_off.ask(peer, now + FORGIVEN), Ok(0));
        back_off.wrong(peer, now);
        back_off.right(peer);
        assert_eq!(back_off.ask(peer, now), Ok(0));
    }

    #[test]
    fn of_many_peers_the_oldest_are_forgotten() {
        let (mut back_off, now) = (BackOff::default(), Instant::now());
        for peer in 0..3000 {
            back_off.wrong(ClientAddress::V6(peer), now + Duration::from_micros(peer));
        }
        assert_eq!(back_off.peers.len(), MOST_PEERS);
        assert_eq!(back_off.ask(ClientAddress::V6(2999), now), Ok(1));
    }
}
