//! The exporter itself, at both levels and over both families: holes, signals and directions.

use anyhow::{Result, ensure};

use lab::metrics::Metrics;

use super::{
    driver::Level,
    leaves_none,
    world::{CLOSED, Exporter, Ip, World},
};

/// A user without any privilege.
pub const NOBODY: &[&str] = &[
    "setpriv",
    "--reuid=65534",
    "--regid=65534",
    "--clear-groups",
    "--bounding-set=-all",
    "--inh-caps=-all",
];

fn is(metrics: &Metrics, verdict: &str, directions: &[&str]) -> bool {
    metrics.set("vxlan_path_verdict", &[], "verdict") == [verdict]
        && metrics.set("vxlan_path_blackhole", &[], "direction") == directions
}

fn mtu(metrics: &Metrics, direction: &str) -> Option<f64> {
    metrics.value("vxlan_path_mtu_bytes", &[("direction", direction)])
}

fn able(metrics: &Metrics, name: &str) -> bool {
    metrics.value("vxlan_exporter_capability", &[("name", name)]) == Some(1.0)
}

fn with_raw_sockets(ip: Ip) -> Result<()> {
    let world = World::raise()?;
    let exporter = world.serve(ip, Some(CLOSED), &[])?;
    let metrics = exporter.wait_for("ok", |metrics| is(metrics, "ok", &[]))?;
    for name in ["icmp_socket", "net_raw", "tcp_syn", "fragments"] {
        ensure!(able(&metrics, name), "{name}: {}", exporter.log());
    }
    world.hole("far", 1400)?;
    exporter.wait_for("a hole forward", |metrics| {
        is(metrics, "blackhole", &["forward"]) && mtu(metrics, "forward") == Some(1400.0)
    })?;
    world.mend()?;
    exporter.wait_for("mended", |metrics| is(metrics, "ok", &[]))?;
    world.hole("near", 1400)?;
    exporter.wait_for("a hole reverse", |metrics| {
        is(metrics, "blackhole", &["reverse"]) && mtu(metrics, "reverse") == Some(1400.0)
    })?;
    world.mend()?;
    exporter.wait_for("mended again", |metrics| is(metrics, "ok", &[]))?;
    reduced_and_mended(&world, &exporter, ip, leaves_none(ip, Level::Raw))?;
    exporter.wait_for("a hole under what is remembered", |metrics| {
        is(metrics, "blackhole", &["forward"]) && mtu(metrics, "forward") == Some(1300.0)
    })?;
    Ok(())
}

/// Whatever our own probes have left in the kernel's cache hides neither that a path is mended nor
/// a hole that follows.
fn reduced_and_mended(world: &World, exporter: &Exporter, ip: Ip, leaves_none: bool) -> Result<()> {
    world.narrow(ip, "far", Some(1400))?;
    exporter.wait_for("a signal", |metrics| {
        is(metrics, "reduced", &[]) && mtu(metrics, "forward") == Some(1400.0)
    })?;
    if leaves_none {
        let cached = world.cached(ip)?;
        ensure!(cached.is_none(), "{ip:?}: the kernel has cached {cached:?}");
    } else {
        // A signal may be known before one has come that the kernel stores.
        exporter
            .wait_for("a path MTU in the kernel's cache", |_| world.cached(ip).ok() == Some(Some(1400)))?;
    }
    world.narrow(ip, "far", None)?;
    exporter.wait_for("mended although it may be cached", |metrics| is(metrics, "ok", &[]))?;
    world.hole("far", 1300)
}

fn without_any_privilege(ip: Ip) -> Result<()> {
    let world = World::raise()?;
    world.here.sysctl("net/ipv4/ping_group_range", "65534 65534")?;
    let exporter = world.serve(ip, Some(CLOSED), NOBODY)?;
    let metrics = exporter.wait_for("ok", |metrics| is(metrics, "ok", &[]))?;
    ensure!(able(&metrics, "icmp_socket"), "{}", exporter.log());
    for name in ["net_raw", "tcp_syn", "fragments"] {
        ensure!(!able(&metrics, name), "{name}");
    }
    ensure!(exporter.log().contains("setcap cap_net_raw+p"), "{}", exporter.log());
    world.hole("far", 1400)?;
    exporter.wait_for("a hole", |metrics| {
        is(metrics, "blackhole", &["unknown"]) && mtu(metrics, "forward") == Some(1400.0)
    })?;
    world.mend()?;
    exporter.wait_for("mended", |metrics| is(metrics, "ok", &[]))?;
    reduced_and_mended(&world, &exporter, ip, leaves_none(ip, Level::Unprivileged))?;
    exporter.wait_for("a hole under what is remembered", |metrics| {
        is(metrics, "blackhole", &["unknown"]) && mtu(metrics, "forward") == Some(1300.0)
    })?;
    Ok(())
}

#[test]
fn raw_v4() -> Result<()> {
    with_raw_sockets(Ip::V4)
}

#[test]
fn raw_v6() -> Result<()> {
    with_raw_sockets(Ip::V6)
}

#[test]
fn unprivileged_v4() -> Result<()> {
    without_any_privilege(Ip::V4)
}

#[test]
fn unprivileged_v6() -> Result<()> {
    without_any_privilege(Ip::V6)
}

/// Without even ping sockets it says so, and invents nothing.
#[test]
fn without_any_icmp_socket() -> Result<()> {
    let world = World::raise()?;
    for port in [None, Some(CLOSED)] {
        let exporter = world.serve(Ip::V4, port, NOBODY)?;
        let told = |metrics: &Metrics| {
            is(metrics, "unknown", &[])
                && metrics.set("vxlan_path_unknown_reason", &[], "reason") == ["no_proof"]
        };
        let metrics = exporter.wait_for("unknown", told)?;
        ensure!(!able(&metrics, "icmp_socket"));
        ensure!(exporter.log().contains("net.ipv4.ping_group_range"), "{}", exporter.log());
        // Long enough for a burst that would report `unreachable`.
        std::thread::sleep(std::time::Duration::from_secs(5));
        ensure!(told(&exporter.metrics()?), "{port:?}\n{}", exporter.log());
    }
    Ok(())
}
