//! What `/probe` may be asked, by the configuration.

use std::{collections::BTreeMap, time::Duration};

use pnet::ipnetwork::IpNetwork;

use super::{family::Family, types::Bytes};

/// The targets and the modules of `/probe`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OnDemandPlan {
    /// Nothing else is probed.
    pub allowed_targets: Vec<AllowedTarget>,
    /// Whether the networks of our own interfaces that contain an allowed address are allowed too:
    /// those of the configured paths, where nothing was said.
    pub and_networks_around: bool,
    /// Most probes at the same time.
    pub at_once: usize,
    /// By name, those built in too.
    pub modules: BTreeMap<String, ModulePlan>,
}

/// A target that may be probed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedTarget {
    /// Every address of a network.
    Network(IpNetwork),
    /// A DNS name, whatever its address, in lower case.
    Name(String),
}

/// How a target is probed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModulePlan {
    /// What is sent.
    pub prober: Prober,
    /// Deadline, if Prometheus gives no shorter one.
    pub timeout: Duration,
    /// IP version of a name; IPv4 before IPv6 if not given.
    pub family: Option<Family>,
    /// The MTU the path should have, for [`Prober::PathMtu`].
    pub expected_mtu: Option<Bytes>,
}

/// What a module sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prober {
    /// Small echoes until one is answered.
    Icmp,
    /// One TCP connection.
    Tcp,
    /// What the command `probe` sends.
    PathMtu,
}

impl Prober {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Icmp, Self::Tcp, Self::PathMtu];

    /// The word in the configuration, which is also the name of the built-in module.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Icmp => "icmp",
            Self::Tcp => "tcp",
            Self::PathMtu => "path_mtu",
        }
    }

    /// The module of that name that is built in.
    #[must_use]
    pub const fn built_in(self) -> ModulePlan {
        let seconds = match self {
            Self::Icmp | Self::Tcp => 5,
            // As long as a search of the command `probe` may take.
            Self::PathMtu => 40,
        };
        ModulePlan { prober: self, timeout: Duration::from_secs(seconds), family: None, expected_mtu: None }
    }
}
