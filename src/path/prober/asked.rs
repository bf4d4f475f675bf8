//! Packets that are sent because somebody asks how the path is now: pairs of a small and a
//! full-size one. What the prober has due anyway comes at once, and holes are tested again.
//!
//! They are counted by themselves. Ten packets in a second would weigh more than the regular echo
//! if they fell into a short outage, so none of them counts as loss, and none begins a proof.

use std::time::Duration;

use super::{PathProber, Role, Sent};
use crate::{
    model::{
        observation::{Asked, AskedCount},
        types::{Bytes, ProbeSize},
    },
    path::{
        budget::Budget,
        hole::detect::Detect,
        probe::{Moment, ProbeMethod, Send},
        settings::{IcmpProbes, TcpProbes},
    },
};

/// Pairs that are sent.
const PAIRS: u32 = 10;
/// The time between two of them.
const APART: Duration = Duration::from_millis(100);
/// What was not sent by then, because proofs needed the budget, is not sent.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is still to be sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asking {
    left: u32,
    next_at: Moment,
    until: Moment,
    /// When the last one was sent.
    sent_at: Moment,
}

impl PathProber {
    /// Somebody wants to know how the path is now.
    pub(crate) fn ask(&mut self, now: Moment) {
        self.now = now;
        self.asking = Some(Asking { left: PAIRS, next_at: now, until: now + PATIENCE, sent_at: now });
        let due = &mut self.due;
        for at in [&mut due.sentinel, &mut due.syn, &mut due.fragments, &mut due.look_above] {
            *at = now.min(*at);
        }
        if self.reach.is_down() || self.reach.is_suspicious() {
            return;
        }
        if self.echo.is_idle(now) {
            self.echo.recheck_hole(now);
        }
        if self.fragments.is_idle(now) {
            self.fragments.recheck_hole(now);
        }
        if self.syn.is_silent() && self.syn.is_idle(now) {
            self.syn.recheck(now);
        }
    }

    /// Sends the next pair if it is due, after everything else that needs the budget.
    pub(super) fn send_asked(&mut self, now: Moment, budget: &mut Budget, out: &mut Vec<Send>) {
        let Some(asking) = self.asking else { return };
        if asking.left == 0 || now >= asking.until {
            if now >= asking.sent_at + self.rtt.timeout() {
                self.asking = None;
                self.asked(|asked| asked.is_over = true);
            }
            return;
        }
        if now < asking.next_at || !budget.take(2) {
            return;
        }
        let left = asking.left - 1;
        self.asking = Some(Asking { left, next_at: now + APART, sent_at: now, ..asking });
        let mut sent = 0;
        for large in [false, true] {
            if let Some((method, flow, size)) = self.asked_by(large) {
                let purpose = if large { ProbeSize::Full } else { ProbeSize::Control };
                self.send(method, flow, size, purpose, Role::Asked { large }, now, out);
                self.asked(|asked| {
                    count_of(asked, large).sent += 1;
                    if large {
                        asked.size = Some(size);
                    }
                });
                sent += 1;
            }
        }
        budget.give_back(2 - sent);
    }

    /// By which probe method, on which flow and at which size such a packet is sent; none where
    /// nothing can be sent.
    fn asked_by(&mut self, large: bool) -> Option<(ProbeMethod, u8, Bytes)> {
        let by_icmp = if large { self.icmp_usable() } else { self.settings.icmp > IcmpProbes::None };
        if by_icmp && (self.reach.icmp_ever() || !self.reach.tcp_ever()) {
            return Some((ProbeMethod::Echo, 0, self.echo.top()));
        }
        let by_syn = if large { self.asks_by_syn() } else { self.settings.tcp > TcpProbes::None };
        let flow = if by_syn && self.settings.tcp_port > 0 { self.free_flow() } else { None }?;
        Some((ProbeMethod::Syn, flow, self.syn.top_of(flow)))
    }

    /// When the next one is due.
    pub(super) fn asked_at(&self) -> Option<Moment> {
        let asking = self.asking?;
        Some(if asking.left == 0 {
            asking.sent_at + self.rtt.timeout()
        } else {
            asking.next_at.max(self.now)
        })
    }

    /// The target has answered one of them.
    pub(super) fn asked_passed(&mut self, sent: Sent, large: bool, now: Moment) {
        let rtt = now.saturating_sub(sent.at);
        self.asked(|asked| {
            count_of(asked, large).answered += 1;
            if !large {
                asked.rtt_sum += rtt;
            }
        });
        if large {
            self.detector_mut(sent.probe.method).large_passed(sent.probe.flow, sent.probe.size, now);
        } else if self.reach.own_small(true, now) {
            self.is_back(now);
        }
    }

    /// One of them was answered by Packet Too Big.
    pub(super) fn asked_too_big(&self, large: bool) {
        self.asked(|asked| count_of(asked, large).too_big += 1);
    }

    /// The fate of one of them says nothing.
    pub(super) fn asked_void(&self, large: bool) {
        self.asked(|asked| count_of(asked, large).void += 1);
    }

    fn asked(&self, change: impl FnOnce(&mut Asked)) {
        self.counters.change_asked(change);
    }
}

