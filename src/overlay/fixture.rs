//! Routers and paths for tests: the three sites of the lab in a few words, each test changing one
//! thing.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use crate::model::{
    observation::{ExpectedMtu, Judgement, MethodSizes, PathObservation},
    plan::{PathPlan, Plan, RouterPlan, Transport},
    snapshot::{
        Counters, FdbEntry, Link, Route, RouterReading, RouterSnapshot, ScrapeError, Vxlan, fdb::Fdb,
        ip_stack::IpStack, route_query::RouteQuery,
    },
    types::{
        Bytes, DfPolicy, Direction, FailureReason, FdbState, InterfaceName, LinkKind, Method, OperState,
        PathName, RouterName, Site, SizeMethod, Source, TcpState, Verdict, Vni,
    },
};

pub(crate) const DC: &str = "10.10.0.254";
pub(crate) const A: &str = "10.10.10.254";
pub(crate) const B: &str = "10.10.20.254";

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// A router with a present reading: `eth0` is its underlay, `br01` bridges `eth1` and the vxlan
/// devices.
#[derive(Debug, Clone)]
pub(crate) struct TestRouter {
    pub(crate) reading: RouterReading,
    pub(crate) now: RouterSnapshot,
    /// Its routes by remote; the route queries in `now` are made from them.
    pub(crate) routes: BTreeMap<IpAddr, Route>,
    pub(crate) before: Option<RouterSnapshot>,
}

impl TestRouter {
    pub(crate) fn new(name: &str, site: &str, address: &str) -> Self {
        let mut eth0 = link("eth0", 1600);
        eth0.addresses = vec![ip("127.0.0.1"), ip(address)];
        let mut eth1 = link("eth1", 1500);
        eth1.master = Some("br01".into());
        let now = RouterSnapshot {
            method: Method::Ip,
            links: vec![eth0, link("br01", 1500), eth1],
            fdb: Fdb::default(),
            tells_fdb: true,
            routes: BTreeMap::new(),
            version: Some("VyOS 1.4.0".into()),
            boot_id: Some("boot-1".into()),
            uptime: None,
            stack: IpStack::default(),
            index: crate::model::snapshot::index::Index::default(),
        };
        let mut reading = RouterReading::new(name.into(), site.into(), Vec::new());
        reading.scrapes = 2;
        Self { reading, now, routes: BTreeMap::new(), before: None }
    }

    pub(crate) fn vxlan(mut self, name: &str, vni: u32, remote: &str) -> Self {
        let mut vxlan = link(name, 1500);
        vxlan.kind = Some(LinkKind::Vxlan);
        vxlan.oper_state = Some(OperState::Unknown);
        vxlan.master = Some("br01".into());
        vxlan.ifindex = u32::try_from(self.now.links.len()).ok();
        vxlan.vxlan = Some(Vxlan {
            vni: Some(Vni(vni)),
            remote: remote.parse().ok(),
            port: Some(8472),
            df: Some(DfPolicy::Unset),
            ..Vxlan::default()
        });
        self.now.links.push(vxlan);
        if let Ok(remote) = remote.parse() {
            let source = self.now.links[0].addresses.get(1).copied();
            let route = Route { dev: "eth0".into(), gateway: None, mtu: None, source, expires: None };
            self.routes.insert(remote, route);
        }
        self
    }

    /// Adds a remote to the flood list.
    pub(crate) fn flood(mut self, interface: &str, remote: &str) -> Self {
        self = self.learned(interface, "00:00:00:00:00:00", remote);
        if let Some(entry) = self.now.fdb.last_mut() {
            entry.state = Some(FdbState::Permanent);
        }
        self
    }

    /// Adds a remote to the flood list for one VNI of a device with many.
    pub(crate) fn flood_vni(self, interface: &str, remote: &str, vni: u32) -> Self {
        let mut router = self.flood(interface, remote);
        if let Some(entry) = router.now.fdb.last_mut() {
            entry.vni = Some(Vni(vni));
        }
        router
    }

    /// Adds a MAC that the device has learned behind a remote.
    pub(crate) fn learned(mut self, interface: &str, mac: &str, remote: &str) -> Self {
        self.now.fdb.push(FdbEntry {
            interface: interface.into(),
            mac: mac.parse().expect("a MAC"),
            dst: Some(ip(remote)),
            state: None,
            vni: None,
            via: None,
            extern_learn: false,
        });
        self
    }

