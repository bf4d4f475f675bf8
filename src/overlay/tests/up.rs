use std::sync::Arc;

use super::{assess, tunnel, typed};
use crate::{
    model::types::Verdict,
    overlay::{
        fixture::{B, TestRouter, lab, path, plan, read, verdict},
        tunnel::Assessor,
    },
};

const DC_B: &str = "dc/vxlan02~site-b/vxlan02";

#[test]
fn signs_of_death() {
    type Change = fn(TestRouter, TestRouter) -> (TestRouter, TestRouter);
    let table: &[(&str, Change, bool, &str)] = &[
        (
            "idle is up",
            |dc, b| (dc.counted("vxlan02", 0, 0, 0), b.counted("vxlan02", 0, 0, 0)),
            true,
            "sent 0",
        ),
        (
            "traffic both ways",
            |dc, b| (dc.counted("vxlan02", 50, 40, 0), b.counted("vxlan02", 40, 50, 0)),
            true,
            "dc/vxlan02 sent 50 and received 40 packets",
        ),
        (
            "admin down",
            |dc, b| (dc, b.edit("vxlan02", |link| link.admin_up = Some(false))),
            false,
            "site-b/vxlan02 is admin down",
        ),
        (
            "no route to the remote",
            |dc, b| (dc.counted("vxlan02", 0, 0, 31), b),
            false,
            "31 more tx_carrier_errors since the previous scrape and nothing received: no route to \
             10.10.20.254",
        ),
        (
            "no route now, and packets have failed for it",
            |mut dc, b| {
                dc.routes.clear();
                let dc = dc.edit("vxlan02", |link| link.counters.tx_carrier_errors = Some(28));
                (dc.edit("eth0", |link| link.admin_up = Some(false)), b)
            },
            false,
            "dc has no route to 10.10.20.254; down there: eth0; 28 tx_carrier_errors so far",
        ),
        (
            "no route in the main table, yet nothing failed: it may be in a VRF",
            |mut dc, b| {
                dc.routes.clear();
                (dc, b)
            },
            true,
            "both ends are admin up",
        ),
        ("carrier errors, yet packets arrive", |dc, b| (dc.counted("vxlan02", 0, 5, 31), b), true, "sent 0"),
        (
            "packets, however many, may have fallen between two scrapes",
            |dc, b| (dc.counted("vxlan02", 60, 1, 0), b.counted("vxlan02", 1, 0, 0)),
            true,
            "sent 60",
        ),
        (
            "a re-created device has no delta",
            |dc, b| {
                let dc = dc.counted("vxlan02", 60, 0, 9).edit("vxlan02", |link| link.ifindex = Some(77));
                (dc, b.counted("vxlan02", 60, 60, 0))
            },
            true,
            "site-b/vxlan02 sent 60",
        ),
        (
            "a restarted router has no delta",
            |mut dc, b| {
                dc = dc.counted("vxlan02", 60, 0, 9);
                dc.now.boot_id = Some("boot-2".into());
                (dc, b)
            },
            true,
            "no two scrapes",
        ),
    ];
    for (what, change, up, said) in table {
        let [dc, a, b] = lab();
        let (dc, b) = change(dc, b);
        let overlay = assess(&[dc, a, b]);
        let tunnel = tunnel(&overlay, DC_B);
        assert_eq!(tunnel.up, Some(*up), "{what}: {:?}", tunnel.evidence);
        assert!(tunnel.evidence.iter().any(|line| line.contains(said)), "{what}: {:?}", tunnel.evidence);
    }
}

/// A burst at the start of probing that ended before the first read of the silent end does not
/// count as lost.
#[test]
fn packets_unanswered_twice_are_a_sign() {
    for sent in [3, 60] {
        let [dc, a, b] = lab();
        let (mut dc, mut b) = (dc.counted("vxlan02", sent, 0, 0), b.counted("vxlan02", 0, 0, 0));
        let mut assessor = Assessor::new(&plan(&[]));
        let mut seen = |dc: &TestRouter, b: &TestRouter| {
            let overlay = assessor.assess(&read(&[dc.clone(), a.clone(), b.clone()]), &[]);
            let tunnel = tunnel(&overlay, DC_B);
            (tunnel.up, tunnel.evidence[0].to_string())
        };
        assert_eq!(seen(&dc, &b).0, Some(true));
        assert_eq!(seen(&dc, &b).0, Some(true), "the same scrapes again prove nothing new");
        dc.reading.scrapes += 1;
        assert_eq!(seen(&dc, &b).0, Some(true), "the silent end has not been read again");
        b.reading.scrapes += 1;
        let words =
            format!("dc/vxlan02 sent {sent} packets since the previous scrape, site-b/vxlan02 received 0");
        assert_eq!(seen(&dc, &b), (Some(false), words));
    }
}

