//! The text of `ip addr show`, which VyOS's `show interfaces` repeats with lines of its own: one
//! block per interface.
//!
//! A block begins with `NAME: <FLAGS> mtu N …`. Text that went through HTML has lost flags and
//! indentation; then a block begins with `NAME: mtu N qdisc …`, and the admin state is unknown.
//! Lines outside any block (banners, prompts, echoed commands, `bad magic`) are skipped. A
//! description is the rest of its line and is never parsed: it may hold `RX:`, colons, quotes, or
//! even the first line of a block.
//!
//! Half a row is never used. A block whose text stops, or that lacks rows it should have, is listed
//! in [`Links::incomplete`].

use std::net::IpAddr;

use super::{
    ParseError, excerpt,
    links::{Gathered, Links, ReadLink},
    table::{CounterTable, LineFate},
};
use crate::{
    model::{
        snapshot::{Counters, Link, Vxlan},
        types::{DfPolicy, InterfaceName, LinkKind, OperState},
    },
    router::bounds,
    text::Text,
};

/// What a format guarantees about a block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    /// The command, for error messages.
    pub command: &'static str,
    /// Whether every block ends with counters.
    pub counters: bool,
}

/// All interfaces of a text.
pub(super) fn links(dialect: Dialect, text: &str) -> Result<Links, ParseError> {
    let mut links = Gathered::default();
    let mut block: Option<Box<Block>> = None;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let whole = line.ends_with('\n');
        let line = line.trim_end_matches(['\n', '\r']);
        let error = |message: String| ParseError {
            command: dialect.command,
            line: index + 1,
            message: message.into(),
        };
        if bounds::is_late() {
            return Err(error("the deadline passed here".to_owned()));
        }
        if let Some(header) = header(line.trim(), whole).map_err(error)? {
            if let Some(block) = std::mem::replace(&mut block, header.block()) {
                block.end(dialect, &mut links);
            }
            links.left_out += u64::from(block.is_none());
        } else if let Some(block) = &mut block {
            block.take(line, whole).map_err(error)?;
        }
    }
    if let Some(block) = block {
        block.end(dialect, &mut links);
    }
    Ok(links.into_links())
}

/// One interface while it is being read.
struct Block {
    link: Link,
    last_clear: Option<Text>,
    /// Whether the text stopped inside a value of this block.
    cut: bool,
    /// Whether further lines may still continue the first one (a terminal wrapped it).
    in_header: bool,
    table: CounterTable,
}

impl Block {
    fn new(name: InterfaceName) -> Self {
        Self {
            link: Link {
                name,
                ifindex: None,
                mtu: None,
                admin_up: None,
                oper_state: None,
                mac: None,
                master: None,
                parent: None,
                description: None,
                addresses: Vec::new(),
                kind: None,
                vxlan: None,
                counters: Counters::default(),
            },
            last_clear: None,
            cut: false,
            in_header: true,
            table: CounterTable::default(),
        }
    }

    /// Reads one more line of the block, or skips it. `whole` is false for the last line of a text
    /// without a final line feed.
    fn take(&mut self, line: &str, whole: bool) -> Result<(), String> {
        let words = line.trim();
        let Some(first) = words.split_whitespace().next() else { return Ok(()) };
        let rest = words[first.len()..].trim();
        if let Some(text) = words.strip_prefix("Description:") {
            self.describe(text);
            self.cut |= !whole;
        } else if first == "alias" && self.link.description.is_none() {
            self.describe(rest);
            self.cut |= !whole;
        } else if let Some(text) = words.strip_prefix("Last clear:") {
            self.last_clear = Some(text.trim().into());
        } else {
            match self.table.take(line, whole) {
                LineFate::Whole => {}
                LineFate::Cut => self.cut = true,
                LineFate::NotMine => self.take_details(first, rest, whole)?,
            }
        }
        self.in_header &= is_header_word(first);
        Ok(())
    }

    fn describe(&mut self, text: &str) {
        self.link.description = Some(text.trim()).filter(|text| !text.is_empty()).map(Text::new);
    }

