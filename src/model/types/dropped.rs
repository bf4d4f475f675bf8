//! What of a router's words is left out of a reading, and how that is said.

use std::fmt;

use serde::Serialize;

use super::label_values;

label_values!(
    /// What of a router's words is left out, because it is beyond a bound or cannot be.
    DroppedKind {
        /// An interface beyond `max_interfaces`.
        Interface => "interface",
        /// A forwarding entry beyond `max_fdb_entries`.
        FdbEntry => "fdb_entry",
        /// A forwarding entry whose remote is one of too many.
        Remote => "remote",
        /// A VNI of a filter that is one of too many.
        Vni => "vni",
        /// An address of an interface that is one of too many.
        Address => "address",
        /// A value of JSON beyond what is read at once.
        Value => "value",
        /// An interface with a name that none can have.
        Name => "name",
        /// An interface or an entry, none of vxlan, that cannot be understood.
        Unreadable => "unreadable",
        /// The list of forwarding entries.
        Fdb => "fdb",
        /// The list of VNI filters.
        VniFilters => "vni_filters",
        /// The answer to the question for a route.
        Route => "route",
    }
);

impl DroppedKind {
    /// Whether it is more than is let in, or cannot be; else it could only not be understood.
    #[must_use]
    pub const fn is_excess(self) -> bool {
        !matches!(self, Self::Unreadable | Self::Fdb | Self::VniFilters | Self::Route)
    }

    /// One of these, in words.
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

    /// Several of these.
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

    /// The key of the configuration that bounds it.
    #[must_use]
    pub const fn key(self) -> Option<&'static str> {
        match self {
            Self::Interface => Some("`max_interfaces`"),
            Self::FdbEntry => Some("`max_fdb_entries`"),
            _ => None,
        }
    }
}
