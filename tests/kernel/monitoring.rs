//! From a fault in an overlay to the message at a webhook and back: the exporter as the chart
//! configures it, a real Prometheus with the chart's rules, a real Alertmanager with Rancher's
//! routes. Each story lists all alerts; if another one fires at any time, the test fails.

mod chart;
mod operator;
mod stack;
mod story;

use std::{fs::File, process::Command};

use anyhow::{Context, Result, ensure};

use chart::Choices;
use lab::{
    dashboards, exporter,
    fault::Fault,
    numbers::{End, Place},
};
use story::{Expected, Story};

/// What the alerts for a hole of 1450 over an underlay of 1600 must contain.
const HOLE: [&str; 2] =
    ["in direction forward reverse;", "Path MTU: forward 1454, reverse 1454, expected 1500 bytes."];
/// What they must contain with ping sockets: the direction is unknown, and a full-size reply may be
/// cut on its way to a pod.
const HOLE_BY_PINGS: [&str; 2] = ["in direction unknown;", "expected 1500 bytes."];

/// The hole on both paths from site A, with the commands in order.
fn holes_from_site_a(says: &'static [&'static str]) -> [Expected<'static>; 2] {
    [
        Expected {
            key: "VxlanMtuBlackHole path=rancher severity=critical source=site-a",
            says,
            commands: &[
                "dc: set interfaces vxlan vxlan01 mtu 1500",
                "site-a: set interfaces vxlan vxlan01 mtu 1500",
            ],
        },
        Expected {
            key: "VxlanMtuBlackHole path=node-b severity=critical source=site-a",
            says,
            commands: &[
                "site-b: set interfaces vxlan vxlan02 mtu 1500",
                "dc: set interfaces vxlan vxlan02 mtu 1500",
                "dc: set interfaces vxlan vxlan01 mtu 1500",
                "site-a: set interfaces vxlan vxlan01 mtu 1500",
            ],
        },
    ]
}

#[test]
fn all_is_well_then_the_article_s_failure_the_slip_and_a_dead_tunnel() -> Result<()> {
    let mut story = Story::begin(&Fault::load("healthy")?, Choices::default())?;
    story.all_is_well()?;
    metrics_are_well_formed(&mut story)?;
    every_panel_shows_something(&mut story)?;
    story.all_is_quiet()?;

    for end in End::ALL {
        story.lab.set_vxlan_mtu(end, 1450)?;
    }
    let commands = story.alerted(&holes_from_site_a(&HOLE))?;
    the_incident_is_in_the_picture(&mut story)?;
    story.mend(&commands)?;

    story.lab.change(End::BToDc, |device| device.vni = 1)?;
    let commands = story.alerted(&[Expected {
        key: "VxlanVniMismatch severity=critical tunnel=dc/vxlan02~site-b/vxlan02",
        says: &["dc/vxlan02: vni 2, remote 10.10.20.254", "site-b/vxlan02: vni 1, remote 10.10.0.254"],
        commands: &["site-b: set interfaces vxlan vxlan02 vni 2"],
    }])?;
    story.mend(&commands)?;

    story.lab.change(End::DcToA, |device| device.up = false)?;
    let commands = story.alerted(&[Expected {
        key: "VxlanTunnelDown severity=critical tunnel=dc/vxlan01~site-a/vxlan01",
        says: &["An end is admin down", "site-a/vxlan01 sends", "dc/vxlan01 receives"],
        commands: &["dc: delete interfaces vxlan vxlan01 disable"],
    }])?;
    story.mend(&commands)?;
    story.end()
}

fn metrics_are_well_formed(story: &mut Story) -> Result<()> {
    let file = story.lab.directory().join("metrics.txt");
    std::fs::write(&file, story.exporter()?.get("/metrics")?)?;
    let mut promtool = Command::new("promtool");
    let done = promtool.args(["check", "metrics"]).stdin(File::open(&file)?).output()?;
    let said = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success() && said.is_empty(), "promtool check metrics: {said}");

    std::fs::write(&file, story.exporter()?.get_as("/metrics", "application/openmetrics-text")?)?;
    let mut python = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/target/tools/python/bin/python3"));
    let done = python
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/openmetrics.py"))
        .stdin(File::open(&file)?)
        .output()?;
    let (types, said) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    ensure!(done.status.success() && types.contains("counter="), "OpenMetrics: {types}{said}");

    // Only OpenMetrics tells units: that is what Prometheus asks for. When counters began is not
    // stored.
    let known = story.monitoring.metadata("vxlan_path_rtt_seconds")?;
    ensure!(known["unit"] == "seconds" && known["type"] == "histogram", "{known}");
    let created = story.monitoring.query("{__name__=~\".+_created\"}")?;
    ensure!(created.is_empty(), "{created:#?}");
    Ok(())
}

