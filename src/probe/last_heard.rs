//! Which targets have answered recently; the others are probed over separate sockets.
//!
//! A packet to a neighbour that does not answer ARP waits in the kernel for three seconds and takes
//! up space in the send buffer of its socket. Measured: with 100 dead hosts on our own segment the
//! buffer stays full, and packets to live hosts are refused or sent late: of 200 echoes 53 were
//! "lost". So targets that do not answer have sockets of their own.

use std::{collections::HashMap, net::IpAddr, time::Duration};

use crate::path::probe::Moment;

/// A neighbour that answered within this time is one that the kernel still sends to without asking
/// again (`delay_first_probe_time` and three probes after it, 8 s).
const LATELY: Duration = Duration::from_secs(10);

/// The sockets that a packet is sent over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SocketGroup {
    /// The sockets for targets that answer.
    Main,
    /// The sockets for targets that do not answer.
    Apart,
}

/// When each target last answered.
#[derive(Debug, Default)]
pub(crate) struct LastHeard(HashMap<IpAddr, Moment>);

impl LastHeard {
    /// Records that a target has answered.
    pub(crate) fn hear(&mut self, target: IpAddr, now: Moment) {
        self.0.insert(target, now);
    }

    /// The sockets over which a target is probed.
    #[must_use]
    pub(crate) fn door(&self, target: IpAddr, now: Moment) -> SocketGroup {
        match self.0.get(&target) {
            Some(at) if now.saturating_sub(*at) < LATELY => SocketGroup::Main,
            _ => SocketGroup::Apart,
        }
    }

    /// Forgets targets that have not answered for too long.
    pub(crate) fn forget_old(&mut self, now: Moment) {
        self.0.retain(|_, at| now.saturating_sub(*at) < LATELY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_falls_silent_is_asked_by_other_sockets_until_he_answers() {
        let (live, dead) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let second = Duration::from_secs;
        let mut heard = LastHeard::default();
        assert_eq!(heard.door(live, second(0)), SocketGroup::Apart);
        heard.hear(live, second(1));
        assert_eq!(
            (heard.door(live, second(10)), heard.door(dead, second(10))),
            (SocketGroup::Main, SocketGroup::Apart)
        );
        heard.forget_old(second(11));
        assert_eq!(heard.door(live, second(11)), SocketGroup::Apart);
        heard.hear(live, second(12));
        assert_eq!(heard.door(live, second(13)), SocketGroup::Main);
    }
}
