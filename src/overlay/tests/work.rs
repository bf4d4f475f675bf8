//! The cost of a join grows at most about in proportion to what a router prints.

use std::sync::Arc;

use crate::{
    model::{
        observation::PathObservation,
        snapshot::RouterReading,
        types::{Direction, Verdict, Vni},
    },
    overlay::{
        fixture::{A, DC, TestRouter, hole, path, plan, read, verdict},
        tunnel::Assessor,
    },
    report, work,
};

fn paths() -> Vec<Arc<PathObservation>> {
    vec![
        path("a", "site-a", hole(&[Direction::Forward], 1400)),
        path("b", "dc", verdict(Verdict::Unreachable)),
        path("c", "nowhere", verdict(Verdict::Lossy)),
    ]
}

fn number(n: u32) -> String {
    format!("10.{}.{}.{}", 100 + (n >> 16), (n >> 8) & 255, n & 255)
}

fn router(name: &str, address: &str) -> TestRouter {
    let mut router = TestRouter::new(name, name, address);
    router.now.uptime = None;
    router
}

/// A router with `count` devices, each as `device` describes it.
fn devices(router: TestRouter, count: u32, device: impl Fn(u32) -> (u32, String)) -> TestRouter {
    (0..count).fold(router, |router, n| {
        let (vni, remote) = device(n);
        router.vxlan(&format!("v{n}"), vni, &remote).counted_now(&format!("v{n}"), u64::from(n), 0)
    })
}

fn shared(router: TestRouter, name: &str, vnis: impl Iterator<Item = u32>) -> TestRouter {
    router.vxlan(name, 0, "none").edit_vxlan(name, |vxlan| {
        (vxlan.vni, vxlan.external) = (None, true);
        vxlan.vnis = vnis.map(Vni).collect();
    })
}

