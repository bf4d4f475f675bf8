//! Samples of paths: probe results, and what router data adds.

use std::io::{self, Write};

use super::{
    lines::{SampleWriter, encoded},
    unix_seconds,
};
use crate::{
    catalogue::{self as c, MetricSpec},
    model::{
        observation::{EchoStats, PathObservation, RttHistogram},
        picture::PathPicture,
        state::Present,
        types::{BlackholeReason, Direction, ReflectorUse, SendError, Verdict},
    },
};

/// A path, with what its samples share.
struct PathRow<'p> {
    /// `path`, `target_site` and `source`, encoded.
    labels: String,
    path: &'p PathObservation,
    echo: EchoStats,
    picture: Option<&'p PathPicture>,
}

/// Writes the samples of a path in a family.
type Put = fn(&mut SampleWriter<'_>, &PathRow<'_>);

const FAMILIES: &[(&MetricSpec, Put)] = &[
    (&c::PATH_BLACKHOLE, blackhole),
    (&c::PATH_BLACKHOLE_REASON, blackhole_reason),
    (&c::PATH_ECHO_LATE, |out, row| out.put(&row.labels, &[], row.echo.late)),
    (&c::PATH_ECHO_LOST, |out, row| out.put(&row.labels, &[], row.echo.lost)),
    (&c::PATH_ECHO_REPLIES, |out, row| out.put(&row.labels, &[], row.echo.replies)),
    (&c::PATH_ECHO_REQUESTS, |out, row| out.put(&row.labels, &[], row.echo.requests)),
    (&c::PATH_ECHO_VOID, |out, row| out.put(&row.labels, &[], row.echo.void)),
    (&c::PATH_EXPECTED_MTU, expected_mtu),
    (&c::PATH_FIX_INFO, fix),
    (&c::PATH_HOP_INFO, hops),
    (&c::PATH_INFO, info),
    (&c::PATH_LAST_PROBE, last_probe),
    (&c::PATH_MTU, mtu),
    (&c::PATH_RTT, rtt),
    (&c::PATH_SEND_ERRORS, send_errors),
    (&c::PATH_TESTABLE_MTU, testable_mtu),
    (&c::PATH_UNKNOWN_REASON, unknown_reason),
    (&c::PATH_VERDICT, verdict),
];

/// Writes the samples of all paths, one family after the other.
pub(crate) fn write(present: &Present, to: &mut dyn Write) -> io::Result<()> {
    let rows: Vec<PathRow<'_>> = present
        .paths_with_pictures()
        .map(|(path, picture)| {
            let source = path.source.to_string();
            let labels = encoded(&c::PATH_RTT, &[path.path.as_str(), path.target_site.as_str(), &source]);
            PathRow { labels, path, echo: path.echo(), picture }
        })
        .collect();
    let mut out = SampleWriter::new(to, &c::PATH_RTT);
    for (family, put) in FAMILIES {
        out.begin(family);
        for row in &rows {
            put(&mut out, row);
        }
    }
    out.end()
}

fn info(out: &mut SampleWriter<'_>, row: &PathRow<'_>) {
    let path = row.path;
    let address = path.address.map(|address| address.to_string()).unwrap_or_default();
    let port = path.tcp_port.map(|port| port.to_string()).unwrap_or_default();
    let reflector = path.reflector.map_or("", ReflectorUse::as_str);
    out.put(&row.labels, &[&address, &port, reflector], 1);
}

