//! For a narrow screen: one site below the other, with what joins it to the one in the middle
//! above it. Where no site is in the middle, only what is wrong is written between them.

use super::{
    drawing::{Drawing, LineKind, Rect},
    scene::DrawnOverlay,
    sitebox,
    star::{Lane, above, lanes, loss_in_words},
    suspects::Suspects,
};
use crate::{language::say, web::mark::Mark};

const WIDTH: i32 = 300;
const MARGIN: i32 = 4;
/// The line at the left that the sites hang on.
const SPINE: i32 = 20;
const INDENT: i32 = 34;
const GAP: i32 = 12;
/// So many tunnels with something wrong are named where no site is in the middle.
const MOST_TUNNELS: usize = 12;

pub(super) fn drawing(scene: &DrawnOverlay) -> Drawing {
    let mut drawing = Drawing { width: WIDTH + 2 * MARGIN, ..Drawing::default() };
    let bottom = match scene.hub() {
        Some(hub) => star(&mut drawing, scene, hub),
        None => list(&mut drawing, scene),
    };
    drawing.height = bottom + MARGIN;
    drawing
}

fn star(into: &mut Drawing, scene: &DrawnOverlay, hub: usize) -> i32 {
    let mut y = site(into, scene, hub, (MARGIN, MARGIN));
    let top = y;
    let suspects = Suspects::of(scene);
    for leaf in (0..scene.sites.len()).filter(|site| *site != hub) {
        y += GAP;
        let lanes = lanes(scene, &suspects, hub, leaf);
        for lane in &lanes {
            draw_lane(into, lane, y);
            y += lane.height();
        }
        let middle = y + 20;
        let worst = lanes.iter().map(mark_of).min().unwrap_or(Mark::Unknown);
        into.line(LineKind::Tunnel, worst, (SPINE, middle), (INDENT, middle));
        into.line(LineKind::Tunnel, Mark::Good, (SPINE, top), (SPINE, middle));
        y = site(into, scene, leaf, (INDENT, y));
    }
    y
}

fn mark_of(lane: &Lane<'_>) -> Mark {
    match lane {
        Lane::Tunnel(tunnel) => tunnel.mark,
        Lane::More(mark, _) | Lane::Paths(mark, ..) => *mark,
    }
}

fn draw_lane(into: &mut Drawing, lane: &Lane<'_>, y: i32) {
    let most = MARGIN + WIDTH - INDENT;
    match lane {
        Lane::Tunnel(tunnel) => {
            let label = into.marked((INDENT, y + 17), most, (13, "fact"), (tunnel.mark, &above(tunnel)));
            label.href = Some(tunnel.href.clone());
            into.label((INDENT + 18, y + 36), most - 18, (12, "note"), &loss_in_words(tunnel, 0));
        }
        Lane::More(mark, words) | Lane::Paths(mark, words, _) => {
            into.marked((INDENT, y + 17), most, (13, "fact"), (*mark, words));
        }
    }
}

fn list(into: &mut Drawing, scene: &DrawnOverlay) -> i32 {
    let mut y = MARGIN;
    for place in 0..scene.sites.len() {
        y = site(into, scene, place, (MARGIN, y)) + GAP;
    }
    let mut wrong: Vec<_> = scene.tunnels.iter().filter(|tunnel| tunnel.mark != Mark::Good).collect();
    wrong.sort_by_key(|tunnel| tunnel.mark);
    for tunnel in wrong.iter().take(MOST_TUNNELS) {
        let text = format!("{}: {}", tunnel.name, tunnel.word);
        let label = into.marked((MARGIN, y + 17), WIDTH, (13, "fact"), (tunnel.mark, &text));
        label.href = Some(tunnel.href.clone());
        y += 24;
    }
    let left = scene.tunnels.len() - wrong.len().min(MOST_TUNNELS);
    if left > 0 {
        let worst = wrong.get(MOST_TUNNELS).map_or(Mark::Good, |tunnel| tunnel.mark);
        into.marked(
            (MARGIN, y + 17),
            WIDTH,
            (13, "note"),
            (worst, &say!("{number} more tunnels", number = left).localized()),
        );
        y += 24;
    }
    y
}

fn site(into: &mut Drawing, scene: &DrawnOverlay, place: usize, (x, y): (i32, i32)) -> i32 {
    let height = sitebox::height(&scene.sites[place]);
    sitebox::draw(into, scene, place, Rect { x, y, width: MARGIN + WIDTH - x, height });
    y + height
}
