//! Loss of the tunnels of one device with many networks, by its counters per VNI.

use std::collections::BTreeMap;

use super::{
    loss::{AT_DC, DC_A, FLIGHT, SITE_A, said, whole},
    tunnel,
};
use crate::{
    model::{
        picture::{Overlay, Tunnel},
        snapshot::Counters,
        types::Vni,
    },
    overlay::{
        fixture::{A, B, DC, TestRouter, plan},
        tunnel::Assessor,
    },
};

const DC_B: &str = "dc/vxlan01~site-b/vxlan01";
/// Bytes of each packet: as large as the devices' MTU.
const SIZE: u64 = 1500;
/// Share of the packets from the DC to A that is lost; none are lost between the DC and B.
const LOST: f64 = 0.05;

/// An `external` device at the hub, with a filter of these VNIs.
fn shared(router: TestRouter, vnis: &[u32]) -> TestRouter {
    router.edit_vxlan("vxlan01", |vxlan| {
        (vxlan.vni, vxlan.remote) = (None, None);
        (vxlan.external, vxlan.vnifilter) = (true, true);
        vxlan.vnis = vnis.iter().copied().map(Vni).collect();
    })
}

fn hub(vnis: &[u32]) -> TestRouter {
    shared(TestRouter::new("dc", "dc", DC).vxlan("vxlan01", 0, "none"), vnis)
}

fn site(name: &str, address: &str, vni: u32) -> TestRouter {
    TestRouter::new(name, name, address).vxlan("vxlan01", vni, DC)
}

/// The hub with site A on VNI 1 and site B on VNI 2.
fn two_sites() -> [TestRouter; 3] {
    [
        hub(&[1, 2]).flood_vni("vxlan01", A, 1).flood_vni("vxlan01", B, 2),
        site("site-a", A, 1),
        site("site-b", B, 2),
    ]
}

fn counters(sent: f64, received: f64, sent_header: u64) -> Counters {
    let (sent, received) = (whole(sent), whole(received));
    Counters {
        tx_packets: Some(sent),
        tx_bytes: Some(sent * (SIZE + sent_header)),
        rx_packets: Some(received),
        rx_bytes: Some(received * SIZE),
        ..Counters::default()
    }
}

/// The picture after 130 s. The DC sends 200 packets a second to A and 700 to B, and receives as
/// many; `told` are the VNIs that its device has counters for.
fn play([dc, a, b]: &[TestRouter; 3], told: &[u32]) -> Overlay {
    let mut assessor = Assessor::new(&plan(&[]));
    let mut overlay = Overlay::default();
    for turn in 0..26_u32 {
        let start = f64::from(turn) * 5.0;
        let arrived = |at: f64| at - FLIGHT;
        let at_dc = |at: f64| {
            let by_vni = [(1, 200.0), (2, 700.0)];
            let by_vni = by_vni.into_iter().filter(|(vni, _)| told.contains(vni));
            let counted = |(vni, rate)| (Vni(vni), counters(at * rate, arrived(at) * rate, 14));
            dc.clone().edit("vxlan01", |link| {
                link.counters = counters(at * 900.0, arrived(at) * 900.0, 0);
                if let Some(vxlan) = &mut link.vxlan {
                    vxlan.vni_counters = by_vni.map(counted).collect::<BTreeMap<_, _>>();
                }
            })
        };
        let at_site = |router: &TestRouter, rate: f64, lost: f64, at: f64| {
            let received = arrived(at) * rate * (1.0 - lost);
            router.clone().edit("vxlan01", |link| link.counters = counters(at * rate, received, 0))
        };
        let now = [
            AT_DC.read_with(start + 2.9, at_dc),
            SITE_A.read_with(start + 0.3, |at| at_site(a, 200.0, LOST, at)),
            AT_DC.read_with(start + 1.1, |at| at_site(b, 700.0, 0.0, at)),
        ];
        overlay = assessor.assess(&now, &[]);
    }
    overlay
}

/// Loss from the hub and to it, in percent.
fn losses(tunnel: &Tunnel) -> [Option<f64>; 2] {
    [true, false].map(|from_hub| {
        let mut found = tunnel.loss.iter().filter(|loss| (loss.from.router.as_str() == "dc") == from_hub);
        found.next().map(|loss| (loss.ratio * 1000.0).round() / 10.0)
    })
}

#[test]
fn each_network_of_a_shared_device_has_its_own_loss() {
    let overlay = play(&two_sites(), &[1, 2]);
    let (to_a, to_b) = (tunnel(&overlay, DC_A), tunnel(&overlay, DC_B));
    assert_eq!(losses(to_a), [Some(5.0), Some(0.0)], "{:?}", to_a.evidence);
    assert_eq!(losses(to_b), [Some(0.0), Some(0.0)], "{:?}", to_b.evidence);
    assert!(said(to_a, " packets of vni 1 in 1"), "{:?}", to_a.evidence);

    // A also has a shared device that counts only as a whole, but it carries a single network.
    let [dc, a, b] = two_sites();
    let both = [dc, shared(a, &[1]).flood_vni("vxlan01", DC, 1), b];
    assert_eq!(losses(tunnel(&play(&both, &[1, 2]), DC_A)), [Some(5.0), Some(0.0)]);
}

