//! What each probe method sees of sizes, a bar for each.

use maud::{Markup, html};

use super::bar::{Band, Scale, bar};
use crate::{
    language::{Between, Said, say},
    model::{
        observation::{MethodSizes, PathObservation},
        types::{Direction, SizeMethod},
    },
    path::probe::FLOWS,
    web::mark::Mark,
};

pub(super) fn section(path: &PathObservation, scale: Scale) -> Markup {
    let seen = in_order(&path.sizes);
    if seen.is_empty() {
        return html! {};
    }
    let expected = path.expected_mtu.as_ref().map(|expected| expected.bytes);
    let without: Vec<_> = [SizeMethod::TcpSyn, SizeMethod::Fragments]
        .into_iter()
        .filter(|method| seen.iter().all(|seen| seen.method != *method))
        .map(|method| why_not(method, path))
        .collect();
    html! {
        h3 { (say!("By probe method")) }
        p class="note" {
            (say!("Each method sees its own part: one direction, one kind of packet, some of the ways through the underlay."))
        }
        div class="ladder methods" {
            @for seen in &seen { (rung(seen, scale)) }
            (scale.labels(expected))
        }
        @if !without.is_empty() {
            p class="note" { (say!("No result: {methods}.", methods => Said::joined(without, Between::Semicolon))) }
        }
    }
}

/// The worst of a method first. Groups of TCP flows that see the same are one.
fn in_order(sizes: &[MethodSizes]) -> Vec<MethodSizes> {
    let mut all = sizes.to_vec();
    all.sort_by_key(|seen| (seen.method, seen.direction, seen.passes, seen.vanishes, seen.signalled));
    all.dedup_by(|next, first| {
        let same = MethodSizes { flows: first.flows, ..*next } == *first;
        if same {
            first.flows = first.flows.saturating_add(next.flows);
        }
        same
    });
    all
}

fn rung(seen: &MethodSizes, scale: Scale) -> Markup {
    let (sign, direction) = match seen.direction {
        Some(Direction::Forward) => ("→", say!("to the target")),
        Some(Direction::Reverse) => ("←", say!("from the target")),
        Some(Direction::Unknown) | None => ("⇄", say!("there and back")),
    };
    let flows = (seen.flows > 0).then(|| say!("{flows} of {all} flows", flows = seen.flows, all = FLOWS));
    let what = Said::joined([Some(direction), flows].into_iter().flatten(), Between::Comma);
    html! {
        div class="rung" {
            p {
                strong { (name(seen.method)) } " " span aria-hidden="true" { (sign) } " " (what)
            }
            (bar(scale, bands(seen, scale).into_iter(), None))
            ul class="found" {
                @for (mark, words) in words(seen) { li { (mark.icon()) " " (words) } }
            }
        }
    }
}

fn name(method: SizeMethod) -> Said {
    match method {
        SizeMethod::IcmpEcho => say!("ICMP echo"),
        SizeMethod::TcpSyn => say!("TCP SYN with data"),
        SizeMethod::Fragments => say!("ICMP echo in fragments"),
        SizeMethod::Reflector => say!("TCP to the reflector"),
    }
}

fn why_not(method: SizeMethod, path: &PathObservation) -> Said {
    match method {
        SizeMethod::TcpSyn if path.tcp_port.is_none() => say!("TCP SYN with data (the path has no TCP port)"),
        SizeMethod::Fragments => {
            say!("ICMP echo in fragments (sent only while large packets are lost or refused)")
        }
        other => name(other),
    }
}

/// A router that says that its MTU is `mtu` refuses what is larger, also sizes that were not sent.
fn bands(seen: &MethodSizes, scale: Scale) -> Vec<Band> {
    let mut bands = Vec::new();
    let known = seen.passes.map_or(scale.begin, |passes| passes + 1);
    if seen.passes.is_some() {
        bands.push(Band { from: scale.begin, mark: Mark::Good });
    }
    let vanishes = seen.vanishes.map(|from| Band { from, mark: Mark::Bad });
    let signalled = seen.signalled.map(|(_, mtu)| Band { from: mtu.max(known - 1) + 1, mark: Mark::Warn });
    let mut above: Vec<_> = vanishes.into_iter().chain(signalled).collect();
    above.sort_by_key(|band| band.from);
    if above.first().map_or(known <= scale.end, |band| band.from > known) {
        bands.push(Band { from: known, mark: Mark::Unknown });
    }
    bands.extend(above);
    bands
}

