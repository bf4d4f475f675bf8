//! The three tables: routers, tunnels, paths. Empty tables are not shown.

use std::collections::BTreeMap;

use comfy_table::{ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};

use crate::{
    language::{Between, Said, say},
    model::{
        leg::LegSizes,
        observation::PathObservation,
        picture::{Tunnel, TunnelEnd, TunnelLeg},
        snapshot::{Link, RouterReading},
        state::Present,
        types::Bytes,
    },
};

const NOTHING: &str = "-";

fn table(header: &[Said], rows: Vec<Vec<String>>) -> Option<Table> {
    if rows.is_empty() {
        return None;
    }
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.iter().map(Said::localized)).add_rows(rows);
    Some(table)
}

pub(super) fn routers(present: &Present) -> Option<Table> {
    let row = |reading: &RouterReading| {
        let snapshot = reading.current.as_deref();
        let read = match (&reading.failure, snapshot) {
            (_, Some(snapshot)) if snapshot.tells_all() => {
                say!("yes, {time} ms", time = reading.duration.as_millis())
            }
            // A poorer method knows less: docs/methods.md.
            (_, Some(snapshot)) => {
                say!("by {method}, {time} ms", method = snapshot.method, time = reading.duration.as_millis())
            }
            (Some(failure), None) => say!("no: {reason}", reason => failure.reason.said()),
            (None, None) => say!("not yet"),
        };
        vec![
            reading.router.to_string(),
            reading.site.to_string(),
            read.localized(),
            or_nothing(snapshot.and_then(|snapshot| snapshot.version.clone())),
            or_nothing(snapshot.map(|snapshot| snapshot.vxlan_links().count())),
        ]
    };
    let rows = present.routers.iter().map(|reading| row(reading)).collect();
    table(&[say!("router"), say!("site"), say!("read"), say!("version"), say!("vxlan interfaces")], rows)
}

pub(super) fn tunnels(present: &Present) -> Option<Table> {
    let routers: BTreeMap<_, _> =
        present.routers.iter().map(|reading| (&reading.router, &**reading)).collect();
    let link = |end: &TunnelEnd| routers.get(&end.router)?.current.as_ref()?.link(end.interface.as_str());
    let row = |tunnel: &Tunnel| {
        let both = |tell: &dyn Fn(&Link) -> Option<String>| {
            let told = |end| or_nothing(link(end).and_then(tell));
            let mut told: Vec<_> = tunnel.ends.iter().map(told).collect();
            told.dedup();
            told.join(" ~ ")
        };
        let up = match tunnel.up {
            Some(true) => say!("yes"),
            Some(false) => say!("NO"),
            None => say!("not known"),
        };
        let fields = tunnel.mismatches.keys().map(|field| field.said());
        let fields = Said::joined(fields, Between::Comma).localized();
        vec![
            tunnel.name.clone(),
            tunnel.state.said().localized(),
            up.localized(),
            both(&|link| Some(link.vxlan.as_ref()?.vni?.to_string())),
            both(&|link| link.mtu.map(|mtu| mtu.to_string())),
            lost(tunnel),
            if fields.is_empty() { NOTHING.to_owned() } else { fields },
        ]
    };
    let rows = present.overlay.tunnels.iter().map(row).collect();
    let header =
        [say!("tunnel"), say!("state"), say!("up"), say!("vni"), say!("mtu"), say!("lost"), say!("mismatch")];
    table(&header, rows)
}

/// Loss from the first end to the second, and back.
fn lost(tunnel: &Tunnel) -> String {
    let from = |end: &TunnelEnd| {
        let loss = tunnel.loss.iter().find(|loss| loss.from == *end);
        or_nothing(loss.map(|loss| format!("{:.1} %", loss.ratio * 100.0)))
    };
    let mut told: Vec<_> = tunnel.ends.iter().map(from).collect();
    if told.iter().all(|told| told == NOTHING) {
        told.truncate(1);
    }
    told.join(" ~ ")
}

