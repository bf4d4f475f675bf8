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

mod history;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::Hash,
    rc::Rc,
};

pub(super) use history::StackHistory;

use crate::{
    language::{Between, Said, say},
    model::{
        family::Family,
        picture::{TunnelEnd, TunnelFlow},
        types::{Bytes, InterfaceName, MismatchField, RouterName},
    },
    overlay::{pairing::EndPair, scene::Scene, underlay::Underlay},
    work,
};
use history::Interval;

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
/// One interval in so many may be out of step.
const MOST_OFF: usize = 10;
/// Most reassemblies at the far end beside what is sent to it in fragments: a fragment that is lost after
/// another was may count twice, and readings do not coincide.
const MOST_TRIED: f64 = 1.5;
/// Reassemblies that must have failed before it is said.
const FAILED: f64 = 5.0;

/// Whether `counted` rises in step with what is `possible`: as a whole, and in all intervals but few.
/// On a busy router, seconds may pass between reading one counter and the other.
fn in_step(counts: impl Iterator<Item = (f64, f64)>) -> bool {
    let agree = |counted: f64, possible: f64| {
        counted >= possible * LEAST - SLACK && counted <= possible * MOST + SLACK
    };
    let (mut telling, mut all, mut off) = (0, 0, 0);
    let (mut counted_in_all, mut possible_in_all) = (0.0, 0.0);
    for (counted, possible) in counts {
        all += 1;
        off += usize::from(!agree(counted, possible));
        telling += usize::from(counted > SLACK);
        counted_in_all += counted;
        possible_in_all += possible;
    }
    let steady = off * MOST_OFF <= all && agree(counted_in_all, possible_in_all);
    steady && telling >= INTERVALS && counted_in_all >= PACKETS
}

/// What is claimed for one direction of a tunnel, with a sentence.
#[derive(Debug, Default)]
pub(super) struct Claims {
    pub(super) flows: Vec<TunnelFlow>,
    pub(super) said: Vec<Said>,
}

/// The counters during one join; what several tunnels of a router need is computed once.
pub(super) struct Passive<'s, 'a> {
    scene: &'s Scene<'a>,
    history: &'s StackHistory,
    intervals: Once<(RouterName, Family), [Interval]>,
    cuts: Once<RouterName, Cuts>,
    cut_to: Once<RouterName, CutTo>,
}

/// Results by key, each computed once.
#[derive(Debug)]
struct Once<K, T: ?Sized>(RefCell<HashMap<K, Rc<T>>>);

impl<K: Eq + Hash, T: ?Sized> Once<K, T> {
    fn new() -> Self {
        Self(RefCell::new(HashMap::new()))
    }

    /// The result for a key; computing it may need those for others.
    fn of(&self, key: K, compute: impl FnOnce() -> Rc<T>) -> Rc<T> {
        if let Some(known) = self.0.borrow().get(&key) {
            return Rc::clone(known);
        }
        let result = compute();
        self.0.borrow_mut().insert(key, Rc::clone(&result));
        result
    }
}

/// What a router cuts: its devices that may, fragments a second and per packet if it does, and how many
/// packets a second are cut on the way to which router.
#[derive(Debug, Default)]
struct Cuts {
    devices: BTreeMap<InterfaceName, Bytes>,
    rates: Option<(f64, f64)>,
    towards: HashMap<RouterName, f64>,
}

/// What is sent to a router in fragments: packets a second, and by whom.
#[derive(Debug, Default)]
struct CutTo {
    per_second: f64,
    senders: BTreeSet<RouterName>,
}

/// Reassemblies that fail at a router.
#[derive(Debug)]
struct Lost {
    share: f64,
    failed: f64,
    /// The other routers that send it fragments: whose get lost, its counters do not tell.
    others: BTreeSet<RouterName>,
}

impl Lost {
    fn said(&self, from: &TunnelEnd, to: &TunnelEnd) -> Said {
        let senders = [&from.router].into_iter().chain(&self.others);
        let senders = senders.map(|router| Said::verbatim(router.to_string()));
        say!(
            "fragments get lost on the way from {senders} to {to}: {percent} % of the reassemblies at {to} fail \
             ({failed} in the last minutes)",
            senders => Said::joined(senders, Between::EitherOr),
            to = to.router,
            percent = format_args!("{:.0}", self.share * 100.0),
            failed = format_args!("{:.0}", self.failed)
        )
    }
}

impl<'s, 'a> Passive<'s, 'a> {
    pub(super) fn new(scene: &'s Scene<'a>, history: &'s StackHistory) -> Self {
        Self { scene, history, intervals: Once::new(), cuts: Once::new(), cut_to: Once::new() }
    }

