//! Settings that differ between the two ends of a tunnel.
//!
//! A value that one end does not tell (`external` devices have no VNI, old iproute2 no `df`) is not
//! a mismatch. Measured: ends with different VNIs both count transmitted packets, receive none, and
//! raise no error counter, so these sentences are the only sign that router data ever gives.

use std::{collections::BTreeMap, fmt::Display};

use crate::{
    language::{Between, Said, say},
    model::{picture::TunnelEnd, types::MismatchField},
    overlay::{end_view::EndView, evpn, pairing::EndPair, scene::Scene},
    work,
};

/// Each mismatch with a sentence that names both values. Empty if an end has no present reading.
pub(super) fn mismatches(scene: &Scene<'_>, pair: &EndPair, declared: bool) -> BTreeMap<MismatchField, Said> {
    let mut found = BTreeMap::new();
    let (Some(a), Some(b)) = (scene.ends.get(&pair.0), scene.ends.get(&pair.1)) else { return found };
    let mut note = |field, sentence: Option<Said>| {
        if let Some(sentence) = sentence {
            found.insert(field, sentence);
        }
    };
    note(MismatchField::Vni, vnis_differ(scene, pair, a, b));
    note(MismatchField::Port, differ(pair, MismatchField::Port, a.vxlan.port, b.vxlan.port));
    note(MismatchField::Mtu, differ(pair, MismatchField::Mtu, a.link.mtu, b.link.mtu));
    note(MismatchField::Df, differ(pair, MismatchField::Df, a.vxlan.df, b.vxlan.df));
    note(MismatchField::Remote, remotes_astray(scene, pair, a, b, declared));
    found
}

fn remotes_astray(
    scene: &Scene<'_>,
    pair: &EndPair,
    a: &EndView<'_>,
    b: &EndView<'_>,
    declared: bool,
) -> Option<Said> {
    let ends = [(&pair.0, a, &pair.1), (&pair.1, b, &pair.0)].into_iter();
    let astray: Vec<_> = ends.filter(|(end, _, other)| remote_astray(scene, end, other, declared)).collect();
    if astray.len() == 2 && a.is_filled() && b.is_filled() {
        return Some(evpn::neither(a, b));
    }
    let said: Vec<_> =
        astray.into_iter().map(|(end, view, other)| remote_sentence(scene, end, view, other)).collect();
    (!said.is_empty()).then(|| Said::joined(said, Between::Semicolon))
}

fn differ<T: PartialEq + Display>(
    pair: &EndPair,
    what: MismatchField,
    a: Option<T>,
    b: Option<T>,
) -> Option<Said> {
    let (a, b) = (a?, b?);
    (a != b).then(|| said(pair, what, &a, &b))
}

fn said(pair: &EndPair, what: MismatchField, a: &dyn Display, b: &dyn Display) -> Said {
    let EndPair(one, other) = pair;
    say!("{what} differs: {one} has {a}, {other} has {b}", what => what.said(), one, a, other, b)
}

/// The sentence on differing VNIs. A device that carries many networks must carry the VNI of the
/// other end; two such devices must flood the same VNIs to each other.
fn vnis_differ(scene: &Scene<'_>, pair: &EndPair, a: &EndView<'_>, b: &EndView<'_>) -> Option<Said> {
    let (at_a, at_b, agree) = if a.is_shared() && b.is_shared() {
        let (at_a, at_b) = (scene.vnis_to(&pair.0, &pair.1.router), scene.vnis_to(&pair.1, &pair.0.router));
        (at_a, at_b, at_a == at_b)
    } else {
        let (at_a, at_b) = (a.vnis(), b.vnis());
        let carried = a.is_shared() && at_a.is_superset(at_b) || b.is_shared() && at_b.is_superset(at_a);
        let agree = carried || at_a == at_b;
        (at_a, at_b, agree)
    };
    let told = !at_a.is_empty() && !at_b.is_empty();
    (told && !agree).then(|| said(pair, MismatchField::Vni, at_a, at_b))
}

/// Whether `end` sends to somewhere other than the router of `other`. A pair declared by hand is
/// believed (its addresses may be behind NAT) unless the remote is an address of a third router. So
/// is a pair with a router whose addresses are not known.
pub(super) fn remote_astray(scene: &Scene<'_>, end: &TunnelEnd, other: &TunnelEnd, declared: bool) -> bool {
    if scene.points(end, other) {
        return false;
    }
    let third =
        |view: &EndView<'_>| work::each(view.sends.routers.keys()).any(|owner| **owner != other.router);
    let elsewhere = !declared && scene.known.tells_addresses(&other.router);
    elsewhere || scene.ends.get(end).is_some_and(third)
}

fn remote_sentence(scene: &Scene<'_>, end: &TunnelEnd, view: &EndView<'_>, other: &TunnelEnd) -> Said {
    if view.is_filled() {
        evpn::missing(scene, end, other)
    } else if view.remotes.is_empty() {
        say!("{end} has no remote, {other} sends to it", end, other)
    } else {
        say!(
            "{end} has remote {remotes}, which is not an address of {router}",
            end,
            remotes => view.remotes_text(),
            router = other.router
        )
    }
}
