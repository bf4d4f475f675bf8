//! Faults of the exporter's own host, on the real kernel: its interface, its firewall, its
//! scheduler. None of them is attributed to the network.

use std::{
    collections::BTreeSet,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use nix::sys::signal::Signal;

use vxlan_exporter::probe::{socket::PER_TURN, wire::Drained};

use lab::metrics::Metrics;

use super::{
    driver::{Driver, Level},
    forged::Forger,
    responder::{Manner, Responder},
    served::NOBODY,
    world::{CLOSED, Exporter, Ip, World},
};

fn count(metrics: &Metrics, name: &str) -> f64 {
    metrics.value(name, &[]).unwrap_or_default()
}

fn reason(metrics: &Metrics) -> Vec<String> {
    metrics.set("vxlan_path_unknown_reason", &[], "reason")
}

fn verdict(metrics: &Metrics) -> Vec<String> {
    metrics.set("vxlan_path_verdict", &[], "verdict")
}

fn is_ok(metrics: &Metrics) -> bool {
    verdict(metrics) == ["ok"]
}

/// The verdicts and reasons that it reports during this time.
fn said(exporter: &Exporter, lasts: Duration) -> BTreeSet<String> {
    let end = Instant::now() + lasts;
    let mut said = BTreeSet::new();
    while Instant::now() < end {
        if let Ok(metrics) = exporter.metrics() {
            said.extend(verdict(&metrics).into_iter().chain(reason(&metrics)));
        }
        thread::sleep(Duration::from_millis(100));
    }
    said
}

/// All requests are accounted for, and none counts as lost.
fn nothing_lost(metrics: &Metrics, exporter: &Exporter) -> Result<()> {
    let all = ["requests", "replies", "lost", "void"];
    let [requests, replies, lost, void] =
        all.map(|what| count(metrics, &format!("vxlan_path_echo_{what}_total")));
    let in_flight = requests - replies - lost - void;
    ensure!(lost == 0.0, "{lost} lost of {requests}, {void} void\n{}", exporter.log());
    ensure!((0.0..=6.0).contains(&in_flight), "{requests} = {replies} + {lost} + {void} + {in_flight}?");
    Ok(())
}

/// Takes the interface down four times for 2 s, then once for 12 s, by `set(up)`; an outage of the
/// network would be reported as `lossy` and `unreachable`.
fn interface(ip: Ip, wrapped: &[&str], set: impl Fn(&World, bool) -> Result<()>) -> Result<()> {
    let world = World::raise()?;
    world.here.sysctl("net/ipv6/conf/eth0/keep_addr_on_down", "1")?;
    world.here.sysctl("net/ipv4/ping_group_range", "65534 65534")?;
    let exporter = world.serve(ip, Some(CLOSED), wrapped)?;
    exporter.wait_for("ok", is_ok)?;
    let mut all = BTreeSet::new();
    for seconds in [2, 2, 2, 2, 12] {
        set(&world, false)?;
        all.extend(said(&exporter, Duration::from_secs(seconds)));
        if seconds > 2 {
            let metrics = exporter.wait_for("told", |metrics| reason(metrics) == ["local_down"])?;
            ensure!(
                metrics.value("vxlan_path_mtu_bytes", &[]).is_none(),
                "an MTU of a path that nobody sees"
            );
        }
        set(&world, true)?;
        all.extend(said(&exporter, Duration::from_secs(3)));
    }
    let metrics = exporter.wait_for("ok again", is_ok)?;
    // On a busy machine a send finds the queue full (ENOBUFS) before the kernel has reported that
    // the carrier is gone.
    let allowed = ["ok", "unknown", "local_down", "local_send", "starting"].map(str::to_owned);
    ensure!(all.is_subset(&BTreeSet::from(allowed)), "{all:?}\n{}", exporter.log());
    nothing_lost(&metrics, &exporter)?;
    let refused = metrics.value("vxlan_path_send_errors_total", &[("reason", "local_down")]);
    ensure!(refused > Some(5.0) && count(&metrics, "vxlan_path_echo_void_total") > 5.0, "{refused:?}");
    Ok(())
}

fn set_down(world: &World, up: bool) -> Result<()> {
    if !up {
        return world.here.ip("link set eth0 down");
    }
    world.here.ip("link set eth0 up")?;
    for ip in Ip::BOTH {
        world.here.ip(&format!("route replace default via {}", ip.way()))?;
    }
    Ok(())
}

fn unplug(world: &World, up: bool) -> Result<()> {
    world.way.ip(if up { "link set near up" } else { "link set near down" })?;
    let address = Ip::V6.way();
    // A real router keeps its addresses.
    if up { world.way.ip(&format!("addr replace {address}/64 dev near nodad")) } else { Ok(()) }
}

#[test]
fn set_down_v4() -> Result<()> {
    interface(Ip::V4, &[], set_down)
}

#[test]
fn set_down_v6_unprivileged() -> Result<()> {
    interface(Ip::V6, NOBODY, set_down)
}

#[test]
fn unplugged_v4_unprivileged() -> Result<()> {
    interface(Ip::V4, NOBODY, unplug)
}

#[test]
fn unplugged_v6() -> Result<()> {
    interface(Ip::V6, &[], unplug)
}

/// A firewall of this host drops every outgoing ping.
#[test]
fn a_local_firewall_is_not_the_network() -> Result<()> {
    let world = World::raise()?;
    let chain = "add table inet own; add chain inet own output { type filter hook output priority 0; }";
    let rules = "add rule inet own output icmp type echo-request drop; \
                 add rule inet own output icmpv6 type echo-request drop";
    for ip in Ip::BOTH {
        let exporter = world.serve(ip, None, &[])?;
        exporter.wait_for("ok", is_ok)?;
        world.here.run("nft", &[&format!("{chain}; {rules}")])?;
        exporter.wait_for("refused", |metrics| reason(metrics) == ["local_send"])?;
        let seen = said(&exporter, Duration::from_secs(8));
        ensure!(seen == BTreeSet::from(["unknown", "local_send"].map(str::to_owned)), "{seen:?}");
        ensure!(exporter.log().contains("EPERM: Operation not permitted"), "{}", exporter.log());
        world.here.run("nft", &["delete table inet own"])?;
        let metrics = exporter.wait_for("ok again", is_ok)?;
        nothing_lost(&metrics, &exporter)?;
        let refused = metrics.value("vxlan_path_send_errors_total", &[("reason", "local_send")]);
        ensure!(refused > Some(5.0), "{refused:?}");
    }
    Ok(())
}

/// A host on our own network that no longer answers ARP or neighbour discovery is gone, whatever
/// our own kernel says about it.
#[test]
fn a_dead_neighbour_is_unreachable() -> Result<()> {
    for wrapped in [&[], NOBODY] {
        let world = World::raise()?;
        world.here.sysctl("net/ipv4/ping_group_range", "65534 65534")?;
        let exporter = world.serve_to(Ip::V4.way(), None, wrapped)?;
        exporter.wait_for("ok", is_ok)?;
        world.way.ip("link set near arp off")?;
        world.way.ip(&format!("addr del {}/24 dev near", Ip::V4.way()))?;
        world.here.ip("neigh flush dev eth0")?;
        let metrics = exporter.wait_for("gone", |metrics| verdict(metrics) == ["unreachable"])?;
        let refused: f64 = metrics.all("vxlan_path_send_errors_total", &[]).map(|series| series.value).sum();
        ensure!(refused == 0.0, "{refused} packets were called refused");
    }
    Ok(())
}

/// Stopped for 6 s four times, with answers on their way each time.
#[test]
fn a_stopped_process_has_lost_nothing() -> Result<()> {
    for (ip, wrapped) in [(Ip::V4, &[][..]), (Ip::V6, NOBODY)] {
        let world = World::raise()?;
        world.here.sysctl("net/ipv4/ping_group_range", "65534 65534")?;
        let manner = Manner { delay: Duration::from_millis(60), ..Manner::default() };
        let _responder = Responder::start(&world, ip, manner)?;
        let exporter = world.serve(ip, Some(CLOSED), wrapped)?;
        exporter.wait_for("ok", is_ok)?;
        let mut all = BTreeSet::new();
        for turn in 0..4 {
            exporter.signal(Signal::SIGSTOP)?;
            thread::sleep(Duration::from_secs(6));
            exporter.signal(Signal::SIGCONT)?;
            // At another moment between two echoes each time.
            all.extend(said(&exporter, Duration::from_millis(2000 + 130 * turn)));
        }
        all.extend(said(&exporter, Duration::from_secs(6)));
        // Until it has probed again, its data are too old.
        let allowed = BTreeSet::from(["ok", "unknown", "stale"].map(str::to_owned));
        ensure!(all.is_subset(&allowed), "{all:?}\n{}", exporter.log());
        let metrics = exporter.metrics()?;
        nothing_lost(&metrics, &exporter)?;
        let slow = metrics.value("vxlan_path_rtt_seconds_bucket", &[("le", "0.25")]);
        let rtts = metrics.value("vxlan_path_rtt_seconds_count", &[]);
        ensure!(slow == rtts, "{slow:?} of {rtts:?} round trips within 0.25 s: a stop was measured");
        ensure!(
            metrics.value("vxlan_exporter_overloaded", &[]) == Some(1.0),
            "it does not say that it was late"
        );
        let late = |le| metrics.value("vxlan_exporter_late_seconds_bucket", &[("le", le)]);
        ensure!(
            late("+Inf") >= late("1").map(|count| count + 4.0),
            "four echoes left more than a second late"
        );
    }
    Ok(())
}

/// ICMP errors of all kinds that quote an echo, each before its reply: ping loses no echo by them,
/// and neither do we.
#[test]
fn no_icmp_error_is_the_end_of_an_echo() -> Result<()> {
    let gateway = [10, 99, 1, 1];
    let none = [0; 4];
    let v4 = vec![
        (5, 0, gateway),
        (5, 1, gateway),
        (4, 0, none),
        (11, 0, none),
        (11, 1, none),
        (12, 0, none),
        (3, 0, none),
        (3, 1, none),
        (3, 2, none),
        (3, 3, none),
        (3, 9, none),
        (3, 13, none),
    ];
    let v6 = vec![
        (1, 0, none),
        (1, 1, none),
        (1, 3, none),
        (1, 4, none),
        (3, 0, none),
        (3, 1, none),
        (4, 0, none),
    ];
    for (ip, errors, wrapped) in [(Ip::V4, &v4, &[][..]), (Ip::V6, &v6, &[]), (Ip::V4, &v4, NOBODY)] {
        let world = World::raise()?;
        world.here.sysctl("net/ipv4/ping_group_range", "65534 65534")?;
        let manner = Manner { delay: Duration::from_millis(40), errors: errors.clone(), ..Manner::default() };
        let _responder = Responder::start(&world, ip, manner)?;
        let exporter = world.serve(ip, None, wrapped)?;
        exporter.wait_for("ok", is_ok)?;
        let seen = said(&exporter, Duration::from_secs(12));
        ensure!(
            seen == BTreeSet::from(["ok".to_owned()]),
            "{ip:?} {wrapped:?}: {seen:?}\n{}",
            exporter.log()
        );
        let metrics = exporter.metrics()?;
        nothing_lost(&metrics, &exporter)?;
        let refused: f64 = metrics.all("vxlan_path_send_errors_total", &[]).map(|series| series.value).sum();
        ensure!(refused == 0.0, "{refused} packets were called refused");
        ensure!(count(&metrics, "vxlan_path_echo_void_total") == 0.0, "{ip:?}");
    }
    Ok(())
}

/// The target answers one echo a second, and three paths probe it.
#[test]
fn a_target_that_rations_its_echoes_is_there() -> Result<()> {
    let world = World::raise()?;
    let manner = Manner { every: Some(Duration::from_secs(1)), ..Manner::default() };
    let _responder = Responder::start(&world, Ip::V4, manner)?;
    let exporter = world.serve_paths(&[Ip::V4.there(); 3], None, &[])?;
    let seen = said(&exporter, Duration::from_secs(90));
    ensure!(!seen.contains("unreachable") && !seen.contains("lossy"), "{seen:?}\n{}", exporter.log());
    Ok(())
}

/// A flood does not hold up everything else: a limited number of packets is read at a time, and the
/// result says whether more are waiting or were dropped.
#[test]
fn a_flood_is_read_in_turns() -> Result<()> {
    let world = World::raise()?;
    let forger = Forger::open(&world, Ip::V4)?;
    world.probe(|| async move {
        let mut driver = Driver::open(Level::Raw, Ip::V4, CLOSED).await?;
        let quoted = [8, 0, 0, 0, 0, 0, 0, 0];
        let mut flood = |packets: usize| -> Result<Vec<(Drained, usize)>> {
            for _ in 0..packets {
                forger.signal(Ip::V4.there(), 1, &quoted, 1290)?;
            }
            let mut turns = Vec::new();
            while turns.last().is_none_or(|(drained, _): &(Drained, usize)| !drained.all) {
                let mut read = 0;
                let drained = driver.wire.drain(&mut |_, _| read += 1);
                ensure!(read <= PER_TURN && turns.len() < 1000, "{read} at a time, {} times", turns.len());
                turns.push((drained, read));
            }
            Ok(turns)
        };
        let few = flood(200)?;
        ensure!(few.len() == 1 && few[0].0.dropped == 0 && few[0].1 == 200, "{few:?}");
        let many = flood(40_000)?;
        ensure!(many.len() > 1, "{many:?}");
        let dropped: usize = many.iter().map(|(drained, _)| drained.dropped as usize).sum();
        let read: usize = many.iter().map(|(_, read)| read).sum();
        ensure!(dropped + read == 40_000, "{read} of 40,000 read, {dropped} told to be dropped");
        ensure!(flood(200)?[0].0.dropped == 0, "told once");
        Ok(())
    })
}
