//! Faults as data: what to set up in the lab, and what the exporter must then report. One file each
//! in `faults/`; a new fault is a new file and one line in `tests/kernel/lab_faults.rs`.

use std::{collections::BTreeMap, fs, path::PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{
    levels::Level,
    numbers::{End, Place, Tunnel},
    underlay::Way,
};

/// A fault and what must be observed of it.
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each of which a file may name")]
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The file's name without `.yml`.
    #[serde(skip)]
    pub name: String,
    /// One line for a person.
    pub about: String,
    /// MTU of every vxlan interface, in bytes of IP packet.
    pub vxlan_mtu: u32,
    /// Interfaces with another MTU.
    #[serde(default)]
    pub vxlan_mtu_at: BTreeMap<End, u32>,
    /// MTU of the underlay, routers and core alike, in bytes.
    pub underlay_mtu: u32,
    /// How the underlay connects the routers.
    #[serde(default)]
    pub underlay: Way,
    /// nft expressions for packets that the core forwards. Its legs are `to-dc`, `to-site-a`,
    /// `to-site-b`.
    #[serde(default)]
    pub core_rules: Vec<String>,
    /// Sites with a path MTU of that many bytes in the core, to and from: it answers larger packets
    /// with DF "fragmentation needed".
    #[serde(default)]
    pub core_mtu_at: BTreeMap<Place, u32>,
    /// `df` of every vxlan interface.
    #[serde(default = "unset")]
    pub df: String,
    /// nft expressions for packets to a router itself.
    #[serde(default)]
    pub router_rules: BTreeMap<Place, Vec<String>>,
    /// Routers without the program `ping`.
    #[serde(default)]
    pub no_ping_at: Vec<Place>,
    /// Routers on which the exporter's key is bound to a command that runs scripts with `ip`, and
    /// refuses those with `ping`.
    #[serde(default)]
    pub forced_command_at: Vec<Place>,
    /// Routers that remember this path MTU to the DC, as left by a signal some minutes ago.
    #[serde(default)]
    pub router_remembers: BTreeMap<Place, u32>,
    /// Packets per second between the hosts, through both tunnels and in both directions, of a
    /// full-size inner packet without DF.
    pub full_size_traffic: Option<u32>,
    /// Seconds between two scrapes of a router; by default two, which leaves time for few pings.
    pub scrape_seconds: Option<u64>,
    /// `underlay_probes` in the exporter's configuration.
    pub underlay_probes: Option<String>,
    /// Interfaces that carry the VNI of the other tunnel.
    #[serde(default)]
    pub vni_slip_at: Vec<End>,
    /// Routers whose underlay interface is down.
    #[serde(default)]
    pub underlay_down_at: Vec<Place>,
    /// nft expressions for packets that a router's vxlan interface receives, applied before the
    /// bridge.
    #[serde(default)]
    pub interface_rules: BTreeMap<End, Vec<String>>,
    /// nft expressions for packets that a router's LAN port receives from its host, applied before
    /// the bridge.
    #[serde(default)]
    pub lan_rules: BTreeMap<Place, Vec<String>>,
    /// nft expressions for packets to the host behind a site's router.
    #[serde(default)]
    pub host_rules: BTreeMap<Place, Vec<String>>,
    /// Whether the routers pass bridged packets to iptables (`bridge-nf-call-iptables`).
    #[serde(default)]
    pub bridge_netfilter: bool,
    /// TTL of packets that a router sends itself.
    #[serde(default)]
    pub router_ttl: BTreeMap<Place, u8>,
    /// The site whose host runs the exporter.
    #[serde(default = "site_a")]
    pub exporter_at: Place,
    /// MTU of the veth of the pod on A's host in which the exporter runs; absent if it runs on the
    /// host.
    pub pod_mtu: Option<u32>,
    /// Whether A's host has a smaller path MTU to every target in its cache, as left by a signal
    /// some minutes ago.
    #[serde(default)]
    pub poisoned_cache: bool,
    /// Whether every target has a path MTU of 1450 to A's host in its cache, as left by a large
    /// download.
    #[serde(default)]
    pub targets_remember: bool,
    /// MTU of the route from A's host to the overlay, as container networks set it.
    pub route_mtu: Option<u32>,
    /// The TCP port of all paths in the configuration; by default that of the hosts' HTTPS servers.
    pub tcp_port: Option<u16>,
    /// Whether the hosts' HTTPS servers also listen over IPv6; otherwise their port is closed
    /// there.
    #[serde(default)]
    pub https_over_ipv6: bool,
    /// Which sizes really pass, measured in one direction, so that the lab is known to be right
    /// before the exporter is judged.
    pub wire: BTreeMap<Target, Wire>,
    /// What must be observed with raw sockets over IPv4 and, unless stated otherwise, at every
    /// other level.
    pub expect: Expect,
    /// What must be observed for some paths at other levels.
    #[serde(default)]
    pub otherwise: BTreeMap<Level, BTreeMap<Target, ExpectPath>>,
    /// Levels at which the exporter is not judged, each with the reason.
    #[serde(default)]
    pub left_out: BTreeMap<Level, String>,
}

/// The fate of packets with DF, by size of IP packet: `arrived`, `silent` or `signal MTU`; if it
/// differs between flows, all of them: `arrived+silent`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wire {
    /// Number of flows tested, each with its own source port.
    #[serde(default = "one")]
    pub flows: u32,
    /// To the target.
    pub forward: BTreeMap<u32, String>,
    /// From the target.
    pub reverse: BTreeMap<u32, String>,
}

