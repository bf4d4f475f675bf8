//! Bursts of small probes, lost and answered in turn.

use super::*;
use crate::model::types::ProbeProtocol::{Icmp, Tcp};

const MS: Duration = Duration::from_millis(1);

fn lose_burst(reach: &mut Reach, count: usize) -> (bool, Moment, usize) {
    let mut now = Duration::from_secs(100);
    let (mut down, mut sent, mut tcp) = (false, 0, 0);
    while sent < count {
        now += MS;
        if let Some(probe) = reach.due(now) {
            reach.sent(now);
            sent += 1;
            tcp += usize::from(probe.protocol == Tcp);
            down = reach.burst_lost(probe.burst.unwrap(), now);
        }
    }
    (down, now.checked_sub(Duration::from_secs(100)).unwrap(), tcp)
}

fn suspicious(has_port: bool) -> Reach {
    let mut reach = Reach::new(true, has_port);
    let now = Duration::from_secs(100);
    reach.heard(Icmp, now);
    reach.set_loss(false, LossCount { sent: 300, lost: 2 });
    reach.small_lost(Icmp, now);
    assert!(!reach.is_suspicious(), "one loss is none");
    reach.small_lost(Icmp, now);
    assert!(reach.is_suspicious());
    reach
}

#[test]
fn thirty_lost_over_four_seconds_half_of_them_tcp_make_it_unreachable() {
    let mut reach = suspicious(true);
    let (down, took, tcp) = lose_burst(&mut reach, 30);
    assert!(down && reach.is_down());
    assert!(took >= Duration::from_secs(4), "{took:?}");
    assert_eq!(tcp, 15);
}

#[test]
fn the_more_is_lost_the_longer_the_burst() {
    let seconds = |sent, lost| span(LossCount { sent, lost }).as_secs();
    assert_eq!((seconds(300, 0), seconds(300, 10), seconds(300, 108), seconds(5, 0)), (3, 6, 19, 5));
    let mut reach = suspicious(true);
    reach.set_loss(true, LossCount { sent: 300, lost: 0 });
    assert_eq!(reach.span, SPAN_IF_LIMITED);
}

#[test]
fn any_answer_ends_the_burst() {
    let mut reach = suspicious(true);
    let (down, ..) = lose_burst(&mut reach, 29);
    assert!(!down);
    reach.heard(Tcp, Duration::from_secs(101));
    assert!(!reach.is_suspicious() && !reach.is_down());
}

#[test]
fn a_protocol_that_never_answered_raises_no_suspicion_while_the_other_answers() {
    let mut reach = Reach::new(true, true);
    reach.heard(Tcp, MS);
    for _ in 0..10 {
        reach.small_lost(Icmp, MS * 2);
    }
    assert!(!reach.is_suspicious());
}

#[test]
fn it_is_back_at_three_answers_among_the_last_five() {
    let mut reach = suspicious(false);
    lose_burst(&mut reach, 30);
    let now = Duration::from_secs(200);
    for answered in [true, false, false, true, false] {
        assert!(!reach.own_small(answered, now));
    }
    assert!(!reach.own_small(true, now)); // false false true false true
    assert!(reach.own_small(true, now)); // false true false true true
    assert!(!reach.is_down());
}

#[test]
fn what_never_answered_is_given_twenty_seconds_and_it_is_said() {
    let mut reach = Reach::new(true, false);
    reach.small_lost(Icmp, MS);
    reach.small_lost(Icmp, MS);
    let (down, took, _) = lose_burst(&mut reach, 30);
    assert!(down && took >= Duration::from_secs(20), "{took:?}");
    assert!(reach.evidence(Duration::from_secs(200)).unwrap().contains("never answered"));
}
