//! What the routers' own IP and UDP counters say of tunnels: outer packets that are cut into
//! fragments, fragments that get lost, and packets to a port at which nobody listens.
//!
//! These counters count all traffic of a router. So a rise proves nothing by itself: it is claimed
//! for a tunnel only if its settings allow it and the counter rises *in step* with the tunnel's own
//! packets, interval by interval between readings.
//!
//! How many packets of a device can have been too large is bounded by its bytes: of `P` packets with
//! `B` bytes none is smaller than 28 (ARP) and a large one has at least `T`, so there are at most
//! `(B - 28 P) / (T - 28)`. Where the tunnel's large packets are what is cut, this is close to the
//! number of packets sent in fragments; where other traffic is, the two have nothing to do with each
//! other.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    rc::Rc,
    sync::{Arc, Weak},
};

use crate::{
    model::{
        family::Family,
        picture::{TunnelEnd, TunnelFlow},
        snapshot::{RouterReading, RouterSnapshot, ip_stack::IpStack},
        types::{Bytes, InterfaceName, MismatchField, RouterName},
    },
    overlay::{pairing::EndPair, scene::Scene, underlay::Underlay},
    text::Text,
    work,
};

/// Readings older than this are dropped, in seconds of the router's uptime.
const WINDOW: f64 = 180.0;
/// Most readings kept of a router.
const MOST_READINGS: usize = 100;
/// So many intervals must show it, and so many packets in all.
const INTERVALS: usize = 3;
const PACKETS: f64 = 20.0;
/// Bytes of the smallest packet that a vxlan device counts, from the IP header on: an ARP request.
const SMALLEST: f64 = 28.0;
/// In step: between these shares of what is possible, give or take [`SLACK`] packets that fall
/// between reading one counter and the other.
const LEAST: f64 = 0.5;
const MOST: f64 = 1.1;
const SLACK: f64 = 3.0;
/// Reassemblies that must have failed before it is said.
const FAILED: f64 = 5.0;

/// The counters of all routers within the window.
#[derive(Debug, Default)]
pub(super) struct StackHistory(BTreeMap<RouterName, Account>);

#[derive(Debug, Default)]
struct Account {
    /// The reading learned last, so that each is learned once.
    last: Weak<RouterSnapshot>,
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
struct Interval {
    seconds: f64,
    fragmented: f64,
    created: f64,
    reassembled: f64,
    failed: f64,
    no_ports: f64,
    /// Packets and bytes sent by each vxlan device.
    sent: BTreeMap<InterfaceName, (f64, f64)>,
}

impl StackHistory {
    /// Forgets routers that are not among these.
    pub(super) fn keep(&mut self, routers: &BTreeSet<&RouterName>) {
        self.0.retain(|router, _| routers.contains(router));
    }

    /// Adds the counters of a reading, once.
    pub(super) fn learn(&mut self, reading: &RouterReading) {
        let Some(snapshot) = &reading.current else { return };
        let account = self.0.entry(reading.router.clone()).or_default();
        if account.last.as_ptr() != Arc::as_ptr(snapshot) {
            account.last = Arc::downgrade(snapshot);
            account.learn(snapshot);
        }
    }

    fn intervals(&self, router: &RouterName, family: Family) -> Vec<Interval> {
        let Some(account) = self.0.get(router) else { return Vec::new() };
        let pairs = account.readings.iter().zip(account.readings.iter().skip(1));
        work::each(pairs).filter_map(|(from, to)| Interval::between(from, to, family)).collect()
    }
}

impl Account {
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

/// Whether `counted` rises in step with what is `possible`, each per interval.
fn in_step(counts: impl Iterator<Item = (f64, f64)>) -> bool {
    let (mut telling, mut total) = (0, 0.0);
    for (counted, possible) in counts {
        if counted < possible * LEAST - SLACK || counted > possible * MOST + SLACK {
            return false;
        }
        telling += usize::from(counted > SLACK);
        total += counted;
    }
    telling >= INTERVALS && total >= PACKETS
}

/// What is claimed for one direction of a tunnel, with a sentence.
#[derive(Debug, Default)]
pub(super) struct Claims {
    pub(super) flows: Vec<TunnelFlow>,
    pub(super) said: Vec<String>,
}

/// The counters during one join; what several tunnels of a router need is computed once.
pub(super) struct Passive<'s, 'a> {
    scene: &'s Scene<'a>,
    history: &'s StackHistory,
    intervals: RefCell<Intervals>,
    cuts: RefCell<HashMap<RouterName, Rc<Cuts>>>,
}

/// The intervals of each router, by family.
type Intervals = HashMap<(RouterName, Family), Rc<[Interval]>>;

/// What a router cuts: its devices that may, and fragments a second and per packet if it does.
#[derive(Debug, Default)]
struct Cuts {
    devices: BTreeMap<InterfaceName, Bytes>,
    rates: Option<(f64, f64)>,
}

impl<'s, 'a> Passive<'s, 'a> {
    pub(super) fn new(scene: &'s Scene<'a>, history: &'s StackHistory) -> Self {
        Self { scene, history, intervals: RefCell::default(), cuts: RefCell::default() }
    }

