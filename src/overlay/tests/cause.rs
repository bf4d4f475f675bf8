use std::sync::Arc;

use super::typed;
use crate::{
    model::{
        observation::{ExpectedMtu, Judgement, PathObservation},
        picture::PathPicture,
        types::{DfPolicy, Direction, UnknownReason, Verdict, Vni},
    },
    overlay::{
        fixture::{A, DC, TestRouter, hole, ip, lab, path, plan, read, tcp_dead, verdict},
        tunnel::Assessor,
    },
};

fn picture(routers: &[TestRouter], path: Arc<PathObservation>) -> PathPicture {
    Assessor::new(&plan(&[])).assess(&read(routers), &[path]).paths.remove(0)
}

fn default_mtu(underlay: u32) -> [TestRouter; 3] {
    let [dc, a, b] = lab();
    [
        dc.mtu("vxlan01", 1450).mtu("vxlan02", 1450).mtu("eth0", underlay),
        a.mtu("vxlan01", 1450).mtu("eth0", underlay),
        b.mtu("vxlan02", 1450).mtu("eth0", underlay),
    ]
}

#[test]
fn the_articles_failure() {
    let both = hole(&[Direction::Forward, Direction::Reverse], 1454);
    let picture = picture(&default_mtu(1600), path("rancher", "dc", both));
    assert_eq!(
        picture.hops.iter().map(|hop| hop.end.to_string()).collect::<Vec<_>>(),
        ["site-a/vxlan01", "dc/vxlan01"]
    );
    assert_eq!(
        picture.cause,
        [
            "site-a/vxlan01 mtu 1450 < its bridge port eth1 mtu 1500: the bridge drops larger frames silently",
            "dc/vxlan01 mtu 1450 < its bridge port eth1 mtu 1500: the bridge drops larger frames silently",
        ]
    );
    assert_eq!(
        typed(&picture.fix),
        ["dc: set interfaces vxlan vxlan01 mtu 1500", "site-a: set interfaces vxlan vxlan01 mtu 1500"]
    );
}

#[test]
fn its_twin_over_1500_says_what_comes_after() {
    let both = hole(&[Direction::Forward, Direction::Reverse], 1450);
    let picture = picture(&default_mtu(1500), path("rancher", "dc", both));
    assert_eq!(picture.fix.len(), 2);
    assert_eq!(picture.cause.len(), 4);
    assert_eq!(
        picture.cause[2],
        "site-a/vxlan01: the underlay to 10.10.0.254 (out of eth0) carries 1500 bytes; after the fix the router will signal, \
         and the verdict becomes `reduced` at 1450 until the underlay carries 1550"
    );
}

#[test]
fn two_tunnels_four_hops_far_end_first() {
    let unknown = hole(&[Direction::Unknown], 1454);
    let picture = picture(&default_mtu(1600), path("node-b", "site-b", unknown));
    assert_eq!(
        picture.hops.iter().map(|hop| hop.end.to_string()).collect::<Vec<_>>(),
        ["site-a/vxlan01", "dc/vxlan01", "dc/vxlan02", "site-b/vxlan02"]
    );
    assert_eq!(
        typed(&picture.fix),
        [
            "site-b: set interfaces vxlan vxlan02 mtu 1500",
            "dc: set interfaces vxlan vxlan02 mtu 1500",
            "dc: set interfaces vxlan vxlan01 mtu 1500",
            "site-a: set interfaces vxlan vxlan01 mtu 1500",
        ]
    );
}

#[test]
fn a_hole_one_way_blames_the_end_that_sends() {
    for (direction, end, router) in [(Direction::Forward, 1, "site-a"), (Direction::Reverse, 0, "dc")] {
        let mut routers = lab();
        routers[end] = routers[end].clone().mtu("vxlan01", 1450);
        let picture = picture(&routers, path("rancher", "dc", hole(&[direction], 1454)));
        assert_eq!(typed(&picture.fix), [format!("{router}: set interfaces vxlan vxlan01 mtu 1500")]);
        assert_eq!(picture.cause.len(), 1, "{:?}", picture.cause);
    }
}

