//! Where a vxlan device sends to, from its settings and its forwarding entries, indexed once.

use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    rc::Rc,
};

use crate::{
    language::Said,
    model::{
        snapshot::{Link, RouterSnapshot, Vxlan},
        types::{Mac, RouterName, Vni},
        vnis::VniSet,
    },
    overlay::address_book::AddressBook,
    work,
};

/// Addresses by the VNI that an entry names, or by `None`.
type ByVni = BTreeMap<Option<Vni>, BTreeSet<IpAddr>>;

/// Where one device sends to.
#[derive(Debug)]
pub(super) struct Sends<'a> {
    /// Its own remotes and the remotes on its flood list.
    pub(super) remotes: Rc<BTreeSet<IpAddr>>,
    /// Remotes that are multicast groups.
    pub(super) groups: BTreeSet<IpAddr>,
    /// The routers that own a remote, each with the first of its addresses among the remotes.
    pub(super) routers: BTreeMap<&'a RouterName, IpAddr>,
    /// Whether the router has a route to one of the remotes; a multicast group needs none.
    pub(super) has_route: bool,
    /// Whether a routing daemon has set entries.
    pub(super) extern_learn: bool,
    /// The VNIs it carries.
    pub(super) vnis: VniSet,
    /// The VNIs that its flood list names, by the router that owns the remote.
    pub(super) flooded: BTreeMap<&'a RouterName, VniSet>,
    /// The addresses in all its entries, flooded or not.
    pub(super) leads: ByVni,
    /// Sentences on routes to remotes that carry less than the device accepts; computed at the
    /// first use.
    pub(super) small_underlays: OnceCell<Vec<Said>>,
    /// Remotes of the device itself, which apply to every VNI.
    own: BTreeSet<IpAddr>,
    /// The flood list, by VNI.
    flood: ByVni,
    /// Addresses in entries without a VNI that are neither own remotes nor on the flood list
    /// without a VNI.
    astray: Vec<IpAddr>,
    /// Addresses in any entry that are not among the remotes.
    all_astray: Vec<IpAddr>,
}

impl<'a> Sends<'a> {
    pub(super) fn new(known: &'a AddressBook, snapshot: &RouterSnapshot, link: &Link, vxlan: &Vxlan) -> Self {
        let unicast = |remote: &IpAddr| !remote.is_unspecified();
        let own: BTreeSet<_> =
            vxlan.remote.iter().chain(&vxlan.more_remotes).copied().filter(unicast).collect();
        let (mut flood, mut leads) = (ByVni::new(), ByVni::new());
        let mut extern_learn = false;
        for entry in snapshot.entries(link.name.as_str()) {
            extern_learn |= entry.extern_learn;
            let Some(dst) = entry.dst else { continue };
            leads.entry(entry.vni).or_default().insert(dst);
            if entry.mac == Mac::FLOOD && unicast(&dst) {
                flood.entry(entry.vni).or_default().insert(dst);
            }
        }
        let remotes: BTreeSet<_> = own.iter().chain(flood.values().flatten()).copied().collect();
        let of_no_vni = |map: &ByVni| map.get(&None).cloned().unwrap_or_default();
        let flooded_always = of_no_vni(&flood);
        let mut astray = of_no_vni(&leads);
        astray.retain(|remote| !own.contains(remote) && !flooded_always.contains(remote));
        let all_astray: BTreeSet<_> =
            leads.values().flatten().filter(|lead| !remotes.contains(lead)).copied().collect();
        let mut routers = BTreeMap::new();
        for remote in work::each(&remotes) {
            for owner in known.owners(*remote) {
                routers.entry(owner).or_insert(*remote);
            }
        }
        let reached = |to: &IpAddr| to.is_multicast() || snapshot.route(link, *to).is_some();
        let has_route = work::each(&remotes).any(reached);
        let own_vni = vxlan.vni.map(|vni| (vni.0, vni.0));
        Self {
            groups: remotes.iter().copied().filter(IpAddr::is_multicast).collect(),
            routers,
            has_route,
            extern_learn,
            vnis: VniSet::of_ranges(own_vni.into_iter().chain(vxlan.vnis.ranges())),
            flooded: by_router(known, &flood),
            all_astray: all_astray.into_iter().collect(),
            astray: astray.into_iter().collect(),
            remotes: Rc::new(remotes),
            small_underlays: OnceCell::new(),
            leads,
            own,
            flood,
        }
    }

    /// The remotes of one VNI: those that apply to every VNI, and its own.
    pub(super) fn remotes_of(&self, vni: Vni) -> BTreeSet<IpAddr> {
        let flood = [None, Some(vni)].into_iter().filter_map(|vni| self.flood.get(&vni)).flatten();
        work::each(self.own.iter().chain(flood)).copied().collect()
    }

    /// Addresses in entries of one VNI, or of all, except those that are certainly remotes of it.
    pub(super) fn strays(&self, vni: Option<Vni>) -> impl Iterator<Item = IpAddr> {
        let (of_vni, of_none) = match vni {
            Some(_) => (self.leads.get(&vni), &self.astray),
            None => (None, &self.all_astray),
        };
        work::each(of_vni.into_iter().flatten().chain(of_none)).copied()
    }
}

/// The VNIs named in entries, by the router that owns the entry's address.
pub(super) fn by_router<'a>(known: &'a AddressBook, entries: &ByVni) -> BTreeMap<&'a RouterName, VniSet> {
    let mut vnis: BTreeMap<&RouterName, Vec<Vni>> = BTreeMap::new();
    for (vni, remotes) in entries.iter().filter_map(|(vni, remotes)| Some((vni.as_ref()?, remotes))) {
        for remote in work::each(remotes) {
            for owner in known.owners(*remote) {
                vnis.entry(owner).or_default().push(*vni);
            }
        }
    }
    vnis.into_iter().map(|(router, vnis)| (router, vnis.into_iter().collect())).collect()
}