/// What the running exporter must report and keep reporting.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// Time limit in seconds: generous for a loaded machine, not a promise.
    #[serde(default = "two_minutes")]
    pub within_seconds: u64,
    /// How long it must hold then, in seconds; by default three intervals of the slowest data
    /// involved.
    pub hold_seconds: Option<u64>,
    /// By target.
    pub paths: BTreeMap<Target, ExpectPath>,
    /// By tunnel.
    pub tunnels: BTreeMap<Tunnel, ExpectTunnel>,
    /// `_interface_underlay_mtu_bytes` by interface.
    #[serde(default)]
    pub underlay_mtu_at: BTreeMap<End, u32>,
}

/// A path, by the role of its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// The host at the DC.
    Rancher,
    /// The host at B.
    NodeB,
}

impl Target {
    /// The site it is at.
    pub fn place(self) -> Place {
        match self {
            Self::Rancher => Place::Dc,
            Self::NodeB => Place::SiteB,
        }
    }
}

/// What must be reported for a path.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectPath {
    /// The verdict.
    pub verdict: String,
    /// `_unknown_reason`; anything if absent.
    pub unknown_reason: Option<String>,
    /// `_blackhole_reason`: exactly these; anything if absent.
    pub reasons: Option<Vec<String>>,
    /// Directions with a hole: exactly these.
    #[serde(default)]
    pub holes: Vec<String>,
    /// Further directions that may be reported with a hole: it is real but hard to prove.
    #[serde(default)]
    pub holes_too: Vec<String>,
    /// Smallest and largest `_mtu_bytes{direction="forward"}`; if absent, the series must be
    /// absent.
    pub forward_mtu: Option<(u32, u32)>,
    /// Smallest and largest `_mtu_bytes{direction="reverse"}`; anything if absent.
    pub reverse_mtu: Option<(u32, u32)>,
    /// `_expected_mtu_bytes`; anything if absent.
    pub expected_mtu: Option<u32>,
    /// `_testable_mtu_bytes`; anything if absent.
    pub testable_mtu: Option<u32>,
    /// Verdicts that must never be reported, not even temporarily. `blackhole` also covers
    /// `_blackhole`.
    #[serde(default)]
    pub never: Vec<String>,
    /// Commands of `_fix_info` by interface: each sets this MTU.
    #[serde(default)]
    pub fix_mtu: BTreeMap<End, u32>,
    /// Words of its evidence or cause.
    #[serde(default)]
    pub says: Vec<String>,
    /// Words that must be in neither, at no time.
    #[serde(default)]
    pub never_says: Vec<String>,
}

/// What must be reported for a tunnel.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectTunnel {
    /// `_tunnel_up`.
    pub up: bool,
    /// Fields with a mismatch: exactly these.
    #[serde(default)]
    pub mismatch: Vec<String>,
    /// `_tunnel_underlay_mtu_bytes`, from both ends; anything if absent.
    pub underlay_mtu: Option<u32>,
    /// Smallest and largest `_tunnel_underlay_loss_ratio`, from both ends; anything if absent.
    pub underlay_loss: Option<(f64, f64)>,
    /// Words of its evidence.
    #[serde(default)]
    pub says: Vec<String>,
    /// Words that must not be in it, at no time.
    #[serde(default)]
    pub never_says: Vec<String>,
}

impl Fault {
    /// Reads a fault by name.
    pub fn load(name: &str) -> Result<Self> {
        let path = directory().join(format!("{name}.yml"));
        let text = fs::read_to_string(&path).with_context(|| {
            format!("no fault {name:?} ({}); there are: {}", path.display(), names().join(" "))
        })?;
        let mut fault: Self =
            serde_yaml::from_str(&text).with_context(|| format!("reading {}", path.display()))?;
        name.clone_into(&mut fault.name);
        Ok(fault)
    }
}

impl Fault {
    /// What must be observed at a level; `None` if that level is left out.
    pub fn expect_at(&self, level: Level) -> Option<Expect> {
        if self.left_out.contains_key(&level) {
            return None;
        }
        let mut expect = self.expect.clone();
        self.adjust(&mut expect, if level.is_ipv6() { Level::RawIpv6 } else { Level::Raw });
        if level.is_unprivileged() {
            expect = expect.without_raw_sockets();
            self.adjust(&mut expect, Level::Pings);
            self.adjust(&mut expect, level);
        }
        Some(expect)
    }

    fn adjust(&self, expect: &mut Expect, level: Level) {
        expect.paths.extend(self.otherwise.get(&level).cloned().unwrap_or_default());
    }
}

impl Expect {
    /// The expectation for an exporter without raw sockets: a hole's direction is unknown, and the
    /// measured MTU is the smaller of both directions.
    fn without_raw_sockets(&self) -> Self {
        let mut expect = self.clone();
        for path in expect.paths.values_mut().filter(|path| !path.holes.is_empty()) {
            let reverse = path.reverse_mtu.take();
            if path.holes == ["reverse"] {
                path.forward_mtu = reverse;
            }
            path.holes = vec!["unknown".to_owned()];
        }
        // It is enough to watch a lossy path for a long time once.
        expect.hold_seconds = None;
        expect
    }

    /// The expectation for an exporter that comes from another state: anything may be reported
    /// temporarily.
    pub fn after_any_state(&self) -> Self {
        let mut expect = self.clone();
        for path in expect.paths.values_mut() {
            path.never.clear();
        }
        expect
    }
}

/// All faults, in name order.
pub fn names() -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory()) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(".yml").map(str::to_owned))
        .collect();
    names.sort();
    names
}

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("faults")
}

fn unset() -> String {
    "unset".to_owned()
}

fn one() -> u32 {
    1
}

fn site_a() -> Place {
    Place::SiteA
}

fn two_minutes() -> u64 {
    120
}
