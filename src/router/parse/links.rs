//! What one output says of a router's interfaces, whatever its format: the neutral form that a snapshot is made of.

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
    /// Each interface once; of two blocks of one name the later.
    pub read: Vec<ReadLink>,
    /// Those whose block was cut short; what was read of it stands in `read`, the rest is absent.
    pub incomplete: Vec<InterfaceName>,
    /// How many were left out, because no interface can have their names.
    pub left_out: u64,
}

/// Takes interfaces one after the other, of two of one name the later.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    links: Vec<ReadLink>,
    places: HashMap<InterfaceName, usize>,
    incomplete: BTreeMap<usize, u64>,
    puts: u64,
    /// How many were left out, because no interface can have their names.
    pub(super) left_out: u64,
}

/// An interface as an output tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadLink {
    /// The interface. `vxlan` is absent where the format does not tell it (VyOS's op-mode never does), and so is a
    /// counter that cannot be believed.
    pub link: Link,
    /// A number was printed for a counter that cannot be believed.
    pub suspicious: bool,
    /// When the counters were last cleared, in seconds since 1970; 0 is never. Only JSON tells it.
    pub last_clear_unix: Option<u64>,
    /// The same as VyOS's text words it, in the router's own time zone.
    pub last_clear: Option<Text>,
}

impl Gathered {
    /// Adds an interface, in place of an earlier one of that name.
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

    /// All of them.
    pub(super) fn into_links(self) -> Links {
        let mut incomplete: Vec<_> = self.incomplete.into_iter().map(|(place, put)| (put, place)).collect();
        incomplete.sort_unstable();
        let name = |(_, place): (u64, usize)| self.links[place].link.name.clone();
        let incomplete = incomplete.into_iter().map(name).collect();
        Links { incomplete, read: self.links, left_out: self.left_out }
    }
}

impl Links {
    /// The interfaces with counters only where those are the kernel's own.
    #[must_use]
    pub fn into_kernel(self) -> Vec<Link> {
        bounds::leave_out(DroppedKind::Name, self.left_out);
        self.read.into_iter().map(ReadLink::into_kernel).collect()
    }
}

impl ReadLink {
    /// The counters count from a `clear interfaces counters`, not from the making of the device.
    #[must_use]
    pub fn since_clear(&self) -> bool {
        self.last_clear.is_some() || self.last_clear_unix.is_some_and(|time| time != 0)
    }

    /// The interface, without the counters where they count from a clear: as kernel counters they would be wrong.
    #[must_use]
    pub fn into_kernel(self) -> Link {
        let counters = if self.since_clear() { Counters::default() } else { self.link.counters };
        Link { counters, ..self.link }
    }
}
