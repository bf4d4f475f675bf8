//! Samples of paths: probe results, and what router data adds.

use super::unix_seconds;
use crate::{
    catalogue::{self as c, MetricSpec},
    model::{
        observation::{EchoStats, PathObservation, RttHistogram},
        picture::PathPicture,
        state::Present,
        types::{BlackholeReason, Direction, ReflectorUse, SendError, Verdict},
    },
    web::format::{BucketBound, BucketCounts, SampleWriter, SharedLabels},
};

/// A path, with what its samples share.
struct PathRow<'p> {
    /// `path`, `target_site` and `source`, encoded.
    labels: SharedLabels,
    path: &'p PathObservation,
    echo: EchoStats,
    picture: Option<&'p PathPicture>,
}

/// Writes the samples of a path in a family.
type Put = fn(&mut dyn SampleWriter, &PathRow<'_>);

const FAMILIES: &[(&MetricSpec, Put)] = &[
    (&c::PATH_BLACKHOLE, blackhole),
    (&c::PATH_BLACKHOLE_REASON, blackhole_reason),
    (&c::PATH_ECHO_LATE, |out, row| out.put(&row.labels, &[], row.echo.late.into())),
    (&c::PATH_ECHO_LOST, |out, row| out.put(&row.labels, &[], row.echo.lost.into())),
    (&c::PATH_ECHO_REPLIES, |out, row| out.put(&row.labels, &[], row.echo.replies.into())),
    (&c::PATH_ECHO_REQUESTS, |out, row| out.put(&row.labels, &[], row.echo.requests.into())),
    (&c::PATH_ECHO_VOID, |out, row| out.put(&row.labels, &[], row.echo.void.into())),
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
pub(crate) fn write(present: &Present, out: &mut dyn SampleWriter) {
    let rows: Vec<PathRow<'_>> = present
        .paths_with_pictures()
        .map(|(path, picture)| {
            let source = path.source.to_string();
            let names = [path.path.as_str(), path.target_site.as_str(), &source];
            PathRow { labels: out.shared(&c::PATH_RTT, &names), path, echo: path.echo(), picture }
        })
        .collect();
    for (family, put) in FAMILIES {
        out.begin(family);
        for row in &rows {
            out.since(row.path.counters.began());
            put(out, row);
        }
    }
}

fn info(out: &mut dyn SampleWriter, row: &PathRow<'_>) {
    let path = row.path;
    let address = path.address.map(|address| address.to_string()).unwrap_or_default();
    let port = path.tcp_port.map(|port| port.to_string()).unwrap_or_default();
    let reflector = path.reflector.map_or("", ReflectorUse::as_str);
    out.put(&row.labels, &[&address, &port, reflector], true.into());
}

/// The bounds of the buckets. A whole number has its `.0` in every form: OpenMetrics wants it.
pub(super) const BOUNDS: [BucketBound; RttHistogram::BOUNDS.len()] = [
    (0.000_25, "0.00025"),
    (0.0005, "0.0005"),
    (0.001, "0.001"),
    (0.0025, "0.0025"),
    (0.005, "0.005"),
    (0.01, "0.01"),
    (0.025, "0.025"),
    (0.05, "0.05"),
    (0.1, "0.1"),
    (0.25, "0.25"),
    (1.0, "1.0"),
];

fn rtt(out: &mut dyn SampleWriter, row: &PathRow<'_>) {
    let rtt = &row.echo.rtt;
    let native = out.takes_native().then(|| row.path.counters.fine_rtt());
    let buckets = BucketCounts { bounds: &BOUNDS, counts: &rtt.counts, sum: rtt.sum_seconds, native };
    out.put_buckets(&row.labels, &[], &buckets);
}

fn send_errors(out: &mut dyn SampleWriter, row: &PathRow<'_>) {
    for reason in SendError::ALL {
        out.put(&row.labels, &[reason.as_str()], row.path.counters.send_errors(*reason).into());
    }
}

fn last_probe(out: &mut dyn SampleWriter, row: &PathRow<'_>) {
    if let Some(time) = row.path.counters.last_probe() {
        out.put(&row.labels, &[], unix_seconds(time).into());
    }
}

fn expected(row: &PathRow<'_>) -> Option<u32> {
    row.path.expected_mtu.as_ref().map(|expected| expected.bytes)
}

fn expected_mtu(out: &mut dyn SampleWriter, row: &PathRow<'_>) {
    if let Some(bytes) = expected(row) {
        out.put(&row.labels, &[], bytes.into());
    }
}

fn testable_mtu(out: &mut dyn SampleWriter, row: &PathRow<'_>) {
    if let Some(bytes) = row.path.testable_mtu {
        out.put(&row.labels, &[], bytes.into());
    }
}

fn mtu(out: &mut dyn SampleWriter, row: &PathRow<'_>) {
    let judgement = &row.path.judgement;
    for (direction, mtu) in
        [(Direction::Forward, judgement.mtu_forward), (Direction::Reverse, judgement.mtu_reverse)]
    {
        if let Some(mtu) = mtu {
            let mtu = expected(row).map_or(mtu, |expected| mtu.min(expected));
            out.put(&row.labels, &[direction.as_str()], mtu.into());
        }
    }
}

fn blackhole(out: &mut dyn SampleWriter, row: &PathRow<'_>) {
    for direction in Direction::ALL {
        let hole = row.path.judgement.holes.contains(direction);
        out.put(&row.labels, &[direction.as_str()], hole.into());
    }
}

fn blackhole_reason(out: &mut dyn SampleWriter, row: &PathRow<'_>) {
    let reasons = row.path.judgement.blackhole_reasons();
    for reason in BlackholeReason::ALL {
        out.put(&row.labels, &[reason.as_str()], reasons.contains(reason).into());
    }
}

fn verdict(out: &mut dyn SampleWriter, row: &PathRow<'_>) {
    for verdict in Verdict::ALL {
        let is_it = row.path.judgement.verdict == *verdict;
        out.put(&row.labels, &[verdict.as_str()], is_it.into());
    }
}

fn unknown_reason(out: &mut dyn SampleWriter, row: &PathRow<'_>) {
    let judgement = &row.path.judgement;
    if let Some(reason) = judgement.unknown_reason.filter(|_| judgement.verdict == Verdict::Unknown) {
        out.put(&row.labels, &[reason.as_str()], true.into());
    }
}

fn hops(out: &mut dyn SampleWriter, row: &PathRow<'_>) {
    let hops = row.picture.map_or(&[][..], |picture| &picture.hops);
    for (place, hop) in hops.iter().enumerate() {
        // A way that crosses an end twice has one sample of it.
        if !hops[..place].contains(hop) {
            let end = &hop.end;
            out.put(&row.labels, &[&hop.tunnel, end.router.as_str(), end.interface.as_str()], true.into());
        }
    }
}

fn fix(out: &mut dyn SampleWriter, row: &PathRow<'_>) {
    let Some(picture) = row.picture.filter(|_| row.path.judgement.verdict != Verdict::Ok) else { return };
    // One session a router, as `check` prints them: `configure`, its commands, `commit`, `save`.
    let sessions = (1_u32..).zip(picture.fix.chunk_by(|one, next| one.router == next.router));
    let steps = sessions.flat_map(|(session, steps)| steps.iter().map(move |step| (session, step)));
    for (number, (session, step)) in (1_u32..).zip(steps) {
        let (number, session) = (number.to_string(), session.to_string());
        let values = [&session, &number, step.router.as_str(), &step.command.to_string()];
        out.put(&row.labels, &values, true.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_are_written_as_they_are() {
        assert_eq!(RttHistogram::BOUNDS.map(|bound| format!("{bound:?}")), BOUNDS.map(|(_, text)| text));
        assert_eq!(RttHistogram::BOUNDS.map(f64::to_bits), BOUNDS.map(|(bound, _)| bound.to_bits()));
    }

    #[test]
    fn families_are_those_of_the_catalogue() {
        let ours = |family: &&&MetricSpec| family.name().starts_with("vxlan_path_");
        let mut known: Vec<_> = c::ALL.iter().filter(ours).map(|family| family.name()).collect();
        known.sort_unstable();
        assert_eq!(FAMILIES.iter().map(|(family, _)| family.name()).collect::<Vec<_>>(), known);
    }
}