/// Both ends are too small, but the hole is proven in one direction only: replies in fragments hide
/// the other.
#[test]
fn every_end_with_the_fault_is_mended_whichever_direction_is_proven() {
    let picture = picture(&default_mtu(1600), path("rancher", "dc", hole(&[Direction::Forward], 1454)));
    assert_eq!(
        typed(&picture.fix),
        ["dc: set interfaces vxlan vxlan01 mtu 1500", "site-a: set interfaces vxlan vxlan01 mtu 1500"]
    );
}

#[test]
fn a_larger_far_end_is_matched() {
    let [dc, a, b] = default_mtu(1600);
    let both = hole(&[Direction::Forward], 1454);
    let picture = picture(&[dc.mtu("vxlan01", 9000), a, b], path("rancher", "dc", both));
    assert_eq!(typed(&picture.fix), ["site-a: set interfaces vxlan vxlan01 mtu 9000"]);
}

#[test]
fn nothing_explains_a_hole_in_the_core() {
    let [dc, a, b] = lab();
    let routers = [dc.mtu("eth0", 1500), a.mtu("eth0", 1500), b];
    let picture = picture(&routers, path("rancher", "dc", hole(&[Direction::Forward], 1410)));
    assert_eq!(
        picture.cause,
        ["router data does not explain this: check the underlay between site-a (10.10.10.254) and dc \
          (10.10.0.254): it drops outer packets above 1460 bytes (inner 1410 + 50)"]
    );
    assert!(picture.fix.is_empty());
}

#[test]
fn an_edge_below_the_small_ends_tells_of_a_second_bottleneck() {
    let picture = picture(&default_mtu(1600), path("rancher", "dc", hole(&[Direction::Forward], 1400)));
    assert_eq!(picture.fix.len(), 2);
    assert!(
        picture.cause[2]
            .starts_with("but packets above 1400 bytes are lost already, which 1450 does not explain: "),
        "{:?}",
        picture.cause
    );
}

#[test]
fn ipv6_underlay_costs_70_bytes() {
    let v6 = |router: TestRouter, own: &str, remote: &str| {
        let router = router.edit("eth0", |link| link.addresses = vec![ip(own)]).mtu("vxlan01", 1450);
        router.vxlan("vxlan06", 6, remote).mtu("vxlan06", 1430).without("vxlan01").mtu("eth0", 1500)
    };
    let [dc, a, _] = lab();
    let routers = [v6(dc, "2001:db8::1", "2001:db8::2"), v6(a, "2001:db8::2", "2001:db8::1")];
    let picture = picture(&routers, path("rancher", "dc", hole(&[Direction::Forward], 1430)));
    assert!(
        picture.cause[2].contains("until the underlay carries 1570")
            && picture.cause[2].contains("`reduced` at 1430; those without DF vanish"),
        "{:?}",
        picture.cause
    );
}

#[test]
fn reduced_is_explained_without_a_command() {
    let [dc, a, b] = lab();
    let routers = [dc.mtu("vxlan01", 9000).mtu("eth0", 1500), a.mtu("vxlan01", 9000).mtu("eth0", 1500), b];
    let judged = Judgement { mtu_forward: Some(1450), ..verdict(Verdict::Reduced) };
    let picture = picture(&routers, path("rancher", "dc", judged));
    assert_eq!(
        picture.cause,
        [
            "site-a/vxlan01: the underlay to 10.10.0.254 (out of eth0) carries 1500 bytes, so inner packets up to 1450 (50 bytes \
          of outer headers); 1500 bytes require an underlay of 1550; larger ones without DF leave in outer fragments: they vanish \
             where the underlay loses fragments"
        ]
    );
    assert!(picture.fix.is_empty());
}

