//! One router with excessive output among others: the real process, a real OpenSSH server. Needs
//! root, iproute2 and openssh-server, like `router_ssh.rs`.

use std::collections::BTreeMap;

use lab::fleet::{Exporter, Fleet, Metrics, by_label, with_fleet};

const DROPPED: &str = "vxlan_router_dropped_items_total";
/// Bytes by which memory may have grown after a flood of names.
const GROWTH: f64 = 10.0 * 1024.0 * 1024.0;

fn vxlans(names: impl Iterator<Item = String>) -> String {
    let link = |(index, name): (usize, String)| {
        format!(
            r#"{{"ifindex":{},"ifname":"{name}","flags":["UP"],"mtu":1500,"link_type":"ether","linkinfo":{{"info_kind":"vxlan","info_data":{{"id":{index},"remote":"10.1.0.1","port":8472}}}},"stats64":{{"rx":{{"bytes":0,"packets":0}},"tx":{{"bytes":0,"packets":0}}}}}}"#,
            index + 2
        )
    };
    format!("[{}]", names.enumerate().map(link).collect::<Vec<_>>().join(","))
}

fn entries(count: usize) -> String {
    let entry = |n: usize| {
        let bytes = n.to_be_bytes();
        let [.., a, b, c] = bytes;
        format!(
            r#"{{"mac":"aa:bb:cc:{a:02x}:{b:02x}:{c:02x}","ifname":"vxlan1","dst":"10.{a}.{b}.{c}","state":""}}"#
        )
    };
    format!("[{}]", (1..=count).map(entry).collect::<Vec<_>>().join(","))
}

/// When router `name` was last read.
fn read_at(metrics: &Metrics, name: &str) -> f64 {
    let times = by_label(metrics, "vxlan_router_last_success_timestamp_seconds", "router");
    times.get(name).copied().unwrap_or_default()
}

/// Waits for a scrape of `name` that begins after this call.
fn scraped(exporter: &Exporter, name: &str) -> Metrics {
    let mut last = read_at(&exporter.metrics(), name);
    for _ in 0..2 {
        let before = last;
        last = read_at(&exporter.wait_for("another scrape", |now| read_at(now, name) > before), name);
    }
    exporter.metrics()
}

/// All tunnels and interfaces with their state.
fn picture(metrics: &Metrics) -> BTreeMap<String, String> {
    let shown = ["vxlan_tunnel_info", "vxlan_tunnel_up", "vxlan_interface_info", "vxlan_router_up"];
    let of = |series: &String| shown.contains(&series.split('{').next().unwrap_or_default());
    metrics
        .iter()
        .filter(|(series, _)| of(series))
        .map(|(series, value)| (series.clone(), value.to_string()))
        .collect()
}

fn serve(fleet: &Fleet<'_>, interval: &str) -> Exporter {
    let routers = [0, 2, 3].map(|number| fleet.router(number, "")).concat();
    let hostile = fleet.router(1, &format!("  scrape_interval: {interval}\n"));
    let config = fleet.write("config.yml", &format!("scrape_interval: 1s\nrouters:\n{routers}{hostile}"));
    fleet.serve(crate::binary(), &config, 14789, &[])
}

#[test]
fn a_router_that_says_far_too_much_stops_nobody_and_leaves_nothing_behind() {
    with_fleet(4, |fleet| {
        let exporter = serve(fleet, "6s");
        exporter.wait_for("all tunnels", |now| by_label(now, "vxlan_tunnel_up", "tunnel").len() == 3);
        let before = picture(&scraped(&exporter, "r1"));
        for (kind, links, fdb) in [
            ("interface", Some(vxlans((0..50_000).map(|n| format!("v{n}")))), None),
            ("remote", None, Some(entries(50_000))),
        ] {
            let cpu = exporter.metrics()["process_cpu_seconds_total"];
            fleet.say(1, links.as_deref(), fdb.as_deref());
            let dropped = |now: &Metrics| {
                now.iter().any(|(series, count)| {
                    series.starts_with(DROPPED)
                        && series.contains("\"r1\"")
                        && series.contains(&format!("kind=\"{kind}\""))
                        && *count > 40_000.0
                })
            };
            exporter.wait_for("some is left out", dropped);
            for _ in 0..16 {
                let others = by_label(&exporter.metrics(), "vxlan_router_up", "router");
                assert!(["r0", "r2", "r3"].iter().all(|router| others[*router] > 0.5), "{kind}: {others:?}");
            }
            scraped(&exporter, "r2");
            println!("{kind}: {:.1} CPU seconds", exporter.metrics()["process_cpu_seconds_total"] - cpu);
            assert!(
                exporter.log().contains("the router's output is understood only in part"),
                "{kind}: {}",
                exporter.log()
            );
            fleet.say(1, None, None);
            scraped(&exporter, "r1");
            // The data of a scrape are joined a few seconds later if the previous join took long.
            exporter.wait_for("all is as before", |now| picture(now) == before);
        }
    });
}

#[test]
fn names_that_change_with_every_scrape_leave_no_memory_behind() {
    with_fleet(4, |fleet| {
        let exporter = serve(fleet, "1s");
        exporter.wait_for("all tunnels", |now| by_label(now, "vxlan_tunnel_up", "tunnel").len() == 3);
        let flood = |rounds: std::ops::Range<usize>| {
            for round in rounds {
                fleet.say(1, Some(&vxlans((0..800).map(|n| format!("x{round}y{n}")))), None);
                scraped(&exporter, "r1");
            }
            fleet.say(1, None, None);
            let metrics = scraped(&exporter, "r1");
            assert!(
                metrics.keys().all(|series| !series.contains("\"x")),
                "a name of the flood is still there"
            );
            metrics["process_resident_memory_bytes"]
        };
        // The first names fill the bounded memory for names.
        let before = flood(0..4);
        let after = flood(4..24);
        println!("resident memory: {before} bytes, then {after}");
        assert!(after - before < GROWTH, "from {before} to {after} bytes");
    });
}
