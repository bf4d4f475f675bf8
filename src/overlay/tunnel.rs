//! From readings and observations to the joined picture.
//!
//! The only memory is what a present cannot tell: which pairs were once seen (they keep their names
//! while a router is away), the addresses last seen on each router, how often a tunnel went up and
//! down, and signs of death that must be seen twice. Asked again with the same input, the answer is
//! the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    model::{
        observation::PathObservation,
        picture::{FixStep, Overlay, PathPicture, Tunnel, TunnelEnd, TunnelLoss},
        plan::Plan,
        snapshot::RouterReading,
        types::{InterfaceName, MismatchField, RouterName, Site, TunnelState},
    },
    overlay::{
        cause::{Crossed, Explainer, Fares},
        ends::{EndView, Known, Scene, listed},
        fix::{Fixer, Mending, enable},
        liveness::{self, Life, Suspects},
        loss::Ledger,
        mismatch::mismatches,
        pairing::{self, Pair, Single},
        route::{Map, Walk},
        underlay::Underlay,
    },
    recency::Recency,
    work,
};

/// More ends or routes than this are not listed in a sentence.
const LISTED: usize = 8;

/// Joins router readings and path observations; remembers from one call to the next.
#[derive(Debug)]
pub struct Assessor {
    site: Option<Site>,
    declared: BTreeSet<Pair>,
    known: Known,
    remembered: BTreeSet<Pair>,
    suspects: Suspects,
    /// Whose paths are not all ours: that ours are unreachable proves nothing of the tunnel.
    sites_probed_elsewhere: BTreeSet<Site>,
    ledger: Ledger,
    /// By the tunnel's name.
    history: BTreeMap<String, History>,
    names: Recency<String>,
    pairs: Recency<Pair>,
}

#[derive(Debug, Clone, Copy, Default)]
struct History {
    up: Option<bool>,
    went_up: u64,
    went_down: u64,
}

impl History {
    /// Counts a change between two known states; an end that was not read in between is no change.
    fn note(&mut self, up: Option<bool>) {
        let Some(now) = up else { return };
        match (self.up.replace(now), now) {
            (Some(false), true) => self.went_up += 1,
            (Some(true), false) => self.went_down += 1,
            _ => {}
        }
    }
}

/// What is known of one pair while the picture is made.
struct Facts {
    declared: bool,
    mismatches: BTreeMap<MismatchField, String>,
    life: Life,
    mending: Mending,
}

