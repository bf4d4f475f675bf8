//! Routers that route into their tunnel, without a master or in a VRF, do not count as bridges; a
//! bridge inside a VRF does.

use super::{assess, tunnel, typed};
use crate::{
    model::{
        observation::Judgement,
        picture::PathPicture,
        types::{Bytes, DfPolicy, Direction, LinkKind, MismatchField, UnknownReason, Verdict},
    },
    overlay::{
        fixture::{A, DC, TestRouter, hole, ip, lab, path, plan, read, verdict},
        tunnel::Assessor,
    },
    path::verdict::expected_mtu::host_mtu,
};

const DC_A: &str = "dc/vxlan01~site-a/vxlan01";

/// `vxlan01` and the LAN port in a VRF, no bridge.
fn in_vrf(router: TestRouter) -> TestRouter {
    let router = router.edit("br01", |link| {
        (link.name, link.kind, link.mtu) = ("red".into(), Some(LinkKind::Vrf), Some(65575));
    });
    router.edit("eth1", |link| link.master = Some("red".into())).edit("vxlan01", |link| {
        link.master = Some("red".into());
    })
}

fn routed(underlay: Bytes, mtu: Bytes, df: DfPolicy) -> [TestRouter; 3] {
    let make = |router: TestRouter| {
        let router = in_vrf(router).mtu("eth0", underlay).mtu("eth1", 9000).mtu("vxlan01", mtu);
        router.edit_vxlan("vxlan01", |vxlan| vxlan.df = Some(df))
    };
    let [dc, a, b] = lab();
    [make(dc), make(a), b]
}

fn picture(routers: &[TestRouter], judged: Judgement) -> PathPicture {
    Assessor::new(&plan(&[])).assess(&read(routers), &[path("rancher", "dc", judged)]).paths.remove(0)
}

#[test]
fn a_vrf_s_ports_are_no_expectation_and_a_bridge_s_are() {
    let routers = routed(1600, 1450, DfPolicy::Unset);
    let hosts = |routers: &[TestRouter]| host_mtu("eth0", 1500, &"site-a".into(), &read(routers)).hosts;
    assert_eq!(hosts(&routers), 1500);
    let under = in_vrf_with_bridge();
    assert_eq!(hosts(&under), 9000);
    let said = picture(&under, hole(&[Direction::Forward], 1454));
    assert_eq!(
        said.cause,
        ["site-a/vxlan01 mtu 1450 < its bridge port eth1 mtu 9000: the bridge drops larger frames silently"]
    );
}

/// The bridge itself is in the VRF.
fn in_vrf_with_bridge() -> [TestRouter; 3] {
    let [dc, a, b] = lab();
    let mut a = a.mtu("eth1", 9000).mtu("vxlan01", 1450).edit("br01", |link| {
        (link.kind, link.master) = (Some(LinkKind::Bridge), Some("red".into()));
    });
    let mut red = a.now.links[1].clone();
    (red.name, red.kind, red.master) = ("red".into(), Some(LinkKind::Vrf), None);
    a.now.links.push(red);
    [dc, a, b]
}

#[test]
fn a_routed_end_signals_by_itself() {
    let routers = routed(1600, 1450, DfPolicy::Unset);
    let small = "site-a/vxlan01 mtu 1450 < the expected MTU 1500: it is routed, not a bridge port, so \
                 site-a itself answers larger packets with \"fragmentation needed, mtu 1450\"";
    let reduced = Judgement { mtu_forward: Some(1450), ..verdict(Verdict::Reduced) };
    let said = picture(&routers, reduced);
    assert!(said.cause == [small] && said.fix.is_empty(), "{said:?}");
    // It can still be a hole: the signal is lost on its way back. A larger MTU mends it if the
    // underlay carries it.
    let said = picture(&routers, hole(&[Direction::Forward], 1450));
    assert_eq!(
        said.cause,
        [format!(
            "{small}, but no such answer arrives: check what drops ICMP \"fragmentation needed\" on the \
             way back"
        )]
    );
    assert_eq!(typed(&said.fix), ["site-a: set interfaces vxlan vxlan01 mtu 1500"]);
    let said = picture(&routed(1500, 1450, DfPolicy::Unset), hole(&[Direction::Forward], 1450));
    assert!(said.fix.is_empty(), "{said:?}");
    // An untested expectation is no reason to report anything.
    let limited = Judgement { unknown_reason: Some(UnknownReason::LocalLimit), ..verdict(Verdict::Unknown) };
    let said = picture(&routers, limited);
    assert!(said.cause.is_empty() && said.fix.is_empty(), "{said:?}");
}

