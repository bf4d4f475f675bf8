//! What is left out of a reading, and how that is reported.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use super::label_values;
use crate::text::Sentence;

/// How much was left out, by kind.
pub type Dropped = BTreeMap<DroppedKind, u64>;

label_values!(
    /// What was left out of a reading: beyond a limit, or impossible.
    DroppedKind {
        /// An interface beyond `max_interfaces`.
        Interface => "interface",
        /// A forwarding entry beyond `max_fdb_entries`.
        FdbEntry => "fdb_entry",
        /// A forwarding entry whose remote exceeds the number of remotes kept.
        Remote => "remote",
        /// A VNI of a filter beyond the number kept.
        Vni => "vni",
        /// An address of an interface beyond the number kept.
        Address => "address",
        /// A JSON value beyond what is parsed at once.
        Value => "value",
        /// An interface whose name the kernel would not accept.
        Name => "name",
        /// An interface or entry that could not be understood; never a vxlan one.
        Unreadable => "unreadable",
        /// The whole list of forwarding entries.
        Fdb => "fdb",
        /// The whole list of VNI filters.
        VniFilters => "vni_filters",
        /// The answer to a route look-up.
        Route => "route",
    }
);

impl DroppedKind {
    /// Whether it was left out as beyond a limit or impossible, instead of not understood.
    #[must_use]
    pub const fn is_excess(self) -> bool {
        !matches!(self, Self::Unreadable | Self::Fdb | Self::VniFilters | Self::Route)
    }

    /// The noun for one of these.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Interface => "interface",
            Self::FdbEntry => "forwarding entry",
            Self::Remote => "forwarding entry to further remotes",
            Self::Vni => "range of VNIs",
            Self::Address => "address",
            Self::Value => "value",
            Self::Name => "interface with an impossible name",
            Self::Unreadable => "item that cannot be understood",
            Self::Fdb => "list of forwarding entries",
            Self::VniFilters => "list of VNI filters",
            Self::Route => "answer on a route",
        }
    }

    /// The noun for several of these.
    #[must_use]
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Interface => "interfaces",
            Self::FdbEntry => "forwarding entries",
            Self::Remote => "forwarding entries to further remotes",
            Self::Vni => "ranges of VNIs",
            Self::Address => "addresses",
            Self::Value => "values",
            Self::Name => "interfaces with impossible names",
            Self::Unreadable => "items that cannot be understood",
            Self::Fdb => "lists of forwarding entries",
            Self::VniFilters => "lists of VNI filters",
            Self::Route => "answers on routes",
        }
    }

    /// The configuration key of its limit.
    #[must_use]
    pub const fn key(self) -> Option<&'static str> {
        match self {
            Self::Interface => Some("`max_interfaces`"),
            Self::FdbEntry => Some("`max_fdb_entries`"),
            _ => None,
        }
    }
}

/// `49,000 interfaces and 7 addresses`
#[must_use]
pub(crate) fn in_words(dropped: &Dropped) -> String {
    let noun = |kind: &DroppedKind, number| if number == 1 { kind.noun() } else { kind.plural() };
    let words = dropped.iter().map(|(kind, number)| format!("{number} {}", noun(kind, *number)));
    words.collect::<Vec<_>>().join(", ")
}

/// What to do: the configuration key to raise, or where to look, with the reason why something was
/// not understood.
#[must_use]
pub(crate) fn remedy(dropped: &Dropped, why: Option<&Sentence>) -> String {
    let keys: Vec<_> = dropped.keys().filter_map(|kind| kind.key()).collect();
    let mut remedies = Vec::new();
    if !keys.is_empty() {
        remedies.push(format!("raise {} if the router really has so many", keys.join(" and ")));
    } else if dropped.keys().any(|kind| kind.is_excess()) {
        remedies.push("check what it prints: a router that works does not print so much".to_owned());
    }
    if dropped.keys().any(|kind| !kind.is_excess()) {
        let why = why.map_or_else(String::new, |why| format!("{why}; "));
        remedies.push(format!("{why}everything else is used; whether the left-out items exist is not known"));
    }
    remedies.join("; ")
}
