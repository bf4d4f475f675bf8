//! Whatever routers print, the join does not panic, and repeating it gives the same result.

use std::{collections::BTreeSet, sync::Arc};

use proptest::prelude::*;

use crate::{
    model::{
        observation::PathObservation,
        picture::{Tunnel, TunnelEnd},
        snapshot::RouterReading,
        types::{Direction, Verdict},
    },
    overlay::{
        fixture::{TestRouter, hole, ip, path, plan, verdict},
        tunnel::Assessor,
    },
};

const NAMES: [&str; 4] = ["dc", "site-a", "site-b", "site-c"];
const ADDRESSES: [&str; 6] = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "239.0.0.1"];

type Device = (u32, usize, Option<usize>, u16, u32, (u64, u64, u64));

fn device() -> impl Strategy<Value = Device> {
    let counters = (0..30_u64, 0..2_u64, 0..2_u64);
    (1..4_u32, 0..6_usize, proptest::option::of(0..6_usize), 1..3_u16, 1449..1501_u32, counters)
}

fn build(
    number: usize,
    devices: &[Device],
    shared: Option<usize>,
    read: bool,
    scrapes: u64,
) -> Arc<RouterReading> {
    let name = NAMES[number];
    let mut router = TestRouter::new(name, name, ADDRESSES[number]);
    if let Some(shared) = shared {
        router = router.edit("eth0", |link| link.addresses.push(ip(ADDRESSES[shared])));
    }
    for (index, (vni, remote, further, port, mtu, (sent, received, carrier))) in devices.iter().enumerate() {
        let name = format!("vxlan{index}");
        router = router.vxlan(&name, *vni, ADDRESSES[*remote]).mtu(&name, *mtu);
        router = router.edit_vxlan(&name, |vxlan| vxlan.port = Some(*port));
        router = router.edit(&name, |link| link.admin_up = Some(*mtu != 1449));
        if let Some(further) = further {
            router = router.flood(&name, ADDRESSES[*further]);
        }
        router = router.counted(&name, *sent, *received, *carrier);
    }
    router.reading.scrapes = scrapes;
    if read { router.read() } else { router.unread() }
}

fn routers() -> impl Strategy<Value = Vec<Arc<RouterReading>>> {
    let devices = proptest::collection::vec(device(), 0..4);
    let router = (devices, proptest::option::of(0..5_usize), proptest::bool::weighted(0.8), 0..4_u64);
    proptest::collection::vec(router, 0..5).prop_map(|routers| {
        let routers = routers.iter().take(NAMES.len()).enumerate();
        routers
            .map(|(n, (devices, shared, read, scrapes))| build(n, devices, *shared, *read, *scrapes))
            .collect()
    })
}

fn paths() -> Vec<Arc<PathObservation>> {
    vec![
        path("a", "dc", hole(&[Direction::Forward], 1400)),
        path("b", "site-b", verdict(Verdict::Unreachable)),
        path("c", "site-c", verdict(Verdict::Reduced)),
        path("d", "nowhere", verdict(Verdict::Lossy)),
        path("e", "site-a", verdict(Verdict::Unknown)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_order_and_no_second_tunnel(routers in routers(), seed in proptest::num::u64::ANY) {
        let overlay = Assessor::new(&plan(&[])).assess(&routers, &[]);
        let mut shuffled = routers.clone();
        fastrand::Rng::with_seed(seed).shuffle(&mut shuffled);
        prop_assert_eq!(&overlay.tunnels, &Assessor::new(&plan(&[])).assess(&shuffled, &[]).tunnels);
        for (reading, snapshot) in routers.iter().filter_map(|reading| Some((reading, reading.current.as_ref()?))) {
            for (link, vxlan) in snapshot.vxlans() {
                let flood = snapshot.fdb.iter().filter(|entry| entry.interface == link.name);
                let remotes: BTreeSet<_> = flood.filter_map(|entry| entry.dst).chain(vxlan.remote).collect();
                let end = TunnelEnd { router: reading.router.clone(), interface: link.name.clone() };
                let is_in = |tunnel: &&Tunnel| tunnel.ends.contains(&end);
                let several = remotes.len() > 1 || remotes.iter().any(std::net::IpAddr::is_multicast);
                let tunnels = overlay.tunnels.iter().filter(is_in).filter(|tunnel| tunnel.ends.len() == 2).count();
                prop_assert!(several || tunnels <= 1, "{end}: {tunnels} tunnels");
                // Nothing is left out: each end is in a tunnel, is listed alone, or sends nowhere.
                prop_assert!(remotes.is_empty() || overlay.tunnels.iter().any(|tunnel| is_in(&tunnel)), "{end}");
            }
        }
    }

    #[test]
    fn the_same_input_gives_the_same_picture(
        rounds in proptest::collection::vec(routers(), 1..4),
        declare in proptest::bool::ANY,
    ) {
        let declared: &[[&str; 2]] = if declare { &[["dc/vxlan0", "site-a/vxlan1"]] } else { &[] };
        let mut assessor = Assessor::new(&plan(declared));
        let paths = paths();
        for routers in &rounds {
            let first = assessor.assess(routers, &paths);
            prop_assert_eq!(&first, &assessor.assess(routers, &paths));
            prop_assert_eq!(&first, &assessor.assess(routers, &paths));
            for (before, after) in first.tunnels.iter().zip(first.tunnels.iter().skip(1)) {
                prop_assert!(before.name < after.name);
            }
            for tunnel in &first.tunnels {
                prop_assert!(tunnel.up != Some(false) || !tunnel.evidence.is_empty());
            }
        }
    }
}
