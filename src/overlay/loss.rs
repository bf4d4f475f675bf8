//! Loss in each direction of a tunnel, by the counters of its two ends: sent at one, received at
//! the other.
//!
//! Two routers are never read at the same moment, so counters cannot simply be subtracted. Each
//! reading is placed on our clock. The router's `/proc/uptime` around the counters gives the time
//! between two readings to 10 ms. The times at which we asked and were answered bound where a
//! reading lies on our clock. The offset between the two clocks is constant, and all readings of
//! the window together narrow it down. Both ends' counters are then taken at the same two moments,
//! interpolated between two readings where needed, and compared.
//!
//! The remaining uncertainty is stated with each figure: reading takes time, a placement is known
//! to some milliseconds, and between two readings the rate may have been any rate seen in the
//! window. For the last a strict bound is given instead of a likely value; if it is wide there is
//! no figure.
//!
//! A counter is that of a device, or of one VNI of a device with many; [`countable`] says which of
//! them count a single tunnel.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use measured::MeasuredLoss;

use crate::{
    language::{Said, say},
    model::{
        picture::{TunnelEnd, TunnelLoss},
        snapshot::{Counters, Link, RouterReading, RouterSnapshot, Uptime},
        types::{InterfaceName, RouterName, Vni},
    },
    overlay::{learned::Learned, scene::Scene},
    text::Text,
    work,
};

mod countable;
mod measured;

/// Readings older than this, in seconds, are dropped as soon as newer ones cover the window.
const WINDOW: f64 = 120.0;
/// Fewer packets than this are no measurement.
const MIN_PACKETS: f64 = 100.0;
/// No figure is given if the uncertainty, as a share of packets, exceeds this.
const MAX_BOUND: f64 = 0.05;
/// After this many intervals between readings, the rates seen are taken to include all rates that
/// occur.
const ENOUGH_INTERVALS: usize = 3;
/// Resolution of `/proc/uptime` in seconds; it is rounded down.
const TICK: f64 = 0.01;
/// If a router's clock has moved this far against ours, in seconds, it has been stopped or set
/// back.
const CLOCK_JUMP: f64 = 1.0;
/// If received packets are larger than sent ones by this factor, the receiving kernel has merged
/// several into one (GRO).
const MERGED: f64 = 1.05;
/// If more was received than sent, beyond the bound and this share, the counters do not count the
/// same packets.
const EXCESS: f64 = 0.01;

/// Bytes of an Ethernet header. Measured (6.18): sent packets are counted with it per VNI and
/// without it per device; received packets without it in both.
const ETHERNET: u64 = 14;

/// What each vxlan interface counted within the window, in total and per VNI.
#[derive(Debug, Default)]
pub(super) struct CounterHistory(Learned<InterfaceCounts>);

/// What the interfaces of one router counted.
#[derive(Debug, Default)]
struct InterfaceCounts {
    series: BTreeMap<(InterfaceName, Option<Vni>), Series>,
}

/// The readings of one device, or of one of its VNIs, since the device was created, oldest first.
#[derive(Debug)]
struct Series {
    boot_id: Option<Text>,
    ifindex: Option<u32>,
    samples: VecDeque<CounterReading>,
    /// Whether the first reading of the router, after the login to it, is among them.
    is_from_login: bool,
}

#[derive(Debug, Clone, Copy)]
struct CounterReading {
    uptime: Uptime,
    sent: Count,
    received: Count,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Count {
    packets: u64,
    bytes: u64,
}

impl CounterHistory {
    /// Forgets routers that are not among these.
    pub(super) fn keep(&mut self, routers: &BTreeSet<&RouterName>) {
        self.0.keep(routers);
    }

    /// Adds the counters of a reading, once.
    pub(super) fn learn(&mut self, reading: &RouterReading) {
        let Some((snapshot, counts)) = self.0.next(reading) else { return };
        counts.learn(snapshot);
        let is_first = reading.previous.is_none();
        counts.series.values_mut().for_each(|series| series.is_from_login |= is_first);
    }

