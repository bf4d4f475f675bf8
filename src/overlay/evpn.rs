//! Ends that a routing daemon configures: EVPN sets their flood list and their MACs, and nobody
//! types a remote.
//!
//! Such a device does not learn and has no remote of its own; its entries are marked
//! `extern_learn`. An end floods a VNI to every VTEP whose type-3 route (inclusive multicast) it
//! has received. So a missing flood entry means a missing route. A static `remote` would only hide
//! that, and be in the way later.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use crate::{
    language::{Said, say},
    model::{picture::TunnelEnd, types::Site, vnis::VniSet},
    overlay::{carriers::Carriers, end_view::EndView, scene::Scene},
    work,
};

/// At most this many such sentences are given.
const MOST: usize = 8;

/// The command that shows a router's type-3 routes.
const TYPE_3: &str = "`show bgp l2vpn evpn route type 3`";

/// The sentence that `end` does not flood to `other`.
pub(super) fn missing(scene: &Scene<'_>, end: &TunnelEnd, other: &TunnelEnd) -> Said {
    let floods = scene.ends.get(end).map_or_else(Said::nothing, EndView::remotes_text);
    let (vtep, router) = (vtep(scene, end, other), &other.router);
    if scene.points(other, end) {
        return say!(
            "{end} has no flood entry for {vtep}, which sends to it (it floods to {floods}): EVPN fills it, so check \
             its type-3 routes ({command}) for one from that VTEP, and whether {router} has sent it",
            end,
            vtep,
            floods => floods,
            command = TYPE_3,
            router
        );
    }
    say!(
        "{end} has no flood entry for {vtep} (it floods to {floods}): EVPN fills it, so check its type-3 routes \
         ({command}) for one from that VTEP, and whether {router} has sent it",
        end,
        vtep,
        floods => floods,
        command = TYPE_3,
        router
    )
}

/// The sentence that neither of two ends floods to the other.
pub(super) fn neither(a: &EndView<'_>, b: &EndView<'_>) -> Said {
    say!(
        "neither end floods to the other (vni {vnis}): {one} floods to {floods}, {other} floods to {back}; EVPN fills \
         both, so check the type-3 routes ({command}) on {here} and {there}",
        vnis = a.vnis(),
        one = a.end(),
        floods => a.remotes_text(),
        other = b.end(),
        back => b.remotes_text(),
        command = TYPE_3,
        here = a.reading.router,
        there = b.reading.router
    )
}

/// Sentences on pairs of ends at two sites that carry the same network and are both configured by
/// EVPN, but do not flood to each other.
pub(super) fn strangers(scene: &Scene<'_>, one: &Site, other: &Site) -> Vec<Said> {
    let at = |site: &'_ Site| {
        let here = work::each(scene.ends.values()).filter(|view| view.reading.site == *site);
        here.filter(|view| is_bridged(view)).collect::<Vec<_>>()
    };
    let (here, there) = (at(one), at(other));
    let mut by_port: BTreeMap<Option<u16>, Vec<(usize, &VniSet)>> = BTreeMap::new();
    for (place, view) in work::each(there.iter().enumerate()) {
        by_port.entry(view.vxlan.port).or_default().push((place, view.vnis()));
    }
    let carriers: BTreeMap<_, _> =
        by_port.into_iter().map(|(port, devices)| (port, Carriers::of(devices))).collect();
    let of = |a: &EndView<'_>| {
        let carriers = carriers.get(&a.vxlan.port);
        carriers.map(|it| it.of_any(a.vnis()).collect::<BTreeSet<_>>()).unwrap_or_default()
    };
    let pairs = work::each(here).flat_map(|a| of(a).into_iter().map(move |place| (a, place)));
    let pairs = pairs.map(|(a, place)| (a, there[place]));
    let strange = pairs.filter(|(a, b)| !knows(scene, a, b) && !knows(scene, b, a));
    strange.take(MOST).map(|(a, b)| neither(a, b)).collect()
}

/// Whether an end configured by EVPN has LAN ports beside it. The device of an L3 VNI has none, and
/// floods to nobody.
pub(super) fn is_bridged(view: &EndView<'_>) -> bool {
    view.is_filled() && view.widest_port().is_some()
}

fn knows(scene: &Scene<'_>, a: &EndView<'_>, b: &EndView<'_>) -> bool {
    scene.points(&a.end(), &b.end())
}

/// The address that the router of `end` should flood to: the other device's own, else that of an
/// entry, else only the other router's name.
fn vtep(scene: &Scene<'_>, end: &TunnelEnd, other: &TunnelEnd) -> String {
    let lead = || {
        let leads = scene.ends.get(end)?.sends.leads.values().flatten();
        work::each(leads).copied().find(|lead| scene.known.owns(&other.router, *lead))
    };
    let local = scene.ends.get(other).and_then(|view| view.vxlan.local);
    let address: Option<IpAddr> = local.or_else(lead);
    address.map_or_else(|| other.router.to_string(), |address| format!("{address} ({})", other.router))
}
