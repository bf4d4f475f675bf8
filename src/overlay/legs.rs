//! The legs of the underlay: which of them routers are asked to measure, and what the results say
//! about tunnels and paths.
//!
//! ICMP between two VTEPs is one flow of the underlay, VXLAN's UDP is many, and a box on the way may
//! treat them unlike. So a leg localises what paths have proven; it neither proves nor clears a
//! verdict.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    time::Duration,
};

use crate::{
    language::{Between, Said, say},
    model::{
        leg::{LegAsk, LegReading, LegSizes, UnderlayProbes},
        observation::PathObservation,
        picture::{TunnelEnd, TunnelLeg},
        plan::Plan,
        snapshot::route_query::RouteQuery,
        types::{Bytes, Direction, Method, RouterName, UnknownReason, Verdict},
    },
    overlay::{
        crossed::Crossed,
        end_view::EndView,
        pairing::EndPair,
        scene::Scene,
        underlay::{HEADERS_V4, HEADERS_V6},
    },
    work,
};

/// How long a result stands while a path over the tunnel is not ok.
const IN_TROUBLE: Duration = Duration::from_mins(1);
/// Small pings before a result stands: to see that a leg works, and what share it loses.
const PINGS: u32 = 10;
const PINGS_IN_LOSS: u32 = 60;
/// Loss by a leg's small pings that is worth a sentence: this share, and so many lost.
const LOSS: f64 = 0.03;
const LOST: u32 = 3;

/// When each router is asked.
#[derive(Debug, Default)]
pub(super) struct Policy {
    routers: BTreeMap<RouterName, (UnderlayProbes, Duration)>,
    /// `check` asks whatever the state of the paths.
    now: bool,
}

impl Policy {
    pub(super) fn of(plan: &Plan) -> Self {
        let of_router = |router: &crate::model::plan::RouterPlan| {
            (router.name.clone(), (router.underlay_probes, router.underlay_interval))
        };
        Self { routers: plan.routers.iter().map(of_router).collect(), now: false }
    }

    pub(super) fn asking_now(self) -> Self {
        Self { now: true, ..self }
    }

    /// How long a result of that router stands; `None` if it is not to be asked.
    fn every(&self, router: &RouterName, trouble: bool) -> Option<Duration> {
        match self.routers.get(router)? {
            (UnderlayProbes::Never, _) => None,
            _ if trouble => Some(IN_TROUBLE),
            (UnderlayProbes::Always, interval) => Some(*interval),
            (UnderlayProbes::OnTrouble, interval) => self.now.then_some(*interval),
        }
    }
}

/// The tunnels with a path that is not ok, and the sizes above which these paths lose packets.
#[derive(Debug, Default)]
pub(super) struct Troubles<'p>(BTreeMap<&'p EndPair, PairTrouble>);

#[derive(Debug, Default)]
struct PairTrouble {
    edges: BTreeSet<Bytes>,
    /// A path loses packets of any size.
    loses: bool,
}

impl<'p> Troubles<'p> {
    pub(super) fn note(&mut self, pair: &'p EndPair, path: &PathObservation) {
        let judgement = &path.judgement;
        let troubled = match judgement.verdict {
            Verdict::Ok => false,
            // Of other reasons the network is not the cause, or nothing is known yet.
            Verdict::Unknown => matches!(
                judgement.unknown_reason,
                Some(
                    UnknownReason::ReverseUnmeasured
                        | UnknownReason::LargeIcmpFiltered
                        | UnknownReason::NoProof
                )
            ),
            _ => true,
        };
        if troubled {
            let edges = [judgement.mtu_forward, judgement.mtu_reverse].into_iter().flatten();
            let trouble = self.0.entry(pair).or_default();
            trouble.edges.extend(edges);
            trouble.loses |= judgement.verdict == Verdict::Lossy;
        }
    }
}

