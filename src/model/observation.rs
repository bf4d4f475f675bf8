//! What the probes say of one path, as plain data: the probe engine writes it, every view reads it.

mod meaning;

use std::{
    collections::BTreeMap,
    net::IpAddr,
    time::{Duration, SystemTime},
};

use serde::Serialize;

pub use crate::model::types::ReflectorUse;
use crate::model::types::{
    BlackholeReason, Bytes, Direction, Mac, PathName, ProbeProtocol, ProbeResult, ProbeSize, SendError, Site,
    Source, TcpState, UnknownReason, Verdict,
};

/// What is known of one path now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PathObservation {
    /// The path.
    pub path: PathName,
    /// How often it is probed; absent where nobody has promised to probe it again.
    #[serde(skip)]
    pub interval: Option<Duration>,
    /// Where this exporter runs; label `source`.
    pub source: Source,
    /// The target's site.
    pub target_site: Site,
    /// The target as configured, an address or a DNS name.
    pub target: String,
    /// The address in use; absent while a name cannot be resolved.
    pub address: Option<IpAddr>,
    /// The target's MAC address in lower case, where it is on our own network and has been heard.
    pub target_mac: Option<Mac>,
    /// The TCP port that is probed, if any.
    pub tcp_port: Option<u16>,
    /// Whether the path's reflector is used; absent where it has none, or is not decided yet.
    pub reflector: Option<ReflectorUse>,
    /// The path's reflector may soon tell more than is in the judgement.
    pub awaits_reflector: bool,
    /// The regular small echo.
    pub echo: EchoStats,
    /// Size probes since start.
    pub size_probes: BTreeMap<(ProbeProtocol, ProbeSize, ProbeResult), u64>,
    /// Packets that our own host refused to send.
    pub send_errors: BTreeMap<SendError, u64>,
    /// When the last packet was sent.
    pub last_probe: Option<SystemTime>,
    /// The expected MTU, and by which rule.
    pub expected_mtu: Option<ExpectedMtu>,
    /// The largest IP packet our own interface lets out.
    pub testable_mtu: Option<Bytes>,
    /// What may be concluded.
    pub judgement: Judgement,
}

/// A refusal that has lasted so long from the start is no hiccup.
const REFUSED: Duration = Duration::from_secs(1);

impl PathObservation {
    /// Why no packet reaches the network, `since` the probing began, as far as our own host tells without waiting
    /// for anybody: no address for the name, no route, the target is this host, no interface, refused by a firewall
    /// of its own. More time would show nothing more.
    #[must_use]
    pub fn stays_at_home(&self, since: Duration) -> Option<&str> {
        let judgement = &self.judgement;
        let without_prober = self.expected_mtu.is_none() && judgement.settled;
        let refused = match judgement.unknown_reason? {
            UnknownReason::LocalDown => true,
            // The other kind is that this process hears answers too late.
            UnknownReason::LocalSend => {
                self.send_errors.get(&SendError::Send).is_some_and(|count| *count > 0)
            }
            _ => false,
        };
        let refused = refused && self.echo.replies == 0 && since >= REFUSED;
        (without_prober || refused).then(|| judgement.evidence.first().map_or("", String::as_str))
    }
}

/// The MTU a path should have, and why that number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExpectedMtu {
    /// Bytes of IP packet.
    pub bytes: Bytes,
    /// The rule in words, e.g. `configured`, `our egress eth0`, `router site-a's bridge port eth1`,
    /// `MSS in the target's SYN-ACK`.
    pub rule: String,
}

/// Counts of the regular small echo: `requests = replies + lost + void + in flight`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct EchoStats {
    /// Echo requests sent.
    pub requests: u64,
    /// Echo replies received within 5 s.
    pub replies: u64,
    /// Requests unanswered after 5 s.
    pub lost: u64,
    /// Requests that say nothing: refused by our own host, or in flight while this process did not run, its
    /// interface went down or its target changed.
    pub void: u64,
    /// Replies that came later than the probe timeout.
    pub late: u64,
    /// Round-trip times.
    pub rtt: RttHistogram,
}

