use super::*;
use crate::{language::lines, path::refusal::Refusal};

const STEP: Duration = Duration::from_millis(50);

/// What becomes of connections to the own port, to others, and of SYNs, by when they were sent.
struct Network {
    own: ByteFate,
    others: ByteFate,
    control: fn(Moment) -> Fate,
}

const DEAD: Network =
    Network { own: ByteFate::Unacknowledged, others: ByteFate::Unacknowledged, control: |_| Fate::Answered };

fn takes(fate: ByteFate) -> Duration {
    match fate {
        ByteFate::Unacknowledged => Duration::from_secs(6),
        ByteFate::Unconnected => Duration::from_millis(7500),
        _ => STEP,
    }
}

struct Play {
    payload: Payload,
    now: Moment,
    ids: u64,
    told: Vec<(Moment, ProbeId, ByteFate)>,
    controls: Vec<(Moment, (u32, usize), Fate)>,
    connections: usize,
}

impl Play {
    fn new() -> Self {
        let (told, controls) = (Vec::new(), Vec::new());
        Self { payload: Payload::new(443, 7), now: STEP, ids: 0, told, controls, connections: 0 }
    }

    /// Plays until that holds, a minute and more at most; says how long it took.
    fn until(&mut self, network: &Network, holds: impl Fn(&Payload) -> bool) -> Duration {
        let began = self.now;
        while !holds(&self.payload) {
            assert!(self.now < began + Duration::from_secs(200), "{:?}", self.payload);
            self.step(network);
        }
        self.now.saturating_sub(began)
    }

    fn step(&mut self, network: &Network) {
        self.now += STEP;
        let now = self.now;
        self.payload.look(now);
        while let Some(due) = self.payload.due(now) {
            match due {
                PayloadProbe::Byte { port, .. } => {
                    self.ids += 1;
                    self.connections += 1;
                    let id = ProbeId(self.ids);
                    self.payload.sent(due, Some(id), now);
                    let fate = if port == 443 { network.own } else { network.others };
                    self.told.push((now + takes(fate), id, fate));
                }
                PayloadProbe::Control { of } => {
                    self.payload.sent(due, None, now);
                    self.controls.push((now + STEP, of, (network.control)(now)));
                }
            }
        }
        for (_, id, fate) in self.told.extract_if(.., |(at, ..)| *at <= now) {
            self.payload.learn_fate(id, fate, now);
        }
        for (_, of, fate) in self.controls.extract_if(.., |(at, ..)| *at <= now) {
            self.payload.resolve_control(of, fate, now);
        }
    }
}

fn state(payload: &Payload, state: TcpState) -> bool {
    payload.state() == Some(state)
}

#[test]
fn an_acknowledged_byte_ends_the_question_and_the_next_one_comes_a_minute_later() {
    let mut play = Play::new();
    let network = Network { own: ByteFate::Passed, ..DEAD };
    play.until(&network, |payload| state(payload, TcpState::Answers));
    for _ in 0..5 * 60 * 20 {
        play.step(&network);
    }
    assert!((5..=7).contains(&play.connections), "{}", play.connections);
    assert_eq!(play.payload.in_words(true), ["a byte on a connection to TCP port 443 was acknowledged"]);
    assert!(play.payload.in_words(false).is_empty());
}

