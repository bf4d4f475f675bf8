//! From readings and observations to the joined picture.
//!
//! The only memory is what a present reading cannot tell: which pairs were once seen (they keep
//! their names while a router is away), the addresses last seen on each router, how often a tunnel
//! went up and down, and signs of death that must be seen twice. The same input a second time gives
//! the same result.

mod history;
mod tunnel_evidence;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    language::Said,
    model::{
        observation::PathObservation,
        picture::{Overlay, PathPicture, TunnelEnd},
        plan::Plan,
        snapshot::RouterReading,
        types::{Bytes, InterfaceName, MismatchField, RouterName, Site},
    },
    overlay::{
        address_book::AddressBook,
        cause::{Explainer, Fares},
        crossed::Crossed,
        fix::{Fixer, Mending},
        legs::{self, Policy, Troubles},
        liveness::{self, Life, SilentEnds},
        loss::CounterHistory,
        mismatch::mismatches,
        pairing::{self, EndPair},
        passive::{Claims, Passive, StackHistory},
        scene::Scene,
        tunnel_route::{Map, TunnelRoute},
    },
    recency::Recency,
};
use history::TransitionCounts;
use tunnel_evidence::{Small, lone, paired};

/// Joins router readings and path observations; remembers from one call to the next.
#[derive(Debug)]
pub struct Assessor {
    site: Option<Site>,
    declared: BTreeSet<EndPair>,
    known: AddressBook,
    remembered: BTreeSet<EndPair>,
    suspects: SilentEnds,
    /// Sites with paths that other shards probe: if only our own paths there are unreachable, that
    /// proves nothing about the tunnel.
    sites_probed_elsewhere: BTreeSet<Site>,
    ledger: CounterHistory,
    stacks: StackHistory,
    history: TransitionCounts,
    pairs: Recency<EndPair>,
    /// When routers are asked to measure the underlay.
    policy: Policy,
}

/// What is known of one pair while the picture is being made.
struct PairFindings {
    declared: bool,
    mismatches: BTreeMap<MismatchField, Said>,
    life: Life,
    mending: Mending,
    /// What the routers' own counters say.
    claims: Claims,
}

impl PairFindings {
    fn of(
        fixer: &Fixer<'_, '_>,
        pair: &EndPair,
        declared: &BTreeSet<EndPair>,
        alone: &[&PathObservation],
        suspects: &mut SilentEnds,
        passive: &Passive<'_, '_>,
    ) -> Self {
        let declared = declared.contains(pair);
        let mismatches = mismatches(fixer.scene, pair, declared);
        let life = liveness::judge(fixer.scene, pair, &mismatches, alone, suspects);
        let mending = fixer.tunnel(pair, &mismatches, declared);
        let claims = passive.of_tunnel(pair, &mismatches);
        Self { declared, mismatches, life, mending, claims }
    }
}

/// Results of the paths for the tunnels they cross.
struct Crossings<'p> {
    /// The largest expected MTU of the paths that cross a tunnel.
    expected: BTreeMap<EndPair, Bytes>,
    /// The paths that cross this tunnel and no other.
    alone: BTreeMap<&'p EndPair, Vec<&'p PathObservation>>,
    fares: Fares<'p>,
    troubles: Troubles<'p>,
}

impl<'p> Crossings<'p> {
    fn of(
        paths: &'p [Arc<PathObservation>],
        walks: &[&TunnelRoute],
        by_name: &BTreeMap<String, &'p EndPair>,
        elsewhere: &BTreeSet<Site>,
    ) -> Self {
        let mut expected = BTreeMap::new();
        let mut alone: BTreeMap<&EndPair, Vec<&PathObservation>> = BTreeMap::new();
        let mut fares = Fares::default();
        let mut troubles = Troubles::default();
        for (path, walk) in paths.iter().zip(walks) {
            let hops = walk.hops();
            // Each tunnel takes two hops: its near end and its far end.
            for pair in hops.iter().step_by(2).filter_map(|hop| by_name.get(&hop.tunnel)) {
                fares.note(pair, path);
                troubles.note(pair, path);
                if let Some(mtu) = &path.expected_mtu {
                    let known = expected.entry((*pair).clone()).or_insert(mtu.bytes);
                    *known = mtu.bytes.max(*known);
                }
            }
            if let [near, _] = hops
                && !elsewhere.contains(&path.target_site)
                && let Some(pair) = by_name.get(&near.tunnel)
            {
                alone.entry(pair).or_default().push(path);
            }
        }
        Self { expected, alone, fares, troubles }
    }
}

