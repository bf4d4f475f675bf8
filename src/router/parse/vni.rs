//! `bridge -j -s vni show`: the VNIs of devices with a VNI filter (VyOS 1.4 and later), and their
//! counters.

use std::{cell::RefCell, collections::BTreeMap};

use serde_json::Value;

use super::{
    Object, ParseError,
    counters::{Counter, PrintedCounters},
    each_taking, field, word,
};
use crate::{
    model::{
        snapshot::Counters,
        types::{DroppedKind, InterfaceName, Vni},
        vnis::VniSet,
    },
    router::bounds,
};

const COMMAND: &str = "bridge -j -s vni show";

/// The VNI filter of one device.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct VniFilter {
    /// The VNIs that it lets through.
    pub vnis: VniSet,
    /// Counters of single VNIs; printed only with `-s`, and not for ranges.
    pub counters: BTreeMap<Vni, Counters>,
}

/// The filter of each device. Empty output means that no device has one.
pub(crate) fn filters(output: &str) -> Result<BTreeMap<InterfaceName, VniFilter>, ParseError> {
    if output.trim().is_empty() {
        return Ok(BTreeMap::new());
    }
    let filling = RefCell::new(Filling::default());
    let mut take = |key: &str, range: &Value| {
        let mine = key == "vnis";
        if let Some(range) = range.as_object().filter(|_| mine) {
            filling.borrow_mut().take(range);
        }
        mine && range.is_object()
    };
    let (mut have, most) = (0, bounds::limits().max_interfaces);
    let devices = each_taking(COMMAND, output, &mut take, |object| {
        let read = std::mem::take(&mut filling.borrow_mut().device);
        // Elements of a list of objects were taken while parsing; anything left is an error.
        field::<Vec<Object>>(object, "vnis")?;
        let Some(name) = word(object, "ifname")?.and_then(InterfaceName::new) else { return Ok(None) };
        let Device { ranges, counters, failed } = read;
        if let Some(error) = failed {
            return Err(error);
        }
        if !bounds::admits(DroppedKind::Interface, have, most) {
            return Ok(None);
        }
        have += 1;
        Ok(Some((name, VniFilter { vnis: VniSet::of_ranges(ranges), counters })))
    })?;
    Ok(devices.into_iter().collect())
}

/// What has been read of all filters. Elements are not kept, as they may be more than all other
/// output.
#[derive(Debug, Default)]
struct Filling {
    device: Device,
    ranges: usize,
    counted: usize,
}

/// What has been read of the filter of one device.
#[derive(Debug, Default)]
struct Device {
    ranges: Vec<(u32, u32)>,
    counters: BTreeMap<Vni, Counters>,
    failed: Option<String>,
}

impl Filling {
    fn take(&mut self, range: &Object) {
        if let Err(error) = self.read(range) {
            self.device.failed.get_or_insert(error);
        }
    }

    fn read(&mut self, range: &Object) -> Result<(), String> {
        let Some(first) = field::<u32>(range, "vni")? else { return Ok(()) };
        let last = field(range, "vniEnd")?.unwrap_or(first);
        if !bounds::admits(DroppedKind::Vni, self.ranges, bounds::MOST_VNI_RANGES) {
            return Ok(());
        }
        self.ranges += 1;
        self.device.ranges.push((first, last));
        let counters = counters(range)?;
        if first == last
            && counters != Counters::default()
            && bounds::admits(DroppedKind::Vni, self.counted, bounds::MOST_VNI_COUNTERS)
        {
            self.counted += 1;
            self.device.counters.insert(Vni(first), counters);
        }
        Ok(())
    }
}

fn counters(range: &Object) -> Result<Counters, String> {
    let stats: Object = field(range, "stats")?.unwrap_or_default();
    let mut printed = PrintedCounters::default();
    for (counter, key) in [
        (Counter::RxBytes, "rx_bytes"),
        (Counter::RxPackets, "rx_pkts"),
        (Counter::RxErrors, "rx_errors"),
        (Counter::RxDropped, "rx_drops"),
        (Counter::TxBytes, "tx_bytes"),
        (Counter::TxPackets, "tx_pkts"),
        (Counter::TxErrors, "tx_errors"),
        (Counter::TxDropped, "tx_drops"),
    ] {
        printed.put_field(counter, &stats, key)?;
    }
    Ok(printed.believe(false).0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The filter of a device whose list holds this text.
    fn filter(element: &str) -> Result<VniFilter, ParseError> {
        let read = filters(&format!(r#"[{{"ifname":"vxlan02","vnis":[{element}]}}]"#))?;
        Ok(read[&InterfaceName::from("vxlan02")].clone())
    }

    #[test]
    fn single_vnis_and_ranges() {
        let read = filter(r#"{"vni":100,"vniEnd":102},{"vni":200,"remote":"10.10.0.1","stats":{}}"#).unwrap();
        assert_eq!(read.vnis, VniSet::of_ranges([(100, 102), (200, 200)]));
        assert!(read.counters.is_empty());
        assert!(filters("\n").unwrap().is_empty() && filters("[]").unwrap().is_empty());
    }

    #[test]
    fn what_each_vni_counted() {
        let read = filter(
            r#"{"vni":100,"stats":{"rx_bytes":75000,"rx_pkts":50,"rx_drops":1,"rx_errors":2,
                                   "tx_bytes":18446744073709551615,"tx_pkts":51,"tx_drops":3,"tx_errors":4}},
               {"vni":101,"stats":{"rx_pkts":7,"rx_bytes":-1}},
               {"vni":102},{"vni":103,"vniEnd":104,"stats":{"rx_pkts":9}}"#,
        )
        .unwrap();
        assert_eq!(read.vnis, VniSet::of_ranges([(100, 104)]));
        let whole = Counters {
            rx_bytes: Some(75000),
            rx_packets: Some(50),
            rx_dropped: Some(1),
            rx_errors: Some(2),
            tx_bytes: Some(u64::MAX),
            tx_packets: Some(51),
            tx_dropped: Some(3),
            tx_errors: Some(4),
            ..Counters::default()
        };
        // A number that cannot be a counter is left out, as in a device's counters.
        let part = Counters { rx_packets: Some(7), ..Counters::default() };
        assert_eq!(read.counters, BTreeMap::from([(Vni(100), whole), (Vni(101), part)]));
    }

    #[test]
    fn a_string_is_no_counter() {
        let error = filter(r#"{"vni":100,"stats":{"tx_pkts":"many"}}"#).unwrap_err().to_string();
        let words = r#"element 1 (vxlan02): field `tx_pkts`: expected a number, saw `"many"`"#;
        assert!(error.contains(words), "{error}");
        assert!(filter(r#"{"vni":100,"stats":7}"#).is_err());
    }
}
