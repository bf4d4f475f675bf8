//! What is different at an end that a router routes into, with no bridge beside it: alone, or in a VRF.
//!
//! Measured (6.18): for packets larger than the vxlan device's MTU the router itself answers "fragmentation needed" with
//! that MTU, so such an end is no black hole by being small. Of what the underlay carries it never tells: with `df unset`
//! larger packets travel as outer fragments, with `df set`, with `df inherit` where they have DF, and over an IPv6 underlay
//! they are dropped without a word. There a *smaller* MTU mends it, and a larger one makes a hole.

use crate::{
    model::{
        picture::{FixStep, TunnelEnd},
        types::Bytes,
    },
    overlay::{
        end_view::EndView,
        end_view::small_routed_text,
        pairing::Pair,
        scene::Scene,
        step::{raise, step},
        underlay::Underlay,
    },
    vendor::{Change, Vyos},
};

/// What a routed end has to do with a hole into which it sends.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) cause: Option<String>,
    pub(super) steps: Vec<FixStep>,
    /// The largest inner packet that gets through this end, if what it says explains the hole.
    pub(super) explained: Option<Bytes>,
}

/// Explains a hole by a routed end that sends towards `other`; `expected` is what the path needs, where that is tested.
pub(super) fn explain(
    scene: &Scene<'_>,
    view: &EndView<'_>,
    other: &TunnelEnd,
    expected: Option<Bytes>,
) -> Told {
    let (Some(mtu), end) = (view.link.mtu, view.end()) else { return Told::default() };
    let underlay = Underlay::towards(scene, view, other);
    if let Some(underlay) = underlay.as_ref().filter(|underlay| underlay.routed_drop(mtu).is_some()) {
        let inner = underlay.inner();
        let sentence = underlay.too_small(mtu).unwrap_or_default();
        return Told {
            cause: Some(format!(
                "{sentence}; it is routed, no bridge's port: with an mtu of {inner} {} itself signals larger packets",
                end.router
            )),
            steps: Vyos::MTUS
                .contains(&inner)
                .then(|| step(&end, Change::Mtu(inner)))
                .flatten()
                .into_iter()
                .collect(),
            explained: Some(inner),
        };
    }
    let Some(needed) = expected.filter(|expected| mtu < *expected) else { return Told::default() };
    let carried = underlay.is_some_and(|underlay| underlay.inner() >= needed);
    Told {
        cause: Some(format!(
            "{}, and no such answer arrives: look for what drops ICMP \"fragmentation needed\" on the way back",
            small_routed_text(&end, mtu, needed)
        )),
        steps: if carried { raise(view, needed) } else { Vec::new() },
        explained: Some(mtu),
    }
}

/// The largest MTU that the underlays of a tunnel's routed ends carry whole.
pub(super) fn limit(scene: &Scene<'_>, pair: &Pair) -> Option<Bytes> {
    let ends = [(&pair.0, &pair.1), (&pair.1, &pair.0)].into_iter();
    let routed =
        ends.filter_map(|(end, other)| Some((scene.ends.get(end).filter(|view| view.is_routed())?, other)));
    routed.filter_map(|(view, other)| Some(Underlay::towards(scene, view, other)?.inner())).min()
}
