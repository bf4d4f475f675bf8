//! A state for tests: a site with a path in a black hole, a router that refuses, a path that has
//! just started.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::{
    model::{
        leg::{LegReading, LegSizes},
        observation::{EchoStats, ExpectedMtu, Judgement, MethodSizes, PathObservation},
        picture::{FixStep, Hop, Overlay, PathPicture, Tunnel, TunnelEnd, TunnelFlow, TunnelLeg, TunnelLoss},
        snapshot::{
            Counters, FdbEntry, Link, Route, RouterReading, RouterSnapshot, ScrapeError, Vxlan,
            ip_stack::{IpCounters, IpStack},
            route_query::RouteQuery,
        },
        state::{CapabilityState, ConfigState, Present, State},
        types::{
            Capability, DfPolicy, Direction, FailureReason, FdbState, LinkKind, Method, MismatchField,
            OperState, SizeMethod, TcpState, TunnelState, UnknownReason, Verdict, Vni,
        },
    },
    vendor::{Repair, Vyos},
};

/// A fixed time.
pub(crate) fn moment() -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(1_700_000_000_500)
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect(text)
}

fn link(name: &str, mtu: u32, kind: Option<LinkKind>, master: Option<&str>) -> Link {
    Link {
        name: name.into(),
        ifindex: Some(7),
        mtu: Some(mtu),
        admin_up: Some(true),
        oper_state: Some(OperState::Up),
        mac: None,
        master: master.map(Into::into),
        parent: None,
        description: None,
        addresses: vec![],
        kind,
        vxlan: None,
        counters: Counters::ZERO,
    }
}

fn fdb(mac: &str, dst: Option<&str>, state: Option<FdbState>) -> FdbEntry {
    FdbEntry {
        interface: "vxlan01".into(),
        mac: mac.parse().expect(mac),
        dst: dst.map(ip),
        state,
        vni: None,
        via: None,
        extern_learn: false,
    }
}

fn router(name: &str, remote: &str, vni: u32) -> RouterReading {
    let mut vxlan = link("vxlan01", 1450, Some(LinkKind::Vxlan), Some("br01"));
    vxlan.oper_state = Some(OperState::Unknown);
    vxlan.vxlan = Some(Vxlan {
        vni: Some(Vni(vni)),
        remote: Some(ip(remote)),
        port: Some(8472),
        df: Some(DfPolicy::Unset),
        ..Vxlan::default()
    });
    vxlan.counters = Counters {
        rx_bytes: Some(123_456),
        rx_packets: Some(789),
        tx_carrier_errors: Some(3),
        ..Counters::ZERO
    };
    let mut snapshot = RouterSnapshot {
        method: Method::Ip,
        links: vec![
            link("eth0", 1500, None, None),
            link("eth1", 1500, None, Some("br01")),
            link("br01", 1450, Some(LinkKind::Bridge), None),
            link("docker0", 1500, Some(LinkKind::Bridge), None),
            vxlan,
        ],
        fdb: vec![
            fdb("00:00:00:00:00:00", Some(remote), Some(FdbState::Permanent)),
            fdb("52:54:00:00:00:01", Some(remote), None),
            fdb("52:54:00:00:00:02", Some(remote), None),
            fdb("52:54:00:00:00:03", Some("10.10.99.254"), Some(FdbState::Static)),
            fdb("52:54:00:00:00:04", None, Some(FdbState::Permanent)),
        ]
        .into(),
        routes: BTreeMap::new(),
        version: Some("VyOS 1.4.0".into()),
        boot_id: None,
        uptime: None,
        stack: IpStack {
            v4: IpCounters {
                fragments_created: Some(8),
                fragmented: Some(4),
                fragmentation_failures: Some(1),
                fragments_received: Some(9),
                reassemblies: Some(3),
                reassembly_failures: Some(2),
                reassembly_timeouts: Some(1),
                udp_no_ports: Some(5),
                udp_errors: Some(7),
                udp_buffer_errors: Some(6),
                udp_checksum_errors: Some(0),
            },
            v6: IpCounters::default(),
        },
        tells_fdb: true,
        index: crate::model::snapshot::index::Index::default(),
    };
    let route = Route { dev: "eth0".into(), gateway: None, mtu: Some(1400), source: None, expires: None };
    let link = &snapshot.links[4];
    let query = link.vxlan.as_ref().and_then(|vxlan| RouteQuery::new(&snapshot, link, vxlan, ip(remote)));
    snapshot.routes.extend(query.map(|query| (query, route)));
    let mut reading = RouterReading::new(name.into(), name.into(), vec![]);
    reading.scrapes = 2;
    reading.current = Some(Arc::new(snapshot));
    reading.duration = Duration::from_millis(125);
    reading.last_success = Some(moment());
    reading.recreations = BTreeMap::from([("vxlan01".into(), 1)]);
    reading
}