/// Grafana makes `$__rate_interval` four times the scrape interval.
const RATE_INTERVAL: &str = "4s";

fn every_panel_shows_something(story: &mut Story) -> Result<()> {
    let may_be_empty = dashboards::legitimately_empty()?;
    for query in dashboards::queries(RATE_INTERVAL)? {
        if !query.may_be_empty(&may_be_empty) {
            story.shows(&query)?;
        }
    }
    Ok(())
}

/// Panels that are empty for a healthy overlay are not during a black hole.
fn the_incident_is_in_the_picture(story: &mut Story) -> Result<()> {
    let wanted = [("Black holes", "B"), ("What to type", "A"), ("Alerts firing", "A")];
    let queries = dashboards::queries(RATE_INTERVAL)?;
    for (panel, id) in wanted {
        let query = queries.iter().find(|query| {
            (query.dashboard.as_str(), &*query.panel, &*query.id) == ("vxlan-overlay", panel, id)
        });
        story.shows(query.with_context(|| format!("no query {id} of panel {panel}"))?)?;
    }
    Ok(())
}

/// A Prometheus that takes native histograms asks for the protobuf form, and stores no coarse buckets.
#[test]
fn round_trips_in_native_histograms() -> Result<()> {
    let choices = Choices { native: true, ..Choices::default() };
    let mut story = Story::begin(&Fault::load("healthy")?, choices)?;
    story.all_is_well()?;
    let fine = "histogram_count(vxlan_path_rtt_seconds) > 3";
    story.wait_for("native histograms of two paths", fine, 2)?;
    let coarse = story.monitoring.query("vxlan_path_rtt_seconds_bucket")?;
    ensure!(coarse.is_empty(), "{coarse:#?}");
    let median = "histogram_quantile(0.5, sum by (path) (rate(vxlan_path_rtt_seconds[30s])))";
    let between = format!("{median} > 0.000001 < 1");
    story.wait_for("a median of each", &between, 2)?;
    let sum = "rate(vxlan_path_rtt_seconds[30s])";
    let mean = format!("histogram_sum({sum}) / histogram_count({sum}) > 0.000001 < 1");
    story.wait_for("a mean of each", &mean, 2)?;
    // The alerts' own quantiles are made of them too.
    for quantile in ["p50", "p99"] {
        let recorded = format!("path:vxlan_path_rtt_seconds:{quantile}_rate5m > 0.000001 < 1");
        story.wait_for("what the rules record", &recorded, 2)?;
    }
    story.all_is_quiet()?;
    story.end()
}

#[test]
fn a_tunnel_that_loses_packets() -> Result<()> {
    let mut story = Story::begin(&Fault::load("loss-20")?, Choices { loss: true, ..Choices::default() })?;
    story.alerted(&[Expected {
        key: "VxlanTunnelLoss from=dc/vxlan01 severity=warning to=site-a/vxlan01 tunnel=dc/vxlan01~site-a/vxlan01",
        says: &["of what dc/vxlan01 sent did not arrive at site-a/vxlan01", "dc/vxlan01 sends"],
        // No router setting causes random loss.
        commands: &[],
    }])?;
    story.lab.core().run("nft", &["delete", "table", "ip", "lab"])?;
    story.resolved()?;
    story.end()
}

/// A hole in the underlay of one leg, which no router setting shows: the message and the panel have
/// what the routers' own pings say of each leg.
#[test]
fn a_hole_in_the_underlay_of_one_leg() -> Result<()> {
    let mut story = Story::begin(&Fault::load("underlay-silent")?, Choices::default())?;
    story.alerted(&[Expected {
        key: "VxlanMtuBlackHole path=node-b severity=critical source=site-a",
        says: &[
            "in direction forward reverse;",
            "Path MTU: forward 1428",
            "The underlay by the routers' own pings:",
            " dc/vxlan01 to site-a/vxlan01 1550 bytes;",
            " dc/vxlan02 to site-b/vxlan02 1478 bytes;",
            " site-b/vxlan02 to dc/vxlan02 1478 bytes;",
        ],
        // Whoever runs the underlay must act; no router setting does.
        commands: &[],
    }])?;
    let queries = dashboards::queries(RATE_INTERVAL)?;
    let of_legs = queries.iter().filter(|query| query.panel.starts_with("Underlay"));
    ensure!(of_legs.clone().count() >= 3, "no panels of the underlay");
    of_legs.into_iter().try_for_each(|query| story.shows(query))?;
    story.lab.core().run("nft", &["delete", "table", "ip", "lab"])?;
    story.resolved()?;
    story.end()
}

