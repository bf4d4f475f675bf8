//! Whether a connection has paid for what the reflector is about to send. Pure.
//!
//! Bytes are counted as IP packets. Income: the payload that was read and a header for each segment
//! received. Expenses: what was written, retransmissions (each counted as the largest segment still
//! unacknowledged), and a header for each bare acknowledgement. The handshake is in neither, as SYN
//! and SYN-ACK are equally long.
//!
//! Before something is sent, it and one retransmission of its largest segment must be paid for.
//! While it is unacknowledged, the next retransmission must be paid for; otherwise the connection
//! is reset before the kernel's timer (at least 200 ms, Linux's `TCP_RTO_MIN`) sends it.

use super::segment::Tcp;
use crate::model::types::Bytes;

/// Cost of ending a connection: a reset, in bytes of IP packet.
const RESET: u64 = 60;

/// One connection's account.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    read: u64,
    written: u64,
    repeated: u64,
    repeats_seen: u32,
    /// The largest segment since everything was acknowledged, in bytes of IP packet.
    largest: u64,
}

impl Ledger {
    /// Records that this many bytes of payload have been read.
    pub(crate) fn read(&mut self, bytes: usize) {
        self.read += bytes as u64;
    }

    /// Whether packets of these sizes (bytes of IP packet) may be sent.
    #[must_use]
    pub(crate) fn covers(&self, sizes: &[Bytes], tcp: &Tcp) -> bool {
        let sum: u64 = sizes.iter().map(|size| u64::from(*size)).sum();
        let largest = sizes.iter().map(|size| u64::from(*size)).max().unwrap_or(0);
        self.spent(tcp) + sum + largest.max(self.largest) + RESET <= self.paid(tcp)
    }

    /// Records that packets of these sizes (bytes of IP packet) have been handed to the kernel.
    pub(crate) fn wrote(&mut self, sizes: &[Bytes]) {
        for size in sizes.iter().map(|size| u64::from(*size)) {
            self.written += size;
            self.largest = self.largest.max(size);
        }
    }

    /// Updates the retransmissions from the kernel's counters. `false` means that the next
    /// retransmission is not paid for.
    pub(crate) fn observe(&mut self, tcp: &Tcp) -> bool {
        self.repeated += u64::from(tcp.retransmitted.wrapping_sub(self.repeats_seen)) * self.largest;
        self.repeats_seen = tcp.retransmitted;
        if tcp.unacknowledged == 0 {
            self.largest = 0;
            return true;
        }
        self.spent(tcp) + self.largest + RESET <= self.paid(tcp)
    }

    fn paid(&self, tcp: &Tcp) -> u64 {
        self.read + u64::from(tcp.segments_received) * u64::from(tcp.header)
    }

    fn spent(&self, tcp: &Tcp) -> u64 {
        let bare = tcp.segments_sent.saturating_sub(tcp.data_sent);
        self.written + self.repeated + u64::from(bare) * u64::from(tcp.header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(segments_received: u32, unacknowledged: u32, retransmitted: u32) -> Tcp {
        Tcp { header: 52, segments_received, unacknowledged, retransmitted, ..Tcp::default() }
    }

    #[test]
    fn nothing_is_sent_that_is_not_paid_for_with_one_retransmission() {
        let mut ledger = Ledger::default();
        ledger.read(3000);
        assert!(ledger.covers(&[1500, 100], &tcp(7, 0, 0)));
        assert!(!ledger.covers(&[1500, 400], &tcp(7, 0, 0)));
    }

    #[test]
    fn an_unacknowledged_segment_is_given_up_before_its_second_retransmission() {
        let mut ledger = Ledger::default();
        ledger.read(3000);
        ledger.wrote(&[1500, 100]);
        assert!(ledger.observe(&tcp(7, 2, 0)));
        assert!(!ledger.observe(&tcp(7, 2, 1)));
    }
}