#[test]
fn unreachable_takes_the_tunnels_cause_and_fix() {
    let [dc, a, b] = lab();
    let b = b.edit_vxlan("vxlan02", |v| v.vni = Some(Vni(1)));
    let dead = path("node-b", "site-b", verdict(Verdict::Unreachable));
    let explained = picture(&[dc.clone(), a.clone(), b], dead.clone());
    assert_eq!(explained.cause[0], "vni differs: dc/vxlan02 has 2, site-b/vxlan02 has 1");
    assert_eq!(typed(&explained.fix), ["site-b: set interfaces vxlan vxlan02 vni 2"]);
    let [.., b] = lab();
    let unexplained = picture(&[dc, a, b], dead);
    assert!(unexplained.cause[0].starts_with("router data does not explain this"), "{unexplained:?}");
    assert!(unexplained.fix.is_empty());
}

/// Another path over the same tunnel is answered, so the tunnel is not the problem.
#[test]
fn a_dead_host_is_not_blamed_on_the_underlay() {
    let dead = path("nohost", "dc", verdict(Verdict::Unreachable));
    let fine = path("rancher", "dc", verdict(Verdict::Ok));
    let far = path("node-b", "site-b", verdict(Verdict::Unreachable));
    let overlay = Assessor::new(&plan(&[])).assess(&read(&lab()), &[dead, fine, far]);
    assert_eq!(
        overlay.paths[0].cause,
        ["router data does not explain this, and other paths work over the same tunnels: \
          dc/vxlan01~site-a/vxlan01 (rancher works over it); check 192.168.100.102 itself and its LAN at dc"]
    );
    assert_eq!(
        overlay.paths[2].cause,
        ["router data does not explain this: check the underlay between dc (10.10.0.254) and site-b \
          (10.10.20.254)"]
    );
}

/// An untested expectation is no reason to change a router.
#[test]
fn an_untested_expectation_gives_no_command() {
    let limited = Judgement { unknown_reason: Some(UnknownReason::LocalLimit), ..verdict(Verdict::Unknown) };
    let mut path = PathObservation::clone(&path("big", "dc", limited));
    path.expected_mtu = Some(ExpectedMtu { bytes: 9000, rule: "configured".into() });
    let picture = picture(&lab(), Arc::new(path));
    assert!(picture.fix.is_empty() && picture.cause.is_empty(), "{picture:?}");
}

/// A vantage point that cannot send 1500 bytes still reports what router data shows.
#[test]
fn a_clamp_is_said_although_unprobed() {
    let limited = Judgement { unknown_reason: Some(UnknownReason::LocalLimit), ..verdict(Verdict::Unknown) };
    let clamped = picture(&default_mtu(1600), path("rancher", "dc", limited.clone()));
    assert_eq!((clamped.cause.len(), clamped.fix.len()), (2, 2));
    let clean = picture(&lab(), path("rancher", "dc", limited));
    assert!(clean.cause.is_empty(), "{:?}", clean.cause);
}

#[test]
fn ok_says_nothing_even_over_small_ends() {
    let picture = picture(&default_mtu(1600), path("rancher", "dc", verdict(Verdict::Ok)));
    assert!(picture.cause.is_empty() && picture.fix.is_empty());
    assert_eq!(picture.hops.len(), 2);
}

#[test]
fn an_unread_router_is_said_and_the_near_end_named() {
    let [dc, a, b] = default_mtu(1600);
    let rancher = path("rancher", "dc", hole(&[Direction::Forward, Direction::Reverse], 1454));
    let mut assessor = Assessor::new(&plan(&[]));
    let unread = [dc.unread(), a.read(), b.read()];
    let never = assessor.assess(&unread, std::slice::from_ref(&rancher)).paths.remove(0);
    assert!(never.hops.is_empty() && never.fix.is_empty());
    assert_eq!(never.cause[0], "dc not read: refused");
    assert!(never.cause[2].starts_with("site-a/vxlan01 mtu 1450 < "), "{:?}", never.cause);
    // Once it has been seen, the walk stays known while the router is away.
    assessor.assess(&read(&[dc, a, b]), std::slice::from_ref(&rancher));
    let away = assessor.assess(&unread, &[rancher]).paths.remove(0);
    assert_eq!(away.hops.len(), 2);
    assert_eq!(typed(&away.fix), ["site-a: set interfaces vxlan vxlan01 mtu 1500"]);
    assert!(away.cause.iter().any(|said| said.starts_with("dc not read")), "{:?}", away.cause);
}

