//! Which ends send to a router, by UDP port and VNI.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use crate::{
    model::{picture::TunnelEnd, types::RouterName, vnis::VniSet},
    overlay::{address_book::AddressBook, carriers::Carriers, end_view::EndView, sends},
    work,
};

/// The ends that send to each router, by UDP port. Only the first two of each kind are kept, which
/// is enough to find one other than a given end.
#[derive(Debug)]
pub(super) struct Arrivals {
    ends: Vec<TunnelEnd>,
    at: BTreeMap<(RouterName, Option<u16>), At>,
}

#[derive(Debug)]
struct At {
    all: Vec<usize>,
    /// Ends without a known VNI: they may send any.
    of_no_vni: Vec<usize>,
    by_vni: Carriers<usize>,
}

#[derive(Default)]
struct SendersByVni<'s> {
    all: Vec<usize>,
    of_no_vni: Vec<usize>,
    by_vni: Vec<(usize, Cow<'s, VniSet>)>,
}

impl Arrivals {
    pub(super) fn new(ends: &BTreeMap<TunnelEnd, EndView<'_>>, known: &AddressBook) -> Self {
        let mut heard: BTreeMap<(&RouterName, Option<u16>), SendersByVni<'_>> = BTreeMap::new();
        for (place, (end, view)) in ends.iter().enumerate() {
            for router in work::each(view.sends.routers.keys()).filter(|router| ***router != end.router) {
                heard.entry((router, view.vxlan.port)).or_default().sender(place, view);
            }
            if view.is_shared() && !view.vnis().is_empty() {
                for (router, vnis) in entries_to(known, view) {
                    let heard = heard.entry((router, view.vxlan.port)).or_default();
                    heard.by_vni.push((place, Cow::Owned(vnis)));
                }
            }
        }
        let at = |heard: SendersByVni<'_>| At {
            all: heard.all,
            of_no_vni: heard.of_no_vni,
            by_vni: Carriers::of(heard.by_vni.iter().map(|(place, vnis)| (*place, vnis.as_ref()))),
        };
        Self {
            ends: ends.keys().cloned().collect(),
            at: heard
                .into_iter()
                .map(|((router, port), heard)| ((router.clone(), port), at(heard)))
                .collect(),
        }
    }

    /// An end other than `sender` that sends one of these VNIs to a router. An empty set of VNIs
    /// means any VNI.
    pub(super) fn other(
        &self,
        router: &RouterName,
        port: Option<u16>,
        vnis: &VniSet,
        sender: &TunnelEnd,
    ) -> Option<&TunnelEnd> {
        let at = self.at.get(&(router.clone(), port))?;
        let is_other = |place: &usize| self.ends[*place] != *sender;
        let first = if vnis.is_empty() {
            at.all.iter().copied().find(is_other)
        } else {
            let named = at.by_vni.of_any(vnis).filter(is_other).min();
            named.into_iter().chain(at.of_no_vni.iter().copied().find(is_other)).min()
        };
        first.map(|place| &self.ends[place])
    }
}

impl<'s> SendersByVni<'s> {
    fn sender(&mut self, place: usize, view: &'s EndView<'_>) {
        let put = |list: &mut Vec<usize>| {
            if list.len() < 2 {
                list.push(place);
            }
        };
        put(&mut self.all);
        if view.vnis().is_empty() {
            put(&mut self.of_no_vni);
        } else if !view.is_shared() {
            self.by_vni.push((place, Cow::Borrowed(view.vnis())));
        }
    }
}

/// The VNIs that a device with many networks has entries for, by the router they lead to.
fn entries_to<'a>(known: &'a AddressBook, view: &EndView<'a>) -> BTreeMap<&'a RouterName, VniSet> {
    let mut vnis = sends::by_router(known, &view.sends.leads);
    for named in vnis.values_mut() {
        *named = named.intersection(view.vnis());
    }
    let of_any = work::each(view.sends.leads.get(&None).into_iter().flatten());
    for router in of_any.flat_map(|remote| known.owners(*remote)).collect::<BTreeSet<_>>() {
        vnis.insert(router, view.vnis().clone());
    }
    vnis.remove(&view.reading.router);
    vnis
}
