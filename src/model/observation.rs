//! Probe results of one path as plain data: the probe engine writes them, every view reads them.

mod asked;
mod counters;
mod meaning;
mod method_sizes;
pub(crate) mod native;

use std::{net::IpAddr, sync::Arc, time::Duration};

use serde::Serialize;

pub use asked::{Asked, AskedCount};
pub use counters::{PathCounters, SizeProbes};
pub use method_sizes::MethodSizes;

pub(crate) use crate::model::types::ReflectorUse;
use crate::{
    language::Said,
    model::types::{
        BlackholeReason, Bytes, Direction, Mac, PathName, SendError, Site, Source, TcpState, UnknownReason,
        Verdict,
    },
};

/// What is known of one path now.
#[derive(Debug, Clone)]
pub struct PathObservation {
    /// The path.
    pub path: PathName,
    /// How often it is probed; absent where no further probe is scheduled.
    pub interval: Option<Duration>,
    /// Where this exporter runs; label `source`.
    pub source: Source,
    /// The target's site.
    pub target_site: Site,
    /// The target as configured, an address or a DNS name.
    pub target: String,
    /// The address in use; absent while a name cannot be resolved.
    pub address: Option<IpAddr>,
    /// The target's MAC address in lower case; known only where the target is on our own network
    /// and has answered.
    pub target_mac: Option<Mac>,
    /// The TCP port that is probed, if any.
    pub tcp_port: Option<u16>,
    /// Whether the path's reflector is used; absent where it has none, or that is not decided yet.
    pub reflector: Option<ReflectorUse>,
    /// Whether the path's reflector may soon add to the judgement.
    pub awaits_reflector: bool,
    /// What is counted on it, shared with its prober.
    pub counters: Arc<PathCounters>,
    /// The expected MTU, and by which rule.
    pub expected_mtu: Option<ExpectedMtu>,
    /// The largest packet that our own interface can send, in bytes of IP packet.
    pub testable_mtu: Option<Bytes>,
    /// What the probes prove.
    pub judgement: Judgement,
    /// What each probe method sees of sizes; methods that see nothing are left out.
    pub sizes: Box<[MethodSizes]>,
}

/// A refusal to send that has lasted this long since probing began is taken as permanent.
const REFUSED: Duration = Duration::from_secs(1);

impl PathObservation {
    /// Whether both join to the same picture of the overlay: all is equal but counters, times,
    /// evidence and what each method sees of sizes.
    #[must_use]
    pub(crate) fn joins_like(&self, other: &Self) -> bool {
        // Names every field, so that a new one cannot be forgotten.
        let Self {
            path,
            interval,
            source,
            target_site,
            target,
            address,
            target_mac,
            tcp_port,
            reflector,
            awaits_reflector,
            counters: _,
            expected_mtu,
            testable_mtu,
            judgement,
            sizes: _,
        } = self;
        *path == other.path
            && *interval == other.interval
            && *source == other.source
            && *target_site == other.target_site
            && *target == other.target
            && *address == other.address
            && *target_mac == other.target_mac
            && *tcp_port == other.tcp_port
            && *reflector == other.reflector
            && *awaits_reflector == other.awaits_reflector
            && *expected_mtu == other.expected_mtu
            && *testable_mtu == other.testable_mtu
            && judgement.finds_like(&other.judgement)
    }

    /// Counts of the regular small echo.
    #[must_use]
    pub(crate) fn echo(&self) -> EchoStats {
        self.counters.echo()
    }

    /// Why no packet leaves this host, `since` being the time probing has lasted. Only what this
    /// host itself can tell is considered: no address for the name, no route, the target is this
    /// host, no interface, or its own firewall refuses. Waiting longer would not change the answer.
    #[must_use]
    pub(crate) fn stays_at_home(&self, since: Duration) -> Option<Said> {
        let judgement = &self.judgement;
        let without_prober = self.expected_mtu.is_none() && judgement.settled;
        let refused = match judgement.unknown_reason? {
            UnknownReason::LocalDown => true,
            // `LocalSend` also covers a process that hears answers too late; only refused packets
            // count here.
            UnknownReason::LocalSend => self.counters.send_errors(SendError::Send) > 0,
            _ => false,
        };
        let refused = refused && self.echo().replies == 0 && since >= REFUSED;
        (without_prober || refused).then(|| judgement.evidence.first().cloned().unwrap_or_else(Said::nothing))
    }
}

/// The MTU a path should have, and the rule it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExpectedMtu {
    /// Bytes of IP packet.
    pub bytes: Bytes,
    /// The rule in words, e.g. `configured`, `our egress eth0`, `router site-a's bridge port eth1`,
    /// `MSS in the target's SYN-ACK`.
    pub rule: Said,
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
    /// Requests that prove nothing: refused by our own host, or in flight while this process did
    /// not run, its interface went down or its target changed.
    pub void: u64,
    /// Replies that came later than the probe timeout.
    pub late: u64,
    /// Round-trip times.
    pub rtt: RttHistogram,
}