/// A routed end never signals the underlay's MTU, so a smaller MTU mends it.
#[test]
fn a_routed_end_larger_than_its_underlay_is_lowered() {
    for (df, words) in [
        (DfPolicy::Set, "with `df set` larger packets are dropped silently"),
        (DfPolicy::Inherit, "with `df inherit` larger packets with DF are dropped silently"),
    ] {
        let said = picture(&routed(1500, 1500, df), hole(&[Direction::Forward], 1450));
        assert_eq!(
            said.cause,
            [format!(
                "site-a/vxlan01 mtu 1500 + 50 > 1500, the MTU of the route to 10.10.0.254 out of eth0: \
                 {words}; it is routed, not a bridge port: with mtu 1450, site-a itself answers larger \
                 packets with \"fragmentation needed\""
            )]
        );
        assert_eq!(typed(&said.fix), ["site-a: set interfaces vxlan vxlan01 mtu 1450"]);
    }
    // With `df unset` full-size packets travel in fragments, so the hole is elsewhere.
    let routers = routed(1500, 1500, DfPolicy::Unset);
    let said = picture(&routers, hole(&[Direction::Forward], 1410));
    assert!(
        said.cause[0].starts_with("router data does not explain this") && said.fix.is_empty(),
        "{said:?}"
    );
    let overlay = assess(&routers);
    let evidence = &tunnel(&overlay, DC_A).evidence;
    assert!(
        evidence.iter().any(|said| said.ends_with("larger packets travel in fragments, without a signal")),
        "{evidence:?}"
    );
}

#[test]
fn a_routed_end_over_ipv6_is_lowered_whatever_df_is() {
    let v6 = |router: TestRouter, own: &str, remote: &str| {
        let router = router.edit("eth0", |link| link.addresses = vec![ip(own)]).without("vxlan01");
        in_vrf(router.vxlan("vxlan01", 1, remote)).mtu("eth0", 1500)
    };
    let [dc, a, _] = lab();
    let routers =
        [v6(dc.without("vxlan02"), "2001:db8::1", "2001:db8::2"), v6(a, "2001:db8::2", "2001:db8::1")];
    let said = picture(&routers, hole(&[Direction::Forward], 1430));
    assert_eq!(typed(&said.fix), ["site-a: set interfaces vxlan vxlan01 mtu 1430"], "{said:?}");
}

/// MTUs are made equal at both ends, but never above what an underlay carries.
#[test]
fn mtus_of_routed_ends_are_made_equal_by_what_their_underlay_carries() {
    let [dc, a, b] = routed(1500, 1450, DfPolicy::Unset);
    let overlay = assess(&[dc.mtu("vxlan01", 1500), a.clone(), b.clone()]);
    let differ = tunnel(&overlay, DC_A);
    assert!(differ.mismatches.contains_key(&MismatchField::Mtu));
    assert_eq!(typed(&differ.fix), ["dc: set interfaces vxlan vxlan01 mtu 1450"]);
    let [dc, ..] = routed(1600, 1500, DfPolicy::Unset);
    let overlay = assess(&[dc, a.mtu("eth0", 1600), b]);
    assert_eq!(typed(&tunnel(&overlay, DC_A).fix), ["site-a: set interfaces vxlan vxlan01 mtu 1500"]);
}

/// To the kernel a port of a VRF is not a bridge's, so its down link may be the missing route.
#[test]
fn an_underlay_in_a_vrf_that_is_down_is_named() {
    let router = TestRouter::new("site-a", "site-a", A).vxlan("vxlan01", 1, DC);
    let router = in_vrf(router).edit("eth0", |link| {
        (link.master, link.admin_up) = (Some("red".into()), Some(false));
    });
    let [dc, _, b] = lab();
    let overlay = assess(&[dc, router.counted("vxlan01", 0, 0, 0).counted("vxlan01", 3, 0, 3), b]);
    let evidence = &tunnel(&overlay, DC_A).evidence;
    assert!(evidence.iter().any(|said| said.ends_with("; down there: eth0")), "{evidence:?}");
}
