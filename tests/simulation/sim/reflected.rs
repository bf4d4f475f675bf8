//! The size search of a reflector as `reflector::bench` runs it, without sockets: pairs in both
//! directions by turns, the stream of small segments beside them, new connections, and the
//! reflector's limits of 20 packets a second and 200 kB a minute.
//!
//! A kernel repeats a lost segment: at once if a later one was acknowledged, else after 200 ms and
//! then after twice as long each time. What arrives after the prober's timeout arrives late and
//! takes the loss back.

use std::time::Duration;

use fastrand::Rng;
use vxlan_exporter::{
    model::{family::Family, types::Direction},
    path::{
        hole::proof::Shot,
        reflection::{Large, SegmentPair, Sizes, size_hunt::SizeHunt},
    },
    reflector::connection_limits::{Allowance, SYN_ACK},
};

use super::{
    network::Way,
    way::{Crossing, Packet, WayState},
};

/// The network between a prober and its reflector.
#[derive(Debug, Clone, Default)]
pub struct Between {
    /// To the reflector.
    pub forward: Way,
    /// From the reflector.
    pub reverse: Way,
    /// The share of segments that take longer than the prober's timeout.
    pub late: f64,
}

const TOP: u32 = 1500;
const SMALL: u32 = 100;
const ROUND_TRIP: Duration = Duration::from_millis(10);
const PATIENCE: Duration = Duration::from_millis(200);
const STREAM: Duration = Duration::from_millis(400);
/// How long the greeting of a new connection takes: three round trips.
const FRESH: Duration = Duration::from_millis(30);
/// How long a stuck connection is kept.
const LATE: Duration = Duration::from_secs(2);

struct OneHunt {
    direction: Direction,
    hunt: SizeHunt,
    /// When a large segment that was counted as lost arrives after all.
    late: Vec<(Duration, Shot)>,
}

/// One play of it.
pub struct Play<'a> {
    between: &'a Between,
    ways: [WayState; 2],
    allowance: Allowance,
    rng: Rng,
    now: Duration,
    next_small: Duration,
}

impl<'a> Play<'a> {
    /// Plays for this long; `see` gets the result of each direction after each pair.
    pub fn run(
        between: &'a Between,
        seed: u64,
        lasts: Duration,
        mut see: impl FnMut(Duration, Direction, &Sizes),
    ) {
        let zero = Duration::ZERO;
        let ways = [WayState::new(&between.forward, zero), WayState::new(&between.reverse, zero)];
        let rng = Rng::with_seed(seed);
        let mut play =
            Self { between, ways, allowance: Allowance::default(), rng, now: zero, next_small: zero };
        let hunt = |direction| OneHunt { direction, hunt: SizeHunt::new(Family::V4, TOP), late: Vec::new() };
        let mut hunts = [hunt(Direction::Forward), hunt(Direction::Reverse)];
        play.open();
        while play.now < lasts {
            let due = |one: &OneHunt| one.hunt.due_at().max(play.now);
            let first = hunts.iter_mut().min_by_key(|one| (due(one), one.hunt.asked_at()));
            let Some(one) = first else { return };
            play.stream_until(due(one));
            play.pair(one);
            for one in &mut hunts {
                let now = play.now;
                let (come, waits): (Vec<_>, Vec<_>) = one.late.iter().partition(|(at, _)| *at <= now);
                one.late = waits;
                for (_, shot) in come {
                    one.hunt.late(shot, now);
                }
                see(now, one.direction, &one.hunt.sizes());
            }
        }
    }

    /// Sends the small segments of the stream in both directions, up to that moment.
    fn stream_until(&mut self, until: Duration) {
        while self.next_small <= until {
            self.now = self.now.max(self.next_small);
            self.allowance.charge(&[SMALL], self.now);
            self.crosses(Direction::Forward, SMALL, self.now);
            self.crosses(Direction::Reverse, SMALL, self.now);
            self.next_small += STREAM;
        }
        self.now = self.now.max(until);
    }

    fn pay(&mut self, sizes: &[u32]) {
        while let Err(wait) = self.allowance.take(sizes, self.now) {
            self.stream_until(self.now + wait.max(Duration::from_millis(1)));
        }
    }

    fn open(&mut self) {
        self.pay(&[SYN_ACK, SMALL]);
        for size in [60, 500, 500] {
            self.crosses(Direction::Forward, size, self.now);
        }
        for size in [60, SMALL] {
            self.crosses(Direction::Reverse, size, self.now);
        }
        self.now += FRESH;
    }

    fn crosses(&mut self, direction: Direction, size: u32, at: Duration) -> bool {
        let (way, state) = match direction {
            Direction::Forward => (&self.between.forward, &mut self.ways[0]),
            _ => (&self.between.reverse, &mut self.ways[1]),
        };
        let packet = Packet { size, df: true, flow: Some(0) };
        matches!(state.cross(way, Family::V4, packet, at, &mut self.rng), Crossing::Through { .. })
    }

