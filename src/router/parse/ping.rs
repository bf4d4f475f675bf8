//! The output of `ping`: iputils s20161105 to 2025, and busybox, which counts from 0.
//!
//! Only the English words that every version has are read. A number counts only if the summary at
//! the end agrees with the replies above it: output in another language, cut short or of an unknown
//! program is an error and never a number.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde::Serialize;

use super::{ParseError, excerpt};
use crate::model::types::Bytes;

/// Bytes of an ICMP echo header, which a reply's line counts.
const ICMP_HEADER: u32 = 8;
/// Most pings of one command that are read.
const MOST: u32 = 1000;

/// What became of the pings of one command.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Pings {
    /// Pings sent, or refused by the router itself.
    pub sent: u32,
    /// Round-trip times of those answered, by number from 0.
    #[serde(serialize_with = "numbers")]
    pub answered: BTreeMap<u32, Option<Duration>>,
    /// Further replies to the same ping.
    pub duplicates: u32,
    /// The smallest MTU that a router on the way, or the sender's own kernel, named as too small
    /// for them, bytes.
    pub too_big: Option<Bytes>,
    /// Whether the sender's own kernel refused them as too large, by its interface's MTU or a path
    /// MTU that it remembers.
    pub refused_locally: bool,
}

/// Only the numbers of the pings, for `parse`.
fn numbers<S: serde::Serializer>(
    answered: &BTreeMap<u32, Option<Duration>>,
    to: S,
) -> Result<S::Ok, S::Error> {
    to.collect_seq(answered.keys())
}

/// Why `ping` did not ping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoPing {
    /// There is no `ping`.
    Missing,
    /// The user may not use it so.
    Permission,
    /// It does not know `-M`: busybox.
    UnknownOption,
    /// The router does not have the source address, or not on that device.
    Source,
    /// The router has no route.
    NoRoute,
}

impl NoPing {
    /// In a word, for `parse`.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Permission => "permission",
            Self::UnknownOption => "unknown_option",
            Self::Source => "source",
            Self::NoRoute => "no_route",
        }
    }
}

/// Reads the output of `ping`; `data` is the number of data bytes in each reply, if known.
pub(crate) fn read(text: &str, data: Option<u32>) -> Result<Result<Pings, NoPing>, ParseError> {
    if let Some(reason) = text.lines().find_map(refusal) {
        return Ok(Err(reason));
    }
    let mut pings = Pings::default();
    let mut replies: BTreeMap<u32, Option<Duration>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut summary = None;
    for line in text.lines() {
        if let Some((number, rtt)) = reply(line, data) {
            if seen.insert(number) {
                replies.insert(number, rtt);
            } else {
                pings.duplicates += 1;
            }
        } else if let Some(mtu) = too_big(line) {
            pings.too_big = Some(pings.too_big.map_or(mtu, |known| known.min(mtu)));
        }
        pings.refused_locally |= line.to_ascii_lowercase().contains("message too long");
        summary = summary.or_else(|| totals(line));
    }
    let Some((sent, received)) = summary else {
        return Err(unread("no summary in English", text));
    };
    if sent > MOST {
        return Err(unread("more pings than were asked for", text));
    }
    let heard = u32::try_from(replies.len()).unwrap_or(u32::MAX);
    if received != heard || heard > sent {
        return Err(unread("its summary and its replies do not agree", text));
    }
    // iputils counts from 1, busybox from 0.
    let first = u32::from(!text.contains(": seq="));
    let number = |(number, rtt): (u32, Option<Duration>)| {
        number.checked_sub(first).filter(|number| *number < sent).map(|number| (number, rtt))
    };
    pings.answered = replies.into_iter().filter_map(number).collect();
    if u32::try_from(pings.answered.len()) != Ok(received) {
        return Err(unread("a reply has a number that was not sent", text));
    }
    Ok(Ok(Pings { sent, ..pings }))
}

fn unread(why: &str, text: &str) -> ParseError {
    let message = format!("{why}: `{}`", excerpt(text.trim())).into();
    ParseError { command: "ping", line: text.lines().count(), message }
}