type Shape = (&'static str, fn(u32) -> Vec<TestRouter>);

const SHAPES: &[Shape] = &[
    ("names of one side", |n| {
        vec![router("dc", DC).vxlan("vxlan01", 1, A), devices(router("site-a", A), n, |n| (n, DC.into()))]
    }),
    ("all with one vni", |n| {
        vec![router("dc", DC).vxlan("vxlan01", 1, A), devices(router("site-a", A), n, |_| (1, DC.into()))]
    }),
    ("two sides with one vni", |n| {
        let side =
            |name, address, remote: &str| devices(router(name, address), n, |_| (1, remote.to_owned()));
        vec![side("dc", DC, A), side("site-a", A, DC)]
    }),
    ("two sides with a tunnel each", |n| {
        let side =
            |name, address, remote: &str| devices(router(name, address), n, |n| (n, remote.to_owned()));
        vec![side("dc", DC, A), side("site-a", A, DC)]
    }),
    ("two sides, all vnis differ", |n| {
        let side = |name, address, remote: &str, other| {
            devices(router(name, address), n, move |n| (n * 2 + other, remote.to_owned()))
        };
        vec![side("dc", DC, A, 0), side("site-a", A, DC, 1)]
    }),
    ("one way", |n| {
        let side =
            |name, address, remote: &str| devices(router(name, address), n, |n| (n, remote.to_owned()));
        vec![side("dc", DC, A), side("site-a", A, "192.0.2.1")]
    }),
    ("one way, one vni", |n| {
        let side =
            |name, address, remote: &str| devices(router(name, address), n, |_| (7, remote.to_owned()));
        vec![side("dc", DC, A), side("site-a", A, "192.0.2.1")]
    }),
    ("remotes of nobody", |n| {
        let site = router("site-a", A).vxlan("vxlan01", 1, DC);
        vec![
            router("dc", DC).vxlan("vxlan01", 1, A),
            (0..n).fold(site, |site, n| site.flood("vxlan01", &number(n))),
        ]
    }),
    ("remotes that are all of one router", |n| {
        let dc = router("dc", DC).edit("eth0", |link| {
            link.addresses.extend((0..n).map(|n| number(n).parse::<std::net::IpAddr>().unwrap()));
        });
        let site = devices(router("site-a", A), 20, |_| (1, DC.into()));
        vec![
            devices(dc, 20, |_| (1, A.into())),
            (0..n).fold(site, |site, n| site.flood(&format!("v{}", n % 20), &number(n))),
        ]
    }),
    ("learned behind nobody", |n| {
        let site = router("site-a", A).vxlan("vxlan01", 1, DC);
        let mac = |n: u32| format!("aa:bb:{:02x}:{:02x}:{:02x}:00", n >> 16, (n >> 8) & 255, n & 255);
        vec![
            router("dc", DC).vxlan("vxlan01", 1, A),
            (0..n).fold(site, |site, n| site.learned("vxlan01", &mac(n), &number(n))),
        ]
    }),
    ("one device with many networks", |n| {
        let hub = shared(router("dc", DC), "vxlan01", 0..n);
        vec![
            (0..n).fold(hub, |hub, vni| hub.flood_vni("vxlan01", A, vni)),
            devices(router("site-a", A), n, |n| (n, DC.into())),
        ]
    }),
    ("many devices that claim the same networks", |n| {
        let hub = (0..n).fold(router("dc", DC), |hub, at| {
            shared(hub, &format!("s{at}"), [1, 2, 3 + at].into_iter()).flood(&format!("s{at}"), A)
        });
        vec![hub, devices(router("site-a", A), n, |n| (n, DC.into()))]
    }),
    ("one group", |n| {
        let side = |name, address| devices(router(name, address), n, |n| (n, "239.0.0.1".into()));
        vec![side("dc", DC), side("site-a", A)]
    }),
    ("groups of two devices", |n| {
        let side = |name, address| {
            let side =
                router(name, address).vxlan("vxlan01", 1, "239.0.0.1").vxlan("vxlan02", 2, "239.0.0.1");
            (0..n).fold(side, |side, n| side.flood("vxlan01", &format!("239.1.{}.{}", n >> 8, n & 255)))
        };
        vec![side("dc", DC), side("site-a", A)]
    }),
    ("bridges, links and no route", |n| {
        let mut site = devices(router("site-a", A), n, |n| (n, "192.0.2.1".into()));
        site.routes.clear();
        for link in &mut site.now.links {
            link.counters.tx_carrier_errors = Some(3);
        }
        let mut more = site.now.links[0].clone();
        more.admin_up = Some(false);
        for n in 0..n {
            more.name = format!("e{n}").as_str().into();
            site.now.links.push(more.clone());
        }
        vec![router("dc", DC).vxlan("vxlan01", 1, A), site]
    }),
];

/// The steps of the second and third join, and of all views of the result.
fn cost(shape: fn(u32) -> Vec<TestRouter>, n: u32) -> (u64, u64) {
    let routers = shape(n);
    let mut assessor = Assessor::new(&plan(&[]));
    let readings: Vec<Arc<RouterReading>> = read(&routers);
    assessor.assess(&readings, &paths());
    let readings = read(&routers);
    let (overlay, join) = work::counted(|| {
        assessor.assess(&readings, &paths());
        assessor.assess(&readings, &paths())
    });
    let present = crate::model::state::Present {
        routers: readings,
        paths: paths(),
        overlay: Arc::new(overlay),
        ..crate::model::state::Present::default()
    };
    let ((), views) = work::counted(|| {
        crate::web::metrics::render(&present, &crate::web::SelfInfo::default()).unwrap();
        drop(report::text(&present, 120, report::Paint::Plain));
        drop(report::json(&present));
    });
    (join, views)
}

#[test]
fn no_join_costs_more_than_in_proportion() {
    for (what, shape) in SHAPES {
        let (few, many) = (cost(*shape, 100), cost(*shape, 400));
        // Four times as much, a quarter more for each look-up in a tree, and a small constant.
        let bound = |few: u64| few * 5 + 2000;
        println!("{what}: {few:?} {many:?}");
        assert!(
            many.0 <= bound(few.0),
            "{what}: a join takes {} steps, and {} for four times as much",
            few.0,
            many.0
        );
        assert!(
            many.1 <= bound(few.1),
            "{what}: views take {} steps, and {} for four times as much",
            few.1,
            many.1
        );
    }
}
