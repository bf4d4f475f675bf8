//! `show interfaces [vxlan]`: names, addresses and states; no counters, no settings.
//!
//! VyOS 1.1 to 1.3, and `show interfaces vxlan` on all versions, print fixed-width columns:
//! `Interface`, `IP Address`, `S/L`, `Description`. `show interfaces` on 1.4 and later adds MAC,
//! VRF and MTU before `S/L`. Further addresses and the rest of a long description follow on lines
//! of their own. An address of 33 characters or more pushes the rest of its line to the next. VyOS
//! 1.3 prints `A/D` for every interface that is down, whether or not an administrator took it down.

use std::net::IpAddr;

use super::{ParseError, excerpt};
use crate::{
    model::types::{Bytes, DroppedKind, InterfaceName, Mac},
    router::bounds,
    text::Text,
};

const COMMAND: &str = "show interfaces";

/// A line that begins with spaces continues the addresses left of this column, and the description
/// right of it.
const DESCRIPTION_COLUMN: usize = 34;

/// One interface of the summary.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Summary {
    /// Its name.
    pub name: InterfaceName,
    /// Its addresses as printed, most with a prefix length; link-local addresses are not shown.
    pub addresses: Vec<Text>,
    /// `S`: whether it is administratively up. Absent if the text stops before it.
    pub admin_up: Option<bool>,
    /// `L`: whether the link is up; `UNKNOWN`, the normal state of a vxlan device, counts as up.
    pub oper_up: Option<bool>,
    /// The description; empty if its column is empty, absent if the line ends before it.
    pub description: Option<Text>,
    /// MAC address; VyOS 1.4 and later.
    pub mac: Option<Mac>,
    /// VRF; VyOS 1.4 and later.
    pub vrf: Option<InterfaceName>,
    /// Interface MTU; VyOS 1.4 and later.
    pub mtu: Option<Bytes>,
}

/// The interfaces of one summary.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Summaries {
    /// In VyOS's order.
    pub interfaces: Vec<Summary>,
    /// Interfaces whose row ends before its states.
    pub incomplete: Vec<InterfaceName>,
    /// How many were left out because of an impossible name.
    pub left_out: u64,
}

/// All interfaces. Text without the line of column names is an error; empty text is an empty
/// summary.
pub(crate) fn interfaces(output: &str) -> Result<Summaries, ParseError> {
    let mut lines = output.split_inclusive('\n').enumerate().filter(|(_, line)| !line.trim().is_empty());
    let Some(first) = lines.clone().next() else { return Ok(Summaries::default()) };
    let Some((_, header)) = lines.find(|(_, line)| is_header(line)) else {
        let message = format!("expected `Interface  IP Address … S/L`, saw `{}`", excerpt(first.1.trim()));
        return Err(ParseError { command: COMMAND, line: first.0 + 1, message: message.into() });
    };
    let extended = header.split_whitespace().any(|word| word == "MTU");
    let mut read = Summaries::default();
    let mut last: Option<Summary> = None;
    for (index, line) in lines {
        let whole = line.ends_with('\n');
        let line = line.trim_end_matches(['\n', '\r']);
        let error =
            |message: String| ParseError { command: COMMAND, line: index + 1, message: message.into() };
        if bounds::is_late() {
            return Err(error("the deadline passed here".to_owned()));
        }
        if line.chars().all(|char| matches!(char, '-' | ' ')) || is_header(line) || line.starts_with("Codes:")
        {
            continue;
        }
        if line.starts_with(char::is_whitespace) {
            if let Some(last) = &mut last {
                last.go_on(line, extended).map_err(error)?;
            }
            continue;
        }
        read.interfaces.extend(last.take());
        if !bounds::admits(DroppedKind::Interface, read.interfaces.len(), bounds::limits().max_interfaces) {
            continue;
        }
        let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let Some(name) = InterfaceName::new(name) else {
            read.left_out += 1;
            continue;
        };
        last = Summary::begin(name.clone(), rest, extended).map_err(error)?;
        if last.is_none() && !whole && !rest.is_empty() {
            read.incomplete.push(name);
        }
    }
    read.interfaces.extend(last);
    let unfinished = read.interfaces.iter().filter(|it| it.admin_up.is_none());
    read.incomplete.extend(unfinished.map(|it| it.name.clone()));
    Ok(read)
}

