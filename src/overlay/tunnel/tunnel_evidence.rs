//! The picture of one tunnel: its evidence, its small ends, its loss, how it was paired.

use std::collections::BTreeMap;

use super::PairFindings;
use crate::{
    language::{Between, Said, say},
    model::{
        picture::{FixStep, Tunnel, TunnelEnd, TunnelLoss},
        types::{MismatchField, RouterName, TunnelState},
    },
    overlay::{
        end_view::EndView,
        fix::Fixer,
        legs, liveness,
        loss::CounterHistory,
        pairing::{EndPair, UnpairedEnd},
        passive::Passive,
        scene::Scene,
        step::enable,
        underlay::Underlay,
    },
    text::listed,
    work,
};

/// A sentence lists at most this many ends or routes.
const LISTED: usize = 8;

/// The ends of a tunnel that drop large frames silently; the rule of `VxlanMtuBelowBridgePort`.
#[derive(Default)]
pub(super) struct Small {
    ends: Vec<Said>,
    steps: Vec<FixStep>,
}

impl Small {
    /// Empty if the tunnel is dead anyway.
    pub(super) fn of(fixer: &Fixer<'_, '_>, pair: &EndPair, facts: &PairFindings) -> Self {
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
    /// Adds the ends that drop large frames, and the steps that mend them. If the MTUs of the ends
    /// differ too, the fix of that mismatch already raises both.
    pub(super) fn with(mut self, small: Small, fixer: &Fixer<'_, '_>) -> Self {
        self.small_ends = small.ends;
        if !self.mismatches.contains_key(&MismatchField::Mtu) {
            self.fix.extend(small.steps);
            self.fix = fixer.order(self.fix);
        }
        self
    }
}

/// A tunnel with two known ends.
pub(super) fn paired(
    scene: &Scene<'_>,
    pair: &EndPair,
    facts: PairFindings,
    fixer: &Fixer<'_, '_>,
    ledger: &CounterHistory,
) -> Tunnel {
    let PairFindings { declared, mismatches, life, mending, claims } = facts;
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
    evidence.extend(claims.said);
    let (legs, measured) = legs::of_tunnel(scene, pair);
    evidence.extend(measured);
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
        legs,
        flows: claims.flows,
        fix: mending.steps,
        transitions_up: 0,
        transitions_down: 0,
    }
}

/// Sentences on routes to remotes that carry less than the end accepts; if there are many, the
/// first ones.
fn small_underlays(view: &EndView<'_>) -> Vec<Said> {
    let said = view.sends.small_underlays.get_or_init(|| {
        let underlays = work::each(view.remotes.iter()).filter_map(|remote| Underlay::of(view, *remote));
        underlays.filter_map(|underlay| underlay.too_small(view.link.mtu?)).take(LISTED).collect()
    });
    said.clone()
}

/// The loss in each direction, and a sentence on each. Empty if an end has no present reading,
/// which is reported elsewhere.
fn losses(scene: &Scene<'_>, pair: &EndPair, ledger: &CounterHistory) -> (Vec<TunnelLoss>, Vec<Said>) {
    let (mut losses, mut said) = (Vec::new(), Vec::new());
    if !(scene.ends.contains_key(&pair.0) && scene.ends.contains_key(&pair.1)) {
        return (losses, said);
    }
    for (from, to) in [(&pair.0, &pair.1), (&pair.1, &pair.0)] {
        match ledger.loss(scene, from, to) {
            Ok((loss, words)) => {
                said.push(say!("lost from {from} to {to}: {words}", from, to, words => words));
                losses.push(loss);
            }
            Err(why) => said.push(say!("lost from {from} to {to}: not known, {why}", from, to, why => why)),
        }
    }
    (losses, said)
}

