//! A prober for the tests of its parts: IPv4, echoes of any size, no TCP, 1500 bytes.

use std::time::Duration;

use super::{HostMtu, IcmpProbes, PathProber, Settings, TcpProbes};
use crate::overlay::path::probe::Family;

pub fn echoing(sentinel_interval: Duration, seed: u64) -> PathProber {
    let settings = Settings {
        probe_interval: Duration::from_secs(1),
        sentinel_interval,
        expected_mtu: None,
        loss_threshold: 0.03,
        family: Family::V4,
        icmp: IcmpProbes::Sized,
        tcp: TcpProbes::None,
    };
    let hosts = HostMtu { testable: 1500, hosts: 1500, rule: "test".to_owned(), pending: false };
    PathProber::new(settings, hosts, seed, Duration::ZERO)
}