    /// The claims for both directions of a tunnel.
    pub(super) fn of_tunnel(&self, pair: &EndPair, mismatches: &BTreeMap<MismatchField, String>) -> Claims {
        let mut claims = Claims::default();
        for (from, to) in [(&pair.0, &pair.1), (&pair.1, &pair.0)] {
            let mut flow = TunnelFlow::new(from, to.to_string());
            if let Some((per_second, per_packet)) = self.cuts(from) {
                flow.fragments_per_second = Some(per_second);
                claims.said.push(format!(
                    "{} cuts outer packets into fragments: {per_packet:.1} per packet too large for its route, \
                     {per_second:.1} a second, in step with what {from} sends",
                    from.router
                ));
                if let Some((share, failed)) = self.lost(from, to) {
                    flow.reassemblies_failed = Some(share);
                    claims.said.push(format!(
                        "fragments get lost on the way from {} to {}: {:.0} % of the reassemblies at {} fail \
                         ({failed:.0} in the last minutes)",
                        from.router,
                        to.router,
                        share * 100.0,
                        to.router
                    ));
                }
            }
            if let Some((per_second, words)) = self.unheard(from, &to.router) {
                claims.said.push(words);
                // The mismatch has its own alert.
                let alone = !mismatches.contains_key(&MismatchField::Port);
                flow.unheard_per_second = Some(per_second).filter(|_| alone);
            }
            if flow.is_telling() {
                claims.flows.push(flow);
            }
        }
        claims
    }

    /// The claim for an end whose other end is not known: the router that owns the remote hears
    /// nobody.
    pub(super) fn of_single(&self, from: &TunnelEnd) -> Claims {
        let mut claims = Claims::default();
        let remote = self.scene.ends.get(from).and_then(|view| view.remotes.first().copied());
        let mut owners = remote.into_iter().flat_map(|remote| self.scene.known.owners(remote));
        if let (Some(router), None) = (owners.next(), owners.next())
            && let Some((per_second, words)) = self.unheard(from, router)
        {
            let flow = TunnelFlow::new(from, router.to_string());
            claims.flows.push(TunnelFlow { unheard_per_second: Some(per_second), ..flow });
            claims.said.push(words);
        }
        claims
    }

    fn intervals(&self, router: &RouterName, family: Family) -> Rc<[Interval]> {
        let mut known = self.intervals.borrow_mut();
        let new = || self.history.intervals(router, family).into();
        Rc::clone(known.entry((router.clone(), family)).or_insert_with(new))
    }

    /// Fragments a second, and per packet, if the router of this end cuts its outer packets.
    fn cuts(&self, from: &TunnelEnd) -> Option<(f64, f64)> {
        let known = self.cuts.borrow().get(&from.router).cloned();
        let cuts = known.unwrap_or_else(|| {
            let cuts = Rc::new(self.cuts_of(&from.router));
            self.cuts.borrow_mut().insert(from.router.clone(), Rc::clone(&cuts));
            cuts
        });
        cuts.rates.filter(|_| cuts.devices.contains_key(&from.interface))
    }

