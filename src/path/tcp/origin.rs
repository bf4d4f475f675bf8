//! Whether TCP answers come from the target itself or from a middlebox that answers for it.
//!
//! Measured signs: the answer's TTL differs from that of the target's echo replies, or RST and
//! SYN-ACK alternate on one port. A padded SYN then tests the path to that middlebox only.

use std::collections::VecDeque;

use crate::{
    language::{Said, say},
    model::types::ProbeProtocol,
    path::probe::Reply,
};

/// How many of the newest TCP answers are examined.
const WINDOW: usize = 8;
/// How many of them must show a sign: a single one proves nothing.
const ENOUGH: usize = 3;

/// The newest TCP answers, and who sent them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    echo_ttl: Option<u8>,
    tcp: VecDeque<(Option<u8>, Option<bool>)>,
    foreign: bool,
}

impl Origin {
    /// Records an answer.
    pub(crate) fn observe(&mut self, protocol: ProbeProtocol, reply: Reply) {
        match protocol {
            ProbeProtocol::Icmp => self.echo_ttl = reply.ttl.or(self.echo_ttl),
            ProbeProtocol::Tcp => {
                if self.tcp.len() == WINDOW {
                    self.tcp.pop_front();
                }
                self.tcp.push_back((reply.ttl, reply.reset));
            }
        }
        self.foreign = self.other_ttl() || self.alternates();
    }

    /// Whether a middlebox answers TCP for the target.
    #[must_use]
    pub(crate) fn is_foreign(&self) -> bool {
        self.foreign
    }

    /// The same in words, for evidence.
    #[must_use]
    pub(crate) fn in_words(&self) -> Option<Said> {
        if !self.foreign {
            return None;
        }
        let ttl = self.tcp.iter().rev().find_map(|(ttl, _)| *ttl);
        let why = match (self.echo_ttl, ttl) {
            (Some(echo), Some(tcp)) if self.other_ttl() => {
                say!("their TTL is {tcp}, that of its echo replies {echo}", tcp, echo)
            }
            _ => say!("RST and SYN-ACK alternate"),
        };
        Some(say!(
            "TCP is answered by another box, not by the target ({why}): forward is judged by DF echoes",
            why => why
        ))
    }

    fn other_ttl(&self) -> bool {
        let Some(echo) = self.echo_ttl else { return false };
        let ttls = || self.tcp.iter().rev().filter_map(|(ttl, _)| *ttl).take(ENOUGH);
        ttls().count() == ENOUGH && ttls().all(|ttl| ttl != echo)
    }

    fn alternates(&self) -> bool {
        let of = |reset| self.tcp.iter().filter(|(_, said)| *said == Some(reset)).count();
        of(true) >= ENOUGH && of(false) >= ENOUGH
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::types::ProbeProtocol::{Icmp, Tcp};

    fn reply(ttl: u8, reset: Option<bool>) -> Reply {
        Reply { ttl: Some(ttl), reset, ..Reply::default() }
    }

    #[test]
    fn one_odd_answer_is_not_another_box_and_three_are() {
        let mut origin = Origin::default();
        origin.observe(Icmp, reply(64, None));
        for ttl in [64, 63, 64, 63, 63] {
            origin.observe(Tcp, reply(ttl, Some(true)));
            assert!(!origin.is_foreign());
        }
        origin.observe(Tcp, reply(63, Some(true)));
        assert!(origin.is_foreign());
        assert!(origin.in_words().unwrap().contains("their TTL is 63"), "{:?}", origin.in_words());
    }

    #[test]
    fn resets_and_syn_acks_that_alternate_are_two_boxes_and_a_restart_is_not() {
        let mut origin = Origin::default();
        for reset in [false, false, true, true, false, false, false, false] {
            origin.observe(Tcp, reply(64, Some(reset)));
            assert!(!origin.is_foreign());
        }
        for reset in [true, false, true, false, true] {
            origin.observe(Tcp, reply(64, Some(reset)));
        }
        assert!(origin.is_foreign());
    }

    #[test]
    fn without_ttl_nothing_is_concluded() {
        let mut origin = Origin::default();
        for _ in 0..10 {
            origin.observe(Icmp, Reply::default());
            origin.observe(Tcp, Reply::default());
        }
        assert!(!origin.is_foreign());
    }
}
