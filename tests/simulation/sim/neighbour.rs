//! A host's neighbour table: without a MAC for the other end the host sends nothing, however many
//! packets it is given, and asks once a second (Linux: net/core/neighbour.c; `mcast_solicit` and
//! `ucast_solicit` 3).

use std::time::Duration;

use fastrand::Rng;

const TRIES: u32 = 3;
const BETWEEN: Duration = Duration::from_secs(1);
/// An entry is reachable for a random time (mean 30 s, drawn between half and one and a half of
/// that), then 5 s in the delay state.
const DELAY: Duration = Duration::from_secs(5);

/// What happens to a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It leaves after this wait.
    After(Duration),
    /// It waited in vain.
    Dropped,
}

/// One host's entry for the other.
#[derive(Debug, Clone)]
pub struct Neighbour {
    entry: Entry,
}

#[derive(Debug, Clone, Copy)]
enum Entry {
    None,
    /// Packets wait for this moment; then the answer has come, or all are dropped.
    Requested {
        until: Duration,
        found: bool,
    },
    /// The MAC is known; it must be confirmed at this moment.
    Known {
        until: Duration,
    },
    /// The confirmation failed; packets go to the old MAC until then.
    Doomed {
        until: Duration,
    },
}

impl Neighbour {
    /// Starts without an entry.
    pub fn new() -> Self {
        Self { entry: Entry::None }
    }

    /// Gives a packet to the host; each question or answer is lost with this chance.
    pub fn send(&mut self, now: Duration, loss: f64, rng: &mut Rng) -> Sent {
        loop {
            self.entry = match self.entry {
                Entry::Known { until } if now < until => return Sent::After(Duration::ZERO),
                Entry::Known { until } => match answered(loss, rng) {
                    Some(after) => Entry::Known { until: expiry(until + after, rng) },
                    None => Entry::Doomed { until: until + BETWEEN * TRIES },
                },
                Entry::Doomed { until } if now < until => return Sent::After(Duration::ZERO),
                Entry::None => {
                    let after = answered(loss, rng);
                    let until = now + after.unwrap_or(BETWEEN * TRIES);
                    Entry::Requested { until, found: after.is_some() }
                }
                Entry::Requested { until, found } if now < until => {
                    return if found { Sent::After(until.saturating_sub(now)) } else { Sent::Dropped };
                }
                Entry::Requested { until, found: true } => Entry::Known { until: expiry(until, rng) },
                Entry::Requested { found: false, .. } | Entry::Doomed { .. } => Entry::None,
            };
        }
    }
}

/// How long it takes until one of the questions is answered.
fn answered(loss: f64, rng: &mut Rng) -> Option<Duration> {
    (0..TRIES).find(|_| rng.f64() >= loss).map(|before| BETWEEN * before)
}

fn expiry(now: Duration, rng: &mut Rng) -> Duration {
    now + Duration::from_secs(15) + Duration::from_secs(30).mul_f64(rng.f64()) + DELAY
}
