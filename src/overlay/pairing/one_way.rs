//! Pairs ends that send to a router whose ends do not send back.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
};

use super::{EndPair, NAMED, Pairer};
use crate::{
    model::{picture::TunnelEnd, types::RouterName},
    overlay::{end_view::EndView, evpn},
    work,
};

/// An end, one of its remotes, and an end at that remote that would fit.
pub(super) struct Suitor {
    end: TunnelEnd,
    remote: IpAddr,
    to: TunnelEnd,
}

/// Suitors that exclude each other, by what they compete for.
#[derive(Default)]
struct Rivals<'p> {
    of_end: BTreeMap<&'p TunnelEnd, BTreeSet<&'p TunnelEnd>>,
    of_remote: BTreeMap<(&'p TunnelEnd, IpAddr), BTreeSet<&'p TunnelEnd>>,
    to: BTreeMap<&'p TunnelEnd, BTreeSet<&'p TunnelEnd>>,
}

impl Pairer<'_, '_> {
    /// For each end that sends to a router whose ends do not send back: every free end there with
    /// the same VNIs and port. Computed before any pair is added, so that adding one does not
    /// affect the others.
    pub(super) fn suitors(&self) -> Vec<Suitor> {
        let alike = self.alike();
        let mut suitors = Vec::new();
        for (end, view) in &self.scene.ends {
            let Some(setting) = self.settings.get(end).filter(|_| !self.is_taken(end)) else { continue };
            // An end that EVPN configures may have lost its flood entry but still have MACs behind
            // that router.
            let by_macs = evpn::is_bridged(view);
            let leads = view.sends.leads.values().flatten().filter(|_| by_macs);
            let addresses: BTreeSet<_> = view.remotes.iter().chain(leads).collect();
            for remote in work::each(addresses) {
                let by_mac = !view.remotes.contains(remote);
                for owner in self.scene.known.owners(*remote) {
                    if *owner == end.router || self.found.reaches(end, owner) {
                        continue;
                    }
                    let others = alike.get(&(owner, *setting)).into_iter().flatten();
                    let bridged =
                        |other: &&&TunnelEnd| self.scene.ends.get(**other).is_some_and(evpn::is_bridged);
                    let fit = work::each(others)
                        .filter(|other| !self.scene.points(other, end))
                        .filter(|other| !by_mac || bridged(other));
                    let to = fit.map(|to| Suitor { end: end.clone(), remote: *remote, to: (*to).clone() });
                    suitors.extend(to);
                }
            }
        }
        suitors
    }

    /// The free ends of each router by setting. Two already make the choice ambiguous, so only the
    /// first few are kept.
    fn alike(&self) -> HashMap<(&RouterName, usize), Vec<&TunnelEnd>> {
        let mut alike: HashMap<_, Vec<_>> = HashMap::new();
        for end in work::each(self.scene.ends.keys()).filter(|end| !self.is_taken(end)) {
            let Some(setting) = self.settings.get(end) else { continue };
            let known = alike.entry((&end.router, *setting)).or_default();
            if known.len() < NAMED {
                known.push(end);
            }
        }
        alike
    }

    pub(super) fn one_way(&mut self, suitors: &[Suitor]) {
        let rivals = Rivals::of(suitors);
        for suitor in work::each(suitors) {
            let Suitor { end, to, .. } = suitor;
            let filled = |end: &TunnelEnd| self.scene.ends.get(end).is_some_and(EndView::is_filled);
            if rivals.has(suitor, |end| self.sends_once(end), filled) {
                self.candidates.entry(end.clone()).or_default().insert(to.clone());
            } else if !self.found.join(end, to) {
                self.found.insert(EndPair::new(end.clone(), to.clone()));
            }
        }
    }
}

impl<'p> Rivals<'p> {
    fn of(suitors: &'p [Suitor]) -> Self {
        let mut rivals = Self::default();
        for Suitor { end, remote, to } in work::each(suitors) {
            rivals.of_end.entry(end).or_default().insert(to);
            rivals.of_remote.entry((end, *remote)).or_default().insert(to);
            rivals.to.entry(to).or_default().insert(end);
        }
        rivals
    }

    /// Whether another suitor competes for the same end or remote. An end that EVPN configures can
    /// have any number of partners.
    fn has(
        &self,
        Suitor { end, remote, to }: &Suitor,
        sends_once: impl Fn(&TunnelEnd) -> bool,
        is_filled: impl Fn(&TunnelEnd) -> bool,
    ) -> bool {
        beside(self.of_remote.get(&(end, *remote)), to)
            || (!is_filled(to) && beside(self.to.get(to), end))
            || (sends_once(to) && beside(self.of_end.get(to), end))
            || (sends_once(end) && beside(self.to.get(end), to))
    }
}

/// Whether the set contains anything other than `one`.
fn beside(all: Option<&BTreeSet<&TunnelEnd>>, one: &TunnelEnd) -> bool {
    all.is_some_and(|all| all.len() > usize::from(all.contains(one)))
}