fn count_of(asked: &mut Asked, large: bool) -> &mut AskedCount {
    if large { &mut asked.large } else { &mut asked.small }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::{
        model::types::Verdict,
        path::{
            probe::{Answer, Probe, Reply},
            prober::fixture::{Host, asking_all, without_tcp},
        },
    };

    const PASSED: Option<Answer> =
        Some(Answer::Passed(Reply { mss: None, ttl: None, reset: None, largest_fragment: None }));

    fn up_to(size: Bytes) -> impl Fn(Probe) -> Option<Answer> {
        move |probe| PASSED.filter(|_| probe.purpose == ProbeSize::Control || probe.size <= size)
    }

    fn nothing(_: Probe) -> Option<Answer> {
        None
    }

    fn ask(host: &mut Host) {
        host.prober.counters.ask(SystemTime::UNIX_EPOCH);
        host.prober.ask(host.now);
    }

    fn asked(host: &Host) -> Asked {
        host.prober.counters.asked().expect("asked")
    }

    fn counts(host: &Host) -> [u32; 4] {
        let asked = asked(host);
        [asked.small.sent, asked.small.answered, asked.large.sent, asked.large.answered]
    }

    #[test]
    fn of_a_healthy_path_all_are_answered() {
        let mut host = Host::from(asking_all(1));
        host.play(30, up_to(1500));
        let before = host.prober.echo_stats().requests;
        ask(&mut host);
        host.play(3, up_to(1500));
        assert_eq!(counts(&host), [10; 4]);
        assert!(asked(&host).is_over && asked(&host).size == Some(1500), "{:?}", asked(&host));
        assert_eq!(host.prober.echo_stats().requests, before + 3, "the regular ones keep their beat");
        assert_eq!(host.prober.judgement().verdict, Verdict::Ok);
        host.play(5, up_to(1500));
        assert_eq!(counts(&host), [10; 4], "no more are sent");
    }

    #[test]
    fn in_a_black_hole_the_large_ones_vanish_and_its_end_is_seen_at_once() {
        let mut host = Host::from(asking_all(2));
        host.play(60, up_to(1450));
        assert_eq!(host.prober.judgement().verdict, Verdict::Blackhole);
        ask(&mut host);
        host.play(5, up_to(1450));
        assert_eq!(counts(&host), [10, 10, 10, 0]);
        assert_eq!(host.prober.judgement().verdict, Verdict::Blackhole);
        ask(&mut host);
        host.play(3, up_to(1500));
        assert_eq!(counts(&host), [10; 4]);
        assert_eq!(host.prober.judgement().verdict, Verdict::Ok);
    }

    /// Ten packets in each of two short outages would be 3.6 % of ten minutes, if they counted.
    #[test]
    fn what_falls_into_a_short_outage_is_no_loss_of_the_path() {
        let mut host = Host::from(without_tcp(3));
        host.play(300, up_to(1500));
        for _ in 0..3 {
            ask(&mut host);
            host.icmp = false;
            host.play(1, nothing);
            host.icmp = true;
            for _ in 0..60 {
                host.play(1, up_to(1500));
                assert_eq!(host.prober.judgement().verdict, Verdict::Ok, "{:?}", host.prober.judgement());
            }
            assert!(asked(&host).small.answered < 3 && asked(&host).is_over, "{:?}", asked(&host));
        }
    }

    #[test]
    fn a_target_that_is_back_is_seen_by_them() {
        let mut host = Host::from(without_tcp(4));
        host.play(30, up_to(1500));
        host.icmp = false;
        host.play(60, nothing);
        assert_eq!(host.prober.judgement().verdict, Verdict::Unreachable);
        ask(&mut host);
        host.play(4, nothing);
        assert_eq!(counts(&host), [10, 0, 10, 0]);
        ask(&mut host);
        host.icmp = true;
        host.play(3, up_to(1500));
        assert_eq!(counts(&host), [10; 4]);
        assert_eq!(host.prober.judgement().verdict, Verdict::Ok);
    }

    #[test]
    fn without_an_answer_by_icmp_they_are_syns() {
        let mut host = Host::from(asking_all(5));
        host.icmp = false;
        let tcp = |probe: Probe| PASSED.filter(|_| probe.method == ProbeMethod::Syn);
        host.play(30, tcp);
        ask(&mut host);
        host.play(4, tcp);
        assert_eq!(counts(&host), [10; 4]);
    }

    #[test]
    fn proofs_come_first_and_what_is_late_is_not_sent() {
        let mut host = Host::from(asking_all(6));
        host.play(30, up_to(1500));
        ask(&mut host);
        let (mut budget, mut out) = (Budget::new(10), Vec::new());
        for _ in 0..1200 {
            host.now += Duration::from_millis(10);
            host.prober.send_asked(host.now, &mut budget, &mut out);
        }
        assert!(out.is_empty() && asked(&host).is_over, "{out:?} {:?}", asked(&host));
    }

    #[test]
    fn what_our_host_refuses_counts_neither_way() {
        let mut host = Host::from(asking_all(7));
        host.play(30, up_to(1500));
        ask(&mut host);
        let refused = crate::path::refusal::Refusal::Trouble(crate::path::refusal::Trouble::NoCarrier);
        host.play(3, |_| Some(Answer::NotSent(refused)));
        assert_eq!([asked(&host).small.counted(), asked(&host).large.counted()], [0, 0]);
        assert_ne!(host.prober.judgement().verdict, Verdict::Blackhole);
    }
}
