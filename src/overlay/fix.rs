//! The commands that mend a tunnel, in an order that locks nobody out.
//!
//! The far end comes first and our own site last, because an administrator who is logged in over
//! the overlay must cut their own access last. All commands for one router stay together, for a
//! single `commit`. VyOS re-creates the device when its VNI, remote or port changes, so nothing is
//! changed without need.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use crate::{
    language::{Said, say},
    model::{
        picture::{FixStep, TunnelEnd},
        types::{Bytes, DfPolicy, MismatchField, Site},
    },
    overlay::{
        end_view::EndView,
        mismatch::remote_astray,
        pairing::EndPair,
        routed,
        scene::Scene,
        step::{enable, raise, step},
    },
    vendor::{Repair, Vyos},
};

/// Only the first this many remotes of an end are considered for deletion: nobody types more.
const MOST_REMOTES: usize = 64;

/// How one tunnel can be mended.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Mending {
    pub(super) steps: Vec<FixStep>,
    /// Why this end is changed and not the other.
    pub(super) why: Vec<Said>,
}

/// Holds what every fix depends on: distances of sites, and the MTU that paths need.
pub(super) struct Fixer<'s, 'a> {
    pub(super) scene: &'s Scene<'a>,
    /// The number of tunnels between our site and each other site.
    pub(super) distances: BTreeMap<Site, usize>,
    /// The largest expected MTU of the paths that cross a tunnel.
    pub(super) expected: BTreeMap<EndPair, Bytes>,
}

impl Fixer<'_, '_> {
    /// Everything that mends a tunnel's ends and their mismatches.
    pub(super) fn tunnel(
        &self,
        pair: &EndPair,
        mismatches: &BTreeMap<MismatchField, Said>,
        declared: bool,
    ) -> Mending {
        let mut mending = Mending::default();
        let (Some(a), Some(b)) = (self.scene.ends.get(&pair.0), self.scene.ends.get(&pair.1)) else {
            return mending;
        };
        mending.steps.extend([a, b].into_iter().filter_map(enable));
        for field in mismatches.keys() {
            match field {
                MismatchField::Vni => self.vni(pair, a, b, &mut mending),
                MismatchField::Port => self.port(pair, a, b, &mut mending),
                MismatchField::Df => self.df(pair, a, b, &mut mending),
                MismatchField::Mtu => mending.steps.extend(self.equal_mtu(pair)),
                MismatchField::Remote => {
                    self.remote(&pair.0, &pair.1, declared, &mut mending);
                    self.remote(&pair.1, &pair.0, declared, &mut mending);
                }
            }
        }
        let foreign = [a, b].map(EndView::end).into_iter().filter(|end| !Vyos::names(&end.interface));
        mending.why.extend(foreign.filter(|_| !mismatches.is_empty()).map(|end| {
            let why = Vyos::names_none(&end.interface);
            say!("{why}: there are no commands for {end}", why => why, end)
        }));
        mending.steps = self.order(mending.steps);
        mending
    }

    /// Sorts steps into the safe order and removes duplicates.
    pub(super) fn order(&self, mut steps: Vec<FixStep>) -> Vec<FixStep> {
        // The sort is stable: on one router `delete … remote` stays before `set … remote`.
        steps.sort_by_cached_key(|step| (Reverse(self.distance(&step.router)), step.router.clone()));
        let mut seen = BTreeSet::new();
        steps.retain(|step| seen.insert(step.clone()));
        steps
    }

    /// The distance of a router's site; a site that no tunnel leads to counts as the farthest.
    fn distance(&self, router: &crate::model::types::RouterName) -> usize {
        let site = self.scene.known.site(router);
        site.and_then(|site| self.distances.get(site)).copied().unwrap_or(usize::MAX)
    }