#[test]
fn an_exporter_that_dies_and_one_that_is_removed() -> Result<()> {
    let mut story = Story::begin(&Fault::load("healthy")?, Choices::default())?;
    story.all_is_well()?;
    story.exporter = None;
    story.alerted(&[Expected {
        key: "VxlanExporterDown container=exporter endpoint=metrics instance=172.31.255.100:14789 \
              job=vxlan-exporter pod=vxlan-exporter-0 service=vxlan-exporter severity=critical",
        says: &["no answer from 172.31.255.100:14789"],
        commands: &[],
    }])?;
    story.monitoring.pod_is_there(false)?;
    story.alerted(&[Expected {
        key: "VxlanExporterAbsent job=vxlan-exporter severity=critical",
        says: &["No target has job=\"vxlan-exporter\""],
        commands: &[],
    }])?;
    story.start_exporter()?;
    story.monitoring.pod_is_there(true)?;
    story.resolved()?;
    story.end()
}

fn from_a_pod(mtu: u32) -> Result<Story> {
    let mut fault = Fault::load("default-mtu")?;
    fault.pod_mtu = Some(mtu);
    Story::begin(&fault, Choices { pod: true, ..Choices::default() })
}

/// The article's failure from a pod with an MTU of 1480, as with IPIP: large enough to see the
/// hole.
#[test]
fn from_a_pod_of_1480() -> Result<()> {
    let mut story = from_a_pod(1480)?;
    let commands = story.alerted(&holes_from_site_a(&HOLE_BY_PINGS))?;
    story.mend(&commands)?;
    story.end()
}

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
                "has mtu 1450; other ports of its bridge br01 have more: eth1 1500",
                concat!("The other end: ", $other),
            ],
            commands: &[concat!($router, ": set interfaces vxlan ", $interface, " mtu 1500")],
        }
    };
}

/// From a pod with an MTU of 1450, as with VXLAN, the hole cannot be seen. Router data show it all
/// the same.
#[test]
fn from_a_pod_of_1450() -> Result<()> {
    let mut story = from_a_pod(1450)?;
    let commands = story.alerted(&[
        below_bridge_port!("dc", "vxlan01", "site-a/vxlan01"),
        below_bridge_port!("dc", "vxlan02", "site-b/vxlan02"),
        below_bridge_port!("site-a", "vxlan01", "dc/vxlan01"),
        below_bridge_port!("site-b", "vxlan02", "dc/vxlan02"),
    ])?;
    story.wait_for("why it is unknown", "vxlan_path_unknown_reason{reason=\"local_limit\"} == 1", 2)?;
    let done = exporter::check(&story.lab, crate::binary(), &[])?;
    let said = String::from_utf8_lossy(&done.stdout);
    for words in [
        "path node-b: unknown (local_limit)",
        "path rancher: unknown (local_limit)",
        "site-a/vxlan01 mtu 1450 < its bridge port eth1 mtu 1500: the bridge drops larger frames silently",
    ] {
        ensure!(said.contains(words), "check does not say {words:?}: {said}");
    }
    story.mend(&commands)?;
    let ok = story.monitoring.query("max_over_time(vxlan_path_verdict{verdict=\"ok\"}[1h]) == 1")?;
    ensure!(ok.is_empty(), "proven by nothing: {ok:?}");
    story.end()
}

/// The article's failure as seen by an exporter on the DC's host, outside the cluster.
#[test]
fn from_a_machine_of_the_data_centre() -> Result<()> {
    let mut fault = Fault::load("default-mtu")?;
    fault.exporter_at = Place::Dc;
    let mut story = Story::begin(&fault, Choices { outside: true, ..Choices::default() })?;
    let commands = story.alerted(&[
        Expected {
            key: "VxlanMtuBlackHole path=node-a severity=critical source=dc",
            says: &HOLE,
            commands: &[
                "site-a: set interfaces vxlan vxlan01 mtu 1500",
                "dc: set interfaces vxlan vxlan01 mtu 1500",
            ],
        },
        Expected {
            key: "VxlanMtuBlackHole path=node-b severity=critical source=dc",
            says: &HOLE,
            commands: &[
                "site-b: set interfaces vxlan vxlan02 mtu 1500",
                "dc: set interfaces vxlan vxlan02 mtu 1500",
            ],
        },
    ])?;
    story.mend(&commands)?;
    story.end()
}