/// The bounds of the buckets as they are written.
const BOUNDS: [&str; RttHistogram::BOUNDS.len()] =
    ["0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "1"];

fn rtt(out: &mut SampleWriter<'_>, row: &PathRow<'_>) {
    let rtt = &row.echo.rtt;
    let mut below = 0;
    for (bound, count) in BOUNDS.iter().zip(rtt.counts) {
        below += count;
        out.put_part("_bucket", &row.labels, Some(bound), below);
    }
    let all = rtt.count();
    out.put_part("_bucket", &row.labels, Some("+Inf"), all);
    out.put_part("_sum", &row.labels, None, rtt.sum_seconds);
    out.put_part("_count", &row.labels, None, all);
}

fn send_errors(out: &mut SampleWriter<'_>, row: &PathRow<'_>) {
    for reason in SendError::ALL {
        out.put(&row.labels, &[reason.as_str()], row.path.counters.send_errors(*reason));
    }
}

fn last_probe(out: &mut SampleWriter<'_>, row: &PathRow<'_>) {
    if let Some(time) = row.path.counters.last_probe() {
        out.put(&row.labels, &[], unix_seconds(time));
    }
}

fn expected(row: &PathRow<'_>) -> Option<u32> {
    row.path.expected_mtu.as_ref().map(|expected| expected.bytes)
}

fn expected_mtu(out: &mut SampleWriter<'_>, row: &PathRow<'_>) {
    if let Some(bytes) = expected(row) {
        out.put(&row.labels, &[], bytes);
    }
}

fn testable_mtu(out: &mut SampleWriter<'_>, row: &PathRow<'_>) {
    if let Some(bytes) = row.path.testable_mtu {
        out.put(&row.labels, &[], bytes);
    }
}

fn mtu(out: &mut SampleWriter<'_>, row: &PathRow<'_>) {
    let judgement = &row.path.judgement;
    for (direction, mtu) in
        [(Direction::Forward, judgement.mtu_forward), (Direction::Reverse, judgement.mtu_reverse)]
    {
        if let Some(mtu) = mtu {
            let mtu = expected(row).map_or(mtu, |expected| mtu.min(expected));
            out.put(&row.labels, &[direction.as_str()], mtu);
        }
    }
}

fn blackhole(out: &mut SampleWriter<'_>, row: &PathRow<'_>) {
    for direction in Direction::ALL {
        let hole = row.path.judgement.holes.contains(direction);
        out.put_bool(&row.labels, &[direction.as_str()], hole);
    }
}

fn blackhole_reason(out: &mut SampleWriter<'_>, row: &PathRow<'_>) {
    let reasons = row.path.judgement.blackhole_reasons();
    for reason in BlackholeReason::ALL {
        out.put_bool(&row.labels, &[reason.as_str()], reasons.contains(reason));
    }
}

fn verdict(out: &mut SampleWriter<'_>, row: &PathRow<'_>) {
    for verdict in Verdict::ALL {
        out.put_bool(&row.labels, &[verdict.as_str()], row.path.judgement.verdict == *verdict);
    }
}

fn unknown_reason(out: &mut SampleWriter<'_>, row: &PathRow<'_>) {
    let judgement = &row.path.judgement;
    if let Some(reason) = judgement.unknown_reason.filter(|_| judgement.verdict == Verdict::Unknown) {
        out.put(&row.labels, &[reason.as_str()], 1);
    }
}

fn hops(out: &mut SampleWriter<'_>, row: &PathRow<'_>) {
    let hops = row.picture.map_or(&[][..], |picture| &picture.hops);
    for (place, hop) in hops.iter().enumerate() {
        // A way that crosses an end twice has one sample of it.
        if !hops[..place].contains(hop) {
            let end = &hop.end;
            out.put(&row.labels, &[&hop.tunnel, end.router.as_str(), end.interface.as_str()], 1);
        }
    }
}

fn fix(out: &mut SampleWriter<'_>, row: &PathRow<'_>) {
    let Some(picture) = row.picture.filter(|_| row.path.judgement.verdict != Verdict::Ok) else { return };
    // One session a router, as `check` prints them: `configure`, its commands, `commit`, `save`.
    let sessions = (1_u32..).zip(picture.fix.chunk_by(|one, next| one.router == next.router));
    let steps = sessions.flat_map(|(session, steps)| steps.iter().map(move |step| (session, step)));
    for (number, (session, step)) in (1_u32..).zip(steps) {
        let (number, session) = (number.to_string(), session.to_string());
        out.put(&row.labels, &[&session, &number, step.router.as_str(), &step.command.to_string()], 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_are_written_as_they_are() {
        assert_eq!(RttHistogram::BOUNDS.map(|bound| bound.to_string()), BOUNDS);
    }

    #[test]
    fn families_are_those_of_the_catalogue() {
        let ours = |family: &&&MetricSpec| family.name().starts_with("vxlan_path_");
        let mut known: Vec<_> = c::ALL.iter().filter(ours).map(|family| family.name()).collect();
        known.sort_unstable();
        assert_eq!(FAMILIES.iter().map(|(family, _)| family.name()).collect::<Vec<_>>(), known);
    }
}
