//! Judges a fault for every kind of exporter: with raw sockets and with ping sockets only, over
//! IPv4 and over IPv6.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::{
    Family, Lab,
    exporter::{self, Exporter, Rights},
    fault::Fault,
    judge,
    numbers::Numbers,
    traffic::Traffic,
};

/// The privileges of an exporter, and the family it probes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Raw sockets, IPv4.
    Raw,
    /// Raw sockets, IPv6.
    RawIpv6,
    /// No capability, IPv4.
    Pings,
    /// No capability, IPv6.
    PingsIpv6,
}

impl Level {
    /// All levels; those with the same privileges share one exporter.
    pub const ALL: [Self; 4] = [Self::Raw, Self::RawIpv6, Self::Pings, Self::PingsIpv6];

    /// Whether it has no raw sockets.
    pub fn is_unprivileged(self) -> bool {
        matches!(self, Self::Pings | Self::PingsIpv6)
    }

    /// Whether it probes over IPv6.
    pub fn is_ipv6(self) -> bool {
        matches!(self, Self::RawIpv6 | Self::PingsIpv6)
    }

    fn family(self) -> Family {
        if self.is_ipv6() { Family::V6 } else { Family::V4 }
    }
}

/// Sets up the fault once and judges it at every level: one exporter after the other, each over
/// both families at once. Simultaneous exporters would compete for signals, of which a router sends
/// one per second to an address.
pub fn judge(fault: &Fault, binary: &Path) -> Result<()> {
    let lab = Lab::raise(&Numbers::article(), fault)?;
    exporter::write_config(&lab, fault, &[Family::V4, Family::V6])?;
    let _traffic = fault.full_size_traffic.map(|rate| Traffic::full_size(&lab, rate)).transpose()?;
    for (rights, able) in [(Rights::All, 1.0), (Rights::Pings, 0.0)] {
        let levels =
            Level::ALL.into_iter().filter(|level| level.is_unprivileged() == (rights == Rights::Pings));
        let expected: Vec<_> =
            levels.filter_map(|level| Some((level.family(), fault.expect_at(level)?))).collect();
        if expected.is_empty() {
            continue;
        }
        let mut exporter = Exporter::start_with(&lab, binary, rights)?;
        let said = exporter.metrics()?.value("vxlan_exporter_capability", &[("name", "net_raw")]);
        ensure!(said == Some(able), "{rights:?}, and its raw sockets are {said:?}");
        let took = judge::watch_all(&lab, &mut exporter, &expected)
            .with_context(|| format!("{} as an exporter with {rights:?} sees it", fault.name))?;
        println!("{}, {rights:?}: judged rightly after {:.1} s", fault.name, took.as_secs_f64());
    }
    Ok(())
}