/// A cumulative histogram of round-trip times.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RttHistogram {
    /// Observations per bucket of [`RttHistogram::BOUNDS`], not cumulated, the last one is `+Inf`.
    pub counts: [u64; RttHistogram::BOUNDS.len() + 1],
    /// Sum of all observations, in seconds.
    pub sum_seconds: f64,
    /// The shortest and the longest of all observations.
    pub extremes: Option<(Duration, Duration)>,
}

impl RttHistogram {
    /// Upper bounds in seconds: 0.1 ms (one switch) to 5 s (where a reply counts as lost).
    pub const BOUNDS: [f64; 15] =
        [0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

    /// Counts one round trip.
    pub fn observe(&mut self, rtt: Duration) {
        let seconds = rtt.as_secs_f64();
        let bucket = Self::BOUNDS.iter().position(|bound| seconds <= *bound).unwrap_or(Self::BOUNDS.len());
        self.counts[bucket] += 1;
        self.sum_seconds += seconds;
        let (shortest, longest) = self.extremes.unwrap_or((rtt, rtt));
        self.extremes = Some((shortest.min(rtt), longest.max(rtt)));
    }

    /// The number of observations.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The mean of all observations, in seconds.
    #[must_use]
    pub fn mean_seconds(&self) -> Option<f64> {
        let count = u32::try_from(self.count()).ok().filter(|count| *count > 0)?;
        Some(self.sum_seconds / f64::from(count))
    }
}

impl Default for RttHistogram {
    fn default() -> Self {
        Self { counts: [0; Self::BOUNDS.len() + 1], sum_seconds: 0.0, extremes: None }
    }
}

/// What may be concluded of a path from its probes alone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Why, where the verdict is [`Verdict::Unknown`].
    pub unknown_reason: Option<UnknownReason>,
    /// Directions with a proven hole; [`Direction::Unknown`] where a hole is proven and its direction is not.
    pub holes: Vec<Direction>,
    /// What becomes of TCP to the path's port; absent where that is not known, or not asked.
    pub tcp: Option<TcpState>,
    /// Path MTU to the target: the largest IP packet answered, at most the expected MTU.
    pub mtu_forward: Option<Bytes>,
    /// Path MTU from the target, only where it is exact.
    pub mtu_reverse: Option<Bytes>,
    /// What is expected to the target, where that is less than from it: what the MSS in its SYN-ACK allows.
    pub forward_expected: Option<Bytes>,
    /// A size that passes to the target, where more may: our own interface lets out no more.
    pub forward_at_least: Option<Bytes>,
    /// A size that came back whole from the target, where more may.
    pub reverse_at_least: Option<Bytes>,
    /// The search for the exact edge has ended, or there is nothing to search.
    pub settled: bool,
    /// Numbers a person can check, one sentence each.
    pub evidence: Vec<String>,
}

impl Default for Judgement {
    fn default() -> Self {
        Self {
            verdict: Verdict::Unknown,
            unknown_reason: Some(UnknownReason::Starting),
            holes: Vec::new(),
            tcp: None,
            mtu_forward: None,
            mtu_reverse: None,
            forward_expected: None,
            forward_at_least: None,
            reverse_at_least: None,
            settled: false,
            evidence: Vec::new(),
        }
    }
}

impl Judgement {
    /// Why the verdict is [`Verdict::Blackhole`]; empty where it is another.
    #[must_use]
    pub fn blackhole_reasons(&self) -> Vec<BlackholeReason> {
        if self.verdict != Verdict::Blackhole {
            return Vec::new();
        }
        if !self.tcp.is_some_and(TcpState::is_dead) {
            return vec![BlackholeReason::Size];
        }
        let size = (!self.holes.is_empty()).then_some(BlackholeReason::Size);
        size.into_iter().chain([BlackholeReason::TcpDead]).collect()
    }

    /// No hole of size is proven, but TCP is dead.
    #[must_use]
    pub fn is_tcp_dead_alone(&self) -> bool {
        self.blackhole_reasons() == [BlackholeReason::TcpDead]
    }
}
