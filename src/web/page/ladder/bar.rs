//! A bar of sizes, cut into bands: a filled one passes, a cross vanishes, a triangle is signalled.

use maud::{Markup, html};

use crate::{language::say, model::types::Bytes, web::mark::Mark};

const WIDTH: u32 = 320;
const HEIGHT: u32 = 22;
/// A band is at least so wide that its shape fits.
const LEAST: u32 = 18;
/// Sides of the square of a shape.
const SHAPE: u32 = 12;

/// The sizes at the ends of a bar, bytes of IP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scale {
    pub begin: Bytes,
    pub end: Bytes,
}

impl Scale {
    /// For these sizes, and the expected one. What is known mostly lies just below that: a scale from
    /// 0 would leave it no room.
    pub(super) fn of(sizes: &[Bytes], expected: Option<Bytes>) -> Self {
        let end = sizes.iter().copied().chain(expected).max().unwrap_or(1500);
        let least = sizes.iter().copied().min();
        let begin = least.filter(|least| *least > end / 5 * 4).map_or(0, |_| end / 500 * 400);
        Self { begin, end }
    }

    /// Where a size lies on a bar.
    fn place(self, size: Bytes) -> u32 {
        let range = u64::from(self.end.saturating_sub(self.begin).max(1));
        let place = u64::from(size.saturating_sub(self.begin)) * u64::from(WIDTH) / range;
        u32::try_from(place).unwrap_or(WIDTH).min(WIDTH)
    }

    /// The sizes at its ends.
    pub(super) fn labels(self, expected: Option<Bytes>) -> Markup {
        html! {
            p class="scale" { span { (self.begin) } span {
                @if expected == Some(self.end) { (say!("{bytes} bytes expected", bytes = self.end)) }
                @else { (say!("{bytes} bytes", bytes = self.end)) }
            } }
        }
    }
}

/// What becomes of packets from a size on, up to where the next band begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Band {
    pub from: Bytes,
    pub mark: Mark,
}

/// Where each band begins and ends, from the left.
fn extents(scale: Scale, bands: &[Band]) -> Vec<(u32, u32)> {
    let mut ends = WIDTH;
    let mut found: Vec<_> = bands
        .iter()
        .rev()
        .map(|band| {
            let least = match band.mark {
                Mark::Bad | Mark::Warn => LEAST,
                Mark::Good | Mark::Unknown => 0,
            };
            let begins = scale.place(band.from.saturating_sub(1)).min(ends.saturating_sub(least));
            let extent = (begins, ends);
            ends = begins;
            extent
        })
        .collect();
    found.reverse();
    if let Some(first) = found.first_mut() {
        first.0 = 0;
    }
    found
}

/// A bar, with a name where no words beside it say the same. Bands are in ascending order.
pub(super) fn bar(scale: Scale, bands: impl Iterator<Item = Band>, name: Option<String>) -> Markup {
    let bands: Vec<_> = bands.collect();
    let drawn = html! {
        rect class="ground" x="0" y="0" width=(WIDTH) height=(HEIGHT) {}
        @for (band, (begins, ends)) in bands.iter().zip(extents(scale, &bands)) {
            @if ends > begins {
                (one(band.mark, begins, ends))
            }
        }
    };
    html! {
        @if let Some(name) = name {
            svg class="bar" viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(name) { (drawn) }
        } @else {
            svg class="bar" viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } aria-hidden="true" { (drawn) }
        }
    }
}

fn one(mark: Mark, begins: u32, ends: u32) -> Markup {
    let width = ends - begins;
    if mark == Mark::Good {
        return html! {
            rect class="passes" x=(begins) y="0" width=(width) height=(HEIGHT) {}
            @if ends < WIDTH { line class="edge" x1=(ends) y1="0" x2=(ends) y2=(HEIGHT) {} }
        };
    }
    let (left, top) = (begins + width.saturating_sub(SHAPE) / 2, (HEIGHT - SHAPE) / 2);
    html! {
        rect class={ "above " (mark.class()) } x=(begins) y="3" width=(width) height=(HEIGHT - 6) {}
        @if mark != Mark::Unknown && width >= SHAPE {
            path class={ "icon " (mark.class()) } transform={ "translate(" (left) " " (top) ")" } d=(mark.shape()) fill-rule="evenodd" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Mark::{Bad, Good, Unknown, Warn};

    #[test]
    fn a_scale_begins_where_what_is_known_begins() {
        for (sizes, expected, scale) in [
            (&[][..], None, (0, 1500)),
            (&[], Some(9000), (0, 9000)),
            (&[1454, 1455], Some(1500), (1200, 1500)),
            (&[1000, 1001, 1500], Some(1500), (0, 1500)),
            (&[1450, 8950], Some(9000), (0, 9000)),
            (&[8950, 8951], Some(9000), (7200, 9000)),
            (&[1500], Some(1450), (1200, 1500)),
        ] {
            let Scale { begin, end } = Scale::of(sizes, expected);
            assert_eq!((begin, end), scale, "{sizes:?}, {expected:?}");
        }
    }

    #[test]
    fn every_band_that_is_not_well_has_room_for_its_shape() {
        let scale = Scale { begin: 1200, end: 1500 };
        let band = |from, mark| Band { from, mark };
        for (bands, places) in [
            (&[band(1200, Good)][..], &[(0, 320)][..]),
            (&[band(1200, Good), band(1451, Bad)], &[(0, 266), (266, 320)]),
            (&[band(1200, Good), band(1500, Bad)], &[(0, 302), (302, 320)]),
            (&[band(1200, Good), band(1451, Unknown), band(1500, Bad)], &[(0, 266), (266, 302), (302, 320)]),
            (&[band(1200, Good), band(1499, Bad), band(1500, Warn)], &[(0, 284), (284, 302), (302, 320)]),
            (&[band(1200, Unknown)], &[(0, 320)]),
            (&[], &[]),
        ] {
            assert_eq!(extents(scale, bands), places, "{bands:?}");
        }
    }
}
