//! What one packet, one turn of a path, one verdict and one reading of a router take. `make bench`
//! puts the medians into docs/performance.md.

use std::{hint::black_box, net::Ipv4Addr, time::Duration};

use criterion::{Criterion, criterion_group, criterion_main};
use vxlan_exporter::{
    command::parse::{Format, read},
    model::family::Family,
    path::{
        budget::Budget,
        hole::detect::Urgency,
        probe::{Answer, Moment, Reply, Send},
        prober::PathProber,
        settings::{HostMtu, IcmpProbes, Settings, TcpProbes},
    },
    probe::packet::{Arrival, echo_request, read_icmp},
};

const ROUND_TRIP: Duration = Duration::from_millis(1);

fn packets(criterion: &mut Criterion) {
    let (from, to) = (Ipv4Addr::new(192, 0, 2, 1).into(), Ipv4Addr::new(192, 0, 2, 2).into());
    for (name, size) in [("encode a small echo", 64), ("encode an echo of 1500 bytes", 1500)] {
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| echo_request(black_box(size), (from, to), 1, 2, &[7; 16]));
        });
    }
    let mut reply = echo_request(1500, (from, to), 1, 2, &[7; 16]);
    // The type of a reply, and the checksum that goes with it.
    reply[0] = 0;
    let checksum = u16::from_be_bytes([reply[2], reply[3]]).checked_add(0x0800).unwrap_or(0x0800);
    reply[2..4].copy_from_slice(&checksum.to_be_bytes());
    let arrival = Arrival { from: to, ttl: Some(64), largest_fragment: None };
    criterion.bench_function("read a reply of 1500 bytes", |bencher| {
        bencher.iter(|| read_icmp(arrival, black_box(&reply)));
    });
}

/// A healthy path that has been probed for half a minute.
struct Path {
    prober: PathProber,
    budget: Budget,
    now: Moment,
    out: Vec<Send>,
}

impl Path {
    fn new() -> Self {
        let settings = Settings {
            probe_interval: Duration::from_secs(1),
            sentinel_interval: Duration::from_secs(1),
            expected_mtu: None,
            loss_threshold: 0.03,
            family: Family::V4,
            icmp: IcmpProbes::Fragments,
            tcp: TcpProbes::None,
            tcp_port: 0,
            borrows_port: false,
        };
        let rule = vxlan_exporter::language::Said::verbatim("the interface");
        let hosts = HostMtu { testable: 1500, hosts: 1500, rule, pending: false, above: None };
        let mut path = Self {
            prober: PathProber::new(settings, hosts, 1, Duration::ZERO),
            budget: Budget::new(200),
            now: Duration::ZERO,
            out: Vec::new(),
        };
        while path.now < Duration::from_secs(30) {
            path.turn();
        }
        path
    }

    /// Sends what is due, and lets all of it be answered.
    fn turn(&mut self) {
        self.now = self.now.max(self.prober.next_at());
        self.budget.fill(self.now);
        self.prober.regular(self.now, &mut self.out);
        for urgency in Urgency::ALL {
            self.prober.burst(urgency, self.now, &mut self.budget, &mut self.out);
        }
        let arrives = self.now + ROUND_TRIP;
        for send in self.out.drain(..) {
            match send {
                Send::Echo { seq } => self.prober.echo_reply(seq, ROUND_TRIP, arrives),
                Send::Probe(probe) => {
                    self.prober.answer(probe.id, Answer::Passed(Reply::default()), arrives);
                }
                Send::Byte { .. } | Send::Renew => {}
            }
        }
        self.now = arrives;
    }
}

fn path(criterion: &mut Criterion) {
    let mut path = Path::new();
    criterion.bench_function("a turn of a healthy path", |bencher| bencher.iter(|| path.turn()));
    criterion.bench_function("decide on a healthy path", |bencher| bencher.iter(|| path.prober.judgement()));
}

fn router(criterion: &mut Criterion) {
    let entries: Vec<String> = (0..800)
        .map(|entry| {
            format!(
                r#"{{"mac":"02:00:00:00:{:02x}:{:02x}","ifname":"vxlan{}","dst":"10.1.0.1","flags":["extern_learn"],"master":"br01","state":""}}"#,
                entry / 256,
                entry % 256,
                entry % 4
            )
        })
        .collect();
    let text = format!("[{}]", entries.join(","));
    criterion.bench_function("parse 800 forwarding entries", |bencher| {
        bencher.iter(|| read(Format::FdbJson, black_box(&text)));
    });
}

criterion_group! {
    name = functions;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .without_plots();
    targets = packets, path, router
}
criterion_main!(functions);
