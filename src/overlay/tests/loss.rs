//! Loss by both ends' counters, with the truth known: two routers are read at different moments, by
//! clocks that started at different times, and their answers take time.

use std::{sync::Arc, time::Duration};

use proptest::prelude::*;

use super::{assess, tunnel};
use crate::{
    model::{
        picture::{Overlay, Tunnel},
        snapshot::{RouterReading, Uptime},
        types::Vni,
    },
    overlay::{
        fixture::{A, B, DC, TestRouter, lab, plan},
        tunnel::Assessor,
    },
};

pub(super) const DC_A: &str = "dc/vxlan01~site-a/vxlan01";
/// Transit time of a packet, in seconds.
pub(super) const FLIGHT: f64 = 0.01;
/// Bytes of each packet.
const SIZE: u64 = 500;

/// How one router is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reads {
    first: f64,
    every: f64,
    /// The router's uptime in seconds when our clock is at 0.
    uptime: f64,
    /// Duration of a read in seconds, and the part of it after which the counters are read.
    takes: f64,
    part: f64,
}

impl Reads {
    fn times(self, until: f64) -> impl Iterator<Item = f64> {
        (0_u32..).map(move |n| self.first + f64::from(n) * self.every).take_while(move |time| *time < until)
    }

    /// Sets counters and uptime for a read that starts at `asked`.
    fn read(
        self,
        router: &TestRouter,
        asked: f64,
        sent: impl Fn(f64) -> f64,
        received: impl Fn(f64) -> f64,
    ) -> Arc<RouterReading> {
        self.read_with(asked, |at| {
            router.clone().edit("vxlan01", |link| {
                let (sent, received) = (whole(sent(at)), whole(received(at)));
                (link.counters.tx_packets, link.counters.rx_packets) = (Some(sent), Some(received));
                (link.counters.tx_bytes, link.counters.rx_bytes) = (Some(sent * SIZE), Some(received * SIZE));
            })
        })
    }

