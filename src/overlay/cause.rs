//! Which router setting explains a path's problem.
//!
//! A frame is lost where it is *sent into* a tunnel: the router's bridge drops it if the vxlan
//! device's MTU is smaller (`routed` says what differs if the router routes it). So a forward hole
//! is explained by the near end of each tunnel on the path, and a reverse hole by the far ends.
//! Every end with the fault gets a command, whichever direction is proven. What router data does
//! not explain is attributed to the underlay, with the size of outer packets to look for. What the
//! underlay will not carry after the fix is said in advance, without a command: the underlay may be
//! a provider's.

mod unexplained;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    language::{Between, Said, say},
    model::{
        observation::PathObservation,
        picture::{FixStep, TunnelEnd},
        types::{Bytes, Direction, PathName, Site, TcpState, UnknownReason, Verdict},
    },
    overlay::{
        crossed::Crossed, end_view::EndView, evpn, fix::Fixer, legs, pairing::EndPair, routed, scene::Scene,
        step::raise, stranger, tunnel_route::TunnelRoute, underlay::Underlay,
    },
    path::tcp::{life, payload},
    work,
};

/// At most this many ends are listed if it is not known which tunnels the path crosses.
const LISTED: usize = 8;

/// Explains the problem of one path.
pub(super) struct Explainer<'e, 's, 'a> {
    pub(super) fixer: &'e Fixer<'s, 'a>,
    pub(super) path: &'e PathObservation,
    pub(super) walk: &'e TunnelRoute,
    /// The tunnels of the path's walk if that is unique; empty otherwise.
    pub(super) crossed: &'e [Crossed<'e>],
    /// Results of other paths over the same tunnels.
    pub(super) fares: &'e Fares<'e>,
}

/// For each tunnel the paths over it that are answered (`answered`), and those answered at full
/// size (`whole`).
#[derive(Debug, Default)]
pub(super) struct Fares<'e> {
    answered: BTreeMap<&'e EndPair, Vec<&'e PathName>>,
    whole: BTreeMap<&'e EndPair, Vec<&'e PathName>>,
    /// Tunnels with a path that is answered at no size, or only at small ones.
    dead: BTreeSet<&'e EndPair>,
    /// For each tunnel the sites with a host that answers over it.
    sites: BTreeSet<(&'e EndPair, &'e Site)>,
}

impl<'e> Fares<'e> {
    /// Records the result of a path that crosses `pair`.
    pub(super) fn note(&mut self, pair: &'e EndPair, path: &'e PathObservation) {
        let verdict = path.judgement.verdict;
        if !matches!(verdict, Verdict::Unreachable | Verdict::Unknown) {
            self.answered.entry(pair).or_default().push(&path.path);
            self.sites.insert((pair, &path.target_site));
        }
        if matches!(verdict, Verdict::Unreachable | Verdict::Blackhole) {
            self.dead.insert(pair);
        }
        if verdict == Verdict::Ok {
            self.whole.entry(pair).or_default().push(&path.path);
        }
    }

    /// Whether a path over the tunnel proves that large packets pass, or that they do not.
    pub(super) fn prove(&self, pair: &EndPair) -> bool {
        self.whole.contains_key(pair) || self.dead.contains(pair)
    }

    /// The paths that show the tunnel to be free of the problem that another path has.
    fn speak_for(&self, pair: &EndPair, trouble: Verdict) -> &[&'e PathName] {
        let paths = if trouble == Verdict::Unreachable { &self.answered } else { &self.whole };
        paths.get(pair).map_or(&[], Vec::as_slice)
    }
}