#[test]
fn a_counter_of_several_remotes_accuses_none() {
    let [dc, a, b] = lab();
    let dc = dc.flood("vxlan02", "10.10.30.254").counted("vxlan02", 60, 0, 9);
    let overlay = assess(&[dc, a, b.counted("vxlan02", 0, 0, 0)]);
    assert_eq!(tunnel(&overlay, DC_B).up, Some(true));
}

#[test]
fn transitions_count_changes_only() {
    let [dc, a, b] = lab();
    let good = read(&[dc.clone(), a.clone(), b.clone()]);
    let unread = vec![dc.read(), a.read(), b.unread()];
    let bad = read(&[dc, a, b.edit("vxlan02", |link| link.admin_up = Some(false))]);
    let mut assessor = Assessor::new(&plan(&[]));
    let mut counts = |routers: &[Arc<_>]| {
        let overlay = assessor.assess(routers, &[]);
        let tunnel = tunnel(&overlay, DC_B);
        (tunnel.up, tunnel.transitions_up, tunnel.transitions_down)
    };
    assert_eq!(counts(&good), (Some(true), 0, 0));
    assert_eq!(counts(&bad), (Some(false), 0, 1));
    assert_eq!(counts(&bad), (Some(false), 0, 1));
    assert_eq!(counts(&unread), (None, 0, 1));
    assert_eq!(counts(&bad), (Some(false), 0, 1));
    assert_eq!(counts(&good), (Some(true), 1, 1));
}

#[test]
fn another_plan_counts_on_and_knows_whose_address_is_whose() {
    let [dc, a, b] = lab();
    let bad = b.clone().edit("vxlan02", |link| link.admin_up = Some(false));
    let mut assessor = Assessor::new(&plan(&[]));
    assessor.assess(&read(&[dc.clone(), a.clone(), b.clone()]), &[]);
    assessor.assess(&read(&[dc.clone(), a.clone(), bad.clone()]), &[]);
    assessor.follow(&plan(&[]));
    let overlay = assessor.assess(&read(&[dc.clone(), a.clone(), b.clone()]), &[]);
    let back = tunnel(&overlay, DC_B);
    assert_eq!((back.up, back.transitions_up, back.transitions_down), (Some(true), 1, 1));
    // A pair is remembered until then and no longer; the owner of the address stays known.
    assessor.follow(&plan(&[]));
    let overlay = assessor.assess(&[dc.read(), a.read(), b.unread()], &[]);
    let half = tunnel(&overlay, "dc/vxlan02~10.10.20.254");
    assert!(half.evidence.iter().any(|line| line.contains("(site-b)")), "{:?}", half.evidence);
    // A router that was removed owns nothing.
    let mut fewer = plan(&[]);
    fewer.routers.pop();
    assessor.follow(&fewer);
    let overlay = assessor.assess(&[dc.read(), a.read()], &[]);
    let half = tunnel(&overlay, "dc/vxlan02~10.10.20.254");
    assert!(
        half.evidence.iter().any(|line| line.contains("which is not an address of any router that was read"))
    );
}

#[test]
fn a_share_of_the_paths_does_not_bring_a_tunnel_down() {
    let dead = [path("rancher", "dc", verdict(Verdict::Unreachable))];
    let mut shared = plan(&[]);
    shared.sites_probed_elsewhere.insert("dc".into());
    let overlay = Assessor::new(&shared).assess(&read(&lab()), &dead);
    assert!(overlay.tunnels.iter().all(|tunnel| tunnel.up == Some(true)));
}

#[test]
fn unreachable_paths_bring_down_the_tunnel_they_cross_alone() {
    let [dc, a, b] = lab();
    let routers = read(&[dc, a, b]);
    let names = |paths: &[_]| {
        let overlay = Assessor::new(&plan(&[])).assess(&routers, paths);
        overlay.tunnels.iter().map(|tunnel| tunnel.up == Some(true)).collect::<Vec<_>>()
    };
    let dead = |name, site| path(name, site, verdict(Verdict::Unreachable));
    let good = |name, site| path(name, site, verdict(Verdict::Ok));
    assert_eq!(names(&[dead("rancher", "dc")]), [false, true]);
    assert_eq!(names(&[dead("rancher", "dc"), good("web", "dc")]), [true, true]);
    assert_eq!(names(&[dead("node-b", "site-b")]), [true, true], "it crosses two");
}

#[test]
fn admin_down_is_mended() {
    let [dc, a, b] = lab();
    let down = |router: TestRouter| router.edit("vxlan02", |link| link.admin_up = Some(false));
    let overlay = assess(&[down(dc), a.clone(), down(b)]);
    assert_eq!(
        typed(&tunnel(&overlay, DC_B).fix),
        ["site-b: delete interfaces vxlan vxlan02 disable", "dc: delete interfaces vxlan vxlan02 disable"]
    );
    let alone = TestRouter::new("dc", "dc", "10.10.0.254").vxlan("vxlan02", 2, B);
    let overlay = assess(&[down(alone), a]);
    assert_eq!(tunnel(&overlay, "dc/vxlan02~10.10.20.254").up, Some(false));
}