    /// Reads a router whose state is made for the moment at which its counters are read; the read
    /// starts at `asked`.
    pub(super) fn read_with(self, asked: f64, router: impl FnOnce(f64) -> TestRouter) -> Arc<RouterReading> {
        let at = asked + self.takes * self.part;
        let mut router = router(at);
        let hundredths = |seconds: f64| (seconds * 100.0).floor() / 100.0;
        router.now.uptime = Some(Uptime {
            before: hundredths(self.uptime + at - 0.002),
            after: hundredths(self.uptime + at + 0.002),
            asked: Duration::from_secs_f64(asked),
            answered: Duration::from_secs_f64(asked + self.takes),
        });
        let successful = whole(((asked - self.first) / self.every).round());
        if successful == 0 {
            router.before = None;
        }
        // Four failed before it could be reached.
        router.reading.scrapes = 5 + successful;
        router.read()
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small positive numbers")]
pub(super) fn whole(count: f64) -> u64 {
    count.max(0.0) as u64
}

pub(super) const SITE_A: Reads = Reads { first: 0.3, every: 5.0, uptime: 77_000.0, takes: 0.08, part: 0.5 };
pub(super) const AT_DC: Reads = Reads { first: 2.9, every: 5.0, uptime: 123.0, takes: 0.03, part: 0.3 };

/// The picture after `until` seconds; A has sent `sent(t)` packets by time `t`, of which the DC
/// receives a part.
fn play(a: Reads, dc: Reads, until: f64, sent: impl Fn(f64) -> f64, lost: f64) -> Overlay {
    let [dc_router, a_router, _] = lab();
    let arrived = |time: f64| sent(time - FLIGHT) * (1.0 - lost);
    let mut reads: Vec<_> = a.times(until).map(|time| (time, true)).collect();
    reads.extend(dc.times(until).map(|time| (time, false)));
    reads.sort_by(|x, y| x.0.total_cmp(&y.0));
    let mut assessor = Assessor::new(&plan(&[]));
    let mut now = vec![dc_router.unread(), a_router.unread()];
    let mut overlay = Overlay::default();
    for (time, is_a) in reads {
        if is_a {
            now[1] = a.read(&a_router, time, &sent, |_| 0.0);
        } else {
            now[0] = dc.read(&dc_router, time, |_| 0.0, arrived);
        }
        overlay = assessor.assess(&now, &[]);
    }
    overlay
}

/// Loss ratio and bound from A to the DC.
fn forward(overlay: &Overlay) -> Option<(f64, f64)> {
    let loss = &tunnel(overlay, DC_A).loss;
    loss.iter().find(|loss| loss.from.router.as_str() == "site-a").map(|loss| (loss.ratio, loss.bound))
}

pub(super) fn said(tunnel: &Tunnel, words: &str) -> bool {
    tunnel.evidence.iter().any(|line| line.contains(words))
}

#[test]
fn steady_traffic_is_measured_to_a_tenth_of_a_percent() {
    for lost in [0.0, 0.01, 0.1, 1.0] {
        let overlay = play(SITE_A, AT_DC, 130.0, |time| time * 200.0, lost);
        let (ratio, bound) = forward(&overlay).unwrap_or_else(|| panic!("{:?}", overlay.tunnels[0].evidence));
        assert!((ratio - lost).abs() <= 0.001, "{lost}: {ratio}");
        assert!((ratio - lost).abs() <= bound && bound < 0.005, "{lost}: {ratio} +- {bound}");
    }
    let overlay = play(SITE_A, AT_DC, 130.0, |time| time * 200.0, 0.01);
    let tunnel = tunnel(&overlay, DC_A);
    assert!(said(tunnel, "lost from site-a/vxlan01 to dc/vxlan01: 1.0"), "{:?}", tunnel.evidence);
    assert!(
        said(tunnel, "lost from dc/vxlan01 to site-a/vxlan01: not known, 0 packets in 1"),
        "{:?}",
        tunnel.evidence
    );
}

#[test]
fn the_window_slides() {
    // Everything is lost for two minutes, then nothing.
    let [dc, a, _] = lab();
    let mut assessor = Assessor::new(&plan(&[]));
    let mut ratios = Vec::new();
    for turn in 0..60_u32 {
        let time = f64::from(turn) * 5.0;
        let arrived = |time: f64| (time - 120.0).max(0.0) * 200.0;
        let now =
            [AT_DC.read(&dc, time, |_| 0.0, arrived), SITE_A.read(&a, time, |time| time * 200.0, |_| 0.0)];
        ratios.push(forward(&assessor.assess(&now, &[])).map(|(ratio, _)| ratio));
    }
    assert_eq!(ratios[..3], [None, None, Some(1.0)]);
    assert!(ratios[36].is_some_and(|half| (0.4..0.6).contains(&half)), "{ratios:?}");
    assert!(ratios[59].is_some_and(|none| none < 0.001), "{ratios:?}");
}

#[test]
fn what_gives_no_figure() {
    let few = play(SITE_A, AT_DC, 130.0, |time| time * 0.8, 0.5);
    assert_eq!(forward(&few), None, "96 packets");
    // Bursts of a tenth of a second every 7 s; a reading may fall into one.
    let bursts = play(SITE_A, AT_DC, 130.0, |time| (time / 7.0).floor() * 200.0, 0.0);
    assert_eq!(forward(&bursts), None);
    assert!(said(&bursts.tunnels[0], "came so unevenly"), "{:?}", bursts.tunnels[0].evidence);
    let more = play(SITE_A, AT_DC, 130.0, |time| time * 200.0, -0.2);
    assert_eq!(forward(&more), None);
    assert!(said(&more.tunnels[0], "more packets were received"), "{:?}", more.tunnels[0].evidence);
    let begun = play(SITE_A, AT_DC, 4.0, |time| time * 200.0, 0.0);
    assert_eq!(forward(&begun), None);
    assert!(said(&begun.tunnels[0], "not yet two readings of both"), "{:?}", begun.tunnels[0].evidence);
}

/// The login to a router is a burst on the tunnel just before the router's first reading, and just
/// after that of the router at the other end.
#[test]
fn a_login_is_no_loss() {
    let read = |first| Reads { first, ..SITE_A };
    let login = |time: f64| ((time - 0.2) * 600.0).clamp(0.0, 60.0);
    for (a, dc) in [(0.1, 0.4), (0.4, 0.1)] {
        for readings in 2..30 {
            let until = 1.0 + f64::from(readings - 1) * 5.0;
            let overlay = play(read(a), read(dc), until, |time| time * 30.0 + login(time), 0.0);
            let ratio = forward(&overlay).map(|(ratio, _)| ratio);
            assert!(ratio.is_none_or(|ratio| ratio < 0.01), "{readings} readings: {ratio:?}");
            assert!(ratio.is_some() || readings < 4, "{readings}: {:?}", overlay.tunnels[0].evidence);
        }
    }
}

/// Something changes between two readings that restarts the counters, and with them the window.
#[test]
fn restarts_are_no_loss() {
    type Change = fn(TestRouter) -> TestRouter;
    let table: &[(&str, Change)] = &[
        ("a device made anew", |dc| dc.edit("vxlan01", |link| link.ifindex = Some(99))),
        ("a router restarted", |mut dc| {
            dc.now.boot_id = Some("boot-2".into());
            dc
        }),
        ("a counter set back", |dc| dc),
    ];
    let [dc, a, _] = lab();
    for (what, change) in table {
        let mut assessor = Assessor::new(&plan(&[]));
        let mut last = None;
        for turn in 0..20_u32 {
            let time = f64::from(turn) * 5.0;
            let (dc, since) = if turn < 10 { (dc.clone(), 0.0) } else { (change(dc.clone()), 50.0) };
            let arrived = |time: f64| (time - since) * 200.0;
            let now = [
                AT_DC.read(&dc, time, |_| 0.0, arrived),
                SITE_A.read(&a, time, |time| time * 200.0, |_| 0.0),
            ];
            let overlay = assessor.assess(&now, &[]);
            last = forward(&overlay);
            assert!(last.is_none_or(|(ratio, bound)| ratio <= bound), "{what}, {turn}: {last:?}");
            // A single reading after the restart is no window, nor are two after the login.
            assert_eq!(last.is_none(), [0, 1, 10].contains(&turn), "{what}, {turn}: {last:?}");
        }
        assert!(last.is_some());
    }
}

#[test]
fn an_end_that_is_not_read_now_has_no_figure() {
    let [dc, a, _] = lab();
    let mut assessor = Assessor::new(&plan(&[]));
    let read = |time: f64| {
        [
            AT_DC.read(&dc, time, |_| 0.0, |time| time * 200.0),
            SITE_A.read(&a, time, |time| time * 200.0, |_| 0.0),
        ]
    };
    for turn in 0..5_u32 {
        assessor.assess(&read(f64::from(turn) * 5.0), &[]);
    }
    let [_, now] = read(25.0);
    assert_eq!(forward(&assessor.assess(&[dc.unread(), now], &[])), None);
    assert!(forward(&assessor.assess(&read(30.0), &[])).is_some_and(|(ratio, bound)| ratio <= bound));
    let mut without = dc.clone();
    without.now.uptime = None;
    let [_, now] = read(35.0);
    let overlay = assessor.assess(&[without.read(), now], &[]);
    assert_eq!(forward(&overlay), None, "a source that tells no uptime");
}

#[test]
fn merged_packets_are_no_loss() {
    let [dc, a, _] = lab();
    for (sent_size, received_size, words) in
        [(1400, 2800, "merged packets (GRO): 1400 bytes each were sent, 2800 received"), (9000, 9000, "GRO")]
    {
        let mut assessor = Assessor::new(&plan(&[]));
        let mut overlay = Overlay::default();
        for turn in 0..10_u64 {
            let count = |size: u64| turn * 1_400_000 / size;
            let set = |router: &TestRouter, reads: Reads, size| {
                let time = f64::from(u32::try_from(turn).expect("small")) * 5.0;
                let reading = reads.read(router, time, |_| 0.0, |_| 0.0);
                let mut router = router.clone().edit("vxlan01", |link| {
                    (link.counters.tx_packets, link.counters.rx_packets) =
                        (Some(count(size)), Some(count(size)));
                    let bytes = Some(turn * 1_400_000);
                    (link.counters.tx_bytes, link.counters.rx_bytes) = (bytes, bytes);
                });
                router.now.uptime = reading.current.as_ref().and_then(|snapshot| snapshot.uptime);
                router.read()
            };
            overlay = assessor.assess(&[set(&dc, AT_DC, received_size), set(&a, SITE_A, sent_size)], &[]);
        }
        assert_eq!(forward(&overlay), None);
        assert!(said(&overlay.tunnels[0], words), "{:?}", overlay.tunnels[0].evidence);
    }
}

/// Counters that cover more than this tunnel give no figure, but the reason.
#[test]
fn whose_packets_are_not_known() {
    let hub = || TestRouter::new("dc", "dc", DC).vxlan("vxlan01", 1, A);
    let a = || TestRouter::new("site-a", "site-a", A).vxlan("vxlan01", 1, DC);
    let b = || TestRouter::new("site-b", "site-b", B).vxlan("vxlan01", 1, DC);
    let group = |name: &str, own: &str| TestRouter::new(name, name, own).vxlan("vxlan01", 1, "239.0.0.1");
    let table: &[(&str, Vec<TestRouter>, &str)] = &[
        (
            "several remotes",
            vec![hub().flood("vxlan01", B), a(), b()],
            "dc/vxlan01 has several remotes (10.10.10.254, 10.10.20.254)",
        ),
        ("another sender of the same vni", vec![hub(), a(), b()], "site-b/vxlan01 sends to dc/vxlan01 too"),
        ("a group", vec![group("dc", DC), group("site-a", A)], "dc/vxlan01 sends to a multicast group"),
        (
            "a stranger",
            vec![hub().learned("vxlan01", "52:54:00:00:00:09", "203.0.113.7"), a()],
            "dc/vxlan01 receives from 203.0.113.7 too",
        ),
        (
            "an entry that leads elsewhere",
            vec![hub(), a().learned("vxlan01", "52:54:00:00:00:09", "203.0.113.7")],
            "to send to 203.0.113.7 too",
        ),
    ];
    for (what, routers, words) in table {
        let overlay = assess(routers);
        let tunnel = tunnel(&overlay, DC_A);
        assert!(said(tunnel, words), "{what}: {:?}", tunnel.evidence);
        assert!(tunnel.loss.is_empty());
    }
    // Another VNI of the same router is another tunnel.
    let other = b().edit_vxlan("vxlan01", |vxlan| vxlan.vni = Some(Vni(2)));
    assert!(!said(tunnel(&assess(&[hub(), a(), other]), DC_A), "too"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// However the routers are read, the truth lies within the bound, for traffic whose rate
    /// changes slowly compared with the readings.
    #[test]
    fn the_truth_lies_within_the_bound(
        every in (1.0..15.0_f64, 1.0..15.0_f64),
        phase in (0.0..1.0_f64, 0.0..1.0_f64),
        takes in (0.005..0.5_f64, 0.005..0.5_f64),
        part in (0.05..0.95_f64, 0.05..0.95_f64),
        uptime in (0.0..1e7_f64, 0.0..1e7_f64),
        swing in 0.0..0.9_f64,
        lost in 0.0..1.0_f64,
    ) {
        let a = Reads { first: phase.0 * every.0, every: every.0, uptime: uptime.0, takes: takes.0, part: part.0 };
        let dc = Reads { first: phase.1 * every.1, every: every.1, uptime: uptime.1, takes: takes.1, part: part.1 };
        // 400 packets a second, varying with a period of 90 s.
        let turn = std::f64::consts::TAU / 90.0;
        let sent = |time: f64| 1000.0 + 400.0 * (time + swing * (time * turn).sin() / turn);
        if let Some((ratio, bound)) = forward(&play(a, dc, 240.0, sent, lost)) {
            // Packets are whole numbers, and some are in transit.
            let whole = 4.0 / 40_000.0 + 800.0 * FLIGHT / 40_000.0;
            prop_assert!((ratio - lost).abs() <= bound + whole, "{lost}: {ratio} +- {bound}");
        }
    }
}