#[test]
fn two_equal_ways_claim_none() {
    let [dc, a, b] = default_mtu(1600);
    let dc2 = TestRouter::new("dc2", "dc", "10.10.0.253").vxlan("vxlan01", 5, A);
    let a = a.vxlan("vxlan05", 5, "10.10.0.253");
    let picture = picture(&[dc, dc2, a, b], path("rancher", "dc", hole(&[Direction::Forward], 1454)));
    assert!(picture.hops.is_empty() && picture.fix.is_empty());
    assert_eq!(
        picture.cause,
        ["several routes lead from site-a to dc, so none is assumed: dc/vxlan01~site-a/vxlan01, or \
          dc2/vxlan01~site-a/vxlan05"]
    );
}

/// An overlay between other bridges is not a connection.
#[test]
fn tunnels_join_in_one_bridge_only() {
    let [dc, a, b] = lab();
    let dc = dc.vxlan("vxlan11", 11, A).edit("vxlan11", |link| link.master = Some("br11".into()));
    let a = a.vxlan("vxlan11", 11, DC).edit("vxlan11", |link| link.master = Some("br11".into()));
    let picture = picture(&[dc, a, b], path("node-b", "site-b", verdict(Verdict::Ok)));
    assert_eq!(
        picture.hops.iter().map(|hop| hop.tunnel.as_str()).collect::<Vec<_>>(),
        [
            "dc/vxlan01~site-a/vxlan01",
            "dc/vxlan01~site-a/vxlan01",
            "dc/vxlan02~site-b/vxlan02",
            "dc/vxlan02~site-b/vxlan02"
        ]
    );
}

/// `df set`: packets that must be fragmented are dropped, so the larger mtu comes after `df unset`
/// on that router.
#[test]
fn with_df_set_a_larger_mtu_alone_is_not_offered() {
    let set = |router: TestRouter| router.edit_vxlan("vxlan01", |vxlan| vxlan.df = Some(DfPolicy::Set));
    let [dc, a, b] = default_mtu(1500);
    let picture = picture(&[set(dc), set(a), b], path("rancher", "dc", hole(&[Direction::Forward], 1450)));
    assert_eq!(
        typed(&picture.fix),
        [
            "dc: set interfaces vxlan vxlan01 parameters ip df unset",
            "dc: set interfaces vxlan vxlan01 mtu 1500",
            "site-a: set interfaces vxlan vxlan01 parameters ip df unset",
            "site-a: set interfaces vxlan vxlan01 mtu 1500",
        ]
    );
    assert_eq!(picture.cause[1], "site-a/vxlan01 has `df set`: a larger mtu alone would not fix it");
}

#[test]
fn what_comes_after_the_fix_depends_on_the_version() {
    let run = |version: &str, words: &str| {
        let [dc, mut a, b] = default_mtu(1500);
        a.now.version = Some(version.into());
        let picture = picture(&[dc, a, b], path("rancher", "dc", hole(&[Direction::Forward], 1450)));
        assert_eq!(
            typed(&picture.fix).last().unwrap(),
            "site-a: set interfaces vxlan vxlan01 mtu 1500",
            "{version}"
        );
        assert!(picture.cause[2].contains(words), "{version}: {:?}", picture.cause);
    };
    for old in ["VyOS 1.3.8", "VyOS 1.3-rolling-202101010217", "VyOS 1.2.9"] {
        run(
            old,
            "VyOS before 1.4 sends no signal for bridged packets: after the fix full-size packets travel as outer \
                  fragments (not measured), until the underlay carries 1550. The safe fix is an MTU of at most 1450 on the \
                  hosts of both sites",
        );
    }
    for new in ["VyOS 1.4.0", "VyOS 1.5-rolling-202410060007", "VyOS 2025.11"] {
        run(new, "after the fix the router will signal, and the verdict becomes `reduced` at 1450");
    }
    run("Debian GNU/Linux 12 (bookworm)", "the router will signal if its kernel is 5.8 or later");
}

