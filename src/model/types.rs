//! The nouns of the overlay as types, so that a site cannot be passed where a router is meant.
//!
//! A Prometheus label is made from these types' `as_str`/`Display` and nowhere else. All sizes are
//! bytes of **IP packet** (header included, Ethernet excluded), the unit of an interface MTU.

pub(crate) mod dropped;
mod exporter;
mod interface;
mod path;
mod router;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, Serializer};

pub use dropped::{Dropped, DroppedKind};
pub use exporter::{Capability, LoginRefusal, SandboxLayer, Task, TurnedAway};
pub use interface::{DfPolicy, FdbState, InterfaceName, LinkKind, Mac, OperState};
pub use path::{
    BlackholeReason, Direction, ProbeProtocol, ProbeResult, ProbeSize, ReflectorUse, SendError, SizeMethod,
    TcpState, UnknownReason, Verdict,
};
pub use router::{FailureReason, FdbKind, Method, MismatchField, TransitionState, TunnelState};

/// A size in bytes of IP packet.
pub type Bytes = u32;

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The name as written in the configuration, which refuses control characters in names.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(value: &str) -> Self {
                Self(value.to_owned())
            }
        }
    };
}

name_type!(
    /// A place with one or more routers, e.g. `dc`, `site-a`.
    Site
);
name_type!(
    /// A router as named in the configuration.
    RouterName
);
name_type!(
    /// A path as named in the configuration.
    PathName
);

/// Where paths start: our site, and which of its nodes probes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// The site.
    pub site: Site,
    /// The node; `None` where the site alone identifies the exporter.
    pub node: Option<String>,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.node {
            Some(node) => write!(f, "{}/{node}", self.site),
            None => self.site.fmt(f),
        }
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl From<&str> for Source {
    fn from(site: &str) -> Self {
        Self { site: Site::from(site), node: None }
    }
}

/// A VXLAN network identifier, 24 bits (RFC 7348 section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32")]
pub struct Vni(pub u32);

impl Vni {
    /// The largest VNI.
    pub const MAX: u32 = 0x00ff_ffff;
}

impl TryFrom<u32> for Vni {
    type Error = String;

    fn try_from(number: u32) -> Result<Self, String> {
        if number <= Self::MAX {
            Ok(Self(number))
        } else {
            Err(format!("a VNI has 24 bits, {number} has more"))
        }
    }
}

impl FromStr for Vni {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse::<u32>().map_err(|error| error.to_string())?.try_into()
    }
}

impl fmt::Display for Vni {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Declares an enum with one word per value: the values of a Prometheus label.
macro_rules! label_values {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident => $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// Every value, in declaration order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The value of the label.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}
use label_values;
