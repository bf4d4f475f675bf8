//! Devices that EVPN configures: a missing flood entry means a missing route, and no static remote
//! mends it.

use std::collections::BTreeMap;

use super::{assess, names, tunnel, typed};
use crate::{
    language::lines,
    model::types::{MismatchField, TunnelState, Verdict, Vni},
    overlay::{
        fixture::{A, B, DC, TestRouter, ip, path, plan, read, verdict},
        tunnel::Assessor,
    },
};

const DC_A: &str = "dc/vxlan01~site-a/vxlan01";

/// A device as FRR (8.4) configures it: `nolearning`, flood entries without a mark, MACs with one.
fn vtep(name: &str, own: &str, floods: &[&str], macs: &[&str]) -> TestRouter {
    let router = TestRouter::new(name, name, own).vxlan("vxlan01", 10, "none");
    let router = router.edit_vxlan("vxlan01", |vxlan| {
        (vxlan.learning, vxlan.local) = (Some(false), Some(ip(own)));
    });
    let router = floods.iter().fold(router, |router, to| router.flood("vxlan01", to));
    macs.iter().fold(router, |router, to| {
        let mut router = router.learned("vxlan01", "52:54:00:00:00:09", to);
        router.now.fdb.last_mut().expect("an entry").extern_learn = true;
        router
    })
}

#[test]
fn a_mesh_is_as_many_tunnels() {
    let all =
        [vtep("dc", DC, &[A, B], &[A]), vtep("site-a", A, &[DC, B], &[DC]), vtep("site-b", B, &[DC, A], &[])];
    let overlay = assess(&all);
    assert_eq!(names(&overlay), [DC_A, "dc/vxlan01~site-b/vxlan01", "site-a/vxlan01~site-b/vxlan01"]);
    assert!(overlay.tunnels.iter().all(|tunnel| tunnel.mismatches.is_empty() && tunnel.up == Some(true)));
}

/// First one end of two, then one end of a mesh that still floods to the third.
#[test]
fn a_missing_flood_entry_names_type_3_routes_and_no_remote() {
    for (floods, words) in [(&[][..], "none"), (&[B][..], B)] {
        let all = [
            vtep("dc", DC, &[A, B], &[A]),
            vtep("site-a", A, floods, &[DC]),
            vtep("site-b", B, &[DC, A], &[DC]),
        ];
        let overlay = assess(&all);
        let broken = tunnel(&overlay, DC_A);
        let told = broken.mismatches.iter().map(|(field, said)| (*field, said.to_string()));
        assert_eq!(
            told.collect::<BTreeMap<_, _>>(),
            BTreeMap::from([(
                MismatchField::Remote,
                format!(
                    "site-a/vxlan01 has no flood entry for 10.10.0.254 (dc), which sends to it (it floods to {words}): EVPN \
                     fills it, so check its type-3 routes (`show bgp l2vpn evpn route type 3`) for one from that VTEP, and \
                     whether dc has sent it"
                )
            )])
        );
        assert!(broken.fix.is_empty(), "{:?}", typed(&broken.fix));
        assert_eq!((broken.state, broken.up), (TunnelState::Paired, Some(false)));
        let dead = path("rancher", "dc", verdict(Verdict::Unreachable));
        let picture = Assessor::new(&plan(&[])).assess(&read(&all), &[dead]).paths.remove(0);
        assert!(picture.cause[0].contains("no flood entry for 10.10.0.254 (dc)"), "{picture:?}");
        assert!(picture.fix.is_empty(), "{picture:?}");
    }
}

/// Both flood entries are missing; that the two are one network is shown by MACs, or by the VNI
/// alone.
#[test]
fn neither_end_floods_to_the_other() {
    let words = "neither end floods to the other (vni 10): dc/vxlan01 floods to 10.10.20.254, site-a/vxlan01 floods to none; \
                 EVPN fills both, so check the type-3 routes (`show bgp l2vpn evpn route type 3`) on dc and site-a";
    let dead = || path("rancher", "dc", verdict(Verdict::Unreachable));
    for macs in [&[DC][..], &[]] {
        let all = [vtep("dc", DC, &[B], &[]), vtep("site-a", A, &[], macs), vtep("site-b", B, &[DC], &[])];
        let overlay = Assessor::new(&plan(&[])).assess(&read(&all), &[dead()]);
        let cause = lines(&overlay.paths[0].cause);
        let swapped = cause.contains("site-a/vxlan01 floods to none, dc/vxlan01 floods to 10.10.20.254");
        assert!(cause.contains(words) || swapped, "{macs:?}: {cause}");
        assert!(overlay.paths[0].fix.is_empty());
        assert_eq!(names(&overlay).contains(&DC_A), !macs.is_empty());
    }
    // Another network at the same two routers is not reported.
    let other = vtep("site-a", A, &[], &[]).edit_vxlan("vxlan01", |vxlan| vxlan.vni = Some(Vni(11)));
    let overlay = Assessor::new(&plan(&[])).assess(&read(&[vtep("dc", DC, &[], &[]), other]), &[dead()]);
    assert!(!lines(&overlay.paths[0].cause).contains("neither end"), "{:?}", overlay.paths[0].cause);
}

/// The device of an L3 VNI never floods: it has MACs of routers and no LAN port.
#[test]
fn an_l3_vni_is_not_missed() {
    let l3 = |name: &str, own: &str, other: &str| {
        vtep(name, own, &[], &[other]).edit("eth1", |link| link.master = Some("br10".into()))
    };
    let overlay = assess(&[l3("dc", DC, A), l3("site-a", A, DC)]);
    assert!(names(&overlay).is_empty(), "{:?}", overlay.tunnels);
}

/// An `external` device takes no `remote` in VyOS's configuration, whoever configures it.
#[test]
fn no_remote_for_an_external_device() {
    let external = |router: TestRouter| {
        router.edit_vxlan("vxlan01", |vxlan| {
            (vxlan.vni, vxlan.external, vxlan.vnifilter) = (None, true, true);
            (vxlan.learning, vxlan.local) = (Some(true), None);
            vxlan.vnis = [Vni(10)].into_iter().collect();
        })
    };
    let dc = external(vtep("dc", DC, &[], &[]).flood_vni("vxlan01", A, 10));
    let a = external(vtep("site-a", A, &[], &[]).flood_vni("vxlan01", "10.10.99.9", 10));
    let overlay = assess(&[dc, a]);
    let broken = tunnel(&overlay, DC_A);
    assert!(broken.mismatches.contains_key(&MismatchField::Remote) && broken.fix.is_empty(), "{broken:?}");
    assert!(
        broken.evidence.iter().any(|said| said.contains("site-a/vxlan01 is `external`: it has no `remote`")),
        "{:?}",
        broken.evidence
    );
}