/// What a line says about why nothing was sent. A reply never contains these words.
fn refusal(line: &str) -> Option<NoPing> {
    let line = line.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| line.contains(word));
    if line.contains("bytes from") {
        None
    } else if says(&["not found", "no such file"]) {
        Some(NoPing::Missing)
    } else if says(&[
        "invalid option",
        "unrecognized option",
        "illegal option",
        "unknown option",
        "invalid argument: 'do'",
    ]) {
        Some(NoPing::UnknownOption)
    } else if says(&[
        "permission denied",
        "not permitted",
        "lacking privilege",
        "must be root",
        "a permission to",
    ]) {
        Some(NoPing::Permission)
    } else if says(&[
        "cannot assign requested address",
        "unknown iface",
        "no such device",
        "can't set multicast",
    ]) {
        Some(NoPing::Source)
    } else if !line.contains("from") && says(&["network is unreachable", "no route to host"]) {
        Some(NoPing::NoRoute)
    } else {
        None
    }
}

/// `64 bytes from 10.0.0.1: icmp_seq=1 ttl=64 time=0.045 ms`; its number, and the time if it can be
/// read.
fn reply(line: &str, data: Option<u32>) -> Option<(u32, Option<Duration>)> {
    let (bytes, rest) = line.split_once(" bytes from ")?;
    let bytes: u32 = bytes.trim().parse().ok()?;
    if data.is_some_and(|data| data + ICMP_HEADER != bytes)
        || line.contains("DIFFERENT ADDRESS")
        || line.contains("(truncated)")
    {
        return None;
    }
    let words = || rest.split([' ', ',']).filter(|word| !word.is_empty());
    let value = |keys: &[&str]| {
        words().find_map(|word| {
            let (key, value) = word.split_once('=')?;
            keys.contains(&key).then_some(value)
        })
    };
    let number = value(&["icmp_seq", "icmp_req", "seq"])?.parse().ok()?;
    value(&["ttl", "hlim"])?;
    let time = value(&["time"]).filter(|_| words().any(|word| word == "ms"));
    let time = time.and_then(|time| time.parse::<f64>().ok());
    let rtt = time.filter(|time| (0.0..1e6).contains(time)).map(|time| Duration::from_secs_f64(time / 1e3));
    Some((number, rtt))
}

