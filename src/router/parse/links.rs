//! The interfaces in one output, whatever its format: the common form that snapshots are made from.

use std::collections::{BTreeMap, HashMap};

use crate::{
    model::{
        snapshot::{Counters, Link},
        types::{DroppedKind, InterfaceName},
    },
    router::bounds,
    text::Text,
    work,
};

/// The interfaces of one output, in its order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Links {
    /// Each interface once; of two blocks with the same name, the later one.
    pub read: Vec<ReadLink>,
    /// Interfaces whose block was cut short; `read` holds what was read of them, the rest is
    /// absent.
    pub incomplete: Vec<InterfaceName>,
    /// How many were left out because of an impossible name.
    pub left_out: u64,
}

/// Collects interfaces; of two with the same name, the later one is kept.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    links: Vec<ReadLink>,
    places: HashMap<InterfaceName, usize>,
    incomplete: BTreeMap<usize, u64>,
    puts: u64,
    /// How many were left out because of an impossible name.
    pub(super) left_out: u64,
}

/// An interface as read from an output.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadLink {
    /// The interface. `vxlan` is absent if the format does not show it (VyOS's op-mode never does);
    /// counters that cannot be believed are absent too.
    pub link: Link,
    /// Whether a number was printed for a counter that cannot be believed.
    pub suspicious: bool,
    /// When the counters were last cleared, in seconds since 1970; 0 means never. Only JSON shows
    /// it.
    pub last_clear_unix: Option<u64>,
    /// When the counters were last cleared, in the words of VyOS's text and the router's own time
    /// zone.
    pub last_clear: Option<Text>,
}

impl Gathered {
    /// Adds an interface, replacing an earlier one with the same name.
    pub(super) fn put(&mut self, read: ReadLink, complete: bool) {
        work::step();
        let next = self.links.len();
        let is_new = !self.places.contains_key(&read.link.name);
        if is_new && !bounds::admits(DroppedKind::Interface, next, bounds::limits().max_interfaces) {
            return;
        }
        let place = *self.places.entry(read.link.name.clone()).or_insert(next);
        match self.links.get_mut(place) {
            Some(known) => *known = read,
            None => self.links.push(read),
        }
        self.puts += 1;
        if complete {
            self.incomplete.remove(&place);
        } else {
            self.incomplete.insert(place, self.puts);
        }
    }

    /// All interfaces collected.
    pub(super) fn into_links(self) -> Links {
        let mut incomplete: Vec<_> = self.incomplete.into_iter().map(|(place, put)| (put, place)).collect();
        incomplete.sort_unstable();
        let name = |(_, place): (u64, usize)| self.links[place].link.name.clone();
        let incomplete = incomplete.into_iter().map(name).collect();
        Links { incomplete, read: self.links, left_out: self.left_out }
    }
}

impl Links {
    /// The interfaces, with counters only if these are the kernel's own.
    #[must_use]
    pub fn into_kernel(self) -> Vec<Link> {
        bounds::leave_out(DroppedKind::Name, self.left_out);
        self.read.into_iter().map(ReadLink::into_kernel).collect()
    }
}

impl ReadLink {
    /// Whether the counters start at a `clear interfaces counters` instead of the creation of the
    /// device.
    #[must_use]
    pub fn since_clear(&self) -> bool {
        self.last_clear.is_some() || self.last_clear_unix.is_some_and(|time| time != 0)
    }

    /// The interface, without counters if they start at a clear: as kernel counters they would be
    /// wrong.
    #[must_use]
    pub(crate) fn into_kernel(self) -> Link {
        let counters = if self.since_clear() { Counters::default() } else { self.link.counters };
        Link { counters, ..self.link }
    }
}
