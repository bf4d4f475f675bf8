//! The lab's faults again: judged without any privilege, and judged over IPv6.

mod lab;

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use lab::{
    Lab,
    exporter::{self, Exporter, Rights},
    fault::Fault,
    judge,
    numbers::{Numbers, Place},
};

fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_vxlan_exporter"))
}

fn by_pings(fault: &str) -> Result<()> {
    let fault = Fault::load(fault)?;
    let lab = Lab::raise(&Numbers::article(), &fault)?;
    let mut exporter = Exporter::start_with(&lab, binary(), Rights::Pings)?;
    let able = exporter.metrics()?.value("vxlan_exporter_capability", &[("name", "net_raw")]);
    ensure!(able == Some(0.0), "raw sockets all the same: {able:?}");
    let took = judge::watch(&lab, &mut exporter, &fault.expect.without_raw_sockets())?;
    println!("{}: judged rightly without privilege after {:.1} s", fault.name, took.as_secs_f64());
    Ok(())
}

fn by_ipv6(fault: &str) -> Result<()> {
    let fault = Fault::load(fault)?;
    let lab = Lab::raise(&Numbers::article(), &fault)?;
    exporter::write_config_over_ipv6(&lab)?;
    let mut exporter = Exporter::start(&lab, binary())?;
    let took = judge::watch(&lab, &mut exporter, &fault.expect)?;
    println!("{}: judged rightly over IPv6 after {:.1} s", fault.name, took.as_secs_f64());
    Ok(())
}

macro_rules! faults {
    ($level:ident $judged:ident: $($module:ident $name:literal)*) => {
        mod $level {
            $(#[test]
            fn $module() -> anyhow::Result<()> {
                super::$judged($name)
            })*
        }
    };
}

faults! { without_privilege by_pings:
    default_mtu "default-mtu"
    default_mtu_1500 "default-mtu-1500"
    forward_only "forward-only"
    healthy "healthy"
    jumbo "jumbo"
    loss_10 "loss-10"
    loss_20 "loss-20"
    outer_drop_forward "outer-drop-forward"
    reverse_only "reverse-only"
    two_bottlenecks "two-bottlenecks"
    underlay_down "underlay-down"
    vni_slip "vni-slip"
}

// default-mtu-1500 differs over IPv6: below.
faults! { over_ipv6 by_ipv6:
    default_mtu "default-mtu"
    forward_only "forward-only"
    healthy "healthy"
    jumbo "jumbo"
    loss_10 "loss-10"
    loss_20 "loss-20"
    outer_drop_forward "outer-drop-forward"
    reverse_only "reverse-only"
    two_bottlenecks "two-bottlenecks"
    underlay_down "underlay-down"
    vni_slip "vni-slip"
}

/// Sizes from 1451 to 1454 are signalled both ways. No router cuts a reply of IPv6, so the search for the edge teaches
/// the target that 1450 is all, and from then on it cuts its replies itself: its hole is no longer there for us.
#[test]
fn over_ipv6_the_edge_s_signals_teach_the_target() -> Result<()> {
    let lab = Lab::raise(&Numbers::article(), &Fault::load("default-mtu-1500")?)?;
    exporter::write_config_over_ipv6(&lab)?;
    let exporter = Exporter::start(&lab, binary())?;
    let begin = Instant::now();
    let node_a = lab.numbers.site_a.host_address_v6().to_string();
    loop {
        let metrics = exporter.metrics()?;
        let right = ["rancher", "node-b"].iter().all(|path| {
            let path = ("path", *path);
            let said = |name, direction| metrics.value(name, &[path, ("direction", direction)]);
            judge::verdict(&metrics, path.1) == "blackhole"
                && said("vxlan_path_blackhole", "forward") == Some(1.0)
                && said("vxlan_path_blackhole", "unknown") == Some(0.0)
                && said("vxlan_path_mtu_bytes", "forward") == Some(1450.0)
        });
        let route = lab.host(Place::Dc).output("ip", &["route", "get", &node_a])?;
        let route = String::from_utf8_lossy(&route.stdout).into_owned();
        if right && route.contains("mtu 1450") {
            return Ok(());
        }
        let about = metrics.about("path", "rancher");
        ensure!(
            begin.elapsed() < Duration::from_mins(1),
            "not within a minute; rancher's route to us: {route}\n{about}\n{}",
            exporter.log()
        );
        thread::sleep(Duration::from_millis(250));
    }
}
