//! A site as a box: its name, its routers, the targets of paths in it.

use super::{
    drawing::{Drawing, Rect},
    scene::{DrawnOverlay, Item, Site},
    suspects::short,
};
use crate::{language::say, web::mark::Mark};

/// So many routers and so many targets are named, the worst first.
const MOST_ITEMS: usize = 5;
/// With so few, those with nothing wrong are named too.
const FEW: usize = 3;
const ROW: i32 = 22;
const TITLE: i32 = 34;
const PADDING: i32 = 12;

/// The height that a site's content needs.
pub(super) fn height(site: &Site) -> i32 {
    let rows = rows(&site.routers) + rows(&site.targets) + usize::from(site.own);
    TITLE + ROW * i32::try_from(rows).unwrap_or(i32::MAX / ROW / 2) + PADDING / 2
}

fn rows(items: &[Item]) -> usize {
    let shown = shown(items);
    shown + usize::from(items.len() > shown)
}

/// How many of these, the worst of which are first, are named.
fn shown(items: &[Item]) -> usize {
    let wrong = items.iter().filter(|item| item.mark != Mark::Good).count();
    if items.len() <= FEW { items.len() } else { wrong.clamp(1, MOST_ITEMS) }
}

/// Draws a site into a rectangle that is at least [`height`] high.
pub(super) fn draw(into: &mut Drawing, scene: &DrawnOverlay, place: usize, rect: Rect) {
    let site = &scene.sites[place];
    let mark = scene.mark_of(place);
    into.boxes.push((rect, mark, site.own));
    let (x, most) = (rect.x + PADDING, rect.width - 2 * PADDING);
    let mut y = rect.y + 22;
    into.label((x, y), most, (15, "name"), &site.name);
    y += ROW;
    if site.own {
        into.label((x, y), most, (12, "note"), &say!("this exporter").localized());
        y += ROW;
    }
    for items in [&site.routers, &site.targets] {
        y = draw_items(into, items, (x, y), most);
    }
}

fn draw_items(into: &mut Drawing, items: &[Item], (x, mut y): (i32, i32), most: i32) -> i32 {
    let shown = shown(items);
    for item in &items[..shown] {
        let text = match item.mark {
            Mark::Good => item.name.clone(),
            _ if item.word.is_empty() => item.name.clone(),
            // The direction is at the line, where there is room for it.
            _ => format!("{}: {}", item.name, short(&item.word)),
        };
        into.marked((x, y), most, (13, "name"), (item.mark, &text)).href = Some(item.href.clone());
        y += ROW;
    }
    if let Some(worst) = items[shown..].iter().map(|item| item.mark).min() {
        let more = items.len() - shown;
        let text = if worst == Mark::Good {
            say!("{more} more, nothing wrong", more)
        } else {
            say!("{more} more", more)
        };
        into.marked((x, y), most, (13, "note"), (worst, &text.localized()));
        y += ROW;
    }
    y
}
