use std::collections::BTreeSet;

use fastrand::Rng;
use proptest::prelude::*;

use super::*;
use crate::{
    model::{snapshot::ScrapeError, types::InterfaceName},
    router::shell::Shell,
};

/// An underlay that a test describes, and the packets sent into it.
struct Sim {
    /// Larger packets vanish.
    edge: Bytes,
    /// Larger packets are answered "fragmentation needed" instead.
    signals: Option<Bytes>,
    /// Lost on each way, 0 to 1.
    loss: f64,
    rng: Rng,
    packets: u32,
    most_at_once: u32,
}

impl Sim {
    fn new(edge: Bytes, loss: f64, seed: u64) -> Self {
        Self { edge, signals: None, loss, rng: Rng::with_seed(seed), packets: 0, most_at_once: 0 }
    }

    fn comes_back(&mut self) -> bool {
        self.rng.f64() >= self.loss && self.rng.f64() >= self.loss
    }
}

impl PingPairs for Sim {
    fn pairs(&mut self, _leg: &LegAsk, question: Question, _until: Instant) -> Result<PingReplies, NotAsked> {
        self.packets += 2 * question.count;
        self.most_at_once = self.most_at_once.max(question.count);
        let too_big = self.signals.filter(|mtu| question.size > *mtu);
        let fits = question.size <= self.edge && too_big.is_none();
        let pairs = (0..question.count).map(|_| (self.comes_back() && fits, self.comes_back())).collect();
        Ok(PingReplies { pairs, rtt: (Duration::from_millis(5), 1), too_big })
    }

    fn small(&mut self, _leg: &LegAsk, count: u32, _until: Instant) -> Result<PingReplies, NotAsked> {
        let pairs = (0..count).map(|_| (false, self.comes_back())).collect();
        Ok(PingReplies { pairs, rtt: (Duration::from_millis(5), 1), too_big: None })
    }
}

fn ask(top: Bytes, hints: &[Bytes]) -> LegAsk {
    LegAsk {
        remote: "10.10.0.254".parse().unwrap(),
        source: "10.10.10.254".parse().ok(),
        device: None,
        top,
        hints: hints.to_vec(),
        pings: 10,
        every: Duration::ZERO,
    }
}

/// Plays that many turns, with time for the most that a turn may send, and checks each.
fn play(sim: &mut Sim, ask: &LegAsk, turns: usize) -> LegReading {
    let mut legs = Legs::default();
    for _ in 0..turns {
        let before = sim.packets;
        legs.turn(std::slice::from_ref(ask), sim, Instant::now() + TURN * 2);
        assert!(sim.packets - before <= PACKETS, "{} packets in a turn", sim.packets - before);
    }
    legs.readings(Instant::now()).remove(&ask.remote).unwrap()
}

#[test]
fn a_healthy_leg_takes_ten_pairs_and_one_turn() {
    let mut sim = Sim::new(9000, 0.0, 1);
    let reading = play(&mut sim, &ask(1550, &[]), 1);
    assert_eq!((reading.mtu(), reading.loss(), sim.packets), (Some(1550), Some(0.0), 20));
    assert!(reading.is_settled());
}

#[test]
fn a_silent_edge_is_found_to_the_byte_within_six_turns_where_a_path_hints_at_it() {
    let reading = play(&mut Sim::new(1478, 0.0, 1), &ask(1550, &[1478]), 6);
    assert!(
        matches!(reading.sizes, LegSizes::Silent { answered: 1478, exact: true, pairs: 40.. }),
        "{reading:?}"
    );
    assert_eq!(reading.edge(), Some((1478, 40)));
}

#[test]
fn a_signal_is_no_hole() {
    let mut sim = Sim { signals: Some(1478), ..Sim::new(9000, 0.0, 1) };
    let reading = play(&mut sim, &ask(1550, &[]), 2);
    assert_eq!((reading.mtu(), reading.signalled, reading.edge()), (Some(1478), Some(1478), None));
}

/// A loss that has ended must not be told for as long as forty questions take.
#[test]
fn loss_and_signals_are_forgotten_after_ten_minutes() {
    let began = Instant::now();
    let mut leg = Leg::new(&ask(1550, &[]), began);
    let heard = |answered: u32| PingReplies {
        pairs: (0..10).map(|number| (false, number < answered)).collect(),
        ..PingReplies::default()
    };
    leg.count(&heard(6), began);
    leg.count(&heard(10), began + WINDOW_TIME / 2);
    let counts = |at: Duration| {
        let reading = leg.reading(began + at);
        (reading.sent, reading.lost)
    };
    assert_eq!(counts(WINDOW_TIME), (20, 4));
    assert_eq!(counts(WINDOW_TIME + Duration::from_secs(1)), (10, 0));
    assert_eq!(counts(WINDOW_TIME * 9), (10, 0), "the last stands until there is another");
    let question = Question { size: 1550, count: 10, large_first: true };
    leg.hear(question, &PingReplies { too_big: Some(1478), ..heard(10) }, began);
    let told = |leg: &Leg| (leg.reading(began).signalled, leg.hunt.size());
    leg.look_at(&ask(1550, &[]), began + SIGNAL_KEPT / 2);
    assert_eq!(told(&leg), (Some(1478), 1478));
    leg.look_at(&ask(1550, &[]), began + SIGNAL_KEPT);
    assert_eq!(told(&leg), (None, 1550));
}

