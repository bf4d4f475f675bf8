//! The joined picture: tunnels from router data, paths with what they cross, cause and fix.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use crate::model::types::{InterfaceName, MismatchField, PathName, RouterName, TunnelState};

/// Tunnels and paths, joined. Made by [`crate::overlay::tunnel::Assessor::assess`].
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Overlay {
    /// All tunnels, in name order.
    pub tunnels: Vec<Tunnel>,
    /// For each path what router data adds to its judgement, in the order of the configuration.
    pub paths: Vec<PathPicture>,
}

/// One vxlan interface on one router; prints as `dc/vxlan01`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct TunnelEnd {
    /// The router.
    pub router: RouterName,
    /// Its vxlan interface.
    pub interface: InterfaceName,
}

impl fmt::Display for TunnelEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.router, self.interface)
    }
}

/// Two interfaces that belong together, or one whose other end is not known.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tunnel {
    /// `dc/vxlan01~site-a/vxlan01`, ends in name order, or `dc/vxlan02~10.10.20.254` for a half.
    pub name: String,
    /// How far the ends are known.
    pub state: TunnelState,
    /// One end (half, ambiguous) or two, in name order.
    pub ends: Vec<TunnelEnd>,
    /// Whether it carries traffic as far as router data tells; absent when an end was not read now.
    pub up: Option<bool>,
    /// Settings on which the ends disagree, each with a sentence that names both values.
    pub mismatches: BTreeMap<MismatchField, String>,
    /// Why it is (not) up, how it was paired: numbers a person can check.
    pub evidence: Vec<String>,
    /// Ends whose bridge drops frames larger than the vxlan device takes, without a signal, where no path over the
    /// tunnel proves that this does no harm, or what harm it does.
    pub small_ends: Vec<String>,
    /// What is lost in each direction; none where the counters do not tell.
    pub loss: Vec<TunnelLoss>,
    /// What mends the mismatches, in the safe order.
    pub fix: Vec<FixStep>,
    /// How often it went up and down since start.
    pub transitions_up: u64,
    /// See [`Tunnel::transitions_up`].
    pub transitions_down: u64,
}

/// Loss from one end of a tunnel to the other, by the counters of both.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TunnelLoss {
    /// The end that sends.
    pub from: TunnelEnd,
    /// The end that receives.
    pub to: TunnelEnd,
    /// Lost packets of all sent, 0 to 1.
    pub ratio: f64,
    /// How far off that may be because the ends are not read at the same moment.
    pub bound: f64,
}

/// What router data adds to one path.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PathPicture {
    /// The path.
    pub path: PathName,
    /// The tunnel ends it crosses, from our site to the target's; empty where not unique or not known.
    pub hops: Vec<Hop>,
    /// Which router setting explains the trouble, or that none does. Empty while the path is ok.
    pub cause: Vec<String>,
    /// What mends it, in the safe order. Empty where router data shows no cause.
    pub fix: Vec<FixStep>,
}

/// One tunnel end on a path's way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hop {
    /// Name of the tunnel.
    pub tunnel: String,
    /// The end.
    pub end: TunnelEnd,
}

/// One command to type on one router, in configuration mode.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct FixStep {
    /// Where to type it.
    pub router: RouterName,
    /// The command in its vendor's words, e.g. `set interfaces vxlan vxlan01 mtu 1500`.
    pub command: Command,
}

/// A command that mends, as the router's vendor spells it: made by `vendor` of checked values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Command(String);

impl Command {
    /// None where a word could mean more to a shell than it says: a person pastes it into one.
    pub(crate) fn new(words: String) -> Option<Self> {
        let plain =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'.' | b':' | b'-' | b'_');
        words.bytes().all(plain).then_some(Self(words))
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_command_holds_what_a_shell_would_read_otherwise() {
        assert!(Command::new("set interfaces vxlan vxlan1 remote 2001:db8::1".to_owned()).is_some());
        for bad in ["a;b", "$(a)", "`a`", "a\nb", "a'b", "a|b", "a>b", "a&b", "a\\b", "\u{1b}[2J"] {
            assert_eq!(Command::new(bad.to_owned()), None, "{bad:?}");
        }
    }
}
