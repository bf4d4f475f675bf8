//! A leg of the underlay as routers measure it by pings (`router::legs`), without routers: turns
//! between scrapes, pings with DF in pairs, replies without. The size machine is that of every other
//! probe method; here it is asked through pings that are 200 ms apart.

use std::time::{Duration, Instant};

use fastrand::Rng;
use vxlan_exporter::{
    model::{
        family::Family,
        leg::{LegAsk, LegReading},
    },
    router::legs::{Legs, NotAsked, PingPairs, PingReplies, Question, TURN},
};

use super::{
    bucket::{Bucket, Limit},
    network::Way,
    way::{Crossing, Packet, WayState},
};

/// The underlay between two VTEPs.
#[derive(Debug, Clone, Default)]
pub struct Underlay {
    /// To the far VTEP.
    pub forward: Way,
    /// From it.
    pub reverse: Way,
    /// The far VTEP's limit of echo replies.
    pub echo_limit: Option<Limit>,
    /// Whether the far VTEP, or a box before it, drops all pings.
    pub icmp_dropped: bool,
}

const TOP: u32 = 1550;
const SMALL: u32 = 68;
const SPACING: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(1);
/// Between the ends of two turns, about.
const SCRAPES: Duration = Duration::from_secs(30);

impl Underlay {
    /// The largest ping with DF whose reply comes back, if nothing is lost by chance, and whether larger
    /// ones vanish. A reply is cut on the way where a router may.
    pub fn edge(&self) -> Option<(u32, bool)> {
        if self.icmp_dropped {
            return None;
        }
        let forward = self.forward.bottlenecks(None).iter().map(|it| (it.above, it.signals.is_none()));
        let back = self.reverse.bottlenecks(None).iter().filter(|it| it.signals.is_none() || it.cuts_none);
        forward.chain(back.map(|it| (it.above, true))).filter(|(above, _)| *above < TOP).min()
    }
}

/// Plays this many turns; `see` gets what is known of the leg after each.
pub fn play(underlay: &Underlay, seed: u64, turns: u32, mut see: impl FnMut(u32, &LegReading)) {
    let mut rng = Rng::with_seed(seed);
    let mut legs = Legs::default();
    let began = Instant::now();
    let mut wire = Played {
        underlay,
        ways: [&underlay.forward, &underlay.reverse].map(|way| WayState::new(way, Duration::ZERO)),
        echoes: underlay.echo_limit.map(|limit| Bucket::new(limit, Duration::ZERO)),
        rng: Rng::with_seed(seed + 1),
        began,
        now: began,
        packets: 0,
    };
    let ask = LegAsk {
        remote: "10.10.0.254".parse().expect("an address"),
        source: None,
        device: None,
        top: TOP,
        hints: Vec::new(),
        pings: 10,
        every: Duration::from_mins(1),
    };
    for turn in 0..turns {
        let (before, start) = (wire.packets, wire.now);
        // Scrapes leave more time or less.
        let until = wire.now + TURN.mul_f64(0.2 + rng.f64());
        legs.turn(std::slice::from_ref(&ask), &mut wire, until);
        assert!(wire.packets - before <= 60, "{} packets in a turn", wire.packets - before);
        assert!(wire.now - start <= TURN, "a turn of {:?}", wire.now - start);
        if let Some(reading) = legs.readings(wire.now).get(&ask.remote) {
            see(turn, reading);
        }
        wire.now += SCRAPES.mul_f64(0.5 + rng.f64());
    }
}

struct Played<'u> {
    underlay: &'u Underlay,
    ways: [WayState; 2],
    echoes: Option<Bucket>,
    rng: Rng,
    began: Instant,
    now: Instant,
    packets: u32,
}

enum Fate {
    Answered,
    Lost,
    TooBig(u32),
}

