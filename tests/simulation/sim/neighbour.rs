//! A host's neighbour table at work: who has no MAC for the other end sends nothing, however many packets it
//! is given, and asks once a second (Linux: net/core/neighbour.c; `mcast_solicit` and `ucast_solicit` 3).

use std::time::Duration;

use fastrand::Rng;

const TRIES: u32 = 3;
const BETWEEN: Duration = Duration::from_secs(1);
/// Reachable (a mean of 30 s, drawn anew between half and one and a half of it), then 5 s of delay.
const DELAY: Duration = Duration::from_secs(5);

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It leaves after waiting so long.
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
    /// Packets wait for this moment; then the answer is there, or all are dropped.
    ProbeMethod {
        until: Duration,
        found: bool,
    },
    /// Known; to be confirmed at this moment.
    Known {
        until: Duration,
    },
    /// Asked for confirmation in vain; packets go to the old address until then.
    Doomed {
        until: Duration,
    },
}

impl Neighbour {
    /// Nobody was ever spoken to.
    pub fn new() -> Self {
        Self { entry: Entry::None }
    }

    /// A packet is given to the host; a question or its answer is lost with this chance.
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
                    Entry::ProbeMethod { until, found: after.is_some() }
                }
                Entry::ProbeMethod { until, found } if now < until => {
                    return if found { Sent::After(until.saturating_sub(now)) } else { Sent::Dropped };
                }
                Entry::ProbeMethod { until, found: true } => Entry::Known { until: expiry(until, rng) },
                Entry::ProbeMethod { found: false, .. } | Entry::Doomed { .. } => Entry::None,
            };
        }
    }
}

/// After how long one of the questions is answered.
fn answered(loss: f64, rng: &mut Rng) -> Option<Duration> {
    (0..TRIES).find(|_| rng.f64() >= loss).map(|before| BETWEEN * before)
}

fn expiry(now: Duration, rng: &mut Rng) -> Duration {
    now + Duration::from_secs(15) + Duration::from_secs(30).mul_f64(rng.f64()) + DELAY
}
