//! VyOS's `interfaces.py show --raw`: nearly `ip -j addr show`, with counters that count from the last
//! `clear interfaces counters` and no vxlan settings.
//!
//! One interface is a list on VyOS 1.4 and an object on 1.5. Where the device was re-created after a clear,
//! VyOS prints negative counters (measured: `tx_bytes` -4960384592); that is an error here, not a number.

use super::{Object, ParseError, each, field, link, text};
use crate::router::snapshot::{Counters, Link};

const COMMAND: &str = "interfaces.py show --raw";

/// A link as op-mode tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct RawLink {
    /// The link; its `vxlan` part is always absent.
    pub link: Link,
    /// When the counters were last cleared, in seconds since 1970; 0 is never.
    pub last_clear: Option<u64>,
}

/// All links that VyOS printed.
pub fn links(output: &str) -> Result<Vec<RawLink>, ParseError> {
    each(COMMAND, output, read)
}

fn read(object: &Object) -> Result<Option<RawLink>, String> {
    let Some(mut link) = link::base(object)? else { return Ok(None) };
    link.description = text(object, "description")?.or(link.description);
    let stats: Object = field(object, "stats")?.ok_or("it has no counters (`stats`)")?;
    let must = |key: &str| field(&stats, key)?.ok_or_else(|| format!("no counter `{key}`"));
    link.counters = Counters {
        rx_bytes: must("rx_bytes")?,
        rx_packets: must("rx_packets")?,
        rx_errors: must("rx_errors")?,
        rx_dropped: must("rx_dropped")?,
        rx_over_errors: must("rx_over_errors")?,
        rx_missed_errors: None,
        rx_multicast: must("multicast")?,
        tx_bytes: must("tx_bytes")?,
        tx_packets: must("tx_packets")?,
        tx_errors: must("tx_errors")?,
        tx_dropped: must("tx_dropped")?,
        tx_carrier_errors: must("tx_carrier_errors")?,
        tx_collisions: must("collisions")?,
    };
    Ok(Some(RawLink { link, last_clear: field(object, "counters_last_clear")? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_negative_counter_is_an_error() {
        let error =
            links(r#"{"ifname":"vxlan01","stats":{"rx_bytes":-4960384592}}"#).unwrap_err().to_string();
        assert!(error.contains("element 1 (vxlan01): field `rx_bytes`"), "{error}");
    }
}
