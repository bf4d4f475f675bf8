//! Plays the pure path prober against simulated networks described in `tests/scenarios/*.yml`:
//! network in, verdict out. A new case is a new file.

use std::{
    cmp::Reverse as Earliest,
    collections::BinaryHeap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use fastrand::Rng;
use serde::Deserialize;
use vxlan_exporter::{
    overlay::{
        observation::Judgement,
        path::{
            asking::Urgency,
            budget::Budget,
            probe::{Answer, Family, Lane, Probe, ProbeId, Reply, Send, fragments_of},
            prober::{HostMtu, IcmpProbes, PathProber, Settings, TcpProbes},
        },
    },
    types::ProbeSize,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    /// What this is about, for a person.
    #[serde(rename = "about")]
    _about: String,
    #[serde(default = "one_run")]
    runs: u64,
    seconds: u64,
    #[serde(default)]
    prober: Prober,
    network: Network,
    #[serde(default)]
    changes: Vec<Change>,
    expect: Vec<Expect>,
    /// Verdicts never seen at any time.
    #[serde(default)]
    never: Vec<String>,
}

fn one_run() -> u64 {
    1
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Prober {
    hosts: u32,
    testable: Option<u32>,
    expected: Option<u32>,
    port: bool,
    fragments: bool,
}

impl Default for Prober {
    fn default() -> Self {
        Self { hosts: 1500, testable: None, expected: None, port: true, fragments: true }
    }
}

/// One network, as seen from the prober.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Network {
    rtt_ms: u64,
    /// Nothing gets through.
    down: bool,
    icmp: bool,
    /// MSS of the SYN-ACK; absent: a closed port, which answers RST.
    mss: Option<u16>,
    /// A firewall drops ICMP packets larger than this.
    icmp_filter: Option<u32>,
    /// Signals per second at most; absent: all.
    signals_per_second: Option<f64>,
    forward: Way,
    reverse: Way,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            rtt_ms: 2,
            down: false,
            icmp: true,
            mss: Some(1460),
            icmp_filter: None,
            signals_per_second: None,
            forward: Way::default(),
            reverse: Way::default(),
        }
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Way {
    /// Loss of each packet, 0..1.
    loss: f64,
    /// A byte policer, with the traffic of others.
    policer: Option<Policer>,
    /// On the way in this order.
    bottlenecks: Vec<Bottleneck>,
}

/// A token bucket of bytes; what does not fit is dropped.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Policer {
    bytes_per_second: f64,
    bucket: f64,
    /// Bytes others send, as a multiple of the rate.
    overload: f64,
    #[serde(skip)]
    tokens: f64,
}

impl Policer {
    /// One step of the simulation: fills the bucket, and others take from it.
    fn step(&mut self, seconds: f64, rng: &mut Rng) {
        self.tokens = (self.tokens + self.bytes_per_second * seconds).min(self.bucket);
        let mut others = self.bytes_per_second * seconds * self.overload * 2.0 * rng.f64();
        while others > 0.0 {
            let size = f64::from(rng.u32(68..=1500));
            others -= size;
            self.takes(size);
        }
    }

