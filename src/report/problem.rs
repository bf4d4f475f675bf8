//! All problems, worst first.

use std::{cmp::Reverse, collections::HashMap, net::IpAddr};

use crate::{
    language::{Between, Said, say},
    model::{
        observation::PathObservation,
        picture::{FixStep, PathPicture, Tunnel},
        snapshot::RouterReading,
        state::Present,
        types::{BlackholeReason, Direction, TunnelState, Verdict, dropped},
    },
    work,
};

/// How bad a problem is, worst first; decides the order and the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    Unreachable,
    Blackhole,
    Lossy,
    Tunnel,
    LoneEnd,
    RouterNotRead,
    /// A part of a router's output was not understood or not kept.
    LeftOut,
    /// A half whose other end is on a router that is not read or not configured: it follows from
    /// that and proves nothing.
    UnreadEnd,
    Unknown,
    Reduced,
}

impl Rank {
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Unreachable | Self::Blackhole | Self::Lossy | Self::Tunnel | Self::LoneEnd => 1,
            Self::RouterNotRead | Self::LeftOut | Self::UnreadEnd | Self::Unknown => 2,
            Self::Reduced => 0,
        }
    }
}

/// One problem.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) rank: Rank,
    /// `path`, `tunnel` or `router`.
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) what: Said,
    pub(crate) evidence: Vec<Said>,
    pub(crate) cause: Vec<Said>,
    pub(crate) fix: Vec<FixStep>,
}

impl Problem {
    /// `path rancher: blackhole forward and reverse, …`
    pub(crate) fn headline(&self) -> Said {
        let what = self.what.clone();
        match self.kind {
            "path" => say!("path {name}: {what}", name = self.name, what => what),
            "tunnel" => say!("tunnel {name}: {what}", name = self.name, what => what),
            _ => say!("router {name}: {what}", name = self.name, what => what),
        }
    }

    /// Whether there is more to report than the headline, which is at the top.
    pub(crate) fn tells_more(&self) -> bool {
        !(self.evidence.is_empty() && self.cause.is_empty() && self.fix.is_empty())
    }
}

/// All problems, worst first; among equals the one with the most commands first, as these often
/// mend the others too.
pub(crate) fn problems(present: &Present) -> Vec<Problem> {
    let mut problems: Vec<_> =
        present.paths_with_pictures().filter_map(|(path, picture)| bad_path(path, picture)).collect();
    let owners = Owners::of(present);
    problems.extend(work::each(&present.overlay.tunnels).filter_map(|tunnel| bad_tunnel(&owners, tunnel)));
    problems.extend(present.routers.iter().filter_map(|reading| unread(reading)));
    problems.extend(present.routers.iter().filter_map(|reading| left_out(reading)));
    problems.sort_by_key(|problem| (problem.rank, Reverse(problem.fix.len())));
    problems
}

/// The problem of a path, if it has one, with what router data adds.
pub(crate) fn bad_path(path: &PathObservation, picture: Option<&PathPicture>) -> Option<Problem> {
    let judgement = &path.judgement;
    let rank = match judgement.verdict {
        Verdict::Ok => return None,
        Verdict::Unreachable => Rank::Unreachable,
        Verdict::Blackhole => Rank::Blackhole,
        Verdict::Lossy => Rank::Lossy,
        Verdict::Reduced => Rank::Reduced,
        Verdict::Unknown => Rank::Unknown,
    };
    let mut what = judgement.verdict.said();
    if let Some(reason) = judgement.unknown_reason.filter(|_| rank == Rank::Unknown) {
        what = say!("{what} ({reason})", what => what, reason => reason.said());
    }
    if judgement.blackhole_reasons().contains(&BlackholeReason::TcpDead) {
        what = say!("{what} ({reason})", what => what, reason => BlackholeReason::TcpDead.said());
    }
    // A headline contains only what is known; the evidence says what is not.
    let told = judgement.holes.iter().filter(|hole| **hole != Direction::Unknown);
    let holes: Vec<_> = told.map(|hole| hole.said()).collect();
    if !holes.is_empty() {
        what = say!("{what} {directions}", what => what, directions => Said::joined(holes, Between::And));
    }
    let expected = path.expected_mtu.as_ref().map(|expected| expected.bytes);
    let as_expected =
        judgement.forward_expected.is_some() && judgement.mtu_forward >= judgement.forward_expected;
    let forward = judgement.mtu_forward.filter(|_| !as_expected);
    let mtu = [forward, judgement.mtu_reverse].into_iter().flatten().min();
    if let (Some(mtu), Some(expected)) = (mtu, expected)
        && mtu < expected
    {
        what = say!("{what}, path MTU {mtu} of {expected} expected", what => what, mtu, expected);
    }
    let (cause, fix) =
        picture.map(|picture| (picture.cause.clone(), picture.fix.clone())).unwrap_or_default();
    let evidence = judgement.evidence.clone();
    Some(Problem { rank, kind: "path", name: path.path.to_string(), what, evidence, cause, fix })
}

