//! Random values that networks are made of.

use fastrand::Rng;
use vxlan_exporter::model::family::Family;

use super::{
    bucket::Limit,
    loss::{Bursts, Loss},
    network::{Bottleneck, Network},
};

/// A number between `from` and `to`, uniform in its logarithm.
pub fn log_between(from: f64, to: f64, rng: &mut Rng) -> f64 {
    (from.ln() + (to.ln() - from.ln()) * rng.f64()).exp()
}

/// A number between `from` and `to`.
pub fn between(from: f64, to: f64, rng: &mut Rng) -> f64 {
    from + (to - from) * rng.f64()
}

/// True with chance `p`.
pub fn chance(p: f64, rng: &mut Rng) -> bool {
    rng.f64() < p
}

/// One of these values.
pub fn pick<T: Copy>(of: &[T], rng: &mut Rng) -> T {
    of[rng.usize(..of.len())]
}

/// A common MTU of hosts.
pub fn host_mtu(family: Family, rng: &mut Rng) -> u32 {
    let usual = [1500, 1500, 1500, 1500, 9000, 9216, 1492, 1450, 1400, 1280];
    match rng.u8(..10) {
        0 => rng.u32(1280..=9216),
        1 if family == Family::V4 => rng.u32(576..=1280),
        _ => pick(&usual, rng),
    }
}

/// An MTU of a link on the way, below `top`.
pub fn mtu_below(top: u32, family: Family, rng: &mut Rng) -> u32 {
    let least = if family == Family::V4 { 68 } else { 1280 };
    let usual = [1454, 1450, 1454, 1450, 1430, 1420, 1410, 1400, 1380, 1280];
    let size = match rng.u8(..10) {
        0..4 => pick(&usual, rng),
        4 => top.saturating_sub(rng.u32(1..6)),
        5..8 => rng.u32(1200..=top.max(1201)),
        _ => rng.u32(least..=top.max(least)),
    };
    if size < top && size >= least { size } else { rng.u32(least.min(top - 1)..top) }
}

/// Bottlenecks below `top`; all signals that are sent are true.
pub fn bottlenecks(top: u32, family: Family, rng: &mut Rng) -> Vec<Bottleneck> {
    let least = if family == Family::V4 { 68 } else { 1280 };
    if top <= least + 40 {
        return Vec::new();
    }
    let above = mtu_below(top, family, rng);
    let silent = Bottleneck::silent(above);
    let signalled = |above| Bottleneck::signalled(above, above);
    match rng.u8(..10) {
        0..4 => vec![silent],
        4..7 => vec![signalled(above)],
        // The bridge allows four more bytes for a VLAN tag: up to there the vxlan device itself
        // answers.
        7 if above > least + 4 => vec![silent, signalled(above - 4)],
        8 if above > least + 40 => {
            vec![signalled(above), Bottleneck::silent(above - rng.u32(16..=40))]
        }
        9 if family == Family::V6 && chance(0.3, rng) => {
            vec![Bottleneck::silent(rng.u32(100..1280))]
        }
        _ => vec![silent, Bottleneck::silent(top + rng.u32(..2000))],
    }
}

/// Bottlenecks for packets from the target.
pub fn reverse_bottlenecks(top: u32, family: Family, rng: &mut Rng) -> Vec<Bottleneck> {
    as_reverse(bottlenecks(top, family, rng), family)
}

/// In IPv6 a signal makes the target send less, so that a silent edge above signalled sizes comes
/// and goes with what was sent before. That is a class of its own.
fn as_reverse(mut bottlenecks: Vec<Bottleneck>, family: Family) -> Vec<Bottleneck> {
    let silent_first = bottlenecks.first().is_some_and(|first| first.signals.is_none());
    if family == Family::V6 && silent_first && bottlenecks[1..].iter().any(|one| one.signals.is_some()) {
        bottlenecks.truncate(1);
    }
    bottlenecks
}

/// Puts bottlenecks on one or both directions of `network`.
pub fn with_bottlenecks(mut network: Network, top: u32, family: Family, rng: &mut Rng) -> Network {
    (network.forward.bottlenecks, network.reverse.bottlenecks) = match rng.u8(..20) {
        0..5 => (Vec::new(), Vec::new()),
        5..11 => {
            let both = bottlenecks(top, family, rng);
            (both.clone(), as_reverse(both, family))
        }
        11..14 => (bottlenecks(top, family, rng), Vec::new()),
        14..17 => (Vec::new(), reverse_bottlenecks(top, family, rng)),
        _ => (bottlenecks(top, family, rng), reverse_bottlenecks(top, family, rng)),
    };
    network
}

/// Loss with this mean, independent or in bursts.
pub fn loss(mean: f64, rng: &mut Rng) -> Loss {
    if mean <= 0.0 || rng.bool() {
        return Loss::Each(mean);
    }
    let bad_loss = between((mean * 1.5).max(0.3), 1.0, rng);
    let bad_seconds = log_between(0.005, 0.2, rng);
    let good_seconds = bad_seconds * (bad_loss / mean - 1.0);
    Loss::Bursts(Bursts { good_seconds, bad_seconds, bad_loss })
}

/// Loss of up to `most` in each direction, often in one direction only.
pub fn with_loss(mut network: Network, least: f64, most: f64, rng: &mut Rng) -> Network {
    let mean = between(least, most, rng);
    let (forward, reverse) = match rng.u8(..4) {
        0 => (mean, 0.0),
        1 => (0.0, mean),
        2 => (mean, mean),
        _ => (mean, between(least, most, rng)),
    };
    network.forward.loss = loss(forward, rng);
    network.reverse.loss = loss(reverse, rng);
    network
}

/// A token bucket, used alone or shared with others.
pub fn limit(rng: &mut Rng) -> Limit {
    let per_second = log_between(1.0, 100.0, rng);
    let bucket = f64::from(rng.u32(1..=10));
    let others = if rng.bool() { 0.0 } else { per_second * between(0.2, 1.5, rng) };
    Limit { per_second, bucket, others }
}
