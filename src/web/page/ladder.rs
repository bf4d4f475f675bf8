//! The sizes of a path as a picture: what passes, what is signalled, what vanishes. First what follows
//! for each way, then what each probe method sees.

mod bar;
mod methods;

use bar::{Band, Scale};
use maud::{Markup, html};

use crate::{
    language::{Said, say},
    model::{
        observation::PathObservation,
        types::{Bytes, Direction, Verdict},
    },
    report::tables::PathMtu,
    web::mark::Mark,
};

/// One bar for each direction, then one for each method, all on one scale.
pub(super) fn ladder(path: &PathObservation) -> Markup {
    let [forward, reverse] = PathMtu::of(path);
    let scale = scale(path, [forward, reverse]);
    html! {
        div class="ladder" {
            (rung(path, scale, &say!("To the target"), forward, Direction::Forward))
            (rung(path, scale, &say!("From the target"), reverse, Direction::Reverse))
        }
        (methods::section(path, scale))
    }
}

/// From below the smallest size that matters to the largest, which is mostly the expected one.
fn scale(path: &PathObservation, mtus: [PathMtu; 2]) -> Scale {
    let expected = path.expected_mtu.as_ref().map(|expected| expected.bytes);
    let passing = mtus.into_iter().filter_map(known).chain(path.sizes.iter().filter_map(|seen| seen.passes));
    let signalled = path.sizes.iter().filter_map(|seen| Some(seen.signalled?.0));
    let vanishing = path.sizes.iter().filter_map(|seen| seen.vanishes);
    let sizes: Vec<_> = passing.chain(signalled).chain(vanishing).collect();
    Scale::of(&sizes, expected)
}

/// A size that passes.
fn known(mtu: PathMtu) -> Option<Bytes> {
    match mtu {
        PathMtu::Exact(bytes) | PathMtu::AtLeast(bytes) => Some(bytes),
        PathMtu::NotKnown => None,
    }
}

/// What happens above the size that passes.
fn above(path: &PathObservation, direction: Direction, is_whole: bool) -> (Mark, Option<Said>) {
    let judgement = &path.judgement;
    let holes = &judgement.holes;
    match judgement.verdict {
        _ if is_whole => (Mark::Good, None),
        Verdict::Blackhole if holes.contains(&direction) || holes.contains(&Direction::Unknown) => {
            (Mark::Bad, Some(say!("what is larger vanishes without a signal")))
        }
        Verdict::Reduced => (Mark::Warn, Some(say!("what is larger is refused with a signal"))),
        Verdict::Unreachable => (Mark::Bad, Some(say!("what is larger vanishes, whatever its size"))),
        _ => (Mark::Unknown, Some(say!("what is larger is not measured"))),
    }
}

fn rung(path: &PathObservation, scale: Scale, title: &Said, mtu: PathMtu, direction: Direction) -> Markup {
    let expected = path.expected_mtu.as_ref().map(|expected| expected.bytes);
    let passes = known(mtu);
    let is_whole = passes.is_some_and(|bytes| bytes >= expected.unwrap_or(scale.end));
    let (mark, words) = above(path, direction, is_whole);
    let told = match mtu {
        PathMtu::AtLeast(bytes) => say!("{bytes} bytes and maybe more pass", bytes),
        PathMtu::Exact(bytes) => say!("{bytes} bytes pass", bytes),
        PathMtu::NotKnown => say!("No size is known to pass"),
    };
    let told = match words {
        Some(words) => say!("{passes}; {larger}", passes => told, larger => words),
        None => told,
    };
    let above = passes.map_or(scale.begin, |bytes| bytes + 1);
    let bands = passes.map(|_| Band { from: scale.begin, mark: Mark::Good });
    let bands = bands.into_iter().chain((!is_whole).then_some(Band { from: above, mark }));
    html! {
        div class="rung" {
            p { strong { (title) } ": " (say!("{sentence}.", sentence => told.clone())) }
            (bar::bar(scale, bands, Some(format!("{}: {}", title.localized(), told.localized()))))
            (scale.labels(expected))
        }
    }
}