impl Played<'_> {
    fn ping(&mut self, size: u32, at: Duration) -> Fate {
        self.packets += 1;
        if self.underlay.icmp_dropped {
            return Fate::Lost;
        }
        let request = Packet { size, df: true, flow: None };
        match self.ways[0].cross(&self.underlay.forward, Family::V4, request, at, &mut self.rng) {
            Crossing::Through { .. } => {}
            Crossing::TooBig { mtu } => return Fate::TooBig(mtu),
            Crossing::Lost => return Fate::Lost,
        }
        if self.echoes.as_mut().is_some_and(|bucket| !bucket.take(at, &mut self.rng)) {
            return Fate::Lost;
        }
        let reply = Packet { size, df: false, flow: None };
        match self.ways[1].cross(&self.underlay.reverse, Family::V4, reply, at, &mut self.rng) {
            Crossing::Through { .. } => Fate::Answered,
            Crossing::TooBig { .. } | Crossing::Lost => Fate::Lost,
        }
    }
}

impl PingPairs for Played<'_> {
    fn pairs(&mut self, _leg: &LegAsk, question: Question, until: Instant) -> Result<PingReplies, NotAsked> {
        let mut heard = PingReplies::default();
        let large_first = question.large_first;
        for number in 0..question.count {
            let at = (self.now + SPACING * number).duration_since(self.began);
            let mut answered = [false; 2];
            for is_large in [large_first, !large_first] {
                let size = if is_large { question.size } else { SMALL };
                match self.ping(size, at) {
                    Fate::Answered => answered[usize::from(is_large)] = true,
                    Fate::TooBig(mtu) => {
                        heard.too_big = Some(heard.too_big.map_or(mtu, |known| known.min(mtu)));
                    }
                    Fate::Lost => {}
                }
            }
            heard.pairs.push((answered[1], answered[0]));
        }
        self.now += SPACING * question.count.saturating_sub(1) + PATIENCE;
        assert!(self.now <= until, "a question that ends too late");
        Ok(heard)
    }

    fn now(&self) -> Instant {
        self.now
    }

    fn small(&mut self, _leg: &LegAsk, _count: u32, _until: Instant) -> Result<PingReplies, NotAsked> {
        Ok(PingReplies::default())
    }
}

#[cfg(test)]
mod tests {
    use vxlan_exporter::model::leg::LegSizes;

    use super::*;
    use crate::sim::{
        bucket::Policer,
        loss::{Bursts, Loss},
        network::{Bottleneck, Frames},
    };

    const TURNS: u32 = 40;

    /// Checks that nothing is told of sizes that is not so, and returns what was told after each turn.
    fn is_true(underlay: &Underlay, seed: u64) -> Vec<LegReading> {
        let edge = underlay.edge();
        let mut told = Vec::new();
        play(underlay, seed, TURNS, |turn, reading| {
            let story = || format!("seed {seed}, turn {turn}: {reading:?}\n{underlay:?}");
            if let Some((answered, pairs)) = reading.edge() {
                assert_eq!(edge, Some((answered, true)), "{}", story());
                assert!(pairs >= 40, "{}", story());
            }
            if matches!(reading.sizes, LegSizes::Silent { .. }) {
                let both = [&underlay.forward, &underlay.reverse];
                let mut all = both.into_iter().flat_map(|way| way.bottlenecks(None));
                assert!(all.any(|it| it.signals.is_none()), "{}", story());
            }
            if let Some(mtu) = reading.mtu() {
                assert!(edge.is_none_or(|(edge, _)| mtu <= edge), "{}", story());
            }
            if let Some(mtu) = reading.signalled {
                let told = |it: &Bottleneck| it.signals == Some(mtu);
                assert!(underlay.forward.bottlenecks(None).iter().any(told), "{}", story());
            }
            told.push(reading.clone());
        });
        told
    }

    fn both(make: impl Fn() -> Way) -> [Underlay; 2] {
        let whole = Underlay::default;
        [Underlay { forward: make(), ..whole() }, Underlay { reverse: make(), ..whole() }]
    }