    pub(crate) fn edit(mut self, name: &str, change: impl FnOnce(&mut Link)) -> Self {
        let link = self.now.links.iter_mut().find(|link| link.name.as_str() == name);
        change(link.expect("a link of that name"));
        self
    }

    pub(crate) fn edit_vxlan(self, name: &str, change: impl FnOnce(&mut Vxlan)) -> Self {
        self.edit(name, |link| change(link.vxlan.as_mut().expect("a vxlan device")))
    }

    pub(crate) fn mtu(self, name: &str, mtu: Bytes) -> Self {
        self.edit(name, |link| link.mtu = Some(mtu))
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.now.links.retain(|link| link.name.as_str() != name);
        self
    }

    /// Sets what a device counted between the last two scrapes: packets sent, packets received,
    /// carrier errors.
    pub(crate) fn counted(mut self, name: &str, sent: u64, received: u64, carrier: u64) -> Self {
        let before = self.before.get_or_insert_with(|| self.now.clone());
        if !before.links.iter().any(|link| link.name.as_str() == name) {
            before.links = self.now.links.clone();
        }
        self.edit(name, |link| {
            link.counters = Counters {
                tx_packets: Some(sent),
                rx_packets: Some(received),
                tx_carrier_errors: Some(carrier),
                ..link.counters
            };
        })
    }

    /// Sets the present counters, without a former scrape.
    pub(crate) fn counted_now(self, name: &str, sent: u64, received: u64) -> Self {
        self.edit(name, |link| {
            link.counters = Counters { tx_packets: Some(sent), rx_packets: Some(received), ..link.counters };
        })
    }

    pub(crate) fn read(&self) -> Arc<RouterReading> {
        let mut reading = self.reading.clone();
        let mut now = self.now.clone();
        let mut routes = BTreeMap::new();
        for (link, vxlan) in now.vxlans() {
            let entries = now.fdb.iter().filter(|entry| entry.interface == link.name);
            for remote in vxlan.remote.into_iter().chain(entries.filter_map(|entry| entry.dst)) {
                if let Some(route) = self.routes.get(&remote) {
                    let query = RouteQuery::new(&now, link, vxlan, remote).expect("plain names");
                    routes.insert(query, route.clone());
                }
            }
        }
        now.routes = routes;
        reading.current = Some(Arc::new(now));
        reading.previous = self.before.clone().map(Arc::new);
        Arc::new(reading)
    }

    pub(crate) fn unread(&self) -> Arc<RouterReading> {
        let mut reading = self.reading.clone();
        reading.scrapes += 1;
        reading.failure =
            Some(ScrapeError::new(FailureReason::Refused, "10.10.20.254:22 closed the connection"));
        Arc::new(reading)
    }
}

fn link(name: &str, mtu: Bytes) -> Link {
    Link {
        name: InterfaceName::from(name),
        ifindex: Some(1),
        mtu: Some(mtu),
        admin_up: Some(true),
        oper_state: Some(OperState::Up),
        mac: None,
        master: None,
        parent: None,
        description: None,
        addresses: Vec::new(),
        kind: None,
        vxlan: None,
        counters: Counters::ZERO,
    }
}

/// The lab's three sites, healthy: A and B each have a tunnel to the DC.
pub(crate) fn lab() -> [TestRouter; 3] {
    [
        TestRouter::new("dc", "dc", DC).vxlan("vxlan01", 1, A).vxlan("vxlan02", 2, B),
        TestRouter::new("site-a", "site-a", A).vxlan("vxlan01", 1, DC),
        TestRouter::new("site-b", "site-b", B).vxlan("vxlan02", 2, DC),
    ]
}

pub(crate) fn read(routers: &[TestRouter]) -> Vec<Arc<RouterReading>> {
    routers.iter().map(TestRouter::read).collect()
}