impl Assessor {
    /// Starts without memory. Declared tunnels whose ends are not of the form `ROUTER/INTERFACE`
    /// are left out; the configuration was checked before.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let mut known = AddressBook::default();
        for router in &plan.routers {
            known.put_site(&router.name, &router.site);
        }
        let declared = |[a, b]: &[String; 2]| Some(EndPair::new(tunnel_end(a)?, tunnel_end(b)?));
        Self {
            site: plan.site.clone(),
            declared: plan.tunnels.iter().filter_map(declared).collect(),
            known,
            remembered: BTreeSet::new(),
            suspects: SilentEnds::new(),
            sites_probed_elsewhere: plan.sites_probed_elsewhere.clone(),
            ledger: CounterHistory::default(),
            stacks: StackHistory::default(),
            history: TransitionCounts::default(),
            pairs: Recency::default(),
            policy: Policy::of(plan),
        }
    }

    /// Has the routers measure the underlay whatever the state of the paths, unless the plan says
    /// never.
    #[must_use]
    pub(crate) fn asking_now(self) -> Self {
        Self { policy: self.policy.asking_now(), ..self }
    }

    /// Switches to another plan: pairs are searched anew, transition counts continue, and a router
    /// that is not read at present keeps its addresses.
    pub(crate) fn follow(&mut self, plan: &Plan) {
        let former = std::mem::replace(self, Self::new(plan));
        self.history = former.history;
        (self.known, self.ledger, self.stacks) = (former.known, former.ledger, former.stacks);
        let routers = plan.routers.iter().map(|router| &router.name).collect();
        self.known.keep(&routers);
        self.ledger.keep(&routers);
        self.stacks.keep(&routers);
        for router in &plan.routers {
            self.known.put_site(&router.name, &router.site);
        }
    }

    /// The present picture. Paths are in the order given.
    pub fn assess(&mut self, routers: &[Arc<RouterReading>], paths: &[Arc<PathObservation>]) -> Overlay {
        for reading in routers {
            self.known.learn(reading);
            self.ledger.learn(reading);
            self.stacks.learn(reading);
        }
        let scene = Scene::new(routers, &self.known);
        let pairing = pairing::pair(&scene, &self.declared, &self.remembered);
        let map = Map::new(&scene, &pairing.pairs);
        let ways = ways(&map, paths);
        let walks: Vec<&TunnelRoute> =
            paths.iter().map(|path| &ways[&(&path.source.site, &path.target_site)]).collect();

        let by_name: BTreeMap<_, _> = pairing.pairs.iter().map(|pair| (pair.name(), pair)).collect();
        let Crossings { expected, alone, fares, troubles } =
            Crossings::of(paths, &walks, &by_name, &self.sites_probed_elsewhere);
        let distances = self.site.as_ref().map(|site| map.distances(site)).unwrap_or_default();
        let fixer = Fixer { scene: &scene, distances, expected };

        let passive = Passive::new(&scene, &self.stacks);
        let mut facts = BTreeMap::new();
        for pair in &pairing.pairs {
            let alone = alone.get(pair).map_or(&[][..], Vec::as_slice);
            let found = PairFindings::of(&fixer, pair, &self.declared, alone, &mut self.suspects, &passive);
            facts.insert(pair, found);
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

        let asks = legs::asks(&scene, &self.policy, &pairing.pairs, &troubles);
        let mut tunnels: Vec<_> = facts
            .into_iter()
            .map(|(pair, facts)| {
                let small =
                    if fares.prove(pair) { Small::default() } else { Small::of(&fixer, pair, &facts) };
                paired(&scene, pair, facts, &fixer, &self.ledger).with(small, &fixer)
            })
            .collect();
        tunnels.extend(pairing.singles.iter().map(|single| lone(&fixer, single, &passive)));
        tunnels.sort_by(|a, b| a.name.cmp(&b.name));
        self.history.note(&mut tunnels);
        self.suspects.retain(|(from, to), _| pairing.pairs.contains(&EndPair::new(from.clone(), to.clone())));
        self.remembered = remembered(&scene, pairing.pairs, &self.remembered, &mut self.pairs);
        Overlay { tunnels, paths: pictures, asks }
    }
}

/// The walk between any two sites that a path connects.
fn ways<'p>(
    map: &Map<'_, '_, '_>,
    paths: &'p [Arc<PathObservation>],
) -> BTreeMap<(&'p Site, &'p Site), TunnelRoute> {
    let mut ways = BTreeMap::new();
    for path in paths {
        let sites = (&path.source.site, &path.target_site);
        ways.entry(sites).or_insert_with(|| map.walk(sites.0, sites.1));
    }
    ways
}

/// The pairs to remember while a router is away.
fn remembered(
    scene: &Scene<'_>,
    mut pairs: BTreeSet<EndPair>,
    before: &BTreeSet<EndPair>,
    recency: &mut Recency<EndPair>,
) -> BTreeSet<EndPair> {
    // Pairs of a router whose output exceeds the limits are not remembered.
    let spills = |end: &TunnelEnd| {
        scene.readings.get(&end.router).is_some_and(|it| it.left_out.keys().any(|kind| kind.is_excess()))
    };
    pairs.retain(|pair| before.contains(pair) || !(spills(&pair.0) || spills(&pair.1)));
    let is_there = |end: &TunnelEnd| scene.ends.contains_key(end) || scene.snapshot(&end.router).is_none();
    let there = pairs.iter().filter(|pair| is_there(&pair.0) && is_there(&pair.1));
    for pair in recency.see(there, pairs.iter()) {
        pairs.remove(&pair);
    }
    pairs
}

fn tunnel_end(text: &str) -> Option<TunnelEnd> {
    let (router, interface) = text.split_once('/')?;
    Some(TunnelEnd { router: RouterName::from(router), interface: InterfaceName::new(interface)? })
}

fn crossed<'t>(
    walk: &'t TunnelRoute,
    by_name: &BTreeMap<String, &'t EndPair>,
    facts: &'t BTreeMap<&EndPair, PairFindings>,
) -> Vec<Crossed<'t>> {
    let crossing = |hops: &'t [crate::model::picture::Hop]| {
        let pair = *by_name.get(&hops[0].tunnel)?;
        let PairFindings { life, mending, claims, .. } = facts.get(pair)?;
        let claims = &claims.said;
        Some(Crossed { pair, near: &hops[0].end, far: &hops[1].end, life, mending, claims })
    };
    walk.hops().chunks_exact(2).filter_map(crossing).collect()
}
