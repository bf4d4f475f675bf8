//! The three tables: routers, tunnels, paths. A table without rows is not shown.

use comfy_table::{ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};

use crate::{
    overlay::{
        observation::{Judgement, PathObservation},
        picture::{Tunnel, TunnelEnd},
    },
    router::snapshot::{Link, RouterReading},
    state::Present,
    types::{Bytes, MismatchField},
};

const NOTHING: &str = "-";

fn table(header: &[&str], rows: Vec<Vec<String>>) -> Option<Table> {
    if rows.is_empty() {
        return None;
    }
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.to_vec()).add_rows(rows);
    Some(table)
}

pub(super) fn routers(present: &Present) -> Option<Table> {
    let row = |reading: &RouterReading| {
        let snapshot = reading.current.as_deref();
        let read = match (&reading.failure, snapshot) {
            (_, Some(_)) => format!("yes, {} ms", reading.duration.as_millis()),
            (Some(failure), None) => format!("no: {}", failure.reason),
            (None, None) => "not yet".to_owned(),
        };
        vec![
            reading.router.to_string(),
            reading.site.to_string(),
            read,
            or_nothing(snapshot.and_then(|snapshot| snapshot.version.clone())),
            or_nothing(snapshot.map(|snapshot| snapshot.vxlans().count())),
        ]
    };
    let rows = present.routers.iter().map(|reading| row(reading)).collect();
    table(&["router", "site", "read", "version", "vxlan interfaces"], rows)
}

pub(super) fn tunnels(present: &Present) -> Option<Table> {
    let row = |tunnel: &Tunnel| {
        let both = |tell: &dyn Fn(&Link) -> Option<String>| {
            let told = |end| or_nothing(link(present, end).and_then(tell));
            let mut told: Vec<_> = tunnel.ends.iter().map(told).collect();
            told.dedup();
            told.join(" ~ ")
        };
        let up = match tunnel.up {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "not known",
        };
        let fields: Vec<_> = tunnel.mismatches.keys().copied().map(MismatchField::as_str).collect();
        vec![
            tunnel.name.clone(),
            tunnel.state.to_string(),
            up.to_owned(),
            both(&|link| Some(link.vxlan.as_ref()?.vni?.to_string())),
            both(&|link| link.mtu.map(|mtu| mtu.to_string())),
            if fields.is_empty() { NOTHING.to_owned() } else { fields.join(", ") },
        ]
    };
    let rows = present.overlay.tunnels.iter().map(row).collect();
    table(&["tunnel", "state", "up", "vni", "mtu", "mismatch"], rows)
}

pub(super) fn paths(present: &Present) -> Option<Table> {
    let row = |path: &PathObservation| {
        let (forward, reverse) = mtus(&path.judgement);
        let decided = path.echo.replies + path.echo.lost;
        vec![
            path.path.to_string(),
            path.target.clone(),
            path.target_site.to_string(),
            path.judgement.verdict.to_string(),
            forward,
            reverse,
            or_nothing(path.expected_mtu.as_ref().map(|expected| expected.bytes)),
            or_nothing((decided > 0).then(|| format!("{}/{decided}", path.echo.lost))),
            or_nothing(rtt_seconds(path).map(milliseconds)),
        ]
    };
    let rows = present.paths.iter().map(|path| row(path)).collect();
    let header = [
        "path",
        "target",
        "site",
        "verdict",
        "MTU\nforward",
        "MTU\nreverse",
        "MTU\nexpected",
        "echoes\nlost",
        "mean\nRTT",
    ];
    table(&header, rows)
}

/// Path MTU of both directions: exact, a lower bound `>=N`, or `-`.
fn mtus(judgement: &Judgement) -> (String, String) {
    let bound = |mtu: Bytes| format!(">={mtu}");
    let exact = |mtu: Bytes| if judgement.settled { mtu.to_string() } else { bound(mtu) };
    let both = |mtu: Option<Bytes>, at_least: Option<Bytes>| {
        or_nothing(mtu.map(exact).or_else(|| at_least.map(bound)))
    };
    (
        both(judgement.mtu_forward, judgement.forward_at_least),
        both(judgement.mtu_reverse, judgement.reverse_at_least),
    )
}

/// Mean round-trip time of the small echoes, in seconds.
pub(super) fn rtt_seconds(path: &PathObservation) -> Option<f64> {
    let count = u32::try_from(path.echo.rtt.count()).ok().filter(|count| *count > 0)?;
    Some(path.echo.rtt.sum_seconds / f64::from(count))
}

fn milliseconds(seconds: f64) -> String {
    let milliseconds = seconds * 1000.0;
    if milliseconds < 10.0 { format!("{milliseconds:.2} ms") } else { format!("{milliseconds:.1} ms") }
}

fn link<'p>(present: &'p Present, end: &TunnelEnd) -> Option<&'p Link> {
    let reading = present.routers.iter().find(|reading| reading.router == end.router)?;
    reading.current.as_ref()?.link(end.interface.as_str())
}

fn or_nothing(value: Option<impl ToString>) -> String {
    value.map_or_else(|| NOTHING.to_owned(), |value| value.to_string())
}