#[test]
fn ten_connections_that_take_no_byte_beside_answered_syns_are_proof() {
    let mut play = Play::new();
    let took = play.until(&DEAD, |payload| state(payload, TcpState::PayloadDead));
    assert!(took < Duration::from_secs(20), "{took:?}");
    let said = lines(&play.payload.in_words(false));
    for words in [
        "SYNs are answered, payload is not: 10 connections to TCP port 443 acknowledged no byte",
        "middlebox",
    ] {
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn where_only_the_kernels_syns_are_silent_it_is_the_kernel_that_is_dead() {
    let mut play = Play::new();
    let silent = ByteFate::Unconnected;
    let network = Network { own: silent, others: silent, ..DEAD };
    play.until(&network, |payload| state(payload, TcpState::KernelDead));
    let said = lines(&play.payload.in_words(false));
    assert!(said.contains("raw SYNs pass, the kernel's own connections do not"), "{said}");
    // A port that refuses shows that the kernel's SYNs pass.
    let mut play = Play::new();
    play.until(&Network { own: silent, others: ByteFate::Refused, ..DEAD }, |payload| {
        state(payload, TcpState::PayloadFiltered)
    });
}

#[test]
fn another_port_that_takes_a_byte_makes_it_a_filter_and_one_that_refuses_does_not() {
    let mut play = Play::new();
    play.until(&Network { others: ByteFate::Passed, ..DEAD }, |payload| {
        state(payload, TcpState::PayloadFiltered)
    });
    assert!(play.payload.in_words(false)[0].contains("port 22 works"));
    // Behind the filter all falls silent.
    play.until(&DEAD, |payload| state(payload, TcpState::PayloadDead));
    let mut play = Play::new();
    play.until(&Network { others: ByteFate::Refused, ..DEAD }, |payload| {
        state(payload, TcpState::PayloadDead)
    });
}

#[test]
fn connections_in_an_outage_prove_nothing() {
    let mut play = Play::new();
    play.until(&Network { control: |_| Fate::Lost, ..DEAD }, Payload::is_exhausted);
    assert_eq!(play.payload.state(), None);
    assert!(play.payload.is_open());
}

#[test]
fn one_success_within_a_burst_voids_it() {
    let mut play = Play::new();
    play.until(&DEAD, Payload::is_asking);
    for _ in 0..20 * 8 {
        play.step(&DEAD);
    }
    assert!(play.payload.is_asking());
    play.until(&Network { own: ByteFate::Passed, ..DEAD }, |payload| state(payload, TcpState::Answers));
    assert!(!play.payload.is_asking());
}

#[test]
fn it_is_over_at_two_successes_of_five() {
    let mut play = Play::new();
    play.until(&DEAD, |payload| state(payload, TcpState::PayloadDead));
    let network = Network { own: ByteFate::Passed, ..DEAD };
    let took = play.until(&network, |payload| state(payload, TcpState::Answers));
    assert!(took < Duration::from_secs(12), "{took:?}");
}

#[test]
fn another_port_that_is_back_makes_a_filter_only_where_the_own_one_is_not() {
    let all = Network { own: ByteFate::Passed, others: ByteFate::Passed, ..DEAD };
    for wait in 0..20 {
        let mut play = Play::new();
        play.until(&DEAD, |payload| state(payload, TcpState::PayloadDead));
        for _ in 0..wait * 20 {
            play.step(&DEAD);
        }
        let over = |payload: &Payload| !state(payload, TcpState::PayloadDead);
        play.until(&all, over);
        assert_eq!(play.payload.state(), Some(TcpState::Answers), "after {wait} s");
    }
    let mut play = Play::new();
    play.until(&DEAD, |payload| state(payload, TcpState::PayloadDead));
    play.until(&Network { others: ByteFate::Passed, ..DEAD }, |payload| {
        state(payload, TcpState::PayloadFiltered)
    });
}

#[test]
fn what_nobody_heard_or_never_left_proves_nothing() {
    let mut play = Play::new();
    for _ in 0..20 * 60 {
        play.step(&DEAD);
        play.payload.interrupted();
    }
    assert_eq!((play.payload.state(), play.payload.is_asking()), (None, false));
    // Nor does it make the path well that others had all places.
    let mut play = Play::new();
    for _ in 0..20 * 60 {
        play.step(&Network { own: ByteFate::Crowded, ..DEAD });
        assert!(play.payload.is_open());
    }
    let mut play = Play::new();
    play.until(&Network { own: ByteFate::NotSent(Refusal::Unable), ..DEAD }, |payload| !payload.is_open());
    assert_eq!(play.payload.state(), None);
}