#[test]
fn where_nothing_is_answered_nothing_is_said_of_sizes() {
    let reading = play(&mut Sim::new(0, 1.0, 1), &ask(1550, &[]), 8);
    assert_eq!((reading.mtu(), reading.edge(), reading.loss()), (None, None, Some(1.0)));
    assert!(matches!(reading.sizes, LegSizes::NotMeasured { .. }), "{reading:?}");
}

#[test]
fn legs_take_turns_and_one_that_is_not_asked_for_is_forgotten() {
    let (mut sim, mut legs) = (Sim::new(9000, 0.0, 1), Legs::default());
    let mut other = ask(1550, &[]);
    other.remote = "10.10.20.254".parse().unwrap();
    let both = [ask(1550, &[]), other.clone()];
    for _ in 0..2 {
        legs.turn(&both, &mut sim, Instant::now() + TURN);
    }
    assert_eq!(legs.readings(Instant::now()).len(), 2);
    legs.turn(&[other], &mut sim, Instant::now() + TURN);
    assert_eq!(legs.readings(Instant::now()).len(), 1);
}

#[test]
fn a_turn_without_time_asks_nothing_and_a_settled_leg_rests() {
    let (mut sim, mut legs) = (Sim::new(9000, 0.0, 1), Legs::default());
    legs.turn(&[ask(1550, &[])], &mut sim, Instant::now() + PATIENCE);
    assert_eq!((sim.packets, legs.readings(Instant::now()).len()), (0, 0));
    let rarely = LegAsk { every: Duration::from_mins(5), ..ask(1550, &[]) };
    for _ in 0..3 {
        legs.turn(std::slice::from_ref(&rarely), &mut sim, Instant::now() + TURN);
    }
    assert_eq!(sim.packets, 20, "one turn");
    // A path over the tunnel is in trouble now.
    legs.turn(&[ask(1550, &[])], &mut sim, Instant::now() + TURN);
    assert_eq!(sim.packets, 40, "at once");
}

/// A router that cannot ping: it is asked once, and not in a loop.
struct Refuses(u32);

impl PingPairs for Refuses {
    fn pairs(
        &mut self,
        _leg: &LegAsk,
        _question: Question,
        _until: Instant,
    ) -> Result<PingReplies, NotAsked> {
        self.0 += 1;
        Err(NotAsked::All("there is no `ping`".into()))
    }

    fn small(&mut self, _leg: &LegAsk, _count: u32, _until: Instant) -> Result<PingReplies, NotAsked> {
        unreachable!("nothing is said of sizes alone")
    }
}

#[test]
fn a_router_that_cannot_ping_is_left_alone_for_minutes() {
    let (mut wire, mut legs) = (Refuses(0), Legs::default());
    for _ in 0..10 {
        legs.turn(&[ask(1550, &[])], &mut wire, Instant::now() + TURN);
    }
    assert_eq!(wire.0, 1);
    let reading = &legs.readings(Instant::now())[&ask(1550, &[]).remote];
    assert_eq!(reading.sizes, LegSizes::NotMeasured { why: "there is no `ping`".into() });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Under loss of up to 20 % each way no hole is claimed that is not there, and one that is
    /// there is claimed at its own size or not yet.
    #[test]
    fn an_edge_is_never_invented(edge in 1200..1600_u32, loss in 0.0..0.2_f64, seed: u64) {
        let reading = play(&mut Sim::new(edge, loss, seed), &ask(1550, &[]), 14);
        if let Some((answered, pairs)) = reading.edge() {
            prop_assert!(edge < 1550, "{reading:?}");
            prop_assert_eq!(answered, edge);
            prop_assert!(pairs >= 40);
        }
        if let Some(mtu) = reading.mtu() {
            prop_assert!(mtu <= edge);
        }
    }

    /// Whatever a router or a configuration says, the script consists of known words, addresses
    /// and numbers.
    #[test]
    fn no_text_of_others_reaches_a_shell(
        remote: std::net::IpAddr, source: Option<std::net::IpAddr>, device in "\\PC{1,15}",
        sizes: [u32; 2], count: u32, first: bool
    ) {
        let device = InterfaceName::new(&device);
        let leg = LegAsk { remote, source, device: device.clone(), ..ask(1550, &[]) };
        for script in [ping::script(&leg, sizes, count, first), ping::plain_script(&leg, sizes[0], count)] {
            let Ok(script) = script else { continue };
            let known: BTreeSet<&str> = ["t", "l", "s", "ping", "-n", "-c", "-i", "0.2", "-W", "1", "-M", "do", "-s", "-I", "&"].into();
            let of_ping = script.lines().filter(|line| line.starts_with("t l ") || line.starts_with("t s "));
            for word in of_ping.flat_map(|line| line.split(' ')) {
                let device = device.as_ref().is_some_and(|name| {
                    name.as_str() == word && word.bytes().all(|it| it.is_ascii_alphanumeric() || b"._-".contains(&it))
                });
                let fine = known.contains(word) || word.parse::<u32>().is_ok() || word.parse::<IpAddr>().is_ok();
                prop_assert!(fine || device, "{word:?} in {script}");
            }
            prop_assert!(script.lines().count() <= 7, "{script}");
        }
    }
}