    /// The loss from one end to the other, or why there is no figure.
    pub(super) fn loss(
        &self,
        scene: &Scene<'_>,
        from: &TunnelEnd,
        to: &TunnelEnd,
    ) -> Result<(TunnelLoss, Said), Said> {
        let [of_sender, of_receiver] = countable::counters(scene, from, to)?;
        let now = (self.now(scene, from, of_sender), self.now(scene, to, of_receiver));
        let (Some(sender), Some(receiver)) = now else {
            return Err(say!("both ends' counters and uptimes are not read now"));
        };
        let mtu = scene.ends.get(from).and_then(|view| view.link.mtu);
        let found = compare(sender, receiver, mtu)?;
        let words = found.said(of_sender.or(of_receiver));
        let loss = TunnelLoss { from: from.clone(), to: to.clone(), ratio: found.ratio, bound: found.bound };
        Ok((loss, words))
    }

    /// The series of an end, or of one VNI of it, if its last sample is from the present reading.
    fn now(&self, scene: &Scene<'_>, end: &TunnelEnd, vni: Option<Vni>) -> Option<&Series> {
        let uptime = scene.snapshot(&end.router)?.uptime?;
        let series = self.0.get(&end.router)?.series.get(&(end.interface.clone(), vni));
        series.filter(|series| series.samples.back().is_some_and(|last| last.uptime == uptime))
    }
}

impl InterfaceCounts {
    fn learn(&mut self, snapshot: &RouterSnapshot) {
        let gone = |interface: &InterfaceName, vni: Option<Vni>| {
            let Some(link) = snapshot.link(interface.as_str()) else { return true };
            let told = link.vxlan.as_ref().map(|vxlan| &vxlan.vni_counters).filter(|told| !told.is_empty());
            vni.zip(told).is_some_and(|(vni, told)| !told.contains_key(&vni))
        };
        self.series.retain(|(interface, vni), _| !gone(interface, *vni));
        let Some(uptime) = snapshot.uptime else { return };
        for (link, vxlan) in work::each(snapshot.vxlans()) {
            // Missing counters leave a gap, like a failed reading.
            if let Some(sample) = CounterReading::new(uptime, &link.counters) {
                self.put(None, snapshot, link, sample);
            }
            for (vni, counters) in work::each(&vxlan.vni_counters) {
                if let Some(sample) = CounterReading::of_vni(uptime, counters) {
                    self.put(Some(*vni), snapshot, link, sample);
                }
            }
        }
    }

    fn put(&mut self, vni: Option<Vni>, snapshot: &RouterSnapshot, link: &Link, sample: CounterReading) {
        let series = self.series.entry((link.name.clone(), vni));
        let series = series.or_insert_with(|| Series::new(snapshot, link));
        if series.boot_id != snapshot.boot_id || series.ifindex != link.ifindex {
            *series = Series::new(snapshot, link);
        }
        series.push(sample);
    }
}

impl CounterReading {
    fn new(uptime: Uptime, counters: &Counters) -> Option<Self> {
        Some(Self {
            uptime,
            sent: Count { packets: counters.tx_packets?, bytes: counters.tx_bytes? },
            received: Count { packets: counters.rx_packets?, bytes: counters.rx_bytes? },
        })
    }

    fn of_vni(uptime: Uptime, counters: &Counters) -> Option<Self> {
        let mut sample = Self::new(uptime, counters)?;
        let headers = sample.sent.packets.saturating_mul(ETHERNET);
        sample.sent.bytes = sample.sent.bytes.saturating_sub(headers);
        Some(sample)
    }

    /// The router's uptime when the counters were read, in seconds: the middle of the possible
    /// range.
    fn at(&self) -> f64 {
        f64::midpoint(self.uptime.before, self.uptime.after + TICK)
    }

    /// How far the true value may be from [`CounterReading::at`], in seconds.
    fn slack(&self) -> f64 {
        (self.uptime.after + TICK - self.uptime.before) / 2.0
    }