fn refusing_router() -> RouterReading {
    let mut reading = RouterReading::new("site-b".into(), "site-b".into(), vec![]);
    reading.scrapes = 3;
    reading.previous = router("site-b", "10.10.0.254", 2).current;
    reading.failure =
        Some(ScrapeError::new(FailureReason::HostkeyMismatch, "10.10.20.254 shows another host key"));
    reading.duration = Duration::from_secs(1);
    reading.failures = BTreeMap::from([(FailureReason::HostkeyMismatch, 3)]);
    reading
}

fn path(name: &str, target: &str, judgement: Judgement) -> PathObservation {
    PathObservation {
        path: name.into(),
        interval: None,
        source: "site-a".into(),
        target_site: "dc".into(),
        target: target.into(),
        address: None,
        target_mac: None,
        tcp_port: None,
        reflector: None,
        awaits_reflector: false,
        counters: Arc::default(),
        expected_mtu: None,
        testable_mtu: None,
        judgement,
        sizes: Box::default(),
    }
}

/// One of several legs has a hole below what is signalled on all of them.
fn every_method() -> Box<[MethodSizes]> {
    use SizeMethod::{Fragments, IcmpEcho, Reflector, TcpSyn};
    let (forward, reverse) = (Some(Direction::Forward), Some(Direction::Reverse));
    let seen = |method, direction, flows, passes, vanishes, signalled| MethodSizes {
        method,
        direction,
        flows,
        passes: Some(passes),
        vanishes,
        signalled,
    };
    Box::new([
        seen(IcmpEcho, None, 0, 1454, Some(1455), None),
        seen(TcpSyn, forward, 5, 1476, None, Some((1500, 1476))),
        seen(TcpSyn, forward, 3, 1454, Some(1455), Some((1500, 1476))),
        seen(Fragments, reverse, 0, 1454, Some(1500), None),
        seen(Reflector, forward, 0, 1476, None, None),
        seen(Reflector, reverse, 0, 1454, Some(1455), None),
    ])
}

fn holed_path() -> PathObservation {
    let mut holed = path(
        "rancher",
        "192.168.100.102",
        Judgement {
            verdict: Verdict::Blackhole,
            unknown_reason: None,
            tcp: Some(TcpState::Answers),
            holes: vec![Direction::Forward, Direction::Reverse],
            mtu_forward: Some(1454),
            mtu_reverse: Some(1454),
            forward_expected: None,
            forward_at_least: None,
            reverse_at_least: None,
            settled: true,
            evidence: vec![
                "40 of 40 pairs: 1500 bytes lost, 64 bytes answered".into(),
                "1454 <answered>".into(),
            ],
        },
    );
    holed.address = Some(ip("192.168.100.102"));
    holed.tcp_port = Some(443);
    holed.expected_mtu = Some(ExpectedMtu { bytes: 1500, rule: "our egress eth0".into() });
    holed.testable_mtu = Some(1500);
    let mut echo = EchoStats { requests: 10, replies: 8, lost: 1, late: 1, ..EchoStats::default() };
    for rtt in [1, 1, 1, 2, 2, 30, 300, 6000] {
        echo.rtt.observe(Duration::from_millis(rtt));
    }
    holed.sizes = every_method();
    holed.counters = echo.into();
    holed.counters.sent_at(moment());
    holed
}

fn end(router: &str) -> TunnelEnd {
    TunnelEnd { router: router.into(), interface: "vxlan01".into() }
}

