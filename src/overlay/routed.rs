//! What is different at an end that a router routes into, without a bridge: one with no master, or
//! in a VRF.
//!
//! Measured (6.18): the router itself answers packets larger than the vxlan device's MTU with
//! "fragmentation needed" and that MTU, so such an end is not a black hole for being small. But it
//! never signals the MTU of the underlay. With `df unset` larger packets travel as outer fragments.
//! With `df set`, with `df inherit` if they have DF, and over an IPv6 underlay they are dropped
//! without a signal. There a *smaller* MTU mends it, and a larger one makes a hole.

use crate::{
    language::{Said, say},
    model::{
        picture::{FixStep, TunnelEnd},
        types::Bytes,
    },
    overlay::{
        end_view::EndView,
        end_view::small_routed_text,
        pairing::EndPair,
        scene::Scene,
        step::{raise, step},
        underlay::Underlay,
    },
    vendor::{Repair, Vyos},
};

/// How a routed end is involved in a hole that it sends into.
#[derive(Debug, Default)]
pub(super) struct RoutedExplanation {
    pub(super) cause: Option<Said>,
    pub(super) steps: Vec<FixStep>,
    /// The largest inner packet that gets through this end, in bytes, if the end explains the hole.
    pub(super) explained: Option<Bytes>,
}

/// Explains a hole by a routed end that sends to `other`; `expected` is the MTU that the path
/// needs, if that is tested.
pub(super) fn explain(
    scene: &Scene<'_>,
    view: &EndView<'_>,
    other: &TunnelEnd,
    expected: Option<Bytes>,
) -> RoutedExplanation {
    let (Some(mtu), end) = (view.link.mtu, view.end()) else { return RoutedExplanation::default() };
    let underlay = Underlay::towards(scene, view, other);
    if let Some(underlay) = underlay.as_ref().filter(|underlay| underlay.routed_drop(mtu).is_some()) {
        let inner = underlay.inner();
        let sentence = underlay.too_small(mtu).unwrap_or_else(Said::nothing);
        return RoutedExplanation {
            cause: Some(say!(
                "{sentence}; it is routed, not a bridge port: with mtu {inner}, {router} itself answers larger \
                 packets with \"fragmentation needed\"",
                sentence => sentence,
                inner,
                router = end.router
            )),
            steps: Vyos::MTUS
                .contains(&inner)
                .then(|| step(&end, Repair::Mtu(inner)))
                .flatten()
                .into_iter()
                .collect(),
            explained: Some(inner),
        };
    }
    let Some(needed) = expected.filter(|expected| mtu < *expected) else {
        return RoutedExplanation::default();
    };
    let carried = underlay.is_some_and(|underlay| underlay.inner() >= needed);
    RoutedExplanation {
        cause: Some(say!(
            "{sentence}, but no such answer arrives: check what drops ICMP \"fragmentation needed\" on the way \
             back",
            sentence => small_routed_text(&end, mtu, needed)
        )),
        steps: if carried { raise(view, needed) } else { Vec::new() },
        explained: Some(mtu),
    }
}

/// The largest MTU in bytes that the underlays of a tunnel's routed ends carry unfragmented.
pub(super) fn limit(scene: &Scene<'_>, pair: &EndPair) -> Option<Bytes> {
    let ends = [(&pair.0, &pair.1), (&pair.1, &pair.0)].into_iter();
    let routed =
        ends.filter_map(|(end, other)| Some((scene.ends.get(end).filter(|view| view.is_routed())?, other)));
    routed.filter_map(|(view, other)| Some(Underlay::towards(scene, view, other)?.inner())).min()
}