    /// Earliest and latest time of the router's start on our clock: the counters were read after we
    /// asked and before the answer arrived.
    fn origin(&self) -> (f64, f64) {
        let Uptime { before, after, asked, answered } = self.uptime;
        (asked.as_secs_f64() - before - TICK, answered.as_secs_f64() - after)
    }
}

impl Series {
    fn new(snapshot: &RouterSnapshot, link: &Link) -> Self {
        Self {
            boot_id: snapshot.boot_id.clone(),
            ifindex: link.ifindex,
            samples: VecDeque::new(),
            is_from_login: false,
        }
    }

    fn push(&mut self, sample: CounterReading) {
        if let Some(last) = self.samples.back() {
            if last.uptime == sample.uptime {
                return;
            }
            let lower = |old: Count, new: Count| new.packets < old.packets || new.bytes < old.bytes;
            let restarted = lower(last.sent, sample.sent) || lower(last.received, sample.received);
            let ((low, high), (new_low, new_high)) = (last.origin(), sample.origin());
            let jumped = new_low - high > CLOCK_JUMP || low - new_high > CLOCK_JUMP;
            if restarted || jumped || sample.at() <= last.at() {
                self.samples.clear();
                self.is_from_login = false;
            }
        }
        self.samples.push_back(sample);
        // Interpolation needs two readings on either side of the other end's first one.
        while self.samples.len() > 3 && sample.at() - self.samples[1].at() >= WINDOW {
            self.samples.pop_front();
            self.is_from_login = false;
        }
    }

    /// The router's start on our clock and its uncertainty, in seconds: the range that all readings
    /// allow. If the clocks drift apart that range may be empty; then the gap is the uncertainty.
    fn origin(&self) -> (f64, f64) {
        let bounds = self.samples.iter().map(CounterReading::origin);
        let (low, high) =
            bounds.fold((f64::MIN, f64::MAX), |(low, high), (l, h)| (f64::max(low, l), f64::min(high, h)));
        (f64::midpoint(low, high), (high - low).abs() / 2.0)
    }