/// VyOS before 1.4 has no command for df, so none is printed.
#[test]
fn no_df_command_before_1_4() {
    let [dc, a, mut b] = lab();
    b.now.version = Some("VyOS 1.3.8".into());
    let b = b.edit_vxlan("vxlan02", |vxlan| vxlan.df = Some(DfPolicy::Set));
    let overlay = super::assess(&[dc, a, b]);
    let tunnel = super::tunnel(&overlay, "dc/vxlan02~site-b/vxlan02");
    assert!(tunnel.fix.is_empty(), "{:?}", tunnel.fix);
    assert!(
        tunnel.evidence.iter().any(|said| said.contains("has no command for df")),
        "{:?}",
        tunnel.evidence
    );
}

/// Clamping the MSS of routed TCP has no effect on bridged frames: no cause and no command ever
/// mentions it.
#[test]
fn mss_clamping_is_never_offered() {
    let holes = [Direction::Forward, Direction::Reverse];
    for underlay in [1500, 1600] {
        for verdict in [hole(&holes, 1450), verdict(Verdict::Reduced), verdict(Verdict::Unreachable)] {
            let picture = picture(&default_mtu(underlay), path("rancher", "dc", verdict));
            let said = format!("{picture:?}").to_lowercase();
            assert!(!said.contains("mss") && !said.contains("clamp"), "{said}");
        }
    }
}

#[test]
fn what_an_end_s_underlay_and_bridge_do_not_carry_is_said_of_the_tunnel() {
    let [dc, a, b] = lab();
    let a = a.mtu("vxlan01", 9000).mtu("eth0", 1500).mtu("br01", 1400);
    let dc = dc.edit_vxlan("vxlan01", |vxlan| vxlan.df = Some(DfPolicy::Set)).mtu("eth0", 1549);
    let overlay = super::assess(&[dc, a, b]);
    let tunnel = super::tunnel(&overlay, "dc/vxlan01~site-a/vxlan01");
    for words in [
        "site-a/vxlan01 mtu 9000 + 50 > 1500, the MTU of the route to 10.10.0.254 out of eth0: larger packets are \
         signalled, or travel in fragments if they allow it",
        "dc/vxlan01 mtu 1500 + 50 > 1549, the MTU of the route to 10.10.10.254 out of eth0: with `df set` larger packets \
         without DF are dropped silently",
        "site-a's br01 mtu 1400 < its port vxlan01 mtu 9000: this limits what the router itself sends into the bridge, not \
         what it bridges",
    ] {
        assert!(tunnel.evidence.iter().any(|said| said == words), "{words}: {:?}", tunnel.evidence);
    }
}

