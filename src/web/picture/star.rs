//! One site in the middle and the others at both sides of it. Every tunnel and the paths of every
//! leg have a lane of their own, so that no text can meet another.

use super::{
    drawing::{Drawing, LineKind, Rect},
    scene::{DrawnOverlay, TunnelLine, other_than},
    sitebox,
    suspects::Suspects,
};
use crate::{language::say, web::mark::Mark};

/// Width of a site at the side, and of the one in the middle.
const BOX: i32 = 220;
/// Room for what is written along a line.
const GUTTER: i32 = 292;
const GAP: i32 = 18;
const MARGIN: i32 = 8;
/// Height of the lane of a tunnel, and of paths.
const TUNNEL_LANE: i32 = 50;
const PATH_LANE: i32 = 30;
/// So many tunnels of one leg are drawn, the worst first.
const MOST_TUNNELS: usize = 4;
/// Up to so many others, our own site is alone at the left.
const FEW: usize = 4;

/// What is drawn along a leg.
#[derive(Debug, Clone)]
pub(super) enum Lane<'s> {
    Tunnel(&'s TunnelLine),
    /// What is left of a leg with very many.
    More(Mark, String),
    /// Worst mark, words, and whether the arrow points to the hub.
    Paths(Mark, String, bool),
}

impl Lane<'_> {
    pub(super) fn height(&self) -> i32 {
        match self {
            Self::Tunnel(_) => TUNNEL_LANE,
            Self::More(..) | Self::Paths(..) => PATH_LANE,
        }
    }
}

/// What runs between a site and the hub.
pub(super) fn lanes<'s>(
    scene: &'s DrawnOverlay,
    suspects: &Suspects,
    hub: usize,
    site: usize,
) -> Vec<Lane<'s>> {
    let of_leg = scene.tunnels.iter().filter(|tunnel| other_than(tunnel.sites, hub) == Some(site));
    let mut tunnels: Vec<_> = of_leg.collect();
    tunnels.sort_by_key(|tunnel| tunnel.mark);
    let shown = match tunnels.len() {
        _ if scene.sites[site].folded.is_some() => 0,
        all if all <= MOST_TUNNELS => all,
        _ => MOST_TUNNELS - 1,
    };
    let rest = tunnels.split_off(shown);
    let mut lanes: Vec<_> = tunnels.into_iter().map(Lane::Tunnel).collect();
    if let Some(worst) = rest.iter().map(|tunnel| tunnel.mark).min() {
        let number = rest.len();
        let words = match (shown, worst) {
            (0, Mark::Good) => say!("{number} tunnels, nothing wrong", number),
            (0, _) => say!("{number} tunnels, see the tables", number),
            (_, Mark::Good) => say!("{number} more tunnels, nothing wrong", number),
            (..) => say!("{number} more tunnels, see the tables", number),
        };
        lanes.push(Lane::More(worst, words.localized()));
    }
    if let Some(leg) = suspects.leg(hub, site) {
        let (mark, words) = leg.mark_and_words(scene);
        lanes.push(Lane::Paths(mark, words, scene.sites[site].own));
    }
    lanes
}

pub(super) fn drawing(scene: &DrawnOverlay, hub: usize) -> Drawing {
    let leaves: Vec<usize> = (0..scene.sites.len()).filter(|site| *site != hub).collect();
    let (left, right) = sides(scene, &leaves);
    let has_left = !left.is_empty();
    let suspects = Suspects::of(scene);
    let hub_x = MARGIN + if has_left { BOX + GUTTER } else { 0 };
    let mut drawing = Drawing::default();
    let mut bottom = 0;
    for (column, x, of_hub) in [(left, MARGIN, hub_x), (right, hub_x + BOX + GUTTER, hub_x + BOX)] {
        let mut y = MARGIN;
        for site in column {
            y = leaf(&mut drawing, (scene, &suspects), (hub, site), (x, y), of_hub) + GAP;
        }
        bottom = bottom.max(y - GAP);
    }
    let height = (bottom - MARGIN).max(sitebox::height(&scene.sites[hub]));
    sitebox::draw(&mut drawing, scene, hub, Rect { x: hub_x, y: MARGIN, width: BOX, height });
    let columns = drawing.boxes.iter().map(|(rect, ..)| rect.x + rect.width).max().unwrap_or(0);
    (drawing.width, drawing.height) = (columns + MARGIN, height + 2 * MARGIN);
    drawing
}