/// Why these two ends belong together, from the present readings.
fn how(scene: &Scene<'_>, pair: &EndPair, declared: bool) -> Said {
    let sends = |end: &TunnelEnd, other: &TunnelEnd| {
        let remote = scene.remote_to(end, &other.router)?;
        Some(say!("{end} sends to {remote}, an address of {router}", end, remote, router = other.router))
    };
    let group =
        scene.shared_group(&pair.0, &pair.1).map(|group| say!("both are in the group {group}", group));
    let said = [sends(&pair.0, &pair.1), sends(&pair.1, &pair.0), group];
    let said: Vec<_> = said.into_iter().flatten().collect();
    match (said.is_empty(), declared) {
        (false, _) => say!("paired: {why}", why => Said::joined(said, Between::Semicolon)),
        (true, true) => say!("paired: declared under `tunnels`"),
        (true, false) => say!("paired: both ends were seen together before"),
    }
}

/// A tunnel with one known end.
pub(super) fn lone(fixer: &Fixer<'_, '_>, single: &UnpairedEnd, passive: &Passive<'_, '_>) -> Tunnel {
    let UnpairedEnd { end, remote, candidates } = single;
    let scene = fixer.scene;
    let view = scene.ends.get(end);
    let life = view.map(liveness::judge_half).unwrap_or_default();
    let mut evidence = life.signs;
    if candidates.is_empty() {
        evidence.push(unmatched(scene, single));
    } else {
        evidence.push(say!(
            "several ends fit {end} to {remote} equally well: {ends}; declare the right pair under `tunnels`",
            end,
            remote,
            ends => listed(candidates.iter())
        ));
    }
    let claims = passive.of_single(end);
    evidence.extend(claims.said);
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
        legs: Vec::new(),
        flows: claims.flows,
        fix: view.and_then(enable).into_iter().collect(),
        transitions_up: 0,
        transitions_down: 0,
    };
    tunnel.with(small.unwrap_or_default(), fixer)
}

fn unmatched(scene: &Scene<'_>, single: &UnpairedEnd) -> Said {
    let UnpairedEnd { end, remote, .. } = single;
    let owners: Vec<_> = scene.known.owners(*remote).collect();
    if owners.contains(&&end.router) {
        return say!("{end} sends to {remote}, which is its own router's address", end, remote);
    }
    if owners.is_empty() {
        let unread: Vec<_> = scene.readings.keys().filter_map(|router| scene.not_read(router)).collect();
        if unread.is_empty() {
            return say!(
                "{end} sends to {remote}, which is not an address of any router that was read: add that router, or \
                 this address to its `addresses`, to see the other end",
                end,
                remote
            );
        }
        return say!(
            "{end} sends to {remote}, which is not an address of any router that was read; {unread}",
            end,
            remote,
            unread => Said::joined(unread, Between::Semicolon)
        );
    }
    misfits(scene, single, &owners)
}

/// The ends of the routers that own the remote, none of which fits.
fn misfits(scene: &Scene<'_>, single: &UnpairedEnd, owners: &[&RouterName]) -> Said {
    let UnpairedEnd { end, remote, .. } = single;
    let others: usize = owners.iter().map(|owner| scene.ends_of(owner).len()).sum();
    let ends = owners.iter().flat_map(|owner| scene.ends_of(owner)).filter_map(|end| scene.ends.get(end));
    let mut fit_not: Vec<_> = work::each(ends.take(LISTED))
        .map(|view| {
            let vnis = if view.vnis().is_empty() { "-".to_owned() } else { view.vnis().to_string() };
            say!(
                "{end} (vni {vnis}, remote {remotes})",
                end = view.end(),
                vnis,
                remotes => view.remotes_text()
            )
        })
        .collect();
    if others > LISTED {
        fit_not.push(say!("and {more} more", more = others - LISTED));
    }
    let owners = owners.iter().map(|owner| owner.as_str()).collect::<Vec<_>>().join(", ");
    if others == 0 {
        return say!(
            "{end} sends to {remote} ({owners}), which shows no vxlan interface",
            end,
            remote,
            owners
        );
    }
    say!(
        "{end} sends to {remote} ({owners}), where no free end fits: {ends}",
        end,
        remote,
        owners,
        ends => Said::joined(fit_not, Between::Semicolon)
    )
}
