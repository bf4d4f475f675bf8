//! Asks a router to ping, over the session that is kept for reading it.
//!
//! The command strings are fixed; what is put into them are addresses, numbers, and a device name
//! that means nothing to a shell. Large and small pings run at the same time, and
//! each line of output says whose it is.

use std::{fmt::Write as _, net::IpAddr, time::Instant};

use super::{LATE, NotAsked, PingPairs, PingReplies, Question, SPACING};
use crate::{
    language::{Said, say},
    model::{
        family::Family,
        leg::LegAsk,
        snapshot::route_query::is_plain,
        types::{Bytes, FailureReason},
    },
    router::{
        parse::ping::{NoPing, Pings, read},
        script::{self, Failed},
        shell::Shell,
    },
};

/// `t WORD COMMAND…` runs a command and puts the word before each line of what it prints. A line is
/// shorter than what a pipe takes in one piece, so two commands do not mix within a line.
const TAG: &str = "t() { w=$1; shift; { \"$@\" 2>&1; echo; } | head -c 3500 | sed \"s/^/$w /\"; }\n";

/// Bytes of an ICMP echo header.
const ICMP_HEADER: Bytes = 8;

/// A router's shell as a [`Wire`].
pub(crate) struct ShellWire<'s>(pub(crate) &'s mut dyn Shell);

impl PingPairs for ShellWire<'_> {
    fn pairs(&mut self, leg: &LegAsk, question: Question, until: Instant) -> Result<PingReplies, NotAsked> {
        let sizes = [question.size, Family::of(leg.remote).small()];
        let text = self.run(&script(leg, sizes, question.count, question.large_first)?, until)?;
        let large = pings(&text, "l", leg, sizes[0], question.count)?;
        let small = pings(&text, "s", leg, sizes[1], question.count)?;
        if large.refused_locally && large.too_big.is_none() {
            return Err(NotAsked::Sizes(say!("the router itself refuses pings of that size as too large")));
        }
        let mut heard = counted(&small);
        for (number, pair) in (0..).zip(&mut heard.pairs) {
            pair.0 = large.answered.contains_key(&number);
        }
        heard.too_big = large.too_big;
        Ok(heard)
    }

    fn small(&mut self, leg: &LegAsk, count: u32, until: Instant) -> Result<PingReplies, NotAsked> {
        let size = Family::of(leg.remote).small();
        let text = self.run(&plain_script(leg, size, count)?, until)?;
        Ok(counted(&pings(&text, "s", leg, size, count)?))
    }
}

impl ShellWire<'_> {
    fn run(&mut self, body: &str, until: Instant) -> Result<String, NotAsked> {
        let output =
            script::run(self.0, body, until + LATE, |output| Ok(output.may("ping").map(str::to_owned)));
        match output {
            Ok(Some(text)) => Ok(text),
            Ok(None) => Err(NotAsked::All(say!("the router did not run the script"))),
            Err(Failed::Way(error) | Failed::Method(error)) => Err(match error.reason {
                // A key bound to a command, a restricted shell: it will be the same next time.
                FailureReason::Command | FailureReason::Permission => {
                    NotAsked::All(Said::verbatim(error.to_string()))
                }
                _ => NotAsked::Session(Said::verbatim(error.to_string())),
            }),
        }
    }
}

/// The small pings of a question; none of the large ones is answered yet.
fn counted(small: &Pings) -> PingReplies {
    let pairs = (0..small.sent).map(|number| (false, small.answered.contains_key(&number))).collect();
    let times = || small.answered.values().flatten();
    let heard = u32::try_from(times().count()).unwrap_or(u32::MAX);
    PingReplies { pairs, rtt: (times().sum(), heard), too_big: None }
}

/// The pings of those lines that begin with the word.
fn pings(text: &str, word: &str, leg: &LegAsk, size: Bytes, count: u32) -> Result<Pings, NotAsked> {
    let lines = text.lines().filter_map(|line| line.strip_prefix(word)?.strip_prefix(' '));
    let own: Vec<_> = lines.collect();
    match read(&own.join("\n"), Some(data_of(leg.remote, size))) {
        Ok(Ok(pings)) if pings.sent == count => Ok(pings),
        Ok(Ok(_)) => Err(NotAsked::All(say!("parse: ping did not send as many as it was told to"))),
        Ok(Err(NoPing::UnknownOption)) => Err(NotAsked::Sizes(say!(
            "its ping knows no `-M do` (busybox), so sizes cannot be tested, only loss and round-trip time"
        ))),
        Ok(Err(reason)) => Err(NotAsked::All(said(reason, leg))),
        Err(error) => Err(NotAsked::All(say!("parse: {error}", error))),
    }
}

fn said(reason: NoPing, leg: &LegAsk) -> Said {
    match reason {
        NoPing::Missing => say!("there is no `ping` for this user"),
        NoPing::Permission if leg.device.is_some() => {
            say!("its user may not ping out of a device or VRF: that needs rights it does not have")
        }
        NoPing::Permission => say!("its user may not use `ping`"),
        NoPing::UnknownOption => say!("its ping does not know an option"),
        NoPing::Source => leg.source.map_or_else(
            || say!("it has no address to ping from"),
            |source| say!("it cannot ping from {source}", source),
        ),
        NoPing::NoRoute => say!("it has no route to {remote}", remote = leg.remote),
    }
}

fn data_of(remote: IpAddr, size: Bytes) -> Bytes {
    size.saturating_sub(Family::of(remote).header() + ICMP_HEADER)
}

/// The script of a question: `[large, small]` sizes in bytes of outer IP packet.
pub(super) fn script(
    leg: &LegAsk,
    sizes: [Bytes; 2],
    count: u32,
    large_first: bool,
) -> Result<String, NotAsked> {
    let to = target(leg)?;
    let ping = |word: &str, size: Bytes| {
        let (spacing, data) = (SPACING.as_secs_f64(), data_of(leg.remote, size));
        format!("t {word} ping -n -c {count} -i {spacing} -W 1 -M do -s {data}{to} &\n")
    };
    let (large, small) = (ping("l", sizes[0]), ping("s", sizes[1]));
    let both = if large_first { large + &small } else { small + &large };
    Ok(format!("{TAG}echo \"$M begin ping\"\n{both}wait\necho; echo \"$M rc=0\"\n"))
}

/// The script for a ping that knows few options.
pub(super) fn plain_script(leg: &LegAsk, size: Bytes, count: u32) -> Result<String, NotAsked> {
    let (to, data) = (target(leg)?, data_of(leg.remote, size));
    let ping = format!("t s ping -c {count} -W 1 -s {data}{to}\n");
    Ok(format!("{TAG}echo \"$M begin ping\"\n{ping}echo; echo \"$M rc=0\"\n"))
}

/// Where from and where to, with a space before each word.
fn target(leg: &LegAsk) -> Result<String, NotAsked> {
    let mut words = String::new();
    if let Some(device) = &leg.device {
        if !is_plain(device.as_str()) {
            return Err(NotAsked::All(say!("the name of its device {device} is not plain", device)));
        }
        let _ = write!(words, " -I {device}");
    }
    if let Some(source) = leg.source {
        let _ = write!(words, " -I {source}");
    }
    let _ = write!(words, " {}", leg.remote);
    Ok(words)
}
