//! The forwarding entries of a router, shared by all snapshots in which they are the same: a
//! router's entries are many and change rarely.

use std::{
    collections::HashMap,
    fmt,
    net::IpAddr,
    ops::{Deref, DerefMut},
    sync::{Arc, OnceLock},
};

use serde::{Serialize, Serializer};

use crate::{
    model::{snapshot::FdbEntry, types::InterfaceName},
    work,
};

/// Forwarding entries with an index, cheap to clone. Changing them makes a copy.
#[derive(Clone, Default)]
pub struct Fdb(Arc<IndexedEntries>);

#[derive(Default)]
struct IndexedEntries {
    entries: Vec<FdbEntry>,
    places: OnceLock<EntryPlaces>,
}

/// Positions of entries by the name of their interface.
#[derive(Default)]
struct EntryPlaces {
    entries: HashMap<String, Vec<usize>>,
    /// The first entry of each interface that ties a remote to an underlay device.
    vias: HashMap<String, HashMap<IpAddr, usize>>,
}

impl Fdb {
    /// The entries of an interface.
    pub(super) fn of_interface(&self, name: &str) -> impl Iterator<Item = &FdbEntry> {
        let places = self.places().entries.get(name).map(Vec::as_slice);
        work::each(places.unwrap_or_default()).filter_map(|place| self.get(*place))
    }

    /// The underlay device that an entry of an interface ties a remote to.
    pub(super) fn via(&self, name: &str, remote: IpAddr) -> Option<&InterfaceName> {
        work::step();
        self.get(*self.places().vias.get(name)?.get(&remote)?)?.via.as_ref()
    }

    fn places(&self) -> &EntryPlaces {
        self.0.places.get_or_init(|| EntryPlaces::of(&self.0.entries))
    }

    /// Whether both are the same entries in memory.
    #[cfg(test)]
    pub(crate) fn is_shared_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl EntryPlaces {
    fn of(fdb: &[FdbEntry]) -> Self {
        let mut places = Self::default();
        for (place, entry) in work::each(fdb.iter().enumerate()) {
            if let (Some(dst), Some(_)) = (entry.dst, &entry.via) {
                let vias = places.vias.entry(entry.interface.as_str().to_owned()).or_default();
                vias.entry(dst).or_insert(place);
            }
            match places.entries.get_mut(entry.interface.as_str()) {
                Some(entries) => entries.push(place),
                None => drop(places.entries.insert(entry.interface.as_str().to_owned(), vec![place])),
            }
        }
        places
    }
}

impl From<Vec<FdbEntry>> for Fdb {
    fn from(mut entries: Vec<FdbEntry>) -> Self {
        entries.shrink_to_fit();
        Self(Arc::new(IndexedEntries { entries, places: OnceLock::new() }))
    }
}

impl Clone for IndexedEntries {
    fn clone(&self) -> Self {
        Self { entries: self.entries.clone(), places: OnceLock::new() }
    }
}

impl Deref for Fdb {
    type Target = Vec<FdbEntry>;

    fn deref(&self) -> &Vec<FdbEntry> {
        &self.0.entries
    }
}

impl DerefMut for Fdb {
    fn deref_mut(&mut self) -> &mut Vec<FdbEntry> {
        let own = Arc::make_mut(&mut self.0);
        own.places = OnceLock::new();
        &mut own.entries
    }
}

impl PartialEq for Fdb {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.entries == other.0.entries
    }
}

impl fmt::Debug for Fdb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.entries.fmt(f)
    }
}

impl Serialize for Fdb {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.entries.serialize(to)
    }
}
