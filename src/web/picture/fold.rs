//! Of a large overlay, the sites with nothing wrong become one mark with a count.

use std::collections::BTreeSet;

use super::scene::{DrawnOverlay, Site};
use crate::{language::say, web::mark::Mark};

/// The scene with at most `most` sites, the worst of them, and one that stands for the rest.
pub(super) fn folded(scene: DrawnOverlay, most: usize) -> DrawnOverlay {
    if scene.sites.len() <= most {
        return scene;
    }
    let hub = scene.hub();
    let mut order: Vec<usize> = (0..scene.sites.len()).collect();
    // Our own site and the one in the middle stay in any case; of the others the worst.
    let stays = |site: usize| scene.sites[site].own || hub == Some(site);
    let marks = scene.marks();
    order.sort_by_key(|site| (!stays(*site), marks[*site], *site));
    let kept: BTreeSet<usize> =
        order.into_iter().take(most - 1).filter(|site| stays(*site) || marks[*site] != Mark::Good).collect();
    let gone: Vec<usize> = (0..scene.sites.len()).filter(|site| !kept.contains(site)).collect();
    let worst = gone.iter().map(|site| marks[*site]).min().unwrap_or(Mark::Good);
    let places: Vec<usize> = (0..scene.sites.len())
        .map(|site| kept.iter().position(|kept| *kept == site).unwrap_or(kept.len()))
        .collect();
    let mut sites: Vec<Site> = kept.iter().map(|site| scene.sites[*site].clone()).collect();
    sites.push(Site {
        name: say!("{number} more sites", number = gone.len()).localized(),
        own: false,
        routers: Vec::new(),
        targets: vec![super::scene::Item {
            name: if worst == Mark::Good { say!("nothing wrong") } else { say!("see the tables") }
                .localized(),
            mark: worst,
            word: String::new(),
            href: "#tables".to_owned(),
        }],
        folded: Some(gone.len()),
    });
    let mut scene = DrawnOverlay { sites, ..scene };
    for tunnel in &mut scene.tunnels {
        tunnel.sites = (places[tunnel.sites.0], places[tunnel.sites.1]);
    }
    for path in &mut scene.paths {
        path.to = places[path.to];
        path.legs = path
            .legs
            .iter()
            .map(|(one, other)| super::scene::ordered(places[*one], places[*other]))
            .filter(|(one, other)| one != other)
            .collect();
    }
    // Tunnels among the folded are not drawn.
    scene.tunnels.retain(|tunnel| tunnel.sites.0 != tunnel.sites.1);
    scene
}
