//! Index of a snapshot by name, so that a look-up does not walk through the whole router.

use std::{collections::HashMap, fmt, sync::OnceLock};

use crate::{
    model::{
        snapshot::{Link, RouterSnapshot},
        types::{Bytes, LinkKind},
    },
    work,
};

/// Positions of links by name; forwarding entries have an index of their own. A cloned snapshot
/// builds its own index, so that the clone may be changed.
#[derive(Default)]
pub struct Index(OnceLock<Positions>);

#[derive(Default)]
struct Positions {
    links: HashMap<String, usize>,
    bridges: HashMap<String, Bridge>,
}

#[derive(Default)]
struct Bridge {
    members: Vec<usize>,
    widest: Option<usize>,
}

impl Index {
    fn places(&self, of: &RouterSnapshot) -> &Positions {
        self.0.get_or_init(|| Positions::of(of))
    }

    pub(super) fn link<'a>(&self, of: &'a RouterSnapshot, name: &str) -> Option<&'a Link> {
        work::step();
        of.links.get(*self.places(of).links.get(name)?)
    }

    pub(super) fn members<'a>(
        &'a self,
        of: &'a RouterSnapshot,
        bridge: &str,
    ) -> impl Iterator<Item = &'a Link> {
        let members = self.places(of).bridges.get(bridge).map(|bridge| bridge.members.as_slice());
        work::each(members.unwrap_or_default()).filter_map(|place| of.links.get(*place))
    }

    pub(super) fn widest_port<'a>(&self, of: &'a RouterSnapshot, bridge: &str) -> Option<(&'a Link, Bytes)> {
        work::step();
        let widest = of.links.get(self.places(of).bridges.get(bridge)?.widest?)?;
        Some((widest, widest.mtu?))
    }
}

/// Whether ports of this master may be bridge ports: a master can also be a VRF or a bond. A source
/// that does not tell the kind leaves that open, which counts as yes.
pub(super) fn may_be_bridge(master: Option<&Link>) -> bool {
    master.and_then(|master| master.kind).is_none_or(|kind| kind == LinkKind::Bridge)
}

impl Positions {
    fn of(snapshot: &RouterSnapshot) -> Self {
        let mut places = Self::default();
        for (place, link) in work::each(snapshot.links.iter().enumerate()) {
            // Of two links with the same name, the first one listed.
            places.links.entry(link.name.as_str().to_owned()).or_insert(place);
            if let Some(master) = link.master.as_deref() {
                places.bridges.entry(master.to_owned()).or_default().take(snapshot, place, link);
            }
        }
        let Self { links, bridges, .. } = &mut places;
        bridges.retain(|name, _| {
            let master = links.get(name).and_then(|place| snapshot.links.get(*place));
            may_be_bridge(master)
        });
        places
    }
}

impl Bridge {
    fn take(&mut self, snapshot: &RouterSnapshot, place: usize, link: &Link) {
        self.members.push(place);
        let widest = self.widest.and_then(|place| snapshot.links[place].mtu);
        if !link.is_vxlan() && link.mtu.is_some() && link.mtu >= widest {
            self.widest = Some(place);
        }
    }
}

impl Clone for Index {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// Indexes are equal by definition: they hold nothing that the snapshot does not.
impl PartialEq for Index {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Index")
    }
}