fn words(seen: &MethodSizes) -> impl Iterator<Item = (Mark, Said)> {
    let passes = seen.passes.map(|bytes| (Mark::Good, say!("{bytes} bytes pass", bytes)));
    let vanishes = seen.vanishes.map(|from| {
        let below = seen.signalled.map(|(_, mtu)| mtu).filter(|mtu| *mtu >= from);
        let words = if let Some(to) = below {
            say!("{from} to {to} bytes vanish without a signal", from, to)
        } else {
            say!("{from} bytes and more vanish without a signal", from)
        };
        (Mark::Bad, words)
    });
    let signalled = seen.signalled.map(|(size, mtu)| {
        let words = say!("{size} bytes are refused with a signal that names MTU {mtu}", size, mtu);
        (Mark::Warn, words)
    });
    [passes, vanishes, signalled].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::types::Bytes;
    use Mark::{Bad, Good, Unknown, Warn};

    const SCALE: Scale = Scale { begin: 1200, end: 1500 };

    fn seen(
        flows: u8,
        passes: Option<Bytes>,
        vanishes: Option<Bytes>,
        signalled: Option<(Bytes, Bytes)>,
    ) -> MethodSizes {
        let direction = Some(Direction::Forward);
        MethodSizes { method: SizeMethod::TcpSyn, direction, flows, passes, vanishes, signalled }
    }

    #[test]
    fn bands_follow_what_was_seen() {
        for (seen, bands_, words_) in [
            (seen(0, Some(1500), None, None), &[(1200, Good)][..], "1500 bytes pass"),
            (
                seen(0, Some(1450), Some(1451), None),
                &[(1200, Good), (1451, Bad)],
                "1450 bytes pass; 1451 bytes and more vanish without a signal",
            ),
            (
                seen(0, Some(1450), Some(1500), None),
                &[(1200, Good), (1451, Unknown), (1500, Bad)],
                "1450 bytes pass; 1500 bytes and more vanish without a signal",
            ),
            (
                seen(0, Some(1450), None, Some((1500, 1450))),
                &[(1200, Good), (1451, Warn)],
                "1450 bytes pass; 1500 bytes are refused with a signal that names MTU 1450",
            ),
            (
                seen(0, Some(1400), Some(1401), Some((1500, 1450))),
                &[(1200, Good), (1401, Bad), (1451, Warn)],
                "1400 bytes pass; 1401 to 1450 bytes vanish without a signal; 1500 bytes are refused with a \
                 signal that names MTU 1450",
            ),
            (
                seen(0, None, Some(1500), None),
                &[(1200, Unknown), (1500, Bad)],
                "1500 bytes and more vanish without a signal",
            ),
            (seen(0, Some(1400), None, None), &[(1200, Good), (1401, Unknown)], "1400 bytes pass"),
        ] {
            let found: Vec<_> = bands(&seen, SCALE).iter().map(|band| (band.from, band.mark)).collect();
            assert_eq!(found, bands_, "{seen:?}");
            let said: Vec<_> = words(&seen).map(|(_, words)| words.to_string()).collect();
            assert_eq!(said.join("; "), words_);
        }
    }

    #[test]
    fn flows_that_see_the_same_are_one_row_and_the_worst_is_first() {
        let small = |flows| seen(flows, Some(1400), Some(1401), None);
        let large = |flows| seen(flows, Some(1500), None, None);
        let echo = MethodSizes { method: SizeMethod::IcmpEcho, direction: None, ..large(0) };
        let all = [large(2), small(1), large(3), echo, small(2)];
        assert_eq!(in_order(&all), [echo, small(3), large(5)]);
        assert!(in_order(&[]).is_empty());
    }
}
