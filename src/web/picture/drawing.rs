//! Shapes with places, in whole pixels, and their SVG.

use maud::{Markup, html};

use super::letters;
use crate::web::mark::Mark;

/// A rectangle by its upper left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rect {
    pub x: i32,
    pub y: i32,
    pub width: i32,
    pub height: i32,
}

impl Rect {
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.x < other.x + other.width
            && other.x < self.x + self.width
            && self.y < other.y + other.height
            && other.y < self.y + self.height
    }

    pub(super) fn grown(&self, by: i32) -> Self {
        Self { x: self.x - by, y: self.y - by, width: self.width + 2 * by, height: self.height + 2 * by }
    }

    pub(super) fn middle(&self) -> (i32, i32) {
        (self.x + self.width / 2, self.y + self.height / 2)
    }
}

/// What a line stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineKind {
    Tunnel,
    /// With an arrow at its end.
    Path,
}

/// A text and the place it may take.
#[derive(Debug, Clone)]
pub(super) struct Label {
    pub rect: Rect,
    /// As shown.
    pub text: String,
    /// Unabridged.
    pub whole: String,
    pub size: i32,
    pub class: &'static str,
    pub href: Option<String>,
}

/// A line between two points.
#[derive(Debug, Clone)]
pub(super) struct DrawnLine {
    pub from: (i32, i32),
    pub to: (i32, i32),
    pub kind: LineKind,
    pub mark: Mark,
}

/// A whole picture.
#[derive(Debug, Clone, Default)]
pub(super) struct Drawing {
    pub width: i32,
    pub height: i32,
    /// Each with whether it is the exporter's own site.
    pub boxes: Vec<(Rect, Mark, bool)>,
    pub lines: Vec<DrawnLine>,
    pub labels: Vec<Label>,
    /// Upper left corner and mark of each shape.
    pub icons: Vec<(i32, i32, Mark)>,
}

/// Side of a shape.
pub(super) const ICON: i32 = 12;

impl Drawing {
    /// Puts a text with its left end at `x` and its base line at `y`, cut at `most` pixels.
    pub(super) fn label(
        &mut self,
        at: (i32, i32),
        most: i32,
        style: (i32, &'static str),
        text: &str,
    ) -> &mut Label {
        let (size, class) = style;
        // The name of a site is bold.
        let measured = if size >= 15 { size + 2 } else { size };
        let shown = letters::fit(text, measured, most);
        let width = letters::width(&shown, measured);
        let rect = Rect { x: at.0, y: at.1 - size, width, height: size + size / 4 };
        let place = self.labels.len();
        self.labels.push(Label { rect, text: shown, whole: text.to_owned(), size, class, href: None });
        &mut self.labels[place]
    }

    /// Puts a shape and a text on one base line.
    pub(super) fn marked(
        &mut self,
        (x, y): (i32, i32),
        most: i32,
        style: (i32, &'static str),
        (mark, text): (Mark, &str),
    ) -> &mut Label {
        self.icons.push((x, y - ICON + 1, mark));
        self.label((x + ICON + 6, y), most - ICON - 6, style, text)
    }

    pub(super) fn line(&mut self, kind: LineKind, mark: Mark, from: (i32, i32), to: (i32, i32)) {
        self.lines.push(DrawnLine { from, to, kind, mark });
    }

    /// The SVG; `words` say what is to be seen.
    pub(super) fn svg(&self, words: &str) -> Markup {
        html! {
            svg class="overlay" role="group" aria-label=(words) width=(self.width) height=(self.height)
                viewBox={ "0 0 " (self.width) " " (self.height) } {
                @for line in self.lines.iter().filter(|line| line.mark == Mark::Good) { (one_line(line)) }
                @for line in self.lines.iter().filter(|line| line.mark != Mark::Good) { (one_line(line)) }
                @for (rect, mark, own) in &self.boxes {
                    rect class={ "site " (mark.class()) @if *own { " own" } } x=(rect.x) y=(rect.y)
                        width=(rect.width) height=(rect.height) rx="6" {}
                }
                @for (x, y, mark) in &self.icons {
                    path class={ "icon " (mark.class()) } fill-rule="evenodd" d=(mark.shape())
                        transform={ "translate(" (x) " " (y) ")" } {}
                }
                @for label in &self.labels { (one_label(label)) }
            }
        }
    }
}

fn one_line(line: &DrawnLine) -> Markup {
    let ((x1, y1), (x2, y2)) = (line.from, line.to);
    let kind = match line.kind {
        LineKind::Tunnel => "tunnel",
        LineKind::Path => "way",
    };
    html! {
        line class={ (kind) " " (line.mark.class()) } x1=(x1) y1=(y1) x2=(x2) y2=(y2) {}
        @if line.kind == LineKind::Path {
            path class={ "arrow " (line.mark.class()) } d=(arrow(line.from, line.to)) {}
        }
    }
}

/// The head of an arrow that ends at `to`.
#[allow(clippy::cast_possible_truncation)]
fn arrow(from: (i32, i32), to: (i32, i32)) -> String {
    let (dx, dy) = (f64::from(to.0 - from.0), f64::from(to.1 - from.1));
    let length = dx.hypot(dy).max(1.0);
    let (ux, uy) = (dx / length, dy / length);
    let corner = |side: f64| {
        let x = f64::from(to.0) - ux * 10.0 - uy * side;
        let y = f64::from(to.1) - uy * 10.0 + ux * side;
        format!("{} {}", x.round() as i32, y.round() as i32)
    };
    format!("M{} {}L{}L{}Z", to.0, to.1, corner(5.0), corner(-5.0))
}

fn one_label(label: &Label) -> Markup {
    let y = label.rect.y + label.size;
    let text = html! {
        text class={ (label.class) " t" (label.size) } x=(label.rect.x) y=(y) {
            (label.text)
            @if label.text != label.whole { title { (label.whole) } }
        }
    };
    match &label.href {
        Some(href) => html! { a href=(href) { (text) } },
        None => text,
    }
}