/// What each router is to measure.
pub(super) fn asks<'p>(
    scene: &Scene<'_>,
    policy: &Policy,
    pairs: impl IntoIterator<Item = &'p EndPair>,
    troubles: &Troubles<'_>,
) -> BTreeMap<RouterName, Vec<LegAsk>> {
    let mut asks: BTreeMap<RouterName, BTreeMap<IpAddr, LegAsk>> = BTreeMap::new();
    for pair in work::each(pairs) {
        let trouble = troubles.0.get(pair);
        for (from, to) in [(&pair.0, &pair.1), (&pair.1, &pair.0)] {
            let Some(every) = policy.every(&from.router, trouble.is_some()) else { continue };
            let Some(ask) = ask(scene, from, to, every, trouble) else { continue };
            let of_router = asks.entry(from.router.clone()).or_default();
            match of_router.get_mut(&ask.remote) {
                // Several tunnels between the same VTEPs are one leg.
                Some(known) => {
                    known.top = known.top.max(ask.top);
                    known.every = known.every.min(ask.every);
                    known.pings = known.pings.max(ask.pings);
                    known.hints.extend(ask.hints);
                }
                None => {
                    of_router.insert(ask.remote, ask);
                }
            }
        }
    }
    asks.into_iter().map(|(router, asks)| (router, asks.into_values().collect())).collect()
}

fn ask(
    scene: &Scene<'_>,
    from: &TunnelEnd,
    to: &TunnelEnd,
    every: Duration,
    trouble: Option<&PairTrouble>,
) -> Option<LegAsk> {
    let (view, remote) = (scene.ends.get(from)?, scene.remote_to(from, &to.router)?);
    // Its API runs no commands, and a router without a route needs no ping to show that.
    if remote.is_multicast() || view.snapshot.method == Method::Api {
        return None;
    }
    let query = RouteQuery::new(view.snapshot, view.link, view.vxlan, remote)?;
    let route = view.snapshot.route(view.link, remote)?;
    let of_route = view.snapshot.underlay_mtu(view.link, remote)?;
    let headers = headers(remote);
    Some(LegAsk {
        remote,
        source: view.vxlan.local.or(route.source).filter(|source| source.is_ipv4() == remote.is_ipv4()),
        device: query.out_of().cloned(),
        top: needed(scene, from, to, remote)?.min(of_route),
        hints: trouble.iter().flat_map(|it| &it.edges).map(|edge| edge.saturating_add(headers)).collect(),
        pings: if trouble.is_some_and(|it| it.loses) { PINGS_IN_LOSS } else { PINGS },
        every,
    })
}

fn headers(remote: IpAddr) -> Bytes {
    if remote.is_ipv6() { HEADERS_V6 } else { HEADERS_V4 }
}

/// What the underlay must carry for the MTU of both ends, bytes of outer IP packet.
fn needed(scene: &Scene<'_>, from: &TunnelEnd, to: &TunnelEnd, remote: IpAddr) -> Option<Bytes> {
    let mtu = |end: &TunnelEnd| scene.ends.get(end)?.link.mtu;
    Some(mtu(from).into_iter().chain(mtu(to)).max()? + headers(remote))
}

/// One measured leg, as tunnels and paths see it.
struct LegView<'a> {
    from: &'a TunnelEnd,
    to: &'a TunnelEnd,
    remote: IpAddr,
    view: &'a EndView<'a>,
    reading: &'a LegReading,
    needed: Bytes,
}

impl<'a> LegView<'a> {
    fn of(scene: &'a Scene<'a>, from: &'a TunnelEnd, to: &'a TunnelEnd) -> Option<Self> {
        let (view, remote) = (scene.ends.get(from)?, scene.remote_to(from, &to.router)?);
        let reading = view.reading.legs.get(&remote)?;
        Some(Self { from, to, remote, view, reading, needed: needed(scene, from, to, remote)? })
    }

    /// Whether it carries less than the tunnel needs, silently or not, or loses packets of any size.
    fn is_sick(&self) -> bool {
        let short = self.reading.edge().is_some_and(|(edge, _)| edge < self.needed)
            || self.reading.signalled.is_some_and(|mtu| mtu < self.needed);
        short || self.loses()
    }