/// Broadcasts arrive but no unicast does: the far virtual switch does not let the router bridge for
/// others.
#[test]
fn a_far_virtual_switch_is_suspected() {
    const TARGET: &str = "52:54:00:00:00:66";
    let dead = |mac: Option<&str>| {
        let mut path = PathObservation::clone(&path("rancher", "dc", verdict(Verdict::Unreachable)));
        path.target_mac = mac.map(|mac| mac.parse().expect("a MAC"));
        Arc::new(path)
    };
    let [dc, a, b] = lab();
    let dc = dc.edit("br01", |link| link.mac = "52:54:00:00:00:01".parse().ok());
    let heard = |macs: &[&str]| {
        let a = macs.iter().fold(a.clone(), |a, mac| a.learned("vxlan01", mac, DC));
        [dc.clone(), a.flood("vxlan01", DC), b.clone()]
    };
    let known = picture(&heard(&[TARGET, "52:54:00:00:00:01"]), dead(Some(TARGET)));
    assert_eq!(
        known.cause,
        [
            "the tunnels carry traffic and the target's MAC is learned behind dc/vxlan01, yet no unicast is answered: the \
          virtual switch under dc may drop frames to foreign MACs. Allow promiscuous mode and forged transmits on the port \
          of its eth1 (site-a: bridge fdb: 52:54:00:00:00:66 dev vxlan01 dst 10.10.0.254)"
        ]
    );
    assert!(known.fix.is_empty());
    let unknown = picture(&heard(&[TARGET, "52:54:00:00:00:01"]), dead(None));
    assert!(
        unknown.cause[0].contains("1 MACs of hosts there, perhaps the target's, are learned"),
        "{unknown:?}"
    );
    // The router itself does not count as a host, a silent LAN is no sign, and a tunnel that is
    // down is the better cause.
    for routers in [heard(&["52:54:00:00:00:01"]), heard(&[])] {
        let other = picture(&routers, dead(None));
        assert!(other.cause[0].starts_with("router data does not explain"), "{other:?}");
    }
    let [dc, a, b] = heard(&[TARGET]);
    let down = [dc.edit("vxlan01", |link| link.admin_up = Some(false)), a, b];
    assert_eq!(picture(&down, dead(Some(TARGET))).cause, ["dc/vxlan01 is admin down"]);
    // A site beyond that one answers over the same tunnel: its frames do not pass that switch, so
    // they prove nothing.
    let beyond = path("node-b", "site-b", verdict(Verdict::Ok));
    let overlay = Assessor::new(&plan(&[])).assess(&read(&heard(&[TARGET])), &[dead(Some(TARGET)), beyond]);
    assert_eq!(overlay.paths[0].cause, known.cause);
    // Another host there answers: the switch lets frames to foreign MACs through.
    let fine = path("web", "dc", verdict(Verdict::Ok));
    let overlay = Assessor::new(&plan(&[])).assess(&read(&heard(&[TARGET])), &[dead(Some(TARGET)), fine]);
    assert!(overlay.paths[0].cause[0].contains("other paths work over"), "{:?}", overlay.paths[0]);
}

/// The rule of `VxlanMtuBelowBridgePort`: small ends count as a problem of their tunnel until a
/// path tells whether they do harm.
#[test]
fn small_ends_are_a_trouble_until_a_path_tells() {
    let seen = |paths: &[Arc<PathObservation>]| {
        let overlay = Assessor::new(&plan(&[])).assess(&read(&default_mtu(1600)), paths);
        let tunnel = overlay.tunnels.iter().find(|tunnel| tunnel.name == "dc/vxlan01~site-a/vxlan01");
        let tunnel = tunnel.expect("the tunnel");
        (tunnel.small_ends.len(), typed(&tunnel.fix))
    };
    let raise =
        ["dc: set interfaces vxlan vxlan01 mtu 1500", "site-a: set interfaces vxlan vxlan01 mtu 1500"]
            .map(str::to_owned)
            .to_vec();
    assert_eq!(seen(&[]), (2, raise.clone()));
    assert_eq!(seen(&[path("rancher", "dc", verdict(Verdict::Unknown))]), (2, raise));
    for told in [verdict(Verdict::Ok), verdict(Verdict::Unreachable), hole(&[Direction::Forward], 1454)] {
        assert_eq!(seen(&[path("rancher", "dc", told)]), (0, vec![]));
    }
    let half = &default_mtu(1600)[..1];
    let overlay = Assessor::new(&plan(&[])).assess(&read(half), &[]);
    assert!(overlay.tunnels.iter().all(|tunnel| tunnel.small_ends.len() == 1 && tunnel.fix.len() == 1));
}

#[test]
fn where_tcp_is_dead_no_mtu_is_to_blame() {
    let picture = picture(&default_mtu(1600), path("rancher", "dc", tcp_dead()));
    assert!(picture.fix.is_empty(), "{:?}", picture.fix);
    assert_eq!(picture.cause.len(), 1, "{:?}", picture.cause);
    for words in ["TCP does not pass though ping does", "firewall", "tx-checksum-ip-generic off"] {
        assert!(picture.cause[0].contains(words), "{:?}", picture.cause);
    }
}