impl Explainer<'_, '_, '_> {
    /// The cause in sentences, and the fix in an order that is safe to type. Both are empty while
    /// the path is ok.
    pub(super) fn explain(&self) -> (Vec<Said>, Vec<FixStep>) {
        let mut cause = Vec::new();
        let mut steps = Vec::new();
        match self.path.judgement.verdict {
            Verdict::Ok => return (cause, steps),
            Verdict::Unreachable => {
                self.dead_tunnels(&mut cause, &mut steps);
                if cause.is_empty() {
                    cause.extend(self.stranger());
                }
                if *self.walk == TunnelRoute::None {
                    let PathObservation { source, target_site, .. } = self.path;
                    cause.extend(evpn::strangers(self.scene(), &source.site, target_site));
                }
            }
            Verdict::Lossy => self.dead_tunnels(&mut cause, &mut steps),
            // MTUs do not explain SYNs or payload of any size that are lost.
            Verdict::Blackhole if self.path.judgement.is_tcp_dead_alone() => {
                cause.push(match self.path.judgement.tcp {
                    Some(TcpState::PayloadDead) => say!(
                        "SYNs are answered, payload is not: {where}",
                        where => payload::where_payload_is_lost()
                    ),
                    Some(TcpState::KernelDead) => say!(
                        "raw SYNs pass, the kernel's own connections do not: {where}",
                        where => payload::where_the_kernels_are_lost()
                    ),
                    _ => say!("TCP does not pass though ping does: {where}", where => life::where_to_look()),
                });
            }
            // If replies come back in fragments the reverse direction is not tested, so every end
            // with the fault is named.
            Verdict::Blackhole => self.small_ends(self.expected(), &mut cause, &mut steps),
            Verdict::Reduced => self.underlay_limits(&mut cause),
            // A clamp is worth reporting even if this vantage point cannot prove the hole. But only
            // one that router data shows by itself, not one that follows from an untested
            // expectation.
            Verdict::Unknown => {
                self.small_ends(None, &mut cause, &mut steps);
                if self.is_reduced_at_least() {
                    self.underlay_limits(&mut cause);
                }
            }
        }
        let unexplained = cause.is_empty() && self.path.judgement.verdict != Verdict::Unknown;
        cause.extend(self.unread());
        cause.extend(self.no_claim());
        self.measured(unexplained && !self.crossed.is_empty(), &mut cause);
        (cause, self.fixer.order(steps))
    }

    /// Whether only the way back is in doubt, and the way there is reduced.
    fn is_reduced_at_least(&self) -> bool {
        let judgement = &self.path.judgement;
        judgement.unknown_reason == Some(UnknownReason::ReverseUnmeasured)
            && judgement.mtu_forward.zip(self.expected()).is_some_and(|(mtu, expected)| mtu < expected)
    }

    /// What the routers' own pings say of the underlay; if they name no leg, where to look.
    fn measured(&self, unexplained: bool, cause: &mut Vec<Said>) {
        let claims = self.crossed.iter().flat_map(|tunnel| tunnel.claims);
        cause.extend(claims.cloned());
        let told = legs::of_path(self.scene(), self.path, self.crossed);
        let names_leg = !told.sick.is_empty();
        cause.extend(told.sick);
        if unexplained {
            if !names_leg {
                cause.push(self.underlay());
            }
            cause.extend(told.others);
        }
    }

    fn scene(&self) -> &Scene<'_> {
        self.fixer.scene
    }

    fn expected(&self) -> Option<Bytes> {
        self.path.expected_mtu.as_ref().map(|expected| expected.bytes)
    }

    fn dead_tunnels(&self, cause: &mut Vec<Said>, steps: &mut Vec<FixStep>) {
        for tunnel in self.crossed {
            if !tunnel.life.signs.is_empty() {
                cause.extend(tunnel.life.signs.iter().cloned());
                cause.extend(tunnel.mending.why.iter().cloned());
                steps.extend(tunnel.mending.steps.iter().cloned());
            }
        }
    }

    /// The suspicion of a virtual switch. It holds only if all tunnels on the path are known to
    /// work and no other host of the target's site answers.
    fn stranger(&self) -> Option<Said> {
        let alive = |tunnel: &Crossed<'_>| tunnel.life.up.is_some() && tunnel.life.signs.is_empty();
        let last = self.crossed.last().filter(|_| self.crossed.iter().all(alive))?;
        if self.fares.sites.contains(&(last.pair, &self.path.target_site)) {
            return None;
        }
        stranger::suspicion(self.scene(), self.path, last.near, last.far)
    }

    /// The ends that send into a tunnel in one of these directions.
    fn senders(&self, holes: &[Direction]) -> Vec<(&Crossed<'_>, &TunnelEnd, &TunnelEnd)> {
        let either = holes.contains(&Direction::Unknown);
        let forward = either || holes.contains(&Direction::Forward);
        let reverse = either || holes.contains(&Direction::Reverse);
        let near = self.crossed.iter().filter(|_| forward).map(|tunnel| (tunnel, tunnel.near, tunnel.far));
        let far = self.crossed.iter().filter(|_| reverse).map(|tunnel| (tunnel, tunnel.far, tunnel.near));
        near.chain(far).collect()
    }

    /// Whether the hole may be in the direction in which this end sends.
    fn may_be_in(&self, tunnel: &Crossed<'_>, end: &TunnelEnd) -> bool {
        let holes = &self.path.judgement.holes;
        let direction = if end == tunnel.near { Direction::Forward } else { Direction::Reverse };
        holes.is_empty() || holes.contains(&Direction::Unknown) || holes.contains(&direction)
    }

    /// Names every end on the path that is too small, whichever direction is proven.
    fn small_ends(&self, expected: Option<Bytes>, cause: &mut Vec<Said>, steps: &mut Vec<FixStep>) {
        let mut afterwards = Vec::new();
        let mut explained: Option<Bytes> = None;
        for (tunnel, end, other) in self.senders(&[Direction::Unknown]) {
            let Some(view) = self.scene().ends.get(end) else { continue };
            if view.is_routed() {
                // Elsewhere it is no hole: a routed end signals packets above its MTU.
                if self.may_be_in(tunnel, end) {
                    let told = routed::explain(self.scene(), view, other, expected);
                    explained = explained.into_iter().chain(told.explained).min();
                    cause.extend(told.cause);
                    steps.extend(told.steps);
                }
                continue;
            }
            let Some(sentence) = view.too_small_text(expected) else { continue };
            cause.push(sentence);
            let Some(mtu) = self.fixer.mtu(tunnel.pair) else { continue };
            steps.extend(raise(view, mtu));
            if view.has_df_set() {
                cause.push(say!("{end} has `df set`: a larger mtu alone would not fix it", end));
            }
            let underlay = Underlay::towards(self.scene(), view, other);
            let carried = underlay.as_ref().map(Underlay::inner);
            explained = [explained, view.link.mtu, carried].into_iter().flatten().min();
            let needed = self.expected().unwrap_or(mtu);
            afterwards.extend(underlay.filter(|u| u.inner() < needed).map(|u| u.afterwards(needed)));
        }
        cause.extend(afterwards);
        let edge = self.edge().filter(|_| self.path.judgement.settled);
        if let (Some(edge), Some(explained)) = (edge, explained)
            && edge < explained
        {
            cause.push(say!(
                "but packets above {edge} bytes are lost already, which {explained} does not explain: {underlay}",
                edge,
                explained,
                underlay => self.underlay()
            ));
        }
    }

    fn underlay_limits(&self, cause: &mut Vec<Said>) {
        let Some(expected) = self.expected() else { return };
        let limits = |holes: &[Direction]| {
            let senders = self.senders(holes).into_iter();
            let limit = |(_, end, other): (_, &TunnelEnd, &TunnelEnd)| {
                let view = self.scene().ends.get(end)?;
                if view.is_routed() {
                    return view.too_small_text(Some(expected));
                }
                let underlay = Underlay::towards(self.scene(), view, other).filter(|u| u.inner() < expected);
                underlay.map(|u| u.limit(expected)).or_else(|| view.too_small_text(Some(expected)))
            };
            senders.filter_map(limit).collect::<Vec<_>>()
        };
        let forward = limits(&[Direction::Forward]);
        cause.extend(if forward.is_empty() { limits(&[Direction::Reverse]) } else { forward });
    }

    /// Routers on the path without a present reading; all such routers if it is not known which
    /// tunnels the path crosses.
    fn unread(&self) -> Vec<Said> {
        let scene = self.scene();
        let routers: BTreeSet<_> = match self.walk {
            TunnelRoute::Unique(hops) => hops.iter().map(|hop| &hop.end.router).collect(),
            TunnelRoute::None => scene.readings.keys().copied().collect(),
            TunnelRoute::Local | TunnelRoute::Several(_) => BTreeSet::new(),
        };
        routers.into_iter().filter_map(|router| scene.not_read(router)).collect()
    }

    /// Why no tunnel is named as the cause, and what else may be.
    fn no_claim(&self) -> Vec<Said> {
        let (source, target_site) = (&self.path.source.site, &self.path.target_site);
        match self.walk {
            TunnelRoute::Unique(_) => Vec::new(),
            TunnelRoute::Local => {
                vec![say!("{source} is the target's own site: no tunnel is crossed", source)]
            }
            TunnelRoute::Several(walks) => {
                let routes = walks.iter().map(|walk| Said::verbatim(walk.join(" + ")));
                let routes = if walks.is_empty() {
                    say!("too many to list")
                } else {
                    Said::joined(routes, Between::Or)
                };
                vec![say!(
                    "several routes lead from {source} to {target}, so none is assumed: {routes}",
                    source,
                    target = target_site,
                    routes => routes
                )]
            }
            TunnelRoute::None => {
                let mut said = vec![say!(
                    "router data shows no tunnels that connect {source} to {target}",
                    source,
                    target = target_site
                )];
                let here = |view: &&EndView<'_>| [source, target_site].contains(&&view.reading.site);
                let small = work::each(self.scene().ends.values()).filter(here);
                said.extend(
                    small
                        .filter_map(|view| view.too_small_text(self.expected()))
                        .take(LISTED)
                        .map(|sentence| say!("{sentence} (it may be on the path)", sentence => sentence)),
                );
                said
            }
        }
    }

    /// The largest size that passes in the direction of the problem, in bytes of IP packet.
    fn edge(&self) -> Option<Bytes> {
        let judgement = &self.path.judgement;
        if judgement.holes == [Direction::Reverse] {
            return judgement.mtu_reverse;
        }
        judgement.mtu_forward
    }
}
