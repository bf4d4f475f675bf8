//! What VyOS's tables of VLANs and VNIs have in common: `show interfaces vxlan NAME vlan-to-vni …`
//! of rolling 1.5.
//!
//! `tabulate` draws them: a line of names, a line of dashes, a row per VLAN. A long description
//! continues in rows whose other cells are empty. With `detail` each VLAN is a block of
//! `NAME | VALUE` lines under `Interface: NAME`. If there is no mapping VyOS prints a sentence,
//! which is an empty result here.

use super::{ParseError, excerpt, table};
use crate::{
    model::types::{InterfaceName, Vni},
    text::Text,
};

/// One VLAN of a bridge and the VNI it is carried in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VlanVni {
    /// The vxlan device.
    pub interface: InterfaceName,
    /// VLAN, 1..4094.
    pub vlan: u16,
    /// VNI.
    pub vni: Vni,
    /// Its description in the configuration; absent if the table does not show it.
    pub description: Option<Text>,
    /// Packets received.
    pub rx_packets: Option<u64>,
    /// Bytes received.
    pub rx_bytes: Option<u64>,
    /// Packets transmitted.
    pub tx_packets: Option<u64>,
    /// Bytes transmitted.
    pub tx_bytes: Option<u64>,
}

/// The rows of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct VlanVnis {
    /// Complete rows, in VyOS's order.
    pub rows: Vec<VlanVni>,
    /// Interfaces with a row that was cut short.
    pub incomplete: Vec<InterfaceName>,
}

/// The columns after `Interface VLAN VNI`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// `Description`: the rest of the line.
    Description,
    /// `Rx Packets`, `Rx Bytes`, `Tx Packets`, `Tx Bytes`.
    Counters,
}

const COUNTERS: [&str; 4] = ["Rx Packets", "Rx Bytes", "Tx Packets", "Tx Bytes"];

/// Reads a table of that kind, or its `detail` form.
pub(super) fn read(command: &'static str, rest: Rest, output: &str) -> Result<VlanVnis, ParseError> {
    if let Some(detail) = detail(command, output)? {
        return Ok(detail);
    }
    let names = match rest {
        Rest::Description => "Interface VLAN VNI Description",
        Rest::Counters => "Interface VLAN VNI Rx Packets Rx Bytes Tx Packets Tx Bytes",
    };
    let mut lines = output.split_inclusive('\n').enumerate().filter(|(_, line)| !line.trim().is_empty());
    let Some(first) = lines.clone().next() else { return Ok(VlanVnis::default()) };
    if output.contains("No VLAN-to-VNI mapping found") {
        return Ok(VlanVnis::default());
    }
    let Some((_, header)) = lines.find(|(_, line)| line.split_whitespace().eq(names.split(' '))) else {
        let message = format!("expected `{names}`, saw `{}`", excerpt(first.1.trim()));
        return Err(ParseError { command, line: first.0 + 1, message: message.into() });
    };
    let mut table = VlanVniTable { rest, ends: vec![table::width(header)], read: VlanVnis::default() };
    for (index, line) in lines {
        let error = |message: String| ParseError { command, line: index + 1, message: message.into() };
        table.take(line.trim_end_matches(['\n', '\r']), line.ends_with('\n')).map_err(error)?;
    }
    Ok(table.read)
}

struct VlanVniTable {
    rest: Rest,
    /// Where each column ends, from the line of dashes.
    ends: Vec<usize>,
    read: VlanVnis,
}

