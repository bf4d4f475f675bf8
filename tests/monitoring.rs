//! From a fault in an overlay to the message at a webhook and back: the exporter, a real Prometheus with the alert rules, a real
//! Alertmanager with Rancher's routes. Each story lists all alerts; that another one fires at any time is an error.

mod lab;
#[path = "monitoring/rules.rs"]
mod rules;
#[path = "monitoring/stack.rs"]
mod stack;
#[path = "monitoring/story.rs"]
mod story;

use anyhow::{Context, Result, ensure};

use lab::{
    Lab,
    exporter::{self, Rights},
    fault::Fault,
    numbers::{End, Numbers, Place},
};
use story::{Expected, Story};

/// A vxlan interface of 1450 beside LAN ports of 1500.
macro_rules! below_bridge_port {
    ($router:literal, $interface:literal, $other:literal) => {
        Expected {
            key: concat!(
                "VxlanMtuBelowBridgePort bridge=br01 interface=",
                $interface,
                " router=",
                $router,
                " severity=warning"
            ),
            says: &[
                "has mtu 1450; ports of its bridge br01 have more: eth1 1500",
                concat!("The other end: ", $other),
            ],
            commands: &[concat!($router, ": set interfaces vxlan ", $interface, " mtu 1500")],
        }
    };
}

const ALL_WELL: &str =
    "vxlan_path_verdict{verdict=\"ok\"} == 1 or vxlan_tunnel_up == 1 or vxlan_router_up == 1";

fn raise(fault: &Fault) -> Result<Lab> {
    Lab::raise(&Numbers::article(), fault)
}

/// A black hole between this source and a target, from vxlan interfaces of 1450 over an underlay of 1600.
#[test]
fn the_article_s_failure_the_slip_and_a_dead_tunnel() -> Result<()> {
    let mut story = Story::begin(raise(&Fault::load("healthy")?)?, Rights::All, &[])?;
    story.wait_for("two paths, two tunnels, three routers", ALL_WELL, 7)?;

    for end in End::ALL {
        story.lab.set_vxlan_mtu(end, 1450)?;
    }
    let says = [
        "in direction forward reverse;",
        "Path MTU: forward 1454, reverse 1454, expected 1500 bytes.",
        "dc/vxlan01 mtu 1450; site-a/vxlan01 mtu 1450;",
    ];
    let commands = story.alerted(&[
        Expected {
            key: "VxlanMtuBlackHole path=rancher severity=critical source=site-a",
            says: &says,
            commands: &[
                "dc: set interfaces vxlan vxlan01 mtu 1500",
                "site-a: set interfaces vxlan vxlan01 mtu 1500",
            ],
        },
        Expected {
            key: "VxlanMtuBlackHole path=node-b severity=critical source=site-a",
            says: &says[..2],
            commands: &[
                "site-b: set interfaces vxlan vxlan02 mtu 1500",
                "dc: set interfaces vxlan vxlan02 mtu 1500",
                "dc: set interfaces vxlan vxlan01 mtu 1500",
                "site-a: set interfaces vxlan vxlan01 mtu 1500",
            ],
        },
    ])?;
    story.type_all(&commands)?;
    story.resolved()?;

    story.lab.change(End::BToDc, |device| device.vni = 1)?;
    let commands = story.alerted(&[Expected {
        key: "VxlanVniMismatch severity=critical tunnel=dc/vxlan02~site-b/vxlan02",
        says: &["dc/vxlan02: vni 2, remote 10.10.20.254", "site-b/vxlan02: vni 1, remote 10.10.0.254"],
        commands: &["site-b: set interfaces vxlan vxlan02 vni 2"],
    }])?;
    story.type_all(&commands)?;
    story.resolved()?;

    story.lab.change(End::DcToA, |device| device.up = false)?;
    let commands = story.alerted(&[Expected {
        key: "VxlanTunnelDown severity=critical tunnel=dc/vxlan01~site-a/vxlan01",
        says: &["An end is admin down", "site-a/vxlan01 sends", "dc/vxlan01 receives"],
        commands: &["dc: delete interfaces vxlan vxlan01 disable"],
    }])?;
    story.type_all(&commands)?;
    story.resolved()?;
    story.end()
}

#[test]
fn a_tunnel_that_loses_packets() -> Result<()> {
    let mut story = Story::begin(raise(&Fault::load("loss-20")?)?, Rights::All, &[])?;
    story.alerted(&[Expected {
        key: "VxlanTunnelLoss from=dc/vxlan01 severity=warning to=site-a/vxlan01 tunnel=dc/vxlan01~site-a/vxlan01",
        says: &["of what dc/vxlan01 sent did not arrive at site-a/vxlan01", "dc/vxlan01 sends"],
        commands: &[],
    }])?;
    story.lab.core().run("nft", &["delete", "table", "ip", "lab"])?;
    story.resolved()?;
    story.end()
}