impl Assessor {
    /// Starts without memory. Declared tunnels whose ends do not read `ROUTER/INTERFACE` are left out:
    /// the configuration has been checked before.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let mut known = Known::default();
        for router in &plan.routers {
            known.put_site(&router.name, &router.site);
        }
        let declared = |[a, b]: &[String; 2]| Some(Pair::new(tunnel_end(a)?, tunnel_end(b)?));
        Self {
            site: plan.site.clone(),
            declared: plan.tunnels.iter().filter_map(declared).collect(),
            known,
            remembered: BTreeSet::new(),
            suspects: Suspects::new(),
            sites_probed_elsewhere: plan.sites_probed_elsewhere.clone(),
            ledger: Ledger::default(),
            history: BTreeMap::new(),
            names: Recency::default(),
            pairs: Recency::default(),
        }
    }

    /// Goes over to another plan: pairs are looked for anew, changes are counted on, and a router that is not
    /// read now still owns its addresses.
    pub fn follow(&mut self, plan: &Plan) {
        let former = std::mem::replace(self, Self::new(plan));
        self.history = former.history;
        (self.known, self.ledger) = (former.known, former.ledger);
        let routers = plan.routers.iter().map(|router| &router.name).collect();
        self.known.keep(&routers);
        self.ledger.keep(&routers);
        for router in &plan.routers {
            self.known.put_site(&router.name, &router.site);
        }
    }

    /// The picture of now. Paths come back in the order given.
    pub fn assess(&mut self, routers: &[Arc<RouterReading>], paths: &[Arc<PathObservation>]) -> Overlay {
        for reading in routers {
            self.known.learn(reading);
            self.ledger.learn(reading);
        }
        let scene = Scene::new(routers, &self.known);
        let pairing = pairing::pair(&scene, &self.declared, &self.remembered);
        let map = Map::new(&scene, &pairing.pairs);
        let mut ways = BTreeMap::new();
        for path in paths {
            let sites = (&path.source.site, &path.target_site);
            ways.entry(sites).or_insert_with(|| map.walk(sites.0, sites.1));
        }
        let walks: Vec<&Walk> =
            paths.iter().map(|path| &ways[&(&path.source.site, &path.target_site)]).collect();

        let by_name: BTreeMap<_, _> = pairing.pairs.iter().map(|pair| (pair.name(), pair)).collect();
        let mut expected = BTreeMap::new();
        let mut alone: BTreeMap<&Pair, Vec<&PathObservation>> = BTreeMap::new();
        let mut fares = Fares::default();
        for (path, walk) in paths.iter().zip(&walks) {
            let hops = walk.hops();
            // Each tunnel is crossed from its near end to its far end: two hops.
            for pair in hops.iter().step_by(2).filter_map(|hop| by_name.get(&hop.tunnel)) {
                fares.note(pair, path);
                if let Some(mtu) = &path.expected_mtu {
                    let known = expected.entry((*pair).clone()).or_insert(mtu.bytes);
                    *known = mtu.bytes.max(*known);
                }
            }
            if let [near, _] = hops
                && !self.sites_probed_elsewhere.contains(&path.target_site)
                && let Some(pair) = by_name.get(&near.tunnel)
            {
                alone.entry(pair).or_default().push(path);
            }
        }
        let distances = self.site.as_ref().map(|site| map.distances(site)).unwrap_or_default();
        let fixer = Fixer { scene: &scene, distances, expected };

        let mut facts = BTreeMap::new();
        for pair in &pairing.pairs {
            let declared = self.declared.contains(pair);
            let mismatches = mismatches(&scene, pair, declared);
            let alone = alone.get(pair).map_or(&[][..], Vec::as_slice);
            let life = liveness::judge(&scene, pair, &mismatches, alone, &mut self.suspects);
            let mending = fixer.tunnel(pair, &mismatches, declared);
            facts.insert(pair, Facts { declared, mismatches, life, mending });
        }

        let pictures = paths
            .iter()
            .zip(walks)
            .map(|(path, walk)| {
                let crossed = crossed(walk, &by_name, &facts);
                let (cause, fix) =
                    Explainer { fixer: &fixer, path, walk, crossed: &crossed, fares: &fares }.explain();
                PathPicture { path: path.path.clone(), hops: walk.hops().to_vec(), cause, fix }
            })
            .collect();

        let mut tunnels: Vec<_> = facts
            .into_iter()
            .map(|(pair, facts)| {
                let small =
                    if fares.prove(pair) { Small::default() } else { Small::of(&fixer, pair, &facts) };
                paired(&scene, pair, facts, &fixer, &self.ledger).with(small, &fixer)
            })
            .collect();
        tunnels.extend(pairing.singles.iter().map(|single| lone(&fixer, single)));
        tunnels.sort_by(|a, b| a.name.cmp(&b.name));
        for tunnel in &mut tunnels {
            let history = self.history.entry(tunnel.name.clone()).or_default();
            history.note(tunnel.up);
            tunnel.transitions_up = history.went_up;
            tunnel.transitions_down = history.went_down;
        }
        for name in self.names.see(tunnels.iter().map(|tunnel| &tunnel.name), self.history.keys()) {
            self.history.remove(&name);
        }
        let mut pairs = pairing.pairs;
        self.suspects.retain(|(from, to), _| pairs.contains(&Pair::new(from.clone(), to.clone())));
        // What a router says that says too much is not remembered.
        let spills = |end: &TunnelEnd| {
            scene.readings.get(&end.router).is_some_and(|it| it.left_out.keys().any(|kind| kind.is_excess()))
        };
        pairs.retain(|pair| self.remembered.contains(pair) || !(spills(&pair.0) || spills(&pair.1)));
        let is_there =
            |end: &TunnelEnd| scene.ends.contains_key(end) || scene.snapshot(&end.router).is_none();
        let there = pairs.iter().filter(|pair| is_there(&pair.0) && is_there(&pair.1));
        for pair in self.pairs.see(there, pairs.iter()) {
            pairs.remove(&pair);
        }
        self.remembered = pairs;
        Overlay { tunnels, paths: pictures }
    }
}