impl VlanVniTable {
    fn take(&mut self, line: &str, whole: bool) -> Result<(), String> {
        if line.chars().all(|char| matches!(char, '-' | ' ')) {
            self.ends = dash_ends(line);
            return Ok(());
        }
        if line.starts_with(char::is_whitespace) {
            if let (Rest::Description, Some(row)) = (self.rest, self.read.rows.last_mut()) {
                describe(row, line.trim());
            }
            return Ok(());
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        // A prompt after the table: `vyos@dc:~$ exit`.
        if words[0].contains('@') || words[0].ends_with('$') {
            return Ok(());
        }
        let columns = if self.rest == Rest::Description { 3 } else { 7 };
        let end = self.ends.get(columns - 1).copied().unwrap_or_default();
        // More words than columns: the description has begun, so the columns before it are
        // complete.
        let ends_whole = words.len() > columns || table::ends_whole(line, end);
        if !whole && (words.len() < columns || !ends_whole) {
            self.read.incomplete.extend(InterfaceName::new(words[0]));
            return Ok(());
        }
        if words.len() < columns || (self.rest == Rest::Counters && words.len() > columns) {
            return Err(format!("expected {columns} columns, saw `{}`", excerpt(line)));
        }
        let mut row = VlanVni::new(words[0], words[1], words[2])?;
        match self.rest {
            Rest::Description => {
                describe(&mut row, "");
                describe(&mut row, after_words(line, 3));
            }
            Rest::Counters => {
                for (name, digits) in COUNTERS.iter().zip(&words[3..]) {
                    row.set(name, digits)?;
                }
            }
        }
        self.read.rows.push(row);
        Ok(())
    }
}

impl VlanVni {
    fn new(interface: &str, vlan: &str, vni: &str) -> Result<Self, String> {
        let wrong = |what, seen| format!("expected a {what}, saw `{}`", excerpt(seen));
        Ok(Self {
            interface: InterfaceName::new(interface)
                .ok_or_else(|| wrong("name of an interface", interface))?,
            vlan: vlan.parse().map_err(|_| wrong("VLAN", vlan))?,
            vni: vni.parse().map_err(|_| wrong("VNI", vni))?,
            description: None,
            rx_packets: None,
            rx_bytes: None,
            tx_packets: None,
            tx_bytes: None,
        })
    }

    /// Negative numbers are left out: no kernel prints them.
    fn set(&mut self, name: &str, digits: &str) -> Result<(), String> {
        let is_number =
            !digits.is_empty() && digits.trim_start_matches('-').chars().all(|char| char.is_ascii_digit());
        if !is_number {
            return Err(format!("`{name}`: expected a number, saw `{}`", excerpt(digits)));
        }
        let count = digits.parse().ok();
        match name {
            "Rx Packets" => self.rx_packets = count,
            "Rx Bytes" => self.rx_bytes = count,
            "Tx Packets" => self.tx_packets = count,
            _ => self.tx_bytes = count,
        }
        Ok(())
    }
}

fn describe(row: &mut VlanVni, more: &str) {
    let description = row.description.get_or_insert_default();
    if !description.is_empty() && !more.is_empty() {
        description.push(" ");
    }
    description.push(more);
}

/// The text after the first `count` words.
fn after_words(line: &str, count: usize) -> &str {
    (0..count)
        .fold(line, |rest, _| rest.trim_start().split_once(char::is_whitespace).map_or("", |(_, rest)| rest))
        .trim()
}

/// The column where each group of dashes ends.
fn dash_ends(line: &str) -> Vec<usize> {
    let chars: Vec<char> = line.chars().chain([' ']).collect();
    (1..chars.len()).filter(|at| chars[at - 1] == '-' && chars[*at] == ' ').collect()
}

/// Reads blocks of ` VLAN | 10` under `Interface: NAME`; `None` if the output is not of that form.
fn detail(command: &'static str, output: &str) -> Result<Option<VlanVnis>, ParseError> {
    let mut read = VlanVnis::default();
    let (mut interface, mut vlan) = (None, None);
    let mut key = "";
    for (index, line) in output.lines().enumerate() {
        let error = |message: String| ParseError { command, line: index + 1, message: message.into() };
        if let Some(name) = line.strip_prefix("Interface: ") {
            interface = Some(name.trim());
        }
        let (Some(interface), Some((name, value))) = (interface, line.split_once('|')) else { continue };
        let (name, value) = (name.trim(), value.trim());
        // The first cell is empty where a description continues.
        key = if name.is_empty() { key } else { name };
        match (key, vlan, read.rows.last_mut()) {
            ("VLAN", _, _) => vlan = Some(value),
            ("VNI", Some(vlan), _) => read.rows.push(VlanVni::new(interface, vlan, value).map_err(error)?),
            ("Description", _, Some(row)) => describe(row, value),
            (name, _, Some(row)) if COUNTERS.contains(&name) => row.set(name, value).map_err(error)?,
            _ => {}
        }
    }
    // A block ends with an empty line.
    if interface.is_some()
        && !output.ends_with("\n\n")
        && read.rows.last().is_some_and(|row| row.tx_bytes.is_none())
    {
        read.incomplete.extend(read.rows.pop().map(|row| row.interface));
    }
    Ok(interface.map(|_| read))
}