    #[test]
    fn neither_loss_nor_bursts_of_it_are_an_edge() {
        for seed in 0..300 {
            let mut rng = Rng::with_seed(seed);
            let each = Loss::Each(rng.f64() * 0.4);
            let bursts = Loss::Bursts(Bursts {
                good_seconds: 0.05 + rng.f64() * 3.0,
                bad_seconds: 0.05 + rng.f64(),
                bad_loss: 0.5 + rng.f64() / 2.0,
            });
            let frames = Frames { bytes: rng.u32(100..800), loss: rng.f64() * 0.2 };
            for underlay in both(|| Way { loss: each, ..Way::default() })
                .into_iter()
                .chain(both(|| Way { loss: bursts, ..Way::default() }))
                .chain(both(|| Way { frames: Some(frames), ..Way::default() }))
            {
                is_true(&underlay, seed);
            }
        }
    }

    #[test]
    fn no_byte_policer_is_an_edge() {
        for seed in 0..300 {
            let mut rng = Rng::with_seed(seed);
            let bytes_per_second = 2000.0 * 1000_f64.powf(rng.f64());
            let bucket = f64::from(TOP) + rng.f64() * 20_000.0;
            let policer = Policer { bytes_per_second, bucket, overload: rng.f64() * 6.0 };
            for underlay in both(|| Way { policer: Some(policer), ..Way::default() }) {
                is_true(&underlay, seed);
            }
        }
    }

    #[test]
    fn a_limit_of_replies_is_loss_and_no_edge() {
        for seed in 0..300 {
            let mut rng = Rng::with_seed(seed);
            let per_second = 0.2 + rng.f64() * 12.0;
            let limit = Limit { per_second, bucket: 1.0 + rng.f64() * 20.0, others: rng.f64() * 20.0 };
            is_true(&Underlay { echo_limit: Some(limit), ..Underlay::default() }, seed);
        }
    }

    #[test]
    fn every_edge_is_found_to_the_byte_also_under_loss_and_either_way() {
        for seed in 0..150 {
            let mut rng = Rng::with_seed(seed);
            let edge = rng.u32(600..TOP);
            let loss = Loss::Each([0.0, 0.02, 0.1][usize::try_from(seed % 3).expect("small")]);
            let way = || Way { loss, bottlenecks: vec![Bottleneck::silent(edge)], ..Way::default() };
            for underlay in both(way) {
                let told = is_true(&underlay, seed);
                let last = told.last().expect("a reading");
                assert_eq!(last.edge().map(|edge| edge.0), Some(edge), "seed {seed}: {last:?}\n{underlay:?}");
            }
        }
    }

    #[test]
    fn what_is_signalled_is_no_edge_unless_a_smaller_one_is_silent() {
        for seed in 0..150 {
            let mut rng = Rng::with_seed(seed);
            let (signalled, silent) = (rng.u32(600..TOP) | 1, rng.u32(600..TOP) & !1);
            let bottlenecks = vec![Bottleneck::signalled(signalled, signalled), Bottleneck::silent(silent)];
            let alone = Way { bottlenecks: bottlenecks[..1].to_vec(), ..Way::default() };
            let alone = Underlay { forward: alone, ..Underlay::default() };
            let told = is_true(&alone, seed);
            assert!(told.iter().all(|reading| reading.edge().is_none()), "seed {seed}");
            // Every ten minutes what is above is tested again.
            assert!(told.iter().any(|reading| reading.mtu() == Some(signalled)), "seed {seed}: {told:?}");
            for bottlenecks in [bottlenecks.clone(), bottlenecks.into_iter().rev().collect()] {
                let way = Way { bottlenecks, ..Way::default() };
                let told = is_true(&Underlay { forward: way, ..Underlay::default() }, seed);
                let found = told.iter().any(|reading| reading.mtu() == Some(signalled.min(silent)));
                assert!(found, "seed {seed}: {told:?}");
            }
        }
    }

    #[test]
    fn where_pings_are_dropped_nothing_is_told_of_sizes() {
        for seed in 0..20 {
            let dropped = Underlay { icmp_dropped: true, ..Underlay::default() };
            let told = is_true(&dropped, seed);
            let last = told.last().expect("a reading");
            assert_eq!((last.mtu(), last.edge(), last.loss()), (None, None, Some(1.0)));
        }
    }
}