    fn takes(&mut self, size: f64) -> bool {
        let fits = self.tokens >= size;
        self.tokens -= if fits { size } else { 0.0 };
        fits
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bottleneck {
    /// Larger packets do not pass in one piece.
    above: u32,
    /// DF packets are answered "fragmentation needed" with this MTU, others fragmented; absent: all vanish.
    signals: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    at_second: u64,
    network: Network,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    /// From this second on, to `until` or the end, all of this holds at every moment.
    from_second: u64,
    until_second: Option<u64>,
    verdict: String,
    reason: Option<String>,
    holes: Option<Vec<String>>,
    forward_mtu: Option<u32>,
    reverse_mtu: Option<u32>,
}

const SMALL: u32 = Family::V4.small();

enum Arrival {
    Echo(u64),
    Probe(ProbeId, Answer),
}

impl Way {
    /// `Ok` if a packet of `size` passes, else the signal's MTU if there is one.
    fn passes(&mut self, size: u32, df: bool, rng: &mut Rng) -> Result<(), Option<u32>> {
        let policed = self.policer.as_mut().is_some_and(|policer| !policer.takes(f64::from(size)));
        if policed || rng.f64() < self.loss {
            return Err(None);
        }
        for bottleneck in &self.bottlenecks {
            if size > bottleneck.above {
                match bottleneck.signals {
                    Some(mtu) if df => return Err(Some(mtu)),
                    Some(_) => {}
                    None => return Err(None),
                }
            }
        }
        Ok(())
    }
}

struct World {
    network: Network,
    rng: Rng,
    signal_tokens: f64,
}

impl World {
    fn ping(&mut self, size: u32, df: bool) -> Option<Answer> {
        let filtered = self.network.icmp_filter.is_some_and(|limit| size > limit);
        if self.network.down || !self.network.icmp || filtered {
            return None;
        }
        match self.network.forward.passes(size, df, &mut self.rng) {
            Ok(()) => {}
            Err(signal) => return self.signal(signal),
        }
        let back = self.network.reverse.passes(size, false, &mut self.rng);
        back.is_ok().then_some(Answer::Passed(Reply::default()))
    }

    fn signal(&mut self, signal: Option<u32>) -> Option<Answer> {
        let mtu = signal?;
        if self.network.signals_per_second.is_some() {
            if self.signal_tokens < 1.0 {
                return None;
            }
            self.signal_tokens -= 1.0;
        }
        let back = self.network.reverse.passes(SMALL, false, &mut self.rng);
        back.is_ok().then_some(Answer::TooBig { mtu })
    }

    fn probe(&mut self, probe: Probe) -> Option<Answer> {
        let size = if probe.purpose == ProbeSize::Control { SMALL } else { probe.size };
        match probe.lane {
            Lane::Echo => self.ping(size, true),
            Lane::Syn => {
                if self.network.down {
                    return None;
                }
                match self.network.forward.passes(size, true, &mut self.rng) {
                    Ok(()) => {}
                    Err(signal) => return self.signal(signal),
                }
                let back = self.network.reverse.passes(SMALL, false, &mut self.rng);
                back.is_ok().then_some(Answer::Passed(Reply { mss: self.network.mss, ..Reply::default() }))
            }
            Lane::Fragments => {
                // Every fragment must pass; the reply travels in one piece.
                let filtered = self.network.icmp_filter.is_some_and(|limit| size > limit);
                let forward = (0..fragments_of(Family::V4, probe.size))
                    .all(|_| self.network.forward.passes(SMALL, false, &mut self.rng).is_ok());
                if self.network.down || !self.network.icmp || filtered || !forward {
                    return None;
                }
                let back = self.network.reverse.passes(size, false, &mut self.rng);
                back.is_ok().then_some(Answer::Passed(Reply::default()))
            }
        }
    }
}

fn play(scenario: &Scenario, name: &str, seed: u64) {
    let prober = &scenario.prober;
    let settings = Settings {
        probe_interval: Duration::from_secs(1),
        sentinel_interval: Duration::from_secs(1),
        expected_mtu: prober.expected,
        loss_threshold: 0.03,
        family: Family::V4,
        icmp: if prober.fragments { IcmpProbes::Fragments } else { IcmpProbes::Sized },
        tcp: if prober.port { TcpProbes::Sized } else { TcpProbes::None },
    };
    let hosts = HostMtu {
        testable: prober.testable.unwrap_or(prober.hosts),
        hosts: prober.hosts,
        rule: "simulated".to_owned(),
    };
    let mut machine = PathProber::new(settings, hosts, seed, Duration::ZERO);
    let mut world =
        World { network: scenario.network.clone(), rng: Rng::with_seed(seed ^ 0x5eed), signal_tokens: 1.0 };
    let mut budget = Budget::new(200);
    let mut arrivals: BinaryHeap<Earliest<(Duration, u64)>> = BinaryHeap::new();
    let mut contents: std::collections::BTreeMap<u64, Arrival> = std::collections::BTreeMap::new();
    let mut serial = 0;
    let mut last: Option<Judgement> = None;
    let trace = std::env::var_os("TRACE").is_some();
    for tick in (0..scenario.seconds * 1000).step_by(2) {
        let now = Duration::from_millis(tick);
        if let Some(change) = scenario.changes.iter().find(|change| change.at_second * 1000 == tick) {
            world.network = change.network.clone();
        }
        if let Some(rate) = world.network.signals_per_second {
            world.signal_tokens = (world.signal_tokens + rate / 500.0).min(1.0);
        }
        for way in [&mut world.network.forward, &mut world.network.reverse] {
            if let Some(policer) = &mut way.policer {
                policer.step(0.002, &mut world.rng);
            }
        }
        while arrivals.peek().is_some_and(|Earliest((at, _))| *at <= now) {
            let Some(Earliest((_, key))) = arrivals.pop() else { break };
            match contents.remove(&key) {
                Some(Arrival::Echo(seq)) => {
                    machine.echo_reply(seq, Duration::from_millis(world.network.rtt_ms), now);
                }
                Some(Arrival::Probe(id, answer)) => machine.answer(id, answer, now),
                None => {}
            }
        }
        let mut out = Vec::new();
        budget.fill(now);
        machine.regular(now, &mut out);
        for urgency in Urgency::ALL {
            machine.burst(urgency, now, &mut budget, &mut out);
        }
        let rtt = Duration::from_millis(world.network.rtt_ms);
        for send in out {
            let arrival = match send {
                Send::Echo { seq } => world.ping(SMALL, false).map(|_| Arrival::Echo(seq)),
                Send::Probe(probe) => world.probe(probe).map(|answer| Arrival::Probe(probe.id, answer)),
            };
            if let Some(arrival) = arrival {
                serial += 1;
                contents.insert(serial, arrival);
                arrivals.push(Earliest((now + rtt, serial)));
            }
        }
        if tick % 20 != 0 {
            continue;
        }
        let judgement = machine.judgement();
        if trace && last.as_ref() != Some(&judgement) {
            eprintln!("{name} seed {seed} {:.3} s: {judgement:#?}", now.as_secs_f64());
        }
        check(scenario, name, seed, tick, &judgement);
        last = Some(judgement);
    }
}

fn check(scenario: &Scenario, name: &str, seed: u64, tick: u64, judgement: &Judgement) {
    let context = || format!("{name}, seed {seed}, at {tick} ms: {judgement:#?}");
    let verdict = judgement.verdict.as_str();
    assert!(
        !scenario.never.iter().any(|never| never == verdict),
        "{} must never be seen\n{}",
        verdict,
        context()
    );
    for expect in &scenario.expect {
        let until = expect.until_second.unwrap_or(scenario.seconds) * 1000;
        if tick < expect.from_second * 1000 || tick >= until {
            continue;
        }
        assert_eq!(verdict, expect.verdict, "{}", context());
        let reason = judgement.unknown_reason.map(|reason| reason.as_str().to_owned());
        if expect.reason.is_some() {
            assert_eq!(reason, expect.reason, "{}", context());
        }
        if let Some(holes) = &expect.holes {
            let directions: Vec<&str> = judgement.holes.iter().map(|hole| hole.as_str()).collect();
            assert_eq!(&directions, holes, "{}", context());
        }
        if expect.forward_mtu.is_some() {
            assert_eq!(judgement.mtu_forward, expect.forward_mtu, "{}", context());
        }
        if expect.reverse_mtu.is_some() {
            assert_eq!(judgement.mtu_reverse, expect.reverse_mtu, "{}", context());
        }
    }
}

fn scenarios() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn every_scenario_reads_as_its_file_says() {
    let files = scenarios();
    assert!(files.len() >= 10, "{files:?}");
    let only = std::env::var("SCENARIO").ok();
    let mut failed = Vec::new();
    for file in files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        if only.as_ref().is_some_and(|only| *only != name) {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let scenario: Scenario =
            serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        for seed in 0..scenario.runs {
            let result = std::panic::catch_unwind(|| play(&scenario, &name, seed));
            if result.is_err() {
                failed.push(format!("{name} seed {seed}"));
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
