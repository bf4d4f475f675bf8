//! The sizes of a path as a picture: what passes, what is signalled, what vanishes, each way.

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

const WIDTH: u32 = 320;
const BAR: u32 = 22;

/// One bar for each direction, up to the expected size.
pub(super) fn ladder(path: &PathObservation) -> Markup {
    let [forward, reverse] = PathMtu::of(path);
    html! {
        div class="ladder" {
            (bar(path, &say!("To the target"), forward, Direction::Forward))
            (bar(path, &say!("From the target"), reverse, Direction::Reverse))
        }
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

fn bar(path: &PathObservation, title: &Said, mtu: PathMtu, direction: Direction) -> Markup {
    let expected = path.expected_mtu.as_ref().map(|expected| expected.bytes);
    let (passes, least) = match mtu {
        PathMtu::Exact(bytes) => (Some(bytes), false),
        PathMtu::AtLeast(bytes) => (Some(bytes), true),
        PathMtu::NotKnown => (None, false),
    };
    let end = expected.into_iter().chain(passes).max().unwrap_or(1500);
    let is_whole = passes.is_some_and(|bytes| bytes >= end);
    let (mark, words) = above(path, direction, is_whole);
    // What is known lies between the size that passes and the expected one: a scale from 0 would
    // leave it no room.
    let begin = passes.filter(|bytes| *bytes > end / 5 * 4).map_or(0, |_| end / 500 * 400);
    let filled = passes.map_or(0, |bytes| width(bytes.saturating_sub(begin), end - begin));
    let told = match passes {
        Some(bytes) if least => say!("{bytes} bytes and maybe more pass", bytes),
        Some(bytes) => say!("{bytes} bytes pass", bytes),
        None => say!("No size is known to pass"),
    };
    let told = match words {
        Some(words) => say!("{passes}; {larger}", passes => told, larger => words),
        None => told,
    };
    html! {
        div class="rung" {
            p { strong { (title) } ": " (say!("{sentence}.", sentence => told.clone())) }
            svg class="bar" viewBox={ "0 0 " (WIDTH) " " (BAR) } role="img" aria-label={ (title) ": " (told) } {
                rect class="ground" x="0" y="0" width=(WIDTH) height=(BAR) {}
                rect class={ "above " (mark.class()) } x=(filled) y="3" width=(WIDTH - filled) height=(BAR - 6) {}
                rect class="passes" x="0" y="0" width=(filled) height=(BAR) {}
                @if !is_whole && filled > 0 { line class="edge" x1=(filled) y1="0" x2=(filled) y2=(BAR) {} }
            }
            p class="scale" { span { (begin) } span {
                    @if expected == Some(end) { (say!("{bytes} bytes expected", bytes = end)) }
                    @else { (say!("{bytes} bytes", bytes = end)) }
                } }
        }
    }
}

fn width(bytes: Bytes, end: Bytes) -> u32 {
    let wide = u64::from(bytes) * u64::from(WIDTH) / u64::from(end.max(1));
    u32::try_from(wide).unwrap_or(WIDTH).min(WIDTH)
}
