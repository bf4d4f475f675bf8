//! The joined picture: tunnels from router data, the paths that cross them, cause and fix.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use crate::{
    language::Said,
    model::{
        leg::{LegAsk, LegReading},
        types::{Bytes, InterfaceName, MismatchField, PathName, RouterName, TunnelState},
    },
};

/// Tunnels and paths, joined by [`crate::overlay::tunnel::Assessor::assess`].
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Overlay {
    /// All tunnels, in name order.
    pub tunnels: Vec<Tunnel>,
    /// What router data adds to each path's judgement, in the order of the configuration.
    pub paths: Vec<PathPicture>,
    /// The legs that each router is to measure.
    #[serde(skip)]
    pub asks: BTreeMap<RouterName, Vec<LegAsk>>,
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

/// Two interfaces that belong together, or one whose other end is unknown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tunnel {
    /// `dc/vxlan01~site-a/vxlan01`, ends in name order; `dc/vxlan02~10.10.20.254` where only one
    /// end is known.
    pub name: String,
    /// How far the ends are known.
    pub state: TunnelState,
    /// One end (half, ambiguous) or two, in name order.
    pub ends: Vec<TunnelEnd>,
    /// Whether router data says that it carries traffic; absent when the current reading of an end
    /// is missing.
    pub up: Option<bool>,
    /// Settings on which the ends disagree, each with a sentence that names both values.
    pub mismatches: BTreeMap<MismatchField, Said>,
    /// Why it is up or down and how it was paired, with numbers that a person can check.
    pub evidence: Vec<Said>,
    /// Ends whose bridge drops frames larger than the vxlan device takes, without a signal. Left
    /// out where a path over the tunnel proves that this does no harm, or which harm it does.
    pub small_ends: Vec<Said>,
    /// Loss in each direction; empty where the counters do not tell.
    pub loss: Vec<TunnelLoss>,
    /// What the routers' own IP and UDP counters say of it, in the directions in which they do.
    pub flows: Vec<TunnelFlow>,
    /// What pings of its routers say of the underlay below it, from each end that was asked.
    pub legs: Vec<TunnelLeg>,
    /// Commands that mend the mismatches, in an order that is safe to type.
    pub fix: Vec<FixStep>,
    /// How often it went up since this process started.
    pub transitions_up: u64,
    /// How often it went down since this process started.
    pub transitions_down: u64,
}

/// Loss from one end of a tunnel to the other, by the counters of both.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TunnelLoss {
    /// The end that sends.
    pub from: TunnelEnd,
    /// The end that receives.
    pub to: TunnelEnd,
    /// Lost packets as a share of all sent, 0 to 1.
    pub ratio: f64,
    /// Largest possible error of `ratio`, because the two ends are not read at the same moment.
    pub bound: f64,
}

/// What routers' own counters show of one direction of a tunnel.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TunnelFlow {
    /// The end that sends.
    pub from: TunnelEnd,
    /// The end that receives; its router alone, if the end is not known.
    pub to: String,
    /// Outer fragments a second that the sending router makes.
    pub fragments_per_second: Option<f64>,
    /// Reassemblies that fail at the receiving router as a share of all, 0 to 1.
    pub reassemblies_failed: Option<f64>,
    /// Packets a second that arrive at a UDP port where nobody listens.
    pub unheard_per_second: Option<f64>,
}

impl TunnelFlow {
    /// A direction of which nothing is claimed.
    pub(crate) fn new(from: &TunnelEnd, to: String) -> Self {
        let from = from.clone();
        Self { from, to, fragments_per_second: None, reassemblies_failed: None, unheard_per_second: None }
    }

    /// Whether anything is claimed.
    pub(crate) fn is_telling(&self) -> bool {
        self.fragments_per_second.is_some() || self.unheard_per_second.is_some()
    }
}

/// The underlay below a tunnel, by pings from the router of one end to the VTEP of the other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TunnelLeg {
    /// The end whose router pings.
    pub from: TunnelEnd,
    /// The end that is pinged.
    pub to: TunnelEnd,
    /// What was measured.
    #[serde(flatten)]
    pub reading: LegReading,
    /// What the tunnel needs, bytes of outer IP packet.
    pub needed: Bytes,
}

/// What router data adds to one path.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PathPicture {
    /// The path.
    pub path: PathName,
    /// The tunnel ends it crosses, from our site to the target's; empty where they are not known or
    /// not unique.
    pub hops: Vec<Hop>,
    /// Which router setting explains the problem, or that none does. Empty while the path is ok.
    pub cause: Vec<Said>,
    /// Commands that mend it, in an order that is safe to type. Empty where router data shows no
    /// cause.
    pub fix: Vec<FixStep>,
}

/// One tunnel end that a path crosses.
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
    /// The router to type it on.
    pub router: RouterName,
    /// The command in its vendor's syntax, e.g. `set interfaces vxlan vxlan01 mtu 1500`.
    pub command: FixCommand,
}

/// A command of a fix, in the syntax of the router's vendor: made by `vendor` from checked values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct FixCommand(String);

impl FixCommand {
    /// `None` where a word contains anything that is special to a shell: a person may paste the
    /// command into one.
    pub(crate) fn new(words: String) -> Option<Self> {
        let plain =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'.' | b':' | b'-' | b'_');
        words.bytes().all(plain).then_some(Self(words))
    }
}

impl fmt::Display for FixCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_command_holds_what_a_shell_would_read_otherwise() {
        assert!(FixCommand::new("set interfaces vxlan vxlan1 remote 2001:db8::1".to_owned()).is_some());
        for bad in ["a;b", "$(a)", "`a`", "a\nb", "a'b", "a|b", "a>b", "a&b", "a\\b", "\u{1b}[2J"] {
            assert_eq!(FixCommand::new(bad.to_owned()), None, "{bad:?}");
        }
    }
}
