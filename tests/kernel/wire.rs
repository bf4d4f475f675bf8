//! Our packets on the real kernel, in small networks of their own: what is built, what is believed,
//! both levels of privilege, both families.

mod clock;
mod driver;
mod flows;
mod forged;
mod kernel;
mod overload;
mod own;
mod responder;
mod served;
mod world;

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use vxlan_exporter::path::probe::{Answer, ProbeMethod};

use vxlan_exporter::probe::{egress::Routes, wire::MissingCapabilities};

use driver::{Driver, Level};
use world::{CLOSED, Ip, OPEN, World};

/// Whether signals that quote our packets leave no path MTU in the kernel. For `ICMPv6` the kernel
/// always takes it over, whatever the socket, and a ping socket sends with DF only while it takes
/// them over.
fn leaves_none(ip: Ip, level: Level) -> bool {
    ip == Ip::V4 && level == Level::Raw
}

/// Permits ping sockets to every group.
fn allow_pings(world: &World) -> Result<()> {
    world.here.sysctl("net/ipv4/ping_group_range", "0 2147483647")
}

#[test]
fn every_lane_is_answered_in_both_families() -> Result<()> {
    let world = World::raise()?;
    for ip in Ip::BOTH {
        world.probe(|| async move {
            for (port, reset) in [(OPEN, false), (CLOSED, true)] {
                let mut driver = Driver::open(Level::Raw, ip, port).await?;
                ensure!(
                    driver.wire.missing() == MissingCapabilities::default(),
                    "{:?}",
                    driver.wire.missing()
                );
                for size in [200, 1280, 1500] {
                    for method in [ProbeMethod::Echo, ProbeMethod::Fragments] {
                        let id = driver.send(method, 0, size)?;
                        let reply = driver.passes(id).await?;
                        ensure!(reply.ttl == Some(63), "{ip:?} {method:?} {size}: {reply:?}");
                    }
                    for flow in 0..8 {
                        let id = driver.send(ProbeMethod::Syn, flow, size)?;
                        let reply = driver.passes(id).await?;
                        let header = u16::try_from(ip.header())?;
                        let mss = (!reset).then_some(1500 - 20 - header);
                        ensure!(
                            (reply.ttl, reply.reset, reply.mss) == (Some(63), Some(reset), mss),
                            "{ip:?} {size}: {reply:?}"
                        );
                    }
                }
                let id = driver.knock(3)?;
                driver.passes(id).await?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Packets to neighbours that do not answer fill the send buffer of their socket. Before there were
/// two sockets, 100 of them made every further packet be refused, whatever its target.
#[test]
fn dead_neighbours_hold_up_nobody() -> Result<()> {
    let world = World::raise()?;
    for ip in Ip::BOTH {
        world.probe(|| async move {
            let mut driver = Driver::open(Level::Raw, ip, CLOSED).await?;
            for method in [ProbeMethod::Echo, ProbeMethod::Fragments, ProbeMethod::Syn] {
                let id = driver.send(method, 0, 1500)?;
                driver.passes(id).await?;
                let hosts = (10..250).cycle().take(240 * 8);
                let refused =
                    hosts.filter(|host| driver.send_to(ip.neighbour(*host), method, 1500).is_err()).count();
                ensure!(refused > 0, "{ip:?} {method:?}: their buffer is not full, this proves nothing");
                let id = driver.send(method, 1, 1500)?;
                driver.passes(id).await?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn without_privilege_echoes_and_connections_are_answered() -> Result<()> {
    let world = World::raise()?;
    allow_pings(&world)?;
    for ip in Ip::BOTH {
        world.probe(|| async move {
            for (port, reset) in [(OPEN, false), (CLOSED, true)] {
                let mut driver = Driver::open(Level::Unprivileged, ip, port).await?;
                ensure!(driver.wire.missing().icmp_socket.is_none(), "{:?}", driver.wire.missing());
                for size in [200, 1280, 1500] {
                    let id = driver.send(ProbeMethod::Echo, 0, size)?;
                    let reply = driver.passes(id).await?;
                    ensure!(reply.ttl == Some(63), "{ip:?} {size}: {reply:?}");
                }
                let id = driver.knock(0)?;
                let reply = driver.passes(id).await?;
                ensure!(reply.reset == Some(reset), "{ip:?} {port}: {reply:?}");
                ensure!(driver.send(ProbeMethod::Fragments, 0, 1500).is_err());
                ensure!(driver.send(ProbeMethod::Syn, 0, 1500).is_err());
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// The kernel would repeat the SYN, and an answer to the copy hides a loss.
#[test]
fn a_connection_is_one_syn() -> Result<()> {
    let world = World::raise()?;
    forged::mute(&world)?;
    for ip in Ip::BOTH {
        let tap = forged::Tap::open(&world, ip, 6)?;
        let answers = world.probe(|| async move {
            let mut driver = Driver::open(Level::Unprivileged, ip, CLOSED).await?;
            driver.knock(0)?;
            Ok(driver.answers(1, Duration::from_millis(2500)).await)
        })?;
        ensure!(answers.is_empty(), "{answers:?}");
        tap.next(|_| true)?;
        ensure!(tap.is_empty()?, "{ip:?}: a second SYN");
    }
    Ok(())
}

#[test]
fn over_ipv6_a_link_may_be_narrower() -> Result<()> {
    let world = World::raise()?;
    for (ip, mtu) in [(Ip::V4, 1500), (Ip::V6, 1400)] {
        world::wait_for("the link's MTU", || {
            // A link that has just come up takes over its device's MTU once more (addrconf_notify).
            world.here.sysctl("net/ipv6/conf/eth0/mtu", "1400")?;
            let egress = world.probe(|| async move { Routes::open()?.to(ip.there()).await })?;
            ensure!(egress.source == ip.here(), "{egress:?}");
            Ok(egress.mtu == mtu)
        })?;
    }
    Ok(())
}

/// Signals, the cache entries they leave, and packets that ignore these.
#[test]
fn a_cached_path_mtu_decides_nothing() -> Result<()> {
    let world = World::raise()?;
    allow_pings(&world)?;
    for (ip, level) in Ip::BOTH.into_iter().flat_map(|ip| Level::BOTH.map(|level| (ip, level))) {
        let methods: &[ProbeMethod] =
            if level == Level::Raw { &[ProbeMethod::Echo, ProbeMethod::Syn] } else { &[ProbeMethod::Echo] };
        world.narrow(ip, "far", Some(1400))?;
        world.probe(|| async move {
            let mut driver = Driver::open(level, ip, CLOSED).await?;
            for method in methods {
                for _ in 0..3 {
                    let id = driver.send(*method, 0, 1500)?;
                    let answer = driver.answer(id).await?;
                    ensure!(
                        answer == Answer::TooBig { mtu: 1400, by_target: false },
                        "{ip:?} {level:?} {method:?}: {answer:?}"
                    );
                }
                let id = driver.send(*method, 1, 1400)?;
                driver.passes(id).await?;
            }
            Ok(())
        })?;
        if leaves_none(ip, level) {
            ensure!(world.cached(ip)?.is_none(), "our own packets left a path MTU: {:?}", world.cached(ip)?);
            let address = ip.there().to_string();
            world::wait_for("a path MTU that others leave", || {
                world.here.output("ping", &["-c1", "-W1", "-Mdo", "-s", "1472", &address])?;
                Ok(world.cached(ip)? == Some(1400))
            })?;
        }
        ensure!(world.cached(ip)? == Some(1400), "the kernel has cached {:?}", world.cached(ip)?);
        world.narrow(ip, "far", None)?;
        world.probe(|| async move {
            let mut driver = Driver::open(level, ip, CLOSED).await?;
            for method in methods {
                let id = driver.send(*method, 0, 1500)?;
                driver.passes(id).await?;
            }
            Ok(())
        })?;
        // The cache is poisoned again for the next level.
        let flush = if ip == Ip::V4 { "-4" } else { "-6" };
        world.here.run("ip", &[flush, "route", "flush", "cache"])?;
    }
    Ok(())
}

#[test]
fn a_reply_in_fragments_tells_the_largest() -> Result<()> {
    let world = World::raise()?;
    allow_pings(&world)?;
    // IPv4: a router cuts the reply, which has no DF. IPv6: only the host that sends it may.
    world.narrow(Ip::V4, "near", Some(1400))?;
    world.there.ip(&format!("route add {} via fd99:2::1 mtu lock 1400", Ip::V6.here()))?;
    for (ip, level) in Ip::BOTH.into_iter().flat_map(|ip| Level::BOTH.map(|level| (ip, level))) {
        let largest = world.probe(|| async move {
            let mut driver = Driver::open(level, ip, OPEN).await?;
            let id = driver.send(ProbeMethod::Echo, 0, 1300)?;
            let whole = driver.passes(id).await?;
            ensure!(whole.largest_fragment.is_none(), "{ip:?} {level:?}: {whole:?}");
            let id = driver.send(ProbeMethod::Echo, 0, 1500)?;
            Ok(driver.passes(id).await?.largest_fragment)
        })?;
        // The largest multiple of 8 that fits, plus headers.
        let expected = if ip == Ip::V4 { 1396 } else { 1400 };
        ensure!(largest == Some(expected), "{ip:?} {level:?}: {largest:?}");
    }
    Ok(())
}

#[test]
fn a_firewall_that_eats_answers_is_noticed() -> Result<()> {
    let world = World::raise()?;
    let chain = "add table inet eat; add chain inet eat input { type filter hook input priority 0; }";
    world.here.run("nft", &[&format!("{chain}; add rule inet eat input tcp flags & rst == rst drop")])?;
    let missing =
        world.probe(|| async { Ok(Driver::open(Level::Raw, Ip::V4, OPEN).await?.wire.missing()) })?;
    let reason = missing.tcp_syn.unwrap_or_default();
    ensure!(reason.contains("a local firewall drops answers"), "{reason:?}");
    ensure!(missing.net_raw.is_none());
    Ok(())
}

/// IPv6 switched off, as on many hosts, is not an error.
#[test]
fn a_host_without_ipv6() -> Result<()> {
    let world = World::raise()?;
    for interface in ["all", "lo", "eth0"] {
        world.here.sysctl(&format!("net/ipv6/conf/{interface}/disable_ipv6"), "1")?;
    }
    world.probe(|| async {
        let mut driver = Driver::open(Level::Raw, Ip::V4, OPEN).await?;
        ensure!(driver.wire.missing() == MissingCapabilities::default(), "{:?}", driver.wire.missing());
        let id = driver.send(ProbeMethod::Echo, 0, 1500)?;
        driver.passes(id).await?;
        ensure!(Routes::open()?.to(Ip::V6.there()).await.is_err());
        Ok(())
    })
}

#[test]
fn ten_thousand_syns_leave_nothing_half_open() -> Result<()> {
    let world = World::raise()?;
    for ip in Ip::BOTH {
        world.probe(|| async move {
            let mut driver = Driver::open(Level::Raw, ip, OPEN).await?;
            for round in 0..625 {
                // One SYN on each 4-tuple, and the next once all are answered.
                for flow in 0..8 {
                    driver.send(ProbeMethod::Syn, flow, 1500)?;
                }
                let answered = driver.answers(8, Duration::from_secs(5)).await.len();
                ensure!(answered == 8, "{ip:?}, round {round}: {answered} of 8");
            }
            Ok(())
        })?;
    }
    world::wait_for("no half-open connection at the target", || {
        let listed = world.there.output("ss", &["-Htan", "state", "syn-recv"])?;
        Ok(listed.status.success() && listed.stdout.is_empty())
    })
}

#[test]
fn new_flows_are_answered_and_so_are_former_ones_after_a_change() -> Result<()> {
    let world = World::raise()?;
    allow_pings(&world)?;
    for (ip, level) in Ip::BOTH.into_iter().flat_map(|ip| Level::BOTH.map(|level| (ip, level))) {
        world.probe(|| async move {
            let mut driver = Driver::open(level, ip, OPEN).await?;
            let former = driver.wire.identifier();
            for method in [ProbeMethod::Echo, ProbeMethod::Syn, ProbeMethod::Echo] {
                let id = driver.send_fresh(method)?;
                driver.passes(id).await.with_context(|| format!("{ip:?} {level:?} {method:?}"))?;
            }
            let before = driver.send(ProbeMethod::Echo, 0, 1000)?;
            driver.wire.renew(&[0, 1, 2, 3, 4, 5, 6, 7]);
            driver.passes(before).await.with_context(|| format!("{ip:?} {level:?} in flight"))?;
            ensure!(driver.wire.identifier() != former, "{ip:?} {level:?}: the same identifier");
            let after = driver.send(ProbeMethod::Echo, 0, 1000)?;
            driver.passes(after).await.with_context(|| format!("{ip:?} {level:?} after"))?;
            if level == Level::Raw {
                let syn = driver.send(ProbeMethod::Syn, 3, 1000)?;
                driver.passes(syn).await.with_context(|| format!("{ip:?} SYN after"))?;
            }
            Ok(())
        })?;
    }
    Ok(())
}
