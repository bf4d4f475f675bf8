//! Probers for tests: IPv4, 1500 bytes.

use std::time::Duration;

use super::PathProber;
use crate::{
    model::family::Family,
    path::{
        budget::Budget,
        hole::detect::Urgency,
        probe::{Answer, ByteFate, Moment, Probe, Send},
        settings::{HostMtu, IcmpProbes, Settings, TcpProbes},
    },
};

/// Echoes of any size, no TCP.
pub(crate) fn echoing(sentinel_interval: Duration, seed: u64) -> PathProber {
    prober(sentinel_interval, IcmpProbes::Sized, TcpProbes::None, seed)
}

/// Every probe method that raw sockets allow.
pub(crate) fn asking_all(seed: u64) -> PathProber {
    prober(Duration::from_secs(1), IcmpProbes::Fragments, TcpProbes::Sized, seed)
}

/// The same without TCP.
pub(crate) fn without_tcp(seed: u64) -> PathProber {
    prober(Duration::from_secs(1), IcmpProbes::Fragments, TcpProbes::None, seed)
}

fn prober(sentinel_interval: Duration, icmp: IcmpProbes, tcp: TcpProbes, seed: u64) -> PathProber {
    let settings = Settings {
        probe_interval: Duration::from_secs(1),
        sentinel_interval,
        expected_mtu: None,
        loss_threshold: 0.03,
        family: Family::V4,
        icmp,
        tcp,
        tcp_port: if tcp == TcpProbes::None { 0 } else { 443 },
        borrows_port: false,
    };
    let hosts = HostMtu { testable: 1500, hosts: 1500, rule: "test".into(), pending: false, above: None };
    PathProber::new(settings, hosts, seed, Duration::ZERO)
}

/// A prober and its target, which is so near that answers come at once.
pub(crate) struct Host {
    pub prober: PathProber,
    pub now: Moment,
    /// Whether the target answers regular echoes.
    pub icmp: bool,
    budget: Budget,
}

impl From<PathProber> for Host {
    fn from(prober: PathProber) -> Self {
        Self { prober, now: Duration::ZERO, icmp: true, budget: Budget::new(200) }
    }
}

impl Host {
    /// Plays a hundredth of a second, in which `answers` answers each probe.
    pub(crate) fn step(&mut self, answers: impl Fn(Probe) -> Option<Answer>) {
        self.now += Duration::from_millis(10);
        self.budget.fill(self.now);
        let mut out = Vec::new();
        self.prober.regular(self.now, &mut out);
        for urgency in Urgency::ALL {
            self.prober.burst(urgency, self.now, &mut self.budget, &mut out);
        }
        for send in out {
            match send {
                Send::Echo { seq } if self.icmp => {
                    self.prober.echo_reply(seq, Duration::from_millis(1), self.now);
                }
                Send::Probe(probe) => {
                    if let Some(answer) = answers(probe) {
                        self.prober.answer(probe.id, answer, self.now);
                    }
                }
                Send::Byte { id, .. } => self.prober.byte_told(id, ByteFate::Passed, self.now),
                Send::Echo { .. } | Send::Renew => {}
            }
        }
    }

    pub(crate) fn play(&mut self, seconds: u32, answers: impl Fn(Probe) -> Option<Answer>) {
        (0..seconds * 100).for_each(|_| self.step(&answers));
    }
}