/// A histogram of round-trip times.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RttHistogram {
    /// Observations per bucket of `RttHistogram::BOUNDS`, not cumulative; the last bucket is
    /// `+Inf`.
    pub counts: [u64; RttHistogram::BOUNDS.len() + 1],
    /// Sum of all observations, in seconds.
    pub sum_seconds: f64,
    /// The shortest and the longest of all observations.
    pub extremes: Option<(Duration, Duration)>,
}

impl RttHistogram {
    /// Upper bounds in seconds: 0.25 ms (one site) to 1 s. A reply counts as lost after 5 s.
    pub(crate) const BOUNDS: [f64; 11] =
        [0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0];

    /// The place of the bucket that counts a round trip of so many seconds.
    fn bucket(seconds: f64) -> usize {
        Self::BOUNDS.iter().position(|bound| seconds <= *bound).unwrap_or(Self::BOUNDS.len())
    }

    /// Counts one round trip, or one delay.
    pub(crate) fn observe(&mut self, rtt: Duration) {
        let seconds = rtt.as_secs_f64();
        self.counts[Self::bucket(seconds)] += 1;
        self.sum_seconds += seconds;
        let (shortest, longest) = self.extremes.unwrap_or((rtt, rtt));
        self.extremes = Some((shortest.min(rtt), longest.max(rtt)));
    }

    /// The number of observations.
    #[must_use]
    pub(crate) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The mean of all observations, in seconds.
    #[must_use]
    pub(crate) fn mean_seconds(&self) -> Option<f64> {
        let count = u32::try_from(self.count()).ok().filter(|count| *count > 0)?;
        Some(self.sum_seconds / f64::from(count))
    }
}

impl Default for RttHistogram {
    fn default() -> Self {
        Self { counts: [0; Self::BOUNDS.len() + 1], sum_seconds: 0.0, extremes: None }
    }
}

/// What the probes alone prove about a path.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// The reason, where the verdict is [`Verdict::Unknown`].
    pub unknown_reason: Option<UnknownReason>,
    /// Directions with a proven hole; [`Direction::Unknown`] where a hole is proven but not its
    /// direction.
    pub holes: Vec<Direction>,
    /// State of TCP to the path's port; absent where it is not known or not probed.
    pub tcp: Option<TcpState>,
    /// Path MTU to the target: the largest IP packet answered, in bytes, at most the expected MTU.
    pub mtu_forward: Option<Bytes>,
    /// Path MTU from the target in bytes of IP packet; set only where it is exact.
    pub mtu_reverse: Option<Bytes>,
    /// Expected MTU to the target in bytes, where the MSS in its SYN-ACK allows less than is
    /// expected from it.
    pub forward_expected: Option<Bytes>,
    /// A size in bytes that passes to the target. Larger ones may pass too: our own interface
    /// cannot send them, or only the way back is known to end there.
    pub forward_at_least: Option<Bytes>,
    /// A size in bytes that came back whole from the target. Larger ones may pass too.
    pub reverse_at_least: Option<Bytes>,
    /// The search for the exact edge has ended, or there is nothing to search.
    pub settled: bool,
    /// The evidence: one sentence each, with numbers that a person can check.
    pub evidence: Vec<Said>,
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
    /// Whether both find the same, whatever their evidence.
    #[must_use]
    pub(crate) fn finds_like(&self, other: &Self) -> bool {
        // Names every field, so that a new one cannot be forgotten.
        let Self {
            verdict,
            unknown_reason,
            holes,
            tcp,
            mtu_forward,
            mtu_reverse,
            forward_expected,
            forward_at_least,
            reverse_at_least,
            settled,
            evidence: _,
        } = self;
        *verdict == other.verdict
            && *unknown_reason == other.unknown_reason
            && *holes == other.holes
            && *tcp == other.tcp
            && *mtu_forward == other.mtu_forward
            && *mtu_reverse == other.mtu_reverse
            && *forward_expected == other.forward_expected
            && *forward_at_least == other.forward_at_least
            && *reverse_at_least == other.reverse_at_least
            && *settled == other.settled
    }

    /// Why the verdict is [`Verdict::Blackhole`]; empty for any other verdict.
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

    /// Whether TCP is dead and no hole by packet size is proven.
    #[must_use]
    pub(crate) fn is_tcp_dead_alone(&self) -> bool {
        self.blackhole_reasons() == [BlackholeReason::TcpDead]
    }
}
