//! The report as types that `check --format=json` and the API share: one shape, whose schema is
//! made from them.

mod method_sizes;
mod underlay;

use std::{collections::BTreeMap, net::IpAddr};

use method_sizes::MethodReport;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use underlay::{FlowReport, LegReport};

use super::{
    problem::{Problem, problems},
    verdict,
};
use crate::{
    language::{Between, Said},
    model::{
        observation::PathObservation,
        picture::{FixStep, Hop, PathPicture, Tunnel, TunnelEnd},
        snapshot::RouterReading,
        state::Present,
        types::{
            BlackholeReason, Bytes, Direction, FailureReason, Method, MismatchField, ReflectorUse, TcpState,
            TunnelState, UnknownReason, Verdict,
        },
    },
};

/// The report as JSON. Field names are stable; a field that is not known is `null`, sizes are bytes
/// of IP packet. `Report` names the fields.
#[must_use]
pub fn json(present: &Present) -> Value {
    in_json(&Report::of(present))
}

/// These types hold only strings, numbers, lists and maps with such keys: nothing can fail.
pub(super) fn in_json(report: &impl Serialize) -> Value {
    serde_json::to_value(report).unwrap_or(Value::Null)
}

/// All routers, tunnels and paths, and what is wrong with them.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Report<'a> {
    /// The exit code of `check`: 0 all is well, 1 something is wrong, 2 something could not be
    /// found out.
    exit_code: u8,
    /// Why, in one line.
    reason: Said,
    /// All routers, in the order of the configuration.
    routers: Vec<RouterReport<'a>>,
    /// All tunnels, in name order.
    tunnels: Vec<TunnelReport<'a>>,
    /// All paths, in the order of the configuration.
    paths: Vec<PathReport<'a>>,
    /// What is wrong, worst first.
    problems: Vec<ProblemReport>,
}

impl<'a> Report<'a> {
    pub(crate) fn of(present: &'a Present) -> Self {
        let problems = problems(present);
        let (exit_code, reasons) = verdict(present, &problems);
        Self {
            exit_code,
            reason: Said::joined(reasons, Between::Semicolon),
            routers: present.routers.iter().map(|reading| RouterReport::of(reading)).collect(),
            tunnels: present.overlay.tunnels.iter().map(TunnelReport::of).collect(),
            paths: present
                .paths_with_pictures()
                .map(|(path, picture)| PathReport::of(path, picture))
                .collect(),
            problems: problems.into_iter().map(ProblemReport::of).collect(),
        }
    }
}

/// One router.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RouterReport<'a> {
    /// Its name.
    router: &'a str,
    /// Its site.
    site: &'a str,
    /// Whether the last reading succeeded and is not too old.
    read: bool,
    /// Its software version.
    version: Option<&'a str>,
    /// The method it was read by.
    method: Option<Method>,
    /// The number of its vxlan interfaces.
    vxlan_interfaces: Option<usize>,
    /// How long the last reading took.
    scrape_duration_seconds: f64,
    /// Why the last reading failed.
    failure: Option<FailureReport<'a>>,
}

impl<'a> RouterReport<'a> {
    pub(crate) fn of(reading: &'a RouterReading) -> Self {
        let snapshot = reading.current.as_deref();
        Self {
            router: reading.router.as_str(),
            site: reading.site.as_str(),
            read: snapshot.is_some(),
            version: snapshot.and_then(|snapshot| Some(snapshot.version.as_ref()?.as_str())),
            method: snapshot.map(|snapshot| snapshot.method),
            vxlan_interfaces: snapshot.map(|snapshot| snapshot.vxlan_links().count()),
            scrape_duration_seconds: reading.duration.as_secs_f64(),
            failure: reading
                .failure
                .as_ref()
                .map(|failure| FailureReport { reason: failure.reason, message: failure.message.as_str() }),
        }
    }
}

/// Why a router could not be read.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct FailureReport<'a> {
    /// The reason, from a fixed set.
    reason: FailureReason,
    /// What happened.
    message: &'a str,
}

