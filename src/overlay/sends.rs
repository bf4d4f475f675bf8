//! Where a vxlan device sends, from its settings and its forwarding entries, sorted once.

use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    rc::Rc,
};

use crate::{
    model::{
        snapshot::{Link, RouterSnapshot, Vxlan},
        types::{Mac, RouterName, Vni},
        vnis::VniSet,
    },
    overlay::known::Known,
    work,
};

/// Addresses by the VNI that an entry names, or by none.
type ByVni = BTreeMap<Option<Vni>, BTreeSet<IpAddr>>;

/// Where one device sends.
#[derive(Debug)]
pub(super) struct Sends<'a> {
    /// Its own remotes and those of its flood list.
    pub(super) remotes: Rc<BTreeSet<IpAddr>>,
    /// Those that are multicast groups.
    pub(super) groups: BTreeSet<IpAddr>,
    /// The routers that own a remote, with the first of their addresses among the remotes.
    pub(super) routers: BTreeMap<&'a RouterName, IpAddr>,
    /// The router has found a route to one of the remotes; a group needs none.
    pub(super) has_route: bool,
    /// A routing daemon has put entries there.
    pub(super) extern_learn: bool,
    /// The VNIs it carries.
    pub(super) vnis: VniSet,
    /// The VNIs that its flood list names, by the router they lead to.
    pub(super) flooded: BTreeMap<&'a RouterName, VniSet>,
    /// Where its entries lead, of every kind.
    pub(super) leads: ByVni,
    /// Sentences on routes to remotes that carry less than the device takes, once they were asked for.
    pub(super) small_underlays: OnceCell<Vec<String>>,
    /// Own remotes, of no VNI in particular.
    own: BTreeSet<IpAddr>,
    /// The flood list.
    flood: ByVni,
    /// Where entries lead that name no VNI, and no remote of the flood list without one does.
    astray: Vec<IpAddr>,
    /// Where any entry leads, and no remote does.
    all_astray: Vec<IpAddr>,
}

impl<'a> Sends<'a> {
    pub(super) fn new(known: &'a Known, snapshot: &RouterSnapshot, link: &Link, vxlan: &Vxlan) -> Self {
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

    /// The remotes of one network: those that are of all, and those of its own.
    pub(super) fn remotes_of(&self, vni: Vni) -> BTreeSet<IpAddr> {
        let flood = [None, Some(vni)].into_iter().filter_map(|vni| self.flood.get(&vni)).flatten();
        work::each(self.own.iter().chain(flood)).copied().collect()
    }

    /// Where entries lead, of one network or of all, without what is surely among the remotes of that network.
    pub(super) fn strays(&self, vni: Option<Vni>) -> impl Iterator<Item = IpAddr> {
        let (of_vni, of_none) = match vni {
            Some(_) => (self.leads.get(&vni), &self.astray),
            None => (None, &self.all_astray),
        };
        work::each(of_vni.into_iter().flatten().chain(of_none)).copied()
    }
}

/// The VNIs that are named for each router's addresses.
pub(super) fn by_router<'a>(known: &'a Known, entries: &ByVni) -> BTreeMap<&'a RouterName, VniSet> {
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