    /// Whether so many pings have shown that it carries all that the tunnel needs.
    fn carries_all(&self, pings: u32) -> bool {
        let fits = matches!(self.reading.sizes, LegSizes::Passed { size } if size >= self.needed);
        fits && self.reading.sent >= pings
    }

    fn loses(&self) -> bool {
        self.reading.lost >= LOST && self.reading.loss().is_some_and(|share| share > LOSS)
    }

    fn said(&self) -> Said {
        let Self { from, to, reading, needed, .. } = self;
        let leg = say!("the underlay from {from} to {to}", from = from.router, to = to.router);
        let mtu = needed.saturating_sub(headers(self.remote));
        let needs =
            say!("{interface} needs {needed} for its mtu {mtu}", interface = from.interface, needed, mtu);
        let sizes = match &reading.sizes {
            LegSizes::Silent { answered, exact: true, pairs } => say!(
                "{leg} carries {answered} bytes and swallows {silent} ({pairs} pairs of a large and a small ping \
                 with DF); {needs}",
                leg => leg,
                answered,
                silent = answered + 1,
                pairs,
                needs => needs
            ),
            LegSizes::Passed { size } if size >= needed => say!(
                "{leg} carries pings with DF of {size} bytes there and back, all that {interface} needs for its mtu \
                 {mtu}",
                leg => leg,
                size,
                interface = from.interface,
                mtu
            ),
            LegSizes::Passed { size } if reading.signalled.is_some() => say!(
                "{leg} carries {size} bytes and answers larger pings with \"fragmentation needed\"; {needs}",
                leg => leg,
                size,
                needs => needs
            ),
            LegSizes::Passed { size } => say!(
                "{leg} carries pings with DF of {size} bytes, as large as the route of {router} takes; {needs}",
                leg => leg,
                size,
                router = from.router,
                needs => needs
            ),
            LegSizes::Starting | LegSizes::Silent { .. } => say!("{leg} is being measured", leg => leg),
            LegSizes::SizeDependent => {
                say!("{leg} loses more the larger a ping is, without an edge", leg => leg)
            }
            LegSizes::NotMeasured { why } => {
                say!("{leg} is not measured: {why}", leg => leg, why => why.clone())
            }
        };
        if reading.lost == 0 {
            return sizes;
        }
        let (lost, sent) = (reading.lost, reading.sent);
        let lost = say!("{lost} of {sent} small pings were lost there and back", lost, sent);
        Said::joined([sizes, lost], Between::Semicolon)
    }

    /// The suspicion that signals do not reach the sender: above this size pings vanish, though the
    /// far router's own route, or signals to it, show that size to be known.
    fn suspicion(&self, scene: &Scene<'_>) -> Option<Said> {
        let (edge, _) = self.reading.edge()?;
        let far = scene.ends.get(self.to)?;
        let back = scene.remote_to(self.to, &self.from.router)?;
        let of_route = far.snapshot.underlay_mtu(far.link, back) == Some(edge);
        let told = far.reading.legs.get(&back).and_then(|leg| leg.signalled) == Some(edge);
        let router = &self.to.router;
        let shown = match (told, of_route) {
            (true, _) => say!("{router} is told \"fragmentation needed, mtu {edge}\"", router, edge),
            (false, true) => say!("the route of {router} takes {edge}", router, edge),
            (false, false) => return None,
        };
        Some(say!(
            "{shown}, but pings of {size} bytes from {from} to it vanish without a signal: perhaps a firewall of \
             {from} or before it drops \"fragmentation needed\" (ICMP type 3 code 4, ICMPv6 type 2)",
            shown => shown,
            size = edge + 1,
            from = self.from.router
        ))
    }

    fn picture(&self) -> TunnelLeg {
        TunnelLeg {
            from: self.from.clone(),
            to: self.to.clone(),
            reading: self.reading.clone(),
            needed: self.needed,
        }
    }
}