    /// The end to change if nothing else decides: the one farther from our site.
    fn farther<'e>(&self, pair: &'e EndPair) -> &'e TunnelEnd {
        if self.distance(&pair.0.router) > self.distance(&pair.1.router) { &pair.0 } else { &pair.1 }
    }

    fn vni(&self, pair: &EndPair, a: &EndView<'_>, b: &EndView<'_>, mending: &mut Mending) {
        let (Some(vni_a), Some(vni_b)) = (a.vxlan.vni, b.vxlan.vni) else { return };
        // An end cannot take a VNI that another device of its router has on the same port.
        let used = |view: &EndView<'_>, vni| {
            view.taken(vni).map(|link| {
                say!(
                    "{router} already uses vni {vni} on {link}",
                    router = view.reading.router,
                    vni,
                    link = link.name
                )
            })
        };
        let (changes, vni) = match (used(a, vni_b), used(b, vni_a)) {
            (Some(left), Some(right)) => {
                mending
                    .why
                    .push(say!("no vni suits both ends: {left}, {right}", left => left, right => right));
                return;
            }
            (Some(left), None) => {
                mending.why.push(say!("{why}, so {end} must change", why => left, end = pair.1));
                (&pair.1, vni_a)
            }
            (None, Some(right)) => {
                mending.why.push(say!("{why}, so {end} must change", why => right, end = pair.0));
                (&pair.0, vni_b)
            }
            (None, None) => {
                let end = self.farther(pair);
                mending.why.push(undecided(MismatchField::Vni, end));
                (end, if *end == pair.0 { vni_b } else { vni_a })
            }
        };
        mending.steps.extend(step(changes, Repair::Vni(vni)));
    }

    fn port(&self, pair: &EndPair, a: &EndView<'_>, b: &EndView<'_>, mending: &mut Mending) {
        let end = self.farther(pair);
        let Some(port) = (if *end == pair.0 { b } else { a }).vxlan.port else { return };
        mending.why.push(undecided(MismatchField::Port, end));
        mending.steps.extend(step(end, Repair::Port(port)));
    }

    /// `unset` is VyOS's default, so the end that differs from it changes.
    fn df(&self, pair: &EndPair, a: &EndView<'_>, b: &EndView<'_>, mending: &mut Mending) {
        let unset = |view: &EndView<'_>| view.vxlan.df == Some(DfPolicy::Unset);
        let end = match (unset(a), unset(b)) {
            (true, _) => &pair.1,
            (_, true) => &pair.0,
            _ => self.farther(pair),
        };
        let (view, other) = if *end == pair.0 { (a, b) } else { (b, a) };
        let Some(df) = other.vxlan.df else { return };
        if !view.has_df_command() {
            let why = Vyos::no_df_command();
            mending.why.push(say!("{end}: {why}; {df} requires an upgrade", end, why => why, df));
            return;
        }
        mending.steps.extend(step(end, Repair::Df(df)));
    }

    fn remote(&self, end: &TunnelEnd, other: &TunnelEnd, declared: bool, mending: &mut Mending) {
        let scene = self.scene;
        let (Some(view), Some(far)) = (scene.ends.get(end), scene.ends.get(other)) else { return };
        if !remote_astray(scene, end, other, declared) {
            return;
        }
        // The routing daemon would undo the change; the mismatch's sentence says where to look.
        if view.is_filled() {
            return;
        }
        if view.vxlan.external {
            mending.why.push(say!(
                "{end} is `external`: it has no `remote`, its flood list must contain {router}",
                end,
                router = other.router
            ));
            return;
        }
        let Some(address) = vtep_address(scene, far, end) else {
            mending.why.push(say!(
                "{end} must have the VTEP address of {router} as remote",
                end,
                router = other.router
            ));
            return;
        };
        // A remote that some other router owns may belong to another tunnel, so it stays.
        let stray =
            |remote: &&IpAddr| view.remotes.len() == 1 || scene.known.owners(**remote).next().is_none();
        for old in view.remotes.iter().take(MOST_REMOTES).filter(stray) {
            mending.steps.extend(step(end, Repair::DeleteRemote(*old)));
        }
        mending.steps.extend(step(end, Repair::Remote(address)));
    }

    /// The MTU in bytes to set on the ends of this tunnel that are too small: enough for the paths
    /// that cross it and for the bridge ports beside those ends, and not below the other end's.
    pub(super) fn mtu(&self, pair: &EndPair) -> Option<Bytes> {
        let expected = self.expected.get(pair).copied();
        let ends = [&pair.0, &pair.1].into_iter().filter_map(|end| self.scene.ends.get(end));
        let wants = ends.filter_map(|view| {
            let port = view.widest_port().map(|(_, mtu)| mtu);
            view.link.mtu.max(expected).max(port.filter(|_| view.too_small(expected)))
        });
        let mtu = wants.max().map(|mtu| mtu.min(*Vyos::MTUS.end()))?;
        Some(routed::limit(self.scene, pair).map_or(mtu, |limit| mtu.min(limit)))
    }

    /// Steps that let the bridges at both ends forward what their widest ports accept.
    pub(super) fn fit_ports(&self, views: &[&EndView<'_>]) -> Vec<FixStep> {
        let wants = views.iter().filter_map(|view| view.link.mtu.max(view.widest_port().map(|(_, mtu)| mtu)));
        let Some(mtu) = wants.max().map(|mtu| mtu.min(*Vyos::MTUS.end())) else { return Vec::new() };
        let small = views.iter().filter(|view| view.link.mtu.is_some_and(|has| has < mtu));
        self.order(small.flat_map(|view| raise(view, mtu)).collect())
    }

    /// Sets one MTU on both ends: the larger one, unless an end is routed over an underlay that
    /// does not carry it.
    fn equal_mtu(&self, pair: &EndPair) -> Vec<FixStep> {
        let Some(mtu) = self.mtu(pair) else { return Vec::new() };
        let limit = routed::limit(self.scene, pair);
        let ends = [&pair.0, &pair.1].into_iter().filter_map(|end| self.scene.ends.get(end));
        let change = |view: &EndView<'_>| match view.link.mtu {
            Some(has) if has < mtu => raise(view, mtu),
            Some(has) if limit.is_some_and(|limit| has > limit) => {
                step(&view.end(), Repair::Mtu(mtu)).into_iter().collect()
            }
            _ => Vec::new(),
        };
        ends.flat_map(change).collect()
    }
}

fn undecided(what: MismatchField, end: &TunnelEnd) -> Said {
    say!(
        "it is not known which {what} is the right one; {end} is farther from our site, so change it there",
        what => what.said(),
        end
    )
}

/// The address that reaches the router of `far`: the public one from the configuration, the
/// device's own source, or the source of its route back.
fn vtep_address(scene: &Scene<'_>, far: &EndView<'_>, near: &TunnelEnd) -> Option<IpAddr> {
    if let Some(public) = far.reading.extra_addresses.first() {
        return Some(*public);
    }
    let back = || {
        let remote = scene.remote_to(&far.end(), &near.router)?;
        let route = far.snapshot.route(far.link, remote)?;
        let on_device = || {
            let addresses = &far.snapshot.link(&route.dev)?.addresses;
            addresses.iter().copied().find(|address| address.is_ipv4() == remote.is_ipv4())
        };
        route.source.or_else(on_device)
    };
    far.vxlan.local.or_else(back)
}
