//! The report as JSON, for machines.

use serde_json::{Value, json};

use super::{
    problem::{Problem, problems},
    verdict,
};
use crate::model::{
    observation::PathObservation,
    picture::{FixStep, Hop, PathPicture, Tunnel},
    snapshot::RouterReading,
    state::Present,
};

/// The report as JSON. Field names are stable; a field that is not known is `null`, sizes are bytes
/// of IP packet.
///
/// - `exit_code`, `reason`: as [`super::exit_code`]
/// - `routers[]`: `router site read version method vxlan_interfaces scrape_duration_seconds` and
///   `failure{reason,message}`
/// - `tunnels[]`: `tunnel state ends[]{router,interface} up mismatches{FIELD: sentence} evidence[]
///   small_ends[] loss[]{from{router,interface},to{router,interface},ratio,bound}` and
///   `fix[]{step,router,command}`
/// - `paths[]`: `path source target_site target address tcp_port reflector` (`used` or `gone`)
///   `verdict unknown_reason holes[] blackhole_reasons[] tcp` (`answers`, `filtered`, `dead`,
///   `payload_filtered`, `payload_dead` or `kernel_dead`) `settled mtu_forward_bytes
///   mtu_reverse_bytes mtu_forward_at_least_bytes mtu_reverse_at_least_bytes expected_mtu_bytes
///   expected_mtu_rule testable_mtu_bytes rtt_mean_seconds rtt_min_seconds rtt_max_seconds
///   echo{requests,replies,lost,late} evidence[] hops[]{tunnel,router,interface} cause[] fix[]`
/// - `problems[]`, worst first: `kind` (`path`, `tunnel`, `router`)
///   `name what exit_code evidence[] cause[] fix[]`
#[must_use]
pub fn json(present: &Present) -> Value {
    let problems = problems(present);
    let (exit_code, reason) = verdict(present, &problems);
    json!({
        "exit_code": exit_code,
        "reason": reason,
        "routers": present.routers.iter().map(|reading| router(reading)).collect::<Vec<_>>(),
        "tunnels": present.overlay.tunnels.iter().map(tunnel).collect::<Vec<_>>(),
        "paths": present.paths_with_pictures().map(|(observation, picture)| path(observation, picture)).collect::<Vec<_>>(),
        "problems": problems.iter().map(problem).collect::<Vec<_>>(),
    })
}

fn router(reading: &RouterReading) -> Value {
    let snapshot = reading.current.as_deref();
    json!({
        "router": reading.router,
        "site": reading.site,
        "read": snapshot.is_some(),
        "version": snapshot.and_then(|snapshot| snapshot.version.as_ref()),
        "method": snapshot.map(|snapshot| snapshot.method),
        "vxlan_interfaces": snapshot.map(|snapshot| snapshot.vxlan_links().count()),
        "scrape_duration_seconds": reading.duration.as_secs_f64(),
        "failure": reading.failure,
    })
}

fn tunnel(tunnel: &Tunnel) -> Value {
    json!({
        "tunnel": tunnel.name,
        "state": tunnel.state,
        "ends": tunnel.ends,
        "up": tunnel.up,
        "mismatches": tunnel.mismatches,
        "loss": tunnel.loss,
        "evidence": tunnel.evidence,
        "small_ends": tunnel.small_ends,
        "fix": steps(&tunnel.fix),
    })
}

pub(super) fn path(path: &PathObservation, picture: Option<&PathPicture>) -> Value {
    let judgement = &path.judgement;
    let echo = path.echo();
    let extremes = echo.rtt.extremes;
    let hops = picture.map_or(&[][..], |picture| &picture.hops);
    let hop =
        |hop: &Hop| json!({ "tunnel": hop.tunnel, "router": hop.end.router, "interface": hop.end.interface });
    json!({
        "path": path.path,
        "source": path.source,
        "target_site": path.target_site,
        "target": path.target,
        "address": path.address,
        "tcp_port": path.tcp_port,
        "reflector": path.reflector,
        "verdict": judgement.verdict,
        "unknown_reason": judgement.unknown_reason,
        "holes": judgement.holes,
        "blackhole_reasons": judgement.blackhole_reasons(),
        "tcp": judgement.tcp,
        "settled": judgement.settled,
        "mtu_forward_bytes": judgement.mtu_forward,
        "mtu_reverse_bytes": judgement.mtu_reverse,
        "mtu_forward_at_least_bytes": judgement.forward_at_least,
        "mtu_reverse_at_least_bytes": judgement.reverse_at_least,
        "expected_mtu_bytes": path.expected_mtu.as_ref().map(|expected| expected.bytes),
        "expected_mtu_rule": path.expected_mtu.as_ref().map(|expected| &expected.rule),
        "testable_mtu_bytes": path.testable_mtu,
        "rtt_mean_seconds": echo.rtt.mean_seconds(),
        "rtt_min_seconds": extremes.map(|(shortest, _)| shortest.as_secs_f64()),
        "rtt_max_seconds": extremes.map(|(_, longest)| longest.as_secs_f64()),
        "echo": {
            "requests": echo.requests,
            "replies": echo.replies,
            "lost": echo.lost,
            "late": echo.late,
        },
        "evidence": judgement.evidence,
        "hops": hops.iter().map(hop).collect::<Vec<_>>(),
        "cause": picture.map_or(&[][..], |picture| &picture.cause),
        "fix": steps(picture.map_or(&[][..], |picture| &picture.fix)),
    })
}

fn problem(problem: &Problem) -> Value {
    json!({
        "kind": problem.kind,
        "name": problem.name,
        "what": problem.what,
        "exit_code": problem.rank.exit_code(),
        "evidence": problem.evidence,
        "cause": problem.cause,
        "fix": steps(&problem.fix),
    })
}

/// Steps are numbered from 1, in the safe order.
fn steps(fix: &[FixStep]) -> Vec<Value> {
    let numbered = (1..).zip(fix);
    numbered
        .map(|(number, step): (u32, _)| json!({ "step": number, "router": step.router, "command": step.command }))
        .collect()
}