fn tunnel_end(text: &str) -> Option<TunnelEnd> {
    let (router, interface) = text.split_once('/')?;
    Some(TunnelEnd { router: RouterName::from(router), interface: InterfaceName::new(interface)? })
}

fn crossed<'t>(
    walk: &'t Walk,
    by_name: &BTreeMap<String, &'t Pair>,
    facts: &'t BTreeMap<&Pair, Facts>,
) -> Vec<Crossed<'t>> {
    let crossing = |hops: &'t [crate::model::picture::Hop]| {
        let pair = *by_name.get(&hops[0].tunnel)?;
        let Facts { life, mending, .. } = facts.get(pair)?;
        Some(Crossed { pair, near: &hops[0].end, far: &hops[1].end, life, mending })
    };
    walk.hops().chunks_exact(2).filter_map(crossing).collect()
}

/// The ends of a tunnel that drop large frames silently; the rule of `VxlanMtuBelowBridgePort`.
#[derive(Default)]
struct Small {
    ends: Vec<String>,
    steps: Vec<FixStep>,
}

impl Small {
    /// Nothing where the tunnel is dead anyway.
    fn of(fixer: &Fixer<'_, '_>, pair: &Pair, facts: &Facts) -> Self {
        let dead = [MismatchField::Vni, MismatchField::Port, MismatchField::Remote];
        if facts.life.up == Some(false) || dead.iter().any(|field| facts.mismatches.contains_key(field)) {
            return Self::default();
        }
        let ends = [&pair.0, &pair.1].into_iter().filter_map(|end| fixer.scene.ends.get(end));
        Self::among(fixer, &ends.collect::<Vec<_>>())
    }

