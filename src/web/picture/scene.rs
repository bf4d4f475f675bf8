//! What is to be seen: sites, what is in them, and what connects them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::{
    language::{Said, say},
    model::{
        picture::{Tunnel, TunnelEnd},
        snapshot::{Link, RouterReading},
        state::Present,
        types::RouterName,
        words::number,
    },
    web::{
        mark::{Mark, router_in_words, tunnel_in_words, verdict_in_words},
        view::address,
    },
};

/// The whole overlay.
#[derive(Debug, Clone, Default)]
pub(super) struct DrawnOverlay {
    /// The exporter's own site first, the others by name.
    pub sites: Vec<Site>,
    pub tunnels: Vec<TunnelLine>,
    pub paths: Vec<PathLine>,
}

/// One site, or many that are folded into one.
#[derive(Debug, Clone)]
pub(super) struct Site {
    pub name: String,
    /// Whether the exporter runs here.
    pub own: bool,
    pub routers: Vec<Item>,
    /// Targets of paths.
    pub targets: Vec<Item>,
    /// How many sites this stands for, if it is not one.
    pub folded: Option<usize>,
}

/// A router or target in its site.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub name: String,
    pub mark: Mark,
    pub word: String,
    pub href: String,
}

/// A tunnel between two sites, or one whose other end is not known.
#[derive(Debug, Clone)]
pub(super) struct TunnelLine {
    /// Two different sites.
    pub sites: (usize, usize),
    pub name: String,
    pub mark: Mark,
    pub word: String,
    /// `VNI 1 · MTU 1450`
    pub facts: String,
    /// Loss from the first site to the second, and back.
    pub loss: [Option<f64>; 2],
    pub href: String,
}

/// A path from the exporter's site to another.
#[derive(Debug, Clone)]
pub(super) struct PathLine {
    pub to: usize,
    pub name: String,
    pub mark: Mark,
    pub word: String,
    /// The pairs of sites that it crosses, smaller index first; empty where that is not known.
    pub legs: BTreeSet<(usize, usize)>,
}

impl DrawnOverlay {
    pub(super) fn of(present: &Present) -> Self {
        let (mut sites, places) = sites_of(present);
        for reading in &present.routers {
            let item = Item {
                name: reading.router.to_string(),
                mark: Mark::of_router(reading),
                word: router_in_words(reading).localized(),
                href: address("router", reading.router.as_str()),
            };
            sites[places[reading.site.as_str()]].routers.push(item);
        }
        let routers: HashMap<_, _> =
            present.routers.iter().map(|reading| (&reading.router, reading.as_ref())).collect();
        let place = |router: &RouterName| places.get(routers.get(router)?.site.as_str()).copied();
        let tunnels = present.overlay.tunnels.iter();
        let tunnels = tunnels.filter_map(|tunnel| tunnel_line(tunnel, &routers, &place)).collect();
        let mut scene = Self { sites, tunnels, paths: Vec::new() };
        scene.mark_what_needs_commands(present);
        for (path, picture) in present.paths_with_pictures() {
            let to = places[path.target_site.as_str()];
            let (mark, word) = (Mark::of_path(path), verdict_in_words(path).localized());
            let (name, href) = (path.path.to_string(), address("path", path.path.as_str()));
            let hops = picture.map_or(&[][..], |picture| &picture.hops);
            let crossed: Vec<usize> = hops.iter().filter_map(|hop| place(&hop.end.router)).collect();
            let legs =
                crossed.windows(2).filter(|pair| pair[0] != pair[1]).map(|pair| ordered(pair[0], pair[1]));
            let legs = legs.collect();
            scene.sites[to].targets.push(Item { name: name.clone(), mark, word: word.clone(), href });
            scene.paths.push(PathLine { to, name, mark, word, legs });
        }
        for site in &mut scene.sites {
            site.targets.sort_by_key(|item| item.mark);
            site.routers.sort_by_key(|item| item.mark);
        }
        scene
    }

    /// A tunnel that looks well and whose ends the commands for a sick path change is where that
    /// path is sick.
    fn mark_what_needs_commands(&mut self, present: &Present) {
        let steps = present.overlay.paths.iter().flat_map(|picture| &picture.fix);
        let commands = steps.map(|step| (&step.router, step.command.to_string()));
        let words = commands.flat_map(|(router, command)| {
            command.split(' ').map(|word| (router, word.to_owned())).collect::<Vec<_>>()
        });
        let named: BTreeSet<(&RouterName, String)> = words.collect();
        let is_named = |end: &TunnelEnd| named.contains(&(&end.router, end.interface.as_str().to_owned()));
        let changed = present.overlay.tunnels.iter().filter(|tunnel| tunnel.ends.iter().any(is_named));
        let changed: BTreeSet<&str> = changed.map(|tunnel| tunnel.name.as_str()).collect();
        for tunnel in &mut self.tunnels {
            if tunnel.mark == Mark::Good && changed.contains(tunnel.name.as_str()) {
                tunnel.mark = Mark::Bad;
                tunnel.word = say!("to change").localized();
            }
        }
    }

    /// The index of the exporter's site.
    pub(super) fn own(&self) -> Option<usize> {
        self.sites.iter().position(|site| site.own)
    }

