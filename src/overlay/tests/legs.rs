//! What the routers' own pings say of tunnels and paths, and whom the exporter asks.

use std::time::{Duration, SystemTime};

use super::{tunnel, typed};
use crate::{
    language::lines,
    model::{
        leg::{LegReading, LegSizes, UnderlayProbes},
        picture::Overlay,
        plan::Plan,
        types::{Direction, UnknownReason, Verdict},
    },
    overlay::{
        fixture::{A, B, DC, TestRouter, hole, ip, lab, path, plan, read, verdict},
        tunnel::Assessor,
    },
};

fn leg(sizes: LegSizes) -> LegReading {
    LegReading {
        top: 1550,
        probed_at: SystemTime::UNIX_EPOCH,
        sent: 30,
        lost: 0,
        rtt: Some(Duration::from_millis(3)),
        sizes,
        signalled: None,
    }
}

fn silent(answered: u32) -> LegReading {
    leg(LegSizes::Silent { answered, exact: true, pairs: 40 })
}

fn passed() -> LegReading {
    leg(LegSizes::Passed { size: 1550 })
}

impl TestRouter {
    fn measured(mut self, remote: &str, leg: LegReading) -> Self {
        self.reading.legs.insert(ip(remote), leg);
        self
    }
}

/// The lab with these results: from the DC to A and to B, and back.
fn measured(legs: [LegReading; 4]) -> [TestRouter; 3] {
    let [dc, a, b] = lab();
    let [dc_a, dc_b, a_dc, b_dc] = legs;
    [dc.measured(A, dc_a).measured(B, dc_b), a.measured(DC, a_dc), b.measured(DC, b_dc)]
}

fn assess(plan: &Plan, routers: &[TestRouter], judgement: crate::model::observation::Judgement) -> Overlay {
    Assessor::new(plan).assess(&read(routers), &[path("node-b", "site-b", judgement)])
}

fn cause(routers: &[TestRouter], judgement: crate::model::observation::Judgement) -> String {
    let overlay = assess(&plan(&[]), routers, judgement);
    assert!(typed(&overlay.paths[0].fix).is_empty(), "no command mends the underlay");
    lines(&overlay.paths[0].cause)
}

#[test]
fn the_sick_leg_is_named_with_size_direction_and_remedy_and_the_other_is_not() {
    let routers = measured([passed(), silent(1478), passed(), silent(1478)]);
    let said = cause(&routers, hole(&[Direction::Reverse], 1428));
    for words in [
        "the underlay from dc to site-b carries 1478 bytes and swallows 1479 (40 pairs",
        "vxlan02 needs 1550 for its mtu 1500",
        "lost on the way from site-b to dc",
        "lets outer packets of 1550 bytes pass; the path is then `ok`",
        "mtu 1428 on the hosts of both sites, and then `set interfaces vxlan vxlan02 mtu 1428`",
        "the underlay from dc to site-a carries pings with DF of 1550 bytes there and back",
    ] {
        assert!(said.contains(words), "{words:?} in {said}");
    }
    assert!(!said.contains("check the underlay between"), "{said}");
    assert!(!said.contains("site-a carries 1478"), "{said}");
}

#[test]
fn pings_that_pass_neither_clear_a_tunnel_nor_prove_a_hole() {
    let routers = measured([passed(), passed(), passed(), passed()]);
    let said = cause(&routers, hole(&[Direction::Forward], 1428));
    assert!(said.contains("check the underlay between"), "{said}");
    assert!(said.contains("so this clears nothing"), "{said}");
    let overlay =
        assess(&plan(&[]), &measured([passed(), silent(1478), passed(), passed()]), verdict(Verdict::Ok));
    assert_eq!(overlay.paths[0].cause, [""; 0], "the path is ok");
    let seen = &tunnel(&overlay, "dc/vxlan02~site-b/vxlan02").evidence;
    assert!(seen.iter().any(|said| said.contains("swallows 1479")), "{seen:?}");
}

