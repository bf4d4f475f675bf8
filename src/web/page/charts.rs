//! A day as small pictures: a line for a number, a strip for verdicts.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::time::clock;
use crate::{
    history::Change,
    language::{Said, say},
    web::mark::Mark,
};

/// One column for so many minutes.
const MINUTES: u64 = 5;
const COLUMNS: u64 = 24 * 60 / MINUTES;
const HEIGHT: f64 = 48.0;

/// A line of the last 24 hours, the largest value of each five minutes.
pub(super) fn sparkline(
    title: Said,
    now: u64,
    values: &[(u64, Option<f64>)],
    show: &dyn Fn(f64) -> String,
) -> Markup {
    let mut columns: Vec<Option<f64>> = vec![None; usize::try_from(COLUMNS).unwrap_or(0)];
    for (minute, value) in values {
        if let (Some(column), Some(value)) = (column_of(now, *minute), *value) {
            let slot = &mut columns[column];
            *slot = Some(slot.map_or(value, |known| known.max(value)));
        }
    }
    let most = columns.iter().flatten().copied().fold(0.0_f64, f64::max);
    let last = values.iter().rev().find_map(|(_, value)| *value);
    let told = if let Some(last) = last {
        say!("{title}: {last} now, at most {most}", title => title, last = show(last), most = show(most))
    } else {
        say!("{title}: nothing measured yet", title => title)
    };
    html! {
        figure class="spark" {
            figcaption { (told) }
            svg viewBox={ "0 0 " (COLUMNS) " " (HEIGHT) } preserveAspectRatio="none" role="img" aria-label=(told) {
                line class="ground" x1="0" y1=(HEIGHT - 0.5) x2=(COLUMNS) y2=(HEIGHT - 0.5) {}
                path class="line" vector-effect="non-scaling-stroke" d=(line(&columns, most)) {}
            }
            p class="scale" { span { (say!("24 h ago")) } span { (clock(now)) " UTC" } }
        }
    }
}

/// From the left, the column of a minute.
fn column_of(now: u64, minute: u64) -> Option<usize> {
    let ago = now.checked_sub(minute)? / MINUTES;
    usize::try_from(COLUMNS.checked_sub(1 + ago)?).ok()
}

/// A line with gaps where nothing is known.
fn line(columns: &[Option<f64>], most: f64) -> String {
    let mut path = String::new();
    let mut is_drawing = false;
    for (x, value) in (0_u32..).zip(columns) {
        let Some(value) = value else {
            is_drawing = false;
            continue;
        };
        let part = if most > 0.0 { value / most } else { 0.0 };
        let y = (HEIGHT - 3.0) * (1.0 - part) + 1.5;
        let verb = if is_drawing { 'L' } else { 'M' };
        // Writing to a String cannot fail.
        let _ = write!(path, "{verb}{x} {y:.1}");
        if !is_drawing {
            path.push_str("h.9");
        }
        is_drawing = true;
    }
    path
}

/// The state of each five minutes: the worse, the higher.
pub(super) fn strip(title: &Said, now: u64, states: &[(u64, Option<Mark>)]) -> Markup {
    let mut columns: Vec<Option<Mark>> = vec![None; usize::try_from(COLUMNS).unwrap_or(0)];
    for (minute, mark) in states {
        if let (Some(column), Some(mark)) = (column_of(now, *minute), *mark) {
            let slot = &mut columns[column];
            *slot = Some(slot.map_or(mark, |known| known.min(mark)));
        }
    }
    let runs = columns.chunk_by(|one, next| one == next).scan(0, |x, run| {
        let from = *x;
        *x += run.len();
        Some((from, run.len(), run[0]))
    });
    let height = |mark| match mark {
        Mark::Bad => 24,
        Mark::Warn => 16,
        Mark::Unknown => 11,
        Mark::Good => 6,
    };
    html! {
        figure class="spark strip" {
            figcaption { (title) }
            svg viewBox={ "0 0 " (COLUMNS) " 24" } preserveAspectRatio="none" role="img" aria-label=(title) {
                @for (x, width, mark) in runs {
                    @if let Some(mark) = mark {
                        rect class=(mark.class()) x=(x) y=(24 - height(mark)) width=(width) height=(height(mark)) {}
                    }
                }
            }
            p class="scale" { span { (say!("24 h ago")) } span { (clock(now)) " UTC" } }
        }
    }
}

/// The last changes, newest first.
pub(super) fn changes<'c>(changes: impl Iterator<Item = &'c Change>) -> Markup {
    html! {
        ol class="changes" reversed {
            @for change in changes {
                li {
                    (super::time::when(change.at)) " "
                    strong { (change.what) }
                    @if change.evidence != Said::nothing() { " " span class="note" { (change.evidence) } }
                }
            }
        }
    }
}
