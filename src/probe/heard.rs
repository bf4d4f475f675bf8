//! Which targets have answered lately, and by which sockets the others are asked.
//!
//! A packet to a neighbour that does not answer ARP waits in the kernel for three seconds and fills the send buffer of
//! its socket meanwhile. Measured: with 100 dead hosts on our own segment the buffer is full for good, and what
//! was meant for live ones is refused or comes late: of 200 echoes 53 "lost". So those that do not answer have sockets of their own.

use std::{collections::HashMap, net::IpAddr, time::Duration};

use crate::path::probe::Moment;

/// A neighbour that has answered within this time is one that the kernel still sends to (`delay_first_probe_time`
/// and three probes after it, 8 s).
const LATELY: Duration = Duration::from_secs(10);

/// Which sockets a packet goes out by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Those of targets that answer.
    Main,
    /// Those of targets that do not.
    Apart,
}

/// When each target was last heard.
#[derive(Debug, Default)]
pub struct Heard(HashMap<IpAddr, Moment>);

impl Heard {
    /// A target of ours has answered.
    pub fn hear(&mut self, target: IpAddr, now: Moment) {
        self.0.insert(target, now);
    }

    /// By which sockets it is asked.
    #[must_use]
    pub fn door(&self, target: IpAddr, now: Moment) -> Door {
        match self.0.get(&target) {
            Some(at) if now.saturating_sub(*at) < LATELY => Door::Main,
            _ => Door::Apart,
        }
    }

    /// Forgets those that count no longer.
    pub fn forget_old(&mut self, now: Moment) {
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
        let mut heard = Heard::default();
        assert_eq!(heard.door(live, second(0)), Door::Apart);
        heard.hear(live, second(1));
        assert_eq!((heard.door(live, second(10)), heard.door(dead, second(10))), (Door::Main, Door::Apart));
        heard.forget_old(second(11));
        assert_eq!(heard.door(live, second(11)), Door::Apart);
        heard.hear(live, second(12));
        assert_eq!(heard.door(live, second(13)), Door::Main);
    }
}
