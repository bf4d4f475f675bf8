//! Random loss: independent for each packet, or in bursts.
//!
//! Bursts follow the Gilbert-Elliott model: a good state without loss and a bad state with much,
//! each of random length. A bad state lasts one second at most: a longer total loss is an outage,
//! and only [`super::network::Network::down`] describes outages.

use std::time::Duration;

use fastrand::Rng;
use serde::Deserialize;

use super::bucket::exponential;

const LONGEST_BAD: f64 = 1.0;

/// How packets are lost.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Loss {
    /// Independent for each packet, with this chance, 0..1.
    Each(f64),
    Bursts(Bursts),
}

/// The two states of the Gilbert-Elliott model.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bursts {
    /// Mean seconds of the good state.
    pub good_seconds: f64,
    /// Mean seconds of the bad state.
    pub bad_seconds: f64,
    /// Loss of each packet in the bad state, 0..1.
    pub bad_loss: f64,
}

impl Default for Loss {
    fn default() -> Self {
        Self::Each(0.0)
    }
}

impl Loss {
    /// The mean loss, 0..1.
    pub fn mean(self) -> f64 {
        match self {
            Self::Each(loss) => loss,
            Self::Bursts(Bursts { good_seconds, bad_seconds, bad_loss }) => {
                bad_loss * bad_seconds / (good_seconds + bad_seconds)
            }
        }
    }
}

/// The state of a [`Loss`].
#[derive(Debug, Clone, Copy)]
pub struct Chance {
    loss: Loss,
    bad: bool,
    until: Duration,
}

impl Chance {
    /// Starts in the good state.
    pub fn new(loss: Loss, now: Duration) -> Self {
        Self { loss, bad: true, until: now }
    }

    /// Whether a packet that arrives at `now` is lost.
    pub fn loses(&mut self, now: Duration, rng: &mut Rng) -> bool {
        match self.loss {
            Loss::Each(loss) => loss > 0.0 && rng.f64() < loss,
            Loss::Bursts(bursts) => {
                while self.until <= now {
                    self.bad = !self.bad;
                    let mean = if self.bad { bursts.bad_seconds } else { bursts.good_seconds };
                    let lasts = exponential(1.0 / mean, rng);
                    let lasts = if self.bad { lasts.min(LONGEST_BAD) } else { lasts };
                    self.until += Duration::from_secs_f64(lasts.max(1e-4));
                }
                self.bad && rng.f64() < bursts.bad_loss
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_loses_as_much_as_it_says() {
        let bursts = Loss::Bursts(Bursts { good_seconds: 0.4, bad_seconds: 0.1, bad_loss: 0.9 });
        for loss in [Loss::Each(0.18), bursts] {
            let (mut chance, mut rng) = (Chance::new(loss, Duration::ZERO), Rng::with_seed(7));
            let lost =
                (0..200_000_u64).filter(|step| chance.loses(Duration::from_millis(step * 5), &mut rng));
            let share = f64::from(u32::try_from(lost.count()).unwrap()) / 200_000.0;
            assert!((share - loss.mean()).abs() < 0.01, "{loss:?}: {share}");
        }
    }
}