#[test]
fn a_lossy_leg_is_named_and_the_other_cleared() {
    let sick = LegReading { lost: 6, ..passed() };
    let routers = measured([passed(), sick, passed(), passed()]);
    let said = cause(&routers, verdict(Verdict::Lossy));
    assert!(said.contains("6 of 30 small pings were lost there and back"), "{said}");
    assert!(!said.contains("clears nothing"), "{said}");
}

#[test]
fn pings_are_said_to_show_nothing_only_once_every_leg_is_measured() {
    let says = |routers: &[TestRouter], judgement| cause(routers, judgement).contains("clears nothing");
    let hole = || hole(&[Direction::Forward], 1428);
    let [dc, a, b] = lab();
    let one = [dc.measured(A, passed()), a.measured(DC, passed()), b];
    assert!(!says(&one, hole()), "B's legs are not measured");
    let starting = measured([passed(), leg(LegSizes::Starting), passed(), passed()]);
    assert!(!says(&starting, hole()));
    let all = || [passed(), passed(), passed(), passed()];
    assert!(says(&measured(all()), hole()));
    assert!(!says(&measured(all()), verdict(Verdict::Lossy)), "thirty pings do not show a loss of 5 %");
    let many = all().map(|leg| LegReading { sent: 60, ..leg });
    assert!(says(&measured(many), verdict(Verdict::Lossy)));
}

#[test]
fn why_a_leg_is_not_measured_is_said_and_nothing_else_changes() {
    let refused = leg(LegSizes::NotMeasured { why: "there is no `ping` for this user".into() });
    let routers = measured([passed(), refused, passed(), passed()]);
    let said = cause(&routers, hole(&[Direction::Forward], 1428));
    assert!(said.contains("from dc to site-b is not measured: there is no `ping`"), "{said}");
    assert!(said.contains("check the underlay between"), "{said}");
}

#[test]
fn silence_above_what_the_far_end_is_told_is_a_suspicion() {
    let told = LegReading { signalled: Some(1478), sizes: LegSizes::Passed { size: 1478 }, ..passed() };
    let routers = measured([passed(), told, passed(), silent(1478)]);
    let said = cause(&routers, hole(&[Direction::Reverse], 1428));
    assert!(
        said.contains("perhaps a firewall of site-b or before it drops \"fragmentation needed\""),
        "{said}"
    );
    assert!(said.contains("dc is told \"fragmentation needed, mtu 1478\""), "{said}");
    let unlike = measured([passed(), passed(), passed(), silent(1478)]);
    assert!(!cause(&unlike, hole(&[Direction::Reverse], 1428)).contains("perhaps a firewall"));
}

#[test]
fn a_remembered_path_mtu_is_said_with_its_remaining_time() {
    let [dc, mut a, b] = lab();
    a.routes.values_mut().for_each(|route| (route.mtu, route.expires) = (Some(1400), Some(475)));
    let overlay = assess(&plan(&[]), &[dc, a, b], verdict(Verdict::Ok));
    let seen = lines(&tunnel(&overlay, "dc/vxlan01~site-a/vxlan01").evidence);
    assert!(seen.contains("site-a remembers 1400 for 10.10.0.254 for 8 more minutes"), "{seen}");
}

/// With `df set` large replies without DF vanish, so that the way back is not measured: what clamps
/// the way there is said all the same.
#[test]
fn a_remembered_path_mtu_is_a_cause_also_where_the_way_back_is_in_doubt() {
    let doubt = |mtu| crate::model::observation::Judgement {
        unknown_reason: Some(UnknownReason::ReverseUnmeasured),
        mtu_forward: Some(mtu),
        ..verdict(Verdict::Unknown)
    };
    let remembers = || {
        let [dc, mut a, b] = lab();
        a.routes.values_mut().for_each(|route| (route.mtu, route.expires) = (Some(1400), Some(475)));
        [dc, a, b]
    };
    let said = cause(&remembers(), doubt(1350));
    assert!(said.contains("site-a remembers 1400 for 10.10.0.254 for 8 more minutes"), "{said}");
    assert_eq!(cause(&remembers(), doubt(1500)), "");
}