    fn among(fixer: &Fixer<'_, '_>, views: &[&EndView<'_>]) -> Self {
        let ends: Vec<_> = views.iter().filter_map(|view| view.too_small_text(None)).collect();
        let steps = if ends.is_empty() { Vec::new() } else { fixer.fit_ports(views) };
        Self { ends, steps }
    }
}

impl Tunnel {
    /// The same, with its ends that drop large frames and what mends them. Where the MTUs of the ends differ too, what
    /// mends that raises both.
    fn with(mut self, small: Small, fixer: &Fixer<'_, '_>) -> Self {
        self.small_ends = small.ends;
        if !self.mismatches.contains_key(&MismatchField::Mtu) {
            self.fix.extend(small.steps);
            self.fix = fixer.order(self.fix);
        }
        self
    }
}

fn paired(scene: &Scene<'_>, pair: &Pair, facts: Facts, fixer: &Fixer<'_, '_>, ledger: &Ledger) -> Tunnel {
    let Facts { declared, mismatches, life, mending } = facts;
    let mut evidence = life.signs;
    evidence.extend(life.notes);
    evidence.extend(mending.why);
    for end in [&pair.0, &pair.1] {
        let Some(view) = scene.ends.get(end) else { continue };
        evidence.extend(view.too_small_text(fixer.expected.get(pair).copied()));
        evidence.extend(small_underlays(view));
        evidence.extend(view.bridge_text());
    }
    let (loss, counted) = losses(scene, pair, ledger);
    evidence.extend(counted);
    evidence.push(how(scene, pair, declared));
    Tunnel {
        name: pair.name(),
        state: TunnelState::Paired,
        ends: vec![pair.0.clone(), pair.1.clone()],
        up: life.up,
        mismatches,
        evidence,
        small_ends: Vec::new(),
        loss,
        fix: mending.steps,
        transitions_up: 0,
        transitions_down: 0,
    }
}

/// Routes to remotes that carry less than the end takes; where there are many, the first ones.
fn small_underlays(view: &EndView<'_>) -> Vec<String> {
    let said = view.sends.small_underlays.get_or_init(|| {
        let underlays = work::each(view.remotes.iter()).filter_map(|remote| Underlay::of(view, *remote));
        underlays.filter_map(|underlay| underlay.too_small(view.link.mtu?)).take(LISTED).collect()
    });
    said.clone()
}

/// The loss in each direction, and a sentence on each. None where an end is not read: that is said already.
fn losses(scene: &Scene<'_>, pair: &Pair, ledger: &Ledger) -> (Vec<TunnelLoss>, Vec<String>) {
    let (mut losses, mut said) = (Vec::new(), Vec::new());
    if !(scene.ends.contains_key(&pair.0) && scene.ends.contains_key(&pair.1)) {
        return (losses, said);
    }
    for (from, to) in [(&pair.0, &pair.1), (&pair.1, &pair.0)] {
        match ledger.loss(scene, from, to) {
            Ok((loss, words)) => {
                said.push(format!("lost from {from} to {to}: {words}"));
                losses.push(loss);
            }
            Err(why) => said.push(format!("lost from {from} to {to}: not known, {why}")),
        }
    }
    (losses, said)
}

/// Why these two ends belong together, from what can be read now.
fn how(scene: &Scene<'_>, pair: &Pair, declared: bool) -> String {
    let sends = |end: &TunnelEnd, other: &TunnelEnd| {
        let remote = scene.remote_to(end, &other.router)?;
        Some(format!("{end} sends to {remote}, an address of {}", other.router))
    };
    let group = scene.shared_group(&pair.0, &pair.1).map(|group| format!("both are in the group {group}"));
    let said = [sends(&pair.0, &pair.1), sends(&pair.1, &pair.0), group];
    let said: Vec<_> = said.into_iter().flatten().collect();
    match (said.is_empty(), declared) {
        (false, _) => format!("paired: {}", said.join("; ")),
        (true, true) => "paired: declared under `tunnels`".to_owned(),
        (true, false) => "paired: both ends were seen together before".to_owned(),
    }
}

/// A tunnel of which one end is known.
fn lone(fixer: &Fixer<'_, '_>, single: &Single) -> Tunnel {
    let Single { end, remote, candidates } = single;
    let scene = fixer.scene;
    let view = scene.ends.get(end);
    let life = view.map(liveness::judge_half).unwrap_or_default();
    let mut evidence = life.signs;
    let list = |ends: &BTreeSet<TunnelEnd>| listed(ends.iter(), ", ");
    if candidates.is_empty() {
        evidence.push(unmatched(scene, single));
    } else {
        evidence.push(format!(
            "several ends fit {end} to {remote} equally well: {}; declare the right pair under `tunnels`",
            list(candidates)
        ));
    }
    let small = view.filter(|_| life.up != Some(false)).map(|view| Small::among(fixer, &[view]));
    let tunnel = Tunnel {
        name: format!("{end}~{remote}"),
        state: if candidates.is_empty() { TunnelState::Half } else { TunnelState::Ambiguous },
        ends: vec![end.clone()],
        up: life.up,
        mismatches: BTreeMap::new(),
        evidence,
        small_ends: Vec::new(),
        loss: Vec::new(),
        fix: view.and_then(enable).into_iter().collect(),
        transitions_up: 0,
        transitions_down: 0,
    };
    tunnel.with(small.unwrap_or_default(), fixer)
}

fn unmatched(scene: &Scene<'_>, single: &Single) -> String {
    let Single { end, remote, .. } = single;
    let owners: Vec<_> = scene.known.owners(*remote).collect();
    if owners.contains(&&end.router) {
        return format!("{end} sends to {remote}, which is its own router's address");
    }
    if owners.is_empty() {
        let unread: Vec<_> = scene.readings.keys().filter_map(|router| scene.not_read(router)).collect();
        let mut said = format!("{end} sends to {remote}, which no router that was read owns");
        if unread.is_empty() {
            said += ": add that router, or this address to its `addresses`, to see the other end";
        } else {
            said = format!("{said}; {}", unread.join("; "));
        }
        return said;
    }
    let others: usize = owners.iter().map(|owner| scene.ends_of(owner).len()).sum();
    let ends = owners.iter().flat_map(|owner| scene.ends_of(owner)).filter_map(|end| scene.ends.get(end));
    let mut fit_not: Vec<_> = work::each(ends.take(LISTED))
        .map(|view| {
            let vnis = if view.vnis().is_empty() { "-".to_owned() } else { view.vnis().to_string() };
            format!("{} (vni {vnis}, remote {})", view.end(), view.remotes_text())
        })
        .collect();
    if others > LISTED {
        fit_not.push(format!("and {} more", others - LISTED));
    }
    let owners = owners.iter().map(|owner| owner.as_str()).collect::<Vec<_>>().join(", ");
    if others == 0 {
        format!("{end} sends to {remote} ({owners}), which shows no vxlan interface")
    } else {
        format!("{end} sends to {remote} ({owners}), where no free end fits: {}", fit_not.join("; "))
    }
}
