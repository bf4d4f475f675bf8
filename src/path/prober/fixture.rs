//! Probers for the tests of its parts: IPv4, 1500 bytes.

use std::time::Duration;

use super::PathProber;
use crate::{
    model::family::Family,
    path::settings::{HostMtu, IcmpProbes, Settings, TcpProbes},
};

/// Echoes of any size, no TCP.
pub fn echoing(sentinel_interval: Duration, seed: u64) -> PathProber {
    prober(sentinel_interval, IcmpProbes::Sized, TcpProbes::None, seed)
}

/// With all that the privilege to open raw sockets gives.
pub fn asking_all(seed: u64) -> PathProber {
    prober(Duration::from_secs(1), IcmpProbes::Fragments, TcpProbes::Sized, seed)
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
    let hosts = HostMtu { testable: 1500, hosts: 1500, rule: "test".to_owned(), pending: false, above: None };
    PathProber::new(settings, hosts, seed, Duration::ZERO)
}