/// Entries of another network do not matter.
#[test]
fn only_entries_of_the_same_network_count() {
    let [dc, a, b] = two_sites();
    let entry = |vni: Option<u32>| {
        let mut dc = dc.clone().learned("vxlan01", "52:54:00:00:00:09", "203.0.113.7");
        dc.now.fdb.last_mut().expect("just learned").vni = vni.map(Vni);
        [dc, a.clone(), b.clone()]
    };
    let overlay = play(&entry(Some(2)), &[1, 2]);
    assert_eq!(losses(tunnel(&overlay, DC_A)), [Some(5.0), Some(0.0)]);
    assert_eq!(losses(tunnel(&overlay, DC_B)), [None, None]);
    for vni in [Some(1), None] {
        let overlay = play(&entry(vni), &[1, 2]);
        let tunnel = tunnel(&overlay, DC_A);
        assert_eq!(losses(tunnel), [None, None], "{vni:?}");
        assert!(said(tunnel, "dc/vxlan01 has learned to send to 203.0.113.7 too"), "{vni:?}");
        assert!(said(tunnel, "dc/vxlan01 receives from 203.0.113.7 too"), "{vni:?}");
    }
}

/// There is no figure, but the reason.
#[test]
fn networks_that_are_not_counted_apart() {
    let (none, both): (&[u32], &[u32]) = (&[], &[1, 2]);
    let [dc, a, b] = two_sites();
    let one_remote = || hub(&[1, 3]).flood_vni("vxlan01", A, 1).flood_vni("vxlan01", A, 3);
    let twice = |site: TestRouter, vnis: &[u32]| {
        let site = shared(site, vnis);
        vnis.iter().fold(site, |site, vni| site.flood_vni("vxlan01", DC, *vni))
    };
    let leads_here = |vni: u32| {
        let mut site = twice(b.clone(), &[2]).learned("vxlan01", "52:54:00:00:00:09", DC);
        site.now.fdb.last_mut().expect("just learned").vni = Some(Vni(vni));
        site.edit_vxlan("vxlan01", |vxlan| vxlan.vnis = [Vni(1), Vni(2)].into_iter().collect())
    };
    let apart = "which its counters do not tell apart";
    let several = "dc/vxlan01 has several remotes (10.10.10.254, 10.10.20.254)";
    let table = vec![
        ("no counters by vni", two_sites(), none, [several, apart]),
        ("none of this vni", two_sites(), &[2][..], [several, apart]),
        (
            "one remote, two networks",
            [one_remote(), a.clone(), b.clone()],
            none,
            ["dc/vxlan01 has several networks", apart],
        ),
        (
            "a vni flooded to two remotes",
            [dc.clone().flood_vni("vxlan01", B, 1), a.clone(), b.clone()],
            both,
            ["dc/vxlan01 sends vni 1 to several remotes (10.10.10.254, 10.10.20.254)", ""],
        ),
        (
            "another sender of the same vni",
            [dc.clone(), a.clone(), twice(b.clone(), both)],
            both,
            ["site-b/vxlan01 sends to dc/vxlan01 too", ""],
        ),
        (
            "another whose entries of that vni lead here",
            [dc.clone(), a.clone(), leads_here(1)],
            both,
            ["site-b/vxlan01 sends to dc/vxlan01 too", ""],
        ),
        (
            "a tunnel of two networks",
            [dc.clone().flood_vni("vxlan01", A, 2), twice(a, both), b.clone()],
            both,
            [several, "and this tunnel does not have exactly one vni"],
        ),
    ];
    for (what, routers, told, words) in table {
        let overlay = play(&routers, told);
        let tunnel = tunnel(&overlay, DC_A);
        assert_eq!(losses(tunnel)[1], None, "{what}");
        for words in words {
            assert!(said(tunnel, words), "{what}: {words}: {:?}", tunnel.evidence);
        }
    }
    // The same entry for another VNI does not matter.
    let [dc, a, _] = two_sites();
    assert_eq!(losses(tunnel(&play(&[dc, a, leads_here(2)], both), DC_A)), [Some(5.0), Some(0.0)]);
}

/// Two devices with one remote and the same networks at both ends count one tunnel, per VNI or as a
/// whole.
#[test]
fn two_shared_devices_that_are_one_tunnel() {
    let [dc, a, b] = [hub(&[1, 2]), shared(site("site-a", A, 1), &[1, 2]), site("site-b", B, 4)];
    let flood = |router: TestRouter, remote: &str| {
        router.flood_vni("vxlan01", remote, 1).flood_vni("vxlan01", remote, 2)
    };
    let overlay = play(&[flood(dc, A), flood(a, DC), b.edit_vxlan("vxlan01", |it| it.remote = None)], &[]);
    let tunnel = tunnel(&overlay, DC_A);
    assert!(!said(tunnel, "tell them apart") && !said(tunnel, "too"), "{:?}", tunnel.evidence);
    assert!(said(tunnel, "packets in 1"), "{:?}", tunnel.evidence);
}