    /// The claims for both directions of a tunnel.
    pub(super) fn of_tunnel(&self, pair: &EndPair, mismatches: &BTreeMap<MismatchField, Said>) -> Claims {
        let mut claims = Claims::default();
        for (from, to) in [(&pair.0, &pair.1), (&pair.1, &pair.0)] {
            let mut flow = TunnelFlow::new(from, to.to_string());
            if let Some((per_second, per_packet)) = self.cuts(from) {
                flow.fragments_per_second = Some(per_second);
                claims.said.push(say!(
                    "{router} cuts outer packets into fragments: {per_packet} per packet too large for its route, \
                     {per_second} a second, in step with what {from} sends",
                    router = from.router,
                    per_packet = format_args!("{per_packet:.1}"),
                    per_second = format_args!("{per_second:.1}"),
                    from
                ));
                if let Some(lost) = self.lost(from, to) {
                    flow.reassemblies_failed = Some(lost.share);
                    claims.said.push(lost.said(from, to));
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
        self.intervals.of((router.clone(), family), || self.history.intervals(router, family).into())
    }

    /// Fragments a second, and per packet, if the router of this end cuts its outer packets.
    fn cuts(&self, from: &TunnelEnd) -> Option<(f64, f64)> {
        let cuts = self.cuts_of(&from.router);
        cuts.rates.filter(|_| cuts.devices.contains_key(&from.interface))
    }

    fn cuts_of(&self, router: &RouterName) -> Rc<Cuts> {
        self.cuts.of(router.clone(), || Rc::new(self.count_cuts(router)))
    }

    fn count_cuts(&self, router: &RouterName) -> Cuts {
        let intervals = self.intervals(router, Family::V4);
        let sum = |part: fn(&Interval) -> f64| intervals.iter().map(part).sum::<f64>();
        let (seconds, created, fragmented) =
            (sum(|it| it.seconds), sum(|it| it.created), sum(|it| it.fragmented));
        if fragmented < PACKETS {
            return Cuts::default();
        }
        let limits = limits(self.scene, router);
        let large = |interval: &Interval, name: &InterfaceName, inner: Bytes| {
            let (packets, bytes) = interval.sent.get(name).copied().unwrap_or_default();
            ((bytes - SMALLEST * packets) / (f64::from(inner) + 1.0 - SMALLEST)).max(0.0)
        };
        let possible =
            |it: &Interval| -> f64 { limits.iter().map(|(name, inner)| large(it, name, *inner)).sum() };
        if !in_step(intervals.iter().map(|it| (it.fragmented, possible(it)))) {
            return Cuts::default();
        }
        let all: f64 = intervals.iter().map(possible).sum();
        let mut towards = HashMap::new();
        for end in work::each(self.scene.ends_of(router)) {
            let Some((inner, view)) = limits.get(&end.interface).zip(self.scene.ends.get(end)) else {
                continue;
            };
            let own: f64 = intervals.iter().map(|it| large(it, &end.interface, *inner)).sum();
            for other in work::each(view.sends.routers.keys()) {
                *towards.entry((**other).clone()).or_default() += own / all.max(1.0) * fragmented / seconds;
            }
        }
        Cuts { devices: limits, rates: Some((created / seconds, created / fragmented)), towards }
    }

    fn cut_to(&self, router: &RouterName) -> Rc<CutTo> {
        self.cut_to.of(router.clone(), || {
            let mut cut = CutTo::default();
            let views = work::each(self.scene.ends_of(router)).filter_map(|end| self.scene.ends.get(end));
            // Those that send to it are among those that it sends to.
            let others: BTreeSet<_> = views.flat_map(|view| view.sends.routers.keys()).collect();
            for other in work::each(others) {
                let per_second = self.cuts_of(other).towards.get(router).copied().unwrap_or_default();
                if per_second > 0.0 {
                    cut.per_second += per_second;
                    cut.senders.insert((**other).clone());
                }
            }
            Rc::new(cut)
        })
    }

    /// The reassemblies that fail at the far end, if all its reassemblies are about as many as the packets
    /// that are sent to it in fragments, by this end's router and others.
    fn lost(&self, from: &TunnelEnd, to: &TunnelEnd) -> Option<Lost> {
        self.scene.snapshot(&to.router)?;
        let far = self.intervals(&to.router, Family::V4);
        let sum = |part: fn(&Interval) -> f64| far.iter().map(part).sum::<f64>();
        let (seconds, failed) = (sum(|it| it.seconds), sum(|it| it.failed));
        let all = failed + sum(|it| it.reassembled);
        if seconds <= 0.0 || failed < FAILED {
            return None;
        }
        let (cut, tried) = (self.cut_to(&to.router), all / seconds);
        let alike = tried >= cut.per_second * LEAST && tried <= cut.per_second * MOST_TRIED;
        let others = || cut.senders.iter().filter(|router| **router != from.router).cloned().collect();
        alike.then(|| Lost { share: failed / all, failed, others: others() })
    }

    /// Packets a second at a port of the far router where nobody listens, with a sentence, if they
    /// are as many as this end sends.
    fn unheard(&self, from: &TunnelEnd, router: &RouterName) -> Option<(f64, Said)> {
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
            let words = say!(
                "{router} gets {rate} packets a second at a UDP port where nobody listens, as many as {from} \
                 sends to port{port}",
                router,
                rate = format_args!("{whole:.1}"),
                from,
                port
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
