//! VyOS's `interfaces.py show --raw`: nearly `ip -j addr show`, but its counters start at the last
//! `clear interfaces counters` and it has no vxlan settings.
//!
//! For one interface it prints a list on VyOS 1.4 and an object on 1.5. For a missing interface it
//! prints `[]` on 1.4; 1.5 prints `Interface vxlan77 does not exist` instead of JSON. Which
//! counters can be believed: `counters.rs`.

use super::{
    Object, ParseError,
    counters::{Counter, PrintedCounters},
    each, field, is_misnamed, link,
    links::{Links, ReadLink},
    text,
};
use crate::{
    model::{snapshot::Link, types::DroppedKind},
    router::bounds,
};

const COMMAND: &str = "interfaces.py show --raw";

/// All links that VyOS printed. A configured link without a device (`pppoe0`) has no counters.
pub fn links(output: &str) -> Result<Links, ParseError> {
    let (mut left_out, mut have, most) = (0, 0, bounds::limits().max_interfaces);
    let links = each(COMMAND, output, |object| {
        left_out += u64::from(is_misnamed(object));
        if !bounds::admits(DroppedKind::Interface, have, most) {
            return Ok(None);
        }
        let link = read(object)?;
        have += usize::from(link.is_some());
        Ok(link)
    })?;
    Ok(Links { read: links, incomplete: Vec::new(), left_out })
}

fn read(object: &Object) -> Result<Option<ReadLink>, String> {
    let Some(mut link) = link::base(object)? else { return Ok(None) };
    link.description = text(object, "description")?.or(link.description);
    let last_clear_unix: Option<u64> = field(object, "counters_last_clear")?;
    let stats: Object = field(object, "stats")?.unwrap_or_default();
    let mut printed = PrintedCounters::default();
    for (counter, key) in [
        (Counter::RxBytes, "rx_bytes"),
        (Counter::RxPackets, "rx_packets"),
        (Counter::RxErrors, "rx_errors"),
        (Counter::RxDropped, "rx_dropped"),
        (Counter::RxOverErrors, "rx_over_errors"),
        (Counter::RxMulticast, "multicast"),
        (Counter::TxBytes, "tx_bytes"),
        (Counter::TxPackets, "tx_packets"),
        (Counter::TxErrors, "tx_errors"),
        (Counter::TxDropped, "tx_dropped"),
        (Counter::TxCarrierErrors, "tx_carrier_errors"),
        (Counter::TxCollisions, "collisions"),
    ] {
        printed.put_field(counter, &stats, key)?;
    }
    let (counters, suspicious) = printed.believe(last_clear_unix.is_some_and(|time| time != 0));
    let link = Link { counters, ..link };
    Ok(Some(ReadLink { link, suspicious, last_clear_unix, last_clear: None }))
}
