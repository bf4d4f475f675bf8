//! Which printed numbers are counters, and which of them can be believed, for all sources.
//!
//! VyOS's op-mode prints the kernel's counters minus their values at the last
//! `clear interfaces counters`. Those values are saved in a file that outlives the device. VyOS
//! re-creates a vxlan device when its VNI, remote or port changes, and the kernel's counters
//! restart. From then on (`_get_counter_val` in vyos-1x, measured on 1.5):
//! - a 64-bit kernel counter minus the saved one is **negative**: `tx_bytes -4960384592`;
//! - a counter below 2^32 and below the saved one gets **2^32 added**, as if it had wrapped:
//!   `rx_bytes 3079300578` after 24 kB.
//!
//! So these are not believed:
//! - anything but a whole number of 0 to 2^64-1, from any source;
//! - after a clear, a number in 2^31..2^32, where a small counter lands when 2^32 is added. This
//!   also loses true counts of 2 to 4 GB since the clear; nothing in the text tells them apart;
//! - after a clear, bytes below 2^32 that the packets beside them could not have carried (a counter
//!   that was saved between 2^31 and 2^32 lands lower), and bytes beside packets that are not
//!   believed, as both restart together.
//!
//! Without a clear nothing was subtracted, so the kernel's number is kept, up to 2^64-1.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Object, excerpt};
use crate::model::snapshot::Counters;

/// The number that `_get_counter_val` adds.
const WRAP: u64 = 1 << 32;
/// The largest packet that Linux counts as one, in bytes: `GSO_MAX_SIZE` of BIG TCP, plus a header.
const LARGEST_PACKET: u64 = (8 << 16) + 100;

/// The name of a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Counter {
    RxBytes,
    RxPackets,
    RxErrors,
    RxDropped,
    RxLengthErrors,
    RxOverErrors,
    RxMissedErrors,
    RxMulticast,
    TxBytes,
    TxPackets,
    TxErrors,
    TxDropped,
    TxCarrierErrors,
    TxCollisions,
}

/// Counters as printed; `None` stands for a number that cannot be a counter.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct PrintedCounters(BTreeMap<Counter, Option<u64>>);

impl PrintedCounters {
    /// Adds a number from a table.
    pub(super) fn put(&mut self, counter: Counter, digits: &str) {
        self.0.insert(counter, digits.parse().ok());
    }

    /// Adds the number under `key` in JSON: absent or null adds nothing, anything but a number is
    /// an error.
    pub(super) fn put_field(&mut self, counter: Counter, side: &Object, key: &str) -> Result<(), String> {
        match side.get(key) {
            None | Some(Value::Null) => {}
            Some(Value::Number(number)) => {
                self.0.insert(counter, number.as_u64());
            }
            Some(other) => {
                let seen = other.to_string();
                return Err(format!("field `{key}`: expected a number, saw `{}`", excerpt(&seen)));
            }
        }
        Ok(())
    }

    /// The counters that can be believed, and whether any printed one cannot.
    pub(super) fn believe(mut self, since_clear: bool) -> (Counters, bool) {
        if since_clear {
            for count in self.0.values_mut() {
                *count = count.filter(|count| !(WRAP / 2..WRAP).contains(count));
            }
            self.doubt_bytes(Counter::RxBytes, Counter::RxPackets);
            self.doubt_bytes(Counter::TxBytes, Counter::TxPackets);
        }
        let get = |counter| self.0.get(&counter).copied().flatten();
        let counters = Counters {
            rx_bytes: get(Counter::RxBytes),
            rx_packets: get(Counter::RxPackets),
            rx_errors: get(Counter::RxErrors),
            rx_dropped: get(Counter::RxDropped),
            rx_length_errors: get(Counter::RxLengthErrors),
            rx_over_errors: get(Counter::RxOverErrors),
            rx_missed_errors: get(Counter::RxMissedErrors),
            rx_multicast: get(Counter::RxMulticast),
            tx_bytes: get(Counter::TxBytes),
            tx_packets: get(Counter::TxPackets),
            tx_errors: get(Counter::TxErrors),
            tx_dropped: get(Counter::TxDropped),
            tx_carrier_errors: get(Counter::TxCarrierErrors),
            tx_collisions: get(Counter::TxCollisions),
        };
        (counters, self.0.values().any(Option::is_none))
    }

    fn doubt_bytes(&mut self, bytes: Counter, packets: Counter) {
        let Some(packets) = self.0.get(&packets).copied() else { return };
        let Some(count) = self.0.get_mut(&bytes) else { return };
        let possible = |bytes: u64| {
            packets.is_some_and(|packets| bytes >= WRAP || bytes <= packets.saturating_mul(LARGEST_PACKET))
        };
        *count = count.filter(|bytes| possible(*bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(bytes: &str, packets: &str, since_clear: bool) -> (Option<u64>, Option<u64>, bool) {
        let mut printed = PrintedCounters::default();
        printed.put(Counter::RxBytes, bytes);
        printed.put(Counter::RxPackets, packets);
        let (counters, suspicious) = printed.believe(since_clear);
        (counters.rx_bytes, counters.rx_packets, suspicious)
    }

    #[test]
    fn without_a_clear_the_kernels_number_stands() {
        let max = "18446744073709551615";
        assert_eq!(received(max, "1", false), (Some(u64::MAX), Some(1), false));
        assert_eq!(received("3079300578", "61", false), (Some(3_079_300_578), Some(61), false));
        assert_eq!(received("18446744073709551616", "1", false), (None, Some(1), true));
        assert_eq!(received("-1", "1", false), (None, Some(1), true));
    }

    #[test]
    fn after_a_clear_phantoms_are_left_out_and_small_counts_stay() {
        assert_eq!(received("684", "3", true), (Some(684), Some(3), false));
        assert_eq!(received("-4960384592", "38", true), (None, Some(38), true));
        assert_eq!(received("3079300578", "61", true), (None, Some(61), true));
        // Saved at 4,000,000,000: more bytes than 61 packets can carry.
        assert_eq!(received("294991672", "61", true), (None, Some(61), true));
        assert_eq!(received("4376", "0", true), (None, Some(0), true));
        assert_eq!(received("4376", "4293001265", true), (None, None, true));
        assert_eq!(received("9000000000", "7000000", true), (Some(9_000_000_000), Some(7_000_000), false));
    }
}
