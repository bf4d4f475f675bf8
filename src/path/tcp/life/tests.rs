use super::*;
use crate::{language::lines, path::tcp::recent::LAST};

fn suspicious() -> TcpLife {
    let mut life = TcpLife::new(443);
    life.lost(443, true, true, PACE.spacing);
    assert!(!life.is_asking(), "one loss is none");
    life.lost(443, true, true, PACE.spacing);
    assert!(life.is_asking());
    life
}

/// Plays pairs until the burst ends: what becomes of SYNs to the own port, to others, and of
/// echoes.
fn play(life: &mut TcpLife, own: Fate, others: Fate, control: impl Fn(usize) -> Fate) -> Duration {
    let (mut now, mut rng) = (PACE.spacing, Rng::with_seed(7));
    while life.is_asking() {
        now += PACE.spacing;
        while let Some(pair) = life.due(now, &mut rng) {
            life.sent(pair, now);
            let syn = if pair.port == 443 { own } else { others };
            if syn == Fate::Answered {
                life.heard(pair.port, now);
            }
            life.resolve(pair.serial, pair.pair, true, syn, now);
            life.resolve(pair.serial, pair.pair, false, control(pair.pair), now);
        }
    }
    now
}

#[test]
fn forty_silent_syns_and_twenty_to_other_ports_beside_answered_echoes_are_proof() {
    let mut life = suspicious();
    let took = play(&mut life, Fate::Lost, Fate::Lost, |_| Fate::Answered);
    assert_eq!(life.state(), Some(TcpState::Dead));
    assert!(took >= Duration::from_secs(4), "{took:?}");
    let said = lines(&life.in_words());
    for words in ["40 SYNs to port 443 and 20 to ports 22, 80, 6443, 1", "tx-checksum-ip-generic off"] {
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn syns_whose_echo_is_lost_too_prove_nothing() {
    let mut life = suspicious();
    play(&mut life, Fate::Lost, Fate::Lost, |_| Fate::Lost);
    assert_eq!((life.state(), life.is_exhausted()), (None, true));
}

#[test]
fn with_every_second_echo_lost_it_takes_twice_as_many() {
    let mut life = suspicious();
    play(&mut life, Fate::Lost, Fate::Lost, |pair| [Fate::Lost, Fate::Answered][pair / 3 % 2]);
    assert_eq!(life.state(), Some(TcpState::Dead));
    assert!(!life.in_words()[0].contains(" 0 echoes lost"), "{:?}", life.in_words());
}

#[test]
fn one_answer_of_the_port_ends_it_whatever_it_is() {
    let mut life = suspicious();
    play(&mut life, Fate::Answered, Fate::Lost, |_| Fate::Answered);
    assert_eq!(life.state(), Some(TcpState::Answers));
}

#[test]
fn another_port_that_answers_makes_it_a_filter() {
    let mut life = suspicious();
    play(&mut life, Fate::Lost, Fate::Answered, |_| Fate::Answered);
    assert_eq!(life.state(), Some(TcpState::Filtered));
    assert!(life.in_words()[0].contains("TCP port 443 of the target does not answer while port"));
}

#[test]
fn silence_ends_at_two_answers_and_what_is_dead_becomes_filtered() {
    let mut life = suspicious();
    play(&mut life, Fate::Lost, Fate::Lost, |_| Fate::Answered);
    life.heard(22, PACE.spacing);
    assert_eq!(life.state(), Some(TcpState::Dead));
    life.heard(80, PACE.spacing);
    assert_eq!(life.state(), Some(TcpState::Filtered));
    life.heard(443, PACE.spacing);
    assert!(life.is_silent());
    life.heard(443, PACE.spacing);
    assert_eq!(life.state(), Some(TcpState::Answers));
}

#[test]
fn a_filter_behind_which_all_falls_silent_is_looked_at_again() {
    let mut life = suspicious();
    play(&mut life, Fate::Lost, Fate::Answered, |_| Fate::Answered);
    let later = Duration::from_mins(2);
    for _ in 0..LAST {
        life.lost(22, true, true, later);
    }
    assert!(life.is_asking());
}
