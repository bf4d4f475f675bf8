//! What a healthy path costs while nothing changes, counted and not timed: visits, observations,
//! allocations, memory. Each is the same for a hundred paths and for two thousand.

use std::{sync::Arc, time::Duration};

use crate::{
    model::{
        family::Family,
        plan::PathPlan,
        state::{State, stale},
        types::{PathName, Site, Source, Verdict},
    },
    path::{
        budget::Budget,
        hole::detect::Urgency,
        probe::{Answer, Moment, Reply, Send},
        prober::PathProber,
        settings::{Counts, HostMtu, IcmpProbes, Settings, TcpProbes},
    },
    probe::engine::{TICK, Track, VISIT, wheel::Wheel},
    web::{SelfInfo, metrics},
    work::heap,
};

/// After this time every path is `ok` and nothing is searched.
const WARM_UP: Duration = Duration::from_secs(8);
/// How long is counted.
const COUNTED: Duration = Duration::from_secs(5);

struct SteadyPaths {
    state: State,
    tracks: Vec<Track>,
    wheel: Wheel,
    budget: Budget,
    now: Moment,
    visits: u64,
    observations: u64,
    out: Vec<Send>,
    due: Vec<usize>,
}

fn track(number: usize, state: &State) -> Track {
    let plan = PathPlan {
        name: PathName(format!("to-site-{number}")),
        source: Source::from("dc"),
        site: Site::from(format!("site-{number}").as_str()),
        address: format!("10.9.{}.{}", number / 250, number % 250),
        family: None,
        tcp_port: None,
        probe_interval: Duration::from_secs(1),
        sentinel_interval: Duration::from_secs(1),
        expected_mtu: None,
        loss_threshold: 0.03,
        reflector: None,
    };
    let settings = Settings {
        probe_interval: plan.probe_interval,
        sentinel_interval: plan.sentinel_interval,
        expected_mtu: None,
        loss_threshold: plan.loss_threshold,
        family: Family::V4,
        icmp: IcmpProbes::Fragments,
        tcp: TcpProbes::None,
        tcp_port: 0,
        borrows_port: false,
    };
    let rule = "our egress eth0".into();
    let hosts = HostMtu { testable: 1500, hosts: 1500, rule, pending: false, above: None };
    let counts = Counts::with(state.new_counters());
    let mut prober = PathProber::new(settings, hosts, number as u64, Duration::ZERO);
    prober.take_over(counts.clone());
    let mut track = Track::new(plan, counts, Duration::ZERO);
    track.prober = Some(prober);
    track
}

impl SteadyPaths {
    fn new(count: usize) -> Self {
        let state = State::default();
        let tracks: Vec<_> = (0..count).map(|number| track(number, &state)).collect();
        let mut wheel = Wheel::default();
        (0..count).for_each(|number| wheel.touch(number));
        let budget = Budget::new(200);
        Self {
            state,
            tracks,
            wheel,
            budget,
            now: Duration::ZERO,
            visits: 0,
            observations: 0,
            out: Vec::new(),
            due: Vec::new(),
        }
    }

    /// As the engine's loop does, with targets that answer at once.
    fn play(&mut self, until: Moment) {
        while self.now < until {
            let next = self.wheel.next_at().unwrap_or(until);
            self.now = next.max(self.now + TICK);
            self.budget.fill(self.now);
            let mut due = std::mem::take(&mut self.due);
            self.wheel.take_due(self.now, usize::MAX, &mut due);
            for number in &due {
                self.visit(*number);
            }
            self.due = due;
        }
    }

    fn visit(&mut self, number: usize) {
        let (now, track) = (self.now, &mut self.tracks[number]);
        self.visits += 1;
        track.counters().runs(stale::now());
        let Some(prober) = &mut track.prober else { return };
        prober.regular(now, &mut self.out);
        if prober.may_burst(now) {
            for urgency in Urgency::ALL {
                prober.burst(urgency, now, &mut self.budget, &mut self.out);
            }
        }
        for send in self.out.drain(..) {
            match send {
                Send::Echo { seq } => prober.echo_reply(seq, Duration::from_millis(1), now),
                Send::Probe(probe) => prober.answer(probe.id, Answer::Passed(Reply::default()), now),
                Send::Byte { .. } | Send::Renew => {}
            }
        }
        self.wheel.plan(number, prober.next_at().min(now + VISIT));
        if track.is_to_publish(self.state.asked(), now) {
            self.observations += 1;
            let observation = Arc::new(track.observation());
            track.published(Arc::clone(&observation), self.state.asked(), now);
            self.state.put_path(observation);
        }
    }
}

/// Per hundred paths: visits, observations, allocations of probing, allocations of a scrape, and
/// bytes a path.
fn steady(count: usize) -> [u64; 5] {
    let (_, before) = heap();
    let mut paths = SteadyPaths::new(count);
    paths.play(WARM_UP);
    let per_hundred = |number: u64| number * 100 / count as u64;
    let held = u64::try_from(heap().1 - before).unwrap_or_default() / count as u64;
    let (visits, observations) = (paths.visits, paths.observations);
    let (allocations, _) = heap();
    paths.play(WARM_UP + COUNTED);
    let probing = heap().0 - allocations;
    let present = paths.state.present();
    for path in &present.paths {
        assert_eq!(path.judgement.verdict, Verdict::Ok, "{:?}", path.judgement);
    }
    let (allocations, _) = heap();
    let text = metrics::render(&present, &SelfInfo::default()).expect("metrics");
    let scrape = heap().0 - allocations;
    assert!(text.lines().count() > 30 * count);
    [
        per_hundred(paths.visits - visits),
        per_hundred(paths.observations - observations),
        per_hundred(probing),
        per_hundred(scrape),
        held,
    ]
}

#[test]
fn a_path_costs_the_same_among_a_hundred_and_among_two_thousand() {
    let (few, many) = (steady(100), steady(2000));
    eprintln!("visits, observations, allocations, allocations of a scrape, bytes: {few:?} {many:?}");
    assert_eq!([few[1], many[1]], [0, 0], "no observation is made while nothing changes");
    for (few, many) in [0, 2, 4].map(|place| (few[place], many[place])) {
        assert!(few.abs_diff(many) <= few.max(many) / 10, "{few} and {many}");
    }
    // What a scrape allocates for the process itself weighs more on few paths.
    assert!(many[3] <= few[3], "{few:?} and {many:?}");
    assert!(many[4] < 20_000, "{} bytes a path", many[4]);
}