    fn take_details(&mut self, first: &str, rest: &str, whole: bool) -> Result<(), String> {
        let cut_value = !whole && !rest.contains(' ');
        match first {
            _ if first.starts_with("link/") => {
                let address = rest.split_whitespace().next().unwrap_or_default();
                self.link.mac = address.parse().ok();
                self.cut |= !whole && self.link.mac.is_none() && first == "link/ether";
            }
            "inet" | "inet6" if cut_value => self.cut = true,
            "inet" | "inet6" => {
                let address = rest.split([' ', '/', '%']).next().unwrap_or_default();
                self.link.addresses.extend(address.parse::<IpAddr>().ok());
            }
            "vxlan" if rest.starts_with("id ") || rest.starts_with("external") => {
                self.link.kind = Some(LinkKind::Vxlan);
                if whole {
                    self.link.vxlan = Some(vxlan(rest)?);
                }
                self.cut |= !whole;
            }
            _ if self.in_header && is_header_word(first) => {
                settings(&mut self.link, &format!("{first} {rest}"), whole)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn end(self, dialect: Dialect, links: &mut Gathered) {
        let counted = self.table.counted();
        let complete = !self.cut && counted.unwrap_or(!dialect.counters);
        let (counters, suspicious) = self.table.printed.believe(self.last_clear.is_some());
        let link = Link { counters, ..self.link };
        let read = ReadLink { link, suspicious, last_clear_unix: None, last_clear: self.last_clear };
        links.put(read, complete);
    }
}

/// What a first line begins.
enum Begun {
    Block(Box<Block>),
    /// The block of an interface with an impossible name: its lines belong to no other interface.
    Unnamed,
}

impl Begun {
    fn block(self) -> Option<Box<Block>> {
        match self {
            Self::Block(block) => Some(block),
            Self::Unnamed => None,
        }
    }
}

/// The block that this line begins, if any.
fn header(line: &str, whole: bool) -> Result<Option<Begun>, String> {
    let (index, line) = numbered(line);
    let Some((name, rest)) = line.split_once(':') else { return Ok(None) };
    let (name, tied) = name.split_once('@').map_or((name, None), |(name, tied)| (name, Some(tied)));
    // This is where a name is, whether or not it is a possible one.
    let is_name = |name: &str| (1..=15).contains(&name.len()) && !name.contains([' ', '/', '\t']);
    // A line that VyOS adds to a block: any text may follow.
    if name == "Description" || !is_name(name) || tied.is_some_and(|tied| !is_name(tied)) {
        return Ok(None);
    }
    let rest = rest.trim();
    let (flags, rest) = match rest.strip_prefix('<').map(|rest| rest.split_once('>').ok_or(rest)) {
        None => (None, rest),
        Some(Ok((flags, rest))) if is_flags(flags) => (Some(flags), rest.trim()),
        // The text stops inside the flags.
        Some(Err(flags)) if !whole && is_flags(flags) => (None, "mtu "),
        Some(_) => return Ok(None),
    };
    // Without flags a banner looks the same. Only more of the line, its number, or the end of the
    // text tells them apart.
    let begins = match flags {
        Some(_) => rest.starts_with("mtu ") || (!whole && "mtu".starts_with(rest)),
        None if whole => rest.starts_with("mtu ") && rest.contains(" qdisc "),
        None => rest.starts_with("mtu ") || index.is_some(),
    };
    if !begins {
        return Ok(None);
    }
    let Some(name) = InterfaceName::new(name) else { return Ok(Some(Begun::Unnamed)) };
    let mut block = Block::new(name.clone());
    block.link.ifindex = index;
    block.link.admin_up = flags.map(|flags| flags.split(',').any(|flag| flag == "UP"));
    block.link.kind = flags.and_then(|flags| LinkKind::of_flags(flags.split(',')));
    block.cut = !whole;
    settings(&mut block.link, rest, whole).map_err(|error| format!("{name}: {error}"))?;
    Ok(Some(Begun::Block(Box::new(block))))
}

/// Splits the number off `5: NAME…`.
fn numbered(line: &str) -> (Option<u32>, &str) {
    let numbered = line.split_once(": ").and_then(|(index, rest)| Some((index.parse().ok()?, rest)));
    numbered.map_or((None, line), |(index, rest)| (Some(index), rest.trim_start()))
}

fn is_flags(flags: &str) -> bool {
    flags
        .chars()
        .all(|char| char.is_ascii_uppercase() || char.is_ascii_digit() || matches!(char, ',' | '_' | '-'))
}

/// Words of a first line that are followed by a value.
fn is_header_word(word: &str) -> bool {
    matches!(word, "mtu" | "qdisc" | "master" | "state" | "mode" | "group" | "qlen" | "default")
}

/// `mtu 9000 qdisc noqueue master br01 state UNKNOWN …`
fn settings(link: &mut Link, text: &str, whole: bool) -> Result<(), String> {
    let mut words = text.split_whitespace().peekable();
    while let Some(word) = words.next() {
        if !matches!(word, "mtu" | "master" | "state") {
            continue;
        }
        let Some(value) = words.next() else { break };
        // Where the text stops, the value may be cut off too.
        if !whole && words.peek().is_none() {
            break;
        }
        match word {
            "mtu" => link.mtu = Some(number("mtu", value)?),
            "master" => link.master = InterfaceName::new(value),
            _ => link.oper_state = OperState::read(value),
        }
    }
    Ok(())
}

/// `vxlan id 1 remote 10.10.10.254 srcport 0 0 dstport 8472 …`, printed with `-d`.
fn vxlan(text: &str) -> Result<Vxlan, String> {
    // The text never shows `df unset`, which is the kernel's default.
    let mut vxlan = Vxlan { learning: Some(true), df: Some(DfPolicy::Unset), ..Vxlan::default() };
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap_or_default();
        match word {
            "external" => vxlan.external = true,
            "nolearning" => vxlan.learning = Some(false),
            "vnifilter" => vxlan.vnifilter = true,
            // iproute2 6.1 prints no space after `vnifilter`.
            "vnifilterid" => {
                vxlan.vnifilter = true;
                value();
            }
            "id" => vxlan.vni = Some(number(word, value())?),
            "remote" | "group" => vxlan.remote = Some(address(word, value())?),
            "local" => vxlan.local = Some(address(word, value())?),
            "dev" => vxlan.link = InterfaceName::new(value()),
            "dstport" => vxlan.port = Some(number(word, value())?),
            "df" => vxlan.df = DfPolicy::read(value()),
            // `auto` and `inherit` are not numbers.
            "ttl" => vxlan.ttl = value().parse().ok().filter(|ttl| *ttl > 0),
            // The next line of the link's own settings may be on the same line.
            "addrgenmode" | "numtxqueues" => break,
            _ => {}
        }
    }
    if vxlan.external {
        vxlan.vni = None;
    }
    Ok(vxlan)
}

fn number<T: std::str::FromStr>(word: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("`{word}`: expected a number, saw `{}`", excerpt(value)))
}

fn address(word: &str, value: &str) -> Result<IpAddr, String> {
    let bare = value.split('%').next().unwrap_or(value);
    bare.parse().map_err(|_| format!("`{word}`: expected an IP address, saw `{}`", excerpt(value)))
}