#[test]
fn an_exporter_that_dies_and_one_that_is_removed() -> Result<()> {
    let mut story = Story::begin(raise(&Fault::load("healthy")?)?, Rights::All, &[])?;
    story.wait_for("two paths, two tunnels, three routers", ALL_WELL, 7)?;
    story.exporter = None;
    story.alerted(&[Expected {
        key: "VxlanExporterDown container=vxlan-exporter endpoint=metrics instance=172.31.255.100:14789 \
              job=vxlan-exporter pod=vxlan-exporter-0 service=vxlan-exporter severity=critical",
        says: &["no answer from 172.31.255.100:14789"],
        commands: &[],
    }])?;
    story.monitoring.find_exporter(false)?;
    story.alerted(&[Expected {
        key: "VxlanExporterAbsent job=vxlan-exporter severity=critical",
        says: &["No target has job=\"vxlan-exporter\""],
        commands: &[],
    }])?;
    story.start_exporter()?;
    story.monitoring.find_exporter(true)?;
    story.resolved()?;
    story.end()
}

/// The article's failure from a pod of 1480 bytes, as IPIP leaves it: large enough to see the hole.
#[test]
fn from_a_pod_of_1480() -> Result<()> {
    let mut story = Story::begin(from_pod(1480)?, Rights::Pings, &["VxlanPathUntestable"])?;
    let says = ["in direction unknown;", "expected 1500 bytes."];
    let commands = story.alerted(&[
        Expected {
            key: "VxlanMtuBlackHole path=rancher severity=critical source=site-a",
            says: &says,
            commands: &[
                "dc: set interfaces vxlan vxlan01 mtu 1500",
                "site-a: set interfaces vxlan vxlan01 mtu 1500",
            ],
        },
        Expected {
            key: "VxlanMtuBlackHole path=node-b severity=critical source=site-a",
            says: &says,
            commands: &[
                "site-b: set interfaces vxlan vxlan02 mtu 1500",
                "dc: set interfaces vxlan vxlan02 mtu 1500",
                "dc: set interfaces vxlan vxlan01 mtu 1500",
                "site-a: set interfaces vxlan vxlan01 mtu 1500",
            ],
        },
    ])?;
    story.type_all(&commands)?;
    story.resolved()?;
    story.end()
}

/// From a pod of 1450 bytes, as VXLAN leaves it, the hole cannot be seen. Router data show it all the same.
#[test]
fn from_a_pod_of_1450() -> Result<()> {
    let mut story = Story::begin(from_pod(1450)?, Rights::Pings, &["VxlanPathUntestable"])?;
    let commands = story.alerted(&[
        below_bridge_port!("dc", "vxlan01", "site-a/vxlan01"),
        below_bridge_port!("dc", "vxlan02", "site-b/vxlan02"),
        below_bridge_port!("site-a", "vxlan01", "dc/vxlan01"),
        below_bridge_port!("site-b", "vxlan02", "dc/vxlan02"),
    ])?;
    let done = exporter::check(&story.lab, story::binary(), &[])?;
    println!("{}", String::from_utf8_lossy(&done.stdout));
    let done = exporter::check(&story.lab, story::binary(), &["--format=json"])?;
    println!("{}", String::from_utf8_lossy(&done.stdout));
    story.type_all(&commands)?;
    story.resolved()?;
    let ok = story.monitoring.query("max_over_time(vxlan_path_verdict{verdict=\"ok\"}[1h]) == 1")?;
    ensure!(ok.is_empty(), "{ok:?}");
    story.end()
}

fn from_pod(mtu: u32) -> Result<Lab> {
    let mut fault = Fault::load("default-mtu")?;
    fault.pod_mtu = Some(mtu);
    raise(&fault)
}

/// The article's failure as an exporter on the DC's host sees it.
#[test]
fn from_a_host_of_the_data_centre() -> Result<()> {
    let mut fault = Fault::load("default-mtu")?;
    fault.exporter_at = Place::Dc;
    let mut story = Story::begin(raise(&fault)?, Rights::All, &[])?;
    let says =
        ["in direction forward reverse;", "Path MTU: forward 1454, reverse 1454, expected 1500 bytes."];
    let commands = story.alerted(&[
        Expected {
            key: "VxlanMtuBlackHole path=node-a severity=critical source=dc",
            says: &says,
            commands: &[
                "site-a: set interfaces vxlan vxlan01 mtu 1500",
                "dc: set interfaces vxlan vxlan01 mtu 1500",
            ],
        },
        Expected {
            key: "VxlanMtuBlackHole path=node-b severity=critical source=dc",
            says: &says,
            commands: &[
                "site-b: set interfaces vxlan vxlan02 mtu 1500",
                "dc: set interfaces vxlan vxlan02 mtu 1500",
            ],
        },
    ])?;
    story.type_all(&commands)?;
    story.resolved()?;
    story.end().context("the end")
}