/// Which sites stand left and right of the hub: our own first, at the left.
fn sides(scene: &DrawnOverlay, leaves: &[usize]) -> (Vec<usize>, Vec<usize>) {
    match leaves {
        [own, rest @ ..] if scene.sites[*own].own && rest.len() <= FEW => (vec![*own], rest.to_vec()),
        few if few.len() <= FEW && !few.iter().any(|site| scene.sites[*site].own) => {
            (Vec::new(), few.to_vec())
        }
        many => {
            let (left, right) = many.split_at(many.len().div_ceil(2));
            (left.to_vec(), right.to_vec())
        }
    }
}

/// Draws a site and its lanes to the hub, whose nearer edge is at `of_hub`; returns where it ends.
fn leaf(
    into: &mut Drawing,
    (scene, suspects): (&DrawnOverlay, &Suspects),
    (hub, site): (usize, usize),
    (x, y): (i32, i32),
    of_hub: i32,
) -> i32 {
    let lanes = lanes(scene, suspects, hub, site);
    let of_lanes: i32 = lanes.iter().map(Lane::height).sum();
    let height = sitebox::height(&scene.sites[site]).max(of_lanes + GAP / 2);
    sitebox::draw(into, scene, site, Rect { x, y, width: BOX, height });
    let (from, to) = if x < of_hub { (x + BOX, of_hub) } else { (of_hub, x) };
    let mut top = y + (height - of_lanes) / 2;
    for lane in &lanes {
        draw_lane(into, lane, (from, to, top), site_is_left(x, of_hub), site);
        top += lane.height();
    }
    y + height
}

const fn site_is_left(x: i32, of_hub: i32) -> bool {
    x < of_hub
}

fn draw_lane(
    into: &mut Drawing,
    lane: &Lane<'_>,
    (from, to, top): (i32, i32, i32),
    is_left: bool,
    site: usize,
) {
    let (x, most) = (from + 12, to - from - 24);
    match lane {
        Lane::Tunnel(tunnel) => {
            let base = top + 25;
            into.line(LineKind::Tunnel, tunnel.mark, (from, base), (to, base));
            let label = into.marked((x, top + 17), most, (13, "fact"), (tunnel.mark, &above(tunnel)));
            label.href = Some(tunnel.href.clone());
            let left = usize::from((tunnel.sites.0 == site) != is_left);
            into.label((x, top + 41), most, (12, "note"), &loss_in_words(tunnel, left));
        }
        Lane::More(mark, words) => {
            let base = top + 24;
            into.line(LineKind::Tunnel, *mark, (from, base), (to, base));
            into.marked((x, top + 17), most, (13, "fact"), (*mark, words));
        }
        Lane::Paths(mark, words, to_hub) => {
            let base = top + 24;
            let ends = if *to_hub == is_left { (from, to) } else { (to, from) };
            into.line(LineKind::Path, *mark, (ends.0, base), (ends.1, base));
            into.marked((x, top + 17), most, (13, "fact"), (*mark, words));
        }
    }
}

/// What is written above a tunnel: first what is wrong.
pub(super) fn above(tunnel: &TunnelLine) -> String {
    let wrong = (tunnel.mark != Mark::Good).then_some(&tunnel.word);
    let parts = wrong.into_iter().chain((!tunnel.facts.is_empty()).then_some(&tunnel.facts));
    let parts: Vec<_> = parts.map(String::as_str).collect();
    if parts.is_empty() { tunnel.name.clone() } else { parts.join(" · ") }
}

/// Loss to the right and to the left; `first` says which end of the tunnel is at the left.
pub(super) fn loss_in_words(tunnel: &TunnelLine, first: usize) -> String {
    let told = |from: usize| {
        let share = tunnel.loss[from].map(|loss| format!("{:.1} %", loss * 100.0));
        share.unwrap_or_else(|| say!("not known").localized())
    };
    if tunnel.loss == [None, None] {
        return say!("loss not known").localized();
    }
    say!("loss → {there}  ← {back}", there = told(first), back = told(1 - first)).localized()
}
