//! How much one peer was sent within the last minute. Pure.
//!
//! Both limits apply to every window, not on average: no second with more than 20 packets, no
//! minute with more than 200 kB. Counted are the packets that the reflector sends: the SYN-ACK of
//! each connection and every segment with data. The kernel's bare acknowledgements are not counted,
//! as they answer the peer's own packets.

use std::{collections::VecDeque, time::Duration};

use crate::{model::types::Bytes, path::probe::Moment};

/// Packets per second to one peer.
pub const PACKETS: usize = 20;
/// Bytes of IP packet per minute to one peer.
pub const BYTES: Bytes = 200_000;
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);

/// What was sent to one peer within the last minute.
#[derive(Debug, Clone, Default)]
pub struct Allowance {
    packets: VecDeque<Moment>,
    bytes: VecDeque<(Moment, Bytes)>,
    sum: Bytes,
}

impl Allowance {
    /// Charges packets of these sizes (bytes of IP packet), or returns how long to wait.
    pub fn take(&mut self, sizes: &[Bytes], now: Moment) -> Result<(), Duration> {
        self.forget(now);
        let wait = self.wait(sizes, now);
        if !wait.is_zero() {
            return Err(wait);
        }
        self.charge(sizes, now);
        Ok(())
    }

    /// Charges packets that were already sent.
    pub fn charge(&mut self, sizes: &[Bytes], now: Moment) {
        for size in sizes {
            self.packets.push_back(now);
            self.bytes.push_back((now, *size));
            self.sum = self.sum.saturating_add(*size);
        }
        while self.packets.len() > PACKETS {
            self.packets.pop_front();
        }
    }

    fn wait(&self, sizes: &[Bytes], now: Moment) -> Duration {
        let until = |at: Moment, window: Duration| (at + window).saturating_sub(now);
        let excess = (self.packets.len() + sizes.len()).saturating_sub(PACKETS);
        let for_packets = match excess.checked_sub(1) {
            Some(last) => self.packets.get(last).map_or(SECOND, |at| until(*at, SECOND)),
            None => Duration::ZERO,
        };
        let mut over = (self.sum + sizes.iter().sum::<Bytes>()).saturating_sub(BYTES);
        let mut for_bytes = Duration::ZERO;
        for (at, size) in &self.bytes {
            if over == 0 {
                break;
            }
            over = over.saturating_sub(*size);
            for_bytes = until(*at, MINUTE);
        }
        for_packets.max(for_bytes)
    }

    /// Whether nothing was charged within the last minute.
    pub(crate) fn is_unused(&mut self, now: Moment) -> bool {
        self.forget(now);
        self.bytes.is_empty()
    }

    fn forget(&mut self, now: Moment) {
        while self.packets.front().is_some_and(|at| now.saturating_sub(*at) >= SECOND) {
            self.packets.pop_front();
        }
        while let Some((at, size)) = self.bytes.front().copied()
            && now.saturating_sub(at) >= MINUTE
        {
            self.bytes.pop_front();
            self.sum = self.sum.saturating_sub(size);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    proptest! {
        /// A peer that asks as often as possible, with waits of the given length or shorter, never
        /// gets more in any window.
        #[test]
        fn no_window_holds_more(steps in prop::collection::vec((60..1500_u32, 1..3_usize, 0..80_u32), 1..900)) {
            let mut allowance = Allowance::default();
            let mut now = Duration::ZERO;
            let mut sent: Vec<(Moment, Bytes)> = Vec::new();
            for (size, count, pause) in steps {
                let sizes = vec![size; count];
                match allowance.take(&sizes, now) {
                    Ok(()) => sent.extend(sizes.iter().map(|size| (now, *size))),
                    Err(wait) => {
                        prop_assert!(wait <= MINUTE);
                        now += wait;
                        prop_assert_eq!(allowance.take(&sizes, now), Ok(()));
                        sent.extend(sizes.iter().map(|size| (now, *size)));
                    }
                }
                now += MS * pause;
            }
            for (index, (at, _)) in sent.iter().enumerate() {
                let within = |window: Duration| {
                    sent[index..].iter().take_while(move |(other, _)| other.saturating_sub(*at) < window)
                };
                prop_assert!(within(SECOND).count() <= PACKETS);
                prop_assert!(within(MINUTE).map(|(_, size)| size).sum::<Bytes>() <= BYTES);
            }
        }
    }
}