/// One tunnel.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TunnelReport<'a> {
    /// Its name: `dc/vxlan01~site-a/vxlan01`.
    tunnel: &'a str,
    /// How far its ends are known.
    state: TunnelState,
    /// One end or two, in name order.
    ends: Vec<EndReport<'a>>,
    /// Whether router data says that it carries traffic.
    up: Option<bool>,
    /// Settings on which the ends disagree, each with a sentence.
    mismatches: BTreeMap<MismatchField, &'a Said>,
    /// Loss in each direction, as far as the counters tell.
    loss: Vec<LossReport<'a>>,
    /// The underlay from each end that was asked, by pings of its router.
    legs: Vec<LegReport<'a>>,
    /// What the routers' own counters show of it.
    flows: Vec<FlowReport<'a>>,
    /// Why it is up or down.
    evidence: &'a [Said],
    /// Ends whose bridge drops frames larger than the vxlan device takes.
    small_ends: &'a [Said],
    /// Commands that mend the mismatches.
    fix: Vec<StepReport>,
}

impl<'a> TunnelReport<'a> {
    pub(crate) fn of(tunnel: &'a Tunnel) -> Self {
        let loss = |loss: &'a crate::model::picture::TunnelLoss| LossReport {
            from: EndReport::of(&loss.from),
            to: EndReport::of(&loss.to),
            ratio: loss.ratio,
            bound: loss.bound,
        };
        Self {
            tunnel: &tunnel.name,
            state: tunnel.state,
            ends: tunnel.ends.iter().map(EndReport::of).collect(),
            up: tunnel.up,
            mismatches: tunnel.mismatches.iter().map(|(field, words)| (*field, words)).collect(),
            loss: tunnel.loss.iter().map(loss).collect(),
            legs: tunnel.legs.iter().map(LegReport::of).collect(),
            flows: tunnel.flows.iter().map(FlowReport::of).collect(),
            evidence: &tunnel.evidence,
            small_ends: &tunnel.small_ends,
            fix: steps(&tunnel.fix),
        }
    }
}

/// One vxlan interface on one router.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct EndReport<'a> {
    /// The router.
    router: &'a str,
    /// Its vxlan interface.
    interface: &'a str,
}

impl<'a> EndReport<'a> {
    fn of(end: &'a TunnelEnd) -> Self {
        Self { router: end.router.as_str(), interface: end.interface.as_str() }
    }
}

/// Loss from one end of a tunnel to the other, by the counters of both.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct LossReport<'a> {
    /// The end that sends.
    from: EndReport<'a>,
    /// The end that receives.
    to: EndReport<'a>,
    /// Lost packets as a share of all sent, 0 to 1.
    ratio: f64,
    /// Largest possible error of `ratio`.
    bound: f64,
}

/// One path.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PathReport<'a> {
    /// Its name.
    path: &'a str,
    /// Where this exporter runs.
    source: String,
    /// The target's site.
    target_site: &'a str,
    /// The target as configured.
    target: &'a str,
    /// The address in use.
    address: Option<IpAddr>,
    /// The TCP port that is probed.
    tcp_port: Option<u16>,
    /// Whether the path's reflector is used.
    reflector: Option<ReflectorUse>,
    /// The verdict.
    verdict: Verdict,
    /// The reason, where the verdict is `unknown`.
    unknown_reason: Option<UnknownReason>,
    /// Directions with a proven hole.
    holes: &'a [Direction],
    /// What is lost, where the verdict is `blackhole`.
    blackhole_reasons: Vec<BlackholeReason>,
    /// State of TCP to the path's port.
    tcp: Option<TcpState>,
    /// Whether the search for the exact edge has ended.
    settled: bool,
    /// Path MTU to the target.
    mtu_forward_bytes: Option<Bytes>,
    /// Path MTU from the target.
    mtu_reverse_bytes: Option<Bytes>,
    /// A size that passes to the target; larger ones may pass too.
    mtu_forward_at_least_bytes: Option<Bytes>,
    /// A size that came back from the target; larger ones may pass too.
    mtu_reverse_at_least_bytes: Option<Bytes>,
    /// The MTU the path should have.
    expected_mtu_bytes: Option<Bytes>,
    /// The rule it comes from.
    expected_mtu_rule: Option<&'a Said>,
    /// The largest packet that our own interface can send.
    testable_mtu_bytes: Option<Bytes>,
    /// Which sizes pass, by each probe method that has seen any.
    sizes: Vec<MethodReport>,
    /// Mean round-trip time.
    rtt_mean_seconds: Option<f64>,
    /// Shortest round-trip time.
    rtt_min_seconds: Option<f64>,
    /// Longest round-trip time.
    rtt_max_seconds: Option<f64>,
    /// Counts of the small echo.
    echo: EchoReport,
    /// What the verdict rests on, one sentence each.
    evidence: &'a [Said],
    /// The tunnel ends that it crosses.
    hops: Vec<HopReport<'a>>,
    /// Which router setting explains the problem.
    cause: &'a [Said],
    /// Commands that mend it.
    fix: Vec<StepReport>,
}

