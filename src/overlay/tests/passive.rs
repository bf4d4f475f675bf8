//! Fragments and unheard packets by the routers' own counters: claimed only in step with a tunnel's
//! packets.

use std::{sync::Arc, time::Duration};

use super::tunnel;
use crate::{
    language::lines,
    model::{
        picture::Overlay,
        snapshot::{RouterReading, RouterSnapshot, Uptime},
        types::DfPolicy,
    },
    overlay::{
        fixture::{TestRouter, lab, plan},
        tunnel::Assessor,
    },
};

const TUNNEL: &str = "dc/vxlan01~site-a/vxlan01";

/// What a router counts in each interval of ten seconds.
#[derive(Clone, Copy, Default)]
struct Rates {
    packets: u64,
    bytes: u64,
    fragmented: u64,
    reassembled: u64,
    failed: u64,
    no_ports: u64,
}

fn reading(router: &TestRouter, turn: u64, rates: Rates) -> Arc<RouterReading> {
    let mut reading = (*router.read()).clone();
    let mut now: RouterSnapshot = (**reading.current.as_ref().unwrap()).clone();
    for link in now.links.iter_mut().filter(|link| link.vxlan.is_some()) {
        link.counters.tx_packets = Some(turn * rates.packets);
        link.counters.tx_bytes = Some(turn * rates.bytes);
        link.counters.rx_packets = Some(turn * rates.packets);
    }
    now.stack.v4.fragmented = Some(turn * rates.fragmented);
    now.stack.v4.fragments_created = Some(turn * rates.fragmented * 2);
    now.stack.v4.reassemblies = Some(turn * rates.reassembled);
    now.stack.v4.reassembly_failures = Some(turn * rates.failed);
    now.stack.v4.udp_no_ports = Some(turn * rates.no_ports);
    let at = Duration::from_secs(10 * turn + 10);
    let seconds = at.as_secs_f64();
    now.uptime = Some(Uptime { before: seconds, after: seconds, asked: at, answered: at });
    reading.current = Some(Arc::new(now));
    Arc::new(reading)
}

fn play(routers: &[TestRouter; 3], rates: [Rates; 3]) -> Overlay {
    let mut assessor = Assessor::new(&plan(&[]));
    let mut overlay = Overlay::default();
    for turn in 0..6 {
        let readings: Vec<_> =
            routers.iter().zip(rates).map(|(router, rates)| reading(router, turn, rates)).collect();
        overlay = assessor.assess(&readings, &[]);
    }
    overlay
}

/// The lab over an underlay of 1500: packets above 1450 do not fit.
fn small_underlay() -> [TestRouter; 3] {
    lab().map(|router| router.mtu("eth0", 1500))
}

/// Site-a sends fifty full-size packets and as many small ones in ten seconds.
const BUSY: Rates = Rates {
    packets: 100,
    bytes: 50 * 1500 + 50 * 60,
    fragmented: 50,
    reassembled: 0,
    failed: 0,
    no_ports: 0,
};
const QUIET: Rates = Rates { packets: 0, bytes: 0, fragmented: 0, reassembled: 0, failed: 0, no_ports: 0 };

fn said(overlay: &Overlay) -> String {
    lines(&tunnel(overlay, TUNNEL).evidence)
}

#[test]
fn fragments_in_step_with_a_tunnel_s_large_packets_are_said_with_their_rate() {
    let overlay = play(&small_underlay(), [Rates { reassembled: 50, ..QUIET }, BUSY, QUIET]);
    let seen = said(&overlay);
    assert!(
        seen.contains(
            "site-a cuts outer packets into fragments: 2.0 per packet too large for its route, 10.0 a second"
        ),
        "{seen}"
    );
    assert!(!seen.contains("fragments get lost"), "{seen}");
    let flows = &tunnel(&overlay, TUNNEL).flows;
    assert!(
        matches!(&flows[..], [flow] if flow.fragments_per_second == Some(10.0) && flow.reassemblies_failed.is_none())
    );
}

