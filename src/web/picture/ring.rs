//! Sites in a ring, joined by straight lines: for meshes, and whatever else is no star. What is
//! wrong has a number on its line, and its words below the ring, where they meet nothing.

use std::f64::consts::TAU;

use super::{
    drawing::{Drawing, LineKind, Rect},
    scene::DrawnOverlay,
    sitebox,
    star::{above, loss_in_words},
    suspects::Suspects,
};
use crate::{language::say, web::mark::Mark};

const BOX: i32 = 190;
const MARGIN: i32 = 8;
/// Least distance between two boxes.
const APART: i32 = 22;
/// Least width of the words.
const COLUMN: i32 = 330;
/// Half the side of a number's place.
const NUMBER: i32 = 11;
/// So many lines are numbered.
const MOST_NUMBERS: usize = 30;
/// With so few, all are.
const FEW: usize = 8;

/// A line without words: its ends and its mark.
type Silent = ((usize, usize), Mark);

/// A line with words.
struct WordedLine {
    ends: (usize, usize),
    mark: Mark,
    kind: LineKind,
    words: String,
    more: Option<String>,
    href: Option<String>,
}

pub(super) fn drawing(scene: &DrawnOverlay) -> Drawing {
    let boxes = places(scene);
    let mut drawing = Drawing::default();
    let ring = boxes.iter().map(|rect| rect.x + rect.width).max().unwrap_or(0);
    let mut taken: Vec<Rect> = boxes.iter().map(|rect| rect.grown(2)).collect();
    let x = MARGIN;
    let mut y = boxes.iter().map(|rect| rect.y + rect.height).max().unwrap_or(0) + 36;
    let most = (ring - MARGIN).max(COLUMN);
    let (told, silent) = told(scene);
    for (ends, mark) in silent {
        let (from, to) = (edge(&boxes[ends.0], &boxes[ends.1]), edge(&boxes[ends.1], &boxes[ends.0]));
        drawing.line(LineKind::Tunnel, mark, from, to);
    }
    for (number, line) in (1..).zip(&told) {
        let (one, other) = (boxes[line.ends.0], boxes[line.ends.1]);
        let (from, to) = (edge(&one, &other), edge(&other, &one));
        let (from, to) = if line.kind == LineKind::Path { beside(from, to) } else { (from, to) };
        drawing.line(line.kind, line.mark, from, to);
        let number = number.to_string();
        if let Some(place) = free(from, to, &taken) {
            taken.push(place);
            drawing.boxes.push((place, line.mark, false));
            let left = place.x + NUMBER - super::letters::width(&number, 12) / 2;
            drawing.label((left, place.y + NUMBER + 5), 2 * NUMBER, (12, "number"), &number);
        }
        drawing.label((x, y), 24, (13, "number"), &number);
        drawing
            .marked((x + 26, y), most - 26, (13, "fact"), (line.mark, &line.words))
            .href
            .clone_from(&line.href);
        y += 20;
        if let Some(more) = &line.more {
            drawing.label((x + 44, y), most - 44, (12, "note"), more);
            y += 20;
        }
        y += 6;
    }
    let unsaid = scene.tunnels.len() - told.iter().filter(|line| line.kind == LineKind::Tunnel).count();
    if unsaid > 0 {
        let words = say!("{number} more tunnels: see the table below", number = unsaid).localized();
        drawing.label((x, y), most, (13, "note"), &words);
        y += 20;
    }
    for (place, rect) in boxes.iter().enumerate() {
        sitebox::draw(&mut drawing, scene, place, *rect);
    }
    (drawing.width, drawing.height) = (x + most + MARGIN, y + MARGIN);
    drawing
}

