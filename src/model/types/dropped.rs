//! What is left out of a reading, and how that is reported.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use super::label_values;
use crate::{
    language::{Between, Said, say},
    text::Sentence,
};

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

    /// So many of these.
    fn counted(self, number: u64) -> Said {
        if number == 1 {
            return match self {
                Self::Interface => say!("1 interface"),
                Self::FdbEntry => say!("1 forwarding entry"),
                Self::Remote => say!("1 forwarding entry to further remotes"),
                Self::Vni => say!("1 range of VNIs"),
                Self::Address => say!("1 address"),
                Self::Value => say!("1 value"),
                Self::Name => say!("1 interface with an impossible name"),
                Self::Unreadable => say!("1 item that cannot be understood"),
                Self::Fdb => say!("1 list of forwarding entries"),
                Self::VniFilters => say!("1 list of VNI filters"),
                Self::Route => say!("1 answer on a route"),
            };
        }
        match self {
            Self::Interface => say!("{number} interfaces", number),
            Self::FdbEntry => say!("{number} forwarding entries", number),
            Self::Remote => say!("{number} forwarding entries to further remotes", number),
            Self::Vni => say!("{number} ranges of VNIs", number),
            Self::Address => say!("{number} addresses", number),
            Self::Value => say!("{number} values", number),
            Self::Name => say!("{number} interfaces with impossible names", number),
            Self::Unreadable => say!("{number} items that cannot be understood", number),
            Self::Fdb => say!("{number} lists of forwarding entries", number),
            Self::VniFilters => say!("{number} lists of VNI filters", number),
            Self::Route => say!("{number} answers on routes", number),
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
pub(crate) fn said(dropped: &Dropped) -> Said {
    Said::joined(dropped.iter().map(|(kind, number)| kind.counted(*number)), Between::Comma)
}

/// What to do: the configuration key to raise, or where to look, with the reason why something was
/// not understood.
#[must_use]
pub(crate) fn remedy(dropped: &Dropped, why: Option<&Sentence>) -> Said {
    let keys: Vec<_> = dropped.keys().filter_map(|kind| kind.key()).map(Said::verbatim).collect();
    let mut remedies = Vec::new();
    if !keys.is_empty() {
        remedies.push(say!(
            "raise {keys} if the router really has so many",
            keys => Said::joined(keys, Between::And)
        ));
    } else if dropped.keys().any(|kind| kind.is_excess()) {
        remedies.push(say!("check what it prints: a router that works does not print so much"));
    }
    if dropped.keys().any(|kind| !kind.is_excess()) {
        remedies.extend(why.map(|why| Said::verbatim(why.to_string())));
        remedies.push(say!("everything else is used; whether the left-out items exist is not known"));
    }
    Said::joined(remedies, Between::Semicolon)
}