    fn curve(&self, count: impl Fn(&CounterReading) -> Count) -> CounterCurve {
        let (origin, placement) = self.origin();
        // Counts within the window start from 0: a u64 near its maximum is not exact as a float.
        let first = self.samples.front().map(&count);
        let since = |now: u64, first: Option<u64>| float(now - first.unwrap_or(now));
        let points = self.samples.iter().map(|sample| {
            let now = count(sample);
            Point {
                time: origin + sample.at(),
                slack: sample.slack(),
                packets: since(now.packets, first.map(|first| first.packets)),
                bytes: since(now.bytes, first.map(|first| first.bytes)),
            }
        });
        CounterCurve { points: points.collect(), placement }
    }
}

/// A counter over time, on our clock.
struct CounterCurve {
    points: Vec<Point>,
    /// How far the whole curve may be shifted, in seconds.
    placement: f64,
}

#[derive(Clone, Copy)]
struct Point {
    time: f64,
    slack: f64,
    packets: f64,
    bytes: f64,
}

impl Point {
    /// Packets per second until `next`.
    fn rate(&self, next: &Self) -> f64 {
        (next.packets - self.packets) / (next.time - self.time)
    }
}

/// What a counter counted between two moments.
struct Span {
    packets: f64,
    bytes: f64,
    /// Uncertainty in packets, from the times of the readings.
    open: f64,
    /// How far the rate varied, in packets per second.
    spread: f64,
}

impl CounterCurve {
    /// The count from `begin` to `end`, both within the curve.
    fn span(&self, begin: f64, end: f64) -> Option<Span> {
        let pairs = || self.points.iter().zip(self.points.iter().skip(1));
        let within = pairs().filter(|(a, b)| b.time > begin && a.time < end);
        let rates: Vec<f64> = within.map(|(a, b)| a.rate(b)).collect();
        let (low, high) = rates
            .iter()
            .fold((f64::MAX, 0.0), |(low, high), rate| (f64::min(low, *rate), f64::max(high, *rate)));
        let spread = if rates.len() < ENOUGH_INTERVALS { high } else { high - low };
        let at = |time: f64| {
            let (a, b) = pairs().find(|(a, b)| a.time <= time && time <= b.time)?;
            let share = (time - a.time) / (b.time - a.time);
            let on_line = |a: f64, b: f64| a + (b - a) * share;
            let away = f64::min(time - a.time, b.time - time);
            let open = away * spread + f64::max(a.slack, b.slack) * high;
            Some((on_line(a.packets, b.packets), on_line(a.bytes, b.bytes), open))
        };
        let (first, last) = (at(begin)?, at(end)?);
        Some(Span { packets: last.0 - first.0, bytes: last.1 - first.1, open: first.2 + last.2, spread })
    }
}

/// Compares packets sent by one device with those received by another, over the time that both have
/// readings of.
fn compare(from: &Series, to: &Series, mtu: Option<u32>) -> Result<MeasuredLoss, Said> {
    let (out, into) = (from.curve(|sample| sample.sent), to.curve(|sample| sample.received));
    let ends = |curve: &CounterCurve| Some((curve.points.first()?.time, curve.points.last()?.time));
    let ((a, b), (c, d)) = ends(&out).zip(ends(&into)).ok_or_else(|| say!("no reading yet"))?;
    let (mut begin, end) = (f64::max(a, c), f64::min(b, d));
    if from.is_from_login || to.is_from_login {
        // The later router's login may have crossed the tunnel after the earlier one was read: a
        // burst, so nothing can be interpolated between the earlier one's first two readings.
        let earlier = if a < c { &out } else { &into };
        let next = earlier.points.iter().map(|point| point.time).find(|time| *time >= begin);
        begin = next.unwrap_or(end);
    }
    let spans = (begin < end).then(|| out.span(begin, end).zip(into.span(begin, end))).flatten();
    let (sent, received) =
        spans.ok_or_else(|| say!("not yet two readings of both ends over the same time"))?;
    let seconds = end - begin;
    if sent.packets < MIN_PACKETS {
        return Err(say!(
            "{packets} packets in {seconds} s are too few",
            packets = whole(sent.packets),
            seconds = whole(seconds)
        ));
    }
    let shift = (out.placement + into.placement) * f64::max(sent.spread, received.spread);
    let bound = (sent.open + received.open + shift) / sent.packets;
    if bound > MAX_BOUND {
        return Err(say!(
            "{packets} packets in {seconds} s came so unevenly that reading the routers at different times \
             may cause an error of {percent} %",
            packets = whole(sent.packets),
            seconds = whole(seconds),
            percent = whole(bound.min(1.0) * 100.0)
        ));
    }
    let ratio = 1.0 - received.packets / sent.packets;
    let size = |span: &Span| if span.packets > 0.0 { span.bytes / span.packets } else { 0.0 };
    // If all packets are full-size, rounding may put their mean slightly above the MTU.
    if mtu.is_some_and(|mtu| size(&sent) > f64::from(mtu) + 0.5) || size(&received) > size(&sent) * MERGED {
        return Err(say!(
            "a kernel counts merged packets (GRO): {sent} bytes each were sent, {received} received",
            sent = whole(size(&sent)),
            received = whole(size(&received))
        ));
    }
    if -ratio > bound + EXCESS {
        return Err(say!(
            "more packets were received ({received}) than sent ({sent}): the two ends do not count the same \
             packets",
            received = whole(received.packets),
            sent = whole(sent.packets)
        ));
    }
    Ok(MeasuredLoss { ratio: ratio.clamp(0.0, 1.0), bound, sent: sent.packets, seconds })
}

fn whole(number: f64) -> String {
    format!("{number:.0}")
}

/// A count as a float: exact up to 2^53, which no window of minutes exceeds.
#[expect(clippy::cast_precision_loss, reason = "a difference of counters over minutes")]
fn float(count: u64) -> f64 {
    count as f64
}