impl<'a> PathReport<'a> {
    pub(crate) fn of(path: &'a PathObservation, picture: Option<&'a PathPicture>) -> Self {
        let judgement = &path.judgement;
        let echo = path.echo();
        let extremes = echo.rtt.extremes;
        Self {
            path: path.path.as_str(),
            source: path.source.to_string(),
            target_site: path.target_site.as_str(),
            target: &path.target,
            address: path.address,
            tcp_port: path.tcp_port,
            reflector: path.reflector,
            verdict: judgement.verdict,
            unknown_reason: judgement.unknown_reason,
            holes: &judgement.holes,
            blackhole_reasons: judgement.blackhole_reasons(),
            tcp: judgement.tcp,
            settled: judgement.settled,
            mtu_forward_bytes: judgement.mtu_forward,
            mtu_reverse_bytes: judgement.mtu_reverse,
            mtu_forward_at_least_bytes: judgement.forward_at_least,
            mtu_reverse_at_least_bytes: judgement.reverse_at_least,
            expected_mtu_bytes: path.expected_mtu.as_ref().map(|expected| expected.bytes),
            expected_mtu_rule: path.expected_mtu.as_ref().map(|expected| &expected.rule),
            testable_mtu_bytes: path.testable_mtu,
            sizes: path.sizes.iter().map(MethodReport::of).collect(),
            rtt_mean_seconds: echo.rtt.mean_seconds(),
            rtt_min_seconds: extremes.map(|(shortest, _)| shortest.as_secs_f64()),
            rtt_max_seconds: extremes.map(|(_, longest)| longest.as_secs_f64()),
            echo: EchoReport {
                requests: echo.requests,
                replies: echo.replies,
                lost: echo.lost,
                late: echo.late,
            },
            evidence: &judgement.evidence,
            hops: picture.map_or(&[][..], |picture| &picture.hops).iter().map(HopReport::of).collect(),
            cause: picture.map_or(&[][..], |picture| &picture.cause),
            fix: steps(picture.map_or(&[][..], |picture| &picture.fix)),
        }
    }
}

/// Counts of the small echo since start.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct EchoReport {
    /// Echo requests sent.
    requests: u64,
    /// Replies received in time.
    replies: u64,
    /// Requests unanswered after 5 s.
    lost: u64,
    /// Replies that came later than the probe timeout.
    late: u64,
}

/// One tunnel end that a path crosses.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct HopReport<'a> {
    /// Name of the tunnel.
    tunnel: &'a str,
    /// The router.
    router: &'a str,
    /// Its vxlan interface.
    interface: &'a str,
}

impl<'a> HopReport<'a> {
    fn of(hop: &'a Hop) -> Self {
        let end = &hop.end;
        Self { tunnel: &hop.tunnel, router: end.router.as_str(), interface: end.interface.as_str() }
    }
}

/// One problem.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ProblemReport {
    /// `path`, `tunnel` or `router`.
    kind: &'static str,
    /// The name of the path, tunnel or router.
    name: String,
    /// What is wrong.
    what: Said,
    /// What it alone makes of the exit code of `check`.
    exit_code: u8,
    /// Numbers that a person can check.
    evidence: Vec<Said>,
    /// Which router setting explains it.
    cause: Vec<Said>,
    /// Commands that mend it.
    fix: Vec<StepReport>,
}

impl ProblemReport {
    fn of(problem: Problem) -> Self {
        Self {
            kind: problem.kind,
            exit_code: problem.rank.exit_code(),
            fix: steps(&problem.fix),
            name: problem.name,
            what: problem.what,
            evidence: problem.evidence,
            cause: problem.cause,
        }
    }
}

/// One command to type on one router, in configuration mode.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StepReport {
    /// Numbered from 1, in the safe order.
    step: u32,
    /// The router.
    router: String,
    /// The command.
    command: String,
}

fn steps(fix: &[FixStep]) -> Vec<StepReport> {
    let step = |(step, at): (u32, &FixStep)| StepReport {
        step,
        router: at.router.to_string(),
        command: at.command.to_string(),
    };
    (1..).zip(fix).map(step).collect()
}