/// The underlay, leg by leg, as far as routers were asked to measure it.
pub(super) fn legs(present: &Present) -> Option<Table> {
    let row = |(tunnel, leg): (&Tunnel, &TunnelLeg)| {
        let reading = &leg.reading;
        let carries = match &reading.sizes {
            LegSizes::Passed { size } => size.to_string(),
            LegSizes::Silent { answered, exact: true, .. } => {
                say!("{answered}, swallows more", answered).localized()
            }
            LegSizes::Silent { .. } | LegSizes::Starting => say!("not yet known").localized(),
            LegSizes::SizeDependent => say!("less and less").localized(),
            LegSizes::NotMeasured { .. } => NOTHING.to_owned(),
        };
        vec![
            leg.from.router.to_string(),
            leg.to.router.to_string(),
            tunnel.name.clone(),
            carries,
            leg.needed.to_string(),
            or_nothing((reading.sent > 0).then(|| format!("{}/{}", reading.lost, reading.sent))),
            or_nothing(reading.rtt.map(|rtt| milliseconds(rtt.as_secs_f64()))),
        ]
    };
    let legs =
        present.overlay.tunnels.iter().flat_map(|tunnel| tunnel.legs.iter().map(move |leg| (tunnel, leg)));
    let header = [
        say!("underlay\nfrom"),
        say!("to"),
        say!("tunnel"),
        say!("carries"),
        say!("needs"),
        say!("pings\nlost"),
        say!("mean\nRTT"),
    ];
    table(&header, legs.map(row).collect())
}

pub(super) fn paths(present: &Present) -> Option<Table> {
    let row = |path: &PathObservation| {
        let [forward, reverse] = PathMtu::of(path).map(PathMtu::cell);
        let echo = path.echo();
        let decided = echo.replies + echo.lost;
        vec![
            path.path.to_string(),
            path.target.clone(),
            path.target_site.to_string(),
            path.judgement.verdict.said().localized(),
            forward,
            reverse,
            or_nothing(path.expected_mtu.as_ref().map(|expected| expected.bytes)),
            or_nothing((decided > 0).then(|| format!("{}/{decided}", echo.lost))),
            or_nothing(echo.rtt.mean_seconds().map(milliseconds)),
        ]
    };
    let rows = present.paths.iter().map(|path| row(path)).collect();
    let header = [
        say!("path"),
        say!("target"),
        say!("site"),
        say!("verdict"),
        say!("MTU\nforward"),
        say!("MTU\nreverse"),
        say!("MTU\nexpected"),
        say!("echoes\nlost"),
        say!("mean\nRTT"),
    ];
    table(&header, rows)
}

/// The path MTU in one direction, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathMtu {
    Exact(Bytes),
    AtLeast(Bytes),
    NotKnown,
}

impl PathMtu {
    /// The path MTUs in both directions: forward, reverse.
    pub(crate) fn of(path: &PathObservation) -> [Self; 2] {
        let judgement = &path.judgement;
        let exact = |mtu| if judgement.settled { Self::Exact(mtu) } else { Self::AtLeast(mtu) };
        let tested = path.is_forward_tested();
        let forward = judgement.mtu_forward.map(|mtu| if tested { exact(mtu) } else { Self::AtLeast(mtu) });
        let reverse = judgement.mtu_reverse.map(exact);
        [(forward, judgement.forward_at_least), (reverse, judgement.reverse_at_least)]
            .map(|(mtu, at_least)| mtu.or_else(|| at_least.map(Self::AtLeast)).unwrap_or(Self::NotKnown))
    }

    pub(crate) fn cell(self) -> String {
        match self {
            Self::Exact(mtu) => mtu.to_string(),
            Self::AtLeast(mtu) => format!(">={mtu}"),
            Self::NotKnown => NOTHING.to_owned(),
        }
    }
}

pub(crate) fn milliseconds(seconds: f64) -> String {
    let milliseconds = seconds * 1000.0;
    let digits = match milliseconds {
        // Shorter times are dominated by the resolution of our own clock.
        ..0.01 => return "<0.01 ms".to_owned(),
        ..0.1 => 3,
        ..10.0 => 2,
        _ => 1,
    };
    format!("{milliseconds:.digits$} ms")
}

fn or_nothing(value: Option<impl ToString>) -> String {
    value.map_or_else(|| NOTHING.to_owned(), |value| value.to_string())
}