/// `Frag needed and DF set (mtu = 1400)`, `Packet too big: mtu=1400`,
/// `local error: message too long, mtu=1400`.
fn too_big(line: &str) -> Option<Bytes> {
    let low = line.to_ascii_lowercase();
    let told = ["frag needed", "packet too big", "message too long"].iter().any(|words| low.contains(words));
    let (_, after) = low.split_once("mtu").filter(|_| told)?;
    let digits = after.trim_start_matches([' ', '=', ':']);
    let end = digits.find(|char: char| !char.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().ok().filter(|mtu| (68..=65_535).contains(mtu))
}

/// `5 packets transmitted, 4 received, …`, or `4 packets received` of busybox.
fn totals(line: &str) -> Option<(u32, u32)> {
    let (sent, rest) = line.split_once(" packets transmitted, ")?;
    let received = rest.split(' ').next()?;
    let told = rest[received.len()..].trim_start();
    (told.starts_with("received,") || told.starts_with("packets received,"))
        .then(|| Some((sent.trim().parse().ok()?, received.parse().ok()?)))?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Pings {
        read(text, None).unwrap().unwrap()
    }

    const FOUR: &str = "PING 10.2.0.2 (10.2.0.2) from 10.1.0.2 : 40(68) bytes of data.
48 bytes from 10.2.0.2: icmp_seq=1 ttl=63 time=0.055 ms
48 bytes from 10.2.0.2: icmp_seq=3 ttl=63 time=1.25 ms
48 bytes from 10.2.0.2: icmp_seq=3 ttl=63 time=1.55 ms (DUP!)

--- 10.2.0.2 ping statistics ---
4 packets transmitted, 2 received, +1 duplicates, 50% packet loss, time 612ms
rtt min/avg/max/mdev = 0.055/0.040/0.055/0.015 ms
";

    #[test]
    fn iputils_counts_from_one_and_a_duplicate_is_no_second_reply() {
        let pings = told(FOUR);
        assert_eq!((pings.sent, pings.duplicates, pings.too_big), (4, 1, None));
        assert_eq!(pings.answered.keys().copied().collect::<Vec<_>>(), [0, 2]);
        assert_eq!(pings.answered[&2], Some(Duration::from_micros(1250)));
    }

    #[test]
    fn busybox_counts_from_zero() {
        let text = "PING 10.2.0.2 (10.2.0.2) from 10.1.0.2: 40 data bytes
48 bytes from 10.2.0.2: seq=0 ttl=63 time=0.207 ms
48 bytes from 10.2.0.2: seq=1 ttl=63 time=0.067 ms

--- 10.2.0.2 ping statistics ---
2 packets transmitted, 2 packets received, 0% packet loss
round-trip min/avg/max = 0.067/0.137/0.207 ms
";
        assert_eq!(told(text).answered.keys().copied().collect::<Vec<_>>(), [0, 1]);
    }

    /// As iputils 20221126 on kernel 6.18 prints them, of a route with 1400.
    #[test]
    fn signals_of_both_families_and_of_the_senders_own_kernel() {
        for (line, local) in [
            ("From 10.1.0.1 icmp_seq=1 Frag needed and DF set (mtu = 1400)", false),
            ("From fd01::1 icmp_seq=1 Packet too big: mtu=1400", false),
            ("ping: local error: message too long, mtu=1400", true),
            ("ping: local error: message too long, mtu: 1400", true),
            ("ping: local error: Message too long, mtu=1400", true),
        ] {
            let text = format!(
                "{line}\n\n2 packets transmitted, 0 received, +2 errors, 100% packet loss, time 214ms\n"
            );
            let pings = told(&text);
            assert_eq!((pings.too_big, pings.refused_locally), (Some(1400), local), "{line}");
        }
        let odd = "ping: sendmsg: Message too long\n1 packets transmitted, 0 received, 100% packet loss\n";
        assert_eq!((told(odd).too_big, told(odd).refused_locally), (None, true));
    }

    #[test]
    fn why_nothing_was_sent() {
        for (text, reason) in [
            ("sh: 1: ping: not found", NoPing::Missing),
            ("vbash: line 5: ping: command not found", NoPing::Missing),
            ("ping: socket: Operation not permitted", NoPing::Permission),
            ("ping: icmp open socket: Operation not permitted", NoPing::Permission),
            ("bash: /bin/ping: Permission denied", NoPing::Permission),
            ("ping: invalid option -- 'M'\nBusyBox v1.35.0 multi-call binary.\n", NoPing::UnknownOption),
            ("ping: unrecognized option: M", NoPing::UnknownOption),
            ("ping: bind: Cannot assign requested address", NoPing::Source),
            ("bind: Cannot assign requested address", NoPing::Source),
            ("ping: connect: Network is unreachable", NoPing::NoRoute),
            ("connect: Network is unreachable", NoPing::NoRoute),
        ] {
            assert_eq!(read(text, None).unwrap().unwrap_err(), reason, "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_never_a_number() {
        let german = "48 Bytes von 10.2.0.2: icmp_seq=1 ttl=63 Zeit=0.055 ms\n\n1 Pakete übertragen, 1 empfangen, 0% Paketverlust\n";
        let french = "1 paquets transmis, 1 reçus, 0% packet loss, time 0ms\n";
        let other = "2 packets transmitted, 2 received, 0% packet loss\n48 bytes from 10.2.0.2: icmp_seq=1 ttl=63 time=0.055 ms\n";
        let many = "4294967296 packets transmitted, 0 received, 0% packet loss";
        for text in ["", german, french, other, many] {
            assert!(read(text, None).is_err(), "{text}");
        }
        let (cut, _) = FOUR.split_at(FOUR.find("4 packets").unwrap());
        assert!(read(cut, None).is_err(), "without its summary");
        assert!(read(FOUR, Some(41)).is_err(), "replies of another size are none");
        assert_eq!(read(FOUR, Some(40)).unwrap().unwrap().answered.len(), 2);
    }

    #[test]
    fn no_cut_is_read_as_more_than_the_whole() {
        let whole = told(FOUR);
        for cut in 0..FOUR.len() {
            if let Ok(Ok(pings)) = read(&FOUR[..cut], None) {
                assert_eq!((pings.sent, &pings.answered), (whole.sent, &whole.answered), "{cut}");
            }
        }
    }
}