pub(crate) fn plan(tunnels: &[[&str; 2]]) -> Plan {
    let router = |name: &str| RouterPlan {
        name: RouterName::from(name),
        site: Site::from(name),
        addresses: Vec::new(),
        scrape_interval: std::time::Duration::from_secs(30),
        scrape_timeout: std::time::Duration::from_secs(10),
        limits: crate::model::plan::ReadLimits::default(),
        underlay_probes: crate::model::leg::UnderlayProbes::default(),
        underlay_interval: std::time::Duration::from_mins(5),
        transport: Transport::Local,
        api: None,
    };
    Plan {
        site: Some(Site::from("site-a")),
        shard: crate::model::shard::Shard::default(),
        routers: ["dc", "site-a", "site-b"].map(router).to_vec(),
        router_workers: 32,
        paths: Vec::new(),
        sites_probed_elsewhere: std::collections::BTreeSet::new(),
        web_sources: Vec::new(),
        probe_now: crate::model::plan::ProbeNow::default(),
        tunnels: tunnels.iter().map(|[a, b]| [(*a).to_owned(), (*b).to_owned()]).collect(),
        probe_budget_pps: 200,
        reflector: None,
        on_demand: crate::model::on_demand::OnDemandPlan::default(),
        shown: "".into(),
    }
}

/// A path of site-a.
pub(crate) fn path_plan(name: &str, target_site: &str) -> PathPlan {
    PathPlan {
        name: PathName::from(name),
        source: Source::from("site-a"),
        site: Site::from(target_site),
        address: "192.168.100.102".to_owned(),
        family: None,
        tcp_port: None,
        probe_interval: std::time::Duration::from_secs(1),
        sentinel_interval: std::time::Duration::from_secs(1),
        expected_mtu: None,
        loss_threshold: 0.03,
        reflector: None,
    }
}

/// What the methods see where that is judged: an echo there and back, TCP on the way there,
/// fragments on the way back while echoes are lost.
fn sizes(judgement: &Judgement) -> Box<[MethodSizes]> {
    let Some(edge) = judgement.mtu_forward else { return Box::default() };
    let is_holed = judgement.verdict == Verdict::Blackhole;
    let of = |method, direction, ends: bool| {
        let (passes, vanishes) = if ends { (edge, Some(edge + 1)) } else { (1500, None) };
        let flows = if method == SizeMethod::TcpSyn { 8 } else { 0 };
        let signalled = (judgement.verdict == Verdict::Reduced).then_some((1500, edge));
        let passes = Some(if signalled.is_some() { edge } else { passes });
        MethodSizes { method, direction, flows, passes, vanishes, signalled }
    };
    let ends = |direction| is_holed && judgement.holes.contains(&direction);
    let mut all = vec![
        of(SizeMethod::IcmpEcho, None, is_holed && !judgement.holes.is_empty()),
        of(SizeMethod::TcpSyn, Some(Direction::Forward), ends(Direction::Forward)),
    ];
    if is_holed {
        all.push(of(SizeMethod::Fragments, Some(Direction::Reverse), ends(Direction::Reverse)));
    }
    all.into()
}

/// A settled observation from site-a with expected MTU 1500.
pub(crate) fn path(name: &str, target_site: &str, judgement: Judgement) -> Arc<PathObservation> {
    Arc::new(PathObservation {
        sizes: sizes(&judgement),
        path: PathName::from(name),
        interval: None,
        source: Source::from("site-a"),
        target_site: Site::from(target_site),
        target: "192.168.100.102".to_owned(),
        address: Some(ip("192.168.100.102")),
        target_mac: None,
        tcp_port: Some(443),
        reflector: None,
        awaits_reflector: false,
        counters: Arc::default(),
        expected_mtu: Some(ExpectedMtu { bytes: 1500, rule: "our egress eth0".into() }),
        testable_mtu: Some(1500),
        judgement,
    })
}

pub(crate) fn verdict(verdict: Verdict) -> Judgement {
    let mtu = (verdict == Verdict::Ok).then_some(1500);
    Judgement {
        verdict,
        unknown_reason: None,
        holes: Vec::new(),
        tcp: None,
        mtu_forward: mtu,
        mtu_reverse: None,
        forward_expected: None,
        forward_at_least: None,
        reverse_at_least: mtu,
        settled: true,
        evidence: Vec::new(),
    }
}

pub(crate) fn hole(holes: &[Direction], edge: Bytes) -> Judgement {
    Judgement {
        holes: holes.to_vec(),
        mtu_forward: Some(edge),
        mtu_reverse: holes.contains(&Direction::Reverse).then_some(edge),
        ..verdict(Verdict::Blackhole)
    }
}

pub(crate) fn tcp_dead() -> Judgement {
    Judgement { tcp: Some(TcpState::Dead), mtu_forward: Some(1500), ..verdict(Verdict::Blackhole) }
}