fn is_header(line: &str) -> bool {
    let words: Vec<_> = line.split_whitespace().collect();
    words.starts_with(&["Interface", "IP", "Address"]) && words.contains(&"S/L")
}

impl Summary {
    /// Reads a row after its name; `None` if it is not a row (a prompt).
    fn begin(name: InterfaceName, rest: &str, extended: bool) -> Result<Option<Self>, String> {
        let mut summary = Self {
            name,
            addresses: Vec::new(),
            admin_up: None,
            oper_up: None,
            description: None,
            mac: None,
            vrf: None,
            mtu: None,
        };
        let states = summary.read_states(rest, extended)?;
        // A long address is alone beside the name; its states are on the next line.
        let alone = !summary.addresses.is_empty() && rest.split_whitespace().count() == 1;
        Ok((states || alone).then_some(summary))
    }

    /// Reads a continuation line: addresses, states, description.
    fn go_on(&mut self, line: &str, extended: bool) -> Result<(), String> {
        if self.admin_up.is_none() && self.read_states(line, extended)? {
            return Ok(());
        }
        let indent = line.chars().take_while(|char| char.is_whitespace()).count();
        let mut text = line.trim();
        let first = text.split_whitespace().next().unwrap_or_default();
        if indent < DESCRIPTION_COLUMN && is_address(first) {
            self.addresses.push(first.into());
            text = text[first.len()..].trim();
        }
        if !text.is_empty() {
            let description = self.description.get_or_insert_default();
            if !description.is_empty() {
                description.push(" ");
            }
            description.push(text);
        }
        Ok(())
    }

    /// Reads `ADDRESS [MAC VRF MTU] S/L  DESCRIPTION`; false if there are no states on the line.
    fn read_states(&mut self, text: &str, extended: bool) -> Result<bool, String> {
        let mut before = Vec::new();
        let mut offset = 0;
        for word in text.split_whitespace() {
            // `word` is a slice of `text`; this is its offset there.
            offset += text[offset..].find(word).unwrap_or_default() + word.len();
            if let Some((admin, link)) = states(word) {
                self.admin_up = Some(admin);
                self.oper_up = Some(link);
                let rest = &text[offset..];
                self.description = (!rest.is_empty()).then(|| rest.trim().into());
                break;
            }
            before.push(word);
        }
        if self.admin_up.is_none() && before.len() > 1 {
            return Ok(false);
        }
        self.addresses.extend(before.iter().copied().filter(|word| is_address(word)).map(Text::new));
        if extended && let [.., mac, vrf, mtu] = before.as_slice() {
            self.mac = mac.parse().ok();
            self.vrf = InterfaceName::new(vrf).filter(|vrf| vrf.as_str() != "n/a");
            self.mtu = match *mtu {
                "n/a" => None,
                mtu => Some(mtu.parse().map_err(|_| {
                    format!("expected an MTU, saw `{}` in `{}`", excerpt(mtu), excerpt(text))
                })?),
            };
        }
        Ok(self.admin_up.is_some())
    }
}

/// `u/u`, `u/D`, `A/D`: administrative state, then link state.
fn states(word: &str) -> Option<(bool, bool)> {
    let up = |letter| match letter {
        "u" => Some(true),
        "A" | "D" => Some(false),
        _ => None,
    };
    let (state, link) = word.split_once('/')?;
    Some((up(state)?, up(link)?))
}

