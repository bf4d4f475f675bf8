use std::sync::Arc;

use super::{assess, names, tunnel, typed};
use crate::{
    model::types::{DfPolicy, Method, MismatchField, TunnelState, Vni},
    overlay::{
        fixture::{A, B, DC, TestRouter, ip, lab, plan, read},
        tunnel::Assessor,
    },
};

const DC_A: &str = "dc/vxlan01~site-a/vxlan01";
const DC_B: &str = "dc/vxlan02~site-b/vxlan02";

#[test]
fn healthy_lab_has_two_tunnels() {
    let overlay = assess(&lab());
    assert_eq!(names(&overlay), [DC_A, DC_B]);
    for tunnel in &overlay.tunnels {
        assert_eq!(tunnel.state, TunnelState::Paired);
        assert_eq!(tunnel.up, Some(true));
        assert!(tunnel.mismatches.is_empty());
        assert!(tunnel.fix.is_empty());
    }
}

/// One thing changes at site B: the tunnel keeps its name, the field is named, the fix is exact.
#[test]
fn mismatches() {
    type Case =
        (&'static str, fn(TestRouter) -> TestRouter, MismatchField, Option<bool>, &'static [&'static str]);
    let table: &[Case] = &[
        (
            "the seed's slip",
            |b| b.edit_vxlan("vxlan02", |v| v.vni = Some(Vni(1))),
            MismatchField::Vni,
            Some(false),
            &["site-b: set interfaces vxlan vxlan02 vni 2"],
        ),
        (
            "a vni nobody uses: the farther end changes",
            |b| b.edit_vxlan("vxlan02", |v| v.vni = Some(Vni(7))),
            MismatchField::Vni,
            Some(false),
            &["site-b: set interfaces vxlan vxlan02 vni 2"],
        ),
        (
            "port",
            |b| b.edit_vxlan("vxlan02", |v| v.port = Some(4789)),
            MismatchField::Port,
            Some(false),
            &["site-b: set interfaces vxlan vxlan02 port 8472"],
        ),
        (
            "df does not stop traffic",
            |b| b.edit_vxlan("vxlan02", |v| v.df = Some(DfPolicy::Set)),
            MismatchField::Df,
            Some(true),
            &["site-b: set interfaces vxlan vxlan02 parameters ip df unset"],
        ),
        (
            "mtu does not stop traffic; the smaller is raised",
            |b| b.mtu("vxlan02", 1450),
            MismatchField::Mtu,
            Some(true),
            &["site-b: set interfaces vxlan vxlan02 mtu 1500"],
        ),
        (
            "remote at B points nowhere: recognised by vni and port",
            |b| b.edit_vxlan("vxlan02", |v| v.remote = Some(ip("10.10.99.9"))),
            MismatchField::Remote,
            Some(false),
            &[
                "site-b: delete interfaces vxlan vxlan02 remote 10.10.99.9",
                "site-b: set interfaces vxlan vxlan02 remote 10.10.0.254",
            ],
        ),
    ];
    for (what, change, field, up, fix) in table {
        let [dc, a, b] = lab();
        let overlay = assess(&[dc, a, change(b)]);
        assert_eq!(names(&overlay), [DC_A, DC_B], "{what}");
        let tunnel = tunnel(&overlay, DC_B);
        assert_eq!(tunnel.mismatches.keys().collect::<Vec<_>>(), [field], "{what}");
        assert_eq!(tunnel.up, *up, "{what}: {:?}", tunnel.evidence);
        assert_eq!(typed(&tunnel.fix), *fix, "{what}");
        let sentence = &tunnel.mismatches[field];
        assert!(sentence.contains("vxlan02"), "{what}: {sentence}");
    }
}

#[test]
fn the_slip_is_explained() {
    let [dc, a, b] = lab();
    let overlay = assess(&[dc, a, b.edit_vxlan("vxlan02", |v| v.vni = Some(Vni(1)))]);
    let tunnel = tunnel(&overlay, DC_B);
    assert_eq!(tunnel.mismatches[&MismatchField::Vni], "vni differs: dc/vxlan02 has 2, site-b/vxlan02 has 1");
    assert!(
        tunnel
            .evidence
            .iter()
            .any(|said| said == "dc already uses vni 1 on vxlan01, so site-b/vxlan02 must change"),
        "{:?}",
        tunnel.evidence
    );
}

#[test]
fn wrong_remote_at_the_hub() {
    let [dc, a, b] = lab();
    let dc = dc.edit_vxlan("vxlan02", |v| v.remote = Some(ip("10.10.99.9")));
    let overlay = assess(&[dc, a, b]);
    assert_eq!(names(&overlay), [DC_A, DC_B]);
    assert_eq!(
        typed(&tunnel(&overlay, DC_B).fix),
        [
            "dc: delete interfaces vxlan vxlan02 remote 10.10.99.9",
            "dc: set interfaces vxlan vxlan02 remote 10.10.20.254",
        ]
    );
}

#[test]
fn half_and_its_reason() {
    let [dc, a, b] = lab();
    for (what, b) in [("unread", b.unread()), ("no device", b.without("vxlan02").read())] {
        let overlay = Assessor::new(&plan(&[])).assess(&[dc.read(), a.read(), b], &[]);
        assert_eq!(names(&overlay), [DC_A, "dc/vxlan02~10.10.20.254"], "{what}");
        let half = &overlay.tunnels[1];
        assert_eq!((half.state, half.up), (TunnelState::Half, None), "{what}");
        assert_eq!(half.ends.len(), 1);
        assert!(half.evidence.iter().any(|said| said.contains("site-b")), "{what}: {:?}", half.evidence);
    }
}

#[test]
fn nat_addresses_pair_and_are_preferred_in_a_fix() {
    let [dc, a, mut b] = lab();
    let dc = dc.edit_vxlan("vxlan02", |v| v.remote = Some(ip("203.0.113.9")));
    b.reading.extra_addresses = vec![ip("203.0.113.9")];
    let overlay = assess(&[dc, a, b]);
    assert!(tunnel(&overlay, DC_B).mismatches.is_empty());
}

#[test]
fn parallel_tunnels_are_told_apart_by_vni_and_the_rest_by_elimination() {
    let [dc, a, b] = lab();
    let dc = dc.vxlan("vxlan11", 11, A).vxlan("vxlan12", 12, A);
    let a = a.vxlan("vxlan21", 11, DC).vxlan("vxlan22", 13, DC);
    let overlay = assess(&[dc, a, b]);
    assert_eq!(names(&overlay), [DC_A, DC_B, "dc/vxlan11~site-a/vxlan21", "dc/vxlan12~site-a/vxlan22"]);
    assert!(tunnel(&overlay, "dc/vxlan12~site-a/vxlan22").mismatches.contains_key(&MismatchField::Vni));
}

#[test]
fn several_that_fit_are_ambiguous_until_declared() {
    let [dc, a, b] = lab();
    let dc = dc.vxlan("vxlan11", 11, A).vxlan("vxlan12", 12, A);
    let a = a.vxlan("vxlan21", 21, DC).vxlan("vxlan22", 22, DC);
    let routers = read(&[dc, a, b]);
    let overlay = Assessor::new(&plan(&[])).assess(&routers, &[]);
    assert_eq!(
        names(&overlay),
        [
            DC_A,
            DC_B,
            "dc/vxlan11~10.10.10.254",
            "dc/vxlan12~10.10.10.254",
            "site-a/vxlan21~10.10.0.254",
            "site-a/vxlan22~10.10.0.254"
        ]
    );
    assert_eq!(overlay.tunnels[2].state, TunnelState::Ambiguous);
    assert!(overlay.tunnels[2].evidence[0].contains("site-a/vxlan21, site-a/vxlan22"));
    let declared = plan(&[["site-a/vxlan22", "dc/vxlan11"]]);
    let overlay = Assessor::new(&declared).assess(&routers, &[]);
    assert_eq!(names(&overlay), [DC_A, DC_B, "dc/vxlan11~site-a/vxlan22", "dc/vxlan12~site-a/vxlan21"]);
}

#[test]
fn a_declared_pair_behind_nat_is_believed() {
    let [dc, a, b] = lab();
    let b = b.edit_vxlan("vxlan02", |v| (v.remote, v.vni) = (Some(ip("203.0.113.1")), Some(Vni(2))));
    let dc = dc.edit_vxlan("vxlan02", |v| v.remote = Some(ip("203.0.113.2")));
    let routers = read(&[dc, a, b]);
    assert_eq!(Assessor::new(&plan(&[])).assess(&routers, &[]).tunnels.len(), 3);
    let overlay = Assessor::new(&plan(&[["dc/vxlan02", "site-b/vxlan02"]])).assess(&routers, &[]);
    assert_eq!(names(&overlay), [DC_A, DC_B]);
    assert!(tunnel(&overlay, DC_B).mismatches.is_empty());
}

#[test]
fn one_device_with_several_remotes() {
    let hub = TestRouter::new("dc", "dc", DC).vxlan("vxlan01", 1, A).flood("vxlan01", A).flood("vxlan01", B);
    let a = TestRouter::new("site-a", "site-a", A).vxlan("vxlan01", 1, DC);
    let b = TestRouter::new("site-b", "site-b", B).vxlan("vxlan01", 1, DC);
    let overlay = assess(&[hub.clone(), a.clone(), b]);
    assert_eq!(names(&overlay), [DC_A, "dc/vxlan01~site-b/vxlan01"]);
    assert!(overlay.tunnels.iter().all(|tunnel| tunnel.mismatches.is_empty()));
    let overlay = assess(&[hub, a]);
    assert_eq!(names(&overlay), ["dc/vxlan01~10.10.20.254", DC_A]);
}

#[test]
fn a_virtual_address_of_two_routers_names_neither() {
    let far = |name: &str, own: &str| {
        let router = TestRouter::new(name, "dc", own).vxlan("vxlan01", 1, A);
        router.edit("eth0", |link| link.addresses.push(ip("10.10.0.1")))
    };
    let a = TestRouter::new("site-a", "site-a", A).vxlan("vxlan01", 1, "10.10.0.1");
    let overlay = assess(&[far("dc1", "10.10.0.2"), far("dc2", "10.10.0.3"), a]);
    assert_eq!(overlay.tunnels.len(), 3);
    assert!(overlay.tunnels.iter().all(|tunnel| tunnel.state == TunnelState::Ambiguous));
}

#[test]
fn a_pair_once_seen_keeps_its_name() {
    let [dc, a, b] = lab();
    let mut assessor = Assessor::new(&plan(&[]));
    assessor.assess(&read(&[dc.clone(), a.clone(), b.clone()]), &[]);
    let away = |b: Arc<_>| vec![dc.read(), a.read(), b];
    let unread = assessor.assess(&away(b.unread()), &[]);
    assert_eq!(names(&unread), [DC_A, DC_B]);
    let pair = tunnel(&unread, DC_B);
    assert_eq!((pair.state, pair.up), (TunnelState::Paired, None));
    assert!(pair.mismatches.is_empty());
    // Now so wrong that no rule alone would pair it: no VNI in common, and no remote.
    let astray = b.clone().edit_vxlan("vxlan02", |v| (v.vni, v.remote) = (Some(Vni(9)), None));
    let wrong = assessor.assess(&away(astray.read()), &[]);
    assert_eq!(names(&wrong), [DC_A, DC_B]);
    assert_eq!(
        tunnel(&wrong, DC_B).mismatches.keys().copied().collect::<Vec<_>>(),
        [MismatchField::Vni, MismatchField::Remote]
    );
    let gone = assessor.assess(&away(b.without("vxlan02").read()), &[]);
    assert_eq!(tunnel(&gone, DC_B).up, Some(false));
    assert_eq!(tunnel(&gone, DC_B).transitions_down, 1);
}

#[test]
fn an_end_that_moved_to_another_tunnel_leaves_the_old_one() {
    let [dc, a, b] = lab();
    let mut assessor = Assessor::new(&plan(&[]));
    assessor.assess(&read(&[dc.clone(), a.clone(), b]), &[]);
    let c = TestRouter::new("site-b", "site-b", B);
    let moved = TestRouter::new("site-c", "site-c", "10.10.30.254").vxlan("vxlan02", 2, DC);
    let dc = dc.edit_vxlan("vxlan02", |v| v.remote = Some(ip("10.10.30.254")));
    let overlay = assessor.assess(&read(&[dc, a, c, moved]), &[]);
    assert_eq!(names(&overlay), [DC_A, "dc/vxlan02~site-c/vxlan02"]);
}

/// Four sites, each with one device for the three others: six tunnels, none of which excludes
/// another.
#[test]
fn a_full_mesh_of_devices_with_several_remotes() {
    let address = |site: usize| format!("10.10.{site}.254");
    let router = |site: usize| {
        let others: Vec<_> = (0..4).filter(|other| *other != site).map(address).collect();
        let name = format!("site-{site}");
        let router = TestRouter::new(&name, &name, &address(site)).vxlan("vxlan01", 1, &others[0]);
        others.iter().fold(router, |router, other| router.flood("vxlan01", other))
    };
    let overlay = assess(&[0, 1, 2, 3].map(router));
    assert_eq!(
        names(&overlay),
        [
            "site-0/vxlan01~site-1/vxlan01",
            "site-0/vxlan01~site-2/vxlan01",
            "site-0/vxlan01~site-3/vxlan01",
            "site-1/vxlan01~site-2/vxlan01",
            "site-1/vxlan01~site-3/vxlan01",
            "site-2/vxlan01~site-3/vxlan01",
        ]
    );
    assert!(overlay.tunnels.iter().all(|tunnel| tunnel.up == Some(true) && tunnel.mismatches.is_empty()));
}

#[test]
fn a_full_mesh_of_single_tunnels() {
    let [dc, a, b] = lab();
    let overlay = assess(&[dc, a.vxlan("vxlan03", 3, B), b.vxlan("vxlan03", 3, A)]);
    assert_eq!(names(&overlay), [DC_A, DC_B, "site-a/vxlan03~site-b/vxlan03"]);
}

#[test]
fn a_multicast_group_is_a_tunnel_between_any_two_of_it() {
    let joined =
        |name: &str, own: &str, vni| TestRouter::new(name, name, own).vxlan("vxlan01", vni, "239.1.1.1");
    let three = [joined("dc", DC, 7), joined("site-a", A, 7), joined("site-b", B, 7)];
    let overlay = assess(&three);
    assert_eq!(names(&overlay), [DC_A, "dc/vxlan01~site-b/vxlan01", "site-a/vxlan01~site-b/vxlan01"]);
    for tunnel in &overlay.tunnels {
        assert_eq!((tunnel.up, tunnel.mismatches.len()), (Some(true), 0));
        assert!(tunnel.evidence.iter().any(|said| said == "paired: both are in the group 239.1.1.1"));
    }
    // Two of them with different VNIs are still one tunnel.
    let overlay = assess(&[joined("dc", DC, 7), joined("site-a", A, 8)]);
    assert_eq!(names(&overlay), [DC_A]);
    assert!(overlay.tunnels[0].mismatches.contains_key(&MismatchField::Vni));
    // No other router that is read has joined.
    let [_, a, _] = lab();
    let overlay = assess(&[joined("dc", DC, 7), a]);
    assert_eq!(names(&overlay), ["dc/vxlan01~239.1.1.1", "site-a/vxlan01~10.10.0.254"]);
    // A packet that one of them sends to the group counts once and arrives everywhere, so silence
    // proves nothing.
    let [dc, a, b] = three;
    let dc = dc.counted("vxlan01", 60, 9, 0);
    let overlay = assess(&[dc, a.counted("vxlan01", 0, 0, 0), b.counted("vxlan01", 9, 60, 0)]);
    assert!(overlay.tunnels.iter().all(|tunnel| tunnel.up == Some(true)), "{:?}", overlay.tunnels);
}

#[test]
fn ipv6_underlays() {
    let v6 = |name: &str, own: &str, remote: &str| {
        let router =
            TestRouter::new(name, name, "192.0.2.1").edit("eth0", |link| link.addresses = vec![ip(own)]);
        router.vxlan("vxlan01", 1, remote)
    };
    let [dc, a] = [v6("dc", "2001:db8::1", "2001:db8::a"), v6("site-a", "2001:db8::a", "2001:db8::1")];
    let overlay = assess(&[dc.clone(), a.clone()]);
    assert_eq!(names(&overlay), [DC_A]);
    assert_eq!((overlay.tunnels[0].up, overlay.tunnels[0].mismatches.len()), (Some(true), 0));
    let overlay = assess(&[dc, a.edit_vxlan("vxlan01", |vxlan| vxlan.remote = Some(ip("2001:db8::bad")))]);
    assert_eq!(
        typed(&overlay.tunnels[0].fix),
        [
            "site-a: delete interfaces vxlan vxlan01 remote 2001:db8::bad",
            "site-a: set interfaces vxlan vxlan01 remote 2001:db8::1",
        ]
    );
}

/// `external` at the hub: one device for all sites, with a filter and a flood list by VNI.
#[test]
fn one_device_with_many_networks() {
    let hub = |vnis: &[u32]| {
        let hub = TestRouter::new("dc", "dc", DC).vxlan("vxlan01", 0, "none");
        hub.edit_vxlan("vxlan01", |vxlan| {
            (vxlan.vni, vxlan.external, vxlan.vnifilter) = (None, true, true);
            vxlan.vnis = vnis.iter().copied().map(Vni).collect();
        })
    };
    let flooded = |hub: TestRouter| {
        hub.flood_vni("vxlan01", A, 1).flood_vni("vxlan01", A, 3).flood_vni("vxlan01", B, 2)
    };
    let [_, a, b] = lab();
    let a = a.vxlan("vxlan03", 3, DC);
    let overlay = assess(&[flooded(hub(&[1, 2, 3])), a.clone(), b.clone()]);
    assert_eq!(names(&overlay), [DC_A, "dc/vxlan01~site-a/vxlan03", "dc/vxlan01~site-b/vxlan02"]);
    for tunnel in &overlay.tunnels {
        assert_eq!((tunnel.up, &tunnel.mismatches), (Some(true), &std::collections::BTreeMap::new()));
    }
    // The filter lets only other VNIs through.
    let overlay = assess(&[flooded(hub(&[1, 3, 4])), a.clone(), b.clone()]);
    let slipped = tunnel(&overlay, "dc/vxlan01~site-b/vxlan02");
    assert_eq!(
        slipped.mismatches[&MismatchField::Vni],
        "vni differs: dc/vxlan01 has 1 3 4, site-b/vxlan02 has 2"
    );
}

/// What a poorer method does not show is not a mismatch.
#[test]
fn a_router_that_does_not_tell_its_addresses_has_no_wrong_remote() {
    let [dc, a, b] = lab();
    let by_api = |b: TestRouter| {
        let mut b = b.edit("eth0", |link| link.addresses.clear());
        b.now.method = Method::Api;
        b.routes.clear();
        b
    };
    let overlay = assess(&[dc.clone(), a.clone(), by_api(b.clone())]);
    let pair = tunnel(&overlay, DC_B);
    assert_eq!((pair.state, pair.mismatches.len()), (TunnelState::Paired, 0), "{:?}", pair.mismatches);
    // Addresses seen by a better method are remembered.
    let mut assessor = Assessor::new(&plan(&[]));
    assessor.assess(&read(&[dc.clone(), a.clone(), b.clone()]), &[]);
    let by_text = |b: TestRouter| by_api(b).edit("vxlan02", |link| link.vxlan = None);
    let poorer = assessor.assess(&read(&[dc.clone(), a.clone(), by_text(b.clone())]), &[]);
    let pair = tunnel(&poorer, DC_B);
    assert_eq!((pair.state, pair.up, pair.mismatches.len()), (TunnelState::Paired, None, 0));
    let again = assessor.assess(&read(&[dc, a, by_api(b)]), &[]);
    assert!(tunnel(&again, DC_B).mismatches.is_empty());
}

/// If a source looks up no routes, none is missing.
#[test]
fn routes_that_were_not_asked_for_are_no_sign_of_death() {
    let [dc, a, b] = lab();
    let mut b = b.edit("vxlan02", |link| link.counters.tx_carrier_errors = Some(28));
    b.routes.clear();
    assert_eq!(tunnel(&assess(&[dc.clone(), a.clone(), b.clone()]), DC_B).up, Some(false));
    b.now.method = Method::Api;
    assert_eq!(tunnel(&assess(&[dc, a, b]), DC_B).up, Some(true));
}