/// A shell that runs scripts on this machine with a `ping` of the test's own.
struct Local(tempfile::TempDir);

impl Shell for Local {
    fn exec(&mut self, script: &str, _deadline: Instant) -> Result<String, ScrapeError> {
        let path = format!("export PATH={}:/usr/bin:/bin", self.0.path().display());
        let script = script.replace("export PATH=/usr/sbin:/usr/bin:/sbin:/bin", &path);
        let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        Ok(String::from_utf8(output.stdout).unwrap())
    }
}

fn with_ping(program: &str) -> Local {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ping");
    std::fs::write(&file, format!("#!/bin/sh\n{program}\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    Local(directory)
}

#[test]
fn the_script_runs_both_pings_and_tells_them_apart() {
    let program = r#"echo "PING"
while [ "$1" != -s ]; do shift; done; size=$2
[ "$size" = 1450 ] && echo "From 10.0.0.1 icmp_seq=1 Frag needed and DF set (mtu = 1400)" && echo "3 packets transmitted, 0 received, +1 errors, 100% packet loss, time 1ms" && exit 1
for n in 1 3; do echo "$((size + 8)) bytes from 10.10.0.254: icmp_seq=$n ttl=63 time=2.00 ms"; done
echo "3 packets transmitted, 2 received, 33% packet loss, time 1ms""#;
    let mut shell = with_ping(program);
    let question = Question { size: 1478, count: 3, large_first: true };
    let heard = ping::ShellWire(&mut shell).pairs(&ask(1550, &[]), question, Instant::now() + TURN).unwrap();
    assert_eq!(heard.pairs, [(false, true), (false, false), (false, true)]);
    assert_eq!((heard.too_big, heard.rtt), (Some(1400), (Duration::from_millis(4), 2)));
}

#[test]
fn a_busybox_ping_tells_loss_and_says_that_it_knows_no_sizes() {
    let program = r#"for word; do [ "$word" = -M ] && echo "ping: invalid option -- 'M'" >&2 && exit 1; done
echo "48 bytes from 10.10.0.254: seq=0 ttl=63 time=2.0 ms"
echo "5 packets transmitted, 1 packets received, 80% packet loss""#;
    let (mut shell, mut legs) = (with_ping(program), Legs::default());
    legs.turn(&[ask(1550, &[])], &mut ping::ShellWire(&mut shell), Instant::now() + TURN);
    let reading = &legs.readings(Instant::now())[&ask(1550, &[]).remote];
    assert_eq!((reading.sent, reading.lost, reading.mtu()), (5, 4, None));
    assert!(
        matches!(&reading.sizes, LegSizes::NotMeasured { why } if why.contains("busybox")),
        "{reading:?}"
    );
}

/// A key bound to a command, or a shell that refuses scripts.
struct Forced(u32);

impl Shell for Forced {
    fn exec(&mut self, _script: &str, _deadline: Instant) -> Result<String, ScrapeError> {
        self.0 += 1;
        Ok("this key is for reading only\n".to_owned())
    }
}

#[test]
fn a_key_bound_to_a_command_is_asked_once_and_not_in_a_loop() {
    let (mut shell, mut legs) = (Forced(0), Legs::default());
    for _ in 0..10 {
        legs.turn(&[ask(1550, &[])], &mut ping::ShellWire(&mut shell), Instant::now() + TURN);
    }
    assert_eq!(shell.0, 1);
    let reading = &legs.readings(Instant::now())[&ask(1550, &[]).remote];
    let later = Instant::now() + FAILED_REST;
    assert!(
        !legs.0[&ask(1550, &[]).remote].is_due(&ask(1550, &[]), later),
        "no sooner than what cannot be helped"
    );
    assert!(
        matches!(&reading.sizes, LegSizes::NotMeasured { why } if why.contains("this key is for reading only")),
        "{reading:?}"
    );
}

#[test]
fn a_ping_that_prints_something_else_is_said_to_be_unread() {
    for (program, words) in [
        ("echo '1 Pakete übertragen'", "parse"),
        ("echo '9 packets transmitted, 0 received, 100% packet loss'", "parse"),
        ("echo 'ping: socket: Operation not permitted' >&2; exit 2", "may not use `ping`"),
    ] {
        let mut shell = with_ping(program);
        let question = Question { size: 1478, count: 3, large_first: true };
        let heard = ping::ShellWire(&mut shell).pairs(&ask(1550, &[]), question, Instant::now() + TURN);
        let Err(NotAsked::All(why)) = heard else { panic!("{heard:?}") };
        assert!(why.contains(words), "{why}");
    }
}