fn is_address(word: &str) -> bool {
    let (address, length) =
        word.split_once('/').map_or((word, None), |(address, length)| (address, Some(length)));
    address.parse::<IpAddr>().is_ok() && length.is_none_or(|length| length.parse::<u8>().is_ok())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    const HEADER: &str = "Interface        IP Address                        S/L  Description\n";

    #[test]
    fn long_addresses_and_descriptions_go_on_below() {
        let text = format!(
            "{HEADER}{}",
            "vxlan01          2001:0db8:1111:2222:3333:4444:5555:6666/128\n\
             \x20                                                  A/D  to site A, by way of the long\n\
             \x20                10.0.0.1/24                            road round\n\
             \x20                                                       10.9.9.9 the lake\n"
        );
        let read = interfaces(&text).unwrap().interfaces;
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].addresses, ["2001:0db8:1111:2222:3333:4444:5555:6666/128", "10.0.0.1/24"]);
        assert_eq!((read[0].admin_up, read[0].oper_up), (Some(false), Some(false)));
        let description = "to site A, by way of the long road round 10.9.9.9 the lake";
        assert_eq!(read[0].description.as_deref(), Some(description));
    }

    #[test]
    fn the_summary_of_1_4_has_mac_vrf_and_mtu() {
        let read = interfaces(
            "Codes: S - State, L - Link, u - Up, D - Down, A - Admin Down\n\
             Interface    IP Address      MAC                VRF        MTU  S/L    Description\n\
             -----------  --------------  -----------------  -------  -----  -----  -------------\n\
             eth0         192.0.2.1/24    52:54:00:AA:bb:01  default   1500  u/u    WAN\n\
             \x20            2001:db8::1/64\n\
             vxlan01      -               4e:3c:34:45:dd:d8  RED       9000  u/D\n\
             wg0          -               n/a                default   1420  A/D\n",
        )
        .unwrap()
        .interfaces;
        assert_eq!(read[0].addresses, ["192.0.2.1/24", "2001:db8::1/64"]);
        assert_eq!((read[0].mac, read[0].mtu), ("52:54:00:aa:bb:01".parse().ok(), Some(1500)));
        assert_eq!((read[1].vrf.as_deref(), read[1].oper_up), (Some("RED"), Some(false)));
        assert_eq!((read[2].mac, read[2].admin_up), (None, Some(false)));
    }

    #[test]
    fn a_row_cut_before_its_states_is_incomplete() {
        for row in [
            "vxlan01          -",
            "vxlan01          -                                 u/",
            "vxlan01          10.0.0.1/2",
        ] {
            let read = interfaces(&format!("{HEADER}{row}")).unwrap();
            assert_eq!(read.incomplete, [InterfaceName::from("vxlan01")], "{row}");
            assert!(read.interfaces.iter().all(|it| it.admin_up.is_none()), "{row}");
        }
    }

    #[test]
    fn nothing_is_read_after_the_deadline_not_even_more_of_one_interface() {
        let more = " 10.0.0.1/24\n".repeat(1000);
        let text = format!("{HEADER}vxlan01          -                                 u/u\n{more}");
        let soon = Instant::now() + Duration::from_secs(1000);
        let read = |deadline| {
            bounds::within(crate::model::plan::ReadLimits::default(), deadline, || interfaces(&text)).0
        };
        assert_eq!(read(soon).unwrap().interfaces[0].addresses.len(), 1000);
        let error = read(Instant::now()).unwrap_err();
        assert!(error.message.contains("the deadline passed"), "{error}");
    }

    #[test]
    fn other_text_is_no_summary() {
        assert_eq!(interfaces("\n").unwrap(), Summaries::default());
        assert_eq!(interfaces(HEADER).unwrap(), Summaries::default());
        let error = interfaces("\n  Invalid command: show [interfacez]\n").unwrap_err();
        assert_eq!(error.line, 2);
        assert!(error.message.contains("saw `Invalid command: show [interfacez]`"), "{error}");
    }
}