fn bad_tunnel(owners: &Owners, tunnel: &Tunnel) -> Option<Problem> {
    let mut what = Vec::new();
    match tunnel.state {
        TunnelState::Paired => {}
        TunnelState::Half if owners.may_end_unread(tunnel) => {
            what.push(say!("half, the other end is on a router that is not read"));
        }
        TunnelState::Half => what.push(say!("half, the other end is not known")),
        TunnelState::Ambiguous => what.push(say!("ambiguous, several other ends fit")),
    }
    if tunnel.up == Some(false) {
        what.push(say!("down"));
    }
    if !tunnel.mismatches.is_empty() {
        let fields = tunnel.mismatches.keys().map(|field| field.said());
        what.push(say!("mismatch of {fields}", fields => Said::joined(fields, Between::Comma)));
    }
    if !tunnel.small_ends.is_empty() {
        what.push(say!("a bridge drops large frames silently"));
    }
    if what.is_empty() {
        return None;
    }
    let rank = match tunnel.state {
        TunnelState::Paired => Rank::Tunnel,
        _ if tunnel.up == Some(false) || !tunnel.small_ends.is_empty() => Rank::Tunnel,
        TunnelState::Half if owners.may_end_unread(tunnel) => Rank::UnreadEnd,
        TunnelState::Half | TunnelState::Ambiguous => Rank::LoneEnd,
    };
    let mut evidence: Vec<_> = tunnel.mismatches.values().cloned().collect();
    evidence.extend(tunnel.small_ends.iter().cloned());
    for line in &tunnel.evidence {
        if !evidence.contains(line) {
            evidence.push(line.clone());
        }
    }
    Some(Problem {
        rank,
        kind: "tunnel",
        name: tunnel.name.clone(),
        what: Said::joined(what, Between::Comma),
        evidence,
        cause: Vec::new(),
        fix: tunnel.fix.clone(),
    })
}

/// The addresses of all routers, to tell whether a router without a present reading may own one.
struct Owners {
    unread: HashMap<IpAddr, bool>,
}

impl Owners {
    fn of(present: &Present) -> Self {
        let mut unread: HashMap<IpAddr, bool> = HashMap::new();
        for reading in &present.routers {
            let links = reading.current.iter().flat_map(|snapshot| &snapshot.links);
            let addresses = links.flat_map(|link| &link.addresses).chain(&reading.extra_addresses);
            for address in work::each(addresses) {
                *unread.entry(*address).or_default() |= reading.current.is_none();
            }
        }
        Self { unread }
    }

    /// Whether a half's remote (the part of its name after `~`) can be an address of a router that
    /// is not read: no router that is read owns it. A user who reads only one router of a pair
    /// (`local: {}`) has such halves on purpose.
    fn may_end_unread(&self, tunnel: &Tunnel) -> bool {
        let remote = tunnel.name.split_once('~').and_then(|(_, remote)| remote.parse::<IpAddr>().ok());
        remote.is_some_and(|remote| self.unread.get(&remote).copied().unwrap_or(true))
    }
}

fn left_out(reading: &RouterReading) -> Option<Problem> {
    if reading.current.is_none() || reading.left_out.is_empty() {
        return None;
    }
    let left_out = &reading.left_out;
    Some(Problem {
        rank: Rank::LeftOut,
        kind: "router",
        name: reading.router.to_string(),
        what: say!(
            "its output is understood only in part, left out: {items}",
            items => dropped::said(left_out)
        ),
        evidence: vec![dropped::remedy(left_out, reading.left_out_why.as_ref())],
        cause: Vec::new(),
        fix: Vec::new(),
    })
}

fn unread(reading: &RouterReading) -> Option<Problem> {
    if reading.current.is_some() {
        return None;
    }
    let why = reading.failure.as_ref().map_or_else(
        || say!("no scrape has ended yet"),
        |failure| say!("{reason}: {message}", reason => failure.reason.said(), message = failure.message),
    );
    Some(Problem {
        rank: Rank::RouterNotRead,
        kind: "router",
        name: reading.router.to_string(),
        what: say!("not read: {why}", why => why),
        evidence: Vec::new(),
        cause: Vec::new(),
        fix: Vec::new(),
    })
}