/// Both legs of a tunnel as far as they are measured, with sentences for its evidence.
pub(super) fn of_tunnel(scene: &Scene<'_>, pair: &EndPair) -> (Vec<TunnelLeg>, Vec<Said>) {
    let both = [(&pair.0, &pair.1), (&pair.1, &pair.0)];
    let legs: Vec<_> = both.into_iter().filter_map(|(from, to)| LegView::of(scene, from, to)).collect();
    let said = legs.iter().map(LegView::said);
    let said = said.chain(legs.iter().filter_map(|leg| leg.suspicion(scene))).collect();
    (legs.iter().map(LegView::picture).collect(), said)
}

/// What the legs say about a path's problem.
#[derive(Debug, Default)]
pub(super) struct LegFindings {
    /// The sick legs, and what to do.
    pub(super) sick: Vec<Said>,
    /// The others.
    pub(super) others: Vec<Said>,
}

pub(super) fn of_path(scene: &Scene<'_>, path: &PathObservation, crossed: &[Crossed<'_>]) -> LegFindings {
    let mut told = LegFindings::default();
    let enough = if path.judgement.verdict == Verdict::Lossy { PINGS_IN_LOSS } else { PINGS };
    let mut all_carry = !crossed.is_empty();
    for tunnel in crossed {
        let both = [(tunnel.near, tunnel.far), (tunnel.far, tunnel.near)];
        let legs: Vec<_> = both.into_iter().filter_map(|(from, to)| LegView::of(scene, from, to)).collect();
        all_carry &= !legs.is_empty() && legs.iter().all(|leg| leg.carries_all(enough));
        let (sick, well): (Vec<_>, Vec<_>) = legs.iter().partition(|leg| leg.is_sick());
        told.sick.extend(sick.iter().map(|leg| leg.said()));
        told.sick.extend(sick.iter().filter_map(|leg| leg.suspicion(scene)));
        told.sick.extend(direction(path, tunnel, &sick));
        told.sick.extend(remedy(&sick));
        told.others.extend(well.iter().map(|leg| leg.said()));
    }
    if told.sick.is_empty() && all_carry {
        told.others.push(say!(
            "pings do not show the fault: a box on the way may treat VXLAN's UDP otherwise, so this clears nothing"
        ));
    }
    told
}

/// A ping's reply proves both ways at once; the path's own probes may tell them apart.
fn direction(path: &PathObservation, tunnel: &Crossed<'_>, sick: &[&LegView<'_>]) -> Option<Said> {
    sick.iter().find(|leg| leg.reading.edge().is_some())?;
    let (from, to) = match path.judgement.holes[..] {
        [Direction::Forward] => (tunnel.near, tunnel.far),
        [Direction::Reverse] => (tunnel.far, tunnel.near),
        _ => return None,
    };
    Some(say!(
        "the path's own probes are lost on the way from {from} to {to}",
        from = from.router,
        to = to.router
    ))
}

/// What the operator of the underlay must do; else the MTUs that fit.
fn remedy(sick: &[&LegView<'_>]) -> Option<Said> {
    let edge = |leg: &&&LegView<'_>| leg.reading.edge().map(|(edge, _)| edge);
    let worst = sick.iter().filter(|leg| edge(leg).is_some()).min_by_key(edge)?;
    let carried = edge(&worst)?;
    let LegView { from, to, needed, remote, view, .. } = worst;
    let inner = carried.saturating_sub(headers(*remote));
    let source = view.vxlan.local.map_or_else(String::new, |local| format!(" ({local})"));
    Some(say!(
        "to do, first choice: whoever runs the underlay between {from}{source} and {to} ({remote}) lets outer packets \
         of {needed} bytes pass; the path is then `ok`. Else: mtu {inner} on the hosts of both sites, and then \
         `set interfaces vxlan {far} mtu {inner}` on {to} and `set interfaces vxlan {near} mtu {inner}` on {from}; \
         the path is then `ok` at {inner}, and a host that keeps its mtu still hangs",
        from = from.router,
        source,
        to = to.router,
        remote,
        needed,
        inner,
        far = to.interface,
        near = from.interface
    ))
}