    fn cuts_of(&self, router: &RouterName) -> Cuts {
        let intervals = self.intervals(router, Family::V4);
        let sum = |part: fn(&Interval) -> f64| intervals.iter().map(part).sum::<f64>();
        let (seconds, created, fragmented) =
            (sum(|it| it.seconds), sum(|it| it.created), sum(|it| it.fragmented));
        if fragmented < PACKETS {
            return Cuts::default();
        }
        let devices = limits(self.scene, router);
        let possible = |interval: &Interval| -> f64 {
            let large = |(name, inner): (&InterfaceName, &Bytes)| {
                let (packets, bytes) = interval.sent.get(name).copied().unwrap_or_default();
                ((bytes - SMALLEST * packets) / (f64::from(*inner) + 1.0 - SMALLEST)).max(0.0)
            };
            devices.iter().map(large).sum()
        };
        let is_in_step = in_step(intervals.iter().map(|it| (it.fragmented, possible(it))));
        Cuts { devices, rates: is_in_step.then(|| (created / seconds, created / fragmented)) }
    }

    /// The share of reassemblies that fail at the far end, and their number, if these reassemblies
    /// are about as many as the packets that this end's router cuts.
    fn lost(&self, from: &TunnelEnd, to: &TunnelEnd) -> Option<(f64, f64)> {
        self.scene.snapshot(&to.router)?;
        let (near, far) = (self.intervals(&from.router, Family::V4), self.intervals(&to.router, Family::V4));
        let rate = |intervals: &[Interval], part: fn(&Interval) -> f64| {
            let seconds: f64 = intervals.iter().map(|it| it.seconds).sum();
            (seconds > 0.0).then(|| intervals.iter().map(part).sum::<f64>() / seconds)
        };
        let cut = rate(&near, |it| it.fragmented)?;
        let tried = rate(&far, |it| it.reassembled + it.failed)?;
        let failed: f64 = far.iter().map(|it| it.failed).sum();
        let all: f64 = far.iter().map(|it| it.failed + it.reassembled).sum();
        let alike = tried >= cut * LEAST && tried <= cut * 2.0;
        (alike && failed >= FAILED).then(|| (failed / all, failed))
    }

    /// Packets a second at a port of the far router where nobody listens, with a sentence, if they
    /// are as many as this end sends.
    fn unheard(&self, from: &TunnelEnd, router: &RouterName) -> Option<(f64, String)> {
        let remote = self.scene.remote_to(from, router)?;
        let view = self.scene.ends.get(from)?;
        self.scene.snapshot(router)?;
        // A device that sends to several routers does not say how much to which.
        if view.remotes.len() != 1 {
            return None;
        }
        let family = Family::of(remote);
        let (near, far) = (self.intervals(&from.router, family), self.intervals(router, family));
        let sent: f64 = near.iter().filter_map(|it| it.sent.get(&from.interface)).map(|sent| sent.0).sum();
        let seconds = |intervals: &[Interval]| intervals.iter().map(|it| it.seconds).sum::<f64>();
        let (near_seconds, far_seconds) = (seconds(&near), seconds(&far));
        let heard: f64 = far.iter().map(|it| it.no_ports).sum();
        if near_seconds <= 0.0 || far_seconds <= 0.0 || heard < PACKETS {
            return None;
        }
        let (rate, whole) = (sent / near_seconds, heard / far_seconds);
        // Single intervals of two routers do not coincide: most must agree, and the whole must.
        let agrees = |it: &&Interval| it.no_ports > 0.0 && it.no_ports >= rate * it.seconds * LEAST - SLACK;
        let agree = far.iter().filter(agrees).count();
        let alike = whole >= rate * LEAST && whole <= rate * MOST;
        let port = view.vxlan.port.map_or_else(String::new, |port| format!(" {port}"));
        (alike && agree >= INTERVALS && agree * 2 > far.len()).then(|| {
            let words = format!(
                "{router} gets {whole:.1} packets a second at a UDP port where nobody listens, as many as {from} \
                 sends to port{port}"
            );
            (whole, words)
        })
    }
}

/// The devices of a router that send its outer packets in fragments if they are large, each with the
/// largest inner packet that is not, in bytes.
fn limits(scene: &Scene<'_>, router: &RouterName) -> BTreeMap<InterfaceName, Bytes> {
    let ends = scene.ends_of(router).iter().filter_map(|end| scene.ends.get(end));
    let limit = ends.filter_map(|view| {
        let underlays = work::each(view.remotes.iter()).filter_map(|remote| Underlay::of(view, *remote));
        let inner = underlays.filter_map(|underlay| underlay.cuts_above(view.link.mtu?)).min()?;
        Some((view.link.name.clone(), inner))
    });
    limit.collect()
}