#[test]
fn fragments_of_other_traffic_are_not_claimed_for_a_tunnel() {
    let other = Rates { fragmented: 500, ..BUSY };
    let few = Rates { packets: 1000, bytes: 1000 * 1400, fragmented: 5, ..QUIET };
    let none = Rates { packets: 100, bytes: 100 * 60, fragmented: 50, ..QUIET };
    for rates in [other, few, none] {
        let seen = said(&play(&small_underlay(), [QUIET, rates, QUIET]));
        assert!(!seen.contains("cuts outer packets"), "{seen}");
    }
    let seen = said(&play(&lab(), [QUIET, BUSY, QUIET]));
    assert!(!seen.contains("cuts outer packets"), "an underlay of 1600 fits them: {seen}");
    let df = small_underlay().map(|router| {
        let name = router.now.links.iter().find(|link| link.vxlan.is_some()).unwrap().name.clone();
        router.edit_vxlan(name.as_str(), |vxlan| vxlan.df = Some(DfPolicy::Set))
    });
    let seen = said(&play(&df, [QUIET, BUSY, QUIET]));
    assert!(!seen.contains("site-a cuts outer packets"), "with df nothing is cut: {seen}");
}

#[test]
fn lost_fragments_are_said_only_where_the_far_end_reassembles_as_many() {
    let lossy = |reassembled, failed| {
        said(&play(&small_underlay(), [Rates { reassembled, failed, ..QUIET }, BUSY, QUIET]))
    };
    let seen = lossy(40, 10);
    assert!(
        seen.contains("fragments get lost on the way from site-a to dc: 20 % of the reassemblies at dc fail"),
        "{seen}"
    );
    assert!(!lossy(400, 100).contains("get lost"), "other traffic");
    assert!(!lossy(0, 1).contains("get lost"), "of another time");
    let healthy = said(&play(&lab(), [Rates { reassembled: 40, failed: 10, ..QUIET }, QUIET, QUIET]));
    assert!(!healthy.contains("get lost"), "{healthy}");
}

/// A hub reassembles what all its sites send, and its own fragments go to several.
#[test]
fn of_several_senders_all_are_named() {
    let hub =
        Rates { packets: 200, bytes: 2 * BUSY.bytes, fragmented: 200, reassembled: 90, failed: 10, ..QUIET };
    let site = Rates { reassembled: 50, ..BUSY };
    let overlay = play(&small_underlay(), [hub, site, site]);
    assert!(
        said(&overlay)
            .contains("lost on the way from site-a or site-b to dc: 10 % of the reassemblies at dc"),
        "{}",
        said(&overlay)
    );
    assert!(!said(&overlay).contains("from dc to site-a"), "none fails there");
}

#[test]
fn a_port_where_nobody_listens_is_said_and_left_to_the_mismatch_where_that_is_known() {
    let sends = Rates { packets: 100, bytes: 6000, ..QUIET };
    let unheard =
        |routers: &[TestRouter; 3], no_ports| play(routers, [Rates { no_ports, ..QUIET }, sends, QUIET]);
    let seen = unheard(&lab(), 98);
    assert!(
        said(&seen).contains("dc gets 9.8 packets a second at a UDP port where nobody listens"),
        "{}",
        said(&seen)
    );
    assert_eq!(tunnel(&seen, TUNNEL).flows[0].unheard_per_second, Some(9.8));
    for other in [0, 30, 300] {
        assert!(!said(&unheard(&lab(), other)).contains("nobody listens"), "{other}");
    }
    let [dc, a, b] = lab();
    let wrong = [dc, a.edit_vxlan("vxlan01", |vxlan| vxlan.port = Some(4789)), b];
    let seen = unheard(&wrong, 98);
    assert!(said(&seen).contains("nobody listens"), "{}", said(&seen));
    assert!(tunnel(&seen, TUNNEL).flows.is_empty(), "the mismatch has its own alert");
}