/// The lines with words: all if they are few, else what is wrong; and the others.
fn told(scene: &DrawnOverlay) -> (Vec<WordedLine>, Vec<Silent>) {
    let mut told = Vec::new();
    let mut silent = Vec::new();
    let mut tunnels: Vec<_> = scene.tunnels.iter().collect();
    tunnels.sort_by_key(|tunnel| tunnel.mark);
    for (index, tunnel) in tunnels.into_iter().enumerate() {
        if (tunnel.mark == Mark::Good && scene.tunnels.len() > FEW) || index >= MOST_NUMBERS {
            silent.push((tunnel.sites, tunnel.mark));
            continue;
        }
        let left = &scene.sites[tunnel.sites.0].name;
        let right = &scene.sites[tunnel.sites.1].name;
        told.push(WordedLine {
            ends: tunnel.sites,
            mark: tunnel.mark,
            kind: LineKind::Tunnel,
            words: format!("{left} – {right}: {}", above(tunnel)),
            more: Some(loss_in_words(tunnel, 0)),
            href: Some(tunnel.href.clone()),
        });
    }
    let own = scene.own();
    for ((one, other), leg) in Suspects::of(scene).iter() {
        let (mark, words) = leg.mark_and_words(scene);
        if mark != Mark::Good && told.len() < 2 * MOST_NUMBERS {
            let ends = if own == Some(*other) { (*other, *one) } else { (*one, *other) };
            told.push(WordedLine { ends, mark, kind: LineKind::Path, words, more: None, href: None });
        }
    }
    (told, silent)
}

/// The smallest ring in which no two boxes come near each other.
#[allow(clippy::cast_possible_truncation)]
fn places(scene: &DrawnOverlay) -> Vec<Rect> {
    let count = scene.sites.len();
    let around = |radius: f64| -> Vec<Rect> {
        let place = |(site, index): (&super::scene::Site, u32)| {
            // From the left, clockwise.
            let angle = TAU * f64::from(index) / f64::from(u32::try_from(count).unwrap_or(1)) + TAU / 2.0;
            let height = sitebox::height(site);
            let x = (angle.cos() * radius * 1.3).round() as i32 - BOX / 2;
            let y = (angle.sin() * radius).round() as i32 - height / 2;
            Rect { x, y, width: BOX, height }
        };
        scene.sites.iter().zip(0..).map(place).collect()
    };
    let mut radius = 90.0;
    let mut boxes = around(radius);
    while boxes
        .iter()
        .enumerate()
        .any(|(place, one)| boxes[..place].iter().any(|other| one.grown(APART).meets(other)))
    {
        radius += 12.0;
        boxes = around(radius);
    }
    let left = boxes.iter().map(|rect| rect.x).min().unwrap_or(0) - MARGIN;
    let top = boxes.iter().map(|rect| rect.y).min().unwrap_or(0) - MARGIN;
    for rect in &mut boxes {
        (rect.x, rect.y) = (rect.x - left, rect.y - top);
    }
    boxes
}

/// Where the line between the middles of two boxes leaves the first.
#[allow(clippy::cast_possible_truncation)]
fn edge(from: &Rect, to: &Rect) -> (i32, i32) {
    let ((x, y), (far_x, far_y)) = (from.middle(), to.middle());
    let (dx, dy) = (f64::from(far_x - x), f64::from(far_y - y));
    let across = |half: i32, way: f64| if way == 0.0 { f64::MAX } else { f64::from(half) / way.abs() };
    let part = across(from.width / 2, dx).min(across(from.height / 2, dy)).min(1.0);
    (x + (dx * part).round() as i32, y + (dy * part).round() as i32)
}

/// The same line, a few pixels to its side.
#[allow(clippy::cast_possible_truncation)]
fn beside(from: (i32, i32), to: (i32, i32)) -> ((i32, i32), (i32, i32)) {
    let (dx, dy) = (f64::from(to.0 - from.0), f64::from(to.1 - from.1));
    let length = dx.hypot(dy).max(1.0);
    let (sx, sy) = ((-dy / length * 9.0).round() as i32, (dx / length * 9.0).round() as i32);
    ((from.0 + sx, from.1 + sy), (to.0 + sx, to.1 + sy))
}

/// The place of a number on a line that meets nothing else; from the middle outwards.
fn free(from: (i32, i32), to: (i32, i32), taken: &[Rect]) -> Option<Rect> {
    let steps = [50, 42, 58, 34, 66, 26, 74, 18, 82, 46, 54, 38, 62, 30, 70, 22, 78, 12, 88];
    let at = |percent: i32| {
        let x = from.0 + (to.0 - from.0) * percent / 100;
        let y = from.1 + (to.1 - from.1) * percent / 100;
        Rect { x: x - NUMBER, y: y - NUMBER, width: 2 * NUMBER, height: 2 * NUMBER }
    };
    steps.into_iter().map(at).find(|place| !taken.iter().any(|taken| taken.meets(place)))
}
