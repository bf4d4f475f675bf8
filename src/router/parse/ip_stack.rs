//! `/proc/net/snmp` (IPv4: for each protocol a line of names and a line of numbers) and
//! `/proc/net/snmp6` (one name and number a line).
//!
//! Names are looked up, as their order and number differ between kernels. What cannot be read is
//! absent.

use std::collections::BTreeMap;

use crate::model::snapshot::ip_stack::{IpCounters, IpStack};

/// Names and numbers beyond this many are not read; kernel 6.18 prints 90.
const MOST: usize = 1000;

/// The counters; either text may be empty.
#[must_use]
pub(crate) fn stack(snmp: &str, snmp6: &str) -> IpStack {
    let v4 = pairs(snmp);
    let v6 = single(snmp6);
    IpStack { v4: counters(&v4, "Ip:", "Udp:"), v6: counters(&v6, "Ip6", "Udp6") }
}

fn counters(read: &BTreeMap<(&str, &str), u64>, ip: &str, udp: &str) -> IpCounters {
    let get = |protocol, name| read.get(&(protocol, name)).copied();
    IpCounters {
        fragments_created: get(ip, "FragCreates"),
        fragmented: get(ip, "FragOKs"),
        fragmentation_failures: get(ip, "FragFails"),
        fragments_received: get(ip, "ReasmReqds"),
        reassemblies: get(ip, "ReasmOKs"),
        reassembly_failures: get(ip, "ReasmFails"),
        reassembly_timeouts: get(ip, "ReasmTimeout"),
        udp_no_ports: get(udp, "NoPorts"),
        udp_errors: get(udp, "InErrors"),
        udp_buffer_errors: get(udp, "RcvbufErrors"),
        udp_checksum_errors: get(udp, "InCsumErrors"),
    }
}

/// `Ip: Forwarding DefaultTTL`, then `Ip: 1 64`. A line of numbers that is cut off is not read: its
/// last number may be cut too.
fn pairs(text: &str) -> BTreeMap<(&str, &str), u64> {
    let mut read = BTreeMap::new();
    let mut header: Option<(&str, Vec<&str>)> = None;
    for line in text.lines().take(MOST) {
        let mut words = line.split_ascii_whitespace();
        let Some(protocol) = words.next() else { continue };
        let rest: Vec<&str> = words.take(MOST).collect();
        match header.take() {
            Some((of, names)) if of == protocol && names.len() == rest.len() => {
                let numbers = rest.iter().map(|digits| digits.parse().ok());
                let counted = names.iter().zip(numbers);
                read.extend(counted.filter_map(|(name, number)| Some(((protocol, *name), number?))));
            }
            _ => header = Some((protocol, rest)),
        }
    }
    read
}

/// `Ip6FragCreates   0`
fn single(text: &str) -> BTreeMap<(&str, &str), u64> {
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let line = |line: &'_ str| {
        let (name, digits) = line.split_once(|char: char| char.is_ascii_whitespace())?;
        let protocol = ["Udp6", "Ip6"].into_iter().find(|protocol| name.starts_with(protocol))?;
        Some(((protocol, name.len()), digits.trim().parse::<u64>().ok()?))
    };
    let read = whole.lines().take(MOST).filter_map(|text| {
        let ((protocol, length), number) = line(text)?;
        Some(((protocol, &text[protocol.len()..length]), number))
    });
    read.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SNMP: &str = include_str!("../../../tests/corpus/proc-net-snmp.txt");
    const SNMP6: &str = include_str!("../../../tests/corpus/proc-net-snmp6.txt");

    #[test]
    fn a_kernels_own_files() {
        let stack = stack(SNMP, SNMP6);
        assert_eq!(
            stack.v4,
            IpCounters {
                fragments_created: Some(4246),
                fragmented: Some(2123),
                fragmentation_failures: Some(7),
                fragments_received: Some(2042),
                reassemblies: Some(990),
                reassembly_failures: Some(31),
                reassembly_timeouts: Some(31),
                udp_no_ports: Some(12),
                udp_errors: Some(5),
                udp_buffer_errors: Some(4),
                udp_checksum_errors: Some(1),
            }
        );
        assert_eq!((stack.v6.fragments_created, stack.v6.udp_no_ports), (Some(6), Some(2)));
    }

    #[test]
    fn what_is_cut_off_or_odd_is_absent_and_never_smaller() {
        let whole = stack(SNMP, SNMP6);
        let same = |seen: Option<u64>, full: Option<u64>| seen.is_none() || seen == full;
        for text in [SNMP, SNMP6] {
            for cut in (0..text.len()).filter(|cut| text.is_char_boundary(*cut)) {
                let seen = stack(&text[..cut], &text[..cut]);
                for (seen, full) in [(seen.v4, whole.v4), (seen.v6, whole.v6)] {
                    assert!(same(seen.fragments_created, full.fragments_created), "{cut}");
                    assert!(same(seen.udp_no_ports, full.udp_no_ports), "{cut}");
                    assert!(same(seen.udp_checksum_errors, full.udp_checksum_errors), "{cut}");
                }
            }
        }
        for odd in
            ["", "Ip: FragCreates\nIp: -1\n", "Ip: FragCreates\nUdp: 4\n", "Ip: FragCreates NoPorts\nIp: 1\n"]
        {
            assert_eq!(stack(odd, odd), IpStack::default(), "{odd:?}");
        }
        assert_eq!(stack("", "Ip6FragCreates 18446744073709551615\n").v6.fragments_created, Some(u64::MAX));
    }
}