    fn pair(&mut self, one: &mut OneHunt) {
        let size = one.hunt.size();
        if one.direction == Direction::Forward {
            self.pay(&[SMALL; 2]);
        } else {
            self.pay(&[size, SMALL]);
        }
        let sent = self.now;
        let large_first = self.rng.bool();
        let mut arrived = [false; 2];
        for is_large in [large_first, !large_first] {
            let size = if is_large { size } else { SMALL };
            arrived[usize::from(is_large)] = self.crosses(one.direction, size, sent);
        }
        let [mut control, mut large] = arrived;
        // Repeated at once only if what was sent after it was acknowledged.
        if large_first && control && !large {
            large = self.crosses(one.direction, size, sent + ROUND_TRIP);
        } else if !large_first && large && !control {
            control = self.crosses(one.direction, SMALL, sent + ROUND_TRIP);
        }
        let is_late = large && self.rng.f64() < self.between.late;
        let told = if large && !is_late { Large::Passed } else { Large::Lost };
        let shot = one.hunt.resolve(SegmentPair { large: told, control }, sent);
        if told == Large::Passed && control {
            self.now = sent + ROUND_TRIP;
            return;
        }
        if is_late {
            one.late.push((sent + 2 * PATIENCE, shot));
        } else if !large {
            // Repeated while the connection is kept.
            let repeats = [PATIENCE, 3 * PATIENCE, 7 * PATIENCE].into_iter().filter(|after| *after < LATE);
            for after in repeats {
                if self.crosses(one.direction, size, sent + after) {
                    one.late.push((sent + after + ROUND_TRIP, shot));
                    break;
                }
            }
        }
        self.stream_until(sent + PATIENCE);
        self.open();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::{
        bucket::Policer,
        loss::{Bursts, Loss},
        network::Bottleneck,
    };

    const LASTS: Duration = Duration::from_mins(3);

    /// Checks that no direction of a network without a hole is ever reported with one.
    fn is_whole(between: &Between, seed: u64) {
        Play::run(between, seed, LASTS, |at, direction, sizes| {
            assert!(
                !matches!(sizes, Sizes::Silent { .. }),
                "seed {seed}: {direction} after {at:?}: {sizes:?}\n{between:?}"
            );
        });
    }

    fn both(make: impl Fn() -> Way) -> [Between; 2] {
        [Between { forward: make(), ..Between::default() }, Between { reverse: make(), ..Between::default() }]
    }

    #[test]
    fn no_byte_policer_is_a_hole_either_way() {
        for seed in 0..150 {
            let mut rng = Rng::with_seed(seed);
            let bytes_per_second = 2000.0 * 1000_f64.powf(rng.f64());
            let bucket = 1500.0 + rng.f64() * 20_000.0;
            let policer = Policer { bytes_per_second, bucket, overload: rng.f64() * 6.0 };
            for between in both(|| Way { policer: Some(policer), ..Way::default() }) {
                is_whole(&between, seed);
            }
        }
    }

    #[test]
    fn neither_loss_nor_bursts_nor_late_segments_are_a_hole() {
        for seed in 0..60 {
            let mut rng = Rng::with_seed(seed);
            let each = Loss::Each(rng.f64() * 0.4);
            let bursts = Loss::Bursts(Bursts {
                good_seconds: 0.05 + rng.f64(),
                bad_seconds: 0.05 + rng.f64() * 0.5,
                bad_loss: 0.5 + rng.f64() / 2.0,
            });
            for loss in [each, bursts] {
                for between in both(|| Way { loss, ..Way::default() }) {
                    is_whole(&Between { late: rng.f64() * 0.9, ..between }, seed);
                }
            }
        }
    }

    #[test]
    fn every_hole_is_found_to_the_byte_within_two_minutes_in_its_direction_only() {
        for seed in 0..40 {
            let mut rng = Rng::with_seed(seed);
            let edge = rng.u32(200..1500);
            let loss = Loss::Each(if seed % 2 == 0 { 0.0 } else { 0.05 });
            for (of, between) in [Direction::Forward, Direction::Reverse].into_iter().zip(both(|| Way {
                loss,
                bottlenecks: vec![Bottleneck::silent(edge)],
                ..Way::default()
            })) {
                let mut last = Sizes::Starting;
                Play::run(&between, seed, Duration::from_mins(2), |_, direction, sizes| {
                    if direction == of {
                        last = sizes.clone();
                    } else {
                        assert!(!matches!(sizes, Sizes::Silent { .. }), "seed {seed}: {sizes:?}");
                    }
                });
                let exact = matches!(last, Sizes::Silent { answered, exact: true, .. } if answered == edge);
                assert!(exact, "seed {seed}, {of}, edge {edge}: {last:?}");
            }
        }
    }
}