    /// The site in the middle of a star: no other two sites are joined. Without any tunnel it is
    /// the exporter's own.
    pub(super) fn hub(&self) -> Option<usize> {
        let mut neighbours: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for tunnel in &self.tunnels {
            neighbours.entry(tunnel.sites.0).or_default().insert(tunnel.sites.1);
            neighbours.entry(tunnel.sites.1).or_default().insert(tunnel.sites.0);
        }
        let mut hubs = neighbours.iter().filter(|(_, known)| known.len() > 1).map(|(site, _)| *site);
        match (hubs.next(), hubs.next()) {
            (Some(hub), None) => self.is_star_of(hub).then_some(hub),
            (Some(_), Some(_)) => None,
            _ => {
                // Pairs only: the other end of our own, so that we stand at the left.
                let own = self.own();
                let of_own = self.tunnels.iter().find_map(|tunnel| other_than(tunnel.sites, own?));
                let hub =
                    of_own.or(own).or_else(|| self.tunnels.first().map(|tunnel| tunnel.sites.1)).unwrap_or(0);
                self.is_star_of(hub).then_some(hub)
            }
        }
    }

    fn is_star_of(&self, hub: usize) -> bool {
        self.tunnels.iter().all(|tunnel| tunnel.sites.0 == hub || tunnel.sites.1 == hub)
    }

    /// The worst mark of anything in or at a site.
    pub(super) fn mark_of(&self, site: usize) -> Mark {
        let within = self.sites[site].routers.iter().chain(&self.sites[site].targets).map(|item| item.mark);
        let at = self.tunnels.iter().filter(|tunnel| tunnel.sites.0 == site || tunnel.sites.1 == site);
        within.chain(at.map(|tunnel| tunnel.mark)).min().unwrap_or(Mark::Good)
    }

    /// The same of every site.
    pub(super) fn marks(&self) -> Vec<Mark> {
        let within = |site: &Site| site.routers.iter().chain(&site.targets).map(|item| item.mark).min();
        let mut marks: Vec<_> = self.sites.iter().map(|site| within(site).unwrap_or(Mark::Good)).collect();
        for tunnel in &self.tunnels {
            for site in [tunnel.sites.0, tunnel.sites.1] {
                marks[site] = marks[site].min(tunnel.mark);
            }
        }
        marks
    }

    /// What is to be seen, in one sentence.
    pub(super) fn in_words(&self) -> String {
        let sites: usize = self.sites.iter().map(|site| site.folded.unwrap_or(1)).sum();
        let bad = |marks: &mut dyn Iterator<Item = Mark>| marks.filter(|mark| *mark != Mark::Good).count();
        let sick_tunnels = bad(&mut self.tunnels.iter().map(|tunnel| tunnel.mark));
        let sick_paths = bad(&mut self.paths.iter().map(|path| path.mark));
        let of = |sick: usize, all: Said| match sick {
            0 => say!("{all}, nothing wrong", all => all),
            1 => say!("{all}, 1 not as it should be", all => all),
            sick => say!("{all}, {sick} not as they should be", all => all, sick),
        };
        let tunnels = match self.tunnels.len() {
            0 => say!("no tunnel"),
            all => of(sick_tunnels, number::tunnels(all)),
        };
        let paths = match self.paths.len() {
            0 => say!("no path"),
            all => of(sick_paths, number::paths(all)),
        };
        let sites = number::sites(sites);
        say!("{sites}; {tunnels}; {paths}.", sites => sites, tunnels => tunnels, paths => paths).localized()
    }
}

fn sites_of(present: &Present) -> (Vec<Site>, HashMap<String, usize>) {
    let own: BTreeSet<&str> = present.paths.iter().map(|path| path.source.site.as_str()).collect();
    let mut names: BTreeSet<&str> = present.routers.iter().map(|reading| reading.site.as_str()).collect();
    names.extend(present.paths.iter().map(|path| path.target_site.as_str()));
    names.extend(&own);
    let mut names: Vec<&str> = names.into_iter().collect();
    names.sort_by_key(|name| !own.contains(name));
    let site = |name: &&str| Site {
        name: (*name).to_owned(),
        own: own.contains(name),
        routers: Vec::new(),
        targets: Vec::new(),
        folded: None,
    };
    let sites = names.iter().map(site).collect();
    (sites, names.iter().map(|name| (*name).to_owned()).zip(0..).collect())
}

fn tunnel_line(
    tunnel: &Tunnel,
    routers: &HashMap<&RouterName, &RouterReading>,
    place: &impl Fn(&RouterName) -> Option<usize>,
) -> Option<TunnelLine> {
    let [one, other] = tunnel.ends.as_slice() else { return None };
    let sites = (place(&one.router)?, place(&other.router)?);
    if sites.0 == sites.1 {
        return None;
    }
    let link = |end: &TunnelEnd| routers.get(&end.router)?.current.as_ref()?.link(end.interface.as_str());
    let both = |tell: &dyn Fn(&Link) -> Option<u32>| {
        let mut told: Vec<_> = tunnel.ends.iter().filter_map(link).filter_map(tell).collect();
        told.dedup();
        told.iter().map(u32::to_string).collect::<Vec<_>>().join(" ≠ ")
    };
    let vni = both(&|link| Some(link.vxlan.as_ref()?.vni?.0));
    let mtu = both(&|link| link.mtu);
    let facts = [("VNI", vni), ("MTU", mtu)].into_iter().filter(|(_, told)| !told.is_empty());
    let facts: Vec<_> = facts.map(|(what, told)| format!("{what} {told}")).collect();
    let loss =
        [one, other].map(|from| tunnel.loss.iter().find(|loss| loss.from == *from).map(|loss| loss.ratio));
    Some(TunnelLine {
        sites,
        name: tunnel.name.clone(),
        mark: Mark::of_tunnel(tunnel),
        word: tunnel_in_words(tunnel).localized(),
        facts: facts.join(" · "),
        loss,
        href: address("tunnel", &tunnel.name),
    })
}

pub(super) fn ordered(one: usize, other: usize) -> (usize, usize) {
    (one.min(other), one.max(other))
}

/// The other of two, if one of them is `this`.
pub(super) fn other_than((one, other): (usize, usize), this: usize) -> Option<usize> {
    if one == this { Some(other) } else { (other == this).then_some(one) }
}