/// The whole state.
pub(crate) fn present() -> Present {
    let pair = "dc/vxlan01~site-a/vxlan01";
    let tunnel = Tunnel {
        name: pair.into(),
        state: TunnelState::Paired,
        ends: vec![end("dc"), end("site-a")],
        up: Some(false),
        mismatches: BTreeMap::from([(MismatchField::Vni, "dc has 2, site-a has 1".into())]),
        evidence: vec![],
        small_ends: vec![],
        loss: vec![TunnelLoss { from: end("dc"), to: end("site-a"), ratio: 0.0125, bound: 0.0005 }],
        flows: vec![TunnelFlow {
            fragments_per_second: Some(8.5),
            reassemblies_failed: Some(0.25),
            unheard_per_second: Some(1.5),
            ..TunnelFlow::new(&end("dc"), "site-a/vxlan01".into())
        }],
        legs: vec![TunnelLeg {
            from: end("dc"),
            to: end("site-a"),
            reading: LegReading {
                top: 1550,
                probed_at: moment(),
                sent: 40,
                lost: 1,
                rtt: Some(Duration::from_millis(12)),
                sizes: LegSizes::Silent { answered: 1478, exact: true, pairs: 40 },
                signalled: None,
            },
            needed: 1550,
        }],
        fix: vec![],
        transitions_up: 1,
        transitions_down: 2,
    };
    let half = Tunnel {
        name: "dc/vxlan02~10.10.20.254".into(),
        state: TunnelState::Half,
        ends: vec![end("dc")],
        up: None,
        mismatches: BTreeMap::new(),
        loss: vec![],
        legs: vec![],
        flows: vec![],
        transitions_up: 0,
        transitions_down: 0,
        ..tunnel.clone()
    };
    let fix = |router: &str| FixStep {
        router: router.into(),
        command: Vyos::command(&"vxlan01".into(), Repair::Mtu(1500)).expect("a command"),
    };
    let hop = |router: &str| Hop { tunnel: pair.into(), end: end(router) };
    let picture = |name: &str| PathPicture {
        path: name.into(),
        hops: vec![hop("site-a"), hop("dc")],
        cause: vec!["dc/vxlan01 has MTU 1450".into()],
        fix: vec![fix("dc"), fix("site-a")],
    };
    let ok = Judgement { verdict: Verdict::Ok, unknown_reason: None, settled: true, ..Judgement::default() };
    let dns = Judgement { unknown_reason: Some(UnknownReason::Dns), ..Judgement::default() };
    Present {
        config: ConfigState { loaded_at: Some(moment()), reload_error: None },
        routers: vec![
            Arc::new(router("dc", "10.10.10.254", 2)),
            Arc::new(router("site-a", "10.10.0.254", 1)),
            Arc::new(refusing_router()),
            Arc::new(RouterReading::new("new".into(), "dc".into(), vec![])),
        ],
        paths: vec![
            Arc::new(holed_path()),
            Arc::new(path("ok", "192.168.100.20", ok)),
            Arc::new(path("odd \"name\" & <b>", "rancher.example.org", dns)),
        ],
        overlay: Arc::new(Overlay {
            tunnels: vec![tunnel, half],
            paths: vec![picture("rancher"), picture("ok")],
            ..Overlay::default()
        }),
        capabilities: vec![
            CapabilityState { capability: Capability::NetRaw, missing: None },
            CapabilityState { capability: Capability::TcpSyn, missing: Some("no CAP_NET_RAW".into()) },
        ],
        ..Present::default()
    }
}

/// The same as a shared [`State`].
pub(crate) fn state() -> State {
    state_of(present())
}

/// Any state as a shared one.
pub(crate) fn state_of(present: Present) -> State {
    let state = State::default();
    if let Some(loaded) = present.config.loaded_at {
        state.config_loaded(loaded);
    }
    for reading in present.routers {
        state.put_router((*reading).clone());
    }
    for observation in present.paths {
        state.put_path((*observation).clone());
    }
    state.put_capabilities(present.capabilities);
    state.put_overlay((*present.overlay).clone());
    state
}