/// The routers that are asked, each with the VTEPs.
fn asked(overlay: &Overlay) -> Vec<String> {
    let each = overlay.asks.iter().flat_map(|(router, asks)| {
        asks.iter().map(move |ask| format!("{router} to {} up to {}", ask.remote, ask.top))
    });
    each.collect()
}

#[test]
fn both_ends_of_a_troubled_path_s_tunnels_are_asked_and_no_others() {
    let plan = plan(&[]);
    assert_eq!(asked(&assess(&plan, &lab(), verdict(Verdict::Ok))), [""; 0]);
    let both = assess(&plan, &lab(), hole(&[Direction::Forward], 1428));
    assert_eq!(
        asked(&both),
        [
            "dc to 10.10.10.254 up to 1550",
            "dc to 10.10.20.254 up to 1550",
            "site-a to 10.10.0.254 up to 1550",
            "site-b to 10.10.0.254 up to 1550"
        ]
    );
    let ask = &both.asks[&"site-b".into()][0];
    assert_eq!((ask.source, &ask.hints[..], ask.every), (Some(ip(B)), &[1478][..], Duration::from_mins(1)));
    let starting = crate::model::observation::Judgement {
        unknown_reason: Some(UnknownReason::Starting),
        ..verdict(Verdict::Unknown)
    };
    assert_eq!(asked(&assess(&plan, &lab(), starting)), [""; 0]);
}

#[test]
fn never_always_and_check() {
    let with = |probes| {
        let mut plan = plan(&[]);
        plan.routers.iter_mut().for_each(|router| router.underlay_probes = probes);
        plan
    };
    let trouble = || hole(&[Direction::Forward], 1428);
    assert_eq!(asked(&assess(&with(UnderlayProbes::Never), &lab(), trouble())), [""; 0]);
    let always = assess(&with(UnderlayProbes::Always), &lab(), verdict(Verdict::Ok));
    assert_eq!(asked(&always).len(), 4);
    assert_eq!(always.asks[&"site-a".into()][0].every, Duration::from_mins(5));
    let check = |probes| {
        let mut assessor = Assessor::new(&with(probes)).asking_now();
        asked(&assessor.assess(&read(&lab()), &[])).len()
    };
    assert_eq!((check(UnderlayProbes::OnTrouble), check(UnderlayProbes::Never)), (4, 0));
}

#[test]
fn no_larger_ping_is_asked_for_than_the_route_takes() {
    let routers = lab().map(|router| router.mtu("eth0", 1500));
    let overlay = assess(&plan(&[]), &routers, hole(&[Direction::Forward], 1428));
    assert!(asked(&overlay).iter().all(|ask| ask.ends_with("up to 1500")), "{:?}", asked(&overlay));
}

/// That device and its MTU are named, and no ping is larger.
#[test]
fn a_route_through_a_tunnel_names_that_device_and_its_mtu() {
    for (name, mtu) in [("wg0", 1420), ("gre1", 1476), ("xfrm0", 1438), ("ppp0", 1492), ("eth0.7", 1496)] {
        let [dc, mut a, b] = lab();
        let mut device = a.now.links.iter().find(|link| link.name.as_str() == "eth0").unwrap().clone();
        (device.name, device.mtu) = (name.into(), Some(mtu));
        a.now.links.push(device);
        a.routes.values_mut().for_each(|route| route.dev = name.into());
        let routers = [dc, a, b];
        let overlay = assess(&plan(&[]), &routers, hole(&[Direction::Forward], 1428));
        let seen = lines(&tunnel(&overlay, "dc/vxlan01~site-a/vxlan01").evidence);
        let words = format!("1500 + 50 > {mtu}, the MTU of the route to 10.10.0.254 out of {name}");
        assert!(seen.contains(&words), "{words:?} in {seen}");
        assert_eq!(overlay.asks[&"site-a".into()][0].top, mtu);
    }
}
