//! What the routers' IP and UDP counted in each interval between readings, for some minutes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::{
    model::{
        family::Family,
        snapshot::{RouterReading, RouterSnapshot, ip_stack::IpStack},
        types::{InterfaceName, RouterName},
    },
    overlay::learned::Learned,
    text::Text,
    work,
};

/// Readings older than this are dropped, in seconds of the router's uptime.
const WINDOW: f64 = 180.0;
/// Most readings kept of a router.
const MOST_READINGS: usize = 100;

/// The counters of all routers within the window.
#[derive(Debug, Default)]
pub(in crate::overlay) struct StackHistory(Learned<StackReadings>);

#[derive(Debug, Default)]
struct StackReadings {
    boot_id: Option<Text>,
    readings: VecDeque<StackReading>,
}

#[derive(Debug)]
struct StackReading {
    /// Seconds since the router started.
    at: f64,
    stack: IpStack,
    /// Packets and bytes sent by each vxlan device.
    sent: BTreeMap<InterfaceName, (u64, u64)>,
}

/// What was counted between two readings.
#[derive(Debug, Clone, Default)]
pub(super) struct Interval {
    pub(super) seconds: f64,
    pub(super) fragmented: f64,
    pub(super) created: f64,
    pub(super) reassembled: f64,
    pub(super) failed: f64,
    pub(super) no_ports: f64,
    /// Packets and bytes sent by each vxlan device.
    pub(super) sent: BTreeMap<InterfaceName, (f64, f64)>,
}

impl StackHistory {
    /// Forgets routers that are not among these.
    pub(in crate::overlay) fn keep(&mut self, routers: &BTreeSet<&RouterName>) {
        self.0.keep(routers);
    }

    /// Adds the counters of a reading, once.
    pub(in crate::overlay) fn learn(&mut self, reading: &RouterReading) {
        if let Some((snapshot, readings)) = self.0.next(reading) {
            readings.learn(snapshot);
        }
    }

    pub(super) fn intervals(&self, router: &RouterName, family: Family) -> Vec<Interval> {
        let Some(account) = self.0.get(router) else { return Vec::new() };
        let pairs = account.readings.iter().zip(account.readings.iter().skip(1));
        work::each(pairs).filter_map(|(from, to)| Interval::between(from, to, family)).collect()
    }
}

impl StackReadings {
    fn learn(&mut self, snapshot: &RouterSnapshot) {
        if self.boot_id != snapshot.boot_id {
            self.boot_id.clone_from(&snapshot.boot_id);
            self.readings.clear();
        }
        let Some(uptime) = snapshot.uptime else { return };
        let sent = snapshot.vxlans().filter_map(|(link, _)| {
            Some((link.name.clone(), (link.counters.tx_packets?, link.counters.tx_bytes?)))
        });
        let reading = StackReading { at: uptime.before, stack: snapshot.stack, sent: sent.collect() };
        self.readings.push_back(reading);
        while self.readings.len() > MOST_READINGS
            || self.readings.get(1).is_some_and(|second| uptime.before - second.at > WINDOW)
        {
            self.readings.pop_front();
        }
    }
}

impl Interval {
    /// `None` where a counter is missing or went back.
    fn between(from: &StackReading, to: &StackReading, family: Family) -> Option<Self> {
        let (before, after) = (from.stack.of(family), to.stack.of(family));
        let rise = |before: Option<u64>, after: Option<u64>| Some(float(after?.checked_sub(before?)?));
        let device = |(name, (packets, bytes)): (&InterfaceName, &(u64, u64))| {
            let (former_packets, former_bytes) = from.sent.get(name)?;
            let (packets, bytes) = (packets.checked_sub(*former_packets)?, bytes.checked_sub(*former_bytes)?);
            Some((name.clone(), (float(packets), float(bytes))))
        };
        Some(Self {
            seconds: Some(to.at - from.at).filter(|seconds| *seconds > 0.0)?,
            fragmented: rise(before.fragmented, after.fragmented)?,
            created: rise(before.fragments_created, after.fragments_created)?,
            reassembled: rise(before.reassemblies, after.reassemblies)?,
            failed: rise(before.reassembly_failures, after.reassembly_failures)?,
            no_ports: rise(before.udp_no_ports, after.udp_no_ports)?,
            sent: to.sent.iter().filter_map(device).collect(),
        })
    }
}

/// A count as a float: exact up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "a difference of counters over minutes")]
fn float(count: u64) -> f64 {
    count as f64
}
